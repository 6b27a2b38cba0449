//! Opening the control database.

use crate::{
    error::{During, Result, StoreError},
    redact::Redacted,
};
use sea_orm::{
    ConnectOptions, Database, DatabaseConnection,
    sqlx::{
        Connection, Sqlite,
        pool::PoolOptions,
        sqlite::{SqliteJournalMode, SqliteSynchronous},
    },
};
use std::time::Duration;

/// How long a query may wait for a connection, or for another program's lock.
const WAIT_MAX: Duration = Duration::from_secs(10);
/// Connections to a PostgreSQL or MySQL server.
const SERVER_CONNECTIONS: u32 = 8;

/// The control database. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    pub(crate) db: DatabaseConnection,
}

impl Store {
    /// Opens `url`: `sqlite://path` (made when it is missing), `postgres://…` or `mysql://…`.
    /// The schema is not touched; run the `migration` crate on [`Store::connection`].
    pub async fn connect(url: &str) -> Result<Store> {
        let backend = backend(url);
        let mut options = ConnectOptions::new(url);
        options
            .sqlx_logging(false)
            .record_stmt_in_spans(false)
            .connect_timeout(WAIT_MAX)
            .acquire_timeout(WAIT_MAX);
        if backend == "SQLite" {
            // One connection: writers of one file queue up anyway, and here they do so fairly.
            options
                .max_connections(1)
                .min_connections(1)
                .idle_timeout(None)
                .max_lifetime(None)
                .test_before_acquire(false)
                .map_sqlx_sqlite_pool_opts(without_stuck_connections)
                .map_sqlx_sqlite_opts(|options| {
                    options
                        .create_if_missing(true)
                        .journal_mode(SqliteJournalMode::Wal)
                        .synchronous(SqliteSynchronous::Normal)
                        .busy_timeout(WAIT_MAX)
                });
        } else {
            options.max_connections(SERVER_CONNECTIONS);
        }
        let db = Database::connect(options)
            .await
            .map_err(|cause| StoreError::Connect {
                backend,
                cause: Redacted::new(&cause, url),
            })?;
        Ok(Store { db })
    }

    /// The connection, for the program that wires store and schema together.
    pub fn connection(&self) -> &DatabaseConnection {
        &self.db
    }

    /// Closes it; everything written is on disk afterwards.
    pub async fn close(&self) -> Result<()> {
        self.db.close_by_ref().await.during("closing")
    }
}

/// On a full disk SQLite undoes a transaction by itself, which its driver does not notice: later ones
/// on that connection would lie inside one that is never saved. Such a connection is given up.
fn without_stuck_connections(pool: PoolOptions<Sqlite>) -> PoolOptions<Sqlite> {
    pool.after_release(|connection, _| {
        Box::pin(async move {
            // Waits for whatever is still being undone.
            connection.ping().await?;
            Ok(!connection.is_in_transaction())
        })
    })
}

fn backend(url: &str) -> &'static str {
    match url.split(':').next() {
        Some("sqlite") => "SQLite",
        Some("postgres" | "postgresql") => "PostgreSQL",
        Some("mysql") => "MySQL",
        _ => "unknown kind",
    }
}
