//! The cluster's home: its identity, its lock, and the directories of its tenants.
//!
//! ```text
//! <home>/cluster.json  cluster.lock
//! <home>/tenants/<id>_<name>/data.db  .engine/
//! <home>/restore/<job>/data.db        recoveries in progress, removed at the next start
//! ```

use crate::{durable, tenant::Identity};
use domain::{Scn, validate};
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::Arc,
};
use uuid::Uuid;

/// `cluster.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ClusterIdentity {
    pub(crate) format: u32,
    pub(crate) uuid: Uuid,
    pub(crate) name: String,
    /// Identity of the destination its backups go to, once there is one.
    pub(crate) destination: Option<Uuid>,
    /// The second destination, while one is used.
    #[serde(default)]
    pub(crate) second: Option<SecondIdentity>,
}

/// A second destination that was taken into use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SecondIdentity {
    pub(crate) uuid: Uuid,
    pub(crate) path: PathBuf,
}

/// The home of one cluster, locked for this process.
#[derive(Debug)]
pub(crate) struct Home {
    dir: PathBuf,
    lock: HomeLock,
}

/// The lock of a home, held until the last clone of it is gone.
#[derive(Debug, Clone)]
pub(crate) struct HomeLock {
    _file: Arc<File>,
}

/// Why a home cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HomeError {
    #[error("{path}: {source}")]
    Io { path: String, source: io::Error },
    #[error("{path} is used by another running Tidemark; stop it, or give another home")]
    Locked { path: String },
    #[error(
        "{path} belongs to cluster {found}, not to {adopted}; give another home, or open that cluster as it is"
    )]
    Another {
        path: String,
        found: Uuid,
        adopted: Uuid,
    },
    #[error(
        "{path} was written by a newer version of Tidemark (format {format}); use that version"
    )]
    Newer { path: String, format: u32 },
}

fn io_error(path: &Path) -> impl Fn(io::Error) -> HomeError + '_ {
    |source| HomeError::Io {
        path: path.display().to_string(),
        source,
    }
}

impl Home {
    /// Opens or makes the home in `dir` and locks it.
    pub(crate) fn open(
        dir: &Path,
        name: &str,
        new_uuid: Uuid,
    ) -> Result<(Self, ClusterIdentity), HomeError> {
        fs::create_dir_all(dir.join("tenants")).map_err(io_error(dir))?;
        let lock_path = dir.join("cluster.lock");
        let lock = File::create(&lock_path).map_err(io_error(&lock_path))?;
        if flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err() {
            return Err(HomeError::Locked {
                path: dir.display().to_string(),
            });
        }
        let home = Home {
            dir: dir.to_owned(),
            lock: HomeLock {
                _file: Arc::new(lock),
            },
        };
        let path = dir.join("cluster.json");
        let identity = match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map_err(io::Error::other)
                .map_err(io_error(&path))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let identity = ClusterIdentity {
                    format: 1,
                    uuid: new_uuid,
                    name: name.to_owned(),
                    destination: None,
                    second: None,
                };
                home.write_identity(&identity)?;
                identity
            }
            Err(error) => return Err(io_error(&path)(error)),
        };
        if identity.format > 1 {
            return Err(HomeError::Newer {
                path: path.display().to_string(),
                format: identity.format,
            });
        }
        home.clear_restores()?;
        Ok((home, identity))
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// The home's lock, for whatever works on its files.
    pub(crate) fn lock(&self) -> HomeLock {
        self.lock.clone()
    }

    pub(crate) fn write_identity(&self, identity: &ClusterIdentity) -> Result<(), HomeError> {
        let path = self.dir.join("cluster.json");
        let json = serde_json::to_vec_pretty(identity)
            .map_err(io::Error::other)
            .map_err(io_error(&path))?;
        durable::replace_file(&path, &json).map_err(io_error(&path))
    }

    /// Removes what recoveries of a dead process left; none of it was ever published.
    fn clear_restores(&self) -> Result<(), HomeError> {
        let dir = self.restores();
        match fs::remove_dir_all(&dir) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(io_error(&dir)(error));
            }
            _ => {}
        }
        fs::create_dir_all(&dir).map_err(io_error(&dir))
    }

    fn restores(&self) -> PathBuf {
        self.dir.join("restore")
    }

    fn tenants(&self) -> PathBuf {
        self.dir.join("tenants")
    }

    /// Directories of all tenants, by number.
    pub(crate) fn tenant_dirs(&self) -> Result<Vec<PathBuf>, HomeError> {
        let dir = self.tenants();
        let entries = fs::read_dir(&dir).map_err(io_error(&dir))?;
        let mut dirs: Vec<PathBuf> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.is_dir())
            .collect();
        dirs.sort();
        Ok(dirs)
    }

    /// A directory to build a tenant in; not yet a tenant.
    pub(crate) fn begin_tenant(&self, job: &str) -> Result<PathBuf, HomeError> {
        let dir = self.restores().join(job);
        fs::create_dir_all(&dir).map_err(io_error(&dir))?;
        Ok(dir)
    }

    /// Makes what was built in `built` a tenant, all at once.
    pub(crate) fn publish_tenant(
        &self,
        built: &Path,
        identity: &Identity,
    ) -> Result<PathBuf, HomeError> {
        identity.write(built).map_err(io_error(built))?;
        durable::sync_dir(built).map_err(io_error(built))?;
        let number = self.next_number()?;
        let dir = self
            .tenants()
            .join(format!("{number:04}_{}", identity.name));
        fs::rename(built, &dir).map_err(io_error(&dir))?;
        durable::sync_dir(&self.tenants()).map_err(io_error(&dir))?;
        Ok(dir)
    }

    /// Removes an unfinished tenant.
    pub(crate) fn discard(&self, built: &Path) {
        if let Err(error) = fs::remove_dir_all(built)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(path = %built.display(), %error, "not removed; the next start removes it");
        }
    }

    fn next_number(&self) -> Result<u32, HomeError> {
        let dir = self.tenants();
        let entries = fs::read_dir(&dir).map_err(io_error(&dir))?;
        let number = |entry: fs::DirEntry| {
            entry
                .file_name()
                .to_str()?
                .split('_')
                .next()?
                .parse::<u32>()
                .ok()
        };
        Ok(entries
            .filter_map(|entry| number(entry.ok()?))
            .max()
            .map_or(1, |last| last + 1))
    }
}

/// A new tenant's identity; `name` was checked at the edge and is checked again because it becomes a path.
pub(crate) fn new_identity(
    name: &str,
    uuid: Uuid,
    created: Scn,
) -> Result<Identity, validate::Violation> {
    let name = validate::name("tenant", name)?;
    Ok(Identity {
        format: 1,
        uuid,
        name,
        created,
        recovered: None,
        archive_stopped: None,
    })
}
