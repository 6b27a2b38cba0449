//! Cleanups: what one would remove, asked of the engine itself, and removing it now.

use crate::{
    access::{Admin, Viewer},
    audit::Entry,
    backups::named,
    console::Inner,
    error::Error,
    handle::{ClusterHandle, answer_within},
    jobs::queue,
    reports::known,
};
use domain::{
    Scn, TenantId,
    backup::Trigger,
    capability::Ability,
    retention::{CleanupPlan, CleanupSum, CleanupsBegun, RETENTION_DAYS_MAX, RETENTION_DAYS_MIN},
    scn::NS_PER_DAY,
    second_backup::Place,
};
use engine::{CleanupSpec, TenantKey};
use std::{sync::Arc, time::Duration};
use store::{Job, NewJob, Order, TenantPicture};

/// Label of the field with the days.
const DAYS: &str = "Days to keep";
/// Longest wait for a plan: the engine lists all that is there.
const PLAN_MAX: Duration = Duration::from_secs(60);
/// Most tenants whose plans are summed up while somebody waits.
const SUMMED_MAX: usize = 100;

impl Viewer {
    /// What a cleanup of one tenant would remove, what it would keep and why, and which moments could not be
    /// recovered to any more, if every moment of the last `keep_days` days had to stay. Asks the engine, since
    /// only that knows what is being read; so the days may be ones that nobody has decided on yet. Removes nothing.
    pub async fn plan_cleanup(
        &self,
        cluster: &str,
        tenant: TenantId,
        keep_days: u32,
        place: Place,
    ) -> Result<CleanupPlan, Error> {
        let inner = &self.console.inner;
        let handle = self.handle(cluster)?;
        let keep_from = keep_from(inner, keep_days)?;
        can_plan(inner, &handle).await?;
        let picture = inner.store.picture(handle.id).await?;
        let tenant = named(&picture, tenant)?;
        plan_of(&handle, tenant, place, keep_from).await
    }

    /// What cleanups of all tenants would remove from the first copy now, summed up. Of a large cluster the first
    /// [`SUMMED_MAX`] tenants are asked about.
    pub async fn sum_cleanup(&self, cluster: &str, keep_days: u32) -> Result<CleanupSum, Error> {
        let inner = &self.console.inner;
        let handle = self.handle(cluster)?;
        let keep_from = keep_from(inner, keep_days)?;
        can_plan(inner, &handle).await?;
        let tenants = inner.store.picture(handle.id).await?;
        let mut sum = CleanupSum {
            keep_from,
            tenants: 0,
            left_out: u32::try_from(tenants.len().saturating_sub(SUMMED_MAX)).unwrap_or(u32::MAX),
            objects: 0,
            bytes: 0,
        };
        for tenant in tenants.iter().take(SUMMED_MAX) {
            let plan = plan_of(&handle, tenant, Place::First, keep_from).await?;
            sum.tenants += 1;
            sum.objects += plan.expired.len() as u64;
            sum.bytes += plan.expired_bytes();
        }
        Ok(sum)
    }
}

/// Asks the engine for the plan of one tenant.
async fn plan_of(
    handle: &ClusterHandle,
    tenant: &TenantPicture,
    place: Place,
    keep_from: Scn,
) -> Result<CleanupPlan, Error> {
    let spec = CleanupSpec {
        token: String::new(),
        tenant: TenantKey(tenant.facts.engine_key.clone()),
        place,
        keep_from,
    };
    let (engine, name) = (handle.engine()?, &tenant.facts.name);
    let plan = engine.plan_cleanup(&spec);
    Ok(answer_within(PLAN_MAX, "cleanup plan", name, plan).await?)
}

impl Admin {
    /// Enqueues the removal of what has expired at one place: of one tenant, or with `None` of every tenant, also of
    /// those of which only backups are left. Every moment of the last `keep_days` days stays recoverable.
    pub async fn clean_up_now(
        &self,
        cluster: &str,
        tenant: Option<TenantId>,
        keep_days: u32,
        place: Place,
    ) -> Result<CleanupsBegun, Error> {
        let inner = &self.console.inner;
        let handle = self.handle(cluster)?;
        let keep_from = keep_from(inner, keep_days)?;
        can_plan(inner, &handle).await?;
        let picture = inner.store.picture(handle.id).await?;
        let chosen: Vec<&TenantPicture> = match tenant {
            Some(id) => vec![named(&picture, id)?],
            None => picture.iter().collect(),
        };
        let order = Order::Cleanup { place, keep_from };
        let begun = inner
            .store
            .change(async |change| {
                let open = change.unfinished(handle.id).await?;
                let mut begun = CleanupsBegun::default();
                for tenant in &chosen {
                    if let Some(job) = cleanup_of(&open, tenant.id, place) {
                        begun.skipped.push(unfinished(job, tenant));
                        continue;
                    }
                    let new = self.new_cleanup(&handle, tenant.id, &order);
                    let at = open.len() + begun.tasks.len();
                    begun.tasks.push(queue::enqueue(change, at, &new).await?);
                    let detail = format!("{} of {keep_days} days", place.code());
                    let entry = Entry {
                        operation: "cleanup",
                        cluster: handle.id,
                        subject: &tenant.facts.name,
                        detail: &detail,
                    };
                    entry.write(change, inner, &self.actor).await?;
                }
                match begun.tasks.is_empty() && !begun.skipped.is_empty() {
                    true => Err(Error::Conflict(begun.skipped.join("; "))),
                    false => Ok(begun),
                }
            })
            .await?;
        inner.queue.notify_one();
        handle.nudge(inner.now());
        Ok(begun)
    }

    fn new_cleanup(&self, handle: &Arc<ClusterHandle>, tenant: TenantId, order: &Order) -> NewJob {
        NewJob {
            cluster: handle.id,
            tenant,
            order: order.clone(),
            trigger: Trigger::Manual,
            token: queue::token(),
            created: self.console.inner.now(),
            run: None,
        }
    }
}

/// The moment since which everything has to stay.
fn keep_from(inner: &Inner, keep_days: u32) -> Result<Scn, Error> {
    if !(RETENTION_DAYS_MIN..=RETENTION_DAYS_MAX).contains(&keep_days) {
        let allowed = format!("{RETENTION_DAYS_MIN} to {RETENTION_DAYS_MAX} days");
        return Err(Error::invalid(DAYS, &keep_days.to_string(), allowed));
    }
    let kept_ns = u64::from(keep_days) * NS_PER_DAY;
    Ok(Scn(inner.now().0.saturating_sub(kept_ns)))
}

async fn can_plan(inner: &Inner, handle: &ClusterHandle) -> Result<(), Error> {
    match known(inner, handle)
        .await?
        .cluster
        .capabilities
        .plan_cleanup
    {
        Ability::Yes => Ok(()),
        Ability::No(why) => Err(Error::Conflict(why)),
    }
}

/// The unfinished cleanup of a tenant at a place, if there is one.
fn cleanup_of(open: &[Job], tenant: TenantId, place: Place) -> Option<&Job> {
    let is_same = |order: &Order| matches!(order, Order::Cleanup { place: at, .. } if *at == place);
    open.iter()
        .find(|job| job.tenant == tenant && is_same(&job.order))
}

fn unfinished(job: &Job, tenant: &TenantPicture) -> String {
    format!(
        "cleanup task {} of tenant {} is not finished; wait for it or cancel it",
        job.id, tenant.facts.name
    )
}
