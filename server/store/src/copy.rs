//! A copy of the control database while it is in use, where it is a file.

use crate::{
    Store,
    connect::SQLITE,
    error::{During, Result},
};
use sea_orm::{ConnectionTrait, Statement};
use std::{collections::BTreeSet, path::Path};

/// Why a control database of this kind is not copied from here, and what to use instead; nothing when it is.
pub fn copy_advice(backend: &str) -> Option<String> {
    let tool = match backend {
        SQLITE => return None,
        "PostgreSQL" => "pg_dump",
        _ => "mariadb-dump or mysqldump with --single-transaction",
    };
    Some(format!(
        "the control database is on a {backend} server and is copied with that server's own tools: {tool}"
    ))
}

impl Store {
    /// Writes everything as it is at one moment to a file of its own, which must be new or empty. Nobody waits for
    /// it: it reads beside the changes that go on.
    pub async fn copy_to(&self, file: &Path) -> Result<()> {
        let name = file.to_string_lossy().into_owned();
        let backend = self.db.get_database_backend();
        let copy = Statement::from_sql_and_values(backend, "VACUUM INTO ?", [name.into()]);
        self.db
            .execute_raw(copy)
            .await
            .during("copying everything")?;
        Ok(())
    }

    /// The keys that secrets are sealed with.
    pub async fn key_ids(&self) -> Result<Vec<String>> {
        let secrets = self.secrets().await?;
        let ids: BTreeSet<String> = secrets.into_iter().map(|secret| secret.key_id).collect();
        Ok(ids.into_iter().collect())
    }
}
