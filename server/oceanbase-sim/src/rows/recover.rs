//! Table recoveries.

use super::{Row, Val, display, moment, piece_path, row};
use crate::world::World;
use crate::world::recover::{Outcome, Recovery, STEPS};

/// The recoveries that run, or those that are over.
fn some(world: &World, over: bool) -> impl Iterator<Item = &Recovery> {
    world
        .recoveries
        .iter()
        .filter(move |r| r.outcome.is_some() == over)
        .filter(|r| world.tenant(r.tenant).is_some())
}

fn result(recovery: &Recovery) -> Option<&'static str> {
    recovery.outcome.map(|o| match o {
        Outcome::Success => "SUCCESS",
        Outcome::Canceled => "FAILED",
    })
}

/// What jobs and imports have in common.
fn common(r: &Recovery) -> Row {
    let tables: Vec<String> = r
        .request
        .tables
        .iter()
        .filter(|(_, t)| t != "*")
        .map(|(d, t)| format!("`{d}`.`{t}`"))
        .collect();
    let databases: Vec<String> = r
        .request
        .tables
        .iter()
        .filter(|(_, t)| t == "*")
        .map(|(d, _)| format!("`{d}`"))
        .collect();
    let remap: Vec<String> = r
        .request
        .remap
        .iter()
        .map(|(from, to)| format!("{from}:{to}"))
        .collect();
    row![
        "TENANT_ID" => r.tenant,
        "INITIATOR_TENANT_ID" => 1,
        "INITIATOR_JOB_ID" => r.id,
        "START_TIMESTAMP" => Val::Moment(r.start_us),
        "FINISH_TIMESTAMP" => moment(r.end_us),
        "IMPORT_ALL" => 0,
        "DB_LIST" => databases.join(","),
        "TABLE_LIST" => tables.join(","),
        "REMAP_TABLE_LIST" => remap.join(","),
        "RESULT" => result(r),
        "COMMENT" => if r.canceling { "recover table is canceled" } else { "" },
        "DESCRIPTION" => r.request.description.as_str(),
    ]
}

pub(super) fn jobs(world: &World, over: bool) -> Vec<Row> {
    some(world, over)
        .map(|r| {
            let status = match r.outcome {
                Some(Outcome::Success) => "COMPLETED",
                Some(Outcome::Canceled) => "FAILED",
                None if r.canceling => "CANCELING",
                None => STEPS[r.step].0,
            };
            let sets: Vec<String> = r.selection.sets.iter().map(|s| s.path()).collect();
            let pieces: Vec<String> = r.selection.pieces.iter().map(piece_path).collect();
            let mut row = common(r);
            row.extend(row![
                "JOB_ID" => r.id,
                "STATUS" => status,
                "AUX_TENANT_NAME" => r.auxiliary.as_str(),
                "TARGET_TENANT_NAME" => r.target.as_str(),
                "RESTORE_SCN" => r.selection.scn,
                "RESTORE_SCN_DISPLAY" => display(r.selection.scn),
                "RESTORE_OPTION" => r.request.options.as_str(),
                "BACKUP_DEST" => r.request.from.as_str(),
                "BACKUP_SET_LIST" => sets.join(","),
                "BACKUP_PIECE_LIST" => pieces.join(","),
            ]);
            row
        })
        .collect()
}

/// Recoveries that have come to importing.
fn importing(world: &World, over: bool) -> impl Iterator<Item = &Recovery> {
    some(world, over).filter(|r| r.step + 1 == STEPS.len())
}

pub(super) fn imports(world: &World, over: bool) -> Vec<Row> {
    importing(world, over)
        .map(|r| {
            let total = i64::try_from(r.request.tables.len()).unwrap_or(0);
            let fine = r.outcome == Some(Outcome::Success);
            let status = match r.outcome {
                Some(Outcome::Success) => "IMPORT_FINISH",
                Some(Outcome::Canceled) => "IMPORT_FAILED",
                None if r.canceling => "CANCELING",
                None => "IMPORT_TABLE",
            };
            let source = r.selection.sets.first();
            let mut row = common(r);
            row.extend(row![
                "JOB_ID" => r.import,
                "STATUS" => status,
                "SRC_TENANT_NAME" => source.map_or("", |s| s.tenant_name.as_str()),
                "SRC_TENANT_ID" => source.map_or(0, |s| s.tenant),
                "TOTAL_TABLE_COUNT" => total,
                "FINISHED_TABLE_COUNT" => if fine { total } else { 0 },
                "FAILED_TABLE_COUNT" => 0,
            ]);
            row
        })
        .collect()
}

pub(super) fn tables(world: &World, over: bool) -> Vec<Row> {
    let mut rows = Vec::new();
    for r in importing(world, over) {
        for (at, (database, table)) in r.request.tables.iter().enumerate() {
            let from = format!("{database}.{table}");
            let to = r.request.remap.iter().find(|(f, _)| *f == from);
            let to = to.map_or(from.as_str(), |(_, to)| to.as_str());
            let (to_database, to_table) = to.split_once('.').unwrap_or((database, to));
            rows.push(row![
                "TENANT_ID" => r.tenant,
                "TASK_ID" => r.import * 1000 + i64::try_from(at).unwrap_or(0),
                "JOB_ID" => r.import,
                "SRC_TENANT_ID" => r.selection.sets.first().map_or(0, |s| s.tenant),
                "SRC_DATABASE" => database.as_str(),
                "SRC_TABLE" => table.as_str(),
                "TARGET_DATABASE" => to_database,
                "TARGET_TABLE" => to_table,
                "TABLE_COLUMN" => 4,
                "STATUS" => if over { "FINISH" } else { "DOING" },
                "START_TIMESTAMP" => Val::Moment(r.start_us),
                "COMPLETION_TIMESTAMP" => moment(r.end_us),
                "RESULT" => result(r),
                "COMMENT" => "",
            ]);
        }
    }
    rows
}
