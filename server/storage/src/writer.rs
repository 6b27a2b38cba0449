//! Writing one object piece by piece; it exists from [`ObjectWriter::finish`] on, or never.

use crate::{
    Dest, Step, StorageError,
    dest::{Backend, WRITE},
    file::Existing,
};
use blake3::{Hash, Hasher};
use std::{
    fs::File,
    io::{self, Write},
    path::PathBuf,
};

/// Writes smaller than this are gathered.
const GATHER_BYTES: usize = 256 << 10;

/// What became of a finished object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    /// Length.
    pub bytes: u64,
    /// Sum of the content.
    pub blake3: Hash,
}

/// An object being written. Dropped without [`ObjectWriter::finish`], it leaves nothing behind.
#[derive(Debug)]
pub struct ObjectWriter {
    dest: Dest,
    key: String,
    existing: Existing,
    gathered: Vec<u8>,
    hasher: Hasher,
    bytes: u64,
    /// Absent for an object in memory, whose bytes stay gathered.
    file: Option<(File, PathBuf)>,
    failed: bool,
}

impl ObjectWriter {
    pub(crate) fn new(dest: Dest, key: &str, existing: Existing) -> Result<Self, StorageError> {
        let created = dest.pass(Step::Create).and_then(|()| match dest.backend() {
            Backend::File(directory) => directory.create_temp(key).map(Some),
            Backend::Memory(_) => Ok(None),
        });
        let file = created.map_err(|error| dest.failure(WRITE, key, error))?;
        Ok(ObjectWriter {
            dest,
            key: key.to_owned(),
            existing,
            gathered: Vec::new(),
            hasher: Hasher::new(),
            bytes: 0,
            file,
            failed: false,
        })
    }

    /// The key it will have.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Bytes taken so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Appends `bytes`. The same as [`Write::write_all`], with the error of this crate.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), StorageError> {
        self.take(bytes).map_err(|error| self.broken(error))
    }

    /// Publishes the object: content durable, then its name, then the directory that holds the name.
    /// After an error nothing of it is left. A failed sync is final: the bytes may be lost already.
    pub fn finish(mut self) -> Result<Stored, StorageError> {
        if self.failed {
            return Err(StorageError::Invalid {
                operation: WRITE,
                what: self.dest.name_of(&self.key),
                reason: "an earlier write to it failed; write it again from the start".to_owned(),
            });
        }
        match self.publish() {
            Ok(()) => Ok(Stored {
                bytes: self.bytes,
                blake3: self.hasher.finalize(),
            }),
            Err(error) => Err(self.broken(error)),
        }
    }

    fn take(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.bytes += bytes.len() as u64;
        self.dest.pass(Step::Write)?;
        self.hasher.update(bytes);
        match &mut self.file {
            Some((file, _)) if self.gathered.is_empty() && bytes.len() >= GATHER_BYTES => {
                file.write_all(bytes)
            }
            file => {
                self.gathered.extend_from_slice(bytes);
                match file {
                    Some((file, _)) if self.gathered.len() >= GATHER_BYTES => {
                        file.write_all(&self.gathered)?;
                        self.gathered.clear();
                        Ok(())
                    }
                    _ => Ok(()),
                }
            }
        }
    }

    fn publish(&mut self) -> io::Result<()> {
        let dest = &self.dest;
        match dest.backend() {
            Backend::Memory(memory) => {
                dest.pass(Step::Sync)?;
                dest.pass(Step::Publish)?;
                memory.publish(&self.key, std::mem::take(&mut self.gathered), self.existing)
            }
            Backend::File(directory) => {
                let (file, temp) = self.file.as_mut().expect("invariant: made with the writer");
                file.write_all(&self.gathered)?;
                dest.pass(Step::Sync)?;
                file.sync_data()?;
                dest.pass(Step::Publish)?;
                directory.publish(temp, &self.key, self.existing)?;
                self.file = None;
                let synced = dest
                    .pass(Step::SyncDirectory)
                    .and_then(|()| directory.sync_parent(&self.key));
                if synced.is_err() && self.existing == Existing::Keep {
                    // Named but perhaps not durably so: it must not be taken for published.
                    let _ = std::fs::remove_file(directory.path(&self.key));
                }
                synced
            }
        }
    }

    fn broken(&mut self, error: io::Error) -> StorageError {
        self.failed = true;
        self.remove_temp();
        let failure = self.dest.failure(WRITE, &self.key, error);
        match failure {
            StorageError::Full {
                operation,
                what,
                free,
                ..
            } => StorageError::Full {
                operation,
                what,
                needed: Some(self.bytes),
                free,
            },
            other => other,
        }
    }

    fn remove_temp(&mut self) {
        if let Some((_, path)) = self.file.take() {
            // Best effort: what stays is taken away at the next start.
            let _ = std::fs::remove_file(path);
        }
    }
}

impl Write for ObjectWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.append(bytes).map_err(StorageError::into_io)?;
        Ok(bytes.len())
    }

    /// Nothing to do: an unfinished object is of no use to anyone.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for ObjectWriter {
    fn drop(&mut self) {
        self.remove_temp();
    }
}
