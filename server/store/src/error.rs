//! Why the control database could not answer.

use sea_orm::DbErr;

/// An operation on the control database that failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It could not be opened.
    #[error(
        "opening the control database ({backend}) failed; check the address, the rights of the \
         folder or user, and that no other program holds it"
    )]
    Connect {
        /// Which kind of database; never the address, which may hold a password.
        backend: &'static str,
        /// The cause.
        #[source]
        source: DbErr,
    },
    /// A query or a change failed.
    #[error("{operation} in the control database failed")]
    Query {
        /// What was being done.
        operation: &'static str,
        /// The cause.
        #[source]
        source: DbErr,
    },
    /// A row holds what this program never writes.
    #[error(
        "the control database holds an impossible value: {what}; restore it from a copy, or \
         report this with the database file"
    )]
    Impossible {
        /// Table, column and value.
        what: String,
    },
}

/// The usual result of this crate.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// Names the operation that failed.
pub(crate) trait During<T> {
    fn during(self, operation: &'static str) -> Result<T>;
}

impl<T> During<T> for std::result::Result<T, DbErr> {
    fn during(self, operation: &'static str) -> Result<T> {
        self.map_err(|source| StoreError::Query { operation, source })
    }
}
