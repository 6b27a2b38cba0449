//! Basic information: eight facts with one line of context each; live.

use super::task_drawer::{Opened, Shown};
use crate::language::{t, tf};
use crate::{
    feed::Feed,
    pages::{
        status,
        words::{ago, count},
    },
    signal::{Memo, RwSignal},
    ui::{Any, Badge, Fact, Facts, LinkButton, Precision, Stamp},
};
use domain::{
    Scn,
    backup::BackupMethod,
    cluster::{ClusterSummary, ScheduleStatus},
    size::{bytes, duration_ms},
    strategy::RunKind,
};
use leptos::prelude::*;

/// Basic information of the cluster.
#[component]
pub fn Summary() -> impl IntoView {
    let feed = Feed::current();
    let summary = feed.summary();
    let note = move || {
        let summary = summary.read();
        let cluster = &summary.cluster;
        let tenants = count(summary.tenants.into(), "tenant");
        let (engine, version) = (t(cluster.engine.label()), cluster.version.as_str());
        // Some versions name what they are versions of.
        match version.starts_with(engine) {
            true => format!("{version}, {tenants}"),
            false => format!("{engine}, {version}, {tenants}"),
        }
    };
    view! {
        <section class="panel" aria-labelledby="basic">
            <div class="panel-head">
                <h2 id="basic">{t("Basic information")}</h2>
                <span class="panel-note">{move || note()}</span>
            </div>
            <Facts>
                <StatusFact summary/>
                <Method summary/>
                <BackupFile summary/>
                <LastBackup summary now=feed.now()/>
                <Checkpoint summary/>
                <LogDelay summary now=feed.delay_now()/>
                <DataHistory summary/>
                <SecondHistory summary/>
            </Facts>
        </section>
    }
    .any()
}

#[component]
fn StatusFact(summary: RwSignal<ClusterSummary>) -> impl IntoView {
    let look = Memo::new(move |_| status::schedule(summary.read().status));
    let context = Signal::derive(move || {
        let summary = summary.read();
        if let Some(reason) = &summary.status_reason {
            return reason.clone();
        }
        match (summary.tasks_active, summary.status) {
            (0, ScheduleStatus::None) => t("Data backups start by hand").to_owned(),
            (0, _) => t("No task is running").to_owned(),
            (running, _) => tf(
                "{task} running",
                &[("task", &count(running.into(), "task"))],
            ),
        }
    });
    view! {
        <Fact label=t("Status") context>
            <Badge look soft=true/>
        </Fact>
    }
    .any()
}

#[component]
fn Method(summary: RwSignal<ClusterSummary>) -> impl IntoView {
    let method = summary.with_untracked(|summary| {
        let methods = &summary.cluster.capabilities.methods;
        methods.first().copied().unwrap_or(BackupMethod::Physical)
    });
    let context = match method {
        BackupMethod::Physical => t("Data pages and continuous log"),
        BackupMethod::Logical => t("Statements and rows"),
    };
    view! {
        <Fact label=t("Backup Method") context=context.to_owned()>
            {t(method.label())}
        </Fact>
    }
    .any()
}

#[component]
fn DataHistory(summary: RwSignal<ClusterSummary>) -> impl IntoView {
    let context = Signal::derive(move || match summary.read().strategy_rev {
        Some(_) => t("Each moment that was due, and what became of it").to_owned(),
        None => t("No backup strategy, so nothing is due").to_owned(),
    });
    view! {
        <Fact label=t("Scheduling History of Data Backup") context>
            <View kind=RunKind::DataBackup label=t("View the scheduling history of data backup")/>
        </Fact>
    }
    .any()
}

#[component]
fn SecondHistory(summary: RwSignal<ClusterSummary>) -> impl IntoView {
    let context = Signal::derive(move || match summary.read().second_backup {
        true => t("Second backup is on").to_owned(),
        false => t("Second backup is off").to_owned(),
    });
    view! {
        <Fact label=t("Scheduling History of Second Log Backup") context>
            <View kind=RunKind::SecondLog label=t("View the scheduling history of second log backup")/>
        </Fact>
    }
    .any()
}

/// The way to a scheduling history.
#[component]
fn View(kind: RunKind, label: &'static str) -> impl IntoView {
    let opened = Opened::current();
    view! {
        <LinkButton label=label.to_owned() on_press=move |()| opened.show(Shown::History(kind))>
            {t("View")}
        </LinkButton>
    }
    .any()
}

#[component]
fn BackupFile(summary: RwSignal<ClusterSummary>) -> impl IntoView {
    let size = Memo::new(move |_| bytes(summary.read().backup_file_bytes));
    let place = Memo::new(move |_| summary.read().cluster.destination.clone());
    view! {
        <Fact label=t("Backup File") context=place>
            {move || size.get()}
        </Fact>
    }
    .any()
}

#[component]
fn LastBackup(summary: RwSignal<ClusterSummary>, now: Signal<Scn>) -> impl IntoView {
    let last = Memo::new(move |_| summary.read().last_data_backup);
    let missing = Signal::derive(move || {
        let summary = summary.read();
        summary.tenants_backed_up < summary.tenants
    });
    let context = Signal::derive(move || {
        let summary = summary.read();
        let of = tf(
            "{tenants_backed_up} of {tenant}",
            &[
                ("tenants_backed_up", &summary.tenants_backed_up),
                ("tenant", &count(summary.tenants.into(), "tenant")),
            ],
        );
        match last.get() {
            Some(last) => format!("{}, {of}", ago(last, now.get())),
            None if summary.tenants == 0 => t("There is no tenant yet").to_owned(),
            None => t("Nothing can be recovered yet").to_owned(),
        }
    });
    view! {
        <Fact label=t("Last Data Backup Time") context warns=missing>
            {move || moment(last.get(), Precision::Seconds)}
        </Fact>
    }
    .any()
}

#[component]
fn Checkpoint(summary: RwSignal<ClusterSummary>) -> impl IntoView {
    let checkpoint = Memo::new(move |_| summary.read().log_checkpoint);
    let context = Signal::derive(move || {
        let summary = summary.read();
        match (&summary.log_checkpoint_tenant, summary.tenants) {
            (Some(tenant), 0 | 1) => tf("Of {tenant}", &[("tenant", &tenant)]),
            (Some(tenant), all) => tf(
                "Oldest of {all} tenants: {tenant}",
                &[("all", &all), ("tenant", &tenant)],
            ),
            (None, _) => t("No log is backed up").to_owned(),
        }
    });
    view! {
        <Fact label=t("Log Backup Checkpoint") context>
            {move || moment(checkpoint.get(), Precision::Micros)}
        </Fact>
    }
    .any()
}

#[component]
fn LogDelay(summary: RwSignal<ClusterSummary>, now: Signal<Scn>) -> impl IntoView {
    let delay = Memo::new(move |_| {
        let checkpoint = summary.read().log_checkpoint?;
        let ms = now.get().since_ns(checkpoint) / 1_000_000;
        Some(duration_ms(ms))
    });
    let stopped = Memo::new(move |_| summary.read().log_not_running);
    let context = Signal::derive(move || match stopped.get() {
        0 if summary.read().tenants == 0 => t("There is no tenant yet").to_owned(),
        0 => t("Runs for every tenant").to_owned(),
        some => tf(
            "{tenant} without log backup",
            &[("tenant", &count(some.into(), "tenant"))],
        ),
    });
    let warns = Signal::derive(move || stopped.get() > 0);
    view! {
        <Fact label=t("Log Delay") context warns>
            {move || delay.get().unwrap_or_else(|| "–".to_owned())}
        </Fact>
    }
    .any()
}

fn moment(at: Option<Scn>, precision: Precision) -> AnyView {
    match at {
        Some(at) => view! { <Stamp at precision/> }.any(),
        None => view! { <span class="none">"–"</span> }.any(),
    }
}
