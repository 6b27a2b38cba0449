//! Backup jobs, tasks and sets.

use super::{Row, Val, display, moment, row};
use crate::calendar;
use crate::version::Version;
use crate::world::World;
use crate::world::backup::{Job, JobState, Set, shown_password};
use crate::world::backup_run::phases;

fn kind(incremental: bool) -> &'static str {
    if incremental { "INC" } else { "FULL" }
}

fn on(plus: bool) -> &'static str {
    if plus { "ON" } else { "OFF" }
}

fn encryption(password: Option<&String>) -> &'static str {
    if password.is_some() {
        "PASSWORD"
    } else {
        "NONE"
    }
}

pub(super) fn jobs(world: &World, over: bool) -> Vec<Row> {
    world
        .jobs
        .iter()
        .filter(|j| j.is_over() == over)
        .map(|j| {
            let level = if j.tenant == 1 {
                "CLUSTER"
            } else {
                "USER_TENANT"
            };
            row![
                "TENANT_ID" => j.tenant,
                "JOB_ID" => j.id,
                "INCARNATION" => 1,
                "BACKUP_SET_ID" => j.set,
                "INITIATOR_TENANT_ID" => j.initiator_tenant,
                "INITIATOR_JOB_ID" => j.initiator_job,
                "EXECUTOR_TENANT_ID" => j.executors.as_str(),
                "PLUS_ARCHIVELOG" => on(j.plus),
                "BACKUP_TYPE" => kind(j.incremental),
                "JOB_LEVEL" => level,
                "ENCRYPTION_MODE" => encryption(j.password.as_ref()),
                "PASSWD" => shown_password(j.password.as_deref()),
                "START_TIMESTAMP" => Val::Moment(j.started_us),
                "END_TIMESTAMP" => moment(j.ended_us),
                "STATUS" => j.state.text(),
                "RESULT" => j.result,
                "COMMENT" => j.comment.as_str(),
                "DESCRIPTION" => j.description.as_str(),
                "PATH" => j.path.as_str(),
            ]
        })
        .collect()
}

fn task_status(world: &World, job: &Job) -> String {
    if job.state != JobState::Doing {
        return job.state.text().to_owned();
    }
    world.faults.unknown_status.clone().unwrap_or_else(|| {
        phases(world.version())
            .get(job.phase)
            .map_or("DOING", |p| p.0)
            .to_owned()
    })
}

pub(super) fn tasks(world: &World, over: bool) -> Vec<Row> {
    let sets: std::collections::BTreeMap<(i64, i64), &Set> =
        world.sets.iter().map(|s| ((s.tenant, s.id), s)).collect();
    world
        .jobs
        .iter()
        .filter(|j| j.is_over() == over)
        .filter_map(|j| Some((j, j.task?, *sets.get(&(j.tenant, j.set))?)))
        .map(|(j, task, set)| {
            let mut row = row![
                "TENANT_ID" => j.tenant,
                "TASK_ID" => task,
                "JOB_ID" => j.id,
                "INCARNATION" => 1,
                "BACKUP_SET_ID" => j.set,
                "START_TIMESTAMP" => Val::Moment(j.started_us),
                "END_TIMESTAMP" => moment(j.ended_us),
                "STATUS" => task_status(world, j),
                "START_SCN" => j.start_scn,
                "END_SCN" => j.end_scn,
                "USER_LS_START_SCN" => set.consistent_scn,
                "ENCRYPTION_MODE" => encryption(j.password.as_ref()),
                "PASSWD" => shown_password(j.password.as_deref()),
                "RESULT" => j.result,
                "COMMENT" => j.comment.as_str(),
                "PATH" => set.path(),
                "DATA_PROGRESS" => set.done as f64 / 100.0,
                "LOG_FILE_COUNT" => if j.plus { 4 } else { 1 },
                "FINISH_LOG_FILE_COUNT" => if set.done > 8900 { 1 } else { 0 },
                "LOG_PROGRESS" => if set.done > 8900 { 50.0 } else { 0.0 },
            ];
            row.extend(amounts(world, set));
            row
        })
        .collect()
}

/// The columns that tell how much of a set there is.
fn amounts(world: &World, set: &Set) -> Row {
    let part = |whole: i64| whole * set.done / 10_000;
    let end = set.ended_us.unwrap_or(world.now_us);
    let seconds = ((end - set.started_us) as f64 / 1e6).max(0.001);
    row![
        "INPUT_BYTES" => part(set.bytes),
        "OUTPUT_BYTES" => part(set.bytes),
        "OUTPUT_RATE_BYTES" => part(set.bytes) as f64 / seconds,
        "EXTRA_META_BYTES" => part(set.tablets * 700),
        "TABLET_COUNT" => set.tablets,
        "FINISH_TABLET_COUNT" => part(set.tablets),
        "MACRO_BLOCK_COUNT" => set.blocks,
        "FINISH_MACRO_BLOCK_COUNT" => part(set.blocks),
        "FILE_COUNT" => part(set.blocks / 40 + 12),
        "META_TURN_ID" => 1,
        "DATA_TURN_ID" => 1,
        "MINOR_TURN_ID" => 1,
        "MAJOR_TURN_ID" => 1,
    ]
}

/// From 4.2.0 on a stored text, before it a moment.
fn min_restore_display(world: &World, scn: i64) -> Val {
    if scn == 0 {
        Val::Null
    } else if world.version() >= Version::V4_2_0 {
        Val::Text(calendar::text(scn / 1000, 480))
    } else {
        display(scn)
    }
}

/// Three or four numbers as the cluster versions are stored: 4.2.1.6 is 4 shl 32, and so on.
pub(super) fn numeric(version: &str) -> i64 {
    let n: Vec<i64> = version.split('.').map(|p| p.parse().unwrap_or(0)).collect();
    let at = |i: usize| n.get(i).copied().unwrap_or(0);
    (at(0) << 32) | (at(1) << 16) | (at(2) << 8) | at(3)
}

pub(super) fn sets(world: &World) -> Vec<Row> {
    world
        .sets
        .iter()
        .filter(|s| world.tenant(s.tenant).is_some())
        .map(|s| {
            let end = s.ended_us.unwrap_or(world.now_us);
            let mut row = row![
                "TENANT_ID" => s.tenant,
                "BACKUP_SET_ID" => s.id,
                "DEST_ID" => s.dest,
                "INCARNATION" => 1,
                "BACKUP_TYPE" => kind(s.incremental),
                "PREV_FULL_BACKUP_SET_ID" => s.prev_full,
                "PREV_INC_BACKUP_SET_ID" => s.prev_inc,
                "START_TIMESTAMP" => Val::Moment(s.started_us),
                "END_TIMESTAMP" => moment(s.ended_us),
                "STATUS" => s.status,
                "FILE_STATUS" => s.file_status,
                "ELAPSED_SECONDES" => (end - s.started_us) as f64 / 1e6,
                "PLUS_ARCHIVELOG" => on(s.plus),
                "START_REPLAY_SCN" => s.replay_scn,
                "START_REPLAY_SCN_DISPLAY" => display(s.replay_scn),
                "MIN_RESTORE_SCN" => s.min_restore_scn,
                "MIN_RESTORE_SCN_DISPLAY" => min_restore_display(world, s.min_restore_scn),
                "RESULT" => s.result,
                "COMMENT" => s.comment.as_str(),
                "ENCRYPTION_MODE" => encryption(s.password.as_ref()),
                "PASSWD" => shown_password(s.password.as_deref()),
                "TENANT_COMPATIBLE" => s.compatible.as_str(),
                "BACKUP_COMPATIBLE" => 4,
                "PATH" => s.path(),
                "CLUSTER_VERSION" => world.version().full(),
                "CONSISTENT_SCN" => s.consistent_scn,
            ];
            row.extend(amounts(world, s));
            row
        })
        .collect()
}
