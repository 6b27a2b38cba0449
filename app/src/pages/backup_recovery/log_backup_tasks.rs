//! The tab Log Backup Tasks.

use super::{
    cells::MomentCell,
    filters::TenantFilter,
    query::TaskQuery,
    task_actions::{AskButton, Asked},
    task_drawer::{Opened, Shown},
    task_list::{TaskList, TaskTable},
};
use crate::{
    api,
    feed::Feed,
    pages::{status, words::count},
    signal::{Memo, RwSignal},
    ui::{Any, Badge, Cell, Column, FilterBar, LinkButton, NoValue, follow},
};
use domain::archive::{ArchiveState, LogArchive};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

/// Its keys in the address begin with it.
const PREFIX: &str = "log";

/// Filters and table of the log backup tasks.
#[component]
pub fn LogBackupTasks() -> impl IntoView {
    let params = use_query_map();
    let query = Memo::new(move |_| TaskQuery::read(&params.read(), PREFIX));
    let total = RwSignal::new(None);
    let table = TaskTable {
        prefix: PREFIX,
        caption: "Log backup tasks",
        noun: "task",
        nothing: (
            "No log backup yet",
            "Every tenant of this cluster gets one; there is no tenant yet.",
        ),
        rows: Feed::current().archives,
        fetch: |cluster, filter| Box::pin(api::archives::list(cluster, filter)),
        columns,
        row,
    };
    let end = Signal::derive(move || total.get().map_or(String::new(), |n| count(n, "task")));
    view! {
        <FilterBar end>
            <TenantFilter id="log-tenant" prefix=PREFIX query/>
        </FilterBar>
        <TaskList table query total/>
    }
    .any()
}

fn columns(_query: Memo<TaskQuery>) -> Vec<Column> {
    [
        "Tenant",
        "Backup Method",
        "Host IP Address",
        "Last Backed up At",
        "Latency (s)",
        "Storage Directory",
        "Started Time",
        "Status",
        "Actions",
    ]
    .map(Column::plain)
    .to_vec()
}

fn row(task: RwSignal<LogArchive>) -> AnyView {
    let fixed = task.get_untracked();
    let tenant = fixed.tenant_name;
    let opened = Opened::current();
    let look = Memo::new(move |_| status::archive(&task.read().state));
    let directory = Memo::new(move |_| task.read().directory.clone());
    let latency = latency(task);
    view! {
        <tr role="row">
            <th scope="row" role="rowheader" class="cell-key" data-label="Tenant">
                <LinkButton
                    label=format!("Log backup of {tenant}, details")
                    on_press=move |()| opened.show(Shown::Archive(task.into()))
                >
                    {tenant.clone()}
                </LinkButton>
            </th>
            <Cell label="Backup Method">{fixed.method.label()}</Cell>
            <Cell label="Host IP Address">{move || task.read().host.clone()}</Cell>
            <MomentCell
                label="Last Backed up At"
                at=Signal::derive(move || task.read().checkpoint_scn)
            />
            <Cell label="Latency (s)" empty=Signal::derive(move || latency.read().is_none())>
                {follow(move || match latency.get() {
                    Some(text) => text.into_any(),
                    None => view! { <NoValue/> }.any(),
                })}
            </Cell>
            <Cell label="Storage Directory" class="cell-clip cell-wide">
                <code title=move || directory.get()>{move || directory.get()}</code>
            </Cell>
            <MomentCell label="Started Time" at=Signal::derive(move || task.read().started)/>
            <Cell label="Status" class="cell-status">
                <Badge look/>
            </Cell>
            <Actions task/>
        </tr>
    }
    .any()
}

/// Seconds between the checkpoint and now; nothing where no log is being backed up.
fn latency(task: RwSignal<LogArchive>) -> Memo<Option<String>> {
    let now = Feed::current().delay_now();
    Memo::new(move |_| {
        let task = task.read();
        let checkpoint = task.checkpoint_scn?;
        let tenths = now.get().since_ns(checkpoint) / 100_000_000;
        (task.state != ArchiveState::Stop).then(|| match tenths {
            0..100 => format!("{}.{}", tenths / 10, tenths % 10),
            _ => (tenths / 10).to_string(),
        })
    })
}

#[component]
fn Actions(task: RwSignal<LogArchive>) -> impl IntoView {
    let opened = Opened::current();
    let offers = Memo::new(move |_| {
        let task = task.read();
        let has_cause = task.state == ArchiveState::Interrupted && task.note.is_some();
        (has_cause, task.state.can_start(), task.state.can_stop())
    });
    let none = Signal::derive(move || offers.get() == (false, false, false));
    let (id, tenant) = task.with_untracked(|task| (task.tenant, task.tenant_name.clone()));
    let tenant = StoredValue::new(tenant);
    view! {
        <Cell label="Actions" class="cell-actions" empty=none>
            {follow(move || {
                if none.get() {
                    return view! { <NoValue/> }.any();
                }
                let (has_cause, can_start, can_stop) = offers.get();
                let name = tenant.get_value();
                view! {
                    <span>
                        {has_cause
                            .then(|| {
                                view! {
                                    <LinkButton
                                        label=format!("View Cause for {name}")
                                        on_press=move |()| opened.show(Shown::Archive(task.into()))
                                    >
                                        "View Cause"
                                    </LinkButton>
                                }.any()
                            })}
                        {can_start
                            .then(|| {
                                view! {
                                    <AskButton
                                        label=format!("Start log backup of {name}")
                                        asked=Asked::StartLogBackup(id, name.clone())
                                        text="Start"
                                    />
                                }.any()
                            })}
                        {can_stop
                            .then(|| {
                                view! {
                                    <AskButton
                                        label=format!("Stop log backup of {name}")
                                        asked=Asked::StopLogBackup(id, name.clone())
                                        text="Stop"
                                    />
                                }.any()
                            })}
                    </span>
                }.any()
            })}
        </Cell>
    }
    .any()
}
