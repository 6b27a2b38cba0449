//! `tidemark task` and `tidemark history`.

use super::{Client, Output, output::columns};
use crate::{
    cli::{Common, History, Task},
    http::{
        shape::Problem,
        task_shape::{self, Listed, TaskList},
    },
};
use domain::size;

/// Lists, shows, retries or cancels tasks.
pub(super) fn run(common: &Common, order: &Task, output: &Output) -> Result<(), Problem> {
    let client = Client::connect(common)?;
    let one = |id: &i64| id.to_string();
    match order {
        Task::List {
            kind,
            state,
            tenant,
            page,
        } => {
            let page = page.to_string();
            let mut asked = vec![("kind", kind.as_str()), ("page", &page), ("size", "50")];
            asked.extend(state.as_deref().map(|state| ("state", state)));
            asked.extend(tenant.as_deref().map(|tenant| ("tenant", tenant)));
            let list: TaskList = client.get_with(&["tasks"], &asked)?;
            output.show(&list, listed)
        }
        Task::Show { id } => {
            let task: Listed = client.get(&["tasks", &one(id)])?;
            output.show(&task, shown)
        }
        Task::Retry { id } => {
            let task: Listed = client.post(&["tasks", &one(id), "retry"], &())?;
            output.show(&task, |task| {
                format!("Task {} tries task {id} again: {}\n", task.id, task.state)
            })
        }
        Task::Cancel { id } => {
            let task: Listed = client.post(&["tasks", &one(id), "cancel"], &())?;
            output.show(&task, |task| format!("Task {id}: {}\n", task.state))
        }
    }
}

/// Lists the runs of a schedule.
pub(super) fn history(common: &Common, order: &History, output: &Output) -> Result<(), Problem> {
    let client = Client::connect(common)?;
    let page = order.page.to_string();
    let asked = [
        ("kind", order.kind.as_str()),
        ("page", &page),
        ("size", "50"),
    ];
    let found: task_shape::History = client.get_with(&["history"], &asked)?;
    output.show(&found, |found| {
        let head = ["DUE", "BACKUP", "OUTCOME", "ENDED", "TASKS", "CAUSE"];
        let rows = found.runs.iter().map(|run| {
            let tasks = run.tasks.iter().map(i64::to_string).collect::<Vec<_>>();
            vec![
                run.due.clone(),
                run.backup.clone().unwrap_or_default(),
                run.outcome.clone(),
                run.ended.clone().unwrap_or_default(),
                tasks.join(","),
                run.cause.clone().unwrap_or_default(),
            ]
        });
        table(&head, rows, found.total)
    })
}

fn table(head: &[&str], rows: impl Iterator<Item = Vec<String>>, total: u64) -> String {
    let head = head.iter().map(|name| (*name).to_owned()).collect();
    let all: Vec<Vec<String>> = std::iter::once(head).chain(rows).collect();
    format!("{}{} of {total}\n", columns(&all), all.len() - 1)
}

fn listed(list: &TaskList) -> String {
    let head = [
        "ID", "TENANT", "STATE", "TRIGGER", "CREATED", "ENDED", "RESULT",
    ];
    let rows = list.tasks.iter().map(|task| {
        let result = task.failure.as_ref().or(task.outcome.as_ref());
        vec![
            task.id.to_string(),
            task.tenant.clone(),
            task.state.clone(),
            task.trigger.clone(),
            task.created.clone(),
            task.ended.clone().unwrap_or_default(),
            result.cloned().unwrap_or_default(),
        ]
    });
    table(&head, rows, list.total)
}

fn shown(task: &Listed) -> String {
    let mut rows = vec![
        (
            "Task",
            format!("{} ({}, {})", task.id, task.kind, task.trigger),
        ),
        ("Tenant", task.tenant.clone()),
        ("State", task.state.clone()),
        ("Attempts", task.attempts.to_string()),
    ];
    if task.progress.total_bytes > 0 {
        let progress = &task.progress;
        let (done, total) = (progress.done_bytes, progress.total_bytes);
        let text = format!("{} of {}", size::bytes(done), size::bytes(total));
        rows.push(("Progress", text));
    }
    let more = [
        ("Set", task.set.map(|set| set.to_string())),
        ("Copy", task.place.clone()),
        ("Keeps from", task.keep_from.clone()),
        ("Recovers to", task.until.clone()),
        ("New tenant", task.new_tenant.clone()),
        ("Directory", task.directory.clone()),
        ("Moved last", task.moved.clone()),
        ("Retry of", task.retry_of.map(|id| id.to_string())),
        ("Result", task.outcome.clone()),
        ("Failure", task.failure.clone()),
    ];
    rows.extend(
        more.into_iter()
            .filter_map(|(name, text)| Some((name, text?))),
    );
    let facts: Vec<Vec<String>> = rows
        .into_iter()
        .map(|(name, text)| vec![name.to_owned(), text])
        .collect();
    let steps = task.steps.iter();
    let steps: Vec<Vec<String>> = steps
        .map(|step| vec![step.at.clone(), step.text.clone()])
        .collect();
    format!("{}\n{}", columns(&facts), columns(&steps))
}
