//! The publisher of one tenant: takes finished stretches of log to the destination, in order.
//!
//! It may wait for a destination that is out of reach while the follower goes on; what it has
//! made durable, and only that, moves the checkpoint.

use crate::{
    absent::Archived,
    consolidation::consolidate,
    history::{Checkpoint, SegmentInfo},
    segment::{SegmentError, SegmentName},
    segment_writer,
    staging::Stretch,
    tenant::Tenant,
};
use domain::{Scn, archive::ArchiveState, scn::NS_PER_DAY};
use serde::Serialize;
use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use storage::{Dest, StorageError};
use tokio::{
    sync::{mpsc, watch},
    task::{JoinHandle, spawn_blocking},
    time::{Instant, sleep, timeout_at},
};

/// First and longest pause before a destination is tried again.
const RETRY_PAUSE_MIN: Duration = Duration::from_secs(1);
const RETRY_PAUSE_MAX: Duration = Duration::from_secs(60);

enum Work {
    Stretch(Box<Stretch>),
    Idle(Box<Checkpoint>),
}

/// A handle on the publisher; clones share it.
#[derive(Clone)]
pub(crate) struct Publisher {
    work: mpsc::UnboundedSender<Work>,
    shared: Arc<Shared>,
    /// Pieces of work not done yet.
    pending: watch::Receiver<u64>,
}

struct Shared {
    pending: watch::Sender<u64>,
    waiting_bytes: AtomicU64,
    /// When something was handed over last, by a clock that nobody can set back.
    handed_over: Mutex<Option<Instant>>,
    abandoned: AtomicBool,
    problem: Mutex<Option<String>>,
    task: Mutex<Option<JoinHandle<()>>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    /// Whether nobody waits any more for what was handed over.
    fn is_given_up(&self) -> bool {
        self.abandoned.load(Ordering::Relaxed) || self.pending.is_closed()
    }
}

impl Publisher {
    pub(crate) fn start(tenant: Arc<Tenant>) -> Self {
        // Unbounded, because the follower must never wait; `waiting_bytes` bounds it instead.
        let (work, todo) = mpsc::unbounded_channel();
        let (pending_in, pending) = watch::channel(0);
        let shared = Arc::new(Shared {
            pending: pending_in,
            waiting_bytes: AtomicU64::new(0),
            handed_over: Mutex::default(),
            abandoned: AtomicBool::new(false),
            problem: Mutex::default(),
            task: Mutex::default(),
        });
        let task = tokio::spawn(run(tenant, todo, Arc::clone(&shared)));
        *lock(&shared.task) = Some(task);
        Publisher {
            work,
            shared,
            pending,
        }
    }

    /// Hands over a stretch.
    pub(crate) fn publish(&self, stretch: Stretch) {
        self.shared
            .waiting_bytes
            .fetch_add(stretch.bytes, Ordering::Relaxed);
        self.hand_over(Work::Stretch(Box::new(stretch)));
    }

    /// Hands over a checkpoint at which nothing new was committed.
    pub(crate) fn checkpoint_idle(&self, checkpoint: Checkpoint) {
        self.hand_over(Work::Idle(Box::new(checkpoint)));
    }

    fn hand_over(&self, work: Work) {
        *lock(&self.shared.handed_over) = Some(Instant::now());
        self.shared.pending.send_modify(|pending| *pending += 1);
        // The task ends only after this handle is gone or gave up; then nothing is lost by not sending.
        let _ = self.work.send(work);
    }

    /// Whether everything handed over is durable, and nothing was handed over for at least `pause`.
    pub(crate) fn is_idle_for(&self, pause: Duration) -> bool {
        let last = *lock(&self.shared.handed_over);
        *self.pending.borrow() == 0 && last.is_none_or(|last| last.elapsed() >= pause)
    }

    /// Bytes of log that wait for the destination.
    pub(crate) fn waiting_bytes(&self) -> u64 {
        self.shared.waiting_bytes.load(Ordering::Relaxed)
    }

    /// Waits until everything handed over is durable, then ends; tells what was in the way if that takes too long.
    pub(crate) async fn finish(mut self, wait: Duration) -> Result<(), String> {
        let until = Instant::now() + wait;
        let done = timeout_at(until, self.pending.wait_for(|pending| *pending == 0))
            .await
            .is_ok();
        self.shared.abandoned.store(true, Ordering::Relaxed);
        let task = lock(&self.shared.task).take();
        // Without this handle it ends, and lets the tenant go.
        let Publisher {
            work,
            shared,
            pending,
        } = self;
        drop((work, pending));
        if let Some(task) = task {
            let _ = timeout_at(until, task).await;
        }
        if done {
            return Ok(());
        }
        let problem = lock(&shared.problem).clone();
        Err(problem.unwrap_or_else(|| "it is slow".to_owned()))
    }

    /// Ends without waiting; what was handed over is given up.
    pub(crate) async fn abandon(self) {
        self.shared.abandoned.store(true, Ordering::Relaxed);
    }
}

async fn run(tenant: Arc<Tenant>, mut todo: mpsc::UnboundedReceiver<Work>, shared: Arc<Shared>) {
    let (merge, due) = watch::channel((0, Scn::ZERO));
    let merging = tokio::spawn(run_merges(Arc::clone(&tenant), due));
    publish_all(&tenant, &mut todo, &shared, &merge).await;
    drop((tenant, merge));
    // It ends by itself, after the merge that is being made.
    let _ = merging.await;
}

async fn publish_all(
    tenant: &Arc<Tenant>,
    todo: &mut mpsc::UnboundedReceiver<Work>,
    shared: &Shared,
    merge: &watch::Sender<(i64, Scn)>,
) {
    while let Some(work) = todo.recv().await {
        let work = Arc::new(work);
        let mut pause = RETRY_PAUSE_MIN;
        loop {
            if shared.is_given_up() {
                return;
            }
            let (doing, on) = (Arc::clone(&work), Arc::clone(tenant));
            let done = spawn_blocking(move || carry_out(&on, &doing)).await;
            let problem = match done {
                Ok(Ok(())) => break,
                Ok(Err(error)) => error.to_string(),
                Err(error) => format!("internal error: {error}"),
            };
            if shared.is_given_up() {
                return;
            }
            tenant.set_status(ArchiveState::Interrupted, Some(problem.clone()));
            *lock(&shared.problem) = Some(problem);
            tokio::select! {
                () = sleep(pause) => {}
                // The last handle is gone: nobody waits for it, and it would keep the tenant open.
                () = shared.pending.closed() => return,
            }
            pause = (pause * 2).min(RETRY_PAUSE_MAX);
        }
        let had_problem = lock(&shared.problem).take().is_some();
        if had_problem && !shared.is_given_up() {
            tenant.set_status(ArchiveState::Doing, None);
        }
        if let Work::Stretch(stretch) = &*work {
            let bytes = stretch.bytes;
            shared.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
            // The log is durable already; merging it can wait, and nobody waits for it.
            merge.send_replace((stretch.after.round, stretch.checkpoint));
        }
        shared.pending.send_modify(|pending| *pending -= 1);
    }
}

/// Merges small segments after new ones became durable, until the publisher ends.
async fn run_merges(tenant: Arc<Tenant>, mut due: watch::Receiver<(i64, Scn)>) {
    while due.changed().await.is_ok() {
        let (round, now) = *due.borrow_and_update();
        let on = Arc::clone(&tenant);
        let merged = spawn_blocking(move || {
            let dest = on.destination.get()?;
            consolidate(&on, &dest, round, now)
        })
        .await;
        if let Ok(Err(error)) = merged {
            tracing::warn!(tenant = %tenant.name(), %error, "small log files were not merged");
        }
    }
}

fn carry_out(tenant: &Tenant, work: &Work) -> Result<(), SegmentError> {
    let dest = tenant.destination.get()?;
    match work {
        Work::Stretch(stretch) => publish_stretch(tenant, &dest, stretch),
        Work::Idle(checkpoint) => {
            let round = checkpoint.head.round;
            dest.replace_manifest(&tenant.keys.checkpoint(round), &**checkpoint)?;
            if let Some(round) = tenant.history().rounds.get_mut(&round) {
                round.checkpoint = Some((**checkpoint).clone());
            }
            Ok(())
        }
    }
}

/// Makes a stretch a segment, notes it as durable, and removes its staged files.
pub(crate) fn publish_stretch(
    tenant: &Tenant,
    dest: &Dest,
    stretch: &Stretch,
) -> Result<(), SegmentError> {
    let name = SegmentName::of(stretch);
    let round = stretch.after.round;
    let (piece, previous) = {
        let history = tenant.history();
        let round = history.rounds.get(&round);
        let begun = round.map_or(name.until, |round| round.start.base.scn);
        let days = name.until.0 / NS_PER_DAY - begun.0 / NS_PER_DAY;
        let previous = round.and_then(|round| Some(round.segments.values().next_back()?.piece));
        (u32::try_from(days).unwrap_or(u32::MAX - 1) + 1, previous)
    };
    let key = tenant.keys.segment(round, piece, &name.file());
    let tenant_uuid = tenant.uuid().to_string();
    let heads = (&stretch.before, &stretch.after);
    let (bytes, was_there) = segment_writer::write_once(dest, &key, heads, || {
        segment_writer::publish(dest, &key, &tenant_uuid, stretch)
    })?;
    if was_there {
        // Whoever wrote it may have been killed before its name was durable; writing beside it makes it so.
        list_piece(tenant, dest, round, piece)?;
    }
    if let Some(previous) = previous.filter(|previous| *previous != piece) {
        list_piece(tenant, dest, round, previous)?;
    }
    let info = SegmentInfo {
        key,
        name,
        piece,
        bytes,
    };
    tenant.history().add_segment(round, info);
    stretch.discard();
    Ok(())
}

/// `piece.json`: the list of a piece's segments, final once the next piece has begun.
#[derive(Serialize)]
struct PieceList {
    format: u32,
    round: i64,
    piece: u32,
    segments: Vec<(String, u64)>,
}

/// Writes the list of a piece by what is known to be there.
pub(crate) fn list_piece(
    tenant: &dyn Archived,
    dest: &Dest,
    round: i64,
    piece: u32,
) -> Result<(), StorageError> {
    let segments = tenant
        .history()
        .rounds
        .get(&round)
        .into_iter()
        .flat_map(|round| round.segments.values())
        .filter(|segment| segment.piece == piece)
        .map(|segment| (segment.name.file(), segment.bytes))
        .collect();
    let list = PieceList {
        format: 1,
        round,
        piece,
        segments,
    };
    dest.replace_manifest(&tenant.keys().piece_list(round, piece), &list)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        segment::Segment,
        testing::{Bench, wait_until},
    };

    #[tokio::test(flavor = "multi_thread")]
    async fn what_is_durable_does_not_wait_any_more() {
        let bench = Bench::new();
        let mut follower = bench.follow();
        let publisher = Publisher::start(Arc::clone(&bench.tenant));
        for _ in 0..3 {
            let stretch = bench.stretch(&mut follower, 2);
            assert!(stretch.bytes > 0);
            publisher.publish(stretch);
        }
        wait_until("the log durable", || publisher.is_idle_for(Duration::ZERO)).await;
        assert_eq!(publisher.waiting_bytes(), 0);
        assert_eq!(bench.segment_keys().len(), 3);
        publisher.finish(Duration::from_secs(5)).await.unwrap();
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_publisher_that_ends_says_nothing_about_the_tenant_any_more() {
        let bench = Bench::new();
        let mut follower = bench.follow();
        let publisher = Publisher::start(Arc::clone(&bench.tenant));
        let (here, away) = bench.destination_dirs();
        std::fs::rename(&here, &away).unwrap();
        publisher.publish(bench.stretch(&mut follower, 1));
        wait_until("the problem told", || {
            bench.tenant.status().state == ArchiveState::Interrupted
        })
        .await;
        let problem = publisher
            .finish(Duration::from_millis(50))
            .await
            .unwrap_err();
        assert!(problem.contains("backup"), "{problem}");
        bench.tenant.set_status(ArchiveState::Stop, None);
        std::fs::rename(&away, &here).unwrap();
        // The last one that works on the tenant is this test.
        wait_until("the publisher gone", || {
            Arc::strong_count(&bench.tenant) == 1
        })
        .await;
        assert_eq!(bench.tenant.status().state, ArchiveState::Stop);
    }

    /// Publishes one stretch, does something to its object, and publishes it again as a restarted engine would.
    fn publish_again(change: impl FnOnce(&Bench, &str)) -> (Bench, String) {
        let bench = Bench::new();
        let mut follower = bench.follow();
        let stretch = bench.stretch(&mut follower, 2);
        let frames = std::fs::read(&stretch.frames_path).unwrap();
        publish_stretch(&bench.tenant, &bench.dest(), &stretch).unwrap();
        let key = bench.segment_keys().remove(0);
        change(&bench, &key);
        std::fs::write(&stretch.frames_path, frames).unwrap();
        publish_stretch(&bench.tenant, &bench.dest(), &stretch).unwrap();
        (bench, key)
    }

    #[test]
    fn log_that_was_published_before_counts_once_its_name_is_durable() {
        let (bench, key) = publish_again(|_, _| {});
        assert_eq!(bench.segment_keys(), [key]);
        let list = bench.tenant.keys.piece_list(1, 1);
        assert!(bench.dest().exists(&list).unwrap(), "written beside it");
    }

    #[test]
    fn what_has_the_name_of_published_log_and_is_not_is_written_again() {
        let (bench, key) = publish_again(|bench, key| bench.overwrite(key, b"half of it"));
        Segment::open(&bench.dest(), &key).unwrap();
        let history = bench.tenant.history().clone();
        assert_eq!(history.runs(&history.rounds[&1])[0].last_txn, 3);
    }
}
