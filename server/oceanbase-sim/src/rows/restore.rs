//! Restores that run and that are over.

use super::archive::piece_path;
use super::backup::numeric;
use super::{Row, Val, bytes, display, moment, row};
use crate::world::World;
use crate::world::restore::{RestoreJob, Stage};

/// What both views show of a job.
fn common(world: &World, job: &RestoreJob) -> Row {
    let done = world.restore_done(job);
    let sets = &job.selection.sets;
    let total: i64 = sets.iter().map(|s| s.bytes).sum();
    let tablets = sets.last().map_or(0, |s| s.tablets);
    let first = sets.first();
    let sets: Vec<String> = sets
        .iter()
        .map(super::super::world::backup::Set::path)
        .collect();
    let pieces: Vec<String> = job.selection.pieces.iter().map(piece_path).collect();
    row![
        "JOB_ID" => job.id,
        "RESTORE_TENANT_NAME" => job.name.as_str(),
        "BACKUP_TENANT_NAME" => first.map_or("", |s| s.tenant_name.as_str()),
        "BACKUP_CLUSTER_NAME" => world.setup.cluster_name.as_str(),
        "BACKUP_DEST" => job.dest.as_str(),
        "RESTORE_OPTION" => job.options.as_str(),
        "RESTORE_TYPE" => if job.quick { "QUICK" } else { "FULL" },
        "RESTORE_SCN_DISPLAY" => display(job.selection.scn),
        "START_TIMESTAMP" => Val::Moment(job.started_us),
        "BACKUP_SET_LIST" => sets.join(","),
        "BACKUP_PIECE_LIST" => pieces.join(","),
        "TABLET_COUNT" => tablets,
        "FINISH_TABLET_COUNT" => tablets * done / 10_000,
        "TOTAL_BYTES" => total,
        "TOTAL_BYTES_DISPLAY" => bytes(total),
        "FINISH_BYTES" => total * done / 10_000,
        "FINISH_BYTES_DISPLAY" => bytes(total * done / 10_000),
        "DESCRIPTION" => job.description.as_str(),
    ]
}

fn backup_tenant(job: &RestoreJob) -> i64 {
    job.selection.sets.first().map_or(0, |s| s.tenant)
}

pub(super) fn progress(world: &World) -> Vec<Row> {
    let mut rows = Vec::new();
    for job in world.restores.iter().filter(|j| j.stage != Stage::Over) {
        for own in [false, true] {
            if own && !job.tenant_row {
                continue;
            }
            let mut row = row![
                "TENANT_ID" => if own { job.tenant } else { 1 },
                "RESTORE_TENANT_ID" => job.tenant.to_string(),
                "BACKUP_TENANT_ID" => backup_tenant(job).to_string(),
                "RESTORE_SCN" => job.selection.scn.to_string(),
                "STATUS" => progress_status(world, job, own),
            ];
            if own {
                row.extend(recovered(world, job));
            }
            let plain = common(world, job);
            row.extend(plain.into_iter().filter(|(name, _)| {
                own || !matches!(
                    *name,
                    "TABLET_COUNT"
                        | "FINISH_TABLET_COUNT"
                        | "TOTAL_BYTES"
                        | "TOTAL_BYTES_DISPLAY"
                        | "FINISH_BYTES"
                        | "FINISH_BYTES_DISPLAY"
                )
            }));
            rows.push(row);
        }
    }
    rows
}

/// How far the logs have been replayed; the driver's row has none of it.
fn recovered(world: &World, job: &RestoreJob) -> Row {
    let done = world.restore_done(job);
    let from = job.selection.sets.last().map_or(0, |s| s.consistent_scn);
    let replayed = (done - 5000).max(0) * 2;
    let scn = from + (job.selection.scn - from).max(0) / 10_000 * replayed;
    row![
        "RECOVER_SCN" => scn,
        "RECOVER_SCN_DISPLAY" => display(scn),
        "RECOVER_PROGRESS" => replayed as f64 / 100.0,
        "RESTORE_PROGRESS" => (done * 2).min(10_000) as f64 / 100.0,
    ]
}

fn progress_status(world: &World, job: &RestoreJob, own: bool) -> String {
    let raw = !world.version().has_roles();
    let text = match (job.stage, own) {
        (Stage::Creating, _) => "CREATE_TENANT",
        (Stage::Restoring, true) => match (&world.faults.unknown_status, raw) {
            (Some(text), _) => return text.clone(),
            (None, true) => "RESTORE_WAIT_LS",
            (None, false) => "RESTORING",
        },
        (Stage::Upgrade, true) => "UPGRADE",
        (Stage::Restoring | Stage::Upgrade, false) => "WAIT_TENANT_RESTORE_FINISH",
        (Stage::Success | Stage::Over, _) => "RESTORE_SUCCESS",
        (Stage::Fail, _) => "RESTORE_FAIL",
    };
    text.to_owned()
}

pub(super) fn history(world: &World) -> Vec<Row> {
    let mut rows = Vec::new();
    for job in world.restores.iter().filter(|j| j.stage == Stage::Over) {
        for tenant in [1, job.tenant] {
            if tenant != 1 && !job.tenant_row {
                continue;
            }
            let compatible = job
                .selection
                .sets
                .last()
                .map_or("", |s| s.compatible.as_str());
            let mut row = row![
                "TENANT_ID" => tenant,
                "RESTORE_TENANT_ID" => job.tenant,
                "BACKUP_TENANT_ID" => backup_tenant(job),
                "RESTORE_SCN" => job.selection.scn,
                "FINISH_TIMESTAMP" => moment(job.ended_us),
                "STATUS" => if job.failed { "FAIL" } else { "SUCCESS" },
                "BACKUP_CLUSTER_VERSION" => numeric(compatible),
                "LS_COUNT" => 2,
                "FINISH_LS_COUNT" => if job.failed { 0 } else { 2 },
                "COMMENT" => job.comment.as_str(),
            ];
            row.extend(common(world, job));
            rows.push(row);
        }
    }
    rows
}
