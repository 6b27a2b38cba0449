//! Rounds, pieces and archive destinations.

use super::{Row, bytes, display, row};
use crate::world::World;
use crate::world::archive::{Piece, Round, Stage};
use crate::world::dest::Uri;

/// Where a piece is.
pub(crate) fn piece_path(piece: &Piece) -> String {
    Uri::below(
        &piece.root,
        &format!("piece_d{}r{}p{}", piece.dest, piece.round, piece.id),
    )
}

/// What a round shows as its status.
fn status(world: &World, round: &Round) -> String {
    match &world.faults.unknown_status {
        Some(text) if round.stage == Stage::Doing => text.clone(),
        _ => round.stage.text().to_owned(),
    }
}

/// `summary` shows every round, otherwise the last one of each tenant.
pub(super) fn rounds(world: &World, summary: bool) -> Vec<Row> {
    world
        .rounds
        .iter()
        .filter(|r| !r.orphan)
        .filter(|r| summary || world.round_of(r.tenant).is_some_and(|last| last.id == r.id))
        .map(|r| round(world, r))
        .collect()
}

fn round(world: &World, r: &Round) -> Row {
    let checkpoint = world.checkpoint(r);
    let input = r.input(checkpoint);
    let deleted: i64 = if r.marks.is_empty() {
        0
    } else {
        r.pieces(checkpoint)
            .iter()
            .filter(|p| p.file_status == "DELETED")
            .map(|p| p.bytes)
            .sum()
    };
    row![
        "TENANT_ID" => r.tenant,
        "DEST_ID" => r.dest,
        "ROUND_ID" => r.id,
        "INCARNATION" => 1,
        "DEST_NO" => 0,
        "STATUS" => status(world, r),
        "START_SCN" => r.start_scn,
        "START_SCN_DISPLAY" => display(r.start_scn),
        "CHECKPOINT_SCN" => checkpoint,
        "CHECKPOINT_SCN_DISPLAY" => display(checkpoint),
        "COMPATIBLE" => 1,
        "BASE_PIECE_ID" => r.base_piece,
        "USED_PIECE_ID" => r.used_piece(checkpoint),
        "PIECE_SWITCH_INTERVAL" => r.interval_us,
        "UNIT_SIZE" => 16384,
        "COMPRESSION" => "none",
        "INPUT_BYTES" => input,
        "INPUT_BYTES_DISPLAY" => bytes(input),
        "OUTPUT_BYTES" => input,
        "OUTPUT_BYTES_DISPLAY" => bytes(input),
        "COMPRESSION_RATIO" => 1.0,
        "DELETED_INPUT_BYTES" => deleted,
        "DELETED_INPUT_BYTES_DISPLAY" => bytes(deleted),
        "DELETED_OUTPUT_BYTES" => deleted,
        "DELETED_OUTPUT_BYTES_DISPLAY" => bytes(deleted),
        "COMMENT" => r.comment.as_str(),
        "PATH" => r.path.as_str(),
    ]
}

pub(super) fn pieces(world: &World) -> Vec<Row> {
    world
        .rounds
        .iter()
        .filter(|r| !r.orphan)
        .flat_map(|r| r.pieces(world.checkpoint(r)))
        .map(|p| {
            row![
                "TENANT_ID" => p.tenant,
                "DEST_ID" => p.dest,
                "ROUND_ID" => p.round,
                "PIECE_ID" => p.id,
                "INCARNATION" => 1,
                "DEST_NO" => 0,
                "STATUS" => p.status,
                "START_SCN" => p.start_scn,
                "START_SCN_DISPLAY" => display(p.start_scn),
                "CHECKPOINT_SCN" => p.checkpoint_scn,
                "CHECKPOINT_SCN_DISPLAY" => display(p.checkpoint_scn),
                "MAX_SCN" => p.checkpoint_scn,
                "END_SCN" => p.end_scn,
                "END_SCN_DISPLAY" => display(p.end_scn),
                "COMPATIBLE" => 1,
                "UNIT_SIZE" => 16384,
                "COMPRESSION" => "none",
                "INPUT_BYTES" => p.bytes,
                "INPUT_BYTES_DISPLAY" => bytes(p.bytes),
                "OUTPUT_BYTES" => p.bytes,
                "OUTPUT_BYTES_DISPLAY" => bytes(p.bytes),
                "COMPRESSION_RATIO" => 1.0,
                "FILE_STATUS" => p.file_status,
                "PATH" => piece_path(&p),
            ]
        })
        .collect()
}

pub(super) fn dests(world: &World) -> Vec<Row> {
    let mut rows = Vec::new();
    for tenant in &world.tenants {
        let Some(dest) = &tenant.archive_dest else {
            continue;
        };
        let pairs = [
            ("path", dest.shown.clone()),
            (
                "binding",
                if dest.mandatory {
                    "MANDATORY"
                } else {
                    "OPTIONAL"
                }
                .to_owned(),
            ),
            ("dest_id", dest.dest_id.to_string()),
            ("piece_switch_interval", dest.interval.clone()),
            (
                "state",
                if dest.enabled { "ENABLE" } else { "DEFER" }.to_owned(),
            ),
        ];
        for (name, value) in pairs {
            rows.push(row![
                "TENANT_ID" => tenant.id,
                "DEST_NO" => 0,
                "NAME" => name,
                "VALUE" => value,
            ]);
        }
    }
    rows
}

fn current(world: &World) -> impl Iterator<Item = &Round> {
    world
        .tenants
        .iter()
        .filter_map(|t| world.round_of(t.id))
        .filter(|r| !r.orphan)
}

pub(super) fn dest_status(world: &World) -> Vec<Row> {
    current(world)
        .map(|r| {
            let checkpoint = world.checkpoint(r);
            let caught_up =
                r.stage == Stage::Doing && world.now_scn() - checkpoint < 60_000_000_000;
            row![
                "TENANT_ID" => r.tenant,
                "DEST_ID" => r.dest,
                "PATH" => r.path.as_str(),
                "STATUS" => status(world, r),
                "CHECKPOINT_SCN" => checkpoint,
                "SYNCHRONIZED" => if caught_up { "YES" } else { "NO" },
                "COMMENT" => r.comment.as_str(),
            ]
        })
        .collect()
}

pub(super) fn streams(world: &World) -> Vec<Row> {
    let mut rows = Vec::new();
    for r in current(world).filter(|r| r.start_scn > 0) {
        let checkpoint = world.checkpoint(r);
        for stream in [1, 1001] {
            rows.push(row![
                "TENANT_ID" => r.tenant,
                "DEST_ID" => r.dest,
                "LS_ID" => stream,
                "ROUND_ID" => r.id,
                "PIECE_ID" => r.used_piece(checkpoint),
                "INCARNATION" => 1,
                "START_SCN" => r.start_scn,
                "MIN_LSN" => 0,
                "MAX_LSN" => r.input(checkpoint) / 2,
                "CHECKPOINT_SCN" => checkpoint,
                "STATUS" => status(world, r),
                "FILE_ID" => 1 + r.input(checkpoint) / (64 << 20),
                "FILE_OFFSET" => r.input(checkpoint) % (64 << 20),
                "INPUT_BYTES" => r.input(checkpoint) / 2,
                "OUTPUT_BYTES" => r.input(checkpoint) / 2,
            ]);
        }
    }
    rows
}
