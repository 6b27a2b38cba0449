//! The cluster's destination: opened when it is there, and the same one every time.

use domain::{Scn, clock::Clock};
use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};
use storage::{Dest, StorageError};
use uuid::Uuid;

/// Where a cluster's backups go. Refuses another directory that appears at the same path.
pub(crate) struct Destination {
    path: PathBuf,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

struct State {
    dest: Option<Dest>,
    /// Identity of the destination used so far.
    expected: Option<Uuid>,
}

impl Destination {
    pub(crate) fn new(path: PathBuf, expected: Option<Uuid>, clock: Arc<dyn Clock>) -> Self {
        Destination {
            path,
            clock,
            state: Mutex::new(State {
                dest: None,
                expected,
            }),
        }
    }

    /// One in memory, or seen through faults.
    #[cfg(test)]
    pub(crate) fn of(dest: Dest, clock: Arc<dyn Clock>) -> Self {
        let known = Destination::new(PathBuf::from("/memory"), Some(dest.uuid()), clock);
        known.state.lock().unwrap().dest = Some(dest);
        known
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The destination, checked to be there and to be the same as ever.
    pub(crate) fn get(&self) -> Result<Dest, StorageError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(dest) = &state.dest {
            dest.check()?;
            return Ok(dest.clone());
        }
        // A known destination is never made anew: the path may be a mount point without its disk.
        let dest = match state.expected {
            Some(_) => Dest::open_existing(&self.path)?,
            None => Dest::open_dir(&self.path, self.now())?,
        };
        if let Some(expected) = state.expected
            && dest.uuid() != expected
        {
            let found = format!("destination {}", dest.uuid());
            let what = self.path.display().to_string();
            return Err(StorageError::Swapped {
                operation: "opening",
                what,
                found,
            });
        }
        state.expected = Some(dest.uuid());
        state.dest = Some(dest.clone());
        Ok(dest)
    }

    fn now(&self) -> Scn {
        self.clock.now()
    }

    /// Identity of the destination, once it was opened.
    pub(crate) fn uuid(&self) -> Option<Uuid> {
        self.state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .expected
    }
}
