//! Where recovered tenants are placed: what a cluster has room for, and cleaning up after recoveries that failed.

use crate::{
    access::Operator,
    audit::Entry,
    error::Error,
    handle::{ClusterHandle, answer, answer_within},
    jobs::queue,
    reports::known,
};
use domain::{
    JobId, TenantId,
    job::JobState,
    placement::{Resources, ZONES, violations},
    recovery::{PlannedStep, RecoveryRequest},
    validate::Violation,
};
use engine::{RecoverySpec, TenantKey};
use std::{sync::Arc, time::Duration};
use store::{Job, Order, TenantPicture};

/// What the audit calls it.
const CLEAN_UP: &str = "clean-up after a recovery";
/// Longest wait for a clean-up: dropping a tenant takes a while.
const CLEAN_UP_MAX: Duration = Duration::from_secs(5 * 60);

impl Operator {
    /// What a cluster has for a tenant recovered from this one. Asks the engine: what is free changes by the minute.
    pub async fn resources(&self, cluster: &str, tenant: TenantId) -> Result<Resources, Error> {
        let (handle, picture) = self.tenant(cluster, tenant).await?;
        self.places(&handle).await?;
        room(&handle, &picture).await
    }

    /// The statements that would remove what a failed or canceled recovery left. Removes nothing.
    pub async fn plan_leftovers(
        &self,
        cluster: &str,
        task: JobId,
    ) -> Result<Vec<PlannedStep>, Error> {
        let (handle, spec) = self.ended_badly(cluster, task).await?;
        let engine = handle.engine()?;
        Ok(answer("clean-up plan", &spec.new_name, engine.leftovers(&spec)).await?)
    }

    /// Removes what a failed or canceled recovery left, and answers with what was sent.
    pub async fn remove_leftovers(
        &self,
        cluster: &str,
        task: JobId,
    ) -> Result<Vec<PlannedStep>, Error> {
        let inner = self.inner();
        let (handle, spec) = self.ended_badly(cluster, task).await?;
        let entry = Entry {
            operation: CLEAN_UP,
            cluster: handle.id,
            subject: &spec.new_name,
            detail: &format!("task {task}"),
        };
        let engine = handle.engine()?;
        let removal = engine.remove_leftovers(&spec);
        let done = self
            .audited(entry, async {
                Ok(answer_within(CLEAN_UP_MAX, CLEAN_UP, &spec.new_name, removal).await?)
            })
            .await?;
        let step = format!(
            "{} removed what it left in the cluster, with {} statements",
            self.actor.name,
            done.len()
        );
        let now = inner.now();
        let told = inner
            .store
            .change(async |change| change.add_last_step(task, now, &step).await);
        told.await?;
        self.show(&handle).await?;
        Ok(done)
    }

    /// Refuses a placement that the cluster would not take; without one, the engine's own is looked at.
    pub(crate) async fn check_placement(
        &self,
        handle: &Arc<ClusterHandle>,
        tenant: &TenantPicture,
        request: &RecoveryRequest,
    ) -> Result<(), Error> {
        if !known(self.inner(), handle)
            .await?
            .cluster
            .capabilities
            .placement
        {
            let allowed = "leave it out; this cluster places its tenants itself";
            return match request.placement {
                None => Ok(()),
                Some(_) => Err(Error::Invalid(vec![Violation::new(ZONES, "", allowed)])),
            };
        }
        let resources = room(handle, tenant).await?;
        let placement = request.placement.as_ref().or(resources.suggested.as_ref());
        let found = placement.map_or_else(Vec::new, |it| violations(it, &resources));
        match found.is_empty() {
            true => Ok(()),
            false => Err(Error::Invalid(found)),
        }
    }

    /// A recovery that failed or was canceled, as the order that the engine had.
    async fn ended_badly(
        &self,
        cluster: &str,
        task: JobId,
    ) -> Result<(Arc<ClusterHandle>, RecoverySpec), Error> {
        let inner = self.inner();
        let handle = self.handle(cluster)?;
        self.places(&handle).await?;
        let found = inner.store.job(task).await?;
        let spec = match found.filter(|job| job.cluster == handle.id) {
            Some(job) => self.spec(&handle, &job).await?,
            None => None,
        };
        let spec = spec.ok_or_else(|| Error::NotFound {
            what: "recovery task",
            id: task.to_string(),
        })?;
        let open = inner.store.unfinished(handle.id).await?;
        if let Some(job) = queue::recovery_to(&open, &spec.new_name) {
            return Err(Error::Conflict(format!(
                "recovery task {} makes tenant {} and is not finished; wait for its end or cancel it first",
                job.id, spec.new_name
            )));
        }
        Ok((handle, spec))
    }

    /// The order of a recovery task; `None` for tasks of other kinds. Refuses what has not ended badly.
    async fn spec(&self, handle: &ClusterHandle, job: &Job) -> Result<Option<RecoverySpec>, Error> {
        let Order::Recovery {
            until,
            new_name,
            place,
            placement,
        } = &job.order
        else {
            return Ok(None);
        };
        if !matches!(job.state, JobState::Failed | JobState::Canceled) {
            return Err(Error::Conflict(match job.state.is_final() {
                true => format!("task {} is complete; it left nothing to clean up", job.id),
                false => format!(
                    "task {} has not ended; wait for its end or cancel it",
                    job.id
                ),
            }));
        }
        let tenant = self.inner().store.tenant(handle.id, job.tenant).await?;
        Ok(tenant.map(|tenant| RecoverySpec {
            token: job.token.clone(),
            tenant: TenantKey(tenant.engine_key),
            until: *until,
            new_name: new_name.clone(),
            place: *place,
            placement: placement.clone(),
        }))
    }

    /// Refuses clusters that place their tenants themselves.
    async fn places(&self, handle: &Arc<ClusterHandle>) -> Result<(), Error> {
        match known(self.inner(), handle)
            .await?
            .cluster
            .capabilities
            .placement
        {
            true => Ok(()),
            false => Err(Error::Conflict(format!(
                "cluster {} places its tenants itself; there is nothing to choose or to clean up",
                handle.name
            ))),
        }
    }
}

async fn room(handle: &ClusterHandle, tenant: &TenantPicture) -> Result<Resources, Error> {
    let key = TenantKey(tenant.facts.engine_key.clone());
    let engine = handle.engine()?;
    let name = &tenant.facts.name;
    Ok(answer("placement", name, engine.resources(&key)).await?)
}
