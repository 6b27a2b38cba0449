//! `tidemark backup`.

use super::{Client, Output, wait};
use crate::{
    cli::{Backup, Common},
    http::shape::{self, Problem, Task},
};
use domain::size;

/// Orders a data backup and, with `--wait`, sees it through.
pub(super) fn run(common: &Common, order: &Backup, output: &Output) -> Result<(), Problem> {
    let client = Client::connect(common)?;
    let request = shape::BackupOrder {
        tenant: order.tenant.clone(),
        full: order.full,
    };
    let ordered = || client.post(&["backups"], &request);
    let shape::Tasks { mut tasks, skipped } = match order.wait {
        true => wait::until_possible(ordered)?,
        false => ordered()?,
    };
    if order.wait {
        for task in &mut tasks {
            *task = wait::until_final(&client, "backups", task.clone())?;
        }
    }
    let ended = tasks
        .iter()
        .find(|task| task.is_final() && !task.is_completed())
        .cloned();
    output.show(&shape::Tasks { tasks, skipped }, |shown| {
        let tasks = shown.tasks.iter().map(line);
        let skipped = shown.skipped.iter();
        tasks
            .chain(skipped.map(|why| format!("Not backed up: {why}\n")))
            .collect()
    })?;
    ended.map_or(Ok(()), |task| Err(wait::problem(&task)))
}

fn line(task: &Task) -> String {
    let (id, tenant) = (task.id, &task.tenant);
    let Some(made) = task.backup.as_ref().filter(|_| task.is_completed()) else {
        return format!("Data backup {id} of tenant {tenant}: {}\n", task.state);
    };
    let kind = made.actual.as_deref().unwrap_or(&made.asked);
    let set = made
        .set
        .map_or_else(String::new, |set| format!(" as set {set}"));
    let read = match task.progress.done_bytes {
        0 => String::new(),
        bytes => format!(", {} read", size::bytes(bytes)),
    };
    let from = made.recoverable_from.as_deref().unwrap_or("its end");
    let mut text = format!(
        "Data backup {id} of tenant {tenant} is complete: {kind}{read}{set}; recoverable from {from}\n"
    );
    if let Some(reason) = &made.actual_reason {
        text.push_str(&format!("It is {kind} because {reason}\n"));
    }
    text
}
