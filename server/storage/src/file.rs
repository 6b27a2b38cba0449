//! Objects as files of a directory, published by rename and made durable before they are believed.

use crate::key::{TRASH, is_temp, temp_name};
use rustix::fs::{CWD, RenameFlags, StatVfsMountFlags, renameat_with};
use std::{
    fs::{self, File},
    io,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

/// Found at the root of a freshly made file system; belongs to nobody.
const LOST_FOUND: &str = "lost+found";

/// Whether publishing may take the place of an object of the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Existing {
    /// The object there stays, and publishing fails.
    Keep,
    /// The new object takes its place at once.
    Replace,
}

/// How much room a storage has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capacity {
    /// Bytes of the whole file system.
    pub total_bytes: u64,
    /// Bytes that this account can still write.
    pub free_bytes: u64,
    /// Whether it is mounted so that nothing can be written.
    pub read_only: bool,
}

/// A directory that holds objects. It knows paths, not identities.
#[derive(Debug)]
pub(crate) struct Directory {
    pub(crate) root: PathBuf,
}

impl Directory {
    pub(crate) fn path(&self, key: &str) -> PathBuf {
        self.root.join(key)
    }

    /// A new, empty temporary file beside where `key` will be; missing directories on the way are made durable.
    pub(crate) fn create_temp(&self, key: &str) -> io::Result<(File, PathBuf)> {
        let (parent, name) = key.rsplit_once('/').unwrap_or(("", key));
        self.make_directories(parent)?;
        let path = self.path(parent).join(temp_name(name));
        let file = File::options().write(true).create_new(true).open(&path)?;
        Ok((file, path))
    }

    /// Never makes the root: a root that is gone is a disk that is not mounted.
    fn make_directories(&self, parent: &str) -> io::Result<()> {
        let mut path = self.root.clone();
        for component in parent.split('/').filter(|component| !component.is_empty()) {
            let above = path.clone();
            path.push(component);
            match fs::create_dir(&path) {
                Ok(()) => sync_directory(&above)?,
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    pub(crate) fn publish(&self, temp: &Path, key: &str, existing: Existing) -> io::Result<()> {
        let target = self.path(key);
        match existing {
            Existing::Replace => fs::rename(temp, target),
            Existing::Keep => rename_new(temp, &target),
        }
    }

    pub(crate) fn sync_parent(&self, key: &str) -> io::Result<()> {
        sync_directory(self.path(key).parent().unwrap_or(&self.root))
    }

    pub(crate) fn read_at(&self, key: &str, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        File::open(self.path(key))?.read_exact_at(buffer, offset)
    }

    pub(crate) fn size(&self, key: &str) -> io::Result<u64> {
        let metadata = fs::metadata(self.path(key))?;
        match metadata.is_file() {
            true => Ok(metadata.len()),
            false => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// Files below `prefix` with their sizes, in the order of their keys. What vanishes meanwhile is left out.
    pub(crate) fn list(&self, prefix: &str) -> io::Result<Vec<(String, u64)>> {
        let mut found = Vec::new();
        let mut pending = vec![prefix.to_owned()];
        while let Some(directory) = pending.pop() {
            self.visit(&directory, |key, entry| {
                let kind = entry.file_type()?;
                if kind.is_dir() {
                    pending.push(key);
                } else if kind.is_file() {
                    match entry.metadata() {
                        Ok(metadata) => found.push((key, metadata.len())),
                        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                        Err(error) => return Err(error),
                    }
                }
                Ok(())
            })?;
        }
        found.sort_unstable();
        Ok(found)
    }

    /// Names of the directories directly below `prefix`, sorted.
    pub(crate) fn list_directories(&self, prefix: &str) -> io::Result<Vec<String>> {
        let mut found = Vec::new();
        self.visit(prefix, |key, entry| {
            if entry.file_type()?.is_dir() {
                found.push(key.rsplit('/').next().unwrap_or(&key).to_owned());
            }
            Ok(())
        })?;
        found.sort_unstable();
        Ok(found)
    }

    fn visit(
        &self,
        directory: &str,
        mut each: impl FnMut(String, &fs::DirEntry) -> io::Result<()>,
    ) -> io::Result<()> {
        let entries = match fs::read_dir(self.path(directory)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && !directory.is_empty() => {
                return Ok(());
            }
            other => other?,
        };
        for entry in entries {
            let entry = entry?;
            // A name that is not UTF-8 is none of ours.
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            let foreign =
                directory.is_empty() && (name == LOST_FOUND || name == crate::identity::FILE);
            if foreign || name == TRASH || name.starts_with('.') {
                continue;
            }
            let key = if directory.is_empty() {
                name
            } else {
                format!("{directory}/{name}")
            };
            each(key, &entry)?;
        }
        Ok(())
    }

    pub(crate) fn delete(&self, key: &str) -> io::Result<()> {
        fs::remove_file(self.path(key))?;
        self.sync_parent(key)
    }

    /// Takes the directory out of sight in one step, then removes it; a crash in between leaves a temporary name.
    pub(crate) fn delete_directory(&self, prefix: &str) -> io::Result<()> {
        let (parent, name) = prefix.rsplit_once('/').unwrap_or(("", prefix));
        let doomed = self.path(parent).join(temp_name(name));
        match fs::rename(self.path(prefix), &doomed) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            other => other?,
        }
        self.sync_parent(prefix)?;
        if doomed.is_dir() {
            fs::remove_dir_all(doomed)
        } else {
            fs::remove_file(doomed)
        }
    }

    /// Removes everything unfinished below `prefix`; counts what was removed.
    pub(crate) fn remove_temps(&self, prefix: &str) -> io::Result<u32> {
        let mut removed = 0;
        let mut pending = vec![self.path(prefix)];
        while let Some(directory) = pending.pop() {
            let entries = match fs::read_dir(&directory) {
                Err(error) if error.kind() == io::ErrorKind::NotFound && directory != self.root => {
                    continue;
                }
                other => other?,
            };
            for entry in entries {
                let entry = entry?;
                let is_directory = entry.file_type()?.is_dir();
                match (is_temp(&entry.file_name().to_string_lossy()), is_directory) {
                    (true, true) => fs::remove_dir_all(entry.path())?,
                    (true, false) => fs::remove_file(entry.path())?,
                    (false, true) => pending.push(entry.path()),
                    (false, false) => {}
                }
                removed += u32::from(is_temp(&entry.file_name().to_string_lossy()));
            }
        }
        Ok(removed)
    }

    pub(crate) fn free_bytes(&self) -> io::Result<u64> {
        Ok(capacity(&self.root)?.free_bytes)
    }

    /// Something in the root that is not part of an empty file system.
    pub(crate) fn anything(&self) -> io::Result<Option<String>> {
        for entry in fs::read_dir(&self.root)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if name != LOST_FOUND && !is_temp(&name) {
                return Ok(Some(name));
            }
        }
        Ok(None)
    }

    /// Writes and removes a small file, to learn whether that is possible.
    pub(crate) fn probe(&self) -> io::Result<()> {
        let (file, path) = self.create_temp("probe")?;
        let outcome = file.set_len(1).and_then(|()| file.sync_data());
        fs::remove_file(path)?;
        outcome
    }
}

/// How much room the file system of `path` has.
pub(crate) fn capacity(path: &Path) -> io::Result<Capacity> {
    let status = rustix::fs::statvfs(path)?;
    Ok(Capacity {
        total_bytes: status.f_blocks.saturating_mul(status.f_frsize),
        free_bytes: status.f_bavail.saturating_mul(status.f_frsize),
        read_only: status.f_flag.contains(StatVfsMountFlags::RDONLY),
    })
}

/// Renames unless the target exists, in one step.
fn rename_new(temp: &Path, target: &Path) -> io::Result<()> {
    match renameat_with(CWD, temp, CWD, target, RenameFlags::NOREPLACE) {
        Ok(()) => Ok(()),
        // Some network file systems do not know the flag; a hard link has the same promise.
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) => {
            fs::hard_link(temp, target)?;
            fs::remove_file(temp)
        }
        Err(error) => Err(error.into()),
    }
}

/// Makes the names in a directory durable.
pub(crate) fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}
