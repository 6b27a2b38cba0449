//! The tab Recovery Tasks.

use super::{
    cells::{MomentCell, StatusCell},
    data_backup_tasks::start_time,
    filters::{Search, StatusFilter, TenantFilter, TimeFilter},
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
    paths,
    signal::{Memo, RwSignal},
    ui::{Any, Cell, Column, FilterBar, LinkButton, NoValue, follow},
};
use domain::{job::JobState, recovery::RecoveryJob};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

/// Its keys in the address begin with it.
const PREFIX: &str = "recovery";

/// Filters and table of the recovery tasks.
#[component]
pub fn RecoveryTasks() -> impl IntoView {
    let params = use_query_map();
    let query = Memo::new(move |_| TaskQuery::read(&params.read(), PREFIX));
    let total = RwSignal::new(None);
    let table = TaskTable {
        prefix: PREFIX,
        caption: t("Recovery tasks"),
        noun: "task",
        nothing: (
            t("No recovery yet"),
            t("A recovery makes a new tenant from a past moment; the original stays as it is."),
        ),
        rows: Feed::current().recoveries,
        fetch: |cluster, filter| Box::pin(api::recoveries::list(cluster, filter)),
        columns,
        row,
    };
    let end = matching(total, "task");
    view! {
        <FilterBar end csv=file(query, "recovery")>
            <TimeFilter id="recovery-time" prefix=PREFIX query/>
            <StatusFilter id="recovery-status" prefix=PREFIX query/>
            <TenantFilter id="recovery-tenant" prefix=PREFIX query/>
            <Search prefix=PREFIX query/>
        </FilterBar>
        <TaskList table query total/>
    }
    .any()
}

fn columns(query: Memo<TaskQuery>) -> Vec<Column> {
    vec![
        Column::plain(t("ID")),
        Column::plain(t("Backup Cluster")),
        Column::plain(t("Backup Tenant")),
        Column::plain(t("Destination Cluster")),
        Column::plain(t("Destination Tenant")),
        start_time(query, PREFIX),
        Column::plain(t("End Time")),
        Column::plain(t("Status")),
        Column::plain(t("Actions")),
    ]
}

fn row(task: RwSignal<RecoveryJob>) -> AnyView {
    let fixed = task.get_untracked();
    let id = fixed.id;
    let opened = Opened::current();
    let look = Memo::new(move |_| status::recovery(&task.read()));
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
                    on_press=move |()| opened.show(Shown::Recovery(task.into()))
                >
                    {id.to_string()}
                </LinkButton>
            </th>
            <Cell label=t("Backup Cluster")>{fixed.source_cluster}</Cell>
            <Cell label=t("Backup Tenant")>{fixed.source_tenant}</Cell>
            <Cell label=t("Destination Cluster")>{fixed.destination_cluster}</Cell>
            <Cell label=t("Destination Tenant")>{fixed.destination_tenant}</Cell>
            <MomentCell label=t("Start Time") at=Signal::derive(move || task.read().started)/>
            <MomentCell label=t("End Time") at=Signal::derive(move || task.read().ended)/>
            <StatusCell look progress/>
            <Actions task/>
        </tr>
    }
    .any()
}

#[component]
fn Actions(task: RwSignal<RecoveryJob>) -> impl IntoView {
    let opened = Opened::current();
    let can_cancel = Feed::current()
        .summary()
        .with_untracked(|summary| summary.cluster.capabilities.cancel_recovery);
    let state = Memo::new(move |_| task.read().state);
    let offer = Memo::new(move |_| match state.get() {
        JobState::Queued | JobState::Starting | JobState::Running if can_cancel => Some(true),
        JobState::Failed => Some(false),
        _ => None,
    });
    view! {
        <Cell label=t("Actions") class="cell-actions" empty=Signal::derive(move || offer.get().is_none())>
            {follow(move || {
                let (id, tenant, again) = task.with_untracked(|task| {
                    let source = (Some(task.source_tenant_id), Some(task.until));
                    let again = paths::new_recovery(&task.source_cluster, source.0, source.1);
                    (task.id, task.destination_tenant.clone(), again)
                });
                match offer.get() {
                    Some(true) => {
                        view! {
                            <span>
                                <AskButton
                                    label=tf("Cancel task {id}", &[("id", &id)])
                                    asked=Asked::CancelRecovery(id, tenant)
                                    text=t("Cancel")
                                />
                            </span>
                        }.any()
                    }
                    Some(false) => {
                        view! {
                            <span>
                                <LinkButton
                                    label=tf("View Cause of task {id}", &[("id", &id)])
                                    on_press=move |()| opened.show(Shown::Recovery(task.into()))
                                >
                                    {t("View Cause")}
                                </LinkButton>
                                <a href=again aria-label=tf("Recover again like task {id}", &[("id", &id)])>
                                    {t("Recover again")}
                                </a>
                            </span>
                        }.any()
                    }
                    None => view! { <NoValue/> }.any(),
                }
            })}
        </Cell>
    }.any()
}
