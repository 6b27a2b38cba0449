//! Commit times: the tenant's hybrid clock, and the stamps of commits made through the engine.
//!
//! The clock never repeats and never steps back, whatever the wall clock does. The follower looks
//! at the published log while holding the same lock under which stamps are given; so a commit it
//! does not see yet will carry a later time than every commit it sees.

use crate::wal::Salts;
use domain::{Scn, clock::Clock};
use std::{
    collections::VecDeque,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Stamps kept for the follower; more means that archiving is stopped and nobody asks for them.
const STAMPS_MAX: usize = 4096;
/// How long the follower waits for a commit that is visible but whose stamp is still being given.
const STAMP_WAIT_MAX: Duration = Duration::from_millis(50);

/// The time of one commit made through the engine, found again by where it ends in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) salts: Salts,
    pub(crate) end_frame: u32,
    pub(crate) scn: Scn,
}

#[derive(Debug, Default)]
struct State {
    last: Scn,
    stamps: VecDeque<Stamp>,
    in_flight: bool,
}

/// The clock and the stamps of one tenant.
pub(crate) struct Stamps {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    given: Condvar,
}

impl Stamps {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Stamps {
            clock,
            state: Mutex::default(),
            given: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes every later time later than `scn`: after a restart, later than all that is archived.
    pub(crate) fn raise(&self, scn: Scn) {
        let mut state = self.lock();
        state.last = state.last.max(scn);
    }

    /// Now, but never before a time already given; counts as given itself.
    pub(crate) fn now(&self) -> Scn {
        let mut state = self.lock();
        state.last = state.last.max(self.clock.now());
        state.last
    }

    /// Looks at the log with `look`, and gives a time not before anything it saw was committed.
    pub(crate) fn look<T>(&self, look: impl FnOnce() -> T) -> (T, Scn) {
        let mut state = self.lock();
        let seen = look();
        (seen, next(&mut state, &*self.clock))
    }

    /// The same, at a moment when every commit through the engine that can be seen has its stamp: what `look`
    /// sees was stamped before the time given, and what it does not see will be stamped after it.
    pub(crate) fn look_settled<T>(&self, look: impl FnOnce() -> T) -> (T, Scn) {
        let waited = self
            .given
            .wait_timeout_while(self.lock(), STAMP_WAIT_MAX, |state| state.in_flight)
            .unwrap_or_else(PoisonError::into_inner);
        let mut state = waited.0;
        let seen = look();
        (seen, next(&mut state, &*self.clock))
    }

    /// Announces that a commit may become visible before its stamp is there.
    pub(crate) fn begin(&self) {
        self.lock().in_flight = true;
    }

    /// Stamps the commit that ends at `end_frame` of the log with `salts`.
    pub(crate) fn give(&self, salts: Salts, end_frame: u32) -> Scn {
        let mut state = self.lock();
        let scn = next(&mut state, &*self.clock);
        state.stamps.push_back(Stamp {
            salts,
            end_frame,
            scn,
        });
        if state.stamps.len() > STAMPS_MAX {
            state.stamps.pop_front();
        }
        scn
    }

    /// Ends what [`Stamps::begin`] announced.
    pub(crate) fn end(&self) {
        self.lock().in_flight = false;
        self.given.notify_all();
    }

    /// Takes the stamps given so far for `ends`, commit ends of one log in ascending order.
    /// Waits a moment when one is missing that is still being given.
    pub(crate) fn take(&self, salts: Salts, ends: &[u32]) -> Vec<Option<Scn>> {
        let mut state = self.lock();
        let all = |state: &State| ends.iter().all(|end| find(state, salts, *end).is_some());
        if state.in_flight && !all(&state) {
            let waited = self
                .given
                .wait_timeout_while(state, STAMP_WAIT_MAX, |state| {
                    state.in_flight && !all(state)
                })
                .unwrap_or_else(PoisonError::into_inner);
            state = waited.0;
        }
        let found: Vec<Option<Scn>> = ends.iter().map(|end| find(&state, salts, *end)).collect();
        if let Some(last) = found.iter().flatten().max().copied() {
            state.stamps.retain(|stamp| stamp.scn > last);
        }
        found
    }
}

fn next(state: &mut State, clock: &dyn Clock) -> Scn {
    state.last = clock.now().max(state.last.plus_ns(1));
    state.last
}

fn find(state: &State, salts: Salts, end_frame: u32) -> Option<Scn> {
    let matching = |stamp: &&Stamp| stamp.salts == salts && stamp.end_frame == end_frame;
    state.stamps.iter().find(matching).map(|stamp| stamp.scn)
}

/// A commit's time: `at`, and `after`, a moment at which it was not committed yet. Equal when exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CommitTime {
    pub(crate) after: Scn,
    pub(crate) at: Scn,
    pub(crate) exact: bool,
}

/// Times for commits in log order: their stamps where there are any, otherwise bounds.
///
/// `previous` is the time of the commit before them, `unseen` a moment at which none of them was
/// visible, `seen` one at which all were. Strictly increasing; no commit gets a time before it happened.
pub(crate) fn assign(
    stamps: &[Option<Scn>],
    previous: Scn,
    unseen: Scn,
    seen: Scn,
) -> Vec<CommitTime> {
    let count = stamps.len();
    let mut at: Vec<Scn> = vec![Scn::ZERO; count];
    // An unstamped commit happened before the next stamped one, and before it was seen.
    let mut bound = seen;
    for i in (0..count).rev() {
        at[i] = stamps[i].unwrap_or(bound);
        if stamps[i].is_some() {
            bound = at[i];
        }
        bound = bound.minus_ns(1);
    }
    let mut last = previous;
    let mut times = Vec::with_capacity(count);
    for i in 0..count {
        // A bound is only raised here, so it stays one: the commit happened before it.
        let moment = at[i].max(last.plus_ns(1));
        let exact = stamps[i] == Some(moment);
        // The commit before it says nothing: it may be bounded itself, and even a stamp is given a little after
        // its commit, when this one may have been there already.
        let after = if exact { moment } else { unseen.min(moment) };
        times.push(CommitTime {
            after,
            at: moment,
            exact,
        });
        last = moment;
    }
    times
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::StepClock;
    use proptest::prelude::*;

    #[test]
    fn a_guest_between_two_stamps_stays_between_them() {
        let times = assign(
            &[Some(Scn(100)), None, Some(Scn(200))],
            Scn(50),
            Scn(90),
            Scn(300),
        );
        assert_eq!(
            times[0],
            CommitTime {
                after: Scn(100),
                at: Scn(100),
                exact: true
            }
        );
        assert_eq!(
            times[1],
            CommitTime {
                after: Scn(90),
                at: Scn(199),
                exact: false
            }
        );
        assert!(times[2].exact);
    }

    #[test]
    fn a_guest_alone_is_bounded_by_the_looks() {
        let times = assign(&[None], Scn(50), Scn(90), Scn(110));
        assert_eq!(
            times[0],
            CommitTime {
                after: Scn(90),
                at: Scn(110),
                exact: false
            }
        );
    }

    #[test]
    fn time_stands_still_when_the_clock_is_set_back() {
        let clock = Arc::new(StepClock::new());
        let stamps = Stamps::new(clock.clone());
        let before = stamps.now();
        clock.set_back(Duration::from_secs(3600));
        let (now, ((), later)) = (stamps.now(), stamps.look(|| ()));
        assert!(before <= now && now < later, "{before} {now} {later}");
    }

    #[test]
    fn a_bound_says_nothing_about_the_commit_after_it() {
        let times = assign(&[None, None], Scn(50), Scn(90), Scn(110));
        assert_eq!([times[0].at, times[1].at], [Scn(109), Scn(110)]);
        assert_eq!([times[0].after, times[1].after], [Scn(90), Scn(90)]);
    }

    proptest! {
        #[test]
        fn times_strictly_increase_and_never_precede_the_commit(
            gaps in proptest::collection::vec((1u64..50, any::<bool>()), 1..12), start in 1000u64..2000,
        ) {
            // True commit moments, strictly increasing; stamps come a little later, before the next commit.
            let mut moment = start;
            let mut truth = Vec::new();
            let mut stamps = Vec::new();
            for (gap, engine) in gaps {
                moment += gap * 2;
                truth.push(moment);
                stamps.push(engine.then_some(Scn(moment + 1)));
            }
            let seen = Scn(moment + 100);
            let times = assign(&stamps, Scn(start - 10), Scn(start), seen);
            let mut last = Scn(start - 10);
            for (i, time) in times.iter().enumerate() {
                prop_assert!(time.at > last);
                prop_assert!(time.after <= time.at);
                prop_assert!(time.exact || time.after.0 <= truth[i]);
                prop_assert_eq!(time.exact, stamps[i].is_some());
                // With room of at least as many nanoseconds as commits, a bound is never before the truth.
                if stamps[i].is_none() && stamps[i + 1..].iter().all(Option::is_none) {
                    prop_assert!(time.at.0 >= truth[i]);
                }
                last = time.at;
            }
        }
    }
}
