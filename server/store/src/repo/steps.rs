//! What tasks did, step by step.

use crate::{
    Change, Store,
    convert::{impossible, scn, scn_column},
    entity::job_step,
    error::{During, Result},
};
use domain::{
    JobId, Scn,
    task::{STEPS_MAX, Step},
};
use sea_orm::{ActiveValue::Set, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

/// Longest text of a step in characters; what is longer is cut.
const TEXT_MAX: usize = 500;
/// Steps at the end of the log that only a task's end may take.
const RESERVED: i32 = 2;
/// What the last ordinary step says.
const FULL: &str = "Further steps are left out; the end of the task is still told.";

impl Change {
    /// Adds a step to a task's log. A full log takes no more.
    pub async fn add_step(&self, job: JobId, at: Scn, text: &str) -> Result<()> {
        self.step(job, at, text, RESERVED).await
    }

    /// Adds the step that ends a task; there is always room for it.
    pub async fn add_last_step(&self, job: JobId, at: Scn, text: &str) -> Result<()> {
        self.step(job, at, text, 0).await
    }

    async fn step(&self, job: JobId, at: Scn, text: &str, reserved: i32) -> Result<()> {
        let newest: Option<i32> = job_step::Entity::find()
            .select_only()
            .column(job_step::Column::Seq)
            .filter(job_step::COLUMN.job_id.eq(job.0))
            .order_by_desc(job_step::COLUMN.seq)
            .into_tuple()
            .one(&self.tx)
            .await
            .during("reading a task's steps")?;
        let seq = newest.unwrap_or_default() + 1;
        let limit = i32::try_from(STEPS_MAX).unwrap_or(i32::MAX) - reserved;
        if seq > limit {
            return Ok(());
        }
        let text: String = match seq == limit && reserved > 0 {
            true => FULL.to_owned(),
            false => text.chars().take(TEXT_MAX).collect(),
        };
        let row = job_step::ActiveModel {
            job_id: Set(job.0),
            seq: Set(seq),
            at: Set(scn_column(at)),
            text: Set(text),
        };
        job_step::Entity::insert(row)
            .exec_without_returning(&self.tx)
            .await
            .during("writing a task's step")?;
        self.touch();
        Ok(())
    }

    /// Forgets steps from before `before`.
    pub async fn forget_steps(&self, before: Scn) -> Result<u64> {
        let done = job_step::Entity::delete_many()
            .filter(job_step::COLUMN.at.lt(scn_column(before)))
            .exec(&self.tx)
            .await
            .during("forgetting old steps of tasks")?;
        if done.rows_affected > 0 {
            self.touch();
        }
        Ok(done.rows_affected)
    }
}

impl Store {
    /// The steps of a task, in order.
    pub async fn steps(&self, job: JobId) -> Result<Vec<Step>> {
        let rows = job_step::Entity::find()
            .filter(job_step::COLUMN.job_id.eq(job.0))
            .order_by_asc(job_step::COLUMN.seq)
            .limit(u64::try_from(STEPS_MAX).unwrap_or(u64::MAX))
            .all(&self.db)
            .await
            .during("reading a task's steps")?;
        rows.into_iter()
            .map(|row| {
                Ok(Step {
                    seq: u32::try_from(row.seq).map_err(|_| impossible("job_step.seq", row.seq))?,
                    at: scn("job_step.at", row.at)?,
                    text: row.text,
                })
            })
            .collect()
    }
}
