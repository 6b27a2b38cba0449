//! The archiver of one tenant: opens rounds, follows the log, and answers orders about both.
//!
//! Whatever cannot be proven to continue the archived log begins a new round. That is the only
//! answer to doubt, so a gap can be long or short but never silent.

use crate::{
    backfill::{Backfill, checkpoint},
    follower::{FollowError, Follower, Step},
    history::Checkpoint,
    publisher::Publisher,
    round::{end_round, load, open_round},
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
const SEGMENT_AGE_NS: u64 = 800_000_000;
/// A stretch becomes a segment at this size.
const SEGMENT_BYTES: u64 = 4 << 20;
/// While nothing is committed, the checkpoint is written this often.
const IDLE_CHECKPOINT_NS: u64 = 800_000_000;
/// Longest time between two looks at the log without any sign of a change.
const LOOK_PAUSE_MAX: Duration = Duration::from_millis(250);
/// Shortest pause, and the first one after a sign of a change that was not published yet.
const LOOK_PAUSE_MIN: Duration = Duration::from_millis(1);
/// Staged bytes that may wait for a destination that is out of reach; then the round is given up.
const STAGED_BYTES_MAX: u64 = 1 << 30;
/// First and longest pause before archiving is tried again.
const RETRY_PAUSE_MIN: Duration = Duration::from_secs(1);
const RETRY_PAUSE_MAX: Duration = Duration::from_secs(60);
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
pub(crate) async fn run(tenant: Arc<Tenant>, mut commands: mpsc::Receiver<Command>) {
    let mut cause: Option<(GapCause, String)> = None;
    let mut pause = RETRY_PAUSE_MIN;
    loop {
        if let Some(reason) = tenant.identity().archive_stopped {
            match stopped(&tenant, &reason, &mut commands).await {
                Rest::Resumed => {}
                Rest::Ended(reply) => return finish(reply),
            }
        }
        let opening = Arc::clone(&tenant);
        let why = cause.clone();
        let opened = blocking(move || open_round(&opening, why)).await;
        let follower = match opened {
            Ok(follower) => follower,
            Err(problem) => {
                tenant.set_status(ArchiveState::Interrupted, Some(problem));
                match rest(&tenant, &mut commands, pause).await {
                    Some(reply) => return finish(reply),
                    None => pause = (pause * 2).min(RETRY_PAUSE_MAX),
                }
                continue;
            }
        };
        cause = None;
        pause = RETRY_PAUSE_MIN;
        tenant.set_status(ArchiveState::Doing, None);
        let publisher = Publisher::start(Arc::clone(&tenant));
        match follow(&tenant, follower, &publisher, &mut commands).await {
            End::Stop { reason, reply } => {
                let stopped = end_round(&tenant, publisher, &reason).await;
                let _ = reply.send(stopped);
            }
            End::ShutDown { reply } => {
                if let Err(problem) = publisher.finish(END_WAIT_MAX).await {
                    tracing::warn!(tenant = %tenant.name(), problem, "the newest log waits beside the tenant for the next start");
                }
                return finish(reply);
            }
            End::Broken(error) => {
                // What could not be published is found in the staging area when the round is opened again.
                let _ = publisher.finish(END_WAIT_MAX).await;
                tracing::warn!(tenant = %tenant.name(), %error, "the log cannot be followed further");
                cause = gap_cause(&error);
                tenant.set_status(ArchiveState::Interrupted, Some(error.to_string()));
                // What broke it may still be so; opening a round reads the whole tenant.
                if let Some(reply) = rest(&tenant, &mut commands, RETRY_PAUSE_MIN).await {
                    return finish(reply);
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

fn finish(reply: oneshot::Sender<()>) {
    // Whoever asked may have stopped waiting.
    let _ = reply.send(());
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

/// Stays stopped until somebody starts log backup again.
async fn stopped(
    tenant: &Arc<Tenant>,
    reason: &str,
    commands: &mut mpsc::Receiver<Command>,
) -> Rest {
    tenant.set_status(ArchiveState::Stop, Some(reason.to_owned()));
    let loading = Arc::clone(tenant);
    if let Err(problem) = blocking(move || {
        load(&loading)
            .map(|_| ())
            .map_err(|error| error.to_string())
    })
    .await
    {
        tenant.set_status(ArchiveState::Stop, Some(format!("{reason} ({problem})")));
    }
    loop {
        // Nobody follows the log now, so nothing keeps it from being copied into the data file.
        let tidy = Arc::clone(tenant);
        let _ = blocking(move || checkpoint(&tidy)).await;
        let Ok(command) = timeout_at(Instant::now() + RETRY_PAUSE_MIN, commands.recv()).await
        else {
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

/// Waits before the next try; gives the reply of a shut-down that came meanwhile.
async fn rest(
    tenant: &Arc<Tenant>,
    commands: &mut mpsc::Receiver<Command>,
    pause: Duration,
) -> Option<oneshot::Sender<()>> {
    let until = Instant::now() + pause;
    loop {
        match timeout_at(until, commands.recv()).await {
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
    follower: Follower,
    publisher: &Publisher,
    commands: &mut mpsc::Receiver<Command>,
) -> End {
    let follower = Arc::new(Mutex::new(follower));
    let mut pause = LOOK_PAUSE_MIN;
    let mut backfill = Backfill::new();
    loop {
        let looking = (Arc::clone(&follower), Arc::clone(tenant), publisher.clone());
        let looked = spawn_blocking(move || {
            let (follower, tenant, publisher) = looking;
            look(&tenant, &mut lock(&follower), &publisher)
        })
        .await;
        let step = match looked {
            Ok(Ok(step)) => step,
            Ok(Err(error)) => return End::Broken(error),
            Err(error) => {
                return End::Broken(FollowError::Failed(format!("internal error: {error}")));
            }
        };
        if publisher.waiting_bytes() > STAGED_BYTES_MAX {
            return End::DestinationLost;
        }
        backfill.consider(tenant, &follower, &step);
        pause = if step.commits > 0 {
            LOOK_PAUSE_MIN
        } else {
            (pause * 2).min(LOOK_PAUSE_MAX)
        };
        // A moment between two looks bounds the cost under any load.
        tokio::time::sleep(LOOK_PAUSE_MIN).await;
        tokio::select! {
            () = sleep_until(Instant::now() + pause) => {}
            () = tenant.wake.notified() => pause = LOOK_PAUSE_MIN,
            command = commands.recv() => match command {
                Some(command) => if let Some(end) = obey(command, &follower, tenant, publisher).await {
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

/// One step, and what it makes due: a segment, or a checkpoint while idle.
fn look(
    tenant: &Tenant,
    follower: &mut Follower,
    publisher: &Publisher,
) -> Result<Step, FollowError> {
    let Some(step) = follower.step()? else {
        return Ok(Step {
            complete_until: Scn::ZERO,
            commits: 0,
            not_backfilled: 0,
            log_frames: 0,
        });
    };
    let until = step.complete_until;
    let staging = follower.staging();
    match staging.since() {
        Some(since)
            if until.since_ns(since) >= SEGMENT_AGE_NS
                || staging.frame_bytes() >= SEGMENT_BYTES =>
        {
            publisher.publish(staging.rotate(&tenant.staging_dir(), until)?);
        }
        None if publisher.is_idle()
            && until.since_ns(publisher.checkpoint()) >= IDLE_CHECKPOINT_NS =>
        {
            if !tenant.files.is_in_place() {
                return Err(FollowError::Replaced(format!(
                    "{} was moved away or replaced",
                    tenant.files.path().display()
                )));
            }
            publisher.checkpoint_idle(Checkpoint {
                format: 1,
                head: follower.head().clone(),
                checkpoint: until,
            });
        }
        _ => {}
    }
    Ok(step)
}

/// Carries out an order; gives how following ends, if the order ends it.
async fn obey(
    command: Command,
    follower: &Arc<Mutex<Follower>>,
    tenant: &Arc<Tenant>,
    publisher: &Publisher,
) -> Option<End> {
    match command {
        Command::Start { reply } => {
            let _ = reply.send(Err("log backup is in progress already".to_owned()));
            None
        }
        Command::Snapshot { reply } => {
            let follower = Arc::clone(follower);
            let taken = spawn_blocking(move || lock(&follower).snapshot()).await;
            match taken {
                Ok(Ok(snapshot)) => {
                    let _ = reply.send(Ok(snapshot));
                    None
                }
                Ok(Err(error)) => {
                    let _ = reply.send(Err(error.to_string()));
                    Some(End::Broken(error))
                }
                Err(error) => Some(End::Broken(FollowError::Failed(format!(
                    "internal error: {error}"
                )))),
            }
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
