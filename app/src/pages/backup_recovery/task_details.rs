//! Details of tasks in the drawer: what it is, how far, what it did step by step, and what can be done with it.

use super::{
    task_actions::{Ask, Asked},
    task_drawer::{Opened, Shown},
    task_facts::{Cause, Measures, Moments, pair},
};
use crate::language::{t, tf, told};
use crate::{
    api::{self, Asked as Answer, asked},
    feed::Feed,
    pages::status,
    signal::{ArcRwSignal, Memo},
    ui::{
        Any, Badge, Button, ErrorNotice, LinkButton, Precision, Skeleton, Stamp, follow, waiting,
    },
};
use domain::{
    BackupSetId, JobId, TenantId,
    access::Role,
    backup::Trigger,
    job::{JobKind, JobState},
    page::{Page, TaskFilter},
    second_backup::SecondLog,
    size::bytes,
    task::{Step, Task},
};
use leptos::prelude::*;

/// What caused a task.
pub fn trigger_words(trigger: Trigger) -> &'static str {
    match trigger {
        Trigger::Manual => t("A person"),
        Trigger::NewRound => t("The console: first full backup of a new log round"),
        Trigger::Schedule => t("Backup strategy"),
        Trigger::Follow => t("The task before it"),
        Trigger::Retry => t("Retry"),
    }
}

/// What a kind of task is called in front of its number.
pub fn kind_words(kind: JobKind) -> &'static str {
    match kind {
        JobKind::DataBackup => t("Data backup"),
        JobKind::Recovery => t("Recovery"),
        JobKind::SecondData => t("Second data backup"),
        JobKind::SecondLog => t("Second log backup"),
        JobKind::Cleanup => t("Cleanup"),
    }
}

/// A task that is read for the drawer.
#[component]
pub fn ById(
    /// Its number.
    id: JobId,
) -> impl IntoView {
    let feed = Feed::current();
    let task = asked(
        move || feed.summary().read().cluster.rev,
        move |_| api::tasks::one(feed.cluster(), id),
    );
    let retry = Callback::new(move |()| task.refetch());
    let view = move || async move {
        match task.await {
            Ok(found) => view! { <OfTask task=ArcRwSignal::new(found)/> }.any(),
            Err(error) => {
                let title = t("The task could not be loaded").to_owned();
                view! { <ErrorNotice title text=error.to_string() on_retry=retry/> }.any()
            }
        }
    };
    waiting(|| view! { <Skeleton rows=6/> }.any(), view)
}

/// Everything known about a task of any kind.
#[component]
pub fn OfTask(
    /// The task.
    task: ArcRwSignal<Task>,
) -> impl IntoView {
    let (id, kind) = task.with_untracked(|task| (task.id, task.kind));
    let facts = {
        let task = task.clone();
        follow(move || facts(task.get()))
    };
    let state = Memo::new(move |_| task.read().state);
    view! {
        {facts}
        <Course id state/>
        <Foot id kind state/>
    }
    .any()
}

fn facts(task: Task) -> AnyView {
    let look = status::task(&task);
    let title = match task.kind {
        JobKind::SecondData | JobKind::SecondLog => t("The copy failed"),
        JobKind::Cleanup => t("The cleanup failed"),
        JobKind::DataBackup => t("The data backup failed"),
        JobKind::Recovery => t("The recovery failed"),
    };
    view! {
        <Cause title text=task.failure/>
        <dl class="pairs">
            <dt>{t("Status")}</dt>
            <dd>
                <Badge look/>
            </dd>
            {pair(t("Tenant"), task.tenant_name)}
            {task.set.map(|set| pair(t("Backup Set ID"), set.to_string()))}
            {task.place.map(|place| pair(t("Copy"), t(place.label()).to_owned()))}
            {task
                .keep_from
                .map(|at| {
                    view! {
                        <dt>{t("Keeps everything since")}</dt>
                        <dd>
                            <Stamp at precision=Precision::Seconds/>
                        </dd>
                    }
                    .any()
                })}
            {pair(t("Started by"), trigger_words(task.trigger).to_owned())}
            {task.retry_of.map(|first| pair(t("Tries again"), tf("Task {id}", &[("id", &first)])))}
            {(task.attempts > 1).then(|| pair(t("Begun"), tf("{times} times", &[("times", &task.attempts)])))}
            <Measures progress=task.progress is_final=task.state.is_final()/>
            <Moments created=task.created started=task.started ended=task.ended/>
            {task.outcome.map(|outcome| pair(t("Result"), told(&outcome)))}
            {task
                .directory
                .map(|path| {
                    view! {
                        <dt>{t("Storage Directory")}</dt>
                        <dd>
                            <code>{path}</code>
                        </dd>
                    }
                    .any()
                })}
        </dl>
    }
    .any()
}

/// What a task did, step by step; read anew when its state changes.
#[component]
pub fn Course(
    /// Its number.
    id: JobId,
    /// Its state.
    state: Memo<JobState>,
) -> impl IntoView {
    let feed = Feed::current();
    let steps = asked(
        move || state.get(),
        move |_| api::tasks::steps(feed.cluster(), id),
    );
    let retry = Callback::new(move |()| steps.refetch());
    let view = move || async move {
        match steps.await {
            Ok(steps) => {
                view! { <ol class="course">{steps.into_iter().map(step).collect_view()}</ol> }.any()
            }
            Err(error) => {
                let title = t("The steps could not be loaded").to_owned();
                view! { <ErrorNotice title text=error.to_string() on_retry=retry/> }.any()
            }
        }
    };
    view! {
        <section>
            <h3>{t("Course")}</h3>
            {waiting(|| view! { <Skeleton rows=3/> }.any(), view)}
        </section>
    }
    .any()
}

fn step(step: Step) -> AnyView {
    view! {
        <li>
            <Stamp at=step.at/>
            <span>{told(&step.text)}</span>
        </li>
    }
    .any()
}

/// What can be done with a task.
#[component]
pub fn Foot(
    /// Its number.
    id: JobId,
    /// What it does.
    kind: JobKind,
    /// Its state.
    state: Memo<JobState>,
) -> impl IntoView {
    let (feed, ask, opened) = (Feed::current(), Ask::current(), Opened::current());
    let off = Signal::derive(move || feed.disconnected_reason());
    let ask = move |asked: Asked| {
        opened.close();
        ask.open(asked);
    };
    follow(move || {
        let state = state.get();
        let may = feed.may(Role::Operator);
        let again = may && matches!(state, JobState::Failed | JobState::Canceled);
        let places = feed
            .summary()
            .with(|summary| summary.cluster.capabilities.placement);
        let clean = again && places && kind == JobKind::Recovery;
        let stop = may && !state.is_final() && state != JobState::Canceling;
        let again = again.then(|| {
            view! {
                <Button icon="refresh" off on_press=move |()| ask(Asked::Retry(id, kind))>
                    {t("Retry")}
                </Button>
            }
            .any()
        });
        let stop = stop.then(|| {
            view! {
                <Button icon="close" off on_press=move |()| ask(Asked::Cancel(id, kind))>
                    {t("Cancel the task")}
                </Button>
            }
            .any()
        });
        let clean = clean.then(|| {
            view! {
                <Button off on_press=move |()| ask(Asked::CleanUp(id))>
                    {t("Clean Up…")}
                </Button>
            }
            .any()
        });
        view! { <div class="row">{again}{clean}{stop}</div> }.any()
    })
}

/// Everything known about the second log backup of a tenant, and its newest tasks.
#[component]
pub fn OfSecondLog(
    /// The row.
    task: ArcRwSignal<SecondLog>,
) -> impl IntoView {
    let feed = Feed::current();
    let tenant = task.with_untracked(|task| task.tenant);
    let facts = follow(move || {
        let task = task.get();
        view! {
            <dl class="pairs">
                <dt>{t("Status")}</dt>
                <dd>
                    <Badge look=status::second_log(task.state)/>
                    {task.note.map(|note| view! { <small class="pair-note">{told(&note)}</small> }.any())}
                </dd>
                {task
                    .last_backed_up
                    .map(|at| {
                        view! {
                            <dt>{t("Last Backed up At")}</dt>
                            <dd>
                                <Stamp at precision=Precision::Micros/>
                            </dd>
                        }
                        .any()
                    })}
                {pair(t("Log Backup"), bytes(task.log_bytes))}
                <dt>{t("Storage Directory")}</dt>
                <dd>
                    <code>{task.directory}</code>
                </dd>
            </dl>
        }
        .any()
    });
    let tasks = asked(
        || (),
        move |()| {
            let filter = TaskFilter {
                tenant: Some(tenant),
                size: 20,
                ..TaskFilter::default()
            };
            api::tasks::list(feed.cluster(), JobKind::SecondLog, filter)
        },
    );
    view! {
        {facts}
        <section>
            <h3>{t("Newest tasks")}</h3>
            <Few tasks/>
        </section>
    }
    .any()
}

/// All tasks that copy or copied a set.
#[component]
pub fn Copies(
    /// Whose set.
    tenant: TenantId,
    /// The set.
    set: BackupSetId,
) -> impl IntoView {
    let feed = Feed::current();
    let tasks = asked(
        || (),
        move |()| {
            let filter = TaskFilter {
                tenant: Some(tenant),
                set: Some(set),
                size: 50,
                ..TaskFilter::default()
            };
            api::tasks::list(feed.cluster(), JobKind::SecondData, filter)
        },
    );
    view! { <Few tasks/> }.any()
}

/// A few tasks, each with the way to its details.
#[component]
fn Few(tasks: Answer<Page<Task>>) -> impl IntoView {
    let retry = Callback::new(move |()| tasks.refetch());
    let view = move || async move {
        match tasks.await {
            Ok(page) if page.rows.is_empty() => {
                let text = t(
                    "No task of it is recorded. A later set may have been copied with this one; otherwise look at the directory of the second backup.",
                );
                view! { <p class="field-hint">{text}</p> }.any()
            }
            Ok(page) => {
                view! { <ol class="course">{page.rows.into_iter().map(few).collect_view()}</ol> }
                    .any()
            }
            Err(error) => {
                let title = t("The tasks could not be loaded").to_owned();
                view! { <ErrorNotice title text=error.to_string() on_retry=retry/> }.any()
            }
        }
    };
    waiting(|| view! { <Skeleton rows=3/> }.any(), view)
}

fn few(task: Task) -> AnyView {
    let opened = Opened::current();
    let id = task.id;
    let look = status::task(&task);
    let words = task.failure.or(task.outcome).map(|text| told(&text));
    let what = words.or(task.directory);
    view! {
        <li>
            <Stamp at=task.started.unwrap_or(task.created)/>
            <span>
                <span class="row">
                    <LinkButton
                        class="id"
                        label=tf("Task {id}, details", &[("id", &id)])
                        on_press=move |()| opened.show(Shown::Id(id))
                    >
                        {id.to_string()}
                    </LinkButton>
                    <Badge look/>
                </span>
                {what.map(|what| view! { <small class="pair-note">{what}</small> }.any())}
            </span>
        </li>
    }
    .any()
}
