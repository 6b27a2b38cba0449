//! The tab Second Data Backup: copies of sets at the second destination.

use super::{
    cells::{MomentCell, StatusCell},
    data_backup_tasks::start_time,
    filters::{Search, SetFilter, StatusFilter, TenantFilter, TimeFilter},
    query::{TaskQuery, href},
    task_drawer::{Opened, Shown},
    task_list::{TaskList, TaskTable, file},
};
use crate::language::{t, tf};
use crate::{
    api,
    feed::Feed,
    pages::{status, words::matching},
    signal::{Memo, RwSignal},
    ui::{Any, Cell, Column, FilterBar, LinkButton, NoValue, follow},
};
use domain::{
    job::{JobKind, JobState},
    task::Task,
};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

/// Its keys in the address begin with it.
pub const PREFIX: &str = "copies";

/// Filters and table of the second data backups.
#[component]
pub fn SecondDataTasks() -> impl IntoView {
    let params = use_query_map();
    let query = Memo::new(move |_| TaskQuery::read(&params.read(), PREFIX));
    let total = RwSignal::new(None);
    let table = TaskTable {
        prefix: PREFIX,
        caption: t("Second data backup tasks"),
        noun: "task",
        nothing: (
            t("No set has been copied yet"),
            t(
                "With second backup in the backup strategy, each set is copied to another place as soon as it is complete.",
            ),
        ),
        rows: Feed::current().second_data,
        fetch: |cluster, filter| Box::pin(api::tasks::list(cluster, JobKind::SecondData, filter)),
        columns,
        row,
    };
    let end = matching(total, "task");
    view! {
        <FilterBar end csv=file(query, "second_data")>
            <TimeFilter id="copies-time" prefix=PREFIX query/>
            <StatusFilter id="copies-status" prefix=PREFIX query kind=JobKind::SecondData/>
            <TenantFilter id="copies-tenant" prefix=PREFIX query/>
            <SetFilter prefix=PREFIX query/>
            <Search prefix=PREFIX query/>
        </FilterBar>
        <TaskList table query total/>
    }
    .any()
}

fn columns(query: Memo<TaskQuery>) -> Vec<Column> {
    vec![
        Column::plain(t("ID")),
        Column::plain(t("Tenant")),
        Column::plain(t("Backup Set ID")),
        start_time(query, PREFIX),
        Column::plain(t("End Time")),
        Column::plain(t("Storage Directory")),
        Column::plain(t("Status")),
    ]
}

fn row(task: RwSignal<Task>) -> AnyView {
    let (id, tenant, set) =
        task.with_untracked(|task| (task.id, task.tenant_name.clone(), task.set));
    let opened = Opened::current();
    let look = Memo::new(move |_| status::task(&task.read()));
    let progress = Signal::derive(move || {
        let task = task.read();
        (task.state == JobState::Running).then(|| task.progress.clone())
    });
    let directory = Memo::new(move |_| task.read().directory.clone());
    let params = use_query_map();
    // The data backups of the same set, on their tab.
    let first = set.map(|set| {
        let to = Signal::derive(move || {
            let of_set = href(&params.read(), "data", &[("set", Some(set.to_string()))]);
            format!("{of_set}&tab=data")
                .replace("tab=copies&", "")
                .replace("&tab=copies", "")
        });
        view! {
            <a
                href=move || to.get()
                data-noscroll=""
                aria-label=tf("Data backup tasks of set {set}", &[("set", &set)])
            >
                {set.to_string()}
            </a>
        }
        .any()
    });
    view! {
        <tr role="row">
            <th scope="row" role="rowheader" class="cell-key" data-label="ID">
                <LinkButton
                    class="id"
                    label=tf("Task {id}, details", &[("id", &id)])
                    on_press=move |()| opened.show(Shown::Task(task.into()))
                >
                    {id.to_string()}
                </LinkButton>
            </th>
            <Cell label=t("Tenant")>{tenant}</Cell>
            <Cell label=t("Backup Set ID")>{first}</Cell>
            <MomentCell label=t("Start Time") at=Signal::derive(move || task.read().started)/>
            <MomentCell label=t("End Time") at=Signal::derive(move || task.read().ended)/>
            <Cell
                label=t("Storage Directory")
                class="cell-clip cell-wide"
                empty=Signal::derive(move || directory.read().is_none())
            >
                {follow(move || match directory.get() {
                    Some(directory) => view! { <code title=directory.clone()>{directory.clone()}</code> }.any(),
                    None => view! { <NoValue/> }.any(),
                })}
            </Cell>
            <StatusCell look progress more=cause(task)/>
        </tr>
    }
    .any()
}

/// The way to the cause of a failure, under the status.
pub fn cause(task: RwSignal<Task>) -> AnyView {
    let opened = Opened::current();
    let failed = Memo::new(move |_| task.read().state == JobState::Failed);
    let id = task.with_untracked(|task| task.id);
    follow(move || {
        failed.get().then(|| {
            view! {
                <LinkButton
                    label=tf("View Cause of task {id}", &[("id", &id)])
                    on_press=move |()| opened.show(Shown::Task(task.into()))
                >
                    {t("View Cause")}
                </LinkButton>
            }
            .any()
        })
    })
    .into_any()
}
