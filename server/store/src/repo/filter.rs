//! What a page asks for, as conditions and limits.

use super::job_page::asked_between;
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
use std::collections::BTreeSet;

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

/// Of them, those that match, in parts that do not overlap: one for each state that is asked for. A part of one tenant
/// names the tenant alone, so that no other index looks as good as the tenant's.
pub(crate) fn job_parts(cluster: ClusterId, kind: JobKind, filter: &TaskFilter) -> Vec<Condition> {
    let (asked, source) = match kind {
        JobKind::DataBackup => (filter.kind, filter.source),
        _ => (None, None),
    };
    let whose = match filter.tenant {
        Some(tenant) => Condition::all()
            .add(job::COLUMN.tenant_id.eq(tenant.0))
            .add(job::COLUMN.kind.eq(kind.code())),
        None => all_jobs(cluster, kind),
    };
    let all = whose
        .add(asked_between(filter.since, filter.until))
        .add_option(asked.map(|kind| job::COLUMN.asked.eq(kind.code())))
        .add_option(source.map(|source| job::COLUMN.source.eq(source.code())));
    if filter.states.is_empty() {
        return vec![all];
    }
    let states: BTreeSet<&str> = filter.states.iter().map(|s: &JobState| s.code()).collect();
    let part = |state: &str| all.clone().add(job::COLUMN.state.eq(state));
    states.into_iter().map(part).collect()
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
