//! Cleanups of real sets and log, disturbed at every step, and proven by recoveries.

use super::*;
use crate::{
    backup::{Order, make_set},
    follower::Follower,
    page_map::PageMap,
    publisher::publish_stretch,
    restore,
    round::{load, open_round},
    set::SetManifest,
    testing::Bench,
    verify,
};
use domain::{
    clock::Clock,
    recoverable::{GapCause, LogSpan},
    retention::{KeptBecause, Stored},
};
use std::{fs, path::Path, sync::Arc};
use storage::{Fault, Faults, Step};

/// More steps of one kind than any cleanup here takes.
const STEPS_MAX: u64 = 400;

/// A tenant with two rounds, sets of both kinds, and what it held at every commit.
struct Story {
    bench: Bench,
    /// Moment of each commit, and rows after it.
    truth: Vec<(Scn, i64)>,
    sets: Vec<SetManifest>,
    recovered: std::cell::Cell<u32>,
}

impl Story {
    /// Round 1: full 1, incremental 2, full 3, incremental 4; round 2: full 5. Log of two commits lies before
    /// and behind each of them.
    fn new() -> Self {
        let bench = Bench::new();
        let mut story = Story {
            bench,
            truth: Vec::new(),
            sets: Vec::new(),
            recovered: std::cell::Cell::new(0),
        };
        let mut follower = story.bench.follow();
        story.log(&mut follower);
        for base in [false, true, false, true] {
            story.set(&mut follower, base);
            story.log(&mut follower);
        }
        drop(follower);
        let cause = Some((GapCause::DestinationLost, "it was away".to_owned()));
        let mut follower = open_round(&story.bench.tenant, cause).unwrap();
        story.log(&mut follower);
        story.set(&mut follower, false);
        story.log(&mut follower);
        story
    }

    fn log(&mut self, follower: &mut Follower) {
        let stretch = self.bench.stretch(follower, 2);
        let mut rows = self.truth.last().map_or(-1, |it| it.1);
        for commit in &stretch.commits {
            rows += 1;
            self.truth.push((commit.scn, rows));
        }
        publish_stretch(&self.bench.tenant, &self.bench.dest(), &stretch).unwrap();
    }

    fn set(&mut self, follower: &mut Follower, is_incremental: bool) {
        let tenant = &self.bench.tenant;
        follower.step().unwrap();
        let (snapshot, head, map) = match follower.snapshot() {
            Ok(taken) => taken,
            Err(_) => panic!("nobody writes"),
        };
        let base = self.sets.last().filter(|_| is_incremental).map(|set| {
            let key = format!("{}/pagemap.bin", tenant.keys.set(&set.directory));
            let bytes = self.bench.dest().get(&key).unwrap();
            (
                set.clone(),
                PageMap::from_bytes(set.page_size, &bytes).unwrap(),
            )
        });
        let set_id = tenant.history().next_set();
        let order = Order {
            set_id,
            token: format!("set {set_id}"),
            base,
            full_because: None,
            tenant: tenant.uuid().to_string(),
            tenant_name: tenant.name(),
            cluster: "local".to_owned(),
            started: self.bench.clock.now(),
        };
        let clock: Arc<dyn Clock> = self.bench.clock.clone();
        let job = Job::new(clock.clone());
        let (dest, keys) = (self.bench.dest(), &tenant.keys);
        let state = (&head, &map);
        let made = make_set(&dest, keys, &order, &snapshot, state, &job, &clock).unwrap();
        drop(snapshot.end());
        tenant.history().sets.insert(set_id, made.clone());
        self.sets.push(made);
    }

    fn order(&self, keep_from: Scn) -> CleanupOrder {
        CleanupOrder {
            token: format!("cleanup {}", keep_from.0),
            keep_from,
            now: self.bench.clock.now(),
        }
    }

    fn clean_with(&self, dest: &Dest, keep_from: Scn) -> Result<String, CleanupError> {
        let tenant = &self.bench.tenant;
        let cleaning = tenant.holds.begin_cleaning().unwrap();
        let job = Job::new(self.bench.clock.clone());
        clean(&**tenant, dest, &self.order(keep_from), &job, &cleaning)
    }

    fn clean(&self, keep_from: Scn) -> String {
        self.clean_with(&self.bench.dest(), keep_from).unwrap()
    }

    /// As a process that knows nothing yet finds it.
    fn restart(&self) {
        *self.bench.tenant.history() = History::default();
        load(&self.bench.tenant).unwrap();
    }

    /// Rows as of a moment, recovered and proven.
    fn rows_at(&self, at: Scn) -> i64 {
        let number = self.recovered.replace(self.recovered.get() + 1);
        let dir = self.bench.destination_dirs().1.with_file_name("recovered");
        fs::create_dir_all(&dir).unwrap();
        let path = dir.join(format!("{number}.db"));
        let job = Job::new(self.bench.clock.clone());
        let proof = restore::to_file(&*self.bench.tenant, at, &path, &job).unwrap();
        assert_eq!(proof.expected_digest, proof.computed_digest);
        let file = rusqlite::Connection::open(&path).unwrap();
        let count = file.query_row("SELECT count(*) FROM t", [], |row| row.get(0));
        fs::remove_file(&path).unwrap();
        count.unwrap()
    }

    /// Recovers to moments since `keep_from`: to all, or to the first and the last of each span.
    fn check_promise(&self, keep_from: Scn, is_thorough: bool) {
        let promised = |it: &&(Scn, i64)| it.0 >= keep_from && self.was_recoverable(it.0);
        let promised: Vec<&(Scn, i64)> = self.truth.iter().filter(promised).collect();
        assert!(!promised.is_empty());
        let last = promised.len() - 1;
        for (number, (at, rows)) in promised.into_iter().enumerate() {
            if is_thorough || number == 0 || number == last {
                assert_eq!(self.rows_at(*at), *rows, "{at:?}");
            } else {
                crate::choice::Choice::make(&self.bench.tenant.history(), *at).unwrap();
            }
        }
    }

    /// Of the whole story: what lies behind the first set of its round.
    fn was_recoverable(&self, at: Scn) -> bool {
        let (first, second) = (&self.sets[0], &self.sets[4]);
        let second_round = self.bench.tenant.history().rounds[&2].start.base.scn;
        match at < second_round {
            true => at >= first.min_restore_scn,
            false => at >= second.min_restore_scn,
        }
    }

    fn spans(&self) -> Vec<LogSpan> {
        self.bench.tenant.history().spans()
    }

    fn set_numbers(&self) -> Vec<i64> {
        self.bench.tenant.history().sets.keys().copied().collect()
    }

    /// Everything of the tenant at the destination but the note of cleanups.
    fn objects(&self) -> Vec<String> {
        let entries = self
            .bench
            .dest()
            .list(self.bench.tenant.keys.root())
            .unwrap();
        let keys = entries.into_iter().map(|entry| entry.key);
        keys.filter(|key| !key.ends_with("cleanup.json")).collect()
    }

    fn verified(&self) -> Vec<String> {
        let mut report = engine::VerifyReport::default();
        verify::verify(&*self.bench.tenant, &mut report).unwrap();
        report.faults
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &target),
            false => drop(fs::copy(entry.path(), target).unwrap()),
        }
    }
}

#[test]
fn what_has_expired_goes_and_every_promised_moment_recovers() {
    let story = Story::new();
    let keep_from = story.sets[3].min_restore_scn;
    let outcome = story.clean(keep_from);
    assert!(
        outcome.starts_with("2 sets and 2 log files removed, "),
        "{outcome}"
    );
    assert_eq!(story.set_numbers(), [3, 4, 5]);
    let spans = story.spans();
    assert_eq!(spans[0].cause, GapCause::Expired);
    assert!(spans[0].start <= story.sets[2].min_restore_scn);
    assert_eq!(
        (spans.len(), spans[1].cause),
        (2, GapCause::DestinationLost)
    );
    story.check_promise(story.sets[2].min_restore_scn, true);
    assert_eq!(story.verified(), Vec::<String>::new());
    let (known, objects) = (story.spans(), story.objects());
    story.restart();
    assert_eq!(story.spans(), known, "another process is told the same");
    story.check_promise(story.sets[2].min_restore_scn, true);
    assert_eq!(story.clean(keep_from), "Nothing had expired");
    assert_eq!(story.objects(), objects);
}

#[test]
fn a_round_that_no_promise_needs_goes_as_a_whole() {
    let story = Story::new();
    let keep_from = story.sets[4].min_restore_scn;
    story.clean(keep_from);
    assert_eq!(story.set_numbers(), [5]);
    let objects = story.objects();
    assert!(
        objects.iter().all(|key| !key.contains("round_0001")),
        "{objects:?}"
    );
    story.check_promise(keep_from, true);
    story.restart();
    assert_eq!(story.verified(), Vec::<String>::new());
    assert_eq!(story.bench.tenant.history().next_round(), 3);
}

#[test]
fn what_stays_and_goes_is_told_before_and_nothing_is_touched() {
    let story = Story::new();
    let objects = story.objects();
    let dest = story.bench.dest();
    let keep_from = story.sets[3].min_restore_scn;
    let plan = plan(&*story.bench.tenant, &dest, keep_from, Place::First).unwrap();
    let gone = |number: i64| Stored::Set(domain::BackupSetId(number));
    assert_eq!(plan.expired[0].what, gone(1));
    assert_eq!(plan.expired[1].what, gone(2));
    assert!(matches!(plan.expired[2].what, Stored::Log { round: 1, .. }));
    let bases = plan
        .kept
        .iter()
        .filter(|it| it.because == KeptBecause::BaseOfWindow);
    assert_eq!(
        bases.map(|it| it.what.clone()).collect::<Vec<_>>(),
        [gone(3)]
    );
    assert_eq!(plan.lost[0].start, story.sets[0].min_restore_scn);
    let before: Vec<LogSpan> = story.spans();
    assert_eq!(
        (story.objects(), before[0].cause),
        (objects, GapCause::FirstStart)
    );
    story.clean(keep_from);
    // What is told to be lost is what is not recoverable any more.
    let ranges = |story: &Story| {
        let history = story.bench.tenant.history();
        let points = history.usable_sets();
        let points: Vec<_> = points
            .iter()
            .map(|set| domain::recoverable::SetPoint {
                id: set.id,
                round: set.round,
                min_restore_scn: set.min_restore_scn,
            })
            .collect();
        domain::recoverable::ranges(&points, &history.spans())
    };
    let after = ranges(&story);
    assert_eq!(plan.lost[0].end.0 + 1, after[0].start.0);
}

#[test]
fn what_a_recovery_reads_stays_and_goes_when_it_has_ended() {
    let story = Story::new();
    let tenant = &story.bench.tenant;
    let claim = Claim::by("a recovery reads it").sets([1]).log(1, 2, 5);
    let (hold, ()) = tenant.holds.take(|| Ok::<_, ()>((claim, ()))).unwrap();
    let keep_from = story.sets[4].min_restore_scn;
    let planned = plan(&**tenant, &story.bench.dest(), keep_from, Place::First).unwrap();
    let used = planned
        .kept
        .iter()
        .filter(|it| it.because == KeptBecause::InUse("a recovery reads it".to_owned()));
    assert_eq!(used.count(), 2, "{planned:?}");
    story.clean(keep_from);
    assert_eq!(story.set_numbers(), [1, 5]);
    let held = story.truth[4];
    assert_eq!(story.rows_at(held.0), held.1);
    drop(hold);
    story.clean(keep_from);
    assert_eq!(story.set_numbers(), [5]);
    assert!(
        story
            .objects()
            .iter()
            .all(|key| !key.contains("round_0001"))
    );
}

#[test]
fn a_verification_keeps_everything_while_it_reads() {
    let story = Story::new();
    let claim = Claim::by("a verification reads it").everything();
    let tenant = &story.bench.tenant;
    let held = tenant.holds.take(|| Ok::<_, ()>((claim, ()))).unwrap();
    let keep_from = story.sets[4].min_restore_scn;
    assert_eq!(story.clean(keep_from), "Nothing had expired");
    drop(held);
    assert_ne!(story.clean(keep_from), "Nothing had expired");
}

#[test]
fn a_listing_from_before_brings_nothing_back() {
    let story = Story::new();
    let tenant = &story.bench.tenant;
    let before = tenant.history().clone();
    let mut listed = History::load(&story.bench.dest(), &tenant.keys).unwrap();
    story.clean(story.sets[4].min_restore_scn);
    listed.take_over(&before, &tenant.history());
    assert_eq!(listed.sets.keys().copied().collect::<Vec<_>>(), [5]);
    assert_eq!(listed.rounds.keys().copied().collect::<Vec<_>>(), [2]);
    assert_eq!(listed.removed, tenant.history().removed);
}

#[test]
fn what_was_named_is_gone_at_once_and_a_canceled_cleanup_is_finished_by_the_next() {
    let story = Story::new();
    let tenant = &story.bench.tenant;
    let (dest, keep_from) = (story.bench.dest(), story.sets[3].min_restore_scn);
    mark(&**tenant, &dest, &story.order(keep_from)).unwrap();
    let objects = story.objects();
    assert_eq!(story.set_numbers(), [3, 4, 5]);
    story.restart();
    assert_eq!(story.set_numbers(), [3, 4, 5], "also to another process");
    assert_eq!(story.verified(), Vec::<String>::new());
    let job = Job::new(story.bench.clock.clone());
    job.cancel();
    let cleaning = tenant.holds.begin_cleaning().unwrap();
    let stopped = finish(&**tenant, &dest, &job, &cleaning);
    assert!(matches!(stopped, Err(CleanupError::Canceled(_))));
    assert_eq!(story.objects(), objects, "nothing was deleted");
    drop(cleaning);
    let outcome = story.clean(keep_from);
    assert!(
        outcome.starts_with("2 sets and 2 log files removed, "),
        "{outcome}"
    );
    assert!(story.objects().len() < objects.len());
}

#[test]
fn who_still_reads_what_was_named_is_waited_for() {
    let story = Story::new();
    let tenant = &story.bench.tenant;
    let (dest, keep_from) = (story.bench.dest(), story.sets[3].min_restore_scn);
    let claim = Claim::by("a recovery reads it").sets([1]);
    mark(&**tenant, &dest, &story.order(keep_from)).unwrap();
    // As if naming it had seemed to fail, and somebody had begun to read.
    let held = tenant.holds.take(|| Ok::<_, ()>((claim, ()))).unwrap();
    let error = story.clean_with(&dest, keep_from).unwrap_err().to_string();
    assert!(
        error.contains("set 1") && error.contains("a recovery reads it"),
        "{error}"
    );
    drop(held);
    story.clean(keep_from);
}

#[test]
fn numbers_are_not_used_again_whatever_is_left() {
    let story = Story::new();
    let tenant = &story.bench.tenant;
    story.clean(story.sets[3].min_restore_scn);
    let dest = story.bench.dest();
    dest.delete_prefix(&tenant.keys.data()).unwrap();
    dest.delete_prefix(&tenant.keys.log()).unwrap();
    story.restart();
    let mut history = tenant.history();
    assert_eq!((history.next_set(), history.next_round()), (6, 3));
}

#[test]
fn a_set_that_does_not_read_goes_when_all_that_stays_is_newer() {
    let story = Story::new();
    let tenant = &story.bench.tenant;
    for set in [&story.sets[1], &story.sets[3]] {
        let key = format!("{}/pagemap.bin", tenant.keys.set(&set.directory));
        story.bench.overwrite(&key, b"short");
    }
    story.restart();
    let keep_from = story.sets[3].min_restore_scn;
    let outcome = story.clean(keep_from);
    assert!(outcome.starts_with("2 sets and "), "{outcome}");
    let objects = story.objects();
    let there = |set: &SetManifest| objects.iter().any(|key| key.contains(&set.directory));
    assert!(!there(&story.sets[1]) && there(&story.sets[2]) && there(&story.sets[3]));
}

/// A kind of trouble, and how to make it begin at the n-th step.
type Trouble = fn(&Faults, Step, u64);

fn once(faults: &Faults, step: Step, n: u64) {
    faults.fail_nth(step, n, Fault::Io);
}

fn from_then_on(faults: &Faults, step: Step, n: u64) {
    for step_number in n..n + STEPS_MAX {
        faults.fail_nth(step, step_number, Fault::Io);
    }
}

/// Disturbs a cleanup at every step of every kind; gives how many were.
fn disturb_everywhere(trouble: Trouble) -> u32 {
    let story = Story::new();
    let keep_from = story.sets[3].min_restore_scn;
    let (here, _) = story.bench.destination_dirs();
    let saved = here.with_file_name("saved");
    copy(&here, &saved);
    story.clean(keep_from);
    let (expected, spans) = (story.objects(), story.spans());
    let mut disturbed = 0;
    for step in [
        Step::Check,
        Step::Create,
        Step::Write,
        Step::Sync,
        Step::Publish,
        Step::SyncDirectory,
        Step::Read,
        Step::List,
        Step::Delete,
    ] {
        for n in 1..=STEPS_MAX {
            fs::remove_dir_all(&here).unwrap();
            copy(&saved, &here);
            story.restart();
            let faults = Faults::new();
            trouble(&faults, step, n);
            let dest = story.bench.dest().with_faults(&faults);
            let done = story.clean_with(&dest, keep_from);
            let was_struck = faults.count(step) >= n;
            assert_eq!(done.is_err(), was_struck, "{step:?} {n}: {done:?}");
            if !was_struck {
                break;
            }
            disturbed += 1;
            story.check_promise(keep_from, false);
            // Killed there: another process is told the same, and finishes.
            let told = story.spans();
            story.restart();
            assert_eq!(story.spans(), told, "{step:?} {n}");
            story.check_promise(keep_from, false);
            story.clean(keep_from);
            assert_eq!(story.objects(), expected, "{step:?} {n}");
            assert_eq!(story.spans(), spans, "{step:?} {n}");
        }
    }
    disturbed
}

#[test]
fn a_destination_that_fails_once_at_any_step_costs_no_promised_moment() {
    assert!(disturb_everywhere(once) > 20);
}

#[test]
fn a_destination_that_fails_from_any_step_on_costs_no_promised_moment() {
    assert!(disturb_everywhere(from_then_on) > 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_engine_that_died_left_of_a_cleanup_is_finished_at_the_next_start() {
    use crate::EmbeddedEngine;
    use domain::{backup::BackupKind, capability::EngineKind};
    use engine::{BackupSpec, Engine, EngineJobState, EngineSettings};
    let dir = tempfile::tempdir().unwrap();
    let clock: Arc<dyn Clock> = Arc::new(crate::testing::StepClock::new());
    let settings = EngineSettings {
        kind: EngineKind::Embedded,
        name: "local".to_owned(),
        server: None,
        home: dir.path().join("home"),
        destination: dir.path().join("backup"),
        adopt: None,
    };
    let open = async || EmbeddedEngine::open(&settings, Arc::clone(&clock)).await;
    let engine = open().await.unwrap();
    let key = engine.create_tenant("orders").await.unwrap();
    for number in 0..2 {
        let order = BackupSpec {
            token: number.to_string(),
            tenant: key.clone(),
            kind: BackupKind::Full,
        };
        let begun = async || engine.start_backup(&order).await;
        let mut id = begun().await;
        while id.is_err() {
            tokio::task::yield_now().await;
            id = begun().await;
        }
        let id = id.unwrap();
        while engine.job(&id).await.unwrap().state == EngineJobState::Running {
            tokio::task::yield_now().await;
        }
    }
    let tenant = engine.inner.archived(&key).unwrap();
    let order = CleanupOrder {
        token: "left".to_owned(),
        keep_from: clock.now(),
        now: clock.now(),
    };
    let dest = tenant.destination().get().unwrap();
    mark(&*tenant, &dest, &order).unwrap();
    let data = tenant.keys().data();
    assert_eq!(dest.list_dirs(&data).unwrap().len(), 2, "only named so far");
    drop((tenant, engine));
    // The home's lock is free once the last task of the old engine is gone.
    let mut opened = open().await;
    for _ in 0..1000 {
        if opened.is_ok() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        opened = open().await;
    }
    let _engine = opened.unwrap();
    let is_gone = || dest.list_dirs(&data).unwrap().len() == 1;
    crate::testing::wait_until("the rest is removed", is_gone).await;
}
