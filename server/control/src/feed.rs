//! The feed: what changed since a revision.

use crate::{
    access::Viewer,
    error::Error,
    reports::{known, period_of, summarize},
};
use domain::{Revision, feed::Delta};

impl Viewer {
    /// What changed in a cluster after `since`.
    pub async fn feed(&self, cluster: &str, since: Revision) -> Result<Delta, Error> {
        let inner = &self.console.inner;
        let handle = self.handle(cluster)?;
        let id = handle.id;
        let rows = inner.store.feed(id, since).await?;
        let mut delta = Delta {
            rev: rows.rev,
            now: inner.now(),
            active: inner.store.is_active(id).await?,
            summary: None,
            period: None,
            backups: rows.backups,
            archives: rows.archives,
            recoveries: rows.recoveries,
        };
        if !rows.summary && !rows.period {
            return Ok(delta);
        }
        // Read after the revision: what is newer than it comes once more, and what it promises is here.
        let known = known(inner, &handle).await?;
        let shown = inner.shown(&handle, known.observed_rev).await?;
        if rows.period {
            delta.period = Some(period_of(inner, &known.cluster, &shown).await?);
        }
        if rows.summary {
            delta.summary = Some(summarize(inner, known.cluster, &shown).await?);
        }
        Ok(delta)
    }
}
