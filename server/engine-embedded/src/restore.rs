//! Recovery of a tenant's history, with what reading it teaches about damage kept in mind.

use crate::{
    choice::Choice,
    job::Job,
    recovery::{Prepared, RecoveryError},
    tenant::Tenant,
};
use domain::{
    Scn,
    recovery::{RecoveryPlan, RecoveryProof},
};
use std::path::Path;

/// What a recovery to `until` would read and reach.
pub(crate) fn plan(tenant: &Tenant, until: Scn) -> Result<RecoveryPlan, RecoveryError> {
    noting_damage(tenant, || Ok(prepare(tenant, until, None)?.plan()))
}

/// Writes the state at `until` to the new file `path`, proven.
pub(crate) fn to_file(
    tenant: &Tenant,
    until: Scn,
    path: &Path,
    job: &Job,
) -> Result<RecoveryProof, RecoveryError> {
    noting_damage(tenant, || {
        job.phase("Reading the plan", 0);
        let prepared = prepare(tenant, until, Some(job))?;
        let dest = tenant.destination.get()?;
        prepared.write(&dest, &tenant.keys, path, job)
    })
}

fn prepare(tenant: &Tenant, until: Scn, job: Option<&Job>) -> Result<Prepared, RecoveryError> {
    let dest = tenant.destination.get()?;
    let choice = Choice::make(&tenant.history(), until)?;
    Prepared::open(&dest, &tenant.uuid().to_string(), choice, job)
}

/// A file found damaged is left out of the recoverable ranges from now on.
fn noting_damage<T>(
    tenant: &Tenant,
    work: impl FnOnce() -> Result<T, RecoveryError>,
) -> Result<T, RecoveryError> {
    let _reading = tenant.read_log();
    let done = work();
    let mut history = tenant.history();
    match &done {
        Err(RecoveryError::DamagedLog { key, source, .. }) => {
            history.mark_damaged(key, source.to_string());
        }
        Err(RecoveryError::DamagedSet { source, set }) => {
            if let Some(directory) = history.sets.get(set).map(|set| set.directory.clone()) {
                history.mark_damaged(&directory, source.to_string());
            }
        }
        _ => {}
    }
    drop(history);
    done
}
