//! Copies a tenant's log into its data file, so that the log stays short; never under the follower's feet.

use crate::{
    archiver::blocking,
    follower::{Follower, Step},
    tenant::Tenant,
    wal_index,
};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::Ordering},
    time::Duration,
};
use tokio::time::Instant;

/// Bytes of log not yet in the data file that make a checkpoint of SQLite worth while.
const BACKFILL_BYTES: u64 = 4 << 20;
/// Log size from which writers are made to wait a moment so that it can begin anew.
const BARRIER_BYTES: u64 = 64 << 20;
/// Log size at which it is let go when nobody can follow it.
const LOG_BYTES_MAX: u64 = 1 << 30;
/// Share of the free space that such a log may take, in percent.
const LOG_FREE_PERCENT: u64 = 20;
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
        if step.log_bytes >= BARRIER_BYTES {
            shed(tenant, step, log_limit(tenant));
        }
        if step.not_backfilled < BACKFILL_BYTES
            || self
                .running
                .as_ref()
                .is_some_and(|task| !task.is_finished())
        {
            return;
        }
        let tenant = Arc::clone(tenant);
        // A snapshot keeps the log whatever writers do; making them wait would be for nothing.
        let can_begin_anew = !tenant.backing_up.load(Ordering::Acquire);
        let barrier = can_begin_anew
            && step.log_bytes >= BARRIER_BYTES
            && Instant::now() >= self.barrier_after;
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

/// Bytes of log that are committed and not begun anew yet; `None` while the wal-index changes all the time.
pub(crate) fn log_bytes(tenant: &Tenant) -> Option<u64> {
    let published = wal_index::published(tenant.files.shm()).ok().flatten();
    published.map(|published| published.bytes())
}

/// The size at which the log is let go: the limit, or less where the disk would be full before.
pub(crate) fn log_limit(tenant: &Tenant) -> u64 {
    let free = rustix::fs::statvfs(&tenant.dir)
        .map(|status| status.f_bavail.saturating_mul(status.f_frsize))
        .unwrap_or(u64::MAX);
    LOG_BYTES_MAX.min(free / 100 * LOG_FREE_PERCENT)
}

/// Gives up the data backup whose snapshot keeps a log of more than `limit` bytes from beginning anew.
fn shed(tenant: &Tenant, step: &Step, limit: u64) {
    if step.log_bytes > limit {
        tenant.cancel_backup("its snapshot holds a log that has outgrown its limit");
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{job::Job, testing::Bench, wal::WAL_HEADER_BYTES};

    #[test]
    fn the_size_of_a_log_is_told_in_bytes_and_a_backup_that_holds_too_much_of_it_is_given_up() {
        let bench = Bench::new();
        let mut follower = bench.follow();
        bench.stretch(&mut follower, 3);
        let step = follower.step().unwrap().unwrap();
        let file = std::fs::metadata(bench.tenant.files.wal_path())
            .unwrap()
            .len();
        assert_eq!(step.log_bytes, file - WAL_HEADER_BYTES as u64);
        assert_eq!(log_bytes(&bench.tenant), Some(step.log_bytes));
        let job = Job::new(bench.clock.clone());
        bench.tenant.note_backup(&job);
        shed(&bench.tenant, &step, step.log_bytes);
        assert!(!job.is_canceled());
        shed(&bench.tenant, &step, step.log_bytes - 1);
        assert!(job.is_canceled());
    }
}
