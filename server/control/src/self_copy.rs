//! A copy of the console's own database, while it is in use.

use crate::{access::GlobalAdmin, audit::plain, error::Error};
use std::path::Path;

/// What a copy holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SelfCopy {
    /// Keys that its secrets are sealed with; without them the copy's secrets stay closed.
    pub key_ids: Vec<String>,
}

impl GlobalAdmin {
    /// Copies the control database as it is at one moment to `file`, which must be new or empty. Only where it is a
    /// file: servers of databases have their own tools, which are told.
    pub async fn copy_database(&self, file: &Path) -> Result<SelfCopy, Error> {
        let inner = &self.console.inner;
        let store = &inner.store;
        if let Some(advice) = store::copy_advice(store.backend()) {
            return Err(Error::Conflict(advice));
        }
        let subject = file.display().to_string();
        let entry = plain(inner, &self.actor, "copy control database", &subject, "");
        store
            .change(async |change| change.audit(&entry).await.map(|_| ()))
            .await?;
        let key_ids = store.key_ids().await?;
        store.copy_to(file).await?;
        Ok(SelfCopy { key_ids })
    }
}
