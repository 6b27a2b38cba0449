//! What views show of the world. Each row names more columns than a version may have; the contract picks.

mod archive;
mod backup;
mod cleanup;
mod cluster;
mod legacy;
mod legacy_cluster;
mod legacy_copies;
mod recover;
mod restore;
mod storage;

pub(crate) use archive::piece_path;
pub(crate) use cluster::parameters;

use crate::world::World;

/// A value of a row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Val {
    Null,
    Int(i64),
    Real(f64),
    Text(String),
    /// A moment in us.
    Moment(i64),
}

/// A row: values by upper-case column name.
pub(crate) type Row = Vec<(&'static str, Val)>;

impl From<i64> for Val {
    fn from(value: i64) -> Val {
        Val::Int(value)
    }
}

impl From<i32> for Val {
    fn from(value: i32) -> Val {
        Val::Int(i64::from(value))
    }
}

impl From<f64> for Val {
    fn from(value: f64) -> Val {
        Val::Real(value)
    }
}

impl From<&str> for Val {
    fn from(value: &str) -> Val {
        Val::Text(value.to_owned())
    }
}

impl From<String> for Val {
    fn from(value: String) -> Val {
        Val::Text(value)
    }
}

impl<T: Into<Val>> From<Option<T>> for Val {
    fn from(value: Option<T>) -> Val {
        value.map_or(Val::Null, Into::into)
    }
}

/// A row from pairs.
macro_rules! row {
    ($($name:literal => $value:expr),* $(,)?) => {
        vec![$(($name, crate::rows::Val::from($value))),*]
    };
}
pub(crate) use row;

/// A moment, or NULL.
fn moment(us: Option<i64>) -> Val {
    us.map_or(Val::Null, Val::Moment)
}

/// The local time of an SCN; NULL when it is not set.
fn display(scn: i64) -> Val {
    if scn == 0 {
        Val::Null
    } else {
        Val::Moment(scn / 1000)
    }
}

/// Bytes as views display them, never less than megabytes.
pub(crate) fn bytes(value: i64) -> String {
    let mut number = value as f64 / f64::from(1 << 20);
    for unit in ["MB", "GB", "TB"] {
        if number < 1024.0 {
            return format!("{number:.2}{unit}");
        }
        number /= 1024.0;
    }
    format!("{number:.2}PB")
}

/// The rows of a view by upper-case name, for a session of tenant `viewer`.
pub(crate) fn rows(world: &World, view: &str, viewer: i64) -> Vec<Row> {
    if let Some(name) = view.strip_prefix("DBA_OB_")
        && let Some(all) = tenant_rows(world, &format!("CDB_OB_{name}"))
    {
        return all
            .into_iter()
            .filter(|row| tenant_of(row) == Some(viewer))
            .collect();
    }
    if world.version().is_legacy() {
        return legacy::rows(world, view);
    }
    let rows = tenant_rows(world, view).unwrap_or_else(|| cluster::rows(world, view));
    if viewer == 1 {
        return rows;
    }
    rows.into_iter()
        .filter(|row| tenant_of(row).is_none_or(|t| t == viewer))
        .collect()
}

fn tenant_of(row: &Row) -> Option<i64> {
    row.iter().find_map(|(name, value)| match value {
        Val::Int(id) if *name == "TENANT_ID" => Some(*id),
        _ => None,
    })
}

fn tenant_rows(world: &World, view: &str) -> Option<Vec<Row>> {
    if world.version().is_legacy() {
        return None;
    }
    Some(match view {
        "CDB_OB_ARCHIVELOG" => archive::rounds(world, false),
        "CDB_OB_ARCHIVELOG_SUMMARY" => archive::rounds(world, true),
        "CDB_OB_ARCHIVELOG_PIECE_FILES" => archive::pieces(world),
        "CDB_OB_ARCHIVE_DEST" => archive::dests(world),
        "V$OB_ARCHIVE_DEST_STATUS" => archive::dest_status(world),
        "CDB_OB_LS_LOG_ARCHIVE_PROGRESS" => archive::streams(world),
        "CDB_OB_BACKUP_JOBS" => backup::jobs(world, false),
        "CDB_OB_BACKUP_JOB_HISTORY" => backup::jobs(world, true),
        "CDB_OB_BACKUP_TASKS" => backup::tasks(world, false),
        "CDB_OB_BACKUP_TASK_HISTORY" => backup::tasks(world, true),
        "CDB_OB_BACKUP_SET_FILES" => backup::sets(world),
        "CDB_OB_BACKUP_PARAMETER" => storage::parameters(world),
        "CDB_OB_BACKUP_STORAGE_INFO" => storage::info(world),
        "CDB_OB_BACKUP_DELETE_POLICY" => cleanup::policies(world),
        "CDB_OB_BACKUP_DELETE_JOBS" => cleanup::jobs(world, false),
        "CDB_OB_BACKUP_DELETE_JOB_HISTORY" => cleanup::jobs(world, true),
        "CDB_OB_BACKUP_DELETE_TASKS" => cleanup::tasks(world, false),
        "CDB_OB_BACKUP_DELETE_TASK_HISTORY" => cleanup::tasks(world, true),
        "CDB_OB_RESTORE_PROGRESS" => restore::progress(world),
        "CDB_OB_RESTORE_HISTORY" => restore::history(world),
        "CDB_OB_RECOVER_TABLE_JOBS" => recover::jobs(world, false),
        "CDB_OB_RECOVER_TABLE_JOB_HISTORY" => recover::jobs(world, true),
        "CDB_OB_IMPORT_TABLE_JOBS" => recover::imports(world, false),
        "CDB_OB_IMPORT_TABLE_JOB_HISTORY" => recover::imports(world, true),
        "CDB_OB_IMPORT_TABLE_TASKS" => recover::tables(world, false),
        "CDB_OB_IMPORT_TABLE_TASK_HISTORY" => recover::tables(world, true),
        _ => return None,
    })
}
