//! Forgetting: sessions that have ended, and what the audit keeps no longer.

use crate::{
    clusters::CREATE_CLUSTER,
    console::Inner,
    error::{Error, chain},
    sign_in::{IDLE_NS, WHOLE_NS},
    tenants::CREATE_TENANT,
};
use domain::scn::NS_PER_DAY;
use std::{sync::Arc, time::Duration};

/// Days that entries of the audit are kept.
const AUDIT_DAYS: u64 = 400;
/// Entries that are removed at once.
const BATCH: u64 = 1_000;
/// Most batches of one round; the rest follows in the next.
const BATCHES_MAX: u32 = 100;
/// Between two rounds.
const PAUSE: Duration = Duration::from_secs(3600);
/// Kinds of entries that stay: they say what the console itself made.
const KEPT: [&str; 2] = [CREATE_CLUSTER, CREATE_TENANT];

/// Forgets until the console stops.
pub(crate) async fn run(inner: Arc<Inner>) {
    while !inner.is_stopping() {
        if let Err(error) = forget(&inner).await {
            tracing::warn!("old entries were not removed: {}", chain(&error));
        }
        inner.pause(PAUSE).await;
    }
}

/// One round.
async fn forget(inner: &Inner) -> Result<(), Error> {
    let now = inner.now();
    let (created, seen) = (now.minus_ns(WHOLE_NS), now.minus_ns(IDLE_NS));
    inner.store.end_old_sessions(created, seen).await?;
    let before = now.minus_ns(AUDIT_DAYS * NS_PER_DAY);
    for _ in 0..BATCHES_MAX {
        if inner.store.forget_audits(before, &KEPT, BATCH).await? < BATCH || inner.is_stopping() {
            break;
        }
    }
    Ok(())
}
