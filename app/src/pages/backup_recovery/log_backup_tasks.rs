//! The tab Log Backup Tasks.

use super::{
    cells::MomentCell,
    filters::TenantFilter,
    query::TaskQuery,
    task_actions::{AskButton, Asked},
    task_drawer::{Opened, Shown},
    task_list::{TaskList, TaskTable, file},
};
use crate::language::{t, tf};
use crate::{
    api,
    feed::Feed,
    pages::{status, words::matching},
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
        caption: t("Log backup tasks"),
        noun: "task",
        nothing: (
            t("No log backup yet"),
            t("Every tenant of this cluster gets one; there is no tenant yet."),
        ),
        rows: Feed::current().archives,
        fetch: |cluster, filter| Box::pin(api::archives::list(cluster, filter)),
        columns,
        row,
    };
    let end = matching(total, "task");
    view! {
        <FilterBar end csv=file(query, "log")>
            <TenantFilter id="log-tenant" prefix=PREFIX query/>
        </FilterBar>
        <TaskList table query total/>
    }
    .any()
}

fn columns(_query: Memo<TaskQuery>) -> Vec<Column> {
    [
        t("Tenant"),
        t("Backup Method"),
        t("Host IP Address"),
        t("Last Backed up At"),
        t("Latency (s)"),
        t("Storage Directory"),
        t("Started Time"),
        t("Status"),
        t("Actions"),
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
            <th scope="row" role="rowheader" class="cell-key" data-label=t("Tenant")>
                <LinkButton
                    label=tf("Log backup of {tenant}, details", &[("tenant", &tenant)])
                    on_press=move |()| opened.show(Shown::Archive(task.into()))
                >
                    {tenant.clone()}
                </LinkButton>
            </th>
            <Cell label=t("Backup Method")>{t(fixed.method.label())}</Cell>
            <Cell label=t("Host IP Address")>{move || task.read().host.clone()}</Cell>
            <MomentCell
                label=t("Last Backed up At")
                at=Signal::derive(move || task.read().checkpoint_scn)
            />
            <Cell label=t("Latency (s)") empty=Signal::derive(move || latency.read().is_none())>
                {follow(move || match latency.get() {
                    Some(text) => text.into_any(),
                    None => view! { <NoValue/> }.any(),
                })}
            </Cell>
            <Cell label=t("Storage Directory") class="cell-clip cell-wide">
                <code title=move || directory.get()>{move || directory.get()}</code>
            </Cell>
            <MomentCell label=t("Started Time") at=Signal::derive(move || task.read().started)/>
            <Cell label=t("Status") class="cell-status">
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
        <Cell label=t("Actions") class="cell-actions" empty=none>
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
                                        label=tf("View Cause for {name}", &[("name", &name)])
                                        on_press=move |()| opened.show(Shown::Archive(task.into()))
                                    >
                                        {t("View Cause")}
                                    </LinkButton>
                                }.any()
                            })}
                        {can_start
                            .then(|| {
                                view! {
                                    <AskButton
                                        label=tf("Start log backup of {name}", &[("name", &name)])
                                        asked=Asked::StartLogBackup(id, name.clone())
                                        text=t("Start")
                                    />
                                }.any()
                            })}
                        {can_stop
                            .then(|| {
                                view! {
                                    <AskButton
                                        label=tf("Stop log backup of {name}", &[("name", &name)])
                                        asked=Asked::StopLogBackup(id, name.clone())
                                        text=t("Stop")
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
