//! Recovery of a tenant's history, with what reading it teaches about damage kept in mind.

use crate::{
    absent::Archived,
    choice::Choice,
    history::History,
    holds::{Claim, Hold},
    job::Job,
    recovery::{Prepared, RecoveryError},
    survey,
};
use domain::{
    Scn,
    recovery::{RecoveryPlan, RecoveryProof},
    second_backup::Place,
};
use std::path::Path;

/// Refuses what is certain not to be possible, or not now: a moment outside the ranges, a destination that is away.
pub(crate) fn check(tenant: &dyn Archived, until: Scn) -> Result<(), RecoveryError> {
    tenant.destination().get()?;
    survey::ensure_known(tenant)?;
    Choice::make(&tenant.history(), until).map(drop)
}

/// What a recovery to `until` would read and reach.
pub(crate) fn plan(
    tenant: &dyn Archived,
    place: Place,
    until: Scn,
) -> Result<RecoveryPlan, RecoveryError> {
    survey::ensure_known(tenant)?;
    noting_damage(tenant, || Ok(prepare(tenant, until, None)?.1.plan(place)))
}

/// Writes the state at `until` to the new file `path`, proven.
pub(crate) fn to_file(
    tenant: &dyn Archived,
    until: Scn,
    path: &Path,
    job: &Job,
) -> Result<RecoveryProof, RecoveryError> {
    survey::ensure_known(tenant)?;
    noting_damage(tenant, || {
        job.phase("Reading the plan", 0);
        let (_hold, prepared) = prepare(tenant, until, Some(job))?;
        let dest = tenant.destination().get()?;
        prepared.write(&dest, tenant.keys(), path, job)
    })
}

/// Chooses what to read, and holds it against cleanups until the hold is dropped.
fn prepare(
    tenant: &dyn Archived,
    until: Scn,
    job: Option<&Job>,
) -> Result<(Hold, Prepared), RecoveryError> {
    let dest = tenant.destination().get()?;
    let (hold, choice) = tenant.holds().take(|| {
        let choice = Choice::make(&tenant.history(), until)?;
        Ok::<_, RecoveryError>((claim(&choice), choice))
    })?;
    let prepared = Prepared::open(&dest, &tenant.uuid().to_string(), choice, job)?;
    Ok((hold, prepared))
}

fn claim(choice: &Choice) -> Claim {
    let head = &choice.newest().head;
    let log = choice.segments.iter().chain(&choice.next);
    let last = log.map(|it| it.name.last_txn).max().unwrap_or(head.txn);
    Claim::by("a recovery reads it")
        .sets(choice.chain.iter().map(|set| set.set_id))
        .log(head.round, head.txn, last)
}

/// What a recovery could not use is left out of the recoverable ranges from now on.
fn noting_damage<T>(
    tenant: &dyn Archived,
    work: impl FnOnce() -> Result<T, RecoveryError>,
) -> Result<T, RecoveryError> {
    let _reading = tenant.read_log();
    let done = work();
    if let Err(error) = &done {
        note(&mut tenant.history(), error);
    }
    done
}

fn note(history: &mut History, error: &RecoveryError) {
    let set = |history: &History, set: &i64| Some(history.sets.get(set)?.directory.clone());
    let name = match error {
        RecoveryError::DamagedLog { key, .. } | RecoveryError::BrokenLog { key, .. } => {
            Some(key.clone())
        }
        // Which file of the chain or the log is to blame is not known; an earlier set may still do.
        RecoveryError::DamagedSet { set: number, .. }
        | RecoveryError::NotOfThisLog { set: number, .. }
        | RecoveryError::NotProven { set: number, .. }
        | RecoveryError::PageMissing { set: number, .. } => set(history, number),
        _ => None,
    };
    if let Some(name) = name {
        history.mark_damaged(&name, error.to_string());
    }
}
