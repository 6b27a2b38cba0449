//! The feed: what changed since a revision. Many pages ask the same at the same time, so an answer is worked out once
//! for all of them and kept until something changes.

use crate::{
    access::Viewer,
    console::Inner,
    error::Error,
    handle::ClusterHandle,
    reports::{known, period_of, summarize},
    second::explained,
};
use domain::{Revision, feed::Delta};
use std::time::Duration;

/// Most answers kept of a cluster; pages ask from few revisions, as each of them asks often.
const KEPT_MAX: usize = 8;
/// How long a page waits for the answer that another one is being given, before it asks by itself.
const SHARE_WAIT: Duration = Duration::from_secs(1);

/// What pages were told since the newest change. Locked while an answer is worked out.
#[derive(Debug, Default)]
pub(crate) struct Told {
    newest: Revision,
    answers: Vec<(Revision, Delta)>,
}

impl Told {
    /// The answer to what changed after `since`, not older than the revision `newest`.
    fn find(&self, newest: Revision, since: Revision) -> Option<Delta> {
        let mut answers = self.answers.iter();
        let found = answers.find(|(asked, _)| *asked == since && self.newest >= newest);
        found.map(|(_, delta)| delta.clone())
    }

    /// Keeps an answer that was worked out after `newest` was read.
    fn keep(&mut self, newest: Revision, since: Revision, delta: &Delta) {
        if newest > self.newest {
            self.newest = newest;
            self.answers.clear();
        }
        if self.answers.len() >= KEPT_MAX {
            self.answers.remove(0);
        }
        self.answers.push((since, delta.clone()));
    }
}

impl Viewer {
    /// What changed in a cluster after `since`.
    pub async fn feed(&self, cluster: &str, since: Revision) -> Result<Delta, Error> {
        let inner = &self.console.inner;
        let handle = self.handle(cluster)?;
        let newest = inner.store.revision().await?;
        let Ok(mut told) = tokio::time::timeout(SHARE_WAIT, handle.told.lock()).await else {
            return changes(inner, &handle, since).await;
        };
        if let Some(delta) = told.find(newest, since) {
            let now = inner.now();
            return Ok(Delta { now, ..delta });
        }
        let delta = changes(inner, &handle, since).await?;
        told.keep(newest, since, &delta);
        Ok(delta)
    }
}

async fn changes(inner: &Inner, handle: &ClusterHandle, since: Revision) -> Result<Delta, Error> {
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
        tasks: rows.tasks,
        second_logs: explained(inner, handle, rows.second_logs).await?,
        alerts: None,
    };
    // A revision from the future is of another database.
    let since = if since > rows.rev { Revision(0) } else { since };
    if inner.store.alerts_changed(id, since).await? {
        delta.alerts = Some(inner.store.alert_counts(Some(id)).await?);
    }
    if !rows.summary && !rows.period {
        return Ok(delta);
    }
    // Read after the revision: what is newer than it comes once more, and what it promises is here.
    let known = known(inner, handle).await?;
    let shown = inner.shown(handle, known.observed_rev).await?;
    if rows.period {
        delta.period = Some(period_of(inner, &known.cluster, &shown).await?);
    }
    if rows.summary {
        delta.summary = Some(summarize(inner, known, &shown).await?);
    }
    Ok(delta)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Scn;

    fn delta(rev: i64) -> Delta {
        Delta {
            rev: Revision(rev),
            now: Scn(1),
            active: false,
            summary: None,
            period: None,
            backups: Vec::new(),
            archives: Vec::new(),
            recoveries: Vec::new(),
            tasks: Vec::new(),
            second_logs: Vec::new(),
            alerts: None,
        }
    }

    #[test]
    fn an_answer_is_given_again_until_something_changes() {
        let mut told = Told::default();
        let (five, six) = (Revision(5), Revision(6));
        told.keep(five, Revision(3), &delta(5));
        assert_eq!(told.find(five, Revision(3)), Some(delta(5)));
        assert_eq!(told.find(five, Revision(4)), None, "asked from elsewhere");
        assert_eq!(told.find(six, Revision(3)), None, "something changed");
        told.keep(six, Revision(3), &delta(6));
        // Whoever saw the older revision may be told the newer.
        assert_eq!(told.find(five, Revision(3)), Some(delta(6)));
    }

    #[test]
    fn few_answers_are_kept() {
        let mut told = Told::default();
        for since in 0..100 {
            told.keep(Revision(200), Revision(since), &delta(200));
        }
        assert_eq!(told.answers.len(), KEPT_MAX);
        assert!(told.find(Revision(200), Revision(99)).is_some());
        assert!(told.find(Revision(200), Revision(0)).is_none());
    }
}
