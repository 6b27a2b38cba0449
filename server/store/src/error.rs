//! Why the control database could not answer.

use crate::redact::Redacted;
use sea_orm::{
    ConnAcquireErr, DbErr, RuntimeErr, SqlErr, SqlxError, SqlxMySqlError, SqlxPostgresError,
    SqlxSqliteError,
};

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
        /// The cause, without the address.
        #[source]
        cause: Redacted,
    },
    /// Its disk is full.
    #[error(
        "{operation} in the control database failed because its disk is full; free some space \
         there and try again"
    )]
    Full {
        /// What was being done.
        operation: &'static str,
        /// The cause.
        #[source]
        source: DbErr,
    },
    /// It cannot be written.
    #[error(
        "{operation} in the control database failed because it is read-only; give this program \
         the right to write the file and its folder, or make the file system or server writable, \
         and try again"
    )]
    ReadOnly {
        /// What was being done.
        operation: &'static str,
        /// The cause.
        #[source]
        source: DbErr,
    },
    /// Another program or another request keeps it.
    #[error(
        "{operation} in the control database failed because it was locked for too long; end the \
         program that keeps it, or try again in a moment"
    )]
    Busy {
        /// What was being done.
        operation: &'static str,
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

impl StoreError {
    /// Whether nothing is wrong with the question: it will be answered once the way is free again.
    pub const fn may_pass(&self) -> bool {
        matches!(
            self,
            StoreError::Full { .. } | StoreError::ReadOnly { .. } | StoreError::Busy { .. }
        )
    }

    /// Whether a row was refused because one like it is there: somebody else was first.
    pub fn is_taken(&self) -> bool {
        matches!(self, StoreError::Query { source, .. }
            if matches!(source.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))))
    }

    fn new(operation: &'static str, source: DbErr) -> Self {
        match obstacle(&source) {
            Some(Obstacle::Full) => StoreError::Full { operation, source },
            Some(Obstacle::ReadOnly) => StoreError::ReadOnly { operation, source },
            Some(Obstacle::Busy) => StoreError::Busy { operation, source },
            None => StoreError::Query { operation, source },
        }
    }
}

/// The usual result of this crate.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// Names the operation that failed.
pub(crate) trait During<T> {
    fn during(self, operation: &'static str) -> Result<T>;
}

impl<T> During<T> for std::result::Result<T, DbErr> {
    fn during(self, operation: &'static str) -> Result<T> {
        self.map_err(|source| StoreError::new(operation, source))
    }
}

/// What a person has to move out of the way.
enum Obstacle {
    Full,
    ReadOnly,
    Busy,
}

fn obstacle(error: &DbErr) -> Option<Obstacle> {
    let cause = match error {
        DbErr::ConnectionAcquire(ConnAcquireErr::Timeout) => return Some(Obstacle::Busy),
        DbErr::Conn(RuntimeErr::SqlxError(cause))
        | DbErr::Exec(RuntimeErr::SqlxError(cause))
        | DbErr::Query(RuntimeErr::SqlxError(cause)) => cause,
        _ => return None,
    };
    let refused = match &**cause {
        SqlxError::PoolTimedOut => return Some(Obstacle::Busy),
        SqlxError::Database(refused) => refused,
        _ => return None,
    };
    if let Some(mysql) = refused.try_downcast_ref::<SqlxMySqlError>() {
        return mysql_obstacle(mysql.number());
    }
    let code = refused.code()?;
    if refused.try_downcast_ref::<SqlxSqliteError>().is_some() {
        return sqlite_obstacle(code.parse().ok()?);
    }
    if refused.try_downcast_ref::<SqlxPostgresError>().is_some() {
        return postgres_obstacle(&code);
    }
    None
}

/// By the primary code, which is the lowest byte of the extended one.
const fn sqlite_obstacle(code: u32) -> Option<Obstacle> {
    match code & 0xff {
        13 => Some(Obstacle::Full),
        8 => Some(Obstacle::ReadOnly),
        5 | 6 => Some(Obstacle::Busy),
        _ => None,
    }
}

/// Full disk or table; started read-only, super-read-only or in a read-only transaction; lock wait
/// timeout and deadlock.
const fn mysql_obstacle(number: u16) -> Option<Obstacle> {
    match number {
        1021 | 1114 => Some(Obstacle::Full),
        1290 | 1792 | 1836 => Some(Obstacle::ReadOnly),
        1205 | 1213 => Some(Obstacle::Busy),
        _ => None,
    }
}

/// Disk full; read-only transaction; lock not available, deadlock, too many connections.
fn postgres_obstacle(state: &str) -> Option<Obstacle> {
    match state {
        "53100" => Some(Obstacle::Full),
        "25006" => Some(Obstacle::ReadOnly),
        "55P03" | "40P01" | "53300" => Some(Obstacle::Busy),
        _ => None,
    }
}
