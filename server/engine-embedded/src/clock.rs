//! The clock of an engine: the one it was given, with an eye on whether that one is set back.

use domain::{Scn, clock::Clock};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// A clock that notes how far it was seen to step back. The times it gives are those of the clock itself.
pub(crate) struct WatchedClock {
    clock: Arc<dyn Clock>,
    /// Latest time seen, in ns.
    latest: AtomicU64,
    /// Farthest step back seen, in ns.
    back: AtomicU64,
}

impl WatchedClock {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(WatchedClock {
            clock,
            latest: AtomicU64::new(0),
            back: AtomicU64::new(0),
        })
    }

    /// How far it was seen to be behind a time it had given before, in ns.
    pub(crate) fn back_ns(&self) -> u64 {
        self.back.load(Ordering::Relaxed)
    }
}

impl Clock for WatchedClock {
    fn now(&self) -> Scn {
        // Read first: only a time that somebody had before this look began tells of a step back.
        let latest = self.latest.load(Ordering::SeqCst);
        let now = self.clock.now();
        match latest.checked_sub(now.0) {
            None | Some(0) => {
                self.latest.fetch_max(now.0, Ordering::SeqCst);
            }
            Some(back) => {
                self.back.fetch_max(back, Ordering::Relaxed);
            }
        }
        now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Set(AtomicU64);

    impl Clock for Set {
        fn now(&self) -> Scn {
            Scn(self.0.load(Ordering::Relaxed))
        }
    }

    #[test]
    fn the_farthest_step_back_is_kept() {
        let set = Arc::new(Set(AtomicU64::new(1000)));
        let clock = WatchedClock::new(Arc::<Set>::clone(&set));
        let at = |ns: u64| {
            set.0.store(ns, Ordering::Relaxed);
            (clock.now(), clock.back_ns())
        };
        assert_eq!(at(1000), (Scn(1000), 0));
        assert_eq!(at(1000), (Scn(1000), 0));
        assert_eq!(at(5000), (Scn(5000), 0));
        assert_eq!(at(4000), (Scn(4000), 1000));
        assert_eq!(at(2000), (Scn(2000), 3000));
        assert_eq!(at(9000), (Scn(9000), 3000));
        assert_eq!(at(8000), (Scn(8000), 3000));
    }
}
