//! Pausing, taking up again and deleting a strategy.

use super::{
    places,
    submit::{changed, none},
};
use crate::{
    access::{Admin, Operator},
    audit::Entry,
    error::Error,
    jobs::queue,
    tasks::{second, wanted},
};
use domain::{
    Revision, Scn,
    archive::ArchiveState,
    job::{JobKind, JobState},
    strategy::LogBackupEnd,
    tenant::TenantState,
};
use store::Change;

/// What the audit calls them.
pub(super) const PAUSE: &str = "pause backup scheduling";
pub(super) const RESUME: &str = "start backup scheduling";
const DELETE: &str = "delete backup strategy";
/// What the last step of a copy that is dropped with it says.
const DROPPED: &str = "Canceled before it was begun: the backup strategy was deleted";
/// The reason that a tenant whose log backup is stopped with it tells later.
const STOPPED: &str = "the backup strategy was deleted";

impl Operator {
    /// Ends automatic runs for now; tasks that run go on. Pausing what is paused changes nothing.
    pub async fn pause_strategy(&self, cluster: &str) -> Result<(), Error> {
        self.set_paused(cluster, true).await
    }

    /// Takes automatic runs up again. What was due meanwhile is not made up for.
    pub async fn resume_strategy(&self, cluster: &str) -> Result<(), Error> {
        self.set_paused(cluster, false).await
    }

    async fn set_paused(&self, cluster: &str, paused: bool) -> Result<(), Error> {
        let inner = self.inner();
        let handle = self.handle(cluster)?;
        let now = inner.now();
        let set = async |change: &Change| {
            let Some(known) = change.strategy(handle.id).await? else {
                return Err(none(cluster));
            };
            if known.strategy.paused == paused {
                return Ok(());
            }
            let entry = Entry {
                operation: if paused { PAUSE } else { RESUME },
                cluster: handle.id,
                subject: cluster,
                detail: "",
            };
            entry.write(change, inner, &self.actor).await?;
            let at = paused.then_some(now);
            let by = (now, self.actor.name.as_str());
            change.pause_strategy(&known, at, by).await?;
            Ok(())
        };
        inner.store.change(set).await?;
        inner.schedule.notify_one();
        Ok(())
    }
}

impl Admin {
    /// Deletes the strategy that was read at version `rev`. Backups and running tasks stay; copies that have
    /// not begun are canceled. The answer tells what could not be stopped.
    pub async fn delete_strategy(
        &self,
        cluster: &str,
        rev: Revision,
        log: LogBackupEnd,
    ) -> Result<Vec<String>, Error> {
        let inner = &self.console.inner;
        let handle = self.handle(cluster)?;
        let now = inner.now();
        let delete = async |change: &Change| {
            let Some(known) = change.strategy(handle.id).await? else {
                return Err(none(cluster));
            };
            if known.strategy.rev != rev {
                return Err(changed(change, &known, rev).await?);
            }
            let entry = Entry {
                operation: DELETE,
                cluster: handle.id,
                subject: cluster,
                detail: match log {
                    LogBackupEnd::Keep => "log backup goes on",
                    LogBackupEnd::Stop => "log backup is stopped",
                },
            };
            let before = places::absolute_settings(inner, known.strategy.settings.clone());
            entry
                .write_with(change, inner, &self.actor, Some(&before), None)
                .await?;
            for job in change.unfinished(handle.id).await? {
                let copies = matches!(job.order.kind(), JobKind::SecondData | JobKind::SecondLog);
                if copies && job.state == JobState::Queued {
                    queue::drop_queued(change, &job, now, DROPPED).await?;
                }
            }
            change.remove_strategy(&known).await?;
            Ok(())
        };
        inner.store.change(delete).await?;
        inner.schedule.notify_one();
        handle.second.from(Scn::ZERO);
        second::keep_up(inner, &handle).await;
        handle.wanted.from(Scn::ZERO);
        wanted::keep_up(inner, &handle).await;
        let notes = match log {
            LogBackupEnd::Keep => Vec::new(),
            LogBackupEnd::Stop => self.stop_logs(cluster).await?,
        };
        handle.nudge(inner.now());
        Ok(notes)
    }

    async fn stop_logs(&self, cluster: &str) -> Result<Vec<String>, Error> {
        let operator = self.operator();
        let id = self.handle(cluster)?.id;
        let mut notes = Vec::new();
        for tenant in self.console.inner.store.picture(id).await? {
            let state = tenant.archive.as_ref().map(|archive| &archive.state);
            let runs = state.is_some_and(ArchiveState::can_stop);
            if tenant.facts.state != TenantState::Online || !runs {
                continue;
            }
            let name = &tenant.facts.name;
            match operator.stop_log_backup(cluster, tenant.id, STOPPED).await {
                Ok(()) => notes.push(format!("Log backup of tenant {name} was stopped.")),
                Err(error) => {
                    notes.push(format!("Log backup of tenant {name} goes on: {error}"));
                }
            }
        }
        Ok(notes)
    }
}
