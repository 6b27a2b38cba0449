//! Objects in memory, for tests and demonstrations: the same promises, no durability.

use crate::file::Existing;
use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

type Objects = BTreeMap<String, Arc<Vec<u8>>>;

/// Objects by key.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    objects: Mutex<Objects>,
}

impl Memory {
    pub(crate) fn publish(&self, key: &str, bytes: Vec<u8>, existing: Existing) -> io::Result<()> {
        let mut objects = self.objects();
        if existing == Existing::Keep && objects.contains_key(key) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        objects.insert(key.to_owned(), Arc::new(bytes));
        Ok(())
    }

    pub(crate) fn get(&self, key: &str) -> io::Result<Arc<Vec<u8>>> {
        self.objects()
            .get(key)
            .cloned()
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    pub(crate) fn read_at(&self, key: &str, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let object = self.get(key)?;
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let part = start
            .checked_add(buffer.len())
            .and_then(|end| object.get(start..end))
            .ok_or(io::ErrorKind::UnexpectedEof)?;
        buffer.copy_from_slice(part);
        Ok(())
    }

    pub(crate) fn list(&self, prefix: &str) -> Vec<(String, u64)> {
        let objects = self.objects();
        let below = objects
            .iter()
            .filter(|(key, _)| tail(key, prefix).is_some());
        below
            .map(|(key, bytes)| (key.clone(), bytes.len() as u64))
            .collect()
    }

    pub(crate) fn list_directories(&self, prefix: &str) -> Vec<String> {
        let objects = self.objects();
        let tails = objects.keys().filter_map(|key| tail(key, prefix));
        let names: BTreeSet<&str> = tails
            .filter_map(|tail| Some(tail.split_once('/')?.0))
            .collect();
        names.into_iter().map(str::to_owned).collect()
    }

    pub(crate) fn delete(&self, key: &str) -> io::Result<()> {
        let removed = self.objects().remove(key);
        removed
            .map(drop)
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    pub(crate) fn delete_directory(&self, prefix: &str) {
        self.objects().retain(|key, _| tail(key, prefix).is_none());
    }

    fn objects(&self) -> MutexGuard<'_, Objects> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What follows directory `prefix` in `key`, unless it is elsewhere or in a directory of deletes.
fn tail<'a>(key: &'a str, prefix: &str) -> Option<&'a str> {
    let tail = match prefix {
        "" => key,
        _ => key.strip_prefix(prefix)?.strip_prefix('/')?,
    };
    (!tail
        .split('/')
        .any(|component| component == crate::key::TRASH))
    .then_some(tail)
}
