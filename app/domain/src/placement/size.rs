//! What a unit takes, and how that is written for people.

use serde::{Deserialize, Serialize};

/// CPU, memory and log disk of a unit, or of servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct UnitSize {
    /// Hundredths of a core.
    pub cpu_hundredths: u64,
    /// Bytes.
    pub memory_bytes: u64,
    /// Bytes; 0 in a new specification leaves it to the cluster.
    pub log_disk_bytes: u64,
}

const GIB: u64 = 1 << 30;
/// Times its memory that a unit's log disk takes where nothing was said (`CREATE RESOURCE UNIT`, 4.x).
const LOG_DISK_TIMES: u64 = 3;

impl UnitSize {
    /// The smallest unit of OceanBase 4.x: 1 core, 1 GiB of memory, 2 GiB of log disk.
    pub const LEAST: UnitSize = UnitSize {
        cpu_hundredths: 100,
        memory_bytes: GIB,
        log_disk_bytes: 2 * GIB,
    };

    /// With the log disk that the cluster gives where nothing was said: three times the memory.
    #[must_use]
    pub fn given(self) -> Self {
        let log_disk_bytes = match self.log_disk_bytes {
            0 => self.memory_bytes.saturating_mul(LOG_DISK_TIMES),
            bytes => bytes,
        };
        UnitSize {
            log_disk_bytes,
            ..self
        }
    }

    /// What is left when `other` is taken away; nothing where it is more.
    #[must_use]
    pub fn less(self, other: UnitSize) -> Self {
        UnitSize {
            cpu_hundredths: self.cpu_hundredths.saturating_sub(other.cpu_hundredths),
            memory_bytes: self.memory_bytes.saturating_sub(other.memory_bytes),
            log_disk_bytes: self.log_disk_bytes.saturating_sub(other.log_disk_bytes),
        }
    }

    /// Whether `unit` fits in.
    pub fn holds(self, unit: UnitSize) -> bool {
        unit.less(self) == UnitSize::default()
    }
}

impl std::iter::Sum for UnitSize {
    fn sum<I: Iterator<Item = Self>>(sizes: I) -> Self {
        sizes.fold(UnitSize::default(), |sum, size| UnitSize {
            cpu_hundredths: sum.cpu_hundredths.saturating_add(size.cpu_hundredths),
            memory_bytes: sum.memory_bytes.saturating_add(size.memory_bytes),
            log_disk_bytes: sum.log_disk_bytes.saturating_add(size.log_disk_bytes),
        })
    }
}

/// Cores, as `2` or `1.5`.
pub fn cores(hundredths: u64) -> String {
    decimal(hundredths)
}

/// Bytes in the unit that specifications are written in, as `8 GiB`; less than a hundredth of it is left out.
pub fn gib(bytes: u64) -> String {
    let hundredths = u128::from(bytes) * 100 / u128::from(GIB);
    let text = decimal(u64::try_from(hundredths).unwrap_or(u64::MAX));
    format!("{text}\u{a0}GiB")
}

fn decimal(hundredths: u64) -> String {
    let (whole, rest) = (hundredths / 100, hundredths % 100);
    match rest {
        0 => whole.to_string(),
        rest if rest % 10 == 0 => format!("{whole}.{}", rest / 10),
        rest => format!("{whole}.{rest:02}"),
    }
}
