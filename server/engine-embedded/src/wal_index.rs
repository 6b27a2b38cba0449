//! The published part of the log: the header of the wal-index (`-shm`), read without locking.
//!
//! Only frames up to `mx_frame` are committed. Whatever else verifies in the `-wal` file may never
//! become a commit: a writer killed between writing and publishing leaves such frames behind.

use crate::wal::{Chain, FRAME_HEADER_BYTES, Salts};
use rustix::process::{Flock, FlockType, fcntl_getlk};
use std::{fs::File, io, os::unix::fs::FileExt};

const COPY_BYTES: usize = 48;
/// The byte of the file that a program locks while it keeps other writers out.
const WRITE_LOCK: u64 = 120;
/// The byte that it locks while it copies the log into the database file.
const CHECKPOINT_LOCK: u64 = 121;
/// Tries before a header that keeps changing is given up until the next step.
const STABLE_TRIES_MAX: u32 = 1000;

/// The wal-index header: what a reader that begins now would see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Published {
    /// Number of the last committed frame, from 1; zero when the log is empty.
    pub(crate) mx_frame: u32,
    pub(crate) page_size: u32,
    pub(crate) salts: Salts,
    /// Running checksum at `mx_frame`; without meaning while that is zero.
    pub(crate) chain: Chain,
    /// Frames already copied into the database file.
    pub(crate) backfilled: u32,
    /// Grows by one with every commit, and goes on when the log begins anew.
    pub(crate) change: u32,
}

/// Reads the header until both of its copies agree; `None` when it keeps changing or is not initialised.
///
/// `shm` must be a descriptor that stays open as long as any connection of this process to the
/// database: closing any descriptor of the file would drop all of the process's locks on it.
pub(crate) fn published(shm: &File) -> io::Result<Option<Published>> {
    let mut bytes = [0u8; COPY_BYTES * 2 + 4];
    for _ in 0..STABLE_TRIES_MAX {
        match shm.read_exact_at(&mut bytes, 0) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            Err(error) => return Err(error),
        }
        let (first, second) = bytes[..COPY_BYTES * 2].split_at(COPY_BYTES);
        if first == second && first[12] != 0 {
            return Ok(Some(parse(&bytes)));
        }
        std::hint::spin_loop();
    }
    Ok(None)
}

/// Whether another program keeps all writers out for a checkpoint, which may be waiting for readers to go.
pub(crate) fn is_checkpoint_waiting(shm: &File) -> io::Result<bool> {
    Ok(is_locked(shm, CHECKPOINT_LOCK)? && is_locked(shm, WRITE_LOCK)?)
}

/// Whether another process holds the lock at `byte`. Asking takes no lock and gives none up.
fn is_locked(shm: &File, byte: u64) -> io::Result<bool> {
    let asked = Flock {
        start: byte,
        length: 1,
        ..Flock::from(FlockType::WriteLock)
    };
    Ok(fcntl_getlk(shm, &asked)?.is_some())
}

fn parse(bytes: &[u8]) -> Published {
    let native =
        |at: usize| u32::from_ne_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
    let size = u16::from_ne_bytes([bytes[14], bytes[15]]);
    let mut salts = [0; 8];
    salts.copy_from_slice(&bytes[32..40]);
    Published {
        mx_frame: native(16),
        // 65536 does not fit and is written as 1.
        page_size: if size == 1 { 65_536 } else { u32::from(size) },
        salts,
        chain: Chain {
            s1: native(24),
            s2: native(28),
        },
        backfilled: native(COPY_BYTES * 2),
        change: native(8),
    }
}

impl Published {
    /// Bytes of the committed frames.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes_of(self.mx_frame)
    }

    /// Bytes of those that stand in the database file already.
    pub(crate) fn backfilled_bytes(&self) -> u64 {
        self.bytes_of(self.backfilled.min(self.mx_frame))
    }

    fn bytes_of(&self, frames: u32) -> u64 {
        u64::from(frames) * (FRAME_HEADER_BYTES as u64 + u64::from(self.page_size))
    }

    /// Whether nothing was committed or restarted between two looks; copying into the database file does not count.
    pub(crate) fn same_state(&self, other: &Published) -> bool {
        (self.mx_frame, self.salts, self.chain, self.change)
            == (other.mx_frame, other.salts, other.chain, other.change)
    }
}
