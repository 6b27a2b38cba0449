//! A tenant's files and the connections to them.
//!
//! POSIX locks belong to the process: closing any descriptor of the data file or of the wal-index
//! would drop the locks of every connection here. So both are opened once, by [`TenantFiles`], and
//! every connection keeps it alive; the descriptors close after the last connection.

use rusqlite::{
    Connection, OpenFlags,
    config::DbConfig,
    hooks::{AuthAction, AuthContext, Authorization},
};
use std::{
    fs::File,
    io,
    ops::Deref,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

/// How long a statement waits for another program's lock.
const BUSY_WAIT_MAX: Duration = Duration::from_secs(5);

/// Opening a tenant's files that failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    #[error("{path}: {source}")]
    Sqlite {
        path: String,
        source: rusqlite::Error,
    },
    #[error("{path}: {source}")]
    Io { path: String, source: io::Error },
    #[error(
        "{path} is not in WAL mode and cannot be put into it: it answered \"{mode}\"; close other programs that use it"
    )]
    NotWal { path: String, mode: String },
}

/// The descriptors that live as long as any connection to the tenant.
#[derive(Debug)]
pub(crate) struct TenantFiles {
    path: PathBuf,
    shm: File,
    data: File,
}

/// A connection that keeps the descriptors alive. Field order matters: the connection closes first.
#[derive(Debug)]
pub(crate) struct TenantConnection {
    connection: Connection,
    files: Arc<TenantFiles>,
}

impl TenantFiles {
    /// Opens the tenant at `path`, creating it when it is new, and puts it into WAL mode.
    pub(crate) fn open(path: &Path) -> Result<Arc<Self>, OpenError> {
        let text = || path.display().to_string();
        let sqlite = |source| OpenError::Sqlite {
            path: text(),
            source,
        };
        let first = connect(path).map_err(sqlite)?;
        let mode: String = first
            .query_row("PRAGMA journal_mode=WAL", [], |row| row.get(0))
            .map_err(sqlite)?;
        if mode != "wal" {
            return Err(OpenError::NotWal { path: text(), mode });
        }
        // The first read creates and, after a crash, rebuilds the wal-index.
        first
            .query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))
            .map_err(sqlite)?;
        let open = |path: PathBuf| {
            File::open(&path).map_err(|source| OpenError::Io {
                path: path.display().to_string(),
                source,
            })
        };
        let shm = open(beside(path, "-shm"))?;
        let data = open(path.to_owned())?;
        let files = Arc::new(TenantFiles {
            path: path.to_owned(),
            shm,
            data,
        });
        drop(TenantConnection {
            connection: first,
            files: Arc::clone(&files),
        });
        Ok(files)
    }

    /// One more connection.
    pub(crate) fn connect(self: &Arc<Self>) -> rusqlite::Result<TenantConnection> {
        Ok(TenantConnection {
            connection: connect(&self.path)?,
            files: Arc::clone(self),
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn shm(&self) -> &File {
        &self.shm
    }

    pub(crate) fn data(&self) -> &File {
        &self.data
    }

    /// Path of the write-ahead log. It carries no locks and may be opened and closed freely.
    pub(crate) fn wal_path(&self) -> PathBuf {
        beside(&self.path, "-wal")
    }

    /// Whether the path still leads to the file that was opened.
    pub(crate) fn is_in_place(&self) -> bool {
        let identity = |meta: std::fs::Metadata| (meta.dev(), meta.ino());
        let opened = self.data.metadata().map(identity);
        let named = std::fs::metadata(&self.path).map(identity);
        matches!((opened, named), (Ok(a), Ok(b)) if a == b)
    }
}

impl TenantConnection {
    pub(crate) fn shm(&self) -> &File {
        &self.files.shm
    }
}

impl Deref for TenantConnection {
    type Target = Connection;
    fn deref(&self) -> &Connection {
        &self.connection
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_WAIT_MAX)?;
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    // The log must survive our leaving: what stands in it may not be archived yet.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.authorizer(Some(forbid_other_files))?;
    Ok(connection)
}

/// Keeps SQL text inside its tenant: no other file may be attached or written by `VACUUM INTO`.
fn forbid_other_files(context: AuthContext<'_>) -> Authorization {
    match context.action {
        AuthAction::Attach { filename } if !filename.is_empty() => Authorization::Deny,
        _ => Authorization::Allow,
    }
}
