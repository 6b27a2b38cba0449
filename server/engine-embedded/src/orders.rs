//! Data backups and recoveries as jobs: accepted at once, done in the background.

use crate::{
    absent::Archived,
    backup::{BackupError, Order, make_set},
    commit::Head,
    engine::{blocking, recovery_error, rejected},
    holds::{Claim, Hold},
    job::Job,
    jobs::Jobs,
    page_map::PageMap,
    recovery::RecoveryError,
    registry::{Inner, Opened, Reservation},
    set::SetManifest,
    snapshot::Snapshot,
    sources::Sources,
    tenant::{Recovered, Tenant},
};
use domain::{BackupSetId, archive::ArchiveState, backup::BackupKind, second_backup::Place};
use engine::{
    BackupSpec, EngineError, EngineErrorKind, EngineJobId, EngineJobState, JobReport, RecoverySpec,
};
use std::sync::{Arc, atomic::Ordering};
use tokio::task::spawn_blocking;
use uuid::Uuid;

/// Sets a chain may have; the next one is full.
const CHAIN_LENGTH_MAX: usize = 7;

pub(crate) fn start_backup(
    inner: &Arc<Inner>,
    spec: &BackupSpec,
) -> Result<EngineJobId, EngineError> {
    let tenant = inner.tenant(&spec.tenant)?;
    let refuse = |why: &str| Err(rejected("data backup", &tenant.name(), why));
    let id = Jobs::id(&spec.token);
    if inner.jobs.find(&spec.token).is_some() {
        return Ok(id);
    }
    check_archiving(&tenant)?;
    if tenant.backing_up.swap(true, Ordering::AcqRel) {
        return refuse("a data backup of it runs already; wait for it or cancel it");
    }
    let (job, _) = inner.jobs.begin(&spec.token);
    tenant.note_backup(&job);
    let (inner, spec) = (Arc::clone(inner), spec.clone());
    tokio::spawn(async move {
        let made = back_up(&inner, &tenant, &spec, &job).await;
        tenant.backing_up.store(false, Ordering::Release);
        job.update(|report| match made {
            Ok(set) => tell_set(report, &*tenant, &set),
            Err(problem) => end_without_result(report, job.is_canceled(), problem),
        });
    });
    Ok(id)
}

/// A set is only worth something with the log that continues it.
fn check_archiving(tenant: &Tenant) -> Result<(), EngineError> {
    let status = tenant.status();
    let note = status.note.unwrap_or_default();
    let (kind, why) = match status.state {
        ArchiveState::Doing => return Ok(()),
        ArchiveState::Prepare | ArchiveState::Beginning => (
            EngineErrorKind::Unreachable,
            "its log backup is just beginning; it is possible in a moment".to_owned(),
        ),
        ArchiveState::Interrupted => (
            EngineErrorKind::Unreachable,
            format!("its log backup is interrupted: {note}"),
        ),
        ArchiveState::Stop | ArchiveState::Stopping | ArchiveState::Unknown(_) => (
            EngineErrorKind::Rejected,
            "its log is not being backed up; start log backup first".to_owned(),
        ),
    };
    Err(EngineError::new(kind, "data backup", tenant.name(), why))
}

fn end_without_result(report: &mut JobReport, canceled: bool, problem: String) {
    report.state = if canceled {
        EngineJobState::Canceled
    } else {
        EngineJobState::Failed
    };
    report.failure = (!canceled).then_some(problem);
    report.set = None;
}

async fn back_up(
    inner: &Arc<Inner>,
    tenant: &Arc<Tenant>,
    spec: &BackupSpec,
    job: &Arc<Job>,
) -> Result<SetManifest, String> {
    job.phase("Taking a snapshot", 0);
    let (_hold, ()) = hold_log(tenant);
    let (snapshot, head, map) = tenant.snapshot().await?;
    let (inner, tenant, spec, job) = (
        Arc::clone(inner),
        Arc::clone(tenant),
        spec.clone(),
        Arc::clone(job),
    );
    spawn_blocking(move || {
        back_up_snapshot(&inner, &tenant, &spec, &job, snapshot, &head, &map)
            .map_err(|error| error.to_string())
    })
    .await
    .unwrap_or_else(|error| Err(format!("internal error: {error}")))
}

fn back_up_snapshot(
    inner: &Inner,
    tenant: &Tenant,
    spec: &BackupSpec,
    job: &Job,
    snapshot: Snapshot,
    head: &Head,
    map: &PageMap,
) -> Result<SetManifest, BackupError> {
    let dest = tenant.destination.get()?;
    let mut _hold = None;
    let (base, full_because) = match spec.kind {
        BackupKind::Full => (None, None),
        BackupKind::Incremental => match base_for(tenant, head, map.page_size(), &dest) {
            Ok((held, base)) => {
                _hold = Some(held);
                (Some(base), None)
            }
            Err(why) => (None, Some(why)),
        },
    };
    let order = Order {
        set_id: tenant.history().next_set(),
        token: spec.token.clone(),
        base,
        full_because,
        tenant: tenant.uuid().to_string(),
        tenant_name: tenant.name(),
        cluster: inner.name.clone(),
        started: inner.clock.now(),
    };
    job.update(|report| {
        report.set = Some(BackupSetId(order.set_id));
        report.actual = Some(kind_of(order.base.is_some()));
        report.actual_reason.clone_from(&order.full_because);
    });
    let set = make_set(
        &dest,
        &tenant.keys,
        &order,
        &snapshot,
        (head, map),
        job,
        &inner.clock,
    )?;
    drop(snapshot.end());
    tenant.history().sets.insert(set.set_id, set.clone());
    Ok(set)
}

fn kind_of(incremental: bool) -> BackupKind {
    if incremental {
        BackupKind::Incremental
    } else {
        BackupKind::Full
    }
}

/// Keeps all log from now on, which continues the set to come, until that set is there.
fn hold_log(tenant: &Tenant) -> (Hold, ()) {
    let held = tenant.holds.take(|| {
        let history = tenant.history();
        let last = history.last_round().map_or((0, 0), |round| {
            let last = history.runs(round).last().map_or(0, |run| run.last_txn);
            (round.start.base.round, last)
        });
        let claim = Claim::by("a data backup that runs needs it").log_since(last.0, last.1);
        Ok::<_, std::convert::Infallible>((claim, ()))
    });
    match held {
        Ok(held) => held,
    }
}

/// The newest set that an incremental one may build on, held against cleanups; or in words why there is none.
fn base_for(
    tenant: &Tenant,
    head: &Head,
    page_size: u32,
    dest: &storage::Dest,
) -> Result<(Hold, (SetManifest, PageMap)), String> {
    let (hold, set) = tenant.holds.take(|| choose_base(tenant, head))?;
    let map = base_map(tenant, &set, page_size, dest)?;
    Ok((hold, (set, map)))
}

fn choose_base(tenant: &Tenant, head: &Head) -> Result<(Claim, SetManifest), String> {
    let history = tenant.history();
    let set = history
        .sets
        .values()
        .next_back()
        .ok_or("there is no earlier set to build on")?;
    let chain = history
        .chain(set)
        .ok_or("the set to build on is not complete any more")?;
    if set.head.round != head.round {
        return Err("the log began a new round since the last set".to_owned());
    }
    if chain.len() >= CHAIN_LENGTH_MAX {
        return Err(format!(
            "{CHAIN_LENGTH_MAX} sets already build on each other"
        ));
    }
    let claim = Claim::by("a data backup builds on it");
    let claim = claim.sets(chain.iter().map(|set| set.set_id));
    Ok((claim, set.clone()))
}

fn base_map(
    tenant: &Tenant,
    set: &SetManifest,
    page_size: u32,
    dest: &storage::Dest,
) -> Result<PageMap, String> {
    let unreadable = |why: &dyn std::fmt::Display| {
        format!("the page map of set {} does not read: {why}", set.set_id)
    };
    let key = format!("{}/pagemap.bin", tenant.keys.set(&set.directory));
    let bytes = dest.get(&key).map_err(|error| unreadable(&error))?;
    let map = PageMap::from_bytes(page_size, &bytes).filter(|map| map.digest() == set.head.digest);
    let map = map.ok_or_else(|| unreadable(&"it is damaged"))?;
    if set.page_size != page_size {
        return Err("the page size changed since the last set".to_owned());
    }
    Ok(map)
}

fn tell_set(report: &mut JobReport, tenant: &dyn Archived, set: &SetManifest) {
    report.state = EngineJobState::Completed;
    report.set = Some(BackupSetId(set.set_id));
    report.actual = Some(kind_of(set.base_set_id.is_some()));
    report.actual_reason.clone_from(&set.full_because);
    report.min_restore_scn = Some(set.min_restore_scn);
    let directory = tenant.keys().set(&set.directory);
    let directory = tenant.destination().path().join(directory);
    report.location = Some(directory.display().to_string());
    report.progress.eta_ms = None;
}

pub(crate) async fn start_recovery(
    inner: &Arc<Inner>,
    spec: &RecoverySpec,
) -> Result<EngineJobId, EngineError> {
    let sources = Arc::new(Sources::of(inner, &spec.tenant)?);
    let id = Jobs::id(&spec.token);
    if inner.jobs.find(&spec.token).is_some() {
        return Ok(id);
    }
    drop(inner.reserve("recovery", &spec.new_name)?);
    let (reading, place, until) = (Arc::clone(&sources), spec.place, spec.until);
    blocking("recovery", move || {
        reading
            .with(place, |_, copy| crate::restore::check(copy, until))
            .map_err(|error| recovery_error(&reading.tenant().name(), &error))
    })
    .await?;
    // The same order may have come again while the destination was looked at.
    if inner.jobs.find(&spec.token).is_some() {
        return Ok(id);
    }
    let reservation = inner.reserve("recovery", &spec.new_name)?;
    let (job, _) = inner.jobs.begin(&spec.token);
    let (inner, spec) = (Arc::clone(inner), spec.clone());
    tokio::spawn(async move {
        let recovered = recover(&inner, &sources, &spec, &job).await;
        drop::<Reservation>(reservation);
        job.update(|report| match recovered {
            Ok(made) => tell_tenant(report, &made),
            Err(problem) => end_without_result(report, job.is_canceled(), problem),
        });
    });
    Ok(id)
}

async fn recover(
    inner: &Arc<Inner>,
    sources: &Arc<Sources>,
    spec: &RecoverySpec,
    job: &Arc<Job>,
) -> Result<Arc<Tenant>, String> {
    let (working, sources, spec, job) = (
        Arc::clone(inner),
        Arc::clone(sources),
        spec.clone(),
        Arc::clone(job),
    );
    let made: Result<Opened, String> = spawn_blocking(move || {
        let uuid = Uuid::new_v4();
        let built = working
            .home
            .begin_tenant(&uuid.to_string())
            .map_err(|error| error.to_string())?;
        let published = build(&working, &sources, &spec, &job, uuid, &built);
        if published.is_err() {
            working.home.discard(&built);
        }
        let dir = published?;
        working
            .open_tenant(dir)
            .ok_or_else(|| "the recovered tenant does not open; see the server's log".to_owned())
    })
    .await
    .unwrap_or_else(|error| Err(format!("internal error: {error}")));
    let opened = made?;
    let tenant = Arc::clone(&opened.0);
    inner.run_tenant(opened);
    Ok(tenant)
}

fn build(
    inner: &Inner,
    sources: &Sources,
    spec: &RecoverySpec,
    job: &Job,
    uuid: Uuid,
    built: &std::path::Path,
) -> Result<std::path::PathBuf, String> {
    let text = |error: RecoveryError| error.to_string();
    let path = built.join("data.db");
    let to_file = |place, copy: &dyn Archived| {
        let proof = crate::restore::to_file(copy, spec.until, &path, job)?;
        Ok((place, proof))
    };
    let (place, proof) = sources.with(spec.place, to_file).map_err(text)?;
    job.phase("Publishing the tenant", 0);
    job.check().map_err(|canceled| canceled.to_string())?;
    let mut identity = crate::cluster::new_identity(&spec.new_name, uuid, inner.clock.now())
        .map_err(|violation| violation.to_string())?;
    let token = spec.token.clone();
    identity.recovered = Some(Recovered {
        token,
        source: sources.tenant().uuid(),
        place,
        until: spec.until,
        proof,
    });
    inner
        .home
        .publish_tenant(built, &identity)
        .map_err(|error| error.to_string())
}

fn tell_tenant(report: &mut JobReport, tenant: &Tenant) {
    report.state = EngineJobState::Completed;
    report.location = Some(tenant.files.path().display().to_string());
    if let Some(recovered) = tenant.identity().recovered {
        let is_second = recovered.place == Place::Second;
        report.outcome = is_second.then(|| "recovered from the second copy".to_owned());
        report.proof = Some(recovered.proof);
    }
    report.progress.eta_ms = None;
}

/// The result of an order that an engine before this one carried out, found by what it left.
pub(crate) fn find_result(inner: &Inner, token: &str) -> Option<EngineJobId> {
    for tenant in inner.archived_tenants() {
        let history = tenant.history();
        let set = history.sets.values().find(|set| set.token == token);
        if let Some(set) = set.cloned() {
            drop(history);
            let (job, _) = inner.jobs.begin(token);
            job.update(|report| tell_set(report, &*tenant, &set));
            return Some(Jobs::id(token));
        }
    }
    let is_result = |tenant: &Arc<Tenant>| {
        let recovered = tenant.identity().recovered;
        recovered.is_some_and(|recovered| recovered.token == token)
    };
    let tenant = inner.tenants().into_iter().find(is_result)?;
    let (job, _) = inner.jobs.begin(token);
    job.update(|report| tell_tenant(report, &tenant));
    Some(Jobs::id(token))
}
