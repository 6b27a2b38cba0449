//! What became of an order, by its token.

use super::{
    backup::BackupId,
    copy::CopyId,
    engine::LegacyEngine,
    memory::{Asked, Number, Order},
    restore::RestoreId,
};
use crate::failure::Call;
use ::engine::{EngineError, EngineJobId};

impl LegacyEngine {
    /// The job begun for a token: what is remembered, or what its pools were given to.
    pub(super) async fn job_of(
        &self,
        call: Call<'_>,
        token: &str,
    ) -> Result<Option<EngineJobId>, EngineError> {
        match self.remembered(call, token).await? {
            Some(known) => Ok(Some(known)),
            None => self.restore_of(call, token).await,
        }
    }

    /// The job that this process begun for a token. One whose answer was lost is looked for: what is newer than all
    /// that was there before is it.
    pub(super) async fn remembered(
        &self,
        call: Call<'_>,
        token: &str,
    ) -> Result<Option<EngineJobId>, EngineError> {
        let (before, asked) = match self.memory.order(token) {
            Some(Order::Known(id)) => return Ok(Some(id)),
            Some(Order::Sent(before, asked)) => (before, asked),
            None => return Ok(None),
        };
        let found = match asked {
            Asked::Backup(tenant) => {
                let key = self.backup_after(call, before).await?.map(Number::Is);
                key.map(|key| BackupId { key, tenant }.text())
            }
            Asked::Copy(of, tenant) => {
                let job = self.copy_after(call, of, before).await?.map(Number::Is);
                job.map(|job| {
                    let job = Some(job);
                    CopyId { of, job, tenant }.text()
                })
            }
            Asked::Restore(name) => {
                let job = self.restore_after(call, before, &name).await?;
                job.map(Number::Is)
                    .map(|job| RestoreId { job, name }.text())
            }
        };
        if let Some(id) = &found {
            self.memory.note(token, Order::Known(id.clone()));
        }
        Ok(found)
    }
}
