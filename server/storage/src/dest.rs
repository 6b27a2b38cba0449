//! `Dest`, a destination: where objects are put, read, listed and removed.

use crate::{
    Faults, ObjectWriter, Step, StorageError,
    file::{Capacity, Directory, Existing, capacity, sync_directory},
    identity::{self, Identity, Unreadable},
    key,
    memory::Memory,
};
use domain::Scn;
use std::{
    fs,
    io::{self, Read},
    path::Path,
    sync::Arc,
};
use uuid::Uuid;

pub(crate) const WRITE: &str = "write";
const READ: &str = "read";
const LIST: &str = "list";
const DELETE: &str = "delete";
const OPEN: &str = "open destination";
const CHECK: &str = "check destination";

/// An object as listed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// Key.
    pub key: String,
    /// Length in bytes.
    pub size: u64,
}

/// The kinds of destination.
#[derive(Debug)]
pub(crate) enum Backend {
    File(Directory),
    Memory(Memory),
}

#[derive(Debug)]
struct Inner {
    uuid: Uuid,
    backend: Backend,
}

/// A destination. Clones are the same one.
///
/// Keys are relative paths such as `cluster/tenant/data/set.json`; a prefix is a directory of keys,
/// with or without its last slash, and empty for everything. An object is complete and durable when
/// the call that made it has returned, and it is not there before.
#[derive(Debug, Clone)]
pub struct Dest {
    inner: Arc<Inner>,
    faults: Option<Faults>,
}

impl Dest {
    /// Opens a directory, and prepares it first when it is new or empty.
    ///
    /// Refuses a directory with anything else in it and a newer format. One that is prepared already
    /// may be read-only: it can be read from, and [`Dest::check_writable`] tells.
    pub fn open_dir(dir: &Path, now: Scn) -> Result<Dest, StorageError> {
        let root = std::path::absolute(dir)
            .map_err(|error| StorageError::from_io(OPEN, dir.display().to_string(), error))?;
        let what = || root.display().to_string();
        let answer = |error| match StorageError::from_io(OPEN, what(), error) {
            StorageError::NotFound { operation, what } => StorageError::Missing { operation, what },
            StorageError::Io {
                operation,
                what,
                cause,
            } if cause.kind() == io::ErrorKind::NotADirectory => {
                StorageError::NotDirectory { operation, what }
            }
            other => other,
        };
        match fs::create_dir(&root) {
            Ok(()) => sync_directory(root.parent().unwrap_or(&root)).map_err(answer)?,
            Err(_) if root.is_dir() => {}
            Err(_) if root.exists() => {
                return Err(StorageError::NotDirectory {
                    operation: OPEN,
                    what: what(),
                });
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let parent = root.parent().unwrap_or(&root).display().to_string();
                return Err(StorageError::Missing {
                    operation: OPEN,
                    what: parent,
                });
            }
            Err(error) => return Err(answer(error)),
        }
        let directory = Directory { root: root.clone() };
        let identity = match read_identity(&directory, OPEN)? {
            Some(identity) => identity,
            None => prepare(&directory, now)?,
        };
        Ok(Dest::of(identity.uuid, Backend::File(directory)))
    }

    /// Opens a directory that was prepared before, and never prepares one: the path may be a mount
    /// point without its disk.
    pub fn open_existing(dir: &Path) -> Result<Dest, StorageError> {
        let root = std::path::absolute(dir)
            .map_err(|error| StorageError::from_io(OPEN, dir.display().to_string(), error))?;
        let what = root.display().to_string();
        let directory = Directory { root };
        match read_identity(&directory, OPEN)? {
            Some(identity) => Ok(Dest::of(identity.uuid, Backend::File(directory))),
            None => Err(StorageError::Swapped {
                operation: OPEN,
                what,
                found: "no destination".to_owned(),
            }),
        }
    }

    /// Writes and removes a small file, to learn whether that is possible before anything counts on it.
    pub fn check_writable(&self) -> Result<(), StorageError> {
        self.check()?;
        let outcome = self.pass(Step::Create).and_then(|()| match self.backend() {
            Backend::File(directory) => directory.probe(),
            Backend::Memory(_) => Ok(()),
        });
        outcome.map_err(|error| self.failure(CHECK, "", error))
    }

    /// A new destination in memory.
    pub fn memory() -> Dest {
        Dest::of(Uuid::new_v4(), Backend::Memory(Memory::default()))
    }

    /// The same destination, seen through `faults`.
    pub fn with_faults(&self, faults: &Faults) -> Dest {
        Dest {
            inner: Arc::clone(&self.inner),
            faults: Some(faults.clone()),
        }
    }

    fn of(uuid: Uuid, backend: Backend) -> Dest {
        Dest {
            inner: Arc::new(Inner { uuid, backend }),
            faults: None,
        }
    }

    /// Which destination it is; written into it when it was prepared.
    pub fn uuid(&self) -> Uuid {
        self.inner.uuid
    }

    /// Where it is, as people write it.
    pub fn display(&self) -> String {
        match self.backend() {
            Backend::File(directory) => directory.root.display().to_string(),
            Backend::Memory(_) => "memory".to_owned(),
        }
    }

    /// The path or name of an object, as people write it.
    pub fn name_of(&self, key: &str) -> String {
        match key {
            "" => self.display(),
            _ => format!("{}/{key}", self.display()),
        }
    }

    /// Looks whether the destination that was opened is still there.
    pub fn check(&self) -> Result<(), StorageError> {
        self.pass(Step::Check)
            .map_err(|error| StorageError::from_io(CHECK, self.display(), error))?;
        let Backend::File(directory) = self.backend() else {
            return Ok(());
        };
        let swapped = |found: String| StorageError::Swapped {
            operation: CHECK,
            what: self.display(),
            found,
        };
        match read_identity(directory, CHECK)? {
            Some(found) if found.uuid == self.uuid() => Ok(()),
            Some(found) => Err(swapped(format!(
                "it is destination {}, not {}",
                found.uuid,
                self.uuid()
            ))),
            None => Err(swapped(format!("{} is missing", identity::FILE))),
        }
    }

    /// Writes a new object. An existing one is never replaced.
    pub fn put(&self, key: &str, bytes: &[u8]) -> Result<(), StorageError> {
        self.write_whole(key, bytes, Existing::Keep)
    }

    /// Writes an object that takes the place of an earlier one in one step.
    pub fn replace(&self, key: &str, bytes: &[u8]) -> Result<(), StorageError> {
        self.write_whole(key, bytes, Existing::Replace)
    }

    /// Begins a new object that is written piece by piece.
    pub fn create(&self, key: &str) -> Result<ObjectWriter, StorageError> {
        self.begin(key, Existing::Keep)
    }

    pub(crate) fn write_whole(
        &self,
        key: &str,
        bytes: &[u8],
        existing: Existing,
    ) -> Result<(), StorageError> {
        let mut writer = self.begin(key, existing)?;
        writer.append(bytes)?;
        writer.finish().map(drop)
    }

    fn begin(&self, key: &str, existing: Existing) -> Result<ObjectWriter, StorageError> {
        key::check(WRITE, key)?;
        self.check()?;
        ObjectWriter::new(self.clone(), key, existing)
    }

    /// The whole content of an object.
    pub fn get(&self, key: &str) -> Result<Vec<u8>, StorageError> {
        self.reading(key, || match self.backend() {
            Backend::File(directory) => fs::read(directory.path(key)),
            Backend::Memory(memory) => memory.get(key).map(|bytes| bytes.to_vec()),
        })
    }

    /// Reads an object from its start.
    pub fn reader(&self, key: &str) -> Result<Box<dyn Read + Send>, StorageError> {
        self.reading(key, || -> io::Result<Box<dyn Read + Send>> {
            Ok(match self.backend() {
                Backend::File(directory) => Box::new(fs::File::open(directory.path(key))?),
                Backend::Memory(memory) => Box::new(io::Cursor::new(memory.get(key)?.to_vec())),
            })
        })
    }

    /// Fills `buffer` from `offset` on. An object that ends before is damaged.
    pub fn read_at(&self, key: &str, offset: u64, buffer: &mut [u8]) -> Result<(), StorageError> {
        let end = offset.saturating_add(buffer.len() as u64);
        self.reading(key, || match self.backend() {
            Backend::File(directory) => directory.read_at(key, offset, buffer),
            Backend::Memory(memory) => memory.read_at(key, offset, buffer),
        })
        .map_err(|error| match error {
            StorageError::Io {
                operation,
                what,
                cause,
            } if cause.kind() == io::ErrorKind::UnexpectedEof => {
                let reason = format!("it ends before byte {end}");
                StorageError::Corrupt {
                    operation,
                    what,
                    reason,
                }
            }
            other => other,
        })
    }

    /// The length of an object.
    pub fn size(&self, key: &str) -> Result<u64, StorageError> {
        self.reading(key, || match self.backend() {
            Backend::File(directory) => directory.size(key),
            Backend::Memory(memory) => memory.get(key).map(|bytes| bytes.len() as u64),
        })
    }

    /// Whether there is an object of this key.
    pub fn exists(&self, key: &str) -> Result<bool, StorageError> {
        match self.size(key) {
            Ok(_) => Ok(true),
            Err(error) if error.is_not_found() => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn reading<T>(
        &self,
        key: &str,
        read: impl FnOnce() -> io::Result<T>,
    ) -> Result<T, StorageError> {
        key::check(READ, key)?;
        let outcome = self.pass(Step::Read).and_then(|()| read());
        outcome.map_err(|error| self.failure(READ, key, error))
    }

    /// Every object below `prefix`, by key. Unfinished and trashed ones are left out.
    pub fn list(&self, prefix: &str) -> Result<Vec<Entry>, StorageError> {
        let prefix = key::check_prefix(LIST, prefix)?;
        let found = self.listing(prefix, || match self.backend() {
            Backend::File(directory) => directory.list(prefix),
            Backend::Memory(memory) => Ok(memory.list(prefix)),
        })?;
        Ok(found
            .into_iter()
            .map(|(key, size)| Entry { key, size })
            .collect())
    }

    /// Names of the directories directly below `prefix`, sorted.
    pub fn list_dirs(&self, prefix: &str) -> Result<Vec<String>, StorageError> {
        let prefix = key::check_prefix(LIST, prefix)?;
        self.listing(prefix, || match self.backend() {
            Backend::File(directory) => directory.list_directories(prefix),
            Backend::Memory(memory) => Ok(memory.list_directories(prefix)),
        })
    }

    fn listing<T>(
        &self,
        prefix: &str,
        list: impl FnOnce() -> io::Result<T>,
    ) -> Result<T, StorageError> {
        // An empty directory under a mount point must not pass for a destination without objects.
        self.check()?;
        let outcome = self.pass(Step::List).and_then(|()| list());
        outcome.map_err(|error| self.failure(LIST, prefix, error))
    }

    /// Removes one object.
    pub fn delete(&self, key: &str) -> Result<(), StorageError> {
        key::check(DELETE, key)?;
        self.deleting(key, || match self.backend() {
            Backend::File(directory) => directory.delete(key),
            Backend::Memory(memory) => memory.delete(key),
        })
    }

    /// Removes everything below `prefix`, out of sight at once. Nothing there is no error; an empty prefix is one.
    pub fn delete_prefix(&self, prefix: &str) -> Result<(), StorageError> {
        let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
        key::check(DELETE, prefix)?;
        self.deleting(prefix, || match self.backend() {
            Backend::File(directory) => directory.delete_directory(prefix),
            Backend::Memory(memory) => {
                memory.delete_directory(prefix);
                Ok(())
            }
        })
    }

    /// Removes what an earlier process left unfinished below `prefix` and counts it. Only for the
    /// one writer of that prefix, before it writes.
    pub fn remove_stale_temps(&self, prefix: &str) -> Result<u32, StorageError> {
        let prefix = key::check_prefix(DELETE, prefix)?;
        self.deleting(prefix, || match self.backend() {
            Backend::File(directory) => directory.remove_temps(prefix),
            Backend::Memory(_) => Ok(0),
        })
    }

    fn deleting<T>(
        &self,
        key: &str,
        delete: impl FnOnce() -> io::Result<T>,
    ) -> Result<T, StorageError> {
        self.check()?;
        let outcome = self.pass(Step::Delete).and_then(|()| delete());
        outcome.map_err(|error| self.failure(DELETE, key, error))
    }

    /// Bytes that can still be written; `None` when there is no telling.
    pub fn free_bytes(&self) -> Result<Option<u64>, StorageError> {
        match self.backend() {
            Backend::File(directory) => directory
                .free_bytes()
                .map(Some)
                .map_err(|error| self.failure("measure free space of", "", error)),
            Backend::Memory(_) => Ok(None),
        }
    }

    /// How much room there is; `None` when there is no telling.
    pub fn capacity(&self) -> Result<Option<Capacity>, StorageError> {
        match self.backend() {
            Backend::File(directory) => capacity(&directory.root)
                .map(Some)
                .map_err(|error| self.failure("measure the space of", "", error)),
            Backend::Memory(_) => Ok(None),
        }
    }

    pub(crate) fn backend(&self) -> &Backend {
        &self.inner.backend
    }

    pub(crate) fn pass(&self, step: Step) -> io::Result<()> {
        self.faults
            .as_ref()
            .map_or(Ok(()), |faults| faults.pass(step))
    }

    /// What the system's answer means here: an object that is not found may be a destination that is not there.
    pub(crate) fn failure(
        &self,
        operation: &'static str,
        key: &str,
        error: io::Error,
    ) -> StorageError {
        match StorageError::from_io(operation, self.name_of(key), error) {
            StorageError::Full {
                operation,
                what,
                needed,
                free,
            } => {
                let free = free.or_else(|| self.free_bytes().ok().flatten());
                StorageError::Full {
                    operation,
                    what,
                    needed,
                    free,
                }
            }
            missing @ StorageError::NotFound { .. } => self.check().err().unwrap_or(missing),
            other => other,
        }
    }
}

fn prepare(directory: &Directory, now: Scn) -> Result<Identity, StorageError> {
    let what = || directory.root.display().to_string();
    let answer = |error| StorageError::from_io(OPEN, what(), error);
    if let Some(found) = directory.anything().map_err(answer)? {
        return Err(StorageError::ForeignContents {
            operation: OPEN,
            what: what(),
            found,
        });
    }
    let identity = Identity::new(now);
    let mut writer = ObjectWriter::new(
        Dest::of(
            identity.uuid,
            Backend::File(Directory {
                root: directory.root.clone(),
            }),
        ),
        identity::FILE,
        Existing::Keep,
    )?;
    writer.append(&identity.to_bytes())?;
    match writer.finish() {
        Ok(_) => Ok(identity),
        // Somebody else prepared it in the same moment; theirs counts.
        Err(exists @ StorageError::AlreadyExists { .. }) => {
            read_identity(directory, OPEN)?.ok_or(exists)
        }
        Err(error) => Err(error),
    }
}

/// Which destination is at `dir` now; `None` when the directory is there and is no destination.
pub fn identity_at(dir: &Path) -> Result<Option<Uuid>, StorageError> {
    let directory = Directory {
        root: dir.to_owned(),
    };
    Ok(read_identity(&directory, CHECK)?.map(|identity| identity.uuid))
}

/// `None` when the directory is there and has no identity.
fn read_identity(
    directory: &Directory,
    operation: &'static str,
) -> Result<Option<Identity>, StorageError> {
    let what = directory.root.display().to_string();
    let bytes = match fs::read(directory.path(identity::FILE)) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return match directory.root.is_dir() {
                true => Ok(None),
                false => Err(StorageError::Missing { operation, what }),
            };
        }
        Err(error) => {
            return Err(StorageError::Io {
                operation,
                what,
                cause: error,
            });
        }
    };
    match Identity::parse(&bytes) {
        Ok(identity) => Ok(Some(identity)),
        Err(Unreadable::Newer(found)) => Err(StorageError::NewerFormat {
            operation,
            what,
            found,
            known: identity::FORMAT,
        }),
        Err(Unreadable::Damaged(reason)) => Err(StorageError::Corrupt {
            operation,
            what: format!("{what}/{}", identity::FILE),
            reason,
        }),
    }
}
