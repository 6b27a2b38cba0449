//! The tab Data Backup Tasks.

use super::{
    cells::{MomentCell, StatusCell},
    filters::{MethodFilter, SourceFilter, StatusFilter, TenantFilter, TimeFilter},
    query::{TaskQuery, href},
    task_actions::{AskButton, Asked},
    task_drawer::{Opened, Shown},
    task_list::{TaskList, TaskTable},
};
use crate::{
    api,
    feed::Feed,
    pages::{status, words::count},
    signal::{Memo, RwSignal},
    ui::{Any, Cell, Column, FilterBar, LinkButton, NoValue, follow, table::Sort},
};
use domain::{backup::BackupJob, job::JobState};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

/// Its keys in the address begin with it.
const PREFIX: &str = "data";

/// Filters and table of the data backup tasks.
#[component]
pub fn DataBackupTasks() -> impl IntoView {
    let params = use_query_map();
    let query = Memo::new(move |_| TaskQuery::read(&params.read(), PREFIX));
    let total = RwSignal::new(None);
    let table = TaskTable {
        prefix: PREFIX,
        caption: "Data backup tasks",
        noun: "task",
        nothing: (
            "No data backup yet",
            "Until the first one, nothing can be recovered. Back up Now starts it.",
        ),
        rows: Feed::current().backups,
        fetch: |cluster, filter| Box::pin(api::backups::list(cluster, filter)),
        columns,
        row,
    };
    let end = Signal::derive(move || total.get().map_or(String::new(), |n| count(n, "task")));
    view! {
        <FilterBar end>
            <TimeFilter id="data-time" prefix=PREFIX query/>
            <StatusFilter id="data-status" prefix=PREFIX query/>
            <TenantFilter id="data-tenant" prefix=PREFIX query/>
            <MethodFilter id="data-method" prefix=PREFIX query/>
            <SourceFilter id="data-source" prefix=PREFIX query/>
        </FilterBar>
        <TaskList table query total/>
    }
    .any()
}

fn columns(query: Memo<TaskQuery>) -> Vec<Column> {
    vec![
        Column::plain("ID"),
        Column::plain("Tenant"),
        Column::plain("Data Backup Method"),
        Column::plain("Backup Set ID"),
        Column::plain("Backup Task Source"),
        start_time(query, PREFIX),
        Column::plain("End Time"),
        Column::plain("Status"),
        Column::plain("Second Backup"),
        Column::plain("Actions"),
    ]
}

/// The column Start Time, which turns the order round.
pub fn start_time(query: Memo<TaskQuery>, prefix: &'static str) -> Column {
    let params = use_query_map();
    let sort = Sort {
        ascending: Signal::derive(move || query.read().ascending),
        href: Signal::derive(move || {
            let oldest = (!query.read().ascending).then(|| "oldest".to_owned());
            href(&params.read(), prefix, &[("order", oldest)])
        }),
    };
    Column::sorted("Start Time", sort)
}

fn row(task: RwSignal<BackupJob>) -> AnyView {
    let (id, tenant, source) = task.with_untracked(|task| {
        let source = task.source.label();
        (task.id, task.tenant_name.clone(), source)
    });
    let opened = Opened::current();
    let look = Memo::new(move |_| status::backup(&task.read()));
    let progress = Signal::derive(move || {
        let task = task.read();
        (task.state == JobState::Running).then(|| task.progress.clone())
    });
    let set = Memo::new(move |_| task.read().set);
    view! {
        <tr role="row">
            <th scope="row" role="rowheader" class="cell-key" data-label="ID">
                <LinkButton
                    class="id"
                    label=format!("Task {id}, details")
                    on_press=move |()| opened.show(Shown::Backup(task.into()))
                >
                    {id.to_string()}
                </LinkButton>
            </th>
            <Cell label="Tenant">{tenant}</Cell>
            <Cell label="Data Backup Method">
                <Method task/>
            </Cell>
            <Cell label="Backup Set ID" empty=Signal::derive(move || set.get().is_none())>
                {follow(move || match set.get() {
                    Some(set) => set.to_string().into_any(),
                    None => view! { <NoValue/> }.any(),
                })}
            </Cell>
            <Cell label="Backup Task Source">{source}</Cell>
            <MomentCell label="Start Time" at=Signal::derive(move || task.read().started)/>
            <MomentCell label="End Time" at=Signal::derive(move || task.read().ended)/>
            <StatusCell look progress/>
            <Cell label="Second Backup">"No"</Cell>
            <Actions task/>
        </tr>
    }
    .any()
}

/// What was made; and what was asked for, where that differs.
#[component]
fn Method(task: RwSignal<BackupJob>) -> impl IntoView {
    let made = Memo::new(move |_| {
        let task = task.read();
        (task.actual.unwrap_or(task.asked), task.asked)
    });
    follow(move || {
        let (made, asked) = made.get();
        let differs = (made != asked).then(|| {
            let reason = task.read_untracked().actual_reason.clone();
            view! {
                <span class="tag" title=reason>
                    {format!("asked: {}", asked.label())}
                </span>
            }
            .any()
        });
        view! {
            {made.label()}
            {differs}
        }
        .any()
    })
}

#[component]
fn Actions(task: RwSignal<BackupJob>) -> impl IntoView {
    let opened = Opened::current();
    let state = Memo::new(move |_| task.read().state);
    let can_act = move || {
        let state = state.get();
        state == JobState::Failed || (!state.is_final() && state != JobState::Canceling)
    };
    view! {
        <Cell label="Actions" class="cell-actions" empty=Signal::derive(move || !can_act())>
            {follow(move || match state.get() {
                JobState::Queued | JobState::Starting | JobState::Running => {
                    let (id, tenant) = task.with_untracked(|t| (t.id, t.tenant_name.clone()));
                    view! {
                        <span>
                            <AskButton
                                label=format!("Cancel task {id}")
                                asked=Asked::CancelBackup(id, tenant)
                                text="Cancel"
                            />
                        </span>
                    }.any()
                }
                JobState::Failed => {
                    let id = task.with_untracked(|task| task.id);
                    view! {
                        <span>
                            <LinkButton
                                label=format!("View Cause of task {id}")
                                on_press=move |()| opened.show(Shown::Backup(task.into()))
                            >
                                "View Cause"
                            </LinkButton>
                        </span>
                    }.any()
                }
                _ => view! { <NoValue/> }.any(),
            })}
        </Cell>
    }
    .any()
}
