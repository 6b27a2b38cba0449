//! A tenant's files and the connections to them.
//!
//! POSIX locks belong to the process: closing any descriptor of the data file or of the wal-index
//! would drop the locks of every connection here. So both are opened once, by [`TenantFiles`], and
//! every connection keeps it alive; the descriptors close after the last connection.
//!
//! [`TenantFiles`] also keeps one connection of its own. Without it another program could be the last one to
//! close the tenant while we rest; it would delete the log and the wal-index, and our descriptors would
//! show for ever what no one writes to any more.

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
    sync::{Arc, Mutex},
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
    #[error("the data file {path} is {state}")]
    Lost { path: String, state: &'static str },
}

/// The descriptors that live as long as any connection to the tenant. Field order matters: the anchor closes first.
#[derive(Debug)]
pub(crate) struct TenantFiles {
    /// Has read once, and so holds a lock by which SQLite knows that somebody is there.
    _anchor: Mutex<Connection>,
    path: PathBuf,
    shm: File,
    data: File,
    wal: File,
}

/// A connection that keeps the descriptors alive. Field order matters: the connection closes first.
#[derive(Debug)]
pub(crate) struct TenantConnection {
    connection: Connection,
    files: Arc<TenantFiles>,
}

impl TenantFiles {
    /// Makes the data file of a new tenant at `path`, empty and in WAL mode.
    pub(crate) fn create(path: &Path) -> Result<(), OpenError> {
        File::create_new(path).map_err(|source| OpenError::Io {
            path: path.display().to_string(),
            source,
        })?;
        Self::open_any(path).map(drop)
    }

    /// Opens the tenant at `path`. One whose file is gone or was emptied is never begun anew: an
    /// empty tenant under its name would pass for it.
    pub(crate) fn open(path: &Path) -> Result<Arc<Self>, OpenError> {
        let lost = |state| OpenError::Lost {
            path: path.display().to_string(),
            state,
        };
        match std::fs::metadata(path) {
            // A data file has its first page from the moment it is in WAL mode.
            Ok(meta) if meta.len() == 0 => Err(lost("empty")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(lost("missing")),
            _ => Self::open_any(path),
        }
    }

    fn open_any(path: &Path) -> Result<Arc<Self>, OpenError> {
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
        let wal = open(beside(path, "-wal"))?;
        Ok(Arc::new(TenantFiles {
            _anchor: Mutex::new(first),
            path: path.to_owned(),
            shm,
            data,
            wal,
        }))
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

    /// The first of the tenant's files whose path no longer leads to what was opened. What is committed
    /// through a file at that path is nothing that our connections see.
    pub(crate) fn out_of_place(&self) -> Option<PathBuf> {
        let identity = |meta: std::fs::Metadata| (meta.dev(), meta.ino());
        let files = [
            (&self.data, self.path.clone()),
            (&self.wal, self.wal_path()),
            (&self.shm, beside(&self.path, "-shm")),
        ];
        let moved = |(opened, path): &(&File, PathBuf)| {
            let opened = opened.metadata().map(identity);
            let named = std::fs::metadata(path).map(identity);
            !matches!((opened, named), (Ok(a), Ok(b)) if a == b)
        };
        files.into_iter().find(moved).map(|(_, path)| path)
    }
}

impl TenantConnection {
    pub(crate) fn files(&self) -> &Arc<TenantFiles> {
        &self.files
    }

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
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
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
pub(crate) fn forbid_other_files(context: AuthContext<'_>) -> Authorization {
    match context.action {
        AuthAction::Attach { filename } if !filename.is_empty() => Authorization::Deny,
        // A file named by an expression, which SQLite does not tell; what it attaches for itself has the name "".
        AuthAction::Unknown {
            code: rusqlite::ffi::SQLITE_ATTACH,
            ..
        } => Authorization::Deny,
        _ => Authorization::Allow,
    }
}
