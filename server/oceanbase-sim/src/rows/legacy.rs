//! The backup views of 3.x.

use super::{Row, Val, bytes, moment, row};
use crate::calendar;
use crate::world::World;
use crate::world::legacy::{LegacyRound, LegacySet, RESTORE_STAGES};
use crate::world::legacy_copies::{Copied, CopyJob};
use crate::world::legacy_pieces::Piece;

const RATE: i64 = 150_000;

pub(super) fn rows(world: &World, view: &str) -> Vec<Row> {
    match view {
        "CDB_OB_BACKUP_ARCHIVELOG" => rounds(world, true),
        "CDB_OB_BACKUP_ARCHIVELOG_SUMMARY" => rounds(world, false),
        "CDB_OB_BACKUP_PROGRESS" => sets(world, |s| s.status == "RUNNING"),
        "CDB_OB_BACKUP_SET_DETAILS" => sets(world, |s| s.status != "RUNNING" && !s.deleted),
        "CDB_OB_BACKUP_JOB_DETAILS" => sets(world, |_| true),
        "CDB_OB_BACKUP_SET_FILES" => set_files(world),
        "CDB_OB_RESTORE_PROGRESS" => restores(world, false),
        "CDB_OB_RESTORE_HISTORY" => restores(world, true),
        "CDB_OB_BACKUP_PIECE_FILES" => super::legacy_copies::piece_files(world),
        "CDB_OB_BACKUP_BACKUPSET_JOB" => copies(world, |c| !c.over && is_of_sets(c)),
        "CDB_OB_BACKUP_BACKUPSET_JOB_HISTORY" => copies(world, |c| c.over && is_of_sets(c)),
        "CDB_OB_BACKUP_BACKUPSET_TASK" => super::legacy_copies::set_tasks(world, false),
        "CDB_OB_BACKUP_BACKUPSET_TASK_HISTORY" => super::legacy_copies::set_tasks(world, true),
        "CDB_OB_BACKUP_BACKUPPIECE_JOB" => copies(world, |c| !c.over && !is_of_sets(c)),
        "CDB_OB_BACKUP_BACKUPPIECE_JOB_HISTORY" => copies(world, |c| c.over && !is_of_sets(c)),
        other => super::legacy_cluster::rows(world, other),
    }
}

fn rounds(world: &World, current: bool) -> Vec<Row> {
    let none = LegacyRound {
        id: 0,
        status: "STOP",
        start_us: 0,
        floor_us: 0,
        interval_us: 0,
        first_piece: 0,
    };
    let rounds: Vec<&LegacyRound> = if current {
        vec![world.legacy.rounds.last().unwrap_or(&none)]
    } else {
        world.legacy.rounds.iter().collect()
    };
    let mut rows = Vec::new();
    for round in rounds {
        for tenant in std::iter::once(1).chain(world.tenants.iter().map(|t| t.id)) {
            let reached = world.legacy_checkpoint(round);
            let pieces = world.legacy_pieces(round);
            let piece = |piece: Option<&Piece>| piece.map_or(0, |piece| piece.id);
            let size = (reached - round.start_us) / 1_000_000 * RATE;
            let when = |us: i64| match (us, current) {
                (0, true) => Val::Text(String::new()),
                (us, true) => Val::Text(calendar::text(us, 480)),
                (us, false) => Val::Moment(us),
            };
            rows.push(row![
                "INCARNATION" => 1,
                "LOG_ARCHIVE_ROUND" => round.id,
                "TENANT_ID" => tenant,
                "STATUS" => round.status,
                "START_PIECE_ID" => piece(pieces.first()),
                "BACKUP_PIECE_ID" => piece(pieces.last()),
                "MIN_FIRST_TIME" => when(round.start_us),
                "MAX_NEXT_TIME" => when(reached),
                "INPUT_BYTES" => size,
                "OUTPUT_BYTES" => size,
                "COMPRESSION_RATIO" => 1.0,
                "INPUT_BYTES_DISPLAY" => bytes(size),
                "OUTPUT_BYTES_DISPLAY" => bytes(size),
            ]);
        }
    }
    rows
}

/// Time as `time(6)` shows it.
fn taken(us: i64) -> String {
    calendar::text(us, 0)[11..].to_owned()
}

pub(super) fn set_row(world: &World, set: &LegacySet, tenant: i64) -> Row {
    let end = set.end_us.unwrap_or(world.now_us);
    let whole = if set.incremental { 200_i64 } else { 1600 } << 20;
    let total = world.shortened(20_000_000).max(1);
    let size = match set.status {
        "COMPLETED" => whole,
        _ => (end - set.start_us).min(total) * 10_000 / total * (whole / 10_000),
    };
    let seconds = ((end - set.start_us) as f64 / 1e6).max(0.001);
    let rate = size as f64 / seconds;
    let rate_text = format!("{}/S", bytes(rate as i64));
    row![
        "INCARNATION" => 1,
        "TENANT_ID" => tenant,
        "BS_KEY" => set.id,
        "COPY_ID" => "0",
        "BACKUP_TYPE" => if set.incremental { "I" } else { "D" },
        "ENCRYPTION_MODE" => if set.password { "PASSWORD" } else { "NONE" },
        "START_TIME" => Val::Moment(set.start_us),
        "END_TIME" => Val::Moment(end),
        "COMPLETION_TIME" => moment(set.end_us),
        "ELAPSED_SECONDES" => seconds,
        "KEEP" => "NO",
        "KEEP_UNTIL" => "",
        "DEVICE_TYPE" => set.dest.split(':').next().unwrap_or_default(),
        "OUTPUT_DEVICE_TYPE" => set.dest.split(':').next().unwrap_or_default(),
        "COMPRESSED" => "NO",
        "PARTITION_COUNT" => 800,
        "FINISH_PARTITION_COUNT" => 800 * size / whole,
        "MACRO_BLOCK_COUNT" => whole >> 21,
        "FINISH_MACRO_BLOCK_COUNT" => size >> 21,
        "INPUT_BYTES" => size,
        "OUTPUT_BYTES" => size,
        "OUTPUT_RATE_BYTES" => rate,
        "INPUT_BYTES_PER_SEC" => rate,
        "OUTPUT_BYTES_PER_SEC" => rate,
        "COMPRESSION_RATIO" => 1.0,
        "INPUT_BYTES_DISPLAY" => bytes(size),
        "OUTPUT_BYTES_DISPLAY" => bytes(size),
        "OUTPUT_RATE_BYTES_DISPLAY" => rate_text.as_str(),
        "INPUT_BYTES_PER_SEC_DISPLAY" => rate_text.as_str(),
        "OUTPUT_BYTES_PER_SEC_DISPLAY" => rate_text.as_str(),
        "TIME_TAKEN_DISPLAY" => taken(end - set.start_us),
        "STATUS" => set.status,
        "START_REPLAY_LOG_TS" => set.start_us,
        "DATE" => calendar::date_number(set.start_us, 480),
    ]
}

fn sets(world: &World, wanted: impl Fn(&LegacySet) -> bool) -> Vec<Row> {
    let mut rows = Vec::new();
    for set in world.legacy.sets.iter().filter(|s| wanted(s)) {
        for tenant in std::iter::once(&1).chain(&set.tenants) {
            rows.push(set_row(world, set, *tenant));
        }
    }
    rows
}

fn set_files(world: &World) -> Vec<Row> {
    let mut rows = Vec::new();
    for set in &world.legacy.sets {
        let (status, file_status) = match set.status {
            "RUNNING" => ("DOING", "COPYING"),
            "COMPLETED" if set.deleted => ("SUCCESS", "DELETED"),
            "COMPLETED" => ("SUCCESS", "AVAILABLE"),
            _ => ("FAILED", "INCOMPLETE"),
        };
        for tenant in std::iter::once(&1).chain(&set.tenants) {
            let mut row = row!["STATUS" => status, "FILE_STATUS" => file_status, "COPY_ID" => 0];
            row.extend(set_row(world, set, *tenant));
            rows.push(row);
        }
    }
    rows.extend(super::legacy_copies::set_files(world));
    rows
}

fn is_of_sets(job: &CopyJob) -> bool {
    matches!(job.what, Copied::Sets(_))
}

fn copies(world: &World, wanted: impl Fn(&CopyJob) -> bool) -> Vec<Row> {
    world
        .legacy
        .copies
        .iter()
        .filter(|c| wanted(c))
        .map(|c| {
            let status = if c.canceled {
                "CANCEL"
            } else {
                c.stages()[c.stage]
            };
            row![
                "JOB_ID" => c.id,
                "TENANT_ID" => 1,
                "INCARNATION" => 1,
                "BACKUP_SET_ID" => c.sets().first().copied().unwrap_or(0),
                "BACKUP_PIECE_ID" => match c.pieces() {
                    [(_, piece)] if !c.all => piece.id,
                    _ => -1,
                },
                "COMMENT" => "",
                "TYPE" => if c.all { "ALL_BACKUP_SET" } else { "SINGLE_BACKUP_SET" },
                "TENANT_NAME" => "sys",
                "STATUS" => status,
                "BACKUP_DEST" => c.dest.as_str(),
                "MAX_BACKUP_TIMES" => -1,
                "RESULT" => c.result,
            ]
        })
        .collect()
}

fn restores(world: &World, over: bool) -> Vec<Row> {
    world
        .legacy
        .restores
        .iter()
        .filter(|r| r.end_us.is_some() == over)
        .map(|r| {
            let status = if r.failure.is_some() {
                "RESTORE_FAIL"
            } else {
                RESTORE_STAGES[r.stage]
            };
            let stage = i64::try_from(r.stage).unwrap_or(0);
            row![
                "JOB_ID" => r.id,
                "EXTERNAL_JOB_ID" => -1,
                "TENANT_ID" => r.tenant,
                "TENANT_NAME" => r.name.as_str(),
                "BACKUP_TENANT_ID" => r.source_id,
                "BACKUP_TENANT_NAME" => r.source.as_str(),
                "BACKUP_CLUSTER_ID" => 1,
                "BACKUP_CLUSTER_NAME" => world.setup.cluster_name.as_str(),
                "STATUS" => status,
                "START_TIME" => Val::Moment(r.start_us),
                "COMPLETION_TIME" => moment(r.end_us),
                "PARTITION_COUNT" => 800,
                "FINISH_PARTITION_COUNT" => 160 * stage,
                "MACRO_BLOCK_COUNT" => 800,
                "FINISH_MACRO_BLOCK_COUNT" => 160 * stage,
                "RESTORE_FINISH_TIMESTAMP" => Val::Moment(r.until_us),
                "RESTORE_CURRENT_TIMESTAMP" => Val::Moment(r.until_us),
                "BACKUP_SET_LIST" => r.set.to_string(),
                "INFO" => r.failure.as_deref().unwrap_or_default(),
            ]
        })
        .collect()
}
