//! What a page asks for, as conditions and limits.

use super::job_page::asked_between;
use crate::{
    convert::scn_column,
    entity::{job, log_archive},
};
use domain::{
    ClusterId,
    backup::{BackupKind, TaskSource},
    job::{JobKind, JobState},
    page::{PAGE_SIZE_MAX, Page, TaskFilter},
};
use sea_orm::{
    Condition,
    sea_query::{Expr, Func, IntoColumnRef, LikeExpr},
};

/// Escapes what means something in a pattern, on every backend.
const ESCAPE: char = '!';
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

/// Of them, those that match, in parts that do not overlap. Each part is answered by one index, in order: those of a
/// tenant by the tenant's, without naming the cluster, so that no other looks as good; those of a state, a kind of
/// backup or a source by the one that begins with all three, and so every part names all three.
pub(crate) fn job_parts(cluster: ClusterId, kind: JobKind, filter: &TaskFilter) -> Vec<Condition> {
    let is_backup = kind == JobKind::DataBackup;
    let asked = filter.kind.filter(|_| is_backup);
    let source = filter.source.filter(|_| is_backup);
    let between = asked_between(filter.since, filter.until);
    if let Some(tenant) = filter.tenant {
        let states = filter.states.iter().map(|state| state.code());
        let of_tenant = told(kind, filter)
            .add(job::COLUMN.tenant_id.eq(tenant.0))
            .add(job::COLUMN.kind.eq(kind.code()))
            .add(between)
            .add_option((!filter.states.is_empty()).then(|| job::COLUMN.state.is_in(states)))
            .add_option(asked.map(|kind| job::COLUMN.asked.eq(kind.code())))
            .add_option(source.map(|source| job::COLUMN.source.eq(source.code())));
        return vec![of_tenant];
    }
    let all = all_jobs(cluster, kind).add(between).add(told(kind, filter));
    if filter.states.is_empty() && asked.is_none() && source.is_none() {
        return vec![all];
    }
    let states = JobState::ALL.into_iter();
    let states = states.filter(|state| filter.states.is_empty() || filter.states.contains(state));
    let what = match is_backup {
        true => backups_of(asked, source),
        false => vec![
            Condition::all()
                .add(job::COLUMN.asked.is_null())
                .add(job::COLUMN.source.is_null()),
        ],
    };
    let part = |state: JobState| all.clone().add(job::COLUMN.state.eq(state.code()));
    states
        .flat_map(|state| what.iter().map(move |what| (state, what)))
        .map(|(state, what)| part(state).add(what.clone()))
        .collect()
}

/// What has to be looked for in the rows themselves: a set, a text.
fn told(kind: JobKind, filter: &TaskFilter) -> Condition {
    let set = match kind {
        JobKind::SecondData => job::COLUMN.copy_set,
        _ => job::COLUMN.set_id,
    };
    let text = filter.text.as_deref().map(str::trim).unwrap_or_default();
    let texts = [
        job::Column::Location,
        job::Column::NewName,
        job::Column::Outcome,
        job::Column::Failure,
    ];
    let texts = texts.map(|column| contains(column, text));
    let found = texts.into_iter().fold(Condition::any(), Condition::add);
    let number = text.parse::<i64>().ok();
    Condition::all()
        .add_option(filter.set.map(|id| set.eq(id.0)))
        .add_option(
            (!text.is_empty())
                .then(|| found.add_option(number.map(|number| job::COLUMN.id.eq(number)))),
        )
}

/// Whether a column has `text` in it, whatever the case of its letters.
pub(crate) fn contains(column: impl IntoColumnRef, text: &str) -> Expr {
    use sea_orm::ExprTrait as _;
    let mut pattern = String::from("%");
    for letter in text.to_lowercase().chars() {
        if matches!(letter, '%' | '_' | ESCAPE) {
            pattern.push(ESCAPE);
        }
        pattern.push(letter);
    }
    pattern.push('%');
    Expr::expr(Func::lower(Expr::col(column))).like(LikeExpr::new(pattern).escape(ESCAPE))
}

/// Backups of each kind and source that is meant, where `None` means each one.
fn backups_of(asked: Option<BackupKind>, source: Option<TaskSource>) -> Vec<Condition> {
    let kinds = BackupKind::ALL.into_iter();
    let sources = TaskSource::ALL.into_iter();
    let pairs = kinds.flat_map(|kind| sources.clone().map(move |source| (kind, source)));
    pairs
        .filter(|(kind, _)| asked.is_none_or(|asked| asked == *kind))
        .filter(|(_, from)| source.is_none_or(|source| source == *from))
        .map(|(kind, source)| {
            Condition::all()
                .add(job::COLUMN.asked.eq(kind.code()))
                .add(job::COLUMN.source.eq(source.code()))
        })
        .collect()
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
