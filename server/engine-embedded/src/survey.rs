//! Looking at the destination anew: what is known of each tenant's backups follows what is there, in
//! both directions, and tenants of which only backups are left are found.

use crate::{
    absent::{Absence, Absent, Archived},
    cleanup_orders, found,
    history::{History, Round},
    keys::TenantKeys,
    registry::Inner,
    set::SetManifest,
};
use serde::Deserialize;
use std::{
    collections::HashMap,
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use storage::{Dest, StorageError};
use tokio::task::spawn_blocking;
use uuid::Uuid;

/// How often the destination is listed to notice files that came or went without the engine.
const LIST_PAUSE: Duration = Duration::from_secs(30);
/// How often it is tried while it was never read.
const FIRST_LIST_PAUSE: Duration = Duration::from_secs(1);

/// Looks again and again until the engine is gone.
pub(crate) async fn run(inner: Weak<Inner>) {
    let resumed = Arc::new(AtomicBool::new(false));
    let mut wait = Duration::ZERO;
    loop {
        let Some(soon) = inner.upgrade().map(|inner| Arc::clone(&inner.look_soon)) else {
            return;
        };
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = soon.notified() => {}
        }
        drop(soon);
        let Some(inner) = inner.upgrade().filter(|inner| !inner.is_closed()) else {
            return;
        };
        let (looking, done, is_first) = (Arc::clone(&inner), Arc::clone(&resumed), wait.is_zero());
        // A destination out of reach changes nothing here; the archivers tell about it.
        let _ = spawn_blocking(move || {
            // The first look was taken when the engine was opened.
            if !is_first {
                look(&looking);
            }
            // Only what an earlier process left: what was stopped since waits for the next cleanup.
            if !done.load(Ordering::Relaxed) {
                let all = cleanup_orders::resume(&looking, looking.archived_tenants());
                done.store(all, Ordering::Relaxed);
            }
        })
        .await;
        wait = pause(&inner);
    }
}

fn pause(inner: &Inner) -> Duration {
    let known = |tenant: &Arc<dyn Archived>| tenant.history().known;
    let tenants = inner.archived_tenants();
    let second = inner.second();
    let is_second_known = second.is_none_or(|second| second.is_known(&tenants));
    match inner.is_surveyed() && tenants.iter().all(known) && is_second_known {
        true => LIST_PAUSE,
        false => FIRST_LIST_PAUSE,
    }
}

/// The first look, at what no archiver reads.
pub(crate) fn first(inner: &Arc<Inner>) {
    for absent in inner.absent() {
        if let Err(error) = ensure_known(&*absent) {
            tracing::warn!(tenant = %absent.name(), %error, "what is durable could not be read yet");
        }
    }
    if let Err(error) = find_gone(inner) {
        tracing::warn!(%error, "the destination could not be listed yet");
    }
    name(inner);
}

fn look(inner: &Arc<Inner>) {
    for tenant in inner.archived_tenants() {
        if let Err(error) = refresh(&*tenant) {
            tracing::debug!(tenant = %tenant.name(), %error, "its backups could not be listed");
        }
    }
    if let Err(error) = find_gone(inner) {
        tracing::debug!(%error, "the destination could not be listed");
    }
    look_at_second(inner);
    name(inner);
}

/// A destination that cannot be written can still be recovered from.
fn name(inner: &Inner) {
    if let Err(error) = found::name_cluster(inner) {
        tracing::debug!(%error, "the cluster's name could not be written to the destination");
    }
}

/// Reads a tenant's history if that was not possible before.
pub(crate) fn ensure_known(tenant: &dyn Archived) -> Result<(), StorageError> {
    let is_known = tenant.history().known;
    if is_known {
        return Ok(());
    }
    refresh(tenant)
}

/// Makes what is known of a tenant's backups equal to what is at the destination.
pub(crate) fn refresh(tenant: &dyn Archived) -> Result<(), StorageError> {
    // Parts that are merged meanwhile stay until the list is compared.
    let _reading = tenant.read_log();
    let before = tenant.history().clone();
    let dest = tenant.destination().get()?;
    let mut listed = History::load(&dest, tenant.keys())?;
    // A disk that went away during the look leaves an empty directory, which says nothing.
    dest.check()?;
    let mut history = tenant.history();
    listed.take_over(&before, &history);
    *history = listed;
    Ok(())
}

/// Leaves out sets of which a file is missing or too short, with a note: their manifest says what they need.
pub(crate) fn leave_out_incomplete(
    history: &mut History,
    dest: &Dest,
    keys: &TenantKeys,
) -> Result<(), StorageError> {
    let files = dest.list(&keys.data())?;
    let sizes: HashMap<String, u64> = files
        .into_iter()
        .map(|file| (file.key, file.size))
        .collect();
    for (number, set) in std::mem::take(&mut history.sets) {
        match lacking(&set, keys, &sizes) {
            None => {
                history.sets.insert(number, set);
            }
            Some((key, what)) => history.damaged.push(format!(
                "backup set {number} cannot be used: {} {what}; put the file back, or take a new full backup",
                dest.name_of(&key)
            )),
        }
    }
    Ok(())
}

fn lacking(
    set: &SetManifest,
    keys: &TenantKeys,
    sizes: &HashMap<String, u64>,
) -> Option<(String, String)> {
    let prefix = keys.set(&set.directory);
    set.files.iter().find_map(|file| {
        let key = format!("{prefix}/{}", file.name);
        match sizes.get(&key) {
            None => Some((key, "is missing".to_owned())),
            Some(size) if *size != file.size => {
                let what = format!("has {size} bytes instead of {}", file.size);
                Some((key, what))
            }
            Some(_) => None,
        }
    })
}

/// Finds tenants of this cluster that have backups at the destination and no files here.
pub(crate) fn find_gone(inner: &Arc<Inner>) -> Result<(), StorageError> {
    let dest = inner.destination.get()?;
    let cluster = inner.cluster();
    for directory in dest.list_dirs(&cluster.to_string())? {
        let Ok(uuid) = Uuid::parse_str(&directory) else {
            continue;
        };
        // A tenant is in service before anything of it is at the destination.
        if inner.has(uuid) {
            continue;
        }
        let keys = TenantKeys::new(cluster, uuid);
        let history = History::load(&dest, &keys)?;
        if is_empty(&history) {
            continue;
        }
        let name = name_of(&dest, &keys, &history, uuid);
        note_gone(inner, (uuid, name), history);
    }
    inner.drop_forgotten(|absent| {
        let history = absent.history();
        matches!(absent.absence, Absence::Gone { .. })
            && is_empty(&history)
            && !has_second(inner, absent.uuid())
    });
    dest.check()?;
    inner.set_surveyed();
    Ok(())
}

fn note_gone(inner: &Arc<Inner>, (uuid, name): (Uuid, String), history: History) {
    let absence = Absence::Gone {
        hint: inner.nameless_directory(&name),
    };
    tracing::warn!(tenant = %name, %uuid, "only the backups of this tenant are left");
    let destination = Arc::clone(&inner.destination);
    inner.note_absent(Absent::new(
        (uuid, name),
        inner.cluster(),
        destination,
        history,
        absence,
    ));
}

/// Whether a tenant has something at the second destination.
fn has_second(inner: &Inner, uuid: Uuid) -> bool {
    let copy = inner.second().and_then(|second| second.known(uuid));
    copy.is_some_and(|copy| !is_empty(&copy.history()))
}

/// Looks at the second destination, where one is used; also for tenants of which nothing else is left.
pub(crate) fn look_at_second(inner: &Arc<Inner>) {
    let Some(second) = inner.second() else {
        return;
    };
    if let Err(error) = second.look(&inner.archived_tenants()) {
        tracing::debug!(%error, "the second destination could not be listed");
        return;
    }
    second.resume_once(|copies| cleanup_orders::resume(inner, copies));
    for copy in second.copies() {
        if !inner.has(copy.uuid()) && !is_empty(&copy.history()) {
            note_gone(inner, (copy.uuid(), copy.name()), History::default());
        }
    }
}

/// Whether nothing tells that there ever was a backup.
fn is_empty(history: &History) -> bool {
    let segments = |round: &Round| round.segments.len();
    history.sets.is_empty()
        && history.damaged.is_empty()
        && history.rounds.values().map(segments).sum::<usize>() == 0
}

/// The name of a tenant of which only backups are left.
pub(crate) fn name_of(dest: &Dest, keys: &TenantKeys, history: &History, uuid: Uuid) -> String {
    name_at(dest, keys, history).unwrap_or_else(|| unnamed(uuid))
}

/// What the destination calls a tenant: by its identity, else by its newest set.
pub(crate) fn name_at(dest: &Dest, keys: &TenantKeys, history: &History) -> Option<String> {
    #[derive(Deserialize)]
    struct Named {
        name: String,
    }
    let identity: Result<Named, StorageError> = dest.get_manifest(&keys.identity());
    let by_set = || Some(history.sets.values().next_back()?.tenant_name.clone());
    let name = identity.ok().map(|found| found.name).or_else(by_set)?;
    domain::validate::name("tenant", &name).ok()
}

fn unnamed(uuid: Uuid) -> String {
    let digits: String = uuid.simple().to_string().chars().take(8).collect();
    format!("unnamed_{digits}")
}
