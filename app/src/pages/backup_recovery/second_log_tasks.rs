//! The tab Second Log Backup: one row for each tenant whose log is or was copied.

use super::{
    cells::MomentCell,
    filters::TenantFilter,
    query::TaskQuery,
    task_drawer::{Opened, Shown},
    task_list::{TaskList, TaskTable, file},
};
use crate::language::{t, tf, told};
use crate::{
    api,
    feed::Feed,
    pages::{status, words::matching},
    signal::{Memo, RwSignal},
    ui::{Any, Badge, Cell, Column, FilterBar, LinkButton},
};
use domain::second_backup::SecondLog;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

/// Its keys in the address begin with it.
const PREFIX: &str = "logcopies";

/// Filter and table of the second log backups.
#[component]
pub fn SecondLogTasks() -> impl IntoView {
    let params = use_query_map();
    let query = Memo::new(move |_| TaskQuery::read(&params.read(), PREFIX));
    let total = RwSignal::new(None);
    let table = TaskTable {
        prefix: PREFIX,
        caption: t("Second log backup tasks"),
        noun: "task",
        nothing: (
            t("No log has been copied yet"),
            t(
                "With second backup in the backup strategy, log is copied to another place every hour or every day.",
            ),
        ),
        rows: Feed::current().second_logs,
        fetch: |cluster, filter| Box::pin(api::second_logs::list(cluster, filter)),
        columns,
        row,
    };
    let end = matching(total, "task");
    view! {
        <FilterBar end csv=file(query, "second_logs")>
            <TenantFilter id="logcopies-tenant" prefix=PREFIX query/>
        </FilterBar>
        <TaskList table query total/>
    }
    .any()
}

fn columns(_query: Memo<TaskQuery>) -> Vec<Column> {
    [
        t("Tenant"),
        t("Last Backed up At"),
        t("Storage Directory"),
        t("Start Time"),
        t("Status"),
    ]
    .map(Column::plain)
    .to_vec()
}

fn row(task: RwSignal<SecondLog>) -> AnyView {
    let tenant = task.with_untracked(|task| task.tenant_name.clone());
    let opened = Opened::current();
    let look = Memo::new(move |_| status::second_log(task.read().state));
    let directory = Memo::new(move |_| task.read().directory.clone());
    view! {
        <tr role="row">
            <th scope="row" role="rowheader" class="cell-key" data-label=t("Tenant")>
                <LinkButton
                    label=tf("Second log backup of {tenant}, details", &[("tenant", &tenant)])
                    on_press=move |()| opened.show(Shown::SecondLog(task.into()))
                >
                    {tenant.clone()}
                </LinkButton>
            </th>
            <MomentCell
                label=t("Last Backed up At")
                at=Signal::derive(move || task.read().last_backed_up)
            />
            <Cell label=t("Storage Directory") class="cell-clip cell-wide">
                <code title=move || directory.get()>{move || directory.get()}</code>
            </Cell>
            <MomentCell label=t("Start Time") at=Signal::derive(move || task.read().started)/>
            <Cell label=t("Status") class="cell-status">
                <span title=move || task.read().note.as_deref().map(told)>
                    <Badge look/>
                </span>
            </Cell>
        </tr>
    }
    .any()
}
