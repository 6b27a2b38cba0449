//! A copy of the control database while it is in use, where it is a file.

use crate::{
    Store,
    connect::SQLITE,
    error::{During, Result},
};
use sea_orm::{
    DbErr, RuntimeErr,
    sqlx::{self, ConnectOptions, Connection},
};
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
    /// it: it reads beside the changes that go on. Only where [`copy_advice`] gives none.
    pub async fn copy_to(&self, file: &Path) -> Result<()> {
        let name = file.to_string_lossy().into_owned();
        let options = self.writer.get_sqlite_connection_pool().connect_options();
        // A connection of its own: readers may not write, not even elsewhere, and the writer has to go on.
        let copied = async {
            let mut connection = (*options).clone().connect().await?;
            sqlx::query("VACUUM INTO ?")
                .bind(name)
                .execute(&mut connection)
                .await?;
            connection.close().await
        };
        let copied = copied.await;
        copied
            .map_err(|error| DbErr::Exec(RuntimeErr::SqlxError(error.into())))
            .during("copying everything")
    }

    /// The keys that secrets are sealed with.
    pub async fn key_ids(&self) -> Result<Vec<String>> {
        let secrets = self.secrets().await?;
        let ids: BTreeSet<String> = secrets.into_iter().map(|secret| secret.key_id).collect();
        Ok(ids.into_iter().collect())
    }
}
