//! Holds a tenant's log while nobody follows it, so that other programs do not make it begin anew meanwhile.
//!
//! Between a failure and the next try, and while the destination is away at start, what stands in the log is
//! in no archive yet. A parked read transaction keeps it; but a log that is held only grows, so it is
//! let go at a limit: a gap in the archive is better than a full disk.

use crate::{
    backfill::{checkpoint, log_bytes},
    files::TenantConnection,
    snapshot::begin_read,
    tenant::Tenant,
};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The hold on one tenant's log; clones share it.
#[derive(Clone, Default)]
pub(crate) struct Hold(Arc<Mutex<Option<TenantConnection>>>);

impl Hold {
    fn reader(&self) -> MutexGuard<'_, Option<TenantConnection>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps the log from beginning anew from here on, unless it is held already.
    pub(crate) fn take(&self, tenant: &Tenant) {
        let mut reader = self.reader();
        if reader.is_some() {
            return;
        }
        let begun = tenant.files.connect().and_then(|connection| {
            begin_read(&connection)?;
            Ok(connection)
        });
        match begun {
            Ok(connection) => *reader = Some(connection),
            Err(error) => {
                tracing::warn!(tenant = %tenant.name(), %error, "the log cannot be held");
            }
        }
    }

    /// Goes on holding with the reader of a follower that failed.
    pub(crate) fn keep(&self, held: TenantConnection) {
        *self.reader() = Some(held);
    }

    pub(crate) fn release(&self) {
        *self.reader() = None;
    }

    /// While nobody follows: lets a log go that has more than `limit` bytes, and copies what nobody holds into
    /// the data file, so that the next writer begins it anew.
    pub(crate) fn relieve(&self, tenant: &Tenant, limit: u64) {
        let grown = log_bytes(tenant).is_some_and(|bytes| bytes > limit);
        if grown && self.reader().is_some() {
            tracing::warn!(tenant = %tenant.name(), "the log outgrew its limit and is let go; log backup will begin a new round");
            self.release();
        }
        if self.reader().is_none()
            && let Err(problem) = checkpoint(tenant)
        {
            tracing::debug!(tenant = %tenant.name(), problem, "the log was not copied into the data file");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Bench;

    /// Whether another program may make the log begin anew.
    fn may_begin_anew(bench: &Bench) -> bool {
        let guest = bench.guest();
        guest.busy_timeout(std::time::Duration::ZERO).unwrap();
        let busy: i64 = guest
            .query_row("PRAGMA wal_checkpoint(RESTART)", [], |row| row.get(0))
            .unwrap();
        guest.execute_batch("INSERT INTO t VALUES (0)").unwrap();
        busy == 0
    }

    #[test]
    fn a_log_held_from_the_last_look_to_the_next_is_followed_without_a_gap() {
        let bench = Bench::new();
        let mut follower = bench.follow();
        bench.stretch(&mut follower, 1);
        let hold = Hold::default();
        hold.keep(follower.into_reader());
        assert!(!may_begin_anew(&bench));
        let mut follower = bench.follow();
        hold.release();
        assert_eq!(follower.head().round, 1);
        assert_eq!(follower.step().unwrap().unwrap().commits, 1);
    }

    #[test]
    fn a_log_that_outgrows_its_limit_is_let_go_and_copied() {
        let bench = Bench::new();
        bench.guest().execute_batch("CREATE TABLE t (v)").unwrap();
        let hold = Hold::default();
        hold.take(&bench.tenant);
        hold.take(&bench.tenant);
        hold.relieve(&bench.tenant, u64::MAX);
        assert!(!may_begin_anew(&bench));
        hold.relieve(&bench.tenant, 1);
        assert!(may_begin_anew(&bench));
    }
}
