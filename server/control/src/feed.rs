//! The feed: what changed since a revision.

use crate::{
    access::Viewer,
    error::Error,
    reports::{known, period_of, summarize},
};
use domain::{Revision, archive::ArchiveState, feed::Delta};
use store::TenantPicture;

impl Viewer {
    /// What changed in a cluster after `since`.
    pub async fn feed(&self, cluster: &str, since: Revision) -> Result<Delta, Error> {
        let inner = &self.console.inner;
        let known = known(inner, cluster).await?;
        let rows = inner.store.feed(known.cluster.id, since).await?;
        let picture = inner.store.picture(known.cluster.id).await?;
        let period = match rows.period {
            true => Some(period_of(inner, &known.cluster, &picture).await?),
            false => None,
        };
        let summary = summarize(inner, known.cluster, &picture).await?;
        Ok(Delta {
            rev: rows.rev,
            now: inner.now(),
            active: summary.tasks_active > 0 || picture.iter().any(is_turning),
            summary: rows.summary.then_some(summary),
            period,
            backups: rows.backups,
            archives: rows.archives,
            recoveries: rows.recoveries,
        })
    }
}

/// Whether log archiving is on its way from one state to another.
fn is_turning(tenant: &TenantPicture) -> bool {
    tenant.archive.as_ref().is_some_and(|archive| {
        matches!(
            archive.state,
            ArchiveState::Prepare | ArchiveState::Beginning | ArchiveState::Stopping
        )
    })
}
