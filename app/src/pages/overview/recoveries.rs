//! Recovery: the recovery tasks of all clusters, and the ways to a new one.

use super::{AGAIN_MS, counted_from};
use crate::language::{t, tf};
use crate::{
    api::{self, asked},
    live::timer::every,
    pages::{
        backup_recovery::{
            cells::MomentCell,
            data_backup_tasks::start_time,
            filters::{Search, StatusFilter, TimeFilter},
            query::{TaskQuery, unfiltered},
        },
        paging::{no_match, pager_of},
        status,
        words::{count, matching},
    },
    paths,
    shell::ClusterList,
    signal::{Memo, RwSignal},
    ui::{
        Any, Badge, Cell, Column, Empty, ErrorNotice, FilterBar, Skeleton, Stamp, Table, waiting,
    },
};
use domain::{
    cluster::ClusterSummary,
    job::JobKind,
    page::{Page, TOTAL_MAX},
    recovery::RecoveryJob,
};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

/// Its keys in the address begin with it.
const PREFIX: &str = "recovery";

/// The page.
#[component]
pub fn Recoveries() -> impl IntoView {
    let params = use_query_map();
    let query = Memo::new(move |_| TaskQuery::read(&params.read(), PREFIX));
    let total = RwSignal::new(None::<u64>);
    let tasks = asked(
        move || query.get(),
        |query| async move {
            let now = counted_from(&query).await?;
            api::recoveries::everywhere(query.filter(now)).await
        },
    );
    every(AGAIN_MS, move || tasks.refetch());
    let retry = Callback::new(move |()| tasks.refetch());
    let end = matching(total, "task");
    let view = move || async move {
        match tasks.await {
            Ok(page) => {
                total.set(Some(page.total));
                loaded(page, query)
            }
            Err(error) => {
                let title = t("The tasks could not be loaded").to_owned();
                view! { <ErrorNotice title text=error.to_string() on_retry=retry/> }.any()
            }
        }
    };
    view! {
        <Title text=t("Recovery")/>
        <div class="page-head">
            <div class="page-title">
                <h1>{t("Recovery")}</h1>
            </div>
        </div>
        <div class="stack">
            <Sources/>
            <section class="panel panel-table" aria-labelledby="all-recoveries">
                <div class="panel-head">
                    <h2 id="all-recoveries">{t("Recovery Tasks")}</h2>
                </div>
                <FilterBar end>
                    <TimeFilter id="recovery-time" prefix=PREFIX query/>
                    <StatusFilter id="recovery-status" prefix=PREFIX query kind=JobKind::Recovery/>
                    <Search prefix=PREFIX query/>
                </FilterBar>
                {waiting(|| view! { <Skeleton rows=6/> }.any(), view)}
            </section>
        </div>
    }
    .any()
}

/// What each cluster can be recovered to.
#[component]
fn Sources() -> impl IntoView {
    let ClusterList(clusters) = expect_context();
    let retry = Callback::new(move |()| clusters.refetch());
    let view = move || async move {
        match clusters.await {
            Ok(list) if list.is_empty() => {
                let text =
                    t("Add a cluster first; its tenants can be recovered once they are backed up.");
                view! { <Empty title=t("No cluster yet") text/> }.any()
            }
            Ok(list) => view! {
                <ul class="sources">{list.into_iter().map(source).collect_view()}</ul>
            }
            .any(),
            Err(error) => {
                let title = t("The clusters could not be loaded").to_owned();
                view! { <ErrorNotice title text=error.to_string() on_retry=retry/> }.any()
            }
        }
    };
    view! {
        <section class="panel" aria-labelledby="sources">
            <div class="panel-head">
                <h2 id="sources">{t("What can be recovered")}</h2>
            </div>
            {waiting(|| view! { <Skeleton rows=2/> }.any(), view)}
        </section>
    }
    .any()
}

fn source(one: ClusterSummary) -> AnyView {
    let name = one.cluster.name;
    let until = match one.recoverable_until {
        Some(until) => {
            let label = tf("Initiate Recovery from {cluster}", &[("cluster", &name)]);
            view! {
                <span>{t("Until")} " " <Stamp at=until/></span>
                <a class="button" data-size="sm" href=paths::new_recovery(&name, None, None) aria-label=label>
                    {t("Initiate Recovery")}
                </a>
            }
            .into_any()
        }
        None => view! {
            <span>{t("Nothing can be recovered yet: no tenant is backed up.")}</span>
            <a class="button" data-size="sm" href=paths::backup(&name)>{t("Backup & Recovery")}</a>
        }
        .into_any(),
    };
    view! {
        <li>
            <a href=paths::cluster(&name)>{name.clone()}</a>
            {until}
        </li>
    }
    .any()
}

fn loaded(page: Page<RecoveryJob>, query: Memo<TaskQuery>) -> AnyView {
    let params = use_query_map();
    if page.rows.is_empty() {
        return nothing(&page, unfiltered(&params.read_untracked(), PREFIX));
    }
    let columns = vec![
        Column::plain(t("ID")),
        Column::plain(t("Backup Cluster")),
        Column::plain(t("Backup Tenant")),
        Column::plain(t("Recovered to")),
        Column::plain(t("Destination Tenant")),
        start_time(query, PREFIX),
        Column::plain(t("End Time")),
        Column::plain(t("Status")),
    ];
    let pager = pager_of(PREFIX, (page.page, page.size), page.total, TOTAL_MAX);
    let rows = page.rows.into_iter().map(row).collect_view();
    view! {
        <Table caption=t("Recovery Tasks") columns=columns>
            {rows}
        </Table>
        {pager}
    }
    .any()
}

fn nothing(page: &Page<RecoveryJob>, all: String) -> AnyView {
    if page.total_unfiltered == 0 {
        let text =
            t("A recovery makes a new tenant from a past moment; the original stays as it is.");
        return view! { <Empty title=t("No recovery yet") text/> }.any();
    }
    let text = tf(
        "{task} without filters.",
        &[("task", &count(page.total_unfiltered, "task"))],
    );
    no_match(t("No task matches these filters"), text, all)
}

fn row(task: RecoveryJob) -> AnyView {
    let look = status::recovery(&task);
    let at_cluster = format!(
        "{}&recoveryText={}#tasks",
        paths::tasks(&task.source_cluster, "recovery"),
        task.id
    );
    let percent = task
        .progress
        .percent()
        .map(|percent| format!(" {percent} %"));
    let percent = percent.filter(|_| !task.state.is_final());
    view! {
        <tr role="row">
            <th scope="row" role="rowheader" class="cell-key" data-label="ID">
                <a class="id" href=at_cluster aria-label=tf("Task {id}, details", &[("id", &task.id)])>
                    {task.id.to_string()}
                </a>
            </th>
            <Cell label=t("Backup Cluster")>
                <a href=paths::cluster(&task.source_cluster)>{task.source_cluster.clone()}</a>
            </Cell>
            <Cell label=t("Backup Tenant")>{task.source_tenant}</Cell>
            <MomentCell label=t("Recovered to") at=Some(task.until)/>
            <Cell label=t("Destination Tenant")>{task.destination_tenant}</Cell>
            <MomentCell label=t("Start Time") at=task.started/>
            <MomentCell label=t("End Time") at=task.ended/>
            <Cell label=t("Status") class="cell-status">
                <Badge look/>
                {percent}
            </Cell>
        </tr>
    }
    .any()
}
