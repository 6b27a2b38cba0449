//! The scheduler: a reconciler that needs no input but strategies, recorded runs and the clock.
//!
//! A pass looks which moments of a strategy came since its newest recorded run, and records each of them:
//! the newest is begun if it is not too late, the others were missed. A moment is recorded with its tasks in
//! one change and at most once, so neither a crash nor a second console on the same database does
//! anything twice.

use super::{
    runs::{self, Chance, Due},
    supervise::doubled,
};
use crate::{
    console::Inner,
    error::{Error, chain},
};
use domain::{
    ClusterId, Scn, StrategyId,
    capability::Expiry,
    schedule,
    scn::{NS_PER_DAY, NS_PER_SECOND},
    second_backup::LogCycle,
    strategy::{RunKind, StrategySettings},
    validate::Violation,
};
use std::{collections::HashSet, sync::Arc, time::Duration};
use store::{KnownCluster, KnownStrategy};
use tokio::time::Instant;

/// Longest pause between passes: the clock may be set forward meanwhile.
const LOOK_MAX: Duration = Duration::from_secs(30);
/// Longest pause after failures.
const FAILED_MAX: Duration = Duration::from_secs(60);
/// Latest that a moment is still begun after it was due; never later than half way to the next one.
const GRACE_MAX_NS: u64 = 6 * 3600 * NS_PER_SECOND;
/// Missed moments that get a row of their own in one pass; what came before is told by the oldest.
const MISSED_MAX: usize = 200;
/// How far back each pass looks for moments without a run, though newer ones have theirs: a clock that
/// was ahead and set back leaves such. No more than [`MISSED_MAX`] hours.
const BACK_NS: u64 = 7 * NS_PER_DAY;
/// How far clocks of two consoles may differ without one taking the other's for set back.
const CLOCKS_DIFFER_NS: u64 = 300 * NS_PER_SECOND;
/// How far ahead the next moment of a day is looked for.
const AHEAD_NS: u64 = 4 * NS_PER_DAY;
/// How long steps of tasks are kept.
const STEPS_KEPT_NS: u64 = 90 * NS_PER_DAY;
/// How often older ones are forgotten.
const FORGET_EVERY_NS: u64 = 3600 * NS_PER_SECOND;
/// A clock that gains so much beside the machine's own count of time was set forward.
const FORWARD_MIN_NS: u64 = 3600 * NS_PER_SECOND;
/// For how long nothing is removed after that.
const DISTRUST_NS: u64 = 20 * 3600 * NS_PER_SECOND;

/// Keeps schedules until the console stops.
pub(crate) async fn run(inner: Arc<Inner>) {
    let mut failures = 0;
    let mut scheduler = Scheduler::default();
    while !inner.is_stopping() {
        let pause = match scheduler.pass(&inner).await {
            Ok(next) => {
                failures = 0;
                pause_until(next, inner.now())
            }
            Err(error) => {
                failures += 1;
                tracing::error!("keeping the schedules failed: {}", chain(&error));
                doubled(failures).min(FAILED_MAX)
            }
        };
        tokio::select! {
            () = inner.stopped() => {}
            () = inner.schedule.notified() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

fn pause_until(next: Option<Scn>, now: Scn) -> Duration {
    let wait = next.map(|next| Duration::from_nanos(next.since_ns(now)));
    wait.map_or(LOOK_MAX, |wait| wait.min(LOOK_MAX))
}

/// What a scheduler remembers from pass to pass; nothing of it is needed after a crash.
#[derive(Default)]
struct Scheduler {
    /// When the last pass was, by the clock and by the machine's own count.
    passed: Option<(Scn, Instant)>,
    /// When the pass before was.
    before: Option<Scn>,
    /// Until when the clock is not trusted with removing anything.
    distrusted: Option<Scn>,
    /// When old steps were forgotten.
    forgotten: Option<Scn>,
    /// Strategies whose schedule cannot be read, told once.
    told: HashSet<StrategyId>,
}

impl Scheduler {
    /// One look at everything; answers when the next moment is due.
    async fn pass(&mut self, inner: &Inner) -> Result<Option<Scn>, Error> {
        let now = inner.now();
        self.watch(now);
        runs::close(inner).await?;
        let mut next: Option<Scn> = None;
        let cleans_itself = clean_themselves(inner).await?;
        for known in inner.store.strategies().await? {
            if known.strategy.paused {
                continue;
            }
            set_right(inner, &known, now).await?;
            for kind in RunKind::ALL {
                if kind == RunKind::Cleanup && cleans_itself.contains(&known.cluster) {
                    continue;
                }
                let due = self.keep_up(inner, &known, kind, now).await?;
                next = [next, due].into_iter().flatten().min();
            }
        }
        self.forget_steps(inner, now).await?;
        Ok(next)
    }

    /// Notices that the clock was set forward. Whatever would be removed as too old may not be.
    fn watch(&mut self, now: Scn) {
        let at = Instant::now();
        if let Some((before, then)) = self.passed {
            let counted = u64::try_from(at.duration_since(then).as_nanos()).unwrap_or(u64::MAX);
            let gained = now.since_ns(before).saturating_sub(counted);
            if gained > FORWARD_MIN_NS {
                tracing::warn!(
                    "the clock was set forward by {} s; no backups are removed for a while",
                    gained / NS_PER_SECOND
                );
                self.distrusted = Some(now.plus_ns(DISTRUST_NS));
            }
        }
        if self
            .distrusted
            .is_some_and(|until| until <= now || until.since_ns(now) > DISTRUST_NS)
        {
            self.distrusted = None;
        }
        self.before = self.passed.map(|(before, _)| before);
        self.passed = Some((now, at));
    }

    /// Records what came due for one kind; answers when it is due next.
    async fn keep_up(
        &mut self,
        inner: &Inner,
        known: &KnownStrategy,
        kind: RunKind,
        now: Scn,
    ) -> Result<Option<Scn>, Error> {
        let strategy = &known.strategy;
        let newest = inner.store.newest_run(strategy.id, kind, now).await?;
        let since = self.since(strategy.modified, newest, now);
        let looked = moments(&strategy.settings, kind, since, now)
            .and_then(|due| Ok((due, next(&strategy.settings, kind, now)?)));
        let (mut due, next) = match looked {
            Ok(found) => found,
            Err(violation) => {
                if self.told.insert(strategy.id) {
                    tracing::error!("the schedule of a strategy cannot be kept: {violation}");
                }
                return Ok(None);
            }
        };
        if !due.is_empty() {
            let there = inner.store.run_moments(strategy.id, kind, since, now);
            let there = there.await?;
            due.retain(|one| !there.contains(&one.at));
        }
        if let Some((last, missed)) = due.split_last() {
            let chance = match is_late(&strategy.settings, kind, last.at, now) {
                true => Chance::Missed,
                false if kind == RunKind::Cleanup && self.distrusted.is_some() => Chance::Skipped(
                    "The clock was set forward a short time ago, and what seems expired may not be",
                ),
                false => Chance::Begun,
            };
            let missed = shortened(missed);
            runs::record(inner, known, kind, &missed, (last, chance), now).await?;
        }
        Ok(next)
    }

    /// What came after it is looked at: some time back, or further to the newest run, but never before the
    /// strategy was changed last.
    fn since(&self, modified: Scn, newest: Option<Scn>, now: Scn) -> Scn {
        if modified > now {
            // The clock was set back since. Until it has caught up, moments count while they pass.
            let newest = newest.unwrap_or(Scn::ZERO);
            return self.before.unwrap_or(now).min(now).max(newest);
        }
        let back = now.minus_ns(BACK_NS);
        newest.map_or(modified, |newest| newest.min(back).max(modified))
    }

    async fn forget_steps(&mut self, inner: &Inner, now: Scn) -> Result<(), Error> {
        let is_due = self
            .forgotten
            .is_none_or(|at| now < at || now.since_ns(at) >= FORGET_EVERY_NS);
        if is_due {
            let before = now.minus_ns(STEPS_KEPT_NS);
            let forget = async |change: &store::Change| change.forget_steps(before).await;
            inner.store.change(forget).await?;
            self.forgotten = Some(now);
        }
        Ok(())
    }
}

/// The clusters that remove what has expired by their own policy, where a run of the console has nothing to do.
async fn clean_themselves(inner: &Inner) -> Result<HashSet<ClusterId>, Error> {
    let clusters = inner.store.clusters().await?.into_iter();
    let by_policy =
        |known: &KnownCluster| known.cluster.capabilities.expiry == Expiry::EngineByPolicy;
    Ok(clusters
        .filter(by_policy)
        .map(|known| known.cluster.id)
        .collect())
}

/// Takes back what was recorded as missed while the clock was ahead: those moments are still to come.
async fn set_right(inner: &Inner, known: &KnownStrategy, now: Scn) -> Result<(), Error> {
    let (id, ahead) = (known.strategy.id, now.plus_ns(CLOCKS_DIFFER_NS));
    if inner.store.missed_after(id, ahead).await? == 0 {
        return Ok(());
    }
    let back = inner
        .store
        .change(async |change| change.unmiss(id, ahead).await)
        .await?;
    tracing::warn!(
        "the clock was set back: {back} runs that were told as missed are still to come"
    );
    Ok(())
}

/// The newest of what was missed, the oldest of which tells what is left out before it.
fn shortened(missed: &[Due]) -> Vec<Due> {
    let left_out = missed.len().saturating_sub(MISSED_MAX);
    let mut kept: Vec<Due> = missed[left_out..].to_vec();
    if let Some(oldest) = kept.first_mut() {
        oldest.before = left_out;
    }
    kept
}

/// Whether it is too late to begin what was due at `at`.
fn is_late(settings: &StrategySettings, kind: RunKind, at: Scn, now: Scn) -> bool {
    let following = next(settings, kind, at).ok().flatten();
    let grace = following.map_or(GRACE_MAX_NS, |next| GRACE_MAX_NS.min(next.since_ns(at) / 2));
    now.since_ns(at) > grace
}

/// The moments of a kind after `after` up to `until`, ascending.
fn moments(
    settings: &StrategySettings,
    kind: RunKind,
    after: Scn,
    until: Scn,
) -> Result<Vec<Due>, Violation> {
    let zone = &settings.schedule.zone;
    let at = match (kind, &settings.second) {
        (RunKind::DataBackup, _) => {
            let due = schedule::due(&settings.schedule, after, until)?;
            let made = due.iter().map(|one| Due::new(one.at, Some(one.kind)));
            return Ok(made.collect());
        }
        (RunKind::SecondLog, Some(second)) => match second.log_cycle {
            LogCycle::Hourly => schedule::hourly(after, until),
            LogCycle::Daily => schedule::daily(settings.schedule.at, zone, after, until)?,
        },
        (RunKind::Cleanup, _) if settings.cleanup.enabled => {
            schedule::daily(settings.cleanup.at, zone, after, until)?
        }
        (RunKind::SecondLog | RunKind::Cleanup, _) => Vec::new(),
    };
    Ok(at.into_iter().map(|at| Due::new(at, None)).collect())
}

/// The first moment of a kind after `after`.
fn next(settings: &StrategySettings, kind: RunKind, after: Scn) -> Result<Option<Scn>, Violation> {
    if kind == RunKind::DataBackup {
        let runs = schedule::next_runs(&settings.schedule, after, 1)?;
        return Ok(runs.first().map(|run| run.at));
    }
    let ahead = moments(settings, kind, after, after.plus_ns(AHEAD_NS))?;
    Ok(ahead.first().map(|due| due.at))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due(count: u64) -> Vec<Due> {
        (1..=count).map(|at| Due::new(Scn(at), None)).collect()
    }

    #[test]
    fn many_missed_moments_become_few_rows_and_none_is_kept_quiet() {
        let kept = shortened(&due(250));
        assert_eq!((kept.len(), kept[0].at, kept[0].before), (200, Scn(51), 50));
        assert!(kept[1..].iter().all(|due| due.before == 0));
        let few = shortened(&due(3));
        assert_eq!((few.len(), few[0].before), (3, 0));
    }

    #[test]
    fn a_strategy_from_the_future_is_kept_while_time_passes() {
        let mut scheduler = Scheduler::default();
        let (now, later) = (Scn(100), Scn(900));
        assert_eq!(scheduler.since(later, None, now), now);
        scheduler.before = Some(Scn(90));
        assert_eq!(scheduler.since(later, None, now), Scn(90));
        assert_eq!(scheduler.since(later, Some(Scn(95)), now), Scn(95));
        assert_eq!(scheduler.since(Scn(50), Some(Scn(40)), now), Scn(50));
    }

    #[tokio::test(start_paused = true)]
    async fn a_clock_that_is_set_forward_is_not_trusted_for_a_while() {
        let mut scheduler = Scheduler::default();
        let mut now = Scn(1000 * NS_PER_DAY);
        scheduler.watch(now);
        tokio::time::advance(Duration::from_secs(7 * 86_400)).await;
        now = now.plus_ns(7 * NS_PER_DAY);
        scheduler.watch(now);
        assert_eq!(scheduler.distrusted, None, "a week passed in fact");
        now = now.plus_ns(NS_PER_DAY);
        scheduler.watch(now);
        assert!(scheduler.distrusted.is_some(), "a day that did not pass");
        tokio::time::advance(Duration::from_secs(86_400)).await;
        scheduler.watch(now.plus_ns(NS_PER_DAY));
        assert_eq!(scheduler.distrusted, None);
    }

    #[test]
    fn the_pause_is_never_longer_than_a_look() {
        let now = Scn(NS_PER_SECOND);
        assert_eq!(pause_until(None, now), LOOK_MAX);
        let soon = now.plus_ns(2 * NS_PER_SECOND);
        assert_eq!(pause_until(Some(soon), now), Duration::from_secs(2));
        assert_eq!(pause_until(Some(now.plus_ns(NS_PER_DAY)), now), LOOK_MAX);
        assert_eq!(pause_until(Some(Scn::ZERO), now), Duration::ZERO);
    }
}
