//! The publisher of one tenant: takes finished stretches of log to the destination, in order.
//!
//! It may wait for a destination that is out of reach while the follower goes on; what it has
//! made durable, and only that, moves the checkpoint.

use crate::{
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
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use storage::{Dest, StorageError};
use tokio::{sync::mpsc, sync::watch, task::spawn_blocking, time::sleep};

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
    /// The latest checkpoint handed over, durable or not.
    checkpoint: AtomicU64,
    abandoned: AtomicBool,
    problem: Mutex<Option<String>>,
}

impl Publisher {
    pub(crate) fn start(tenant: Arc<Tenant>) -> Self {
        // Unbounded, because the follower must never wait; `waiting_bytes` bounds it instead.
        let (work, todo) = mpsc::unbounded_channel();
        let (pending_in, pending) = watch::channel(0);
        let checkpoint = tenant.history().checkpoint_scn().unwrap_or_default();
        let shared = Arc::new(Shared {
            pending: pending_in,
            waiting_bytes: AtomicU64::new(0),
            checkpoint: AtomicU64::new(checkpoint.0),
            abandoned: AtomicBool::new(false),
            problem: Mutex::default(),
        });
        tokio::spawn(run(tenant, todo, Arc::clone(&shared)));
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
            .fetch_add(stretch.bytes(), Ordering::Relaxed);
        self.hand_over(stretch.checkpoint, Work::Stretch(Box::new(stretch)));
    }

    /// Hands over a checkpoint at which nothing new was committed.
    pub(crate) fn checkpoint_idle(&self, checkpoint: Checkpoint) {
        self.hand_over(checkpoint.checkpoint, Work::Idle(Box::new(checkpoint)));
    }

    fn hand_over(&self, checkpoint: Scn, work: Work) {
        self.shared
            .checkpoint
            .fetch_max(checkpoint.0, Ordering::Relaxed);
        self.shared.pending.send_modify(|pending| *pending += 1);
        // The task ends only after this handle is gone or gave up; then nothing is lost by not sending.
        let _ = self.work.send(work);
    }

    pub(crate) fn is_idle(&self) -> bool {
        *self.pending.borrow() == 0
    }

    pub(crate) fn checkpoint(&self) -> Scn {
        Scn(self.shared.checkpoint.load(Ordering::Relaxed))
    }

    /// Bytes of log that wait for the destination.
    pub(crate) fn waiting_bytes(&self) -> u64 {
        self.shared.waiting_bytes.load(Ordering::Relaxed)
    }

    /// Waits until everything handed over is durable, then ends; tells what was in the way if that takes too long.
    pub(crate) async fn finish(mut self, wait: Duration) -> Result<(), String> {
        let done = tokio::time::timeout(wait, self.pending.wait_for(|pending| *pending == 0))
            .await
            .is_ok();
        self.shared.abandoned.store(true, Ordering::Relaxed);
        if done {
            return Ok(());
        }
        let problem = self
            .shared
            .problem
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        Err(problem.unwrap_or_else(|| "it is slow".to_owned()))
    }

    /// Ends without waiting; what was handed over is given up.
    pub(crate) async fn abandon(self) {
        self.shared.abandoned.store(true, Ordering::Relaxed);
    }
}

async fn run(tenant: Arc<Tenant>, mut todo: mpsc::UnboundedReceiver<Work>, shared: Arc<Shared>) {
    while let Some(work) = todo.recv().await {
        let work = Arc::new(work);
        let mut pause = RETRY_PAUSE_MIN;
        loop {
            if shared.abandoned.load(Ordering::Relaxed) {
                return;
            }
            let (doing, on) = (Arc::clone(&work), Arc::clone(&tenant));
            let done = spawn_blocking(move || carry_out(&on, &doing)).await;
            let problem = match done {
                Ok(Ok(())) => break,
                Ok(Err(error)) => error.to_string(),
                Err(error) => format!("internal error: {error}"),
            };
            tenant.set_status(ArchiveState::Interrupted, Some(problem.clone()));
            *shared
                .problem
                .lock()
                .unwrap_or_else(PoisonError::into_inner) = Some(problem);
            sleep(pause).await;
            pause = (pause * 2).min(RETRY_PAUSE_MAX);
        }
        if shared
            .problem
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
            .is_some()
        {
            tenant.set_status(ArchiveState::Doing, None);
        }
        if let Work::Stretch(stretch) = &*work {
            shared
                .waiting_bytes
                .fetch_sub(stretch.bytes(), Ordering::Relaxed);
        }
        shared.pending.send_modify(|pending| *pending -= 1);
    }
}

fn carry_out(tenant: &Tenant, work: &Work) -> Result<(), SegmentError> {
    let dest = tenant.destination.get()?;
    match work {
        Work::Stretch(stretch) => {
            publish_stretch(tenant, &dest, stretch)?;
            // The log is durable already; merging it can wait for the next time.
            if let Err(error) = consolidate(tenant, &dest, stretch.after.round, stretch.checkpoint)
            {
                tracing::warn!(tenant = %tenant.name(), %error, "small log files were not merged");
            }
            Ok(())
        }
        Work::Idle(checkpoint) => {
            dest.replace_manifest(&tenant.keys.checkpoint(), &**checkpoint)?;
            tenant.history().checkpoint = Some((**checkpoint).clone());
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
    let bytes = match segment_writer::publish(dest, &key, &tenant_uuid, stretch) {
        Ok(bytes) => bytes,
        // Published by an engine that was killed before it could say so.
        Err(SegmentError::Storage(StorageError::AlreadyExists { .. })) => dest.size(&key)?,
        Err(error) => return Err(error),
    };
    if let Some(previous) = previous.filter(|previous| *previous != piece) {
        seal_piece(tenant, dest, round, previous)?;
    }
    if let Some(round) = tenant.history().rounds.get_mut(&round) {
        round.segments.insert(
            name.first_txn,
            SegmentInfo {
                key,
                name,
                piece,
                bytes,
            },
        );
    }
    stretch.discard();
    Ok(())
}

/// `piece.json`: the final list of a piece's segments.
#[derive(Serialize)]
struct PieceList {
    format: u32,
    round: i64,
    piece: u32,
    segments: Vec<(String, u64)>,
}

fn seal_piece(tenant: &Tenant, dest: &Dest, round: i64, piece: u32) -> Result<(), StorageError> {
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
    dest.replace_manifest(&tenant.keys.piece_list(round, piece), &list)
}
