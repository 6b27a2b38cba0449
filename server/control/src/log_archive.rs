//! Log backup: starting and stopping it for a tenant.

use crate::{
    access::Operator,
    audit::Entry,
    backups::named,
    error::Error,
    handle::{ClusterHandle, answer},
    jobs::queue,
    storages::{START_LOG_BACKUP, STOP_LOG_BACKUP},
    tasks::observe,
};
use domain::{TenantId, archive::ArchiveState};
use engine::TenantKey;
use std::sync::Arc;
use store::TenantPicture;

/// Longest reason for stopping, in characters.
const REASON_MAX: usize = 200;

impl Operator {
    /// Starts log backup of a tenant: a new round, which gets its first full backup by itself.
    pub async fn start_log_backup(&self, cluster: &str, tenant: TenantId) -> Result<(), Error> {
        let (handle, picture) = self.tenant(cluster, tenant).await?;
        let state = state(&picture);
        if !state.can_start() {
            return Err(Error::Conflict(format!(
                "log backup of tenant {} is {}; only a stopped one can be started",
                picture.facts.name,
                state.label()
            )));
        }
        let entry = Entry {
            operation: START_LOG_BACKUP,
            cluster: handle.id,
            subject: &picture.facts.name,
            detail: "",
        };
        let key = TenantKey(picture.facts.engine_key.clone());
        let engine = handle.engine()?;
        let start = engine.start_archive(&key);
        self.audited(entry, async {
            Ok(answer("start of log backup", &picture.facts.name, start).await?)
        })
        .await?;
        self.show(&handle).await
    }

    /// Stops log backup of a tenant; `reason` explains the gap to whoever sees it later.
    pub async fn stop_log_backup(
        &self,
        cluster: &str,
        tenant: TenantId,
        reason: &str,
    ) -> Result<(), Error> {
        let (handle, picture) = self.tenant(cluster, tenant).await?;
        if reason.chars().count() > REASON_MAX {
            let allowed = format!("use at most {REASON_MAX} characters");
            return Err(Error::invalid("Reason", reason, allowed));
        }
        let state = state(&picture);
        if !state.can_stop() {
            return Err(Error::Conflict(format!(
                "log backup of tenant {} is {}; there is nothing to stop",
                picture.facts.name,
                state.label()
            )));
        }
        let open = self.inner().store.unfinished(handle.id).await?;
        if let Some(job) = queue::backup_of(&open, tenant) {
            return Err(Error::Conflict(format!(
                "data backup task {} of tenant {} is not finished, and its set needs the log that \
                 is written meanwhile; wait for its end or cancel it, then stop log backup",
                job.id, picture.facts.name
            )));
        }
        let entry = Entry {
            operation: STOP_LOG_BACKUP,
            cluster: handle.id,
            subject: &picture.facts.name,
            detail: reason,
        };
        let key = TenantKey(picture.facts.engine_key.clone());
        let engine = handle.engine()?;
        let stop = engine.stop_archive(&key, reason);
        self.audited(entry, async {
            Ok(answer("stop of log backup", &picture.facts.name, stop).await?)
        })
        .await?;
        self.show(&handle).await
    }

    /// A tenant with its cluster.
    pub(crate) async fn tenant(
        &self,
        cluster: &str,
        tenant: TenantId,
    ) -> Result<(Arc<ClusterHandle>, TenantPicture), Error> {
        let handle = self.handle(cluster)?;
        let picture = self.inner().store.picture(handle.id).await?;
        let tenant = named(&picture, tenant)?.clone();
        Ok((handle, tenant))
    }

    /// Looks at once, so that the page shows the outcome of an order.
    pub(crate) async fn show(&self, handle: &ClusterHandle) -> Result<(), Error> {
        let inner = self.inner();
        observe::look(inner, handle).await?;
        handle.nudge(inner.now());
        Ok(())
    }
}

fn state(picture: &TenantPicture) -> ArchiveState {
    let archive = picture.archive.as_ref();
    archive.map_or(ArchiveState::Stop, |archive| archive.state.clone())
}
