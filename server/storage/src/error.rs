//! The error of every call to a destination.

use std::io;

/// A call to a destination that failed: which operation, on what, and the way forward.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The destination's directory is not there.
    #[error(
        "{operation} {what}: the directory does not exist; create it, or mount the disk it is on"
    )]
    Missing {
        /// What was tried.
        operation: &'static str,
        /// Directory.
        what: String,
    },
    /// Something stands where the destination's directory should be.
    #[error("{operation} {what}: it is not a directory; give the path of a directory")]
    NotDirectory {
        /// What was tried.
        operation: &'static str,
        /// Path.
        what: String,
    },
    /// Writing is not permitted.
    #[error(
        "{operation} {what}: the destination cannot be written ({cause}); remount it writable, or give the account that runs Tidemark the right to write there"
    )]
    ReadOnly {
        /// What was tried.
        operation: &'static str,
        /// Object or directory.
        what: String,
        /// The system's answer.
        cause: io::Error,
    },
    /// No space is left.
    #[error("{operation} {what}: the destination is full{}; free some space there", space(*.needed, *.free))]
    Full {
        /// What was tried.
        operation: &'static str,
        /// Object.
        what: String,
        /// Bytes it takes, when known.
        needed: Option<u64>,
        /// Bytes that are free, when known.
        free: Option<u64>,
    },
    /// The directory holds files of something else.
    #[error(
        "{operation} {what}: the directory is not empty and not made by Tidemark (it holds \"{found}\"); give an empty directory, or a new one"
    )]
    ForeignContents {
        /// What was tried.
        operation: &'static str,
        /// Directory.
        what: String,
        /// One thing that is in it.
        found: String,
    },
    /// The destination was made by a newer version.
    #[error(
        "{operation} {what}: the destination has format {found}, this version of Tidemark knows formats up to {known}; use a newer version"
    )]
    NewerFormat {
        /// What was tried.
        operation: &'static str,
        /// Directory.
        what: String,
        /// Its format.
        found: u32,
        /// The newest format known here.
        known: u32,
    },
    /// Another directory than the one opened is at the same path.
    #[error(
        "{operation} {what}: this is not the destination that was opened ({found}); put the original back, perhaps its disk is not mounted"
    )]
    Swapped {
        /// What was tried.
        operation: &'static str,
        /// Directory.
        what: String,
        /// What is there instead.
        found: String,
    },
    /// The key is taken; objects are never replaced.
    #[error("{operation} {what}: an object of this name exists already and is never replaced")]
    AlreadyExists {
        /// What was tried.
        operation: &'static str,
        /// Object.
        what: String,
    },
    /// No such object.
    #[error("{operation} {what}: there is no such object at the destination")]
    NotFound {
        /// What was tried.
        operation: &'static str,
        /// Object.
        what: String,
    },
    /// The content is not what was written.
    #[error(
        "{operation} {what}: the object is damaged ({reason}); use another copy of it if there is one"
    )]
    Corrupt {
        /// What was tried.
        operation: &'static str,
        /// Object.
        what: String,
        /// What does not fit.
        reason: String,
    },
    /// A key or a manifest that cannot be stored; a fault of the caller.
    #[error("{operation} {what}: {reason}")]
    Invalid {
        /// What was tried.
        operation: &'static str,
        /// Object.
        what: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The system answered with some other error.
    #[error("{operation} {what}: {cause}; check the disk or the connection to it")]
    Io {
        /// What was tried.
        operation: &'static str,
        /// Object or directory.
        what: String,
        /// The system's answer.
        cause: io::Error,
    },
}

fn space(needed: Option<u64>, free: Option<u64>) -> String {
    use domain::size::bytes;
    match (needed, free) {
        (Some(needed), Some(free)) => format!(" ({} needed, {} free)", bytes(needed), bytes(free)),
        (Some(needed), None) => format!(" ({} needed)", bytes(needed)),
        (None, Some(free)) => format!(" ({} free)", bytes(free)),
        (None, None) => String::new(),
    }
}

impl StorageError {
    /// Whether the same call may succeed later without being changed: the disk came back or was emptied.
    pub const fn is_transient(&self) -> bool {
        matches!(
            self,
            StorageError::Missing { .. }
                | StorageError::ReadOnly { .. }
                | StorageError::Full { .. }
                | StorageError::Swapped { .. }
                | StorageError::Io { .. }
        )
    }

    /// Whether it says that an object is not there.
    pub const fn is_not_found(&self) -> bool {
        matches!(self, StorageError::NotFound { .. })
    }

    /// The error behind an [`io::Error`] that came out of an [`ObjectWriter`](crate::ObjectWriter)
    /// or a reader, or else what the system's answer means.
    pub fn from_io(operation: &'static str, what: impl Into<String>, error: io::Error) -> Self {
        if error
            .get_ref()
            .is_some_and(|inner| inner.is::<StorageError>())
        {
            let inner = error
                .into_inner()
                .expect("invariant: looked at one line above");
            return *inner
                .downcast()
                .expect("invariant: its type was looked at above");
        }
        let what = what.into();
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StorageError::Full {
                operation,
                what,
                needed: None,
                free: None,
            },
            io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => {
                StorageError::ReadOnly {
                    operation,
                    what,
                    cause: error,
                }
            }
            io::ErrorKind::NotFound => StorageError::NotFound { operation, what },
            io::ErrorKind::AlreadyExists => StorageError::AlreadyExists { operation, what },
            _ => StorageError::Io {
                operation,
                what,
                cause: error,
            },
        }
    }

    /// The same error in the shape that [`std::io::Write`] and [`std::io::Read`] ask for.
    pub(crate) fn into_io(self) -> io::Error {
        let kind = match &self {
            StorageError::Full { .. } => io::ErrorKind::StorageFull,
            StorageError::ReadOnly { .. } => io::ErrorKind::PermissionDenied,
            _ => io::ErrorKind::Other,
        };
        io::Error::new(kind, self)
    }
}
