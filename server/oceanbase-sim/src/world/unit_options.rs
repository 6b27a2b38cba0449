//! The options of a resource unit.

use super::resources::UnitConfig;
use crate::SqlError;
use crate::error;

const GIB: i64 = 1 << 30;
/// Nothing was said of the log disk.
pub(super) const UNSAID: i64 = -1;

/// Writes options into a unit, within its limits.
pub(super) fn apply(config: &mut UnitConfig, options: &[(String, String)]) -> Result<(), SqlError> {
    for (name, value) in options {
        let wrong = || error::arguments(&name.to_ascii_lowercase());
        let number = || value.parse::<f64>().map_err(|_| wrong());
        match name.as_str() {
            "MAX_CPU" => config.max_cpu = number()?,
            "MIN_CPU" => config.min_cpu = number()?,
            "MEMORY_SIZE" | "MAX_MEMORY" => config.memory = size(value).ok_or_else(wrong)?,
            "LOG_DISK_SIZE" => config.log_disk = size(value).ok_or_else(wrong)?,
            "MAX_IOPS" => config.max_iops = number()? as i64,
            "MIN_IOPS" => config.min_iops = number()? as i64,
            "IOPS_WEIGHT" => config.iops_weight = number()? as i64,
            "MIN_MEMORY"
            | "MAX_DISK_SIZE"
            | "MAX_SESSION_NUM"
            | "DATA_DISK_SIZE"
            | "MAX_NET_BANDWIDTH"
            | "NET_BANDWIDTH_WEIGHT" => {}
            _ => return Err(error::syntax(name)),
        }
    }
    if config.max_cpu < 1.0 {
        return Err(error::coded(4659, "unit max_cpu is below limit 1"));
    }
    if config.memory < GIB {
        return Err(error::coded(4659, "unit memory_size is below limit 1GB"));
    }
    if config.log_disk != UNSAID && config.log_disk < 2 * GIB {
        return Err(error::coded(4659, "unit log_disk_size is below limit 2GB"));
    }
    Ok(())
}

/// Bytes of `4G`, `512M`, `1073741824`.
fn size(text: &str) -> Option<i64> {
    let text = text.trim().to_ascii_uppercase();
    let text = text.strip_suffix('B').unwrap_or(&text);
    let (digits, factor) = match text.chars().last()? {
        'K' => (&text[..text.len() - 1], 1 << 10),
        'M' => (&text[..text.len() - 1], 1 << 20),
        'G' => (&text[..text.len() - 1], GIB),
        'T' => (&text[..text.len() - 1], 1 << 40),
        _ => (text, 1),
    };
    digits.trim().parse::<i64>().ok()?.checked_mul(factor)
}
