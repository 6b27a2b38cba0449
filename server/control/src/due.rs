//! Something that an engine has to be told, at once or after a while.

use domain::{Scn, scn::NS_PER_SECOND};
use std::sync::{Mutex, MutexGuard};

/// Longest pause before it is told again; one that seems longer means that the clock was set back.
const PAUSE_MAX_NS: u64 = 60 * NS_PER_SECOND;

/// Whether an engine has to be told something, and why it could not be lately.
pub(crate) struct Due {
    /// From when on, in ns; none while it knows.
    at: Mutex<Option<Scn>>,
    /// Empty when it could be told.
    fault: Mutex<String>,
}

impl Due {
    /// It has to be told.
    pub(crate) fn now() -> Due {
        Due {
            at: Mutex::new(Some(Scn::ZERO)),
            fault: Mutex::default(),
        }
    }

    /// From `at` on it has to be told.
    pub(crate) fn from(&self, at: Scn) {
        *locked(&self.at) = Some(at);
    }

    /// Whether it has to be told now; the caller does it, or says again that it is due.
    pub(crate) fn take(&self, now: Scn) -> bool {
        let mut due = locked(&self.at);
        let is_due = due.is_some_and(|at| at <= now || at.since_ns(now) > PAUSE_MAX_NS);
        if is_due {
            *due = None;
        }
        is_due
    }

    /// Whether it was told.
    pub(crate) fn is_settled(&self) -> bool {
        locked(&self.at).is_none()
    }

    /// Notes why it could not be told, with nothing when it could; `false` when that is known already.
    pub(crate) fn tell(&self, fault: &str) -> bool {
        let mut known = locked(&self.fault);
        let new = *known != fault;
        fault.clone_into(&mut known);
        new
    }

    /// Why it could not be told lately.
    pub(crate) fn fault(&self) -> Option<String> {
        Some(locked(&self.fault).clone()).filter(|fault| !fault.is_empty())
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex
        .lock()
        .expect("invariant: nothing panics while it holds a lock of what is due")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_told_once_and_again_when_that_failed() {
        let due = Due::now();
        assert!(!due.is_settled() && due.take(Scn(5)) && due.is_settled());
        assert!(!due.take(Scn(6)));
        due.from(Scn(9));
        assert!(!due.take(Scn(8)) && due.take(Scn(9)));
        // The clock was set back.
        due.from(Scn(10 * PAUSE_MAX_NS));
        assert!(due.take(Scn(1)));
    }

    #[test]
    fn a_fault_is_new_once() {
        let due = Due::now();
        assert!(due.tell("gone") && !due.tell("gone"));
        assert_eq!(due.fault().as_deref(), Some("gone"));
        assert!(due.tell(""));
        assert_eq!(due.fault(), None);
    }
}
