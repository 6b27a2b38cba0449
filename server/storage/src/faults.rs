//! Faults on order: lets tests make a destination fail at a chosen step. Off unless asked for.

use std::{
    collections::HashMap,
    io,
    sync::{Arc, Mutex, PoisonError},
};

/// A step of a call to a destination; a fault strikes just before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// The identity is looked at.
    Check,
    /// A temporary file is made.
    Create,
    /// Bytes are written to it.
    Write,
    /// It is made durable.
    Sync,
    /// It gets its name.
    Publish,
    /// The directory that names it is made durable.
    SyncDirectory,
    /// An object is opened or read.
    Read,
    /// Names are listed.
    List,
    /// An object or a directory is removed.
    Delete,
}

/// What a struck step answers with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// An input or output error.
    Io,
    /// No space left.
    Full,
    /// A file system mounted read-only.
    ReadOnly,
    /// A right that this account does not have.
    Denied,
}

impl Fault {
    fn answer(self) -> io::Error {
        let errno = match self {
            Fault::Io => rustix::io::Errno::IO,
            Fault::Full => rustix::io::Errno::NOSPC,
            Fault::ReadOnly => rustix::io::Errno::ROFS,
            Fault::Denied => rustix::io::Errno::ACCESS,
        };
        errno.into()
    }
}

#[derive(Debug, Default)]
struct Plan {
    counts: HashMap<Step, u64>,
    once: Vec<(Step, u64, Fault)>,
    lasting: HashMap<Step, Fault>,
}

/// The faults of one destination; clones share them, so that a test keeps one and the engine the other.
#[derive(Debug, Clone, Default)]
pub struct Faults(Arc<Mutex<Plan>>);

impl Faults {
    /// No fault yet.
    pub fn new() -> Self {
        Faults::default()
    }

    /// The `n`-th `step` from now (1 is the next) fails, once.
    pub fn fail_nth(&self, step: Step, n: u64, fault: Fault) {
        let mut plan = self.plan();
        let at = plan.counts.get(&step).copied().unwrap_or(0) + n;
        plan.once.push((step, at, fault));
    }

    /// Every `step` fails until [`Faults::clear`].
    pub fn fail_while(&self, step: Step, fault: Fault) {
        self.plan().lasting.insert(step, fault);
    }

    /// Nothing fails any more; the counts go on.
    pub fn clear(&self) {
        let mut plan = self.plan();
        plan.once.clear();
        plan.lasting.clear();
    }

    /// How many times `step` was come to, failed or not.
    pub fn count(&self, step: Step) -> u64 {
        self.plan().counts.get(&step).copied().unwrap_or(0)
    }

    pub(crate) fn pass(&self, step: Step) -> io::Result<()> {
        let mut plan = self.plan();
        let count = plan.counts.entry(step).or_insert(0);
        *count += 1;
        let now = *count;
        let struck = plan
            .once
            .iter()
            .position(|(s, at, _)| *s == step && *at == now);
        let fault = match struck {
            Some(index) => Some(plan.once.swap_remove(index).2),
            None => plan.lasting.get(&step).copied(),
        };
        fault.map_or(Ok(()), |fault| Err(fault.answer()))
    }

    fn plan(&self) -> std::sync::MutexGuard<'_, Plan> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
