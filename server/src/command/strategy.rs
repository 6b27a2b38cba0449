//! `tidemark strategy`.

use super::{Client, FAILED, Failure, Output, output::columns};
use crate::{
    cli::{Common, Strategy as Order},
    http::{
        shape::Problem,
        strategy_shape::{
            DeleteOrder, Deleted, Preview, PreviewOrder, RenameOrder, Run, Saved, SetOrder,
            Storages, Strategy, TestOrder, Tested,
        },
    },
};
use domain::{
    size,
    storage::{CAPACITY_PERCENT_DEFAULT, StorageKind, StorageSettings},
    strategy::difference,
};
use std::{io::Read, path::Path};

/// Longest JSON of a strategy that is read.
const JSON_BYTES_MAX: u64 = 1 << 20;
/// Name of a storage that is only tested; a test asks for one.
const NAMELESS: &str = "tested";

/// Shows or changes the strategy, or tests a storage.
pub(super) fn run(common: &Common, order: &Order, output: &Output) -> Result<(), Problem> {
    // Files are read before anybody is asked, so that a wrong one fails the same way everywhere.
    let given = match order {
        Order::Set { file, .. } => Some(read(file)?),
        Order::Preview { file: Some(file) } => Some(read(file)?),
        _ => None,
    };
    let client = Client::connect(common)?;
    match order {
        Order::Show => output.show(&client.get::<Strategy>(&["strategy"])?, shown),
        Order::Template => {
            let template: SetOrder = client.get(&["strategy", "template"])?;
            output.show(&template, |template| {
                serde_json::to_string_pretty(template).unwrap_or_default()
            })
        }
        Order::Set { test, .. } => set(&client, given, *test, output),
        Order::Pause => changed(&client, "pause", output),
        Order::Resume => changed(&client, "resume", output),
        Order::Delete {
            rev,
            stop_log_backup,
        } => {
            let order = DeleteOrder {
                rev: *rev,
                stop_log_backup: *stop_log_backup,
            };
            let done: Deleted = client.post(&["strategy", "delete"], &order)?;
            output.show(&done, |done| {
                let first = "The backup strategy was deleted; backups and running tasks stay.";
                lines(
                    [first]
                        .into_iter()
                        .chain(done.notes.iter().map(String::as_str)),
                )
            })
        }
        Order::Preview { .. } => {
            let schedule = match given {
                Some(given) => given.settings.schedule,
                None => client.get::<Strategy>(&["strategy"])?.settings.schedule,
            };
            let told: Preview =
                client.post(&["strategy", "preview"], &PreviewOrder { schedule })?;
            output.show(&told, |told| runs(&told.next))
        }
        Order::TestStorage { directory, second } => {
            let storage = StorageSettings {
                name: NAMELESS.to_owned(),
                kind: StorageKind::File,
                directory: directory.clone(),
                object: None,
                capacity_percent: CAPACITY_PERCENT_DEFAULT,
            };
            let found = tested(&client, storage, *second)?;
            output.show(&found, report)?;
            failed_test(directory, &found)
        }
        Order::Storages => output.show(&client.get(&["strategy", "storages"])?, storages),
        Order::RenameStorage { name, new_name } => {
            let order = RenameOrder {
                name: name.clone(),
                new_name: new_name.clone(),
            };
            output.show(&client.post(&["strategy", "storages"], &order)?, storages)
        }
        Order::RemoveStorage { name } => {
            let path = ["strategy", "storages", name, "remove"];
            output.show(&client.post(&path, &())?, storages)
        }
    }
}

/// Reads the JSON of a strategy from a file, or with `-` from standard input.
fn read(file: &Path) -> Result<SetOrder, Problem> {
    let name = file.display();
    let failed = |error: &dyn std::fmt::Display| {
        Problem::new(FAILED, format!("{name} could not be read: {error}"))
    };
    let mut text = String::new();
    let read = match file.to_str() {
        Some("-") => std::io::stdin()
            .take(JSON_BYTES_MAX)
            .read_to_string(&mut text),
        _ => std::fs::File::open(file)
            .and_then(|file| file.take(JSON_BYTES_MAX).read_to_string(&mut text)),
    };
    read.map_err(|error| failed(&error))?;
    serde_json::from_str(&text).map_err(|error| {
        let advice = "see `tidemark strategy template` for one that can be read";
        Failure::usage(format!("{name} holds no strategy: {error}; {advice}"))
    })
}

fn set(
    client: &Client,
    given: Option<SetOrder>,
    test: bool,
    output: &Output,
) -> Result<(), Problem> {
    let Some(order) = given else {
        return Ok(());
    };
    if test {
        let first = (order.settings.storage.clone(), false);
        let second = order.settings.second.as_ref();
        let second = second.map(|second| (second.storage.clone(), true));
        for (storage, must_be_empty) in [first].into_iter().chain(second) {
            let directory = storage.directory.clone();
            failed_test(&directory, &tested(client, storage, must_be_empty)?)?;
        }
    }
    let saved: Saved = client.post(&["strategy"], &order)?;
    output.show(&saved, |saved| {
        let first = format!("The backup strategy is saved as version {}.", saved.rev);
        let all = [&first]
            .into_iter()
            .chain(&saved.changes)
            .chain(&saved.notes);
        lines(all.map(String::as_str))
    })
}

fn changed(client: &Client, action: &str, output: &Output) -> Result<(), Problem> {
    let strategy: Strategy = client.post(&["strategy", action], &())?;
    output.show(&strategy, |strategy| {
        format!("Scheduling: {}\n", strategy.status)
    })
}

fn tested(client: &Client, storage: StorageSettings, second: bool) -> Result<Tested, Problem> {
    let order = TestOrder {
        storage,
        must_be_empty: second,
    };
    client.post(&["strategy", "test-storage"], &order)
}

fn failed_test(directory: &str, found: &Tested) -> Result<(), Problem> {
    let failed = found
        .report
        .steps
        .iter()
        .find(|step| step.failure.is_some());
    let Some(step) = failed.filter(|_| !found.passed) else {
        return Ok(());
    };
    let why = step.failure.as_deref().unwrap_or_default();
    let message = format!("the test of {directory} failed at \"{}\": {why}", step.name);
    Err(Problem::new(FAILED, message))
}

fn lines<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    texts.map(|text| format!("{text}\n")).collect()
}

fn shown(strategy: &Strategy) -> String {
    let mut rows = vec![("Status".to_owned(), strategy.status.clone())];
    rows.extend(
        strategy
            .status_reason
            .clone()
            .map(|why| ("Reason".to_owned(), why)),
    );
    rows.extend(
        strategy
            .paused_at
            .clone()
            .map(|at| ("Paused since".to_owned(), at)),
    );
    rows.extend(difference::fields(&strategy.settings));
    let by = format!("{} by {}", strategy.modified, strategy.modified_by);
    rows.push(("Modified".to_owned(), by));
    rows.push(("Version".to_owned(), strategy.rev.to_string()));
    let rows: Vec<Vec<String>> = rows
        .into_iter()
        .map(|(name, text)| vec![name, text])
        .collect();
    let advice = strategy.warnings.iter();
    let advice: String = advice
        .map(|each| format!("Note on {}: {}\n", each.field, each.text))
        .collect();
    let next = match strategy.next.is_empty() {
        true => String::new(),
        false => format!("\nNext runs:\n{}", runs(&strategy.next)),
    };
    format!("{}{advice}{next}", columns(&rows))
}

fn runs(next: &[Run]) -> String {
    let rows = next.iter().map(|run| {
        let note = run.note.clone().unwrap_or_default();
        vec![run.wall.clone(), run.at.clone(), run.kind.clone(), note]
    });
    columns(&rows.collect::<Vec<_>>())
}

fn report(found: &Tested) -> String {
    let rows = found.report.steps.iter().map(|step| {
        let (mark, why) = match &step.failure {
            None => ("ok", String::new()),
            Some(why) => ("FAILED", why.clone()),
        };
        vec![
            mark.to_owned(),
            step.name.clone(),
            format!("{} ms", step.took_ms),
            why,
        ]
    });
    let mut text = columns(&rows.collect::<Vec<_>>());
    if let (Some(free), Some(total)) = (found.report.free_bytes, found.report.total_bytes) {
        let (free, total) = (size::bytes(free), size::bytes(total));
        text.push_str(&format!("{free} of {total} are free.\n"));
    }
    text
}

fn storages(list: &Storages) -> String {
    let head = [
        "NAME",
        "TYPE",
        "DIRECTORY",
        "ALERT AT",
        "BACKUPS OF",
        "SECOND COPIES OF",
    ];
    let head = head.map(str::to_owned).to_vec();
    let rows = list.storages.iter().map(|storage| {
        let settings = &storage.settings;
        vec![
            settings.name.clone(),
            settings.kind.label().to_owned(),
            settings.directory.clone(),
            format!("{} %", settings.capacity_percent),
            storage.first_of.join(", "),
            storage.second_of.join(", "),
        ]
    });
    columns(&std::iter::once(head).chain(rows).collect::<Vec<_>>())
}
