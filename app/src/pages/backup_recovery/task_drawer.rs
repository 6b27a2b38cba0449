//! The drawer with everything known about one task. What it shows goes on changing while it is open.

use crate::{
    feed::Feed,
    pages::status,
    parts,
    signal::{ArcRwSignal, RwSignal},
    ui::{Any, Badge, Drawer, Icon, Notice, Precision, Stamp, Tone, follow},
};
use domain::{
    Scn,
    archive::{ArchiveState, LogArchive},
    backup::{BackupJob, Trigger},
    job::Progress,
    recovery::{RecoveryJob, RecoveryProof},
    size::{bytes, duration_ms},
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
}

/// The drawer.
#[component]
pub fn TaskDrawer() -> impl IntoView {
    let opened = Opened::current();
    let title = Signal::derive(move || match &*opened.shown.read() {
        None => String::new(),
        Some(Shown::Backup(task)) => format!("Data backup task {}", task.read().id),
        Some(Shown::Archive(task)) => format!("Log backup of {}", task.read().tenant_name),
        Some(Shown::Recovery(task)) => format!("Recovery task {}", task.read().id),
    });
    let note = Signal::derive(move || match &*opened.shown.read() {
        None => String::new(),
        Some(Shown::Backup(task)) => {
            let task = task.read();
            format!("{}, {}", task.tenant_name, task.source.label())
        }
        Some(Shown::Archive(task)) => task.read().method.label().to_owned(),
        Some(Shown::Recovery(task)) => {
            let task = task.read();
            format!("{} into {}", task.source_tenant, task.destination_tenant)
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
    }
}

#[component]
fn BackupDetails(task: ArcRwSignal<BackupJob>) -> impl IntoView {
    follow(move || {
        let task = task.get();
        let look = status::backup(&task);
        let made = task.actual.unwrap_or(task.asked);
        let trigger = match task.trigger {
            Trigger::Manual => "Back up Now",
            Trigger::NewRound => "The console: first full backup of a new log round",
            Trigger::Schedule => "Backup strategy",
            Trigger::Follow => "The task before it",
            Trigger::Retry => "Retry",
        };
        view! {
            <Cause title="The data backup failed" text=task.failure/>
            <dl class="pairs">
                <dt>"Status"</dt>
                <dd>
                    <Badge look/>
                </dd>
                <dt>"Data Backup Method"</dt>
                <dd>
                    {made.label()}
                    {(made != task.asked)
                        .then(|| {
                            let reason = task.actual_reason.clone().unwrap_or_default();
                            view! {
                                <small class="pair-note">
                                    {format!("Asked for {}. {reason}", task.asked.label())}
                                </small>
                            }.any()
                        })}
                </dd>
                <dt>"Started by"</dt>
                <dd>{trigger}</dd>
                <Measures progress=task.progress is_final=task.state.is_final()/>
                <Moments created=task.created started=task.started ended=task.ended/>
                {task.set.map(|set| pair("Backup Set ID", set.to_string()))}
                {task
                    .min_restore_scn
                    .map(|at| {
                        view! {
                            <dt>"Recoverable from"</dt>
                            <dd>
                                <Stamp at precision=Precision::Micros/>
                                <small class="pair-note">{format!("Minimum restore SCN {}", at.0)}</small>
                            </dd>
                        }.any()
                    })}
                {task
                    .directory
                    .map(|path| {
                        view! {
                            <dt>"Storage Directory"</dt>
                            <dd>
                                <code>{path}</code>
                            </dd>
                        }.any()
                    })}
            </dl>
        }.any()
    })
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
            <Cause title="Log backup is interrupted" text=cause/>
            <dl class="pairs">
                <dt>"Status"</dt>
                <dd>
                    <Badge look/>
                    {note.map(|note| view! { <small class="pair-note">{note}</small> }.any())}
                </dd>
                {pair("Host IP Address", task.host)}
                {task
                    .checkpoint_scn
                    .map(|at| {
                        view! {
                            <dt>"Last Backed up At"</dt>
                            <dd>
                                <Stamp at precision=Precision::Micros/>
                                <small class="pair-note">{format!("Checkpoint SCN {}", at.0)}</small>
                            </dd>
                        }.any()
                    })}
                {pair("Round", task.round.to_string())}
                {task
                    .started
                    .map(|at| {
                        view! {
                            <dt>"Started Time"</dt>
                            <dd>
                                <Stamp at/>
                            </dd>
                        }.any()
                    })}
                <dt>"Storage Directory"</dt>
                <dd>
                    <code>{task.directory}</code>
                </dd>
            </dl>
        }.any()
    })
}

#[component]
fn RecoveryDetails(task: ArcRwSignal<RecoveryJob>) -> impl IntoView {
    follow(move || {
        let task = task.get();
        let look = status::recovery(&task);
        view! {
            <Cause title="The recovery failed" text=task.failure/>
            <dl class="pairs">
                <dt>"Status"</dt>
                <dd>
                    <Badge look/>
                </dd>
                <dt>"From"</dt>
                <dd>
                    {task.source_tenant} <small>{format!(" on {}", task.source_cluster)}</small>
                </dd>
                <dt>"Into"</dt>
                <dd>
                    {task.destination_tenant}
                    <small>{format!(" on {}, a new tenant", task.destination_cluster)}</small>
                </dd>
                <dt>"Recover to"</dt>
                <dd>
                    <Stamp at=task.until precision=Precision::Micros/>
                    <small class="pair-note">{format!("SCN {}", task.until.0)}</small>
                </dd>
                <Measures progress=task.progress is_final=task.state.is_final()/>
                <Moments created=task.created started=task.started ended=task.ended/>
            </dl>
            {task.proof.map(|proof| view! { <Proof proof/> }.any())}
        }
        .any()
    })
}

/// The proof that the new tenant equals its source at the last commit in it.
#[component]
fn Proof(proof: RecoveryProof) -> impl IntoView {
    let equal = proof.expected_digest == proof.computed_digest;
    let (tone, icon, text) = if equal {
        (
            Tone::Ok,
            "s-ok",
            "The digests are equal: every page is as the log recorded it.",
        )
    } else {
        (
            Tone::Bad,
            "s-bad",
            "The digests differ: do not use this tenant.",
        )
    };
    view! {
        <section>
            <h3>"Proof"</h3>
            <ul class="effects">
                <li data-tone=tone.code()>
                    <Icon name=icon/>
                    <span>{text}</span>
                </li>
            </ul>
            <dl class="pairs pairs-proof">
                <dt>"Last commit in it"</dt>
                <dd>
                    <Stamp at=proof.target_scn precision=Precision::Micros/>
                    <small class="pair-note">{format!("SCN {}", proof.target_scn.0)}</small>
                </dd>
                <dt>"Recorded digest"</dt>
                <dd>
                    <code>{proof.expected_digest}</code>
                </dd>
                <dt>"Computed digest"</dt>
                <dd>
                    <code>{proof.computed_digest}</code>
                </dd>
                {pair("Pages", proof.pages.to_string())}
                {pair("SQLite quick_check", proof.quick_check)}
            </dl>
        </section>
    }
    .any()
}

/// Why something failed and what to do, first of all.
#[component]
fn Cause(title: &'static str, text: Option<String>) -> impl IntoView {
    text.map(|text| view! { <Notice tone=Tone::Bad title text/> }.any())
}

#[component]
fn Measures(progress: Progress, is_final: bool) -> impl IntoView {
    let phase =
        (!is_final && !progress.phase.is_empty()).then(|| pair("Phase", progress.phase.clone()));
    let size = match (progress.done_bytes, progress.total_bytes) {
        (0, 0) => None,
        (done, total) if done >= total || is_final => Some(bytes(done)),
        (done, total) => Some(format!("{} of {}", bytes(done), bytes(total))),
    };
    view! {
        {phase}
        {size.map(|size| pair("Data", size))}
    }
    .any()
}

#[component]
fn Moments(created: Scn, started: Option<Scn>, ended: Option<Scn>) -> impl IntoView {
    let now = Feed::current().now();
    let took = move || {
        let end = ended.unwrap_or_else(|| now.get());
        started.map(|started| pair("Duration", duration_ms(end.since_ns(started) / 1_000_000)))
    };
    let moment = |label: &'static str, at: Option<Scn>| {
        at.map(|at| {
            view! {
                <dt>{label}</dt>
                <dd>
                    <Stamp at/>
                </dd>
            }
            .any()
        })
    };
    view! {
        {moment("Asked for", Some(created))}
        {moment("Start Time", started)}
        {moment("End Time", ended)}
        {follow(took)}
    }
    .any()
}

fn pair(label: &'static str, value: String) -> impl IntoView {
    view! {
        <dt>{label}</dt>
        <dd>{value}</dd>
    }
    .any()
}
