//! The tab Data Backup Tasks.

use super::{
    cells::{MomentCell, StatusCell},
    filters::{
        MethodFilter, Search, SetFilter, SourceFilter, StatusFilter, TenantFilter, TimeFilter,
    },
    query::{TaskQuery, href},
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
        caption: t("Data backup tasks"),
        noun: "task",
        nothing: (
            t("No data backup yet"),
            t("Until the first one, nothing can be recovered. Back up Now starts it."),
        ),
        rows: Feed::current().backups,
        fetch: |cluster, filter| Box::pin(api::backups::list(cluster, filter)),
        columns,
        row,
    };
    let end = matching(total, "task");
    view! {
        <FilterBar end csv=file(query, "data_backup")>
            <TimeFilter id="data-time" prefix=PREFIX query/>
            <StatusFilter id="data-status" prefix=PREFIX query/>
            <TenantFilter id="data-tenant" prefix=PREFIX query/>
            <MethodFilter id="data-method" prefix=PREFIX query/>
            <SourceFilter id="data-source" prefix=PREFIX query/>
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
        Column::plain(t("Data Backup Method")),
        Column::plain(t("Backup Set ID")),
        Column::plain(t("Backup Task Source")),
        start_time(query, PREFIX),
        Column::plain(t("End Time")),
        Column::plain(t("Status")),
        Column::plain(t("Second Backup")),
        Column::plain(t("Actions")),
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
    Column::sorted(t("Start Time"), sort)
}

fn row(task: RwSignal<BackupJob>) -> AnyView {
    let (id, tenant, source) = task.with_untracked(|task| {
        let source = t(task.source.label());
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
                    label=tf("Task {id}, details", &[("id", &id)])
                    on_press=move |()| opened.show(Shown::Backup(task.into()))
                >
                    {id.to_string()}
                </LinkButton>
            </th>
            <Cell label=t("Tenant")>{tenant}</Cell>
            <Cell label=t("Data Backup Method")>
                <Method task/>
            </Cell>
            <Cell label=t("Backup Set ID") empty=Signal::derive(move || set.get().is_none())>
                {follow(move || match set.get() {
                    Some(set) => set.to_string().into_any(),
                    None => view! { <NoValue/> }.any(),
                })}
            </Cell>
            <Cell label=t("Backup Task Source")>{source}</Cell>
            <MomentCell label=t("Start Time") at=Signal::derive(move || task.read().started)/>
            <MomentCell label=t("End Time") at=Signal::derive(move || task.read().ended)/>
            <StatusCell look progress/>
            <SecondBackup task/>
            <Actions task/>
        </tr>
    }
    .any()
}

/// Whether the set was copied to the second destination, and the way to the tasks that did.
#[component]
fn SecondBackup(task: RwSignal<BackupJob>) -> impl IntoView {
    let opened = Opened::current();
    let second = Memo::new(move |_| {
        let task = task.read();
        let copies = task
            .second
            .as_ref()
            .filter(|second| !second.tasks.is_empty());
        Some((task.tenant, task.set?, copies?.copied))
    });
    view! {
        <Cell label=t("Second Backup")>
            {follow(move || match second.get() {
                None => t("No").into_any(),
                Some((tenant, set, copied)) => {
                    let text = if copied { t("Yes") } else { t("Not yet") };
                    view! {
                        <LinkButton
                            label=tf("{text}: second backup of set {set}", &[("text", &text), ("set", &set)])
                            on_press=move |()| opened.show(Shown::Copies(tenant, set))
                        >
                            {text}
                        </LinkButton>
                    }
                    .any()
                }
            })}
        </Cell>
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
                    {tf("asked: {asked}", &[("asked", &t(asked.label()))])}
                </span>
            }
            .any()
        });
        view! {
            {t(made.label())}
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
        <Cell label=t("Actions") class="cell-actions" empty=Signal::derive(move || !can_act())>
            {follow(move || match state.get() {
                JobState::Queued | JobState::Starting | JobState::Running => {
                    let (id, tenant) = task.with_untracked(|t| (t.id, t.tenant_name.clone()));
                    view! {
                        <span>
                            <AskButton
                                label=tf("Cancel task {id}", &[("id", &id)])
                                asked=Asked::CancelBackup(id, tenant)
                                text=t("Cancel")
                            />
                        </span>
                    }.any()
                }
                JobState::Failed => {
                    let id = task.with_untracked(|task| task.id);
                    view! {
                        <span>
                            <LinkButton
                                label=tf("View Cause of task {id}", &[("id", &id)])
                                on_press=move |()| opened.show(Shown::Backup(task.into()))
                            >
                                {t("View Cause")}
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
