//! What has been done: tasks of every kind, their steps, and the runs of schedules.

use crate::{access::Viewer, error::Error};
use domain::{
    JobId,
    job::JobKind,
    page::{Page, TaskFilter},
    strategy::{RunKind, ScheduleRun},
    task::{Step, Task},
};

impl Viewer {
    /// A page of tasks of one kind.
    pub async fn tasks(
        &self,
        cluster: &str,
        kind: JobKind,
        filter: &TaskFilter,
    ) -> Result<Page<Task>, Error> {
        let inner = &self.console.inner;
        let id = self.handle(cluster)?.id;
        Ok(inner.store.tasks(id, kind, filter).await?)
    }

    /// A task of any kind.
    pub async fn task(&self, cluster: &str, task: JobId) -> Result<Task, Error> {
        let inner = &self.console.inner;
        let id = self.handle(cluster)?.id;
        let found = inner.store.task(id, task).await?;
        found.ok_or_else(|| Error::NotFound {
            what: "task",
            id: task.to_string(),
        })
    }

    /// What a task did, step by step.
    pub async fn steps(&self, cluster: &str, task: JobId) -> Result<Vec<Step>, Error> {
        let task = self.task(cluster, task).await?;
        Ok(self.console.inner.store.steps(task.id).await?)
    }

    /// A page of a scheduling history: when runs were due, what became of each and why, and their tasks.
    /// Of the filter, times (of being due), order and page count.
    pub async fn schedule_history(
        &self,
        cluster: &str,
        kind: RunKind,
        filter: &TaskFilter,
    ) -> Result<Page<ScheduleRun>, Error> {
        let inner = &self.console.inner;
        let id = self.handle(cluster)?.id;
        Ok(inner.store.runs(id, kind, filter).await?)
    }
}
