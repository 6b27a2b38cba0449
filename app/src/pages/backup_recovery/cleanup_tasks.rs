//! The tab Cleanup Tasks: what has expired and was removed by the console.

use super::{
    cells::{MomentCell, StatusCell},
    data_backup_tasks::start_time,
    filters::{Search, StatusFilter, TenantFilter, TimeFilter},
    query::TaskQuery,
    second_data_tasks::cause,
    task_drawer::{Opened, Shown},
    task_list::{TaskList, TaskTable, file},
};
use crate::language::{t, tf};
use crate::{
    api,
    feed::Feed,
    pages::{status, words::matching},
    parts,
    signal::{Memo, RwSignal},
    ui::{Any, Button, Cell, Column, Dialog, FilterBar, LinkButton},
};
use domain::{
    capability::Expiry,
    job::{JobKind, JobState},
    task::Task,
};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

/// Its keys in the address begin with it.
const PREFIX: &str = "cleanup";

/// Filters and table of the cleanups; or why there is none.
#[component]
pub fn CleanupTasks() -> impl IntoView {
    let summary = Feed::current().summary();
    let expiry = summary.with_untracked(|summary| summary.cluster.capabilities.expiry);
    match expiry {
        Expiry::ConsoleDeletesSets => view! { <Removals/> }.any(),
        Expiry::EngineByPolicy => view! {
            <p class="panel-note panel-pad">
                {t("This cluster removes what has expired by itself and keeps no list of it, so there are no tasks to show here.")}
            </p>
        }
        .any(),
    }
}

#[component]
fn Removals() -> impl IntoView {
    let params = use_query_map();
    let query = Memo::new(move |_| TaskQuery::read(&params.read(), PREFIX));
    let total = RwSignal::new(None);
    let feed = Feed::current();
    let open = RwSignal::new(false);
    let table = TaskTable {
        prefix: PREFIX,
        caption: t("Cleanup tasks"),
        noun: "task",
        nothing: (
            t("Nothing has been removed yet"),
            t("Cleanups begin at the time that the backup strategy names, or by hand."),
        ),
        rows: feed.cleanups,
        fetch: |cluster, filter| Box::pin(api::tasks::list(cluster, JobKind::Cleanup, filter)),
        columns,
        row,
    };
    let end = matching(total, "task");
    let clean_up = view! {
        <Button size="sm" icon="s-clean" on_press=move |()| parts::open_with_content(open)>
            {t("What has expired")}
        </Button>
        <Dialog open title=t("What has expired") size="lg">
            {parts::downloaded(move || parts::clean_up_form(open))}
        </Dialog>
    }
    .any();
    view! {
        <FilterBar end csv=file(query, "cleanup")>
            <TimeFilter id="cleanup-time" prefix=PREFIX query/>
            <StatusFilter id="cleanup-status" prefix=PREFIX query kind=JobKind::Cleanup/>
            <TenantFilter id="cleanup-tenant" prefix=PREFIX query/>
            <Search prefix=PREFIX query/>
            {clean_up}
        </FilterBar>
        <TaskList table query total/>
    }
    .any()
}

fn columns(query: Memo<TaskQuery>) -> Vec<Column> {
    vec![
        Column::plain(t("ID")),
        Column::plain(t("Cluster")),
        start_time(query, PREFIX),
        Column::plain(t("End Time")),
        Column::plain(t("Status")),
    ]
}

fn row(task: RwSignal<Task>) -> AnyView {
    let (id, tenant, place) = task.with_untracked(|task| {
        (
            task.id,
            task.tenant_name.clone(),
            task.place.unwrap_or_default(),
        )
    });
    let cluster = Feed::current().cluster();
    let opened = Opened::current();
    let look = Memo::new(move |_| status::task(&task.read()));
    let progress = Signal::derive(move || {
        let task = task.read();
        (task.state == JobState::Running).then(|| task.progress.clone())
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
            <Cell label=t("Cluster")>
                {cluster}
                <span class="tag">{tenant}</span>
                <span class="tag">{t(place.label())}</span>
            </Cell>
            <MomentCell label=t("Start Time") at=Signal::derive(move || task.read().started)/>
            <MomentCell label=t("End Time") at=Signal::derive(move || task.read().ended)/>
            <StatusCell look progress more=cause(task)/>
        </tr>
    }
    .any()
}
