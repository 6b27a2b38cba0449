//! What a page asks for and gets: filters, pages of rows, and the whole of an overview.

use crate::{
    BackupSetId, Revision, Scn, TenantId,
    access::Role,
    backup::{BackupKind, TaskSource},
    cluster::ClusterSummary,
    job::JobState,
    recoverable::{Gap, RecoverableRange},
    tenant::TenantState,
};
use serde::{Deserialize, Serialize};

/// Most rows a page may hold.
pub const PAGE_SIZE_MAX: u32 = 50;

/// Rows of a list that are counted and can be turned to; one more in a total means that there are more.
pub const TOTAL_MAX: u64 = 10_000;

/// Which tasks to list, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TaskFilter {
    /// Only tasks asked for at or after it.
    pub since: Option<Scn>,
    /// Only tasks asked for before it.
    pub until: Option<Scn>,
    /// Only tasks in one of these states; empty means all.
    pub states: Vec<JobState>,
    /// Only tasks of this tenant.
    pub tenant: Option<TenantId>,
    /// Only data backups asked for as this kind.
    pub kind: Option<BackupKind>,
    /// Only data backups of this source.
    pub source: Option<TaskSource>,
    /// Only tasks that make or copy this set.
    pub set: Option<BackupSetId>,
    /// Only tasks with this number, or with this text in their directory, new name, outcome or failure.
    pub text: Option<String>,
    /// Oldest first instead of newest first.
    pub ascending: bool,
    /// Page number from 1.
    pub page: u32,
    /// Rows of a page: 10, 20 or 50.
    pub size: u32,
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page<T> {
    /// The rows of this page.
    pub rows: Vec<T>,
    /// Rows that match, on all pages; [`TOTAL_MAX`] and one when there are more.
    pub total: u64,
    /// Rows there are without any filter, counted alike; tells "nothing yet" from "nothing matches".
    pub total_unfiltered: u64,
    /// This page's number from 1.
    pub page: u32,
    /// Rows of a page.
    pub size: u32,
}

/// What the period of one tenant consists of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenantPeriod {
    /// The tenant's number.
    pub tenant: TenantId,
    /// Its name.
    pub name: String,
    /// Whether it is there.
    pub state: TenantState,
    /// The moments it can be recovered to.
    pub ranges: Vec<RecoverableRange>,
    /// The time between them, and why.
    pub gaps: Vec<Gap>,
    /// Its log checkpoint.
    pub checkpoint: Option<Scn>,
}

/// What a marker on a lane stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MarkerKind {
    /// A full set.
    Full,
    /// An incremental set.
    Incremental,
    /// A failed task.
    Failed,
    /// A task that runs.
    Running,
}

/// A data backup on the calendar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marker {
    /// Whose.
    pub tenant: TenantId,
    /// Its name.
    pub tenant_name: String,
    /// Kind.
    pub kind: MarkerKind,
    /// The set's minimum restore SCN, or the task's start.
    pub at: Scn,
    /// The set, if there is one.
    pub set: Option<BackupSetId>,
    /// The full set its chain begins with.
    pub full_set: Option<BackupSetId>,
}

/// The Available Recovery Period of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Period {
    /// Each tenant's, by name.
    pub tenants: Vec<TenantPeriod>,
    /// Data backups, ascending by moment.
    pub markers: Vec<Marker>,
}

/// Everything above the task tables.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overview {
    /// What the caller may do in this cluster.
    pub role: Role,
    /// Basic information.
    pub summary: ClusterSummary,
    /// Available Recovery Period.
    pub period: Period,
    /// The server's now; ages and delays are told against it.
    pub now: Scn,
    /// The console's revision this was read at; the feed goes on from it.
    pub rev: Revision,
}
