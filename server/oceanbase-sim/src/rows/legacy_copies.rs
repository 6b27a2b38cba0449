//! Second copies and log pieces of 3.x.

use super::{Row, Val, moment, row};
use crate::calendar;
use crate::world::World;
use crate::world::legacy_copies::CopyJob;
use crate::world::legacy_pieces::Piece;

/// Every tenant of a set, the cluster's own row first.
fn tenants_of(world: &World, set: i64) -> Vec<i64> {
    let set = world.legacy.sets.iter().find(|s| s.id == set);
    let tenants = set.map(|s| s.tenants.clone()).unwrap_or_default();
    std::iter::once(1).chain(tenants).collect()
}

/// The rows of CDB_OB_BACKUP_SET_FILES that are copies.
pub(super) fn set_files(world: &World) -> Vec<Row> {
    let mut rows = Vec::new();
    for job in &world.legacy.copies {
        let (status, file_status) = match (job.is_writing(), job.is_done()) {
            (true, _) => ("DOING", "COPYING"),
            (_, true) => ("SUCCESS", "AVAILABLE"),
            _ => continue,
        };
        for id in job.sets() {
            let Some(set) = world.legacy.sets.iter().find(|s| s.id == *id) else {
                continue;
            };
            for tenant in tenants_of(world, *id) {
                let mut row = row![
                    "STATUS" => status,
                    "FILE_STATUS" => file_status,
                    "COPY_ID" => job.copy_id,
                    "START_TIME" => Val::Moment(job.start_us),
                    "COMPLETION_TIME" => moment(job.end_us),
                ];
                row.extend(super::legacy::set_row(world, set, tenant));
                rows.push(row);
            }
        }
    }
    rows
}

/// The rows of CDB_OB_BACKUP_BACKUPSET_TASK and its history.
pub(super) fn set_tasks(world: &World, over: bool) -> Vec<Row> {
    let mut rows = Vec::new();
    let shown = |job: &&CopyJob| match over {
        true => job.over,
        false => !job.over && job.stage > 0,
    };
    for job in world.legacy.copies.iter().filter(shown) {
        for id in job.sets() {
            let Some(set) = world.legacy.sets.iter().find(|s| s.id == *id) else {
                continue;
            };
            for tenant in tenants_of(world, *id) {
                let status = match (job.end_us, job.is_done()) {
                    (None, _) => "RUNNING",
                    (_, true) => "COMPLETED",
                    _ => "FAILED",
                };
                let mut row = row![
                    "JOB_ID" => job.id,
                    "COPY_ID" => job.copy_id,
                    "STATUS" => status,
                    "TOTAL_PG_COUNT" => 800,
                    "FINISH_PG_COUNT" => 0,
                    "TOTAL_PARTITION_COUNT" => 800,
                    "TOTAL_MACRO_BLOCK_COUNT" => 800,
                    "START_TIME" => Val::Moment(job.start_us),
                    "COMPLETION_TIME" => Val::Moment(job.end_us.unwrap_or(job.start_us)),
                ];
                row.extend(super::legacy::set_row(world, set, tenant));
                rows.push(row);
            }
        }
    }
    rows
}

/// The rows of CDB_OB_BACKUP_PIECE_FILES.
pub(super) fn piece_files(world: &World) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut tell = |round: i64, piece: &Piece, copy: i64, status: (&str, &str)| {
        let text = |us: i64| calendar::text(us, 480);
        for tenant in std::iter::once(1).chain(world.tenants.iter().map(|t| t.id)) {
            rows.push(row![
                "INCARNATION" => 1,
                "TENANT_ID" => tenant,
                "ROUND_ID" => round,
                "BACKUP_PIECE_ID" => piece.id,
                "COPY_ID" => copy,
                "CREATE_DATE" => calendar::date_number(piece.start_us, 480),
                "START_TS" => text(piece.start_us),
                "CHECKPOINT_TS" => text(piece.checkpoint_us),
                "MAX_TS" => if piece.frozen {
                    text(piece.checkpoint_us)
                } else {
                    "MAX".to_owned()
                },
                "STATUS" => status.0,
                "FILE_STATUS" => status.1,
                "COMPATIBLE" => 1,
                "START_PIECE_ID" => piece.id,
            ]);
        }
    };
    for round in &world.legacy.rounds {
        for piece in world.legacy_pieces(round) {
            let status = if piece.frozen { "FROZEN" } else { "ACTIVE" };
            tell(round.id, &piece, 0, (status, "AVAILABLE"));
        }
    }
    let mut places: Vec<(&str, i64)> = Vec::new();
    for job in &world.legacy.copies {
        if !places.contains(&(job.dest.as_str(), job.copy_id)) {
            places.push((&job.dest, job.copy_id));
        }
    }
    for (dest, copy_id) in places {
        for (round, piece) in world.copied_pieces(dest) {
            let status = if piece.frozen { "FROZEN" } else { "INACTIVE" };
            tell(round, &piece, copy_id, (status, "AVAILABLE"));
        }
    }
    rows
}
