//! The drawer with everything known about one task. What it shows goes on changing while it is open.

use super::{
    history::History,
    task_details::{ById, Copies, Course, Foot, OfSecondLog, OfTask, kind_words, trigger_words},
    task_facts::{Cause, Measures, Moments, pair},
};
use crate::language::{t, tf, told};
use crate::{
    pages::status,
    parts,
    signal::{ArcRwSignal, Memo, RwSignal},
    ui::{Any, Badge, Drawer, Icon, Precision, Stamp, Tone, follow},
};
use domain::{
    BackupSetId, JobId, TenantId,
    archive::{ArchiveState, LogArchive},
    backup::{BackupJob, Trigger},
    job::JobKind,
    recovery::{RecoveryJob, RecoveryProof},
    second_backup::SecondLog,
    strategy::RunKind,
    task::Task,
};
use leptos::prelude::*;

/// A task that is shown.
#[derive(Clone)]
pub enum Shown {
    /// A data backup task.
    Backup(ArcRwSignal<BackupJob>),
    /// A log backup task.
    Archive(ArcRwSignal<LogArchive>),
    /// A recovery task.
    Recovery(ArcRwSignal<RecoveryJob>),
    /// A copy or a cleanup.
    Task(ArcRwSignal<Task>),
    /// The second log backup of a tenant.
    SecondLog(ArcRwSignal<SecondLog>),
    /// A task that has yet to be read.
    Id(JobId),
    /// What copies or copied a set.
    Copies(TenantId, BackupSetId),
    /// The runs of a schedule.
    History(RunKind),
}

/// The task in the drawer. A context of the page.
#[derive(Clone, Copy)]
pub struct Opened {
    open: RwSignal<bool>,
    shown: RwSignal<Option<Shown>>,
}

impl Opened {
    /// Provides it to everything below.
    pub fn provide() {
        provide_context(Opened {
            open: RwSignal::new(false),
            shown: RwSignal::new(None),
        });
    }

    /// The page's drawer.
    pub fn current() -> Opened {
        expect_context()
    }

    /// Opens it on a task.
    pub fn show(&self, shown: Shown) {
        self.shown.set(Some(shown));
        parts::open_with_content(self.open);
    }

    /// Closes it.
    pub fn close(&self) {
        self.open.set(false);
    }
}

/// The drawer.
#[component]
pub fn TaskDrawer() -> impl IntoView {
    let opened = Opened::current();
    let title = Signal::derive(move || match &*opened.shown.read() {
        None => String::new(),
        Some(Shown::Backup(task)) => tf("Data backup task {id}", &[("id", &task.read().id)]),
        Some(Shown::Archive(task)) => tf(
            "Log backup of {tenant_name}",
            &[("tenant_name", &task.read().tenant_name)],
        ),
        Some(Shown::Recovery(task)) => tf("Recovery task {id}", &[("id", &task.read().id)]),
        Some(Shown::Task(task)) => {
            let task = task.read();
            let kind = kind_words(task.kind);
            tf("{kind} task {id}", &[("kind", &kind), ("id", &task.id)])
        }
        Some(Shown::SecondLog(task)) => tf(
            "Second log backup of {tenant_name}",
            &[("tenant_name", &task.read().tenant_name)],
        ),
        Some(Shown::Id(id)) => tf("Task {id}", &[("id", id)]),
        Some(Shown::Copies(_, set)) => tf("Second backup of set {set}", &[("set", set)]),
        Some(Shown::History(RunKind::DataBackup)) => {
            t("Scheduling History of Data Backup").to_owned()
        }
        Some(Shown::History(RunKind::SecondLog)) => {
            t("Scheduling History of Second Log Backup").to_owned()
        }
        Some(Shown::History(RunKind::Cleanup)) => t("Scheduling History of Cleanup").to_owned(),
    });
    let note = Signal::derive(move || match &*opened.shown.read() {
        None | Some(Shown::Id(_) | Shown::Copies(..) | Shown::SecondLog(_)) => String::new(),
        Some(Shown::Task(task)) => task.read().tenant_name.clone(),
        Some(Shown::History(_)) => {
            t("Each moment that the backup strategy names, and what became of it.").to_owned()
        }
        Some(Shown::Backup(task)) => {
            let task = task.read();
            format!("{}, {}", task.tenant_name, t(task.source.label()))
        }
        Some(Shown::Archive(task)) => t(task.read().method.label()).to_owned(),
        Some(Shown::Recovery(task)) => {
            let task = task.read();
            tf(
                "{source_tenant} into {destination_tenant}",
                &[
                    ("source_tenant", &task.source_tenant),
                    ("destination_tenant", &task.destination_tenant),
                ],
            )
        }
    });
    view! {
        <Drawer open=opened.open title note>
            <div class="drawer-body">
                {follow(move || {
                    let shown = opened.shown.get();
                    shown.map(|shown| parts::downloaded(move || parts::task_details(shown.clone())))
                })}
            </div>
        </Drawer>
    }
    .any()
}

/// Everything known about a task.
#[component]
pub fn Details(
    /// The task.
    shown: Shown,
) -> impl IntoView {
    match shown {
        Shown::Backup(task) => view! { <BackupDetails task/> }.any(),
        Shown::Archive(task) => view! { <ArchiveDetails task/> }.any(),
        Shown::Recovery(task) => view! { <RecoveryDetails task/> }.any(),
        Shown::Task(task) => view! { <OfTask task/> }.any(),
        Shown::SecondLog(task) => view! { <OfSecondLog task/> }.any(),
        Shown::Id(id) => view! { <ById id/> }.any(),
        Shown::Copies(tenant, set) => view! { <Copies tenant set/> }.any(),
        Shown::History(kind) => view! { <History kind/> }.any(),
    }
}

#[component]
fn BackupDetails(task: ArcRwSignal<BackupJob>) -> impl IntoView {
    let id = task.with_untracked(|task| task.id);
    let state = {
        let task = task.clone();
        Memo::new(move |_| task.read().state)
    };
    let facts = follow(move || {
        let task = task.get();
        let look = status::backup(&task);
        let made = task.actual.unwrap_or(task.asked);
        let trigger = match task.trigger {
            Trigger::Manual => t("Back up Now"),
            other => trigger_words(other),
        };
        view! {
            <Cause title=t("The data backup failed") text=task.failure/>
            <dl class="pairs">
                <dt>{t("Status")}</dt>
                <dd>
                    <Badge look/>
                </dd>
                <dt>{t("Data Backup Method")}</dt>
                <dd>
                    {t(made.label())}
                    {(made != task.asked)
                        .then(|| {
                            let reason = task.actual_reason.clone().unwrap_or_default();
                            view! {
                                <small class="pair-note">
                                    {tf("Asked for {asked}. {reason}", &[("asked", &t(task.asked.label())), ("reason", &reason)])}
                                </small>
                            }.any()
                        })}
                </dd>
                <dt>{t("Started by")}</dt>
                <dd>{trigger}</dd>
                <Measures progress=task.progress is_final=task.state.is_final()/>
                <Moments created=task.created started=task.started ended=task.ended/>
                {task.set.map(|set| pair(t("Backup Set ID"), set.to_string()))}
                {task
                    .min_restore_scn
                    .map(|at| {
                        view! {
                            <dt>{t("Recoverable from")}</dt>
                            <dd>
                                <Stamp at precision=Precision::Micros/>
                                <small class="pair-note">{tf("Minimum restore SCN {at}", &[("at", &at.0)])}</small>
                            </dd>
                        }.any()
                    })}
                {task
                    .directory
                    .map(|path| {
                        view! {
                            <dt>{t("Storage Directory")}</dt>
                            <dd>
                                <code>{path}</code>
                            </dd>
                        }.any()
                    })}
            </dl>
        }.any()
    });
    view! {
        {facts}
        <Course id state/>
        <Foot id kind=JobKind::DataBackup state/>
    }
    .any()
}

#[component]
fn ArchiveDetails(task: ArcRwSignal<LogArchive>) -> impl IntoView {
    follow(move || {
        let task = task.get();
        let look = status::archive(&task.state);
        let cause = (task.state == ArchiveState::Interrupted)
            .then(|| task.note.clone())
            .flatten();
        let note = task.note.filter(|_| cause.is_none());
        view! {
            <Cause title=t("Log backup is interrupted") text=cause/>
            <dl class="pairs">
                <dt>{t("Status")}</dt>
                <dd>
                    <Badge look/>
                    {note.map(|note| view! { <small class="pair-note">{told(&note)}</small> }.any())}
                </dd>
                {pair(t("Host IP Address"), task.host)}
                {task
                    .checkpoint_scn
                    .map(|at| {
                        view! {
                            <dt>{t("Last Backed up At")}</dt>
                            <dd>
                                <Stamp at precision=Precision::Micros/>
                                <small class="pair-note">{tf("Checkpoint SCN {at}", &[("at", &at.0)])}</small>
                            </dd>
                        }.any()
                    })}
                {pair(t("Round"), task.round.to_string())}
                {task
                    .started
                    .map(|at| {
                        view! {
                            <dt>{t("Started Time")}</dt>
                            <dd>
                                <Stamp at/>
                            </dd>
                        }.any()
                    })}
                <dt>{t("Storage Directory")}</dt>
                <dd>
                    <code>{task.directory}</code>
                </dd>
            </dl>
        }.any()
    })
}

#[component]
fn RecoveryDetails(task: ArcRwSignal<RecoveryJob>) -> impl IntoView {
    let id = task.with_untracked(|task| task.id);
    let state = {
        let task = task.clone();
        Memo::new(move |_| task.read().state)
    };
    let facts = follow(move || {
        let task = task.get();
        let look = status::recovery(&task);
        view! {
            <Cause title=t("The recovery failed") text=task.failure/>
            <dl class="pairs">
                <dt>{t("Status")}</dt>
                <dd>
                    <Badge look/>
                </dd>
                <dt>{t("From")}</dt>
                <dd>
                    {task.source_tenant} <small>{tf(" on {source_cluster}", &[("source_cluster", &task.source_cluster)])}</small>
                </dd>
                <dt>{t("Into")}</dt>
                <dd>
                    {task.destination_tenant}
                    <small>{tf(" on {destination_cluster}, a new tenant", &[("destination_cluster", &task.destination_cluster)])}</small>
                </dd>
                <dt>{t("Recover to")}</dt>
                <dd>
                    <Stamp at=task.until precision=Precision::Micros/>
                    <small class="pair-note">{tf("SCN {until}", &[("until", &task.until.0)])}</small>
                </dd>
                <Measures progress=task.progress is_final=task.state.is_final()/>
                <Moments created=task.created started=task.started ended=task.ended/>
            </dl>
            {task.proof.map(|proof| view! { <Proof proof/> }.any())}
        }
        .any()
    });
    view! {
        {facts}
        <Course id state/>
        <Foot id kind=JobKind::Recovery state/>
    }
    .any()
}

/// The proof that the new tenant equals its source at the last commit in it.
#[component]
fn Proof(proof: RecoveryProof) -> impl IntoView {
    let equal = proof.expected_digest == proof.computed_digest;
    let (tone, icon, text) = if equal {
        (
            Tone::Ok,
            "s-ok",
            t("The digests are equal: every page is as the log recorded it."),
        )
    } else {
        (
            Tone::Bad,
            "s-bad",
            t("The digests differ: do not use this tenant."),
        )
    };
    view! {
        <section>
            <h3>{t("Proof")}</h3>
            <ul class="effects">
                <li data-tone=tone.code()>
                    <Icon name=icon/>
                    <span>{text}</span>
                </li>
            </ul>
            <dl class="pairs pairs-proof">
                <dt>{t("Last commit in it")}</dt>
                <dd>
                    <Stamp at=proof.target_scn precision=Precision::Micros/>
                    <small class="pair-note">{tf("SCN {target_scn}", &[("target_scn", &proof.target_scn.0)])}</small>
                </dd>
                <dt>{t("Recorded digest")}</dt>
                <dd>
                    <code>{proof.expected_digest}</code>
                </dd>
                <dt>{t("Computed digest")}</dt>
                <dd>
                    <code>{proof.computed_digest}</code>
                </dd>
                {pair(t("Pages"), proof.pages.to_string())}
                {pair(t("SQLite quick_check"), proof.quick_check)}
            </dl>
        </section>
    }
    .any()
}
