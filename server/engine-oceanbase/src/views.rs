//! What is read from a cluster of version 4, and which of it this cluster has.
//!
//! Columns come and go between versions, so each view is asked for the columns it has, once, and what is missing is
//! not asked for. Everything is read as text: the cluster's own types are wider and change.

use crate::{link::Link, session::SqlFailure};
use std::collections::HashMap;

/// A view and the columns wanted of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum View {
    /// Tenants.
    Tenants,
    /// The current or last round of each tenant.
    Archive,
    /// Every round.
    Rounds,
    /// Pieces of log.
    Pieces,
    /// Where log goes.
    LogDestinations,
    /// Backup sets.
    Sets,
    /// Where data goes.
    DataDestinations,
    /// How long backups are kept.
    Policies,
    /// Data backups that run.
    Jobs,
    /// Data backups that ended.
    JobHistory,
    /// How far data backups are.
    Tasks,
    /// Recoveries that run.
    Restores,
    /// Recoveries that ended.
    RestoreHistory,
    /// What tenants take on servers.
    UnitsInUse,
    /// Sizes of units.
    UnitConfigs,
    /// Pools.
    Pools,
    /// Zones.
    Zones,
    /// What servers have, and what of it units take.
    Servers,
}

impl View {
    /// Every view that is read.
    pub const ALL: [View; 18] = [
        View::Tenants,
        View::Archive,
        View::Rounds,
        View::Pieces,
        View::LogDestinations,
        View::Sets,
        View::DataDestinations,
        View::Policies,
        View::Jobs,
        View::JobHistory,
        View::Tasks,
        View::Restores,
        View::RestoreHistory,
        View::UnitsInUse,
        View::UnitConfigs,
        View::Pools,
        View::Zones,
        View::Servers,
    ];

    /// Its name in the database `oceanbase`.
    pub const fn name(self) -> &'static str {
        match self {
            View::Tenants => "DBA_OB_TENANTS",
            View::Archive => "CDB_OB_ARCHIVELOG",
            View::Rounds => "CDB_OB_ARCHIVELOG_SUMMARY",
            View::Pieces => "CDB_OB_ARCHIVELOG_PIECE_FILES",
            View::LogDestinations => "CDB_OB_ARCHIVE_DEST",
            View::Sets => "CDB_OB_BACKUP_SET_FILES",
            View::DataDestinations => "CDB_OB_BACKUP_PARAMETER",
            View::Policies => "CDB_OB_BACKUP_DELETE_POLICY",
            View::Jobs => "CDB_OB_BACKUP_JOBS",
            View::JobHistory => "CDB_OB_BACKUP_JOB_HISTORY",
            View::Tasks => "CDB_OB_BACKUP_TASKS",
            View::Restores => "CDB_OB_RESTORE_PROGRESS",
            View::RestoreHistory => "CDB_OB_RESTORE_HISTORY",
            View::UnitsInUse => "GV$OB_UNITS",
            View::UnitConfigs => "DBA_OB_UNIT_CONFIGS",
            View::Pools => "DBA_OB_RESOURCE_POOLS",
            View::Zones => "DBA_OB_ZONES",
            View::Servers => "GV$OB_SERVERS",
        }
    }

    /// The columns wanted, where the version has them.
    const fn wanted(self) -> &'static [&'static str] {
        match self {
            View::Tenants => &[
                "TENANT_ID",
                "TENANT_NAME",
                "TENANT_TYPE",
                "STATUS",
                "IN_RECYCLEBIN",
                "LOCALITY",
                "PRIMARY_ZONE",
                "TENANT_ROLE",
                "LOG_MODE",
            ],
            View::Archive | View::Rounds => &[
                "TENANT_ID",
                "DEST_ID",
                "ROUND_ID",
                "STATUS",
                "START_SCN",
                "CHECKPOINT_SCN",
                "COMMENT",
                "PATH",
            ],
            View::Pieces => &[
                "TENANT_ID",
                "DEST_ID",
                "ROUND_ID",
                "PIECE_ID",
                "START_SCN",
                "CHECKPOINT_SCN",
                "END_SCN",
                "OUTPUT_BYTES",
                "FILE_STATUS",
            ],
            View::LogDestinations => &["TENANT_ID", "NAME", "VALUE"],
            View::Sets => &[
                "TENANT_ID",
                "BACKUP_SET_ID",
                "BACKUP_TYPE",
                "PREV_FULL_BACKUP_SET_ID",
                "PREV_INC_BACKUP_SET_ID",
                "STATUS",
                "FILE_STATUS",
                "PLUS_ARCHIVELOG",
                "START_REPLAY_SCN",
                "MIN_RESTORE_SCN",
                "INPUT_BYTES",
                "OUTPUT_BYTES",
                "PATH",
            ],
            View::DataDestinations => &["TENANT_ID", "NAME", "VALUE"],
            View::Policies => &["TENANT_ID", "POLICY_NAME", "RECOVERY_WINDOW"],
            View::Jobs | View::JobHistory => &[
                "TENANT_ID",
                "JOB_ID",
                "BACKUP_SET_ID",
                "BACKUP_TYPE",
                "STATUS",
                "RESULT",
                "COMMENT",
                "DESCRIPTION",
                "PATH",
            ],
            View::Tasks => &[
                "TENANT_ID",
                "JOB_ID",
                "STATUS",
                "MACRO_BLOCK_COUNT",
                "FINISH_MACRO_BLOCK_COUNT",
            ],
            View::Restores => &[
                "TENANT_ID",
                "RESTORE_TENANT_NAME",
                "RESTORE_TENANT_ID",
                "STATUS",
                "TOTAL_BYTES",
                "FINISH_BYTES",
                "DESCRIPTION",
            ],
            View::RestoreHistory => &[
                "TENANT_ID",
                "RESTORE_TENANT_NAME",
                "RESTORE_TENANT_ID",
                "STATUS",
                "FINISH_BYTES",
                "DESCRIPTION",
                "COMMENT",
            ],
            View::UnitsInUse => &["TENANT_ID", "ZONE", "DATA_DISK_IN_USE"],
            View::UnitConfigs => &[
                "UNIT_CONFIG_ID",
                "NAME",
                "MAX_CPU",
                "MEMORY_SIZE",
                "LOG_DISK_SIZE",
            ],
            View::Pools => &[
                "NAME",
                "TENANT_ID",
                "UNIT_COUNT",
                "UNIT_CONFIG_ID",
                "ZONE_LIST",
            ],
            View::Zones => &["ZONE", "STATUS", "REGION"],
            View::Servers => &[
                "ZONE",
                "CPU_CAPACITY_MAX",
                "CPU_ASSIGNED_MAX",
                "MEM_CAPACITY",
                "MEM_ASSIGNED",
                "LOG_DISK_CAPACITY",
                "LOG_DISK_ASSIGNED",
            ],
        }
    }

    /// Moments that are no SCN, read as us since the epoch so that no time zone matters.
    const fn wanted_times(self) -> &'static [&'static str] {
        match self {
            View::Sets => &["START_TIMESTAMP", "END_TIMESTAMP"],
            _ => &[],
        }
    }
}

/// The columns that this cluster has of each view; empty for a view that it lacks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Columns(HashMap<View, Vec<String>>);

impl Columns {
    /// Asks for the columns of every view.
    pub(crate) async fn of(link: &Link) -> Result<Self, SqlFailure> {
        let mut columns = HashMap::new();
        for view in View::ALL {
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
        Ok(Columns(columns))
    }

    /// Whether the cluster has the view.
    pub fn has(&self, view: View) -> bool {
        self.0.contains_key(&view)
    }

    /// Whether it has the column.
    pub fn has_column(&self, view: View, column: &str) -> bool {
        self.0
            .get(&view)
            .is_some_and(|columns| columns.iter().any(|it| it == column))
    }

    /// `SELECT` of what is wanted of a view and there; `rest` is the part after its name.
    pub fn select(&self, view: View, rest: &str) -> String {
        let mut parts: Vec<String> = Vec::new();
        for column in view.wanted().iter().filter(|it| self.has_column(view, it)) {
            parts.push((*column).to_owned());
        }
        for column in view
            .wanted_times()
            .iter()
            .filter(|it| self.has_column(view, it))
        {
            parts.push(format!("TIME_TO_USEC({column}) AS {column}"));
        }
        let space = if rest.is_empty() { "" } else { " " };
        format!(
            "SELECT {} FROM oceanbase.{}{space}{rest}",
            parts.join(", "),
            view.name()
        )
    }
}
