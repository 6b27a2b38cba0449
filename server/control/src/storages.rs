//! Storages: the destinations of a cluster as they are, and how the sizes there came about.

use crate::{access::Viewer, error::Error};
use domain::{
    ClusterId, Scn, TenantId,
    audit::AuditResult,
    scn::NS_PER_DAY,
    storage::StorageState,
    trend::{self, KEPT_NS, StorageTrend, TrendEvent, TrendEventKind, TrendPoint},
};
use store::Audit;

/// What the audit calls starting and stopping log backup.
pub(crate) const START_LOG_BACKUP: &str = "start log backup";
/// See [`START_LOG_BACKUP`].
pub(crate) const STOP_LOG_BACKUP: &str = "stop log backup";
/// Most samples of an answer.
const POINTS_MAX: usize = 300;
/// Days of the short trend of each cluster.
const SHORT_DAYS: u64 = 7;
/// Most samples of it.
const SHORT_POINTS_MAX: usize = 60;
/// Most events of an answer; the newest ones.
const EVENTS_MAX: usize = 120;

impl Viewer {
    /// The console's now, from which a time to look at can be reckoned.
    pub fn now(&self) -> Scn {
        self.console.inner.now()
    }

    /// The destinations of a cluster as last observed, the first one first.
    pub async fn storages(&self, cluster: &str) -> Result<Vec<StorageState>, Error> {
        let inner = &self.console.inner;
        let id = self.handle(cluster)?.id;
        Ok(inner.store.storages(id).await?)
    }

    /// Sizes of a cluster, or of one of its tenants, in a time, with what happened beside them.
    pub async fn storage_trend(
        &self,
        cluster: &str,
        tenant: Option<TenantId>,
        (since, until): (Scn, Scn),
    ) -> Result<StorageTrend, Error> {
        let inner = &self.console.inner;
        let id = self.handle(cluster)?.id;
        if until <= since {
            let allowed = "the end must lie after the begin";
            return Err(Error::invalid("Time range", &until.to_rfc3339(), allowed));
        }
        let name = match tenant {
            Some(tenant) => Some(self.tenant_name(cluster, tenant).await?),
            None => None,
        };
        let oldest = inner.now().minus_ns(KEPT_NS + NS_PER_DAY);
        let time = (since.max(oldest), until);
        let sizes = self.sizes(id, tenant, time, POINTS_MAX).await?;
        let limit = EVENTS_MAX as u64;
        let tasks = inner.store.ended_tasks(id, tenant, time, limit).await?;
        let operations = [START_LOG_BACKUP, STOP_LOG_BACKUP];
        let audited = inner
            .store
            .audited_between(id, &operations, time, limit)
            .await?;
        Ok(StorageTrend {
            events: events(tasks, audited, name.as_deref()),
            ..sizes
        })
    }

    /// The same without what happened beside them.
    async fn sizes(
        &self,
        id: ClusterId,
        tenant: Option<TenantId>,
        time: (Scn, Scn),
        points: usize,
    ) -> Result<StorageTrend, Error> {
        let inner = &self.console.inner;
        let now = inner.now();
        let series = inner.store.samples(id, tenant, time).await?;
        let recent = (now.minus_ns(trend::FORECAST_DAYS * NS_PER_DAY), now);
        let whole: Vec<TrendPoint> = inner.store.samples(id, None, recent).await?;
        Ok(StorageTrend {
            tenant,
            gaps: trend::gaps(&series, now),
            points: trend::outline(&series, points),
            events: Vec::new(),
            forecast: trend::forecast(&whole, now),
            storages: inner.store.storages(id).await?,
            now,
        })
    }

    /// Sizes of every cluster that the actor may look at in the last [`SHORT_DAYS`] days, by its name.
    pub async fn all_trends(&self) -> Result<Vec<(String, StorageTrend)>, Error> {
        let now = self.now();
        let time = (now.minus_ns(SHORT_DAYS * NS_PER_DAY), now.plus_ns(1));
        let mut trends = Vec::new();
        for known in self.seen().await? {
            let sizes = self.sizes(known.cluster.id, None, time, SHORT_POINTS_MAX);
            trends.push((known.cluster.name, sizes.await?));
        }
        Ok(trends)
    }

    async fn tenant_name(&self, cluster: &str, tenant: TenantId) -> Result<String, Error> {
        let inner = &self.console.inner;
        let id = self.handle(cluster)?.id;
        let found = inner.store.tenant(id, tenant).await?;
        found.map(|tenant| tenant.name).ok_or(Error::NotFound {
            what: "tenant",
            id: tenant.to_string(),
        })
    }
}

/// Tasks and switches of log backup in one order; only those of a tenant, if one is named.
fn events(tasks: Vec<TrendEvent>, audited: Vec<Audit>, tenant: Option<&str>) -> Vec<TrendEvent> {
    let done = audited
        .into_iter()
        .filter(|entry| entry.result == AuditResult::Ok);
    let mut events: Vec<TrendEvent> = done
        .map(|entry| TrendEvent {
            at: entry.at,
            kind: match entry.operation.as_str() {
                START_LOG_BACKUP => TrendEventKind::LogStarted,
                _ => TrendEventKind::LogStopped,
            },
            tenant: entry.subject,
        })
        .collect();
    events.retain(|event| tenant.is_none_or(|tenant| event.tenant == tenant));
    events.extend(tasks);
    events.sort_by_key(|event| event.at);
    events.drain(..events.len().saturating_sub(EVENTS_MAX));
    events
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{ClusterId, job::JobKind};

    fn entry(at: u64, operation: &str, subject: &str, result: AuditResult) -> Audit {
        Audit {
            at: Scn(at),
            actor: "somebody".to_owned(),
            operation: operation.to_owned(),
            cluster: Some(ClusterId(1)),
            subject: subject.to_owned(),
            detail: String::new(),
            address: None,
            result,
            cause: None,
            before: None,
            after: None,
        }
    }

    #[test]
    fn switches_that_failed_are_no_events_and_all_come_in_order() {
        let task = TrendEvent {
            at: Scn(5),
            kind: TrendEventKind::Completed(JobKind::DataBackup),
            tenant: "orders".to_owned(),
        };
        let audited = || {
            vec![
                entry(1, STOP_LOG_BACKUP, "orders", AuditResult::Ok),
                entry(2, START_LOG_BACKUP, "orders", AuditResult::Refused),
                entry(3, START_LOG_BACKUP, "payments", AuditResult::Ok),
                entry(4, START_LOG_BACKUP, "orders", AuditResult::Failed),
                entry(6, START_LOG_BACKUP, "orders", AuditResult::Ok),
            ]
        };
        let told = events(vec![task.clone()], audited(), None);
        let at = |told: &[TrendEvent]| told.iter().map(|event| event.at.0).collect::<Vec<_>>();
        assert_eq!(at(&told), [1, 3, 5, 6]);
        assert_eq!(told[0].kind, TrendEventKind::LogStopped);
        let told = events(vec![task], audited(), Some("orders"));
        assert_eq!(at(&told), [1, 5, 6]);
    }
}
