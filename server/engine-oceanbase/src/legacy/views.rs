//! What is read from a cluster before 4.0, and which of it this cluster has.

use crate::{link::Link, session::SqlFailure};
use std::collections::HashMap;

/// A view or table and the columns wanted of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LegacyView {
    /// Tenants.
    Tenants,
    /// The current or last round, a row for each tenant; that of tenant 1 is the cluster's.
    Archive,
    /// Every round.
    Rounds,
    /// Pieces of log, and copies of them.
    Pieces,
    /// Backup sets, and copies of them.
    Sets,
    /// Data backups, running and ended.
    Jobs,
    /// How far the running data backup is.
    Progress,
    /// Copies of sets that run.
    SetCopies,
    /// Copies of sets that ended.
    SetCopyHistory,
    /// How far copies of sets are.
    SetCopyTasks,
    /// Copies of log that run.
    LogCopies,
    /// Copies of log that ended.
    LogCopyHistory,
    /// Recoveries that run.
    Restores,
    /// Recoveries that ended.
    RestoreHistory,
    /// What tenants take on servers.
    Units,
    /// Sizes of units.
    UnitConfigs,
    /// Pools.
    Pools,
}

impl LegacyView {
    /// Everything that is read.
    pub const ALL: [LegacyView; 17] = [
        LegacyView::Tenants,
        LegacyView::Archive,
        LegacyView::Rounds,
        LegacyView::Pieces,
        LegacyView::Sets,
        LegacyView::Jobs,
        LegacyView::Progress,
        LegacyView::SetCopies,
        LegacyView::SetCopyHistory,
        LegacyView::SetCopyTasks,
        LegacyView::LogCopies,
        LegacyView::LogCopyHistory,
        LegacyView::Restores,
        LegacyView::RestoreHistory,
        LegacyView::Units,
        LegacyView::UnitConfigs,
        LegacyView::Pools,
    ];

    /// Its name in the database `oceanbase`.
    pub const fn name(self) -> &'static str {
        match self {
            LegacyView::Tenants => "__all_tenant",
            LegacyView::Archive => "CDB_OB_BACKUP_ARCHIVELOG",
            LegacyView::Rounds => "CDB_OB_BACKUP_ARCHIVELOG_SUMMARY",
            LegacyView::Pieces => "CDB_OB_BACKUP_PIECE_FILES",
            LegacyView::Sets => "CDB_OB_BACKUP_SET_FILES",
            LegacyView::Jobs => "CDB_OB_BACKUP_JOB_DETAILS",
            LegacyView::Progress => "CDB_OB_BACKUP_PROGRESS",
            LegacyView::SetCopies => "CDB_OB_BACKUP_BACKUPSET_JOB",
            LegacyView::SetCopyHistory => "CDB_OB_BACKUP_BACKUPSET_JOB_HISTORY",
            LegacyView::SetCopyTasks => "CDB_OB_BACKUP_BACKUPSET_TASK",
            LegacyView::LogCopies => "CDB_OB_BACKUP_BACKUPPIECE_JOB",
            LegacyView::LogCopyHistory => "CDB_OB_BACKUP_BACKUPPIECE_JOB_HISTORY",
            LegacyView::Restores => "CDB_OB_RESTORE_PROGRESS",
            LegacyView::RestoreHistory => "CDB_OB_RESTORE_HISTORY",
            LegacyView::Units => "gv$unit",
            LegacyView::UnitConfigs => "__all_unit_config",
            LegacyView::Pools => "__all_resource_pool",
        }
    }

    /// The columns wanted, where the version has them.
    const fn wanted(self) -> &'static [&'static str] {
        match self {
            LegacyView::Tenants => &[
                "TENANT_ID",
                "TENANT_NAME",
                "LOCALITY",
                "STATUS",
                "IN_RECYCLEBIN",
            ],
            LegacyView::Archive => &[
                "TENANT_ID",
                "LOG_ARCHIVE_ROUND",
                "STATUS",
                "MIN_FIRST_TIME",
                "MAX_NEXT_TIME",
            ],
            LegacyView::Rounds => &["TENANT_ID", "LOG_ARCHIVE_ROUND", "STATUS", "OUTPUT_BYTES"],
            LegacyView::Pieces => &[
                "TENANT_ID",
                "ROUND_ID",
                "BACKUP_PIECE_ID",
                "COPY_ID",
                "START_TS",
                "CHECKPOINT_TS",
                "FILE_STATUS",
            ],
            LegacyView::Sets => &[
                "TENANT_ID",
                "BS_KEY",
                "COPY_ID",
                "BACKUP_TYPE",
                "STATUS",
                "FILE_STATUS",
                "OUTPUT_BYTES",
            ],
            LegacyView::Jobs => &[
                "TENANT_ID",
                "BS_KEY",
                "BACKUP_TYPE",
                "STATUS",
                "INPUT_BYTES",
                "START_REPLAY_LOG_TS",
            ],
            LegacyView::Progress => &[
                "TENANT_ID",
                "BS_KEY",
                "BACKUP_TYPE",
                "STATUS",
                "MACRO_BLOCK_COUNT",
                "FINISH_MACRO_BLOCK_COUNT",
            ],
            LegacyView::SetCopies | LegacyView::SetCopyHistory => {
                &["JOB_ID", "BACKUP_SET_ID", "TYPE", "STATUS", "RESULT"]
            }
            LegacyView::SetCopyTasks => &[
                "JOB_ID",
                "BS_KEY",
                "TENANT_ID",
                "TOTAL_MACRO_BLOCK_COUNT",
                "FINISH_MACRO_BLOCK_COUNT",
            ],
            LegacyView::LogCopies | LegacyView::LogCopyHistory => {
                &["JOB_ID", "STATUS", "RESULT", "COMMENT"]
            }
            LegacyView::Restores | LegacyView::RestoreHistory => &[
                "JOB_ID",
                "TENANT_ID",
                "TENANT_NAME",
                "STATUS",
                "MACRO_BLOCK_COUNT",
                "FINISH_MACRO_BLOCK_COUNT",
                "INFO",
            ],
            LegacyView::Units => &["TENANT_ID", "ZONE"],
            LegacyView::UnitConfigs => &[
                "UNIT_CONFIG_ID",
                "MAX_CPU",
                "MIN_CPU",
                "MAX_MEMORY",
                "MIN_MEMORY",
                "MAX_IOPS",
                "MIN_IOPS",
                "MAX_DISK_SIZE",
                "MAX_SESSION_NUM",
            ],
            LegacyView::Pools => &[
                "NAME",
                "UNIT_COUNT",
                "UNIT_CONFIG_ID",
                "ZONE_LIST",
                "TENANT_ID",
            ],
        }
    }

    /// Moments with a type of their own, read as us since the epoch so that no time zone matters.
    const fn wanted_times(self) -> &'static [&'static str] {
        match self {
            LegacyView::Rounds => &["MIN_FIRST_TIME", "MAX_NEXT_TIME"],
            LegacyView::Sets => &["START_TIME", "COMPLETION_TIME"],
            _ => &[],
        }
    }
}

/// The columns that this cluster has of each view; empty for a view that it lacks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct LegacyColumns(HashMap<LegacyView, Vec<String>>);

impl LegacyColumns {
    /// Asks for the columns of every view.
    pub(crate) async fn of(link: &Link) -> Result<Self, SqlFailure> {
        let mut columns = HashMap::new();
        for view in LegacyView::ALL {
            let ask = format!("SHOW COLUMNS FROM oceanbase.{}", view.name());
            let found = match link.read(&ask).await {
                Ok(table) => table,
                // 1146: no such view. 942 and 5019 are said by older builds.
                Err(failure) if [1146, 942, 5019].iter().any(|code| failure.is_code(*code)) => {
                    continue;
                }
                Err(failure) => return Err(failure),
            };
            let names = found
                .iter()
                .filter_map(|row| row.text("Field").map(str::to_uppercase));
            columns.insert(view, names.collect());
        }
        Ok(LegacyColumns(columns))
    }

    /// Whether the cluster has the view.
    pub(crate) fn has(&self, view: LegacyView) -> bool {
        self.0.contains_key(&view)
    }

    /// `SELECT` of what is wanted of a view and there; `rest` is the part after its name.
    pub(crate) fn select(&self, view: LegacyView, rest: &str) -> String {
        let has = |column: &&&str| {
            let columns = self.0.get(&view);
            columns.is_some_and(|columns| columns.iter().any(|it| it == **column))
        };
        let plain = view.wanted().iter().filter(has);
        let mut parts: Vec<String> = plain.map(|column| (*column).to_owned()).collect();
        let times = view.wanted_times().iter().filter(has);
        parts.extend(times.map(|column| format!("TIME_TO_USEC({column}) AS {column}")));
        let space = if rest.is_empty() { "" } else { " " };
        format!(
            "SELECT {} FROM oceanbase.{}{space}{rest}",
            parts.join(", "),
            view.name()
        )
    }
}
