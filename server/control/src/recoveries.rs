//! Recoveries: what one would read and reach, and beginning one.

use crate::{
    access::Operator,
    audit::Entry,
    backups::named,
    console::Inner,
    error::Error,
    handle::{ClusterHandle, answer},
    jobs::queue,
    shown::{ranges, ranges_of},
    tasks::observe,
};
use domain::{
    JobId, Scn,
    backup::Trigger,
    job::JobState,
    page::TaskFilter,
    recoverable::{RecoverableRange, Verdict, verdict},
    recovery::{RecoveryPlan, RecoveryRequest},
    second_backup::Place,
    tenant::TenantState,
    validate::{self, Violation},
};
use engine::{RecoverySpec, TenantKey};
use std::sync::Arc;
use store::{Job, NewJob, Order, TenantPicture};

/// Label of the field with the moment.
const MOMENT: &str = "Recover to";
/// Label of the field with the name.
const NAME: &str = "New tenant name";
/// Earlier tasks that an estimate is made from.
const MEASURED: u32 = 10;

impl Operator {
    /// What a recovery would read and reach. Starts nothing.
    pub async fn plan_recovery(
        &self,
        cluster: &str,
        request: &RecoveryRequest,
    ) -> Result<RecoveryPlan, Error> {
        let handle = self.handle(cluster)?;
        let tenant = check(self.inner(), &handle, request).await?;
        self.check_placement(&handle, &tenant, request).await?;
        self.ask(&handle, &tenant, request).await
    }

    /// Begins a recovery into a new tenant, whose name is reserved from now on.
    pub async fn initiate_recovery(
        &self,
        cluster: &str,
        request: &RecoveryRequest,
    ) -> Result<JobId, Error> {
        let inner = self.inner();
        let handle = self.handle(cluster)?;
        let tenant = check(inner, &handle, request).await?;
        self.check_placement(&handle, &tenant, request).await?;
        self.ask(&handle, &tenant, request).await?;
        let new = NewJob {
            cluster: handle.id,
            tenant: request.tenant,
            order: Order::Recovery {
                until: request.until,
                new_name: request.new_name.clone(),
                place: request.place,
                placement: request.placement.clone(),
            },
            trigger: Trigger::Manual,
            token: queue::token(),
            created: inner.now(),
            run: None,
        };
        let from = match request.place {
            Some(Place::First) => " from the first copy",
            Some(Place::Second) => " from the second copy",
            None => "",
        };
        let detail = format!("until {} as {}{from}", request.until, request.new_name);
        let entry = Entry {
            operation: "recovery",
            cluster: handle.id,
            subject: &tenant.facts.name,
            detail: &detail,
        };
        let id = inner
            .store
            .change(async |change| {
                // Again, now that nobody else can enqueue: two requests may have come at once.
                let open = change.unfinished(handle.id).await?;
                if let Some(job) = queue::recovery_to(&open, &request.new_name) {
                    return Err(Error::Conflict(reserved(job)));
                }
                let id = queue::enqueue(change, open.len(), &new).await?;
                entry.write(change, inner, &self.actor).await?;
                Ok(id)
            })
            .await?;
        inner.queue.notify_one();
        handle.nudge(inner.now());
        Ok(id)
    }

    async fn ask(
        &self,
        handle: &Arc<ClusterHandle>,
        tenant: &TenantPicture,
        request: &RecoveryRequest,
    ) -> Result<RecoveryPlan, Error> {
        let spec = RecoverySpec {
            token: String::new(),
            tenant: TenantKey(tenant.facts.engine_key.clone()),
            until: request.until,
            new_name: request.new_name.clone(),
            place: request.place,
            placement: request.placement.clone(),
        };
        let engine = handle.engine()?;
        let name = &tenant.facts.name;
        let mut plan = answer("recovery plan", name, engine.plan_recovery(&spec)).await?;
        if plan.estimate_ms.is_none() {
            plan.estimate_ms = estimate(self.inner(), handle, &plan).await?;
        }
        Ok(plan)
    }
}

/// Checks a request against what is stored, and looks anew before it says no to a moment just past.
async fn check(
    inner: &Inner,
    handle: &ClusterHandle,
    request: &RecoveryRequest,
) -> Result<TenantPicture, Error> {
    let open = inner.store.unfinished(handle.id).await?;
    let picture = inner.store.picture(handle.id).await?;
    let found = violations(&picture, &open, request, inner.now())?;
    if found.is_empty() {
        return named(&picture, request.tenant).cloned();
    }
    if found.iter().all(|violation| violation.field != MOMENT) {
        return Err(Error::Invalid(found));
    }
    observe::look(inner, handle).await?;
    let picture = inner.store.picture(handle.id).await?;
    let found = violations(&picture, &open, request, inner.now())?;
    if !found.is_empty() {
        return Err(Error::Invalid(found));
    }
    named(&picture, request.tenant).cloned()
}

fn violations(
    picture: &[TenantPicture],
    open: &[Job],
    request: &RecoveryRequest,
    now: Scn,
) -> Result<Vec<Violation>, Error> {
    let tenant = named(picture, request.tenant)?;
    let ranges = match request.place {
        Some(place) => ranges_of(tenant, place),
        None => ranges(tenant),
    };
    let mut found = Vec::new();
    if let Some(allowed) = refused_moment(&ranges, &tenant.facts.name, request.until, now) {
        found.push(Violation::new(MOMENT, &request.until.to_rfc3339(), allowed));
    }
    if let Err(violation) = validate::name(NAME, &request.new_name) {
        found.push(violation);
    } else if let Some(allowed) = refused_name(picture, open, &request.new_name) {
        found.push(Violation::new(NAME, &request.new_name, allowed));
    }
    Ok(found)
}

fn refused_moment(
    ranges: &[RecoverableRange],
    tenant: &str,
    until: Scn,
    now: Scn,
) -> Option<String> {
    let Verdict::Impossible { before, after } = verdict(ranges, until) else {
        return None;
    };
    let problem = match until > now {
        true => "is in the future".to_owned(),
        false => format!("is outside the recoverable period of tenant {tenant}"),
    };
    Some(match (before, after) {
        (Some(before), Some(after)) => format!(
            "{problem}; the nearest moments that can be recovered are {before} before it and \
             {after} after it"
        ),
        (Some(before), None) => {
            format!("{problem}; the nearest moment that can be recovered is {before} before it")
        }
        (None, Some(after)) => {
            format!("{problem}; the nearest moment that can be recovered is {after} after it")
        }
        (None, None) => format!(
            "{problem}; there is no moment yet that it can be recovered to: back it up first"
        ),
    })
}

fn refused_name(picture: &[TenantPicture], open: &[Job], name: &str) -> Option<String> {
    let exists = picture
        .iter()
        .any(|tenant| tenant.facts.name == name && tenant.facts.state != TenantState::Offline);
    if exists {
        return Some("a tenant of this name exists; choose another name".to_owned());
    }
    queue::recovery_to(open, name).map(reserved)
}

fn reserved(job: &Job) -> String {
    format!(
        "the name is reserved by recovery task {}; choose another name, or cancel that task",
        job.id
    )
}

/// Milliseconds it may take, judged by what earlier tasks took; `None` without any.
async fn estimate(
    inner: &Inner,
    handle: &ClusterHandle,
    plan: &RecoveryPlan,
) -> Result<Option<u64>, Error> {
    let done = TaskFilter {
        states: vec![JobState::Completed],
        size: MEASURED,
        ..TaskFilter::default()
    };
    let recoveries = inner.store.recoveries(&[handle.id], &done).await?.rows;
    let mut measured: Vec<(u64, u64)> = recoveries
        .iter()
        .filter_map(|job| Some((job.progress.total_bytes, job.ended?.since_ns(job.started?))))
        .collect();
    if measured.is_empty() {
        let backups = inner.store.backups(handle.id, &done).await?.rows;
        measured = backups
            .iter()
            .filter_map(|job| Some((job.progress.total_bytes, job.ended?.since_ns(job.started?))))
            .collect();
    }
    let bytes: u64 = plan.log_bytes + plan.sets.iter().map(|set| set.stored_bytes).sum::<u64>();
    Ok(scaled(&measured, bytes.max(plan.result_bytes)))
}

fn scaled(measured: &[(u64, u64)], bytes: u64) -> Option<u64> {
    let total: u128 = measured.iter().map(|(bytes, _)| u128::from(*bytes)).sum();
    let time_ns: u128 = measured.iter().map(|(_, ns)| u128::from(*ns)).sum();
    let estimate = (u128::from(bytes) * time_ns).checked_div(total)?;
    u64::try_from(estimate / 1_000_000).ok()
}
