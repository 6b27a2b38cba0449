//! The archiver of one tenant: opens rounds, follows the log, and answers orders about both.
//!
//! Whatever cannot be proven to continue the archived log begins a new round. That is the only
//! answer to doubt, so a gap can be long or short but never silent.

use crate::{
    backfill::{Backfill, checkpoint, log_limit},
    crowd::Crowd,
    follower::{FollowError, Follower, NoSnapshot, Step, in_place},
    history::Checkpoint,
    hold::Hold,
    publisher::Publisher,
    round::{end_round, open_round, settle},
    snapshot::SnapshotError,
    staging,
    tenant::{SnapshotAnswer, Tenant},
};
use domain::{Scn, archive::ArchiveState, recoverable::GapCause};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{mpsc, oneshot},
    task::spawn_blocking,
    time::{Instant, sleep_until, timeout_at},
};

/// A stretch becomes a segment this long after its first commit.
const SEGMENT_AGE: Duration = Duration::from_millis(800);
/// A stretch becomes a segment at this size.
const SEGMENT_BYTES: u64 = 4 << 20;
/// While nothing is committed, the checkpoint is written this often; less often by each of many tenants.
const IDLE_CHECKPOINT_PAUSE: Duration = Duration::from_millis(800);
/// Checkpoints a second of all tenants in which nothing is committed: each one is made durable.
const IDLE_CHECKPOINTS_PER_S: u32 = 50;
/// Longest time between two looks at the log without any sign of a change; longer with many tenants.
const LOOK_PAUSE_MAX: Duration = Duration::from_millis(250);
/// Looks a second of all tenants that show no sign of a change.
const LOOKS_PER_S: u32 = 400;
/// Shortest pause, and the first one after a sign of a change that was not published yet.
const LOOK_PAUSE_MIN: Duration = Duration::from_millis(1);
/// Staged bytes that may wait for a destination that is out of reach; then the round is given up.
const STAGED_BYTES_MAX: u64 = 1 << 30;
/// First and longest pause before archiving is tried again.
const RETRY_PAUSE_MIN: Duration = Duration::from_secs(1);
const RETRY_PAUSE_MAX: Duration = Duration::from_secs(60);
/// Pauses between two looks at a log that nobody follows.
const CARE_PAUSE: Duration = Duration::from_secs(1);
/// How long a snapshot is tried for under writers that never pause.
const SNAPSHOT_WAIT_MAX: Duration = Duration::from_secs(30);
/// How long a clean end waits for the destination.
pub(crate) const END_WAIT_MAX: Duration = Duration::from_secs(10);

/// An order to the archiver.
pub(crate) enum Command {
    /// Begin a round.
    Start {
        reply: oneshot::Sender<Result<(), String>>,
    },
    /// End the round.
    Stop {
        reason: String,
        reply: oneshot::Sender<Result<(), String>>,
    },
    /// Take an exact snapshot.
    Snapshot {
        reply: oneshot::Sender<SnapshotAnswer>,
    },
    /// End cleanly; the round may go on at the next start.
    ShutDown { reply: oneshot::Sender<()> },
}

/// Why following ended.
enum End {
    Stop {
        reason: String,
        reply: oneshot::Sender<Result<(), String>>,
    },
    ShutDown {
        reply: oneshot::Sender<()>,
    },
    Broken(FollowError),
    DestinationLost,
}

/// Runs until it is told to shut down.
pub(crate) async fn run(
    tenant: Arc<Tenant>,
    crowd: Arc<Crowd>,
    mut commands: mpsc::Receiver<Command>,
) {
    let mut cause: Option<(GapCause, String)> = None;
    let mut pause = RETRY_PAUSE_MIN;
    let hold = Hold::default();
    loop {
        if let Some(reason) = tenant.identity().archive_stopped {
            hold.release();
            match stopped(&tenant, &reason, &mut commands).await {
                Rest::Resumed => {}
                Rest::Ended(reply) => return finish(tenant, reply),
            }
        }
        let (opening, holding) = (Arc::clone(&tenant), hold.clone());
        let why = cause.clone();
        let opened = blocking(move || {
            // A round that begins anew in any case needs nothing of the log that is there.
            match &why {
                None => holding.take(&opening),
                Some(_) => holding.release(),
            }
            open_round(&opening, why)
        })
        .await;
        let follower = match opened {
            Ok(follower) => follower,
            Err(problem) => {
                tenant.set_status(ArchiveState::Interrupted, Some(problem));
                match rest(&tenant, &hold, &mut commands, pause).await {
                    Some(reply) => {
                        hold.release();
                        return finish(tenant, reply);
                    }
                    None => pause = (pause * 2).min(RETRY_PAUSE_MAX),
                }
                continue;
            }
        };
        // The follower holds the log itself now.
        hold.release();
        cause = None;
        pause = RETRY_PAUSE_MIN;
        tenant.set_status(ArchiveState::Doing, None);
        let publisher = Publisher::start(Arc::clone(&tenant));
        let follower = Arc::new(Mutex::new(follower));
        match follow(&tenant, &crowd, &follower, &publisher, &mut commands).await {
            End::Stop { reason, reply } => {
                let stopped = end_round(&tenant, publisher, &reason, END_WAIT_MAX).await;
                let _ = reply.send(stopped);
            }
            End::ShutDown { reply } => {
                drop(follower);
                if let Err(problem) = publisher.finish(END_WAIT_MAX).await {
                    tracing::warn!(tenant = %tenant.name(), problem, "the newest log waits beside the tenant for the next start");
                }
                return finish(tenant, reply);
            }
            End::Broken(error) => {
                cause = gap_cause(&error);
                if cause.is_none() {
                    keep_holding(&tenant, &hold, follower).await;
                }
                // What could not be published is found in the staging area when the round is opened again.
                let _ = publisher.finish(END_WAIT_MAX).await;
                tracing::warn!(tenant = %tenant.name(), %error, "the log cannot be followed further");
                tenant.set_status(ArchiveState::Interrupted, Some(error.to_string()));
                // What broke it may still be so; opening a round reads the whole tenant.
                if let Some(reply) = rest(&tenant, &hold, &mut commands, RETRY_PAUSE_MIN).await {
                    hold.release();
                    return finish(tenant, reply);
                }
            }
            End::DestinationLost => {
                publisher.abandon().await;
                let note =
                    "The destination stayed out of reach until no more log could wait for it.";
                cause = Some((GapCause::DestinationLost, note.to_owned()));
                if let Err(error) = staging::clear(&tenant.staging_dir()) {
                    tracing::warn!(tenant = %tenant.name(), %error, "staged log not removed");
                }
            }
        }
    }
}

/// Lets the tenant's files go, then tells so.
fn finish(tenant: Arc<Tenant>, reply: oneshot::Sender<()>) {
    drop(tenant);
    // Whoever asked may have stopped waiting.
    let _ = reply.send(());
}

/// Goes on holding the log where `follower` copied it last, so that following may be resumed without a gap.
async fn keep_holding(tenant: &Arc<Tenant>, hold: &Hold, follower: Arc<Mutex<Follower>>) {
    match Arc::into_inner(follower) {
        Some(follower) => {
            let follower = follower.into_inner();
            let follower = follower.unwrap_or_else(PoisonError::into_inner);
            hold.keep(follower.into_reader());
        }
        // Something still copies the log into the data file with it.
        None => {
            let (tenant, hold) = (Arc::clone(tenant), hold.clone());
            let _ = blocking(move || {
                hold.take(&tenant);
                Ok(())
            })
            .await;
        }
    }
}

fn gap_cause(error: &FollowError) -> Option<(GapCause, String)> {
    match error {
        FollowError::Damaged(note) => Some((GapCause::LogDamaged, note.clone())),
        FollowError::Replaced(note) => Some((GapCause::FileReplaced, note.clone())),
        FollowError::Failed(_) => None,
    }
}

/// Runs blocking work; a panic in it is a defect, told as such.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> Result<T, String> {
    spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(format!("internal error: {error}")))
}

enum Rest {
    Resumed,
    Ended(oneshot::Sender<()>),
}

/// Stays stopped until somebody starts log backup again; what was copied before still becomes durable.
async fn stopped(
    tenant: &Arc<Tenant>,
    reason: &str,
    commands: &mut mpsc::Receiver<Command>,
) -> Rest {
    tenant.set_status(ArchiveState::Stop, Some(reason.to_owned()));
    let mut pause = RETRY_PAUSE_MIN;
    let mut settle_at = Some(Instant::now());
    loop {
        if settle_at.is_some_and(|at| at <= Instant::now()) {
            settle_at = match settle_once(tenant, reason).await {
                true => None,
                false => Some(Instant::now() + pause),
            };
            pause = (pause * 2).min(RETRY_PAUSE_MAX);
        }
        // Nobody follows the log now, so nothing keeps it from being copied into the data file.
        let tidy = Arc::clone(tenant);
        let _ = blocking(move || checkpoint(&tidy)).await;
        let Ok(command) = timeout_at(Instant::now() + CARE_PAUSE, commands.recv()).await else {
            continue;
        };
        match command {
            Some(Command::Start { reply }) => {
                let started = tenant
                    .set_archive_stopped(None)
                    .map_err(|error| error.to_string());
                let resumed = started.is_ok();
                let _ = reply.send(started);
                if resumed {
                    tenant.set_status(ArchiveState::Beginning, None);
                    return Rest::Resumed;
                }
            }
            Some(Command::Stop { reply, .. }) => {
                let _ = reply.send(Err("log backup is stopped already".to_owned()));
            }
            Some(Command::Snapshot { reply }) => {
                let _ = reply.send(Err("log backup is stopped; start it first".to_owned()));
            }
            Some(Command::ShutDown { reply }) => return Rest::Ended(reply),
            None => std::future::pending::<()>().await,
        }
    }
}

/// Whether everything copied before the stop is durable now, with the round's end; otherwise the tenant says why not.
async fn settle_once(tenant: &Arc<Tenant>, reason: &str) -> bool {
    let (settling, why) = (Arc::clone(tenant), reason.to_owned());
    let settled = blocking(move || settle(&settling, &why)).await;
    let note = match &settled {
        Ok(()) => reason.to_owned(),
        Err(problem) => format!("{reason} ({problem})"),
    };
    tenant.set_status(ArchiveState::Stop, Some(note));
    settled.is_ok()
}

/// Waits before the next try; gives the reply of a shut-down that came meanwhile.
async fn rest(
    tenant: &Arc<Tenant>,
    hold: &Hold,
    commands: &mut mpsc::Receiver<Command>,
    pause: Duration,
) -> Option<oneshot::Sender<()>> {
    let until = Instant::now() + pause;
    loop {
        let (caring, holding) = (Arc::clone(tenant), hold.clone());
        let _ = blocking(move || {
            holding.relieve(&caring, log_limit(&caring));
            Ok(())
        })
        .await;
        let next = until.min(Instant::now() + CARE_PAUSE);
        match timeout_at(next, commands.recv()).await {
            Err(_) if Instant::now() < until => {}
            Err(_) => return None,
            Ok(Some(Command::ShutDown { reply })) => return Some(reply),
            Ok(Some(Command::Start { reply })) => {
                let _ = reply.send(Err("log backup is started already".to_owned()));
                return None;
            }
            Ok(Some(Command::Stop { reason, reply })) => {
                let stopped = tenant
                    .set_archive_stopped(Some(reason))
                    .map_err(|error| error.to_string());
                let _ = reply.send(stopped);
                return None;
            }
            Ok(Some(Command::Snapshot { reply })) => {
                let problem = tenant.status().note.unwrap_or_default();
                let _ = reply.send(Err(format!("log backup is interrupted: {problem}")));
            }
            Ok(None) => std::future::pending::<()>().await,
        }
    }
}

/// Looks at the log whenever it may have grown, until an order or a failure ends it.
async fn follow(
    tenant: &Arc<Tenant>,
    crowd: &Crowd,
    follower: &Arc<Mutex<Follower>>,
    publisher: &Publisher,
    commands: &mut mpsc::Receiver<Command>,
) -> End {
    let mut pause = LOOK_PAUSE_MIN;
    let mut backfill = Backfill::new();
    let mut asked: Vec<Asked> = Vec::new();
    loop {
        let looking = (Arc::clone(follower), Arc::clone(tenant), publisher.clone());
        let idle = crowd.pause(IDLE_CHECKPOINT_PAUSE, IDLE_CHECKPOINTS_PER_S);
        let looked = spawn_blocking(move || {
            let (follower, tenant, publisher) = looking;
            look(&tenant, &mut lock(&follower), &publisher, idle)
        })
        .await;
        let (step, staged) = match looked {
            Ok(Ok(looked)) => looked,
            Ok(Err(error)) => return End::Broken(error),
            Err(error) => {
                return End::Broken(FollowError::Failed(format!("internal error: {error}")));
            }
        };
        if publisher.waiting_bytes() > STAGED_BYTES_MAX {
            return End::DestinationLost;
        }
        if let Err(error) = answer(follower, &mut asked).await {
            return End::Broken(error);
        }
        backfill.consider(tenant, follower, &step);
        pause = if step.commits > 0 || !asked.is_empty() {
            LOOK_PAUSE_MIN
        } else if staged {
            // What is copied becomes a segment in time, however many tenants there are.
            (pause * 2).min(LOOK_PAUSE_MAX)
        } else {
            (pause * 2).min(crowd.pause(LOOK_PAUSE_MAX, LOOKS_PER_S))
        };
        // A moment between two looks bounds the cost under any load.
        tokio::time::sleep(LOOK_PAUSE_MIN).await;
        tokio::select! {
            () = sleep_until(Instant::now() + pause) => {}
            () = tenant.wake.notified() => pause = LOOK_PAUSE_MIN,
            command = commands.recv() => match command {
                Some(command) => if let Some(end) = obey(command, follower, tenant, publisher, &mut asked).await {
                    return end;
                },
                None => return End::Broken(FollowError::Failed("the engine is gone".to_owned())),
            },
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One step, and what it makes due: a segment, or a checkpoint after `idle` without one. Tells also whether log that
/// was copied waits to become a segment.
fn look(
    tenant: &Tenant,
    follower: &mut Follower,
    publisher: &Publisher,
    idle: Duration,
) -> Result<(Step, bool), FollowError> {
    let Some(step) = follower.step()? else {
        let nothing = Step {
            complete_until: Scn::ZERO,
            commits: 0,
            not_backfilled: 0,
            log_bytes: 0,
        };
        return Ok((nothing, true));
    };
    let until = step.complete_until;
    let staging = follower.staging();
    match staging.since() {
        Some(since) if since.elapsed() >= SEGMENT_AGE || staging.frame_bytes() >= SEGMENT_BYTES => {
            in_place(&tenant.files)?;
            publisher.publish(staging.rotate(&tenant.staging_dir(), until)?);
        }
        None if publisher.is_idle_for(idle) => {
            in_place(&tenant.files)?;
            publisher.checkpoint_idle(Checkpoint {
                format: 1,
                head: follower.head().clone(),
                checkpoint: until,
            });
        }
        _ => {}
    }
    Ok((step, follower.staging().since().is_some()))
}

/// A snapshot asked for and not taken yet, and until when it is tried for.
struct Asked {
    reply: oneshot::Sender<SnapshotAnswer>,
    until: Instant,
}

/// Takes the snapshots asked for; those that writers leave no moment for stay. Fails only when following must end.
async fn answer(
    follower: &Arc<Mutex<Follower>>,
    asked: &mut Vec<Asked>,
) -> Result<(), FollowError> {
    for one in std::mem::take(asked) {
        if one.reply.is_closed() {
            continue;
        }
        let follower = Arc::clone(follower);
        let taken = spawn_blocking(move || lock(&follower).snapshot()).await;
        match taken {
            Ok(Err(NoSnapshot::Busy)) if Instant::now() < one.until => asked.push(one),
            Ok(Err(NoSnapshot::Broken(error))) => {
                let _ = one.reply.send(Err(error.to_string()));
                return Err(error);
            }
            Ok(taken) => {
                let _ = one.reply.send(taken.map_err(|problem| problem.to_string()));
            }
            Err(error) => return Err(FollowError::Failed(format!("internal error: {error}"))),
        }
    }
    Ok(())
}

/// Carries out an order; gives how following ends, if the order ends it.
async fn obey(
    command: Command,
    follower: &Arc<Mutex<Follower>>,
    tenant: &Arc<Tenant>,
    publisher: &Publisher,
    asked: &mut Vec<Asked>,
) -> Option<End> {
    match command {
        Command::Start { reply } => {
            let _ = reply.send(Err("log backup is in progress already".to_owned()));
            None
        }
        Command::Snapshot { reply } => {
            let until = Instant::now() + SNAPSHOT_WAIT_MAX;
            asked.push(Asked { reply, until });
            None
        }
        Command::Stop { reason, reply } => match last_look(tenant, follower, publisher).await {
            Ok(()) => Some(End::Stop { reason, reply }),
            Err(error) => {
                let _ = reply.send(Err(error.to_string()));
                Some(End::Broken(error))
            }
        },
        Command::ShutDown { reply } => {
            if let Err(error) = last_look(tenant, follower, publisher).await {
                tracing::warn!(tenant = %tenant.name(), %error, "the last look at the log failed");
            }
            Some(End::ShutDown { reply })
        }
    }
}

/// Copies and hands over everything committed until now.
async fn last_look(
    tenant: &Arc<Tenant>,
    follower: &Arc<Mutex<Follower>>,
    publisher: &Publisher,
) -> Result<(), FollowError> {
    let (follower, tenant, publisher) =
        (Arc::clone(follower), Arc::clone(tenant), publisher.clone());
    spawn_blocking(move || {
        let mut follower = lock(&follower);
        let step = follower.step()?.ok_or(SnapshotError::Busy)?;
        if follower.staging().since().is_some() {
            publisher.publish(
                follower
                    .staging()
                    .rotate(&tenant.staging_dir(), step.complete_until)?,
            );
        } else {
            let head = follower.head().clone();
            publisher.checkpoint_idle(Checkpoint {
                format: 1,
                head,
                checkpoint: step.complete_until,
            });
        }
        Ok(())
    })
    .await
    .unwrap_or_else(|error| Err(FollowError::Failed(format!("internal error: {error}"))))
}
