//! What the engine tells about its tenants: facts at the destination and in the files.

use crate::{
    engine::{Inner, lock},
    tenant::{Identity, Tenant},
};
use domain::{archive::ArchiveState, tenant::TenantState};
use engine::{ArchiveObservation, Observation, TenantKey, TenantObservation};
use std::path::Path;

pub(crate) fn observe(inner: &Inner) -> Observation {
    let taken = inner.clock.now();
    let mut tenants: Vec<TenantObservation> =
        inner.tenants().iter().map(|tenant| one(tenant)).collect();
    tenants.extend(
        lock(&inner.faulty)
            .iter()
            .filter_map(|(dir, why)| faulty(dir, why)),
    );
    tenants.sort_by(|a, b| a.name.cmp(&b.name));
    Observation { taken, tenants }
}

fn one(tenant: &Tenant) -> TenantObservation {
    let identity = tenant.identity();
    let status = tenant.status();
    let history = tenant.history();
    let round = history.last_round().map(|round| &round.start.base);
    let (data_bytes, log_bytes) = history.stored_bytes();
    let data_file = tenant.files.path();
    TenantObservation {
        key: TenantKey(identity.uuid.to_string()),
        name: identity.name,
        state: TenantState::Online,
        data_file: Some(data_file.display().to_string()),
        size_bytes: std::fs::metadata(data_file).map_or(0, |meta| meta.len()),
        note: note(&history.known_damage, &history.damaged),
        archive: ArchiveObservation {
            state: status.state,
            round: round.map_or(0, |base| base.round),
            started: round.map(|base| base.scn),
            checkpoint: history.checkpoint_scn(),
            host: host(),
            directory: tenant
                .destination
                .path()
                .join(tenant.keys.log())
                .display()
                .to_string(),
            note: status.note,
        },
        sets: history.usable_sets(),
        spans: history.spans(),
        data_bytes,
        log_bytes,
    }
}

fn note(known: &std::collections::BTreeMap<String, String>, damaged: &[String]) -> Option<String> {
    known.values().chain(damaged).next().cloned()
}

fn faulty(dir: &Path, why: &str) -> Option<TenantObservation> {
    let identity = Identity::read(dir).ok()?;
    Some(TenantObservation {
        key: TenantKey(identity.uuid.to_string()),
        name: identity.name,
        state: TenantState::Faulty,
        data_file: Some(dir.join("data.db").display().to_string()),
        size_bytes: 0,
        note: Some(why.to_owned()),
        archive: ArchiveObservation {
            state: ArchiveState::Interrupted,
            round: 0,
            started: None,
            checkpoint: None,
            host: host(),
            directory: String::new(),
            note: Some(why.to_owned()),
        },
        sets: Vec::new(),
        spans: Vec::new(),
        data_bytes: 0,
        log_bytes: 0,
    })
}

/// The engine archives on the host it runs on.
fn host() -> String {
    let name = rustix::system::uname();
    name.nodename().to_string_lossy().into_owned()
}
