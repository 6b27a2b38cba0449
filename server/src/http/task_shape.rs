//! The JSON of the commands about tasks and runs of schedules; also what `--json` prints. Fields are added,
//! never renamed.

use super::shape::Progress;
use domain::{
    Scn,
    page::Page,
    strategy::ScheduleRun,
    task::{Step, Task},
};
use serde::{Deserialize, Serialize};

/// Which tasks to list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TasksAsked {
    /// `data_backup`, `recovery`, `second_data`, `second_log` or `cleanup`.
    pub kind: String,
    /// Only those in this state.
    pub state: Option<String>,
    /// Only those of this tenant.
    pub tenant: Option<String>,
    /// Page number from 1.
    #[serde(default)]
    pub page: u32,
    /// Rows of a page.
    #[serde(default)]
    pub size: u32,
}

/// Which runs of schedules to list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryAsked {
    /// `data_backup`, `second_log` or `cleanup`.
    pub kind: String,
    /// Page number from 1.
    #[serde(default)]
    pub page: u32,
    /// Rows of a page.
    #[serde(default)]
    pub size: u32,
}

/// A task of any kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// Its number.
    pub id: i64,
    /// What it does.
    pub kind: String,
    /// Where it stands: `queued`, `starting`, `running`, `canceling`, `completed`, `failed` or `canceled`.
    pub state: String,
    /// The tenant.
    pub tenant: String,
    /// What caused it: `manual`, `new_round`, `schedule`, `follow` or `retry`.
    pub trigger: String,
    /// When it was asked for.
    pub created: String,
    /// When work began.
    pub started: Option<String>,
    /// When it ended.
    pub ended: Option<String>,
    /// How far it is.
    pub progress: Progress,
    /// When its progress moved last.
    pub moved: Option<String>,
    /// How often it was begun.
    pub attempts: u32,
    /// The set that it makes or copies.
    pub set: Option<i64>,
    /// `first` or `second`: which copy it reads or removes from.
    pub place: Option<String>,
    /// For a cleanup: since when every moment stays recoverable.
    pub keep_from: Option<String>,
    /// For a recovery: the moment.
    pub until: Option<String>,
    /// For a recovery: the name of the tenant it makes.
    pub new_tenant: Option<String>,
    /// Directory of the set or its copy.
    pub directory: Option<String>,
    /// What it did, in words.
    pub outcome: Option<String>,
    /// Why it failed, and what to do.
    pub failure: Option<String>,
    /// The task that it tries again.
    pub retry_of: Option<i64>,
    /// What it did step by step; empty in lists.
    #[serde(default)]
    pub steps: Vec<ToldStep>,
}

/// One step of a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToldStep {
    /// When.
    pub at: String,
    /// What happened.
    pub text: String,
}

/// A page of tasks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskList {
    /// The tasks, newest first.
    pub tasks: Vec<Listed>,
    /// How many match on all pages.
    pub total: u64,
    /// This page's number from 1.
    pub page: u32,
}

/// A page of a scheduling history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    /// The runs, newest first.
    pub runs: Vec<Run>,
    /// How many there are on all pages.
    pub total: u64,
    /// This page's number from 1.
    pub page: u32,
}

/// A run of a schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Its number.
    pub id: i64,
    /// `data_backup`, `second_log` or `cleanup`.
    pub kind: String,
    /// `full` or `incremental`, for data backups.
    pub backup: Option<String>,
    /// When it was due.
    pub due: String,
    /// When it was begun, or found to be missed or skipped.
    pub started: String,
    /// When its last task ended.
    pub ended: Option<String>,
    /// `running`, `completed`, `failed`, `missed`, `skipped` or `canceled`.
    pub outcome: String,
    /// Why.
    pub cause: Option<String>,
    /// Numbers of its tasks.
    pub tasks: Vec<i64>,
}

fn moment(at: Scn) -> String {
    at.to_rfc3339()
}

impl Listed {
    /// A task with its steps.
    pub fn new(task: Task, steps: Vec<Step>) -> Self {
        let steps = steps.into_iter().map(|step| ToldStep {
            at: moment(step.at),
            text: step.text,
        });
        Listed {
            id: task.id.0,
            kind: task.kind.code().to_owned(),
            state: task.state.code().to_owned(),
            tenant: task.tenant_name,
            trigger: task.trigger.code().to_owned(),
            created: moment(task.created),
            started: task.started.map(moment),
            ended: task.ended.map(moment),
            progress: task.progress.into(),
            moved: task.moved.map(moment),
            attempts: task.attempts,
            set: task.set.map(|set| set.0),
            place: task.place.map(|place| place.code().to_owned()),
            keep_from: task.keep_from.map(moment),
            until: task.until.map(moment),
            new_tenant: task.new_name,
            directory: task.directory,
            outcome: task.outcome,
            failure: task.failure,
            retry_of: task.retry_of.map(|id| id.0),
            steps: steps.collect(),
        }
    }
}

impl From<Page<Task>> for TaskList {
    fn from(page: Page<Task>) -> Self {
        let rows = page.rows.into_iter();
        TaskList {
            tasks: rows.map(|task| Listed::new(task, Vec::new())).collect(),
            total: page.total,
            page: page.page,
        }
    }
}

impl From<Page<ScheduleRun>> for History {
    fn from(page: Page<ScheduleRun>) -> Self {
        History {
            runs: page.rows.into_iter().map(Run::from).collect(),
            total: page.total,
            page: page.page,
        }
    }
}

impl From<ScheduleRun> for Run {
    fn from(run: ScheduleRun) -> Self {
        Run {
            id: run.id.0,
            kind: run.kind.code().to_owned(),
            backup: run.backup.map(|kind| kind.code().to_owned()),
            due: moment(run.due),
            started: moment(run.started),
            ended: run.ended.map(moment),
            outcome: run.outcome.code().to_owned(),
            cause: run.cause,
            tasks: run.tasks.into_iter().map(|id| id.0).collect(),
        }
    }
}
