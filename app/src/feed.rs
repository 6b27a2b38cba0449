//! The page-wide live store: what the page of one cluster shows, and how a delta is patched into it.
//!
//! Each row and each fact is its own signal, so a delta re-renders the cells that changed and nothing
//! else: rows, heights and focus stay where they are.

use crate::{
    api::{self, ApiError},
    live::{
        poll::{Poll, use_poll},
        time::{Clock, wall_ms},
    },
    signal::{ArcRwSignal, RwSignal},
};
use domain::{
    Revision, Scn,
    access::Role,
    archive::{ArchiveState, LogArchive},
    backup::BackupJob,
    cluster::ClusterSummary,
    feed::Delta,
    job::JobKind,
    page::{Overview, Period},
    recovery::RecoveryJob,
    second_backup::SecondLog,
    task::Task,
};
use leptos::prelude::*;

/// Between two questions while something runs, in milliseconds.
pub const ACTIVE_MS: u32 = 2_000;
/// Between two questions while nothing runs, in milliseconds.
pub const IDLE_MS: u32 = 20_000;
/// Missed answers after which the page says that it is not connected.
pub const MISSED_MAX: u32 = 2;

/// Something a task table shows, with an identity that survives changes.
pub trait LiveItem: Clone + PartialEq + Send + Sync + 'static {
    /// Its identity within its table.
    fn key(&self) -> i64;
    /// Whether it is going on.
    fn is_active(&self) -> bool;
}

impl LiveItem for BackupJob {
    fn key(&self) -> i64 {
        self.id.0
    }
    fn is_active(&self) -> bool {
        !self.state.is_final()
    }
}

impl LiveItem for RecoveryJob {
    fn key(&self) -> i64 {
        self.id.0
    }
    fn is_active(&self) -> bool {
        !self.state.is_final()
    }
}

impl LiveItem for Task {
    fn key(&self) -> i64 {
        self.id.0
    }
    fn is_active(&self) -> bool {
        !self.state.is_final()
    }
}

impl LiveItem for SecondLog {
    fn key(&self) -> i64 {
        self.tenant.0
    }
    fn is_active(&self) -> bool {
        false
    }
}

impl LiveItem for LogArchive {
    fn key(&self) -> i64 {
        self.tenant.0
    }
    fn is_active(&self) -> bool {
        !matches!(self.state, ArchiveState::Doing | ArchiveState::Stop)
    }
}

/// A row of a table: an identity that stays and a value that changes.
#[derive(Clone)]
pub struct Row<T> {
    /// Its identity.
    pub key: i64,
    /// What it shows now.
    pub value: ArcRwSignal<T>,
}

/// The rows of the page of a table that is shown.
pub struct Rows<T> {
    list: RwSignal<Vec<Row<T>>>,
    unseen: RwSignal<Vec<i64>>,
    takes_new: StoredValue<bool>,
}

impl<T> Clone for Rows<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Rows<T> {}

impl<T: LiveItem> Rows<T> {
    fn new() -> Self {
        Rows {
            list: RwSignal::new(Vec::new()),
            unseen: RwSignal::new(Vec::new()),
            takes_new: StoredValue::new(false),
        }
    }

    /// Shows a page of rows that was read afresh. `takes_new` says whether a new row may appear on
    /// top by itself: only on the first page, unfiltered, newest first.
    pub fn load(&self, rows: Vec<T>, takes_new: bool) {
        self.takes_new.set_value(takes_new);
        self.unseen.set(Vec::new());
        self.list.set(rows.into_iter().map(row).collect());
    }

    /// The rows. Tracks which rows there are, not what they show.
    pub fn list(&self) -> Vec<Row<T>> {
        self.list.get()
    }

    /// New rows that are not shown. Tracked.
    pub fn unseen(&self) -> usize {
        self.unseen.read().len()
    }

    /// How many of the rows are going on. Tracked.
    pub fn active(&self) -> usize {
        let list = self.list.read();
        list.iter()
            .filter(|row| row.value.read().is_active())
            .count()
    }

    /// Patches changed rows in place, and takes or counts new ones.
    fn patch(&self, changed: Vec<T>) {
        for item in changed {
            let key = item.key();
            let known = self.list.with_untracked(|list| {
                list.iter()
                    .find(|row| row.key == key)
                    .map(|row| row.value.clone())
            });
            match known {
                Some(value) if value.with_untracked(|old| *old == item) => {}
                Some(value) => value.set(item),
                None if self.takes_new.get_value() => {
                    self.list.update(|list| list.insert(0, row(item)));
                }
                None => self.unseen.update(|unseen| {
                    if item.is_active() && !unseen.contains(&key) {
                        unseen.push(key);
                    }
                }),
            }
        }
    }
}

fn row<T: LiveItem>(item: T) -> Row<T> {
    Row {
        key: item.key(),
        value: ArcRwSignal::new(item),
    }
}

/// The live store of one cluster's page.
#[derive(Clone, Copy)]
pub struct Feed {
    cluster: StoredValue<String>,
    rev: StoredValue<Revision>,
    summary: RwSignal<ClusterSummary>,
    period: RwSignal<Period>,
    active: RwSignal<bool>,
    read_at: RwSignal<(Scn, Option<f64>)>,
    alerts: RwSignal<Revision>,
    now: Signal<Scn>,
    role: Role,
    signed_out: RwSignal<bool>,
    poll: Poll,
    /// Rows of "Data Backup Tasks".
    pub backups: Rows<BackupJob>,
    /// Rows of "Log Backup Tasks".
    pub archives: Rows<LogArchive>,
    /// Rows of "Recovery Tasks".
    pub recoveries: Rows<RecoveryJob>,
    /// Rows of "Second Data Backup".
    pub second_data: Rows<Task>,
    /// Rows of "Second Log Backup".
    pub second_logs: Rows<SecondLog>,
    /// Rows of "Cleanup Tasks".
    pub cleanups: Rows<Task>,
}

impl Feed {
    /// Goes on from what was read, provides itself to everything below, and keeps asking in the browser.
    pub fn start(cluster: String, overview: Overview) -> Feed {
        let clock = Clock::current();
        let active = RwSignal::new(overview.summary.tasks_active > 0);
        let read_at = RwSignal::new((overview.now, None::<f64>));
        let now = Signal::derive(move || {
            let (read, at) = read_at.get();
            match (clock.wall_ms(), at) {
                (Some(wall), Some(at)) => read.plus_ns(((wall - at).max(0.0) * 1e6) as u64),
                _ => read,
            }
        });
        Effect::new(move |_| {
            if read_at.with_untracked(|(_, at)| at.is_none()) {
                read_at.update(|(_, at)| *at = Some(wall_ms()));
            }
        });
        let every_ms = Signal::derive(move || if active.get() { ACTIVE_MS } else { IDLE_MS });
        let (cluster, rev) = (StoredValue::new(cluster), StoredValue::new(overview.rev));
        let delta = StoredValue::new(None::<Callback<(Delta,)>>);
        let signed_out = RwSignal::new(false);
        let poll = use_poll(every_ms, move || async move {
            let question = api::feed::since(cluster.get_value(), rev.get_value());
            match (question.await, delta.try_get_value().flatten()) {
                (Ok(answer), Some(apply)) => {
                    apply.run((answer,));
                    true
                }
                (Err(ApiError::SignedOut), _) => {
                    signed_out.try_set(true);
                    false
                }
                _ => false,
            }
        });
        let feed = Feed {
            cluster,
            rev,
            summary: RwSignal::new(overview.summary),
            period: RwSignal::new(overview.period),
            active,
            read_at,
            alerts: RwSignal::new(overview.rev),
            now,
            role: overview.role,
            signed_out,
            poll,
            backups: Rows::new(),
            archives: Rows::new(),
            recoveries: Rows::new(),
            second_data: Rows::new(),
            second_logs: Rows::new(),
            cleanups: Rows::new(),
        };
        delta.set_value(Some(Callback::new(move |(answer,)| feed.apply(answer))));
        provide_context(feed);
        feed
    }

    /// The live store of the page.
    pub fn current() -> Feed {
        expect_context::<Feed>()
    }

    /// The cluster's name.
    pub fn cluster(&self) -> String {
        self.cluster.get_value()
    }

    /// Basic information.
    pub fn summary(&self) -> RwSignal<ClusterSummary> {
        self.summary
    }

    /// Available Recovery Period.
    pub fn period(&self) -> Signal<Period> {
        self.period.into()
    }

    /// The revision at which an alert changed last.
    pub fn alerts_rev(&self) -> RwSignal<Revision> {
        self.alerts
    }

    /// The server's now: what it said last, plus what went by since.
    pub fn now(&self) -> Signal<Scn> {
        self.now
    }

    /// The now that delays are told against. While answers come it is the moment of the last one, so that
    /// waiting for the next question does not look like delay; without answers it goes on.
    pub fn delay_now(&self) -> Signal<Scn> {
        let feed = *self;
        Signal::derive(move || {
            let (read, now) = (feed.read_at(), feed.now.get());
            if now.since_ns(read) / 1_000_000 <= u64::from(IDLE_MS) * 3 / 2 {
                read
            } else {
                now
            }
        })
    }

    /// Milliseconds by the viewer's clock since the state shown was read. Tracked.
    pub fn age_ms(&self) -> Option<f64> {
        let (_, at) = self.read_at.get();
        let wall = Clock::current().wall_ms();
        Some((wall? - at?).max(0.0))
    }

    /// The moment, by the server's clock, at which the state shown was read. Tracked.
    pub fn read_at(&self) -> Scn {
        self.read_at.get().0
    }

    /// The same without tracking: for a question that is asked once.
    pub fn read_at_untracked(&self) -> Scn {
        self.read_at.get_untracked().0
    }

    /// Whether the console answers. Tracked.
    pub fn is_connected(&self) -> bool {
        self.poll.health().missed < MISSED_MAX
    }

    /// Whether somebody signed out, here or elsewhere. Tracked.
    pub fn is_signed_out(&self) -> bool {
        self.signed_out.get()
    }

    /// Whether the viewer has at least this role in the cluster.
    pub fn may(&self, role: Role) -> bool {
        self.role >= role
    }

    /// Why a button that changes something is off: the role is too low, or the console does not answer. Tracked.
    pub fn disconnected_reason(&self) -> Option<String> {
        if !self.may(Role::Operator) {
            return Some("This takes the role Operator in this cluster.".to_owned());
        }
        (!self.is_connected()).then(|| "The console does not answer at the moment.".to_owned())
    }

    /// The poll behind it.
    pub fn poll(&self) -> Poll {
        self.poll
    }

    /// Asks for changes now: something was just started.
    pub fn refresh(&self) {
        self.poll.now();
    }

    fn apply(&self, delta: Delta) {
        self.rev.set_value(delta.rev);
        self.read_at.set((delta.now, Some(wall_ms())));
        set_if_changed(self.active, delta.active);
        if let Some(summary) = delta.summary {
            set_if_changed(self.summary, summary);
        }
        if let Some(period) = delta.period {
            set_if_changed(self.period, period);
        }
        if delta.alerts.is_some() {
            self.alerts.set(delta.rev);
        }
        self.backups.patch(delta.backups);
        self.archives.patch(delta.archives);
        self.recoveries.patch(delta.recoveries);
        self.second_logs.patch(delta.second_logs);
        let of = |kind| delta.tasks.iter().filter(move |task| task.kind == kind);
        self.second_data
            .patch(of(JobKind::SecondData).cloned().collect());
        self.cleanups.patch(of(JobKind::Cleanup).cloned().collect());
    }
}

fn set_if_changed<T: PartialEq + Send + Sync + 'static>(signal: RwSignal<T>, value: T) {
    if signal.with_untracked(|old| *old != value) {
        signal.set(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{
        JobId, TenantId,
        backup::{BackupKind, TaskSource, Trigger},
        job::{JobState, Progress},
    };

    fn task(id: i64, state: JobState) -> BackupJob {
        BackupJob {
            id: JobId(id),
            tenant: TenantId(1),
            tenant_name: "orders".to_owned(),
            asked: BackupKind::Full,
            actual: None,
            actual_reason: None,
            set: None,
            source: TaskSource::Tenant,
            trigger: Trigger::Manual,
            created: Scn(1),
            started: None,
            ended: None,
            state,
            progress: Progress::default(),
            min_restore_scn: None,
            directory: None,
            failure: None,
            moved: None,
            second: None,
            rev: Revision(1),
        }
    }

    fn keys(rows: Rows<BackupJob>) -> Vec<i64> {
        rows.list
            .with_untracked(|list| list.iter().map(|row| row.key).collect())
    }

    #[test]
    fn a_changed_row_changes_in_place_and_no_other_is_told() {
        let owner = Owner::new();
        owner.with(|| {
            let rows = Rows::new();
            rows.load(
                vec![task(2, JobState::Running), task(1, JobState::Completed)],
                true,
            );
            let before = rows.list.get_untracked();
            rows.patch(vec![
                task(2, JobState::Completed),
                task(1, JobState::Completed),
            ]);
            assert_eq!(keys(rows), [2, 1]);
            assert_eq!(before[0].value.get_untracked().state, JobState::Completed);
            assert_eq!(rows.active(), 0);
        });
    }

    #[test]
    fn a_new_row_comes_on_top_only_where_it_belongs() {
        let owner = Owner::new();
        owner.with(|| {
            let rows = Rows::new();
            rows.load(vec![task(1, JobState::Completed)], true);
            rows.patch(vec![task(2, JobState::Queued)]);
            assert_eq!((keys(rows), rows.unseen()), (vec![2, 1], 0));

            rows.load(vec![task(1, JobState::Completed)], false);
            rows.patch(vec![task(2, JobState::Queued), task(2, JobState::Running)]);
            assert_eq!((keys(rows), rows.unseen()), (vec![1], 1));
        });
    }
}
