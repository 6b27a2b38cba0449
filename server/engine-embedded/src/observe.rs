//! What the engine tells about its tenants: facts at the destination and in the files.

use crate::{
    absent::{Absence, Absent, Archived},
    history::History,
    registry::Inner,
    second::Second,
    tenant::{ArchiveStatus, Tenant},
};
use domain::{archive::ArchiveState, tenant::TenantState};
use engine::{ArchiveObservation, Observation, TenantKey, TenantObservation};
use std::path::Path;
use uuid::Uuid;

pub(crate) fn observe(inner: &Inner) -> Observation {
    let taken = inner.clock.now();
    // Asked first: a tenant found meanwhile is among them already.
    let second = inner.second();
    let complete = inner.is_surveyed() && second.as_ref().is_none_or(|second| second.is_listed());
    let mut tenants: Vec<TenantObservation> = inner
        .tenants()
        .iter()
        .map(|tenant| online(tenant))
        .collect();
    tenants.extend(inner.absent().iter().map(|tenant| absent(tenant)));
    if let Some(second) = second {
        for seen in &mut tenants {
            add_second(&second, seen);
        }
    }
    tenants.sort_by(|a, b| (&a.name, &a.key).cmp(&(&b.name, &b.key)));
    Observation {
        taken,
        complete,
        tenants,
        storages: inner.storages.states(&inner.destinations(), taken),
        clock_back_ns: inner.watched.back_ns(),
        drift: Vec::new(),
    }
}

/// Adds what is at the second destination of a tenant.
fn add_second(second: &Second, seen: &mut TenantObservation) {
    let Ok(uuid) = Uuid::parse_str(&seen.key.0) else {
        return;
    };
    seen.second = Some(second.observed(uuid));
    if seen.note.is_none() {
        let copy = second.known(uuid);
        let found = copy.and_then(|copy| damage(&copy.history()));
        seen.note = found.map(|damage| format!("the second copy: {damage}"));
    }
}

/// What a tenant is besides its backups.
struct Presence<'a> {
    state: TenantState,
    data_file: Option<&'a Path>,
    note: Option<String>,
    archive: ArchiveStatus,
}

fn online(tenant: &Tenant) -> TenantObservation {
    let presence = Presence {
        state: TenantState::Online,
        data_file: Some(tenant.files.path()),
        note: None,
        archive: tenant.status(),
    };
    one(tenant, presence)
}

fn absent(tenant: &Absent) -> TenantObservation {
    let (state, archive) = match tenant.absence {
        Absence::Faulty { .. } => (TenantState::Faulty, ArchiveState::Interrupted),
        Absence::Gone { .. } => (TenantState::Offline, ArchiveState::Stop),
    };
    let (data_file, note) = (tenant.data_file(), Some(tenant.note()));
    let presence = Presence {
        state,
        data_file: data_file.as_deref(),
        note: note.clone(),
        archive: ArchiveStatus {
            state: archive,
            note,
        },
    };
    one(tenant, presence)
}

fn one(tenant: &dyn Archived, presence: Presence<'_>) -> TenantObservation {
    let (key, name) = (TenantKey(tenant.uuid().to_string()), tenant.name());
    let log = tenant.destination().path().join(tenant.keys().log());
    let history = tenant.history();
    let round = history.last_round().map(|round| &round.start.base);
    let (data_bytes, log_bytes) = history.stored_bytes();
    let size = |path: &Path| std::fs::metadata(path).map_or(0, |meta| meta.len());
    TenantObservation {
        key,
        name,
        state: presence.state,
        data_file: presence.data_file.map(|path| path.display().to_string()),
        size_bytes: presence.data_file.map_or(0, size),
        note: presence.note.or_else(|| damage(&history)),
        archive: ArchiveObservation {
            state: presence.archive.state,
            round: round.map_or(0, |base| base.round),
            started: round.map(|base| base.scn),
            checkpoint: history.checkpoint_scn(),
            host: host(),
            directory: log.display().to_string(),
            note: presence.archive.note,
        },
        history_known: history.known,
        sets: history.usable_sets(),
        spans: history.spans(),
        data_bytes,
        log_bytes,
        second: None,
    }
}

fn damage(history: &History) -> Option<String> {
    let known = history.known_damage.values();
    known.chain(&history.damaged).next().cloned()
}

/// The engine archives on the host it runs on.
fn host() -> String {
    let name = rustix::system::uname();
    name.nodename().to_string_lossy().into_owned()
}
