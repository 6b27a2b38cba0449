//! Cleanup: expired sets and log go, and every promised moment stays recoverable, wherever it is interrupted.
//!
//! What goes is decided from what is at the destination, with all holds in sight, and is named there durably
//! in one step ([`Removed`]). From then on it is part of no history. Then the objects are deleted one by one,
//! and at last the names. Whoever dies between leaves names, and the next start or cleanup finishes.

use crate::{
    absent::Archived,
    cleanup_facts::{Facts, list, segment_at},
    history::History,
    holds::{Claim, Cleaning},
    job::{Canceled, Job},
    keys::TenantKeys,
    removed::{Cut, Ended, Going, Pending, Removed, is_cut},
    survey,
};
use domain::{
    Scn,
    retention::{CleanupPlan, Decision},
    second_backup::Place,
    size,
};
use std::collections::{BTreeMap, BTreeSet};
use storage::{Dest, StorageError};

/// Why a cleanup did not do all that it should.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CleanupError {
    #[error("{0}. Nothing was removed")]
    Before(StorageError),
    #[error(
        "{source}. {done}; what is left of the rest is part of no backup any more, and the next cleanup removes it"
    )]
    Between { source: StorageError, done: String },
    #[error(
        "{what} is named as removed and is read right now ({who}); the next cleanup removes it when that has ended"
    )]
    StillRead { what: String, who: String },
    #[error("{0}")]
    Canceled(#[from] Canceled),
}

/// An order to clean up one tenant at one place.
#[derive(Debug, Clone)]
pub(crate) struct CleanupOrder {
    pub(crate) token: String,
    pub(crate) keep_from: Scn,
    pub(crate) now: Scn,
}

/// What one cleanup removed; grows while it does.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tally {
    sets: u64,
    log_files: u64,
    bytes: u64,
}

impl Tally {
    fn add(&mut self, pending: &Pending) {
        self.sets += pending.sets.len() as u64;
        self.log_files += pending.log_files;
        self.bytes += pending.objects.iter().map(|it| it.bytes).sum::<u64>();
    }

    /// In words for people.
    pub(crate) fn words(&self) -> String {
        if self.bytes == 0 && self.sets + self.log_files == 0 {
            return "Nothing had expired".to_owned();
        }
        format!(
            "{} and {} removed, {}",
            counted(self.sets, "set"),
            counted(self.log_files, "log file"),
            size::bytes(self.bytes)
        )
    }
}

fn counted(count: u64, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    }
}

/// What a cleanup would do. Looks at the destination anew, and removes nothing.
pub(crate) fn plan(
    tenant: &dyn Archived,
    dest: &Dest,
    keep_from: Scn,
    place: Place,
) -> Result<CleanupPlan, StorageError> {
    survey::refresh(tenant)?;
    let _merging = tenant.holds().merging();
    let listed = list(dest, tenant.keys())?;
    let facts = tenant.holds().decide(|claims| {
        let history = tenant.history().clone();
        Facts::of(tenant, &history, &listed, claims)
    });
    let decision = facts.backups.decide(keep_from);
    Ok(facts.backups.plan(&decision, keep_from, place))
}

/// Finishes what an earlier cleanup left, then removes what has expired; tells what it did, in words.
pub(crate) fn clean(
    tenant: &dyn Archived,
    dest: &Dest,
    order: &CleanupOrder,
    job: &Job,
    cleaning: &Cleaning,
) -> Result<String, CleanupError> {
    job.phase("Looking at the backups", 0);
    survey::refresh(tenant).map_err(CleanupError::Before)?;
    let mut tally = Tally::default();
    if let Some(left) = finish(tenant, dest, job, cleaning)? {
        tally.add(&left);
    }
    job.check()?;
    mark(tenant, dest, order).map_err(|error| {
        // Whether it was named is what the destination says, when it answers again.
        let _ = survey::refresh(tenant);
        CleanupError::Before(error)
    })?;
    if let Some(removed) = finish(tenant, dest, job, cleaning)? {
        tally.add(&removed);
    }
    Ok(tally.words())
}

/// Decides, and names what goes. From then on, no history has it and nobody begins to read it.
fn mark(tenant: &dyn Archived, dest: &Dest, order: &CleanupOrder) -> Result<(), StorageError> {
    let _merging = tenant.holds().merging();
    let listed = list(dest, tenant.keys())?;
    tenant.holds().decide(|claims| {
        let history = tenant.history().clone();
        let facts = Facts::of(tenant, &history, &listed, claims);
        let decision = facts.backups.decide(order.keep_from);
        let Some(removed) = naming(&history, tenant.keys(), &facts, &decision, order) else {
            return Ok(());
        };
        removed.write(dest, tenant.keys())?;
        tenant.history().set_removed(removed);
        Ok(())
    })
}

/// What is noted for a decision; `None` when nothing goes.
fn naming(
    history: &History,
    keys: &TenantKeys,
    facts: &Facts,
    decision: &Decision,
    order: &CleanupOrder,
) -> Option<Removed> {
    let mut pending = Pending {
        token: order.token.clone(),
        decided: order.now,
        keep_from: order.keep_from,
        rounds: decision.rounds.clone(),
        ..Pending::default()
    };
    let mut removed = Removed {
        format: 1,
        greatest_round: history.next_round() - 1,
        greatest_set: history.last_set_number(),
        ..history.removed.clone()
    };
    // The newest first: what is left of an interrupted cleanup still builds on what is there.
    for (set, fate) in facts.backups.sets.iter().zip(&decision.sets).rev() {
        if fate.is_none() {
            pending.sets.push(set.id.0);
        }
    }
    for (directory, fate) in facts.directories.iter().zip(&decision.sets).rev() {
        if fate.is_none() {
            pending.objects.push(whole(facts, &keys.set(directory)));
        }
    }
    for round in &decision.rounds {
        removed.cuts.remove(round);
        pending.objects.push(whole(facts, &keys.round(*round)));
    }
    for (round, cut) in cuts(facts, decision) {
        removed.cut(round, cut);
    }
    let log = facts.log.iter().zip(&decision.log);
    pending.log_files = log.filter(|(_, fate)| fate.is_none()).count() as u64;
    name_log(keys, facts, decision, &removed, &mut pending);
    if pending.objects.is_empty() {
        return None;
    }
    removed.pending = Some(pending);
    Some(removed)
}

/// A directory that goes, with the bytes of everything in it.
fn whole(facts: &Facts, directory: &str) -> Going {
    let prefix = format!("{directory}/");
    let inside = facts.sizes.range(prefix.clone()..);
    let inside = inside.take_while(|(key, _)| key.starts_with(&prefix));
    Going {
        key: directory.to_owned(),
        is_directory: true,
        bytes: inside.map(|(_, size)| size).sum(),
    }
}

/// The stretches that go out of rounds which stay. A stretch begins behind the last file that stays, so that
/// what was missing there before is part of it.
fn cuts(facts: &Facts, decision: &Decision) -> Vec<(i64, Cut)> {
    let mut by_round: BTreeMap<i64, Vec<(u64, u64, bool)>> = BTreeMap::new();
    for (object, fate) in facts.log.iter().zip(&decision.log) {
        if object.is_sound && !decision.rounds.contains(&object.round) {
            let name = &object.info.name;
            let files = by_round.entry(object.round).or_default();
            files.push((name.first_txn, name.last_txn, fate.is_some()));
        }
    }
    let mut cuts = Vec::new();
    for (round, mut files) in by_round {
        files.sort_unstable();
        let mut stays_until = 0;
        for stretch in files.chunk_by(|a, b| a.2 == b.2) {
            let last = stretch.iter().map(|it| it.1).max().unwrap_or_default();
            if stretch[0].2 {
                stays_until = last;
            } else if last > stays_until {
                let first = stays_until + 1;
                cuts.push((round, Cut { first, last }));
            }
        }
    }
    cuts
}

/// Names the log files that go out of rounds which stay: whole pieces where nothing of them stays.
fn name_log(
    keys: &TenantKeys,
    facts: &Facts,
    decision: &Decision,
    removed: &Removed,
    pending: &mut Pending,
) {
    let stray = facts.log.iter().zip(&decision.log);
    let stray = stray.filter(|(object, fate)| !object.is_sound && fate.is_none());
    let stray: BTreeSet<&str> = stray.map(|(it, _)| it.info.key.as_str()).collect();
    let mut pieces: BTreeMap<(i64, u32), (Vec<Going>, bool)> = BTreeMap::new();
    for (key, bytes) in &facts.sizes {
        let Some((round, info)) = segment_at(key, *bytes) else {
            continue;
        };
        if decision.rounds.contains(&round) {
            continue;
        }
        let (going, stays) = pieces.entry((round, info.piece)).or_default();
        let name = &info.name;
        let goes = stray.contains(key.as_str())
            || is_cut(removed.cuts_of(round), name.first_txn, name.last_txn);
        if goes {
            going.push(Going {
                key: key.clone(),
                is_directory: false,
                bytes: *bytes,
            });
        }
        *stays |= !goes;
    }
    for ((round, piece), (mut going, stays)) in pieces {
        // The round's last file always stays, so a piece that is being written never goes as a whole.
        match stays {
            true => pending.objects.append(&mut going),
            false => pending
                .objects
                .push(whole(facts, &keys.piece(round, piece))),
        }
    }
}

/// Deletes what is named, and then the names; gives what that was. Nothing named is no error.
pub(crate) fn finish(
    tenant: &dyn Archived,
    dest: &Dest,
    job: &Job,
    _cleaning: &Cleaning,
) -> Result<Option<Pending>, CleanupError> {
    let mut removed = tenant.history().removed.clone();
    let Some(pending) = removed.pending.take() else {
        return Ok(None);
    };
    tenant
        .holds()
        .decide(|claims| check_unread(&pending, claims))?;
    let total = pending.objects.iter().map(|it| it.bytes).sum();
    job.phase("Removing", total);
    let deleted = delete_all(dest, &pending.objects, job);
    let mut tally = Tally::default();
    tally.add(&pending);
    let outcome = tally.words();
    deleted.and_then(|()| {
        removed.last = Some(Ended {
            token: pending.token.clone(),
            outcome,
        });
        let written = removed.write(dest, tenant.keys());
        written.map_err(|source| between(source, &pending.objects))
    })?;
    tenant.history().set_removed(removed);
    Ok(Some(pending))
}

/// Nobody begins to read what is named; but who began before it was, as when naming it seemed to fail, still may.
fn check_unread(pending: &Pending, claims: &[&Claim]) -> Result<(), CleanupError> {
    let still_read = |set: &i64| {
        let claim = claims.iter().find(|claim| claim.has_set(*set))?;
        Some(CleanupError::StillRead {
            what: format!("set {set}"),
            who: claim.who().to_owned(),
        })
    };
    if let Some(error) = pending.sets.iter().find_map(still_read) {
        return Err(error);
    }
    let log = pending.objects.iter().filter(|it| !it.is_directory);
    let log = log.filter_map(|it| segment_at(&it.key, 0));
    for (round, info) in log {
        let (first, last) = (info.name.first_txn, info.name.last_txn);
        if let Some(claim) = claims.iter().find(|it| it.has_log(round, first, last)) {
            return Err(CleanupError::StillRead {
                what: info.key,
                who: claim.who().to_owned(),
            });
        }
    }
    Ok(())
}

fn delete_all(dest: &Dest, objects: &[Going], job: &Job) -> Result<(), CleanupError> {
    for (number, object) in objects.iter().enumerate() {
        job.check()?;
        let deleted = match object.is_directory {
            true => dest.delete_prefix(&object.key),
            false => dest.delete(&object.key),
        };
        match deleted {
            Err(error) if !error.is_not_found() => {
                return Err(between(error, &objects[..number]));
            }
            _ => job.advance(object.bytes),
        }
    }
    job.check()?;
    Ok(())
}

fn between(source: StorageError, done: &[Going]) -> CleanupError {
    let bytes = done.iter().map(|it| it.bytes).sum();
    CleanupError::Between {
        source,
        done: format!("{} removed", size::bytes(bytes)),
    }
}

#[cfg(test)]
#[path = "cleanup_tests.rs"]
mod tests;
