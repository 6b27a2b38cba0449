//! The console's home directory: one server at a time, and how commands find it.

use serde::{Deserialize, Serialize};
use std::{
    fs::{DirBuilder, File, OpenOptions, Permissions},
    io::{self, Read, Seek, Write},
    net::SocketAddr,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

/// Name of the lock file in a home.
const LOCK_FILE: &str = "tidemark.lock";
/// Name of the token file in a home.
const TOKEN_FILE: &str = "token";

/// A home that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    /// Another server has it.
    #[error(
        "the home {} is in use by another tidemark server (process {pid}); stop that one, or choose \
         another --home", home.display()
    )]
    InUse {
        /// The home.
        home: PathBuf,
        /// The other server's process.
        pid: String,
    },
    /// The file system refused.
    #[error("the home {} cannot be used: {operation} failed: {cause}", home.display())]
    Io {
        /// The home.
        home: PathBuf,
        /// What was tried.
        operation: &'static str,
        /// Why it failed.
        cause: io::Error,
    },
    /// Nobody serves it.
    #[error(
        "no tidemark server runs with the home {}; start one with `tidemark serve --home {}`, or name the \
         home of the running one with --home", home.display(), home.display()
    )]
    NotServed {
        /// The home.
        home: PathBuf,
    },
}

/// What the token file says: where the server is and what it wants to see.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Door {
    /// Where it listens.
    pub address: SocketAddr,
    /// What a command shows.
    pub token: String,
}

impl std::fmt::Debug for Door {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Door {{ address: {}, token: not shown }}", self.address)
    }
}

/// A home held by this process until it is dropped.
#[derive(Debug)]
pub struct Home {
    path: PathBuf,
    /// Holds the lock; the kernel releases it with the process, however that ends.
    _lock: File,
}

impl Home {
    /// Makes the directory if needed and takes it for this process.
    pub fn take(path: &Path) -> Result<Home, HomeError> {
        let failed = |operation| move |cause| io_error(path, operation, cause);
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(failed("making the directory"))?;
        let path = path
            .canonicalize()
            .map_err(failed("finding the directory"))?;
        let failed = |operation| {
            let path = path.clone();
            move |cause| io_error(&path, operation, cause)
        };
        let mut lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path.join(LOCK_FILE))
            .map_err(failed("opening the lock file"))?;
        if let Err(refused) =
            rustix::fs::flock(&lock, rustix::fs::FlockOperation::NonBlockingLockExclusive)
        {
            if refused != rustix::io::Errno::WOULDBLOCK {
                return Err(failed("locking")(refused.into()));
            }
            let mut pid = String::new();
            let _ = lock.read_to_string(&mut pid);
            return Err(HomeError::InUse {
                home: path,
                pid: pid.trim().to_owned(),
            });
        }
        lock.set_len(0)
            .and_then(|()| lock.rewind())
            .and_then(|()| writeln!(lock, "{}", std::process::id()))
            .map_err(failed("writing the lock file"))?;
        Ok(Home { path, _lock: lock })
    }

    /// The directory, absolute and without links.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes how commands find the server; readable by the owner only from its first byte on.
    pub fn open_door(&self, door: &Door) -> Result<(), HomeError> {
        let failed = |operation| move |cause| io_error(&self.path, operation, cause);
        let staging = self.path.join("token.new");
        let text = serde_json::to_string(door).expect("invariant: an address and a token are JSON");
        let _ = std::fs::remove_file(&staging);
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&staging)
            .map_err(failed("making the token file"))?;
        // An unusual umask could have taken away the owner's own right.
        file.set_permissions(Permissions::from_mode(0o600))
            .and_then(|()| writeln!(file, "{text}"))
            .and_then(|()| file.sync_all())
            .and_then(|()| std::fs::rename(&staging, self.path.join(TOKEN_FILE)))
            .map_err(failed("writing the token file"))
    }

    /// Removes the token file, so that commands say that nobody serves.
    pub fn close_door(&self) {
        let _ = std::fs::remove_file(self.path.join(TOKEN_FILE));
    }
}

/// How to reach the server of a home, if one runs.
pub fn find_door(home: &Path) -> Result<Door, HomeError> {
    let absolute = std::path::absolute(home).unwrap_or_else(|_| home.to_owned());
    match std::fs::read_to_string(home.join(TOKEN_FILE)) {
        Ok(text) => {
            serde_json::from_str(&text).map_err(|_| HomeError::NotServed { home: absolute })
        }
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => {
            Err(HomeError::NotServed { home: absolute })
        }
        Err(cause) => Err(io_error(&absolute, "reading the token file", cause)),
    }
}

fn io_error(home: &Path, operation: &'static str, cause: io::Error) -> HomeError {
    HomeError::Io {
        home: home.to_owned(),
        operation,
        cause,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn door() -> Door {
        Door {
            address: "127.0.0.1:3000".parse().unwrap(),
            token: "secret-word".to_owned(),
        }
    }

    #[test]
    fn a_second_server_is_refused_and_told_who_has_it() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::take(folder.path()).unwrap();
        let refused = Home::take(folder.path()).unwrap_err().to_string();
        assert!(
            refused.contains(&format!("process {}", std::process::id())),
            "{refused}"
        );
        drop(home);
        assert!(Home::take(folder.path()).is_ok());
    }

    #[test]
    fn the_token_file_is_for_the_owner_only_and_is_never_printed() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::take(folder.path()).unwrap();
        assert!(matches!(
            find_door(folder.path()),
            Err(HomeError::NotServed { .. })
        ));
        home.open_door(&door()).unwrap();
        home.open_door(&door()).unwrap();
        let mode = std::fs::metadata(folder.path().join(TOKEN_FILE))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(find_door(folder.path()).unwrap(), door());
        assert!(!format!("{:?}", door()).contains("secret-word"));
        home.close_door();
        assert!(matches!(
            find_door(folder.path()),
            Err(HomeError::NotServed { .. })
        ));
    }

    #[test]
    fn a_home_that_is_a_file_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("plain");
        std::fs::write(&file, "x").unwrap();
        let refused = Home::take(&file).unwrap_err().to_string();
        assert!(
            refused.contains("plain") && refused.contains("making the directory"),
            "{refused}"
        );
    }
}
