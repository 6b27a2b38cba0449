//! SQL through the engine: one writer connection a tenant, every commit stamped with its exact time.

use crate::{
    files::{TenantConnection, forbid_other_files},
    tenant::Tenant,
    wal_index,
};
use domain::Scn;
use engine::SqlResult;
use rusqlite::{
    Connection, ErrorCode,
    fallible_iterator::FallibleIterator,
    hooks::{AuthAction, AuthContext, Authorization, Wal},
    types::ValueRef,
};
use std::{
    cell::Cell,
    os::raw::c_int,
    sync::{Arc, PoisonError},
};

/// Rows that one statement may answer with.
const ROWS_MAX: usize = 10_000;
/// Settings that SQL text may change: they are part of the tenant's data, or put back after the text.
const SETTINGS: [&str; 7] = [
    "application_id",
    "auto_vacuum",
    "defer_foreign_keys",
    "foreign_keys",
    "incremental_vacuum",
    "optimize",
    "user_version",
];
/// Questions whose value only names what they ask about.
const QUESTIONS: [&str; 11] = [
    "data_version",
    "foreign_key_check",
    "foreign_key_list",
    "index_info",
    "index_list",
    "index_xinfo",
    "integrity_check",
    "quick_check",
    "table_info",
    "table_list",
    "table_xinfo",
];

/// SQL that failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SqlError {
    #[error("{0}")]
    Sqlite(#[from] rusqlite::Error),
    #[error("the text ends inside a transaction, which was rolled back; end it with COMMIT")]
    OpenTransaction,
    #[error("a statement answers with more than {ROWS_MAX} rows; add a LIMIT")]
    TooManyRows,
    #[error("reading the wal-index: {0}")]
    WalIndex(#[from] std::io::Error),
    #[error(
        "a statement reaches beyond this tenant's data: no other file can be attached or written, and of the settings \
         only {} can be changed here", SETTINGS.join(", ")
    )]
    Forbidden,
}

thread_local! {
    /// Last frame of the commit made on this thread since it was taken last.
    static COMMITTED: Cell<Option<u32>> = const { Cell::new(None) };
}

/// Called by SQLite on the committing thread, after the write lock is gone and before the caller gets its answer.
fn note_commit(_: &Wal, frames: c_int) -> rusqlite::Result<()> {
    COMMITTED.set(u32::try_from(frames).ok());
    Ok(())
}

/// Runs `sql`, one or more statements.
pub(crate) fn run(tenant: &Tenant, sql: &str) -> Result<Vec<SqlResult>, SqlError> {
    let mut writer = tenant.writer.lock().unwrap_or_else(PoisonError::into_inner);
    let connection = match &mut *writer {
        Some(connection) => connection,
        none => none.insert(open_writer(tenant)?),
    };
    let done = run_all(tenant, connection, sql);
    let is_open = !connection.is_autocommit();
    if is_open {
        connection.execute_batch("ROLLBACK")?;
    }
    // The connection serves everybody's text, one after the other.
    connection.pragma_update(None, "foreign_keys", true)?;
    match done {
        Err(SqlError::Sqlite(error)) if is_forbidden(&error) => Err(SqlError::Forbidden),
        Ok(_) if is_open => Err(SqlError::OpenTransaction),
        done => done,
    }
}

fn is_forbidden(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::AuthorizationForStatementDenied)
}

/// Keeps SQL text from other files, and from the settings that make every commit found and stamped.
fn keep_inside(context: AuthContext<'_>) -> Authorization {
    match context.action {
        AuthAction::Pragma {
            pragma_name,
            pragma_value: Some(_),
        } if !is_allowed(pragma_name) => Authorization::Deny,
        _ => forbid_other_files(context),
    }
}

fn is_allowed(pragma: &str) -> bool {
    let mut allowed = SETTINGS.iter().chain(&QUESTIONS);
    allowed.any(|name| pragma.eq_ignore_ascii_case(name))
}

fn open_writer(tenant: &Tenant) -> rusqlite::Result<TenantConnection> {
    let connection = tenant.files.connect()?;
    let stamps = Arc::clone(&tenant.stamps);
    // Announced only here, and not for the whole statement, so that nobody waits for a stamp while the
    // statement itself waits for another program's lock.
    connection.commit_hook(Some(move || {
        stamps.begin();
        false
    }))?;
    // After the automatic checkpoint was switched off, which would replace the hook.
    connection.wal_hook(Some(note_commit));
    connection.authorizer(Some(keep_inside))?;
    Ok(connection)
}

fn run_all(
    tenant: &Tenant,
    connection: &Connection,
    sql: &str,
) -> Result<Vec<SqlResult>, SqlError> {
    let mut results = Vec::new();
    let mut batch = rusqlite::Batch::new(connection, sql);
    while let Some(mut statement) = batch.next()? {
        COMMITTED.set(None);
        let ran = run_one(connection, &mut statement);
        let committed = COMMITTED.take().map(|end| stamp(tenant, end)).transpose();
        tenant.stamps.end();
        results.push(SqlResult {
            committed: committed?,
            ..ran?
        });
        tenant.wake.notify_one();
    }
    Ok(results)
}

/// Should the log have begun anew since the commit, the stamp finds no partner and the commit gets bounds instead.
fn stamp(tenant: &Tenant, end_frame: u32) -> Result<Scn, std::io::Error> {
    let salts = wal_index::published(tenant.files.shm())?.map(|published| published.salts);
    Ok(tenant.stamps.give(salts.unwrap_or_default(), end_frame))
}

fn run_one(
    connection: &Connection,
    statement: &mut rusqlite::Statement<'_>,
) -> Result<SqlResult, SqlError> {
    let columns: Vec<String> = statement
        .column_names()
        .into_iter()
        .map(str::to_owned)
        .collect();
    let before = connection.total_changes();
    let mut found = Vec::new();
    {
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next()? {
            if found.len() == ROWS_MAX {
                return Err(SqlError::TooManyRows);
            }
            let values: rusqlite::Result<Vec<Option<String>>> = (0..columns.len())
                .map(|i| row.get_ref(i).map(text))
                .collect();
            found.push(values?);
        }
    }
    let changes = connection.total_changes().saturating_sub(before);
    Ok(SqlResult {
        columns,
        rows: found,
        changes,
        committed: None,
    })
}

/// A value as people write it; blobs as `x'…'`.
fn text(value: ValueRef<'_>) -> Option<String> {
    match value {
        ValueRef::Null => None,
        ValueRef::Integer(number) => Some(number.to_string()),
        ValueRef::Real(number) => Some(number.to_string()),
        ValueRef::Text(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
        ValueRef::Blob(bytes) => {
            let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            Some(format!("x'{digits}'"))
        }
    }
}
