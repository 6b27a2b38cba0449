//! The task tables behind their tabs. All six are in the page, so that it can be printed as evidence.

use super::{
    cleanup_tasks::CleanupTasks, data_backup_tasks::DataBackupTasks,
    log_backup_tasks::LogBackupTasks, query::with, recovery_tasks::RecoveryTasks,
    second_data_tasks::SecondDataTasks, second_log_tasks::SecondLogTasks,
};
use crate::language::{later, t};
use crate::{
    feed::Feed,
    live::time::Clock,
    signal::Memo,
    ui::{Any, Tab, Tabs},
};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

/// Name and label of each tab.
const TABS: [(&str, &str); 6] = [
    ("data", later("Data Backup Tasks")),
    ("log", later("Log Backup Tasks")),
    ("copies", later("Second Data Backup")),
    ("logcopies", later("Second Log Backup")),
    ("recovery", later("Recovery Tasks")),
    ("cleanup", later("Cleanup Tasks")),
];

/// Every kind of task, each behind its tab.
#[component]
pub fn Tasks() -> impl IntoView {
    let params = use_query_map();
    let selected = Memo::new(move |_| {
        let asked = params.read().get("tab");
        let known = TABS
            .into_iter()
            .find(|(id, _)| Some(*id) == asked.as_deref());
        known.map_or("data", |(id, _)| id)
    });
    let feed = Feed::current();
    let clock = Clock::current();
    let active = move |id: &'static str| {
        // Counted only once the page answers to presses: the rows come after the tabs.
        Signal::derive(move || match (clock.is_local(), id) {
            (true, "data") => feed.backups.active(),
            (true, "recovery") => feed.recoveries.active(),
            (true, "copies") => feed.second_data.active(),
            (true, "cleanup") => feed.cleanups.active(),
            _ => 0,
        })
    };
    let tabs = TABS
        .into_iter()
        .map(|(id, label)| Tab {
            id,
            label: t(label),
            active: active(id),
            href: Signal::derive(move || with(&params.read(), "tab", Some(id))),
        })
        .collect();
    view! {
        <section class="panel" id="tasks" aria-label=t("Tasks")>
            <Tabs label=t("Tasks") tabs selected/>
            <Panel id="data" selected>
                <DataBackupTasks/>
            </Panel>
            <Panel id="log" selected>
                <LogBackupTasks/>
            </Panel>
            <Panel id="copies" selected>
                <SecondDataTasks/>
            </Panel>
            <Panel id="logcopies" selected>
                <SecondLogTasks/>
            </Panel>
            <Panel id="recovery" selected>
                <RecoveryTasks/>
            </Panel>
            <Panel id="cleanup" selected>
                <CleanupTasks/>
            </Panel>
        </section>
    }
    .any()
}

#[component]
fn Panel(id: &'static str, selected: Memo<&'static str>, children: Children) -> impl IntoView {
    view! {
        <div
            role="tabpanel"
            id=format!("panel-{id}")
            aria-labelledby=format!("tab-{id}")
            hidden=move || selected.get() != id
        >
            {children()}
        </div>
    }
    .any()
}
