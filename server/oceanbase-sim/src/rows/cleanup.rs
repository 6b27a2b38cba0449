//! Retention policies and cleanup jobs.

use super::{Row, Val, moment, row};
use crate::world::World;
use crate::world::backup::JobState;

pub(super) fn policies(world: &World) -> Vec<Row> {
    world
        .tenants
        .iter()
        .filter_map(|t| Some((t.id, t.window.as_ref()?)))
        .map(|(tenant, window)| {
            row![
                "TENANT_ID" => tenant,
                "POLICY_NAME" => "default",
                "RECOVERY_WINDOW" => window.as_str(),
            ]
        })
        .collect()
}

pub(super) fn jobs(world: &World, over: bool) -> Vec<Row> {
    world
        .clean_jobs
        .iter()
        .filter(|j| j.state.is_over() == over)
        .map(|j| {
            let done = j.tasks.iter().filter(|t| t.done).count();
            row![
                "TENANT_ID" => j.tenant,
                "JOB_ID" => j.id,
                "INCARNATION" => 1,
                "INITIATOR_TENANT_ID" => j.tenant,
                "INITIATOR_JOB_ID" => 0,
                "EXECUTOR_TENANT_ID" => j.tenant.to_string(),
                "TYPE" => "DELETE OBSOLETE BACKUP",
                "PARAMETER" => Val::Moment(j.line_us),
                "JOB_LEVEL" => "USER_TENANT",
                "START_TIMESTAMP" => Val::Moment(j.started_us),
                "END_TIMESTAMP" => moment(j.ended_us),
                "STATUS" => j.state.text(),
                "TASK_COUNT" => i64::try_from(j.tasks.len()).unwrap_or(0),
                "SUCCESS_TASK_COUNT" => i64::try_from(done).unwrap_or(0),
                "RESULT" => j.result,
                "COMMENT" => "",
            ]
        })
        .collect()
}

pub(super) fn tasks(world: &World, over: bool) -> Vec<Row> {
    let mut rows = Vec::new();
    for job in world
        .clean_jobs
        .iter()
        .filter(|j| j.state.is_over() == over)
    {
        if job.state == JobState::Init {
            continue;
        }
        for task in &job.tasks {
            let status = if task.done {
                JobState::Completed
            } else {
                job.state
            };
            rows.push(row![
                "TENANT_ID" => job.tenant,
                "TASK_ID" => task.id,
                "INCARNATION" => 1,
                "JOB_ID" => job.id,
                "TASK_TYPE" => if task.set { "BACKUP SET" } else { "BACKUP PIECE" },
                "ID" => task.number,
                "ROUND_ID" => task.round,
                "DEST_ID" => task.dest,
                "START_TIMESTAMP" => Val::Moment(task.started_us),
                "END_TIMESTAMP" => moment(task.ended_us),
                "STATUS" => status.text(),
                "TOTAL_LS_COUNT" => 2,
                "FINISH_LS_COUNT" => if task.done { 2 } else { 0 },
                "RESULT" => job.result,
                "COMMENT" => "",
                "PATH" => task.path.as_str(),
            ]);
        }
    }
    rows
}
