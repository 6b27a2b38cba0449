//! Copies a tenant's log into its data file, so that the log stays short; never under the follower's feet.

use crate::{
    archiver::blocking,
    follower::{Follower, Step},
    tenant::Tenant,
};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// Frames not yet in the data file that make a checkpoint of SQLite worth while.
const BACKFILL_FRAMES: u32 = 1000;
/// Log size from which writers are made to wait a moment so that it can begin anew.
const BARRIER_FRAMES: u32 = 16_384;
/// Pauses between such barriers.
const BARRIER_PAUSE: Duration = Duration::from_secs(2);
/// How long a barrier waits for the write lock; longer would be felt by writers.
const BARRIER_WAIT: Duration = Duration::from_millis(25);

fn lock(follower: &Mutex<Follower>) -> MutexGuard<'_, Follower> {
    follower.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Keeps the write-ahead log short, without ever making it begin anew under the follower's feet.
pub(crate) struct Backfill {
    running: Option<tokio::task::JoinHandle<()>>,
    barrier_after: Instant,
}

impl Backfill {
    pub(crate) fn new() -> Self {
        Backfill {
            running: None,
            barrier_after: Instant::now(),
        }
    }

    pub(crate) fn consider(
        &mut self,
        tenant: &Arc<Tenant>,
        follower: &Arc<Mutex<Follower>>,
        step: &Step,
    ) {
        if step.not_backfilled < BACKFILL_FRAMES
            || self
                .running
                .as_ref()
                .is_some_and(|task| !task.is_finished())
        {
            return;
        }
        let tenant = Arc::clone(tenant);
        let barrier = step.log_frames >= BARRIER_FRAMES && Instant::now() >= self.barrier_after;
        if barrier {
            self.barrier_after = Instant::now() + BARRIER_PAUSE;
        }
        let follower = barrier.then(|| Arc::clone(follower));
        self.running = Some(tokio::spawn(async move {
            let copying = Arc::clone(&tenant);
            let copied = blocking(move || match follower {
                None => checkpoint(&copying),
                Some(follower) => with_barrier(&copying, &follower),
            })
            .await;
            if let Err(problem) = copied {
                tracing::debug!(tenant = %tenant.name(), problem, "the log was not copied into the data file");
            }
            // The next look lands behind the copied log, so the next writer may begin it anew.
            tenant.wake.notify_one();
        }));
    }
}

/// Copies the log into the data file as far as readers allow; makes nobody wait.
pub(crate) fn checkpoint(tenant: &Tenant) -> Result<(), String> {
    let connection = tenant.files.connect().map_err(|error| error.to_string())?;
    connection
        .query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
        .map_err(|error| error.to_string())
}

/// The same while no writer may commit, so that all of it is copied and the log can begin anew.
fn with_barrier(tenant: &Tenant, follower: &Mutex<Follower>) -> Result<(), String> {
    let text = |error: rusqlite::Error| error.to_string();
    let barrier = tenant.files.connect().map_err(text)?;
    barrier.busy_timeout(BARRIER_WAIT).map_err(text)?;
    barrier.execute_batch("BEGIN IMMEDIATE").map_err(text)?;
    // An error of a step shows again at the follower's own next step, which handles it.
    let stepped = lock(follower).step().map_err(|error| error.to_string());
    let copied = stepped.and_then(|_| checkpoint(tenant));
    let stepped = copied.and_then(|()| lock(follower).step().map_err(|error| error.to_string()));
    barrier.execute_batch("ROLLBACK").map_err(text)?;
    stepped.map(|_| ())
}
