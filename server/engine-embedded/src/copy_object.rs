//! Copying one object: read once, proved while it is read, written anew, made durable, and read back.
//!
//! What does not prove right is not published; what is published and does not read back is removed.

use crate::{
    absent::Archived,
    job::{Canceled, Job},
    pace::chunk_bytes,
    second::{Second, SecondCopy},
};
use domain::clock::Clock;
use std::{
    io::{self, Read},
    sync::Arc,
};
use storage::{Dest, StorageError, checksum::Hasher};

/// Bytes at the end of a segment that the sum before them does not cover: the sum itself and the magic.
const TAIL_BYTES: usize = 32 + 8;

/// Why something was not copied.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CopyError {
    #[error("{0}")]
    Canceled(#[from] Canceled),
    #[error(
        "the second destination was given up or changed meanwhile; what was copied there before stays"
    )]
    Ended,
    #[error("the first copy cannot be read now: {0}")]
    Reading(StorageError),
    #[error("the second copy cannot be written now: {0}")]
    Writing(StorageError),
    #[error("{name} at the first destination is damaged: {what}; {advice}")]
    Damaged {
        name: String,
        what: String,
        advice: &'static str,
    },
    #[error("{name} is not at the first destination any more")]
    Gone { name: String },
    #[error(
        "{name} did not read back as it was written: {what}; check the disk of the second destination"
    )]
    NotReadBack { name: String, what: String },
    #[error("{0}")]
    Refused(String),
}

/// What the bytes of an object have to be.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Proof<'a> {
    /// Of this length and sum.
    Sum { size: u64, blake3: &'a str },
    /// Those of a log file, which ends with the sum of what comes before it.
    Tail,
}

/// What a copy works with.
pub(crate) struct Copying<'a> {
    pub(crate) source: &'a dyn Archived,
    pub(crate) copy: &'a SecondCopy,
    pub(crate) second: &'a Second,
    pub(crate) from: Dest,
    pub(crate) to: Dest,
    pub(crate) job: &'a Job,
    pub(crate) clock: &'a Arc<dyn Clock>,
    pub(crate) limit_bytes_per_s: Option<u64>,
    /// Whether the engine is ending: what is canceled by that goes on after the next start.
    pub(crate) is_closing: &'a dyn Fn() -> bool,
}

impl Copying<'_> {
    /// To be called once a chunk.
    pub(crate) fn check(&self) -> Result<(), CopyError> {
        self.job.check()?;
        match self.second.is_ended() {
            true => Err(CopyError::Ended),
            false => Ok(()),
        }
    }

    /// Copies an object unless what is there proves right; gives the bytes copied. What is there and does not
    /// prove right is written anew.
    pub(crate) fn ensure(&self, key: &str, proof: Proof<'_>) -> Result<u64, CopyError> {
        if self.is_there(key, proof)? {
            return Ok(0);
        }
        self.copy_object(key, proof)
    }

    /// Whether an object is at the second destination and proves right; removes one that does not.
    pub(crate) fn is_there(&self, key: &str, proof: Proof<'_>) -> Result<bool, CopyError> {
        let mut reader = match self.to.reader(key) {
            Ok(reader) => reader,
            Err(error) if error.is_not_found() => return Ok(false),
            Err(error) => return Err(CopyError::Writing(error)),
        };
        let mut sums = Sums::default();
        let read = read_chunks(&mut *reader, chunk_bytes(None), |bytes| {
            sums.add(bytes);
            self.check()
        });
        read.map_err(|failed| match failed {
            Failed::Reading(error) => CopyError::Writing(StorageError::from_io(
                "reading",
                self.to.name_of(key),
                error,
            )),
            Failed::Other(error) => error,
        })?;
        if sums.contradicts(proof).is_none() {
            return Ok(true);
        }
        self.to.delete(key).map_err(CopyError::Writing)?;
        Ok(false)
    }

    fn copy_object(&self, key: &str, proof: Proof<'_>) -> Result<u64, CopyError> {
        let mut reader = self.from.reader(key).map_err(|error| self.unread(error))?;
        let mut writer = self.to.create(key).map_err(CopyError::Writing)?;
        let mut sums = Sums::default();
        let copied = read_chunks(&mut *reader, chunk_bytes(self.limit_bytes_per_s), |bytes| {
            let check = || self.check();
            check()?;
            self.second
                .pace
                .take(bytes.len(), self.limit_bytes_per_s, check)?;
            sums.add(bytes);
            writer.append(bytes).map_err(CopyError::Writing)?;
            self.job.advance(bytes.len() as u64);
            Ok(())
        });
        copied.map_err(|failed| match failed {
            Failed::Reading(error) => {
                let name = self.from.name_of(key);
                self.unread(StorageError::from_io("reading", name, error))
            }
            Failed::Other(error) => error,
        })?;
        if let Some(what) = sums.contradicts(proof) {
            return Err(self.damaged(key, what));
        }
        let stored = writer.finish().map_err(CopyError::Writing)?;
        let sum = stored.blake3.to_hex();
        let written = Proof::Sum {
            size: stored.bytes,
            blake3: sum.as_str(),
        };
        match self.is_there(key, written)? {
            true => Ok(stored.bytes),
            false => Err(self.not_read_back(key, "it has other bytes")),
        }
    }

    /// Copies a manifest, which carries its own sum. One that is there and says the same stays; one that
    /// says something else is refused with `conflict`, because nothing sound is ever replaced.
    pub(crate) fn copy_manifest(
        &self,
        key: &str,
        conflict: impl FnOnce() -> String,
    ) -> Result<(), CopyError> {
        let content: serde_json::Value = self.from.get_manifest(key).map_err(|e| self.unread(e))?;
        match self.to.get_manifest::<serde_json::Value>(key) {
            Ok(there) if there == content => return Ok(()),
            Ok(_) => return Err(CopyError::Refused(conflict())),
            Err(error) if error.is_not_found() => {}
            Err(error) if error.is_transient() => return Err(CopyError::Writing(error)),
            Err(_) => self.to.delete(key).map_err(CopyError::Writing)?,
        }
        self.to
            .put_manifest(key, &content)
            .map_err(CopyError::Writing)?;
        self.prove_manifest(key, &content)
    }

    /// Writes a manifest in place of an earlier one.
    pub(crate) fn replace_manifest(
        &self,
        key: &str,
        content: &impl serde::Serialize,
    ) -> Result<(), CopyError> {
        self.to
            .replace_manifest(key, content)
            .map_err(CopyError::Writing)
    }

    fn prove_manifest(&self, key: &str, content: &serde_json::Value) -> Result<(), CopyError> {
        match self.to.get_manifest::<serde_json::Value>(key) {
            Ok(there) if there == *content => return Ok(()),
            Err(error) if error.is_transient() => return Err(CopyError::Writing(error)),
            _ => {}
        }
        // What cannot be removed now is damaged by its own sum, and is written anew by the next copy.
        let _ = self.to.delete(key);
        Err(self.not_read_back(key, "its sum does not match"))
    }

    /// What a failure to read the first copy means.
    pub(crate) fn unread(&self, error: StorageError) -> CopyError {
        match error {
            error if error.is_transient() => CopyError::Reading(error),
            StorageError::NotFound { what, .. } => CopyError::Gone { name: what },
            StorageError::Corrupt { what, reason, .. } => CopyError::Damaged {
                name: what,
                what: reason,
                advice: ADVICE,
            },
            other => CopyError::Reading(other),
        }
    }

    /// A damaged object of the first copy.
    pub(crate) fn damaged(&self, key: &str, what: impl Into<String>) -> CopyError {
        CopyError::Damaged {
            name: self.from.name_of(key),
            what: what.into(),
            advice: ADVICE,
        }
    }

    fn not_read_back(&self, key: &str, what: &str) -> CopyError {
        CopyError::NotReadBack {
            name: self.to.name_of(key),
            what: what.to_owned(),
        }
    }
}

const ADVICE: &str = "it was not copied, and is left out of what can be recovered from the first copy; \
                      check the disk there, and take a new full backup";

/// Why reading chunk by chunk ended early.
enum Failed {
    Reading(io::Error),
    Other(CopyError),
}

/// Calls `each` with chunk after chunk of what `reader` has.
fn read_chunks(
    reader: &mut dyn Read,
    chunk_bytes: usize,
    mut each: impl FnMut(&[u8]) -> Result<(), CopyError>,
) -> Result<(), Failed> {
    let mut buffer = vec![0; chunk_bytes];
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => each(&buffer[..count]).map_err(Failed::Other)?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Failed::Reading(error)),
        }
    }
}

/// The sums of what passed by.
#[derive(Default)]
struct Sums {
    size: u64,
    whole: Hasher,
    /// Of everything but the last bytes.
    start: Hasher,
    /// Those last bytes, and more until they are taken into `start`.
    last: Vec<u8>,
}

impl Sums {
    fn add(&mut self, bytes: &[u8]) {
        self.size += bytes.len() as u64;
        self.whole.update(bytes);
        self.last.extend_from_slice(bytes);
        let over = self.last.len().saturating_sub(TAIL_BYTES);
        self.start.update(&self.last[..over]);
        self.last.drain(..over);
    }

    /// What is wrong by `proof`; `None` when it proves right.
    fn contradicts(&self, proof: Proof<'_>) -> Option<&'static str> {
        let is_right = match proof {
            Proof::Sum { size, blake3 } => {
                self.size == size && self.whole.finalize().to_hex().as_str() == blake3
            }
            Proof::Tail => {
                let sum = self.last.get(..32);
                self.last.len() == TAIL_BYTES
                    && sum == Some(self.start.finalize().as_bytes().as_slice())
            }
        };
        (!is_right).then_some("its size or checksum is not the one it was written with")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_at_the_end_is_checked_however_the_bytes_come() {
        let content = b"frames and index".repeat(9);
        let mut bytes = content.clone();
        bytes.extend_from_slice(blake3::hash(&content).as_bytes());
        bytes.extend_from_slice(b"tdmseg01");
        for chunk in [1, 7, 39, 40, 41, 1000] {
            let mut sums = Sums::default();
            bytes.chunks(chunk).for_each(|part| sums.add(part));
            assert_eq!(sums.contradicts(Proof::Tail), None, "chunks of {chunk}");
            let sum = storage::checksum::blake3_hex(&bytes);
            let proof = |size| Proof::Sum { size, blake3: &sum };
            assert_eq!(sums.contradicts(proof(bytes.len() as u64)), None);
            assert!(sums.contradicts(proof(1)).is_some());
        }
        for at in [0, content.len(), content.len() - 1] {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            let mut sums = Sums::default();
            sums.add(&damaged);
            assert!(sums.contradicts(Proof::Tail).is_some(), "byte {at}");
        }
        let mut short = Sums::default();
        short.add(b"short");
        assert!(short.contradicts(Proof::Tail).is_some());
    }
}
