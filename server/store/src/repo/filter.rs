//! What a page asks for, as conditions and limits.

use crate::{
    convert::scn_column,
    entity::{job, log_archive},
};
use domain::{
    ClusterId,
    job::{JobKind, JobState},
    page::{PAGE_SIZE_MAX, Page, TaskFilter},
};
use sea_orm::Condition;

/// Rows of a page when nothing is said.
const PAGE_SIZE_DEFAULT: u32 = 10;

/// A page's number and size, made sane.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Slice {
    page: u32,
    size: u32,
}

impl Slice {
    /// Of what was asked for.
    pub(crate) fn of(filter: &TaskFilter) -> Slice {
        Slice::new(filter.page, filter.size)
    }

    /// The page of this number, from 1, with at most so many rows.
    pub(crate) fn new(page: u32, size: u32) -> Slice {
        let size = match size {
            0 => PAGE_SIZE_DEFAULT,
            size => size.min(PAGE_SIZE_MAX),
        };
        Slice {
            page: page.max(1),
            size,
        }
    }

    /// Rows to skip.
    pub(crate) fn offset(self) -> u64 {
        u64::from(self.page - 1) * u64::from(self.size)
    }

    /// Rows to take.
    pub(crate) fn limit(self) -> u64 {
        u64::from(self.size)
    }

    /// The page with these rows.
    pub(crate) fn page<T>(self, rows: Vec<T>, total: u64, total_unfiltered: u64) -> Page<T> {
        Page {
            rows,
            total,
            total_unfiltered,
            page: self.page,
            size: self.size,
        }
    }
}

/// All tasks of one kind in a cluster.
pub(crate) fn all_jobs(cluster: ClusterId, kind: JobKind) -> Condition {
    Condition::all()
        .add(job::COLUMN.cluster_id.eq(cluster.0))
        .add(job::COLUMN.kind.eq(kind.code()))
}

/// Of them, those that match.
pub(crate) fn jobs(cluster: ClusterId, kind: JobKind, filter: &TaskFilter) -> Condition {
    let states = (!filter.states.is_empty()).then(|| {
        job::COLUMN
            .state
            .is_in(filter.states.iter().map(|s: &JobState| s.code()))
    });
    let (asked, source) = match kind {
        JobKind::DataBackup => (filter.kind, filter.source),
        _ => (None, None),
    };
    all_jobs(cluster, kind)
        .add_option(
            filter
                .since
                .map(|at| job::COLUMN.created.gte(scn_column(at))),
        )
        .add_option(
            filter
                .until
                .map(|at| job::COLUMN.created.lt(scn_column(at))),
        )
        .add_option(filter.tenant.map(|id| job::COLUMN.tenant_id.eq(id.0)))
        .add_option(asked.map(|kind| job::COLUMN.asked.eq(kind.code())))
        .add_option(source.map(|source| job::COLUMN.source.eq(source.code())))
        .add_option(states)
}

/// The log archiving rows that match. Their time is the start of the round.
pub(crate) fn archives(cluster: ClusterId, filter: &TaskFilter) -> Condition {
    Condition::all()
        .add(log_archive::COLUMN.cluster_id.eq(cluster.0))
        .add_option(
            filter
                .since
                .map(|at| log_archive::COLUMN.started.gte(scn_column(at))),
        )
        .add_option(
            filter
                .until
                .map(|at| log_archive::COLUMN.started.lt(scn_column(at))),
        )
        .add_option(
            filter
                .tenant
                .map(|id| log_archive::COLUMN.tenant_id.eq(id.0)),
        )
}
