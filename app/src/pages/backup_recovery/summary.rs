//! Basic information: five facts with one line of context each; live.

use crate::{
    feed::Feed,
    pages::{
        status,
        words::{ago, count},
    },
    signal::{Memo, RwSignal},
    ui::{Any, Badge, Fact, Facts, Precision, Stamp},
};
use domain::{
    Scn,
    cluster::{ClusterSummary, ScheduleStatus},
    size::{bytes, duration_ms},
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
        format!("{}, {}, {tenants}", cluster.engine.label(), cluster.version)
    };
    view! {
        <section class="panel" aria-labelledby="basic">
            <div class="panel-head">
                <h2 id="basic">"Basic information"</h2>
                <span class="panel-note">{move || note()}</span>
            </div>
            <Facts>
                <StatusFact summary/>
                <BackupFile summary/>
                <LastBackup summary now=feed.now()/>
                <Checkpoint summary/>
                <LogDelay summary now=feed.delay_now()/>
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
            (0, ScheduleStatus::None) => "Data backups start by hand".to_owned(),
            (0, _) => "No task is running".to_owned(),
            (running, _) => format!("{} running", count(running.into(), "task")),
        }
    });
    view! {
        <Fact label="Status" context>
            <Badge look soft=true/>
        </Fact>
    }
    .any()
}

#[component]
fn BackupFile(summary: RwSignal<ClusterSummary>) -> impl IntoView {
    let size = Memo::new(move |_| bytes(summary.read().backup_file_bytes));
    let place = Memo::new(move |_| summary.read().cluster.destination.clone());
    view! {
        <Fact label="Backup File" context=place>
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
        let of = format!(
            "{} of {}",
            summary.tenants_backed_up,
            count(summary.tenants.into(), "tenant")
        );
        match last.get() {
            Some(last) => format!("{}, {of}", ago(last, now.get())),
            None if summary.tenants == 0 => "There is no tenant yet".to_owned(),
            None => "Nothing can be recovered yet".to_owned(),
        }
    });
    view! {
        <Fact label="Last Data Backup Time" context warns=missing>
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
            (Some(tenant), 0 | 1) => format!("Of {tenant}"),
            (Some(tenant), all) => format!("Oldest of {all} tenants: {tenant}"),
            (None, _) => "No log is backed up".to_owned(),
        }
    });
    view! {
        <Fact label="Log Backup Checkpoint" context>
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
        0 if summary.read().tenants == 0 => "There is no tenant yet".to_owned(),
        0 => "Runs for every tenant".to_owned(),
        some => format!("{} without log backup", count(some.into(), "tenant")),
    });
    let warns = Signal::derive(move || stopped.get() > 0);
    view! {
        <Fact label="Log Delay" context warns>
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
