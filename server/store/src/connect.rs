//! Opening the control database.

use crate::{
    error::{During, Result, StoreError},
    redact::Redacted,
};
use sea_orm::{
    ConnectOptions, Database, DatabaseConnection, DbErr,
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
/// Connections that read a SQLite file, beside the one that writes it.
const SQLITE_READERS: u32 = 4;

/// The name of the backend that is a file.
pub(crate) const SQLITE: &str = "SQLite";

/// The control database. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    /// For reading: in a SQLite file readers do not wait for the writer, nor it for them.
    pub(crate) db: DatabaseConnection,
    /// For changes.
    pub(crate) writer: DatabaseConnection,
    backend: &'static str,
}

impl Store {
    /// Opens `url`: `sqlite://path` (made when it is missing), `postgres://…` or `mysql://…`.
    /// The schema is not touched; run the `migration` crate on [`Store::connection`].
    pub async fn connect(url: &str) -> Result<Store> {
        let backend = backend(url);
        let failed = |cause: DbErr| StoreError::Connect {
            backend,
            cause: Redacted::new(&cause, url),
        };
        if backend != SQLITE {
            let mut options = options(url);
            options.max_connections(SERVER_CONNECTIONS);
            let db = Database::connect(options).await.map_err(failed)?;
            let writer = db.clone();
            return Ok(Store {
                db,
                writer,
                backend,
            });
        }
        // One connection: writers of one file queue up anyway, and here they do so fairly.
        let writer = Database::connect(sqlite(url, 1, false))
            .await
            .map_err(failed)?;
        let db = if in_memory(url) {
            // Another connection would have another database.
            writer.clone()
        } else {
            let readers = sqlite(url, SQLITE_READERS, true);
            Database::connect(readers).await.map_err(failed)?
        };
        Ok(Store {
            db,
            writer,
            backend,
        })
    }

    /// What keeps the control database: `SQLite`, `PostgreSQL` or `MySQL`.
    pub const fn backend(&self) -> &'static str {
        self.backend
    }

    /// The connection, for the program that wires store and schema together.
    pub fn connection(&self) -> &DatabaseConnection {
        &self.writer
    }

    /// Whether nobody uses any connection to a SQLite file now: for tests that move a clock themselves. Other backends
    /// do not tell and count as idle.
    pub fn is_idle(&self) -> bool {
        let idle = |db: &DatabaseConnection| {
            let pool = db.get_sqlite_connection_pool();
            u32::try_from(pool.num_idle()).unwrap_or(u32::MAX) == pool.size()
        };
        self.backend != SQLITE || (idle(&self.writer) && idle(&self.db))
    }

    /// Closes it; everything written is on disk afterwards.
    pub async fn close(&self) -> Result<()> {
        self.db.close_by_ref().await.during("closing")?;
        self.writer.close_by_ref().await.during("closing")
    }
}

/// What every connection has in common.
fn options(url: &str) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options
        .sqlx_logging(false)
        .record_stmt_in_spans(false)
        .connect_timeout(WAIT_MAX)
        .acquire_timeout(WAIT_MAX);
    options
}

fn sqlite(url: &str, connections: u32, only_reads: bool) -> ConnectOptions {
    let mut options = options(url);
    options
        .max_connections(connections)
        .min_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .map_sqlx_sqlite_pool_opts(without_stuck_connections)
        .map_sqlx_sqlite_opts(move |options| {
            let options = options
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Normal)
                .busy_timeout(WAIT_MAX);
            match only_reads {
                // A change on a reader's connection is a mistake of ours and fails.
                true => options.pragma("query_only", "ON"),
                false => options,
            }
        });
    options
}

/// Whether the address of a SQLite database names no file.
fn in_memory(url: &str) -> bool {
    url.contains(":memory:") || url.contains("mode=memory")
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
        Some("sqlite") => SQLITE,
        Some("postgres" | "postgresql") => "PostgreSQL",
        Some("mysql") => "MySQL",
        _ => "unknown kind",
    }
}
