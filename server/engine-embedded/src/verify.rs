//! Verification: every file of a tenant's sets and log read back and checked.

use crate::{
    absent::Archived,
    history::{History, Round},
    holds::Claim,
    removed::{self, Cut},
    segment::{Segment, SegmentError},
    set::{Pack, SetManifest, Unpacker},
    survey,
};
use engine::VerifyReport;
use std::io;
use storage::{Dest, StorageError};

/// Reads everything of `tenant` back. Faults are listed, never thrown; an unreachable destination is an error.
///
/// What is found damaged is left out of the ranges from now on, and what reads well again comes back.
pub(crate) fn verify(tenant: &dyn Archived, report: &mut VerifyReport) -> Result<(), StorageError> {
    read_everything(tenant, report)?;
    survey::refresh(tenant)
}

fn read_everything(tenant: &dyn Archived, report: &mut VerifyReport) -> Result<(), StorageError> {
    let claim = Claim::by("a verification reads it").everything();
    let held = tenant.holds().take(|| Ok::<_, StorageError>((claim, ())));
    let (_hold, ()) = held?;
    let _reading = tenant.read_log();
    let dest = tenant.destination().get()?;
    let history = History::load(&dest, tenant.keys())?;
    report.faults.extend(history.damaged.iter().cloned());
    for set in history.sets.values() {
        report.sets += 1;
        verify_set(&dest, tenant, &history, set, report)?;
    }
    for round in history.rounds.values() {
        verify_round(&dest, tenant, &history, round, report)?;
    }
    Ok(())
}

/// Tells a fault, and keeps in mind that `name`, a log file or the directory of a set, has it.
fn fault(tenant: &dyn Archived, report: &mut VerifyReport, name: &str, what: String) {
    tenant.history().mark_damaged(name, what.clone());
    report.faults.push(what);
}

fn verify_set(
    dest: &Dest,
    tenant: &dyn Archived,
    history: &History,
    set: &SetManifest,
    report: &mut VerifyReport,
) -> Result<(), StorageError> {
    let prefix = tenant.keys().set(&set.directory);
    if history.chain(set).is_none() {
        report.faults.push(format!(
            "{prefix}: the set it builds on is missing; take a full backup"
        ));
    }
    let mut is_sound = true;
    for file in &set.files {
        let key = format!("{prefix}/{}", file.name);
        let checked = check_file(dest, &key, &file.blake3, file.size, set);
        match checked {
            Ok(bytes) => report.bytes += bytes,
            Err(error) if error.is_transient() => return Err(error),
            Err(error) => {
                is_sound = false;
                fault(tenant, report, &set.directory, error.to_string());
            }
        }
    }
    if is_sound {
        tenant.history().known_damage.remove(&set.directory);
    }
    Ok(())
}

fn check_file(
    dest: &Dest,
    key: &str,
    expected: &str,
    size: u64,
    set: &SetManifest,
) -> Result<u64, StorageError> {
    let corrupt = |reason: &str| StorageError::Corrupt {
        operation: "verifying",
        what: dest.name_of(key),
        reason: reason.to_owned(),
    };
    let mut reader = dest.reader(key)?;
    let mut hasher = blake3::Hasher::new();
    let bytes = io::copy(&mut reader, &mut hasher)
        .map_err(|error| StorageError::from_io("verifying", key, error))?;
    if bytes != size || hasher.finalize().to_hex().as_str() != expected {
        return Err(corrupt("its size or checksum is not the one in set.json"));
    }
    if key.ends_with(".pack") {
        let pack = Pack::open(dest, key.to_owned(), set.page_size)?;
        let mut unpacker = Unpacker::new()?;
        for chunk in &pack.chunks {
            unpacker.read(&pack, chunk)?;
        }
    }
    Ok(bytes)
}

fn verify_round(
    dest: &Dest,
    tenant: &dyn Archived,
    history: &History,
    round: &Round,
    report: &mut VerifyReport,
) -> Result<(), StorageError> {
    let cuts = history.removed.cuts_of(round.start.base.round);
    let mut state = (0, round.start.base.history.clone());
    for info in round.segments.values() {
        report.log_files += 1;
        let segment = match read_whole(dest, &info.key) {
            Ok(segment) => segment,
            Err(SegmentError::Storage(error)) if error.is_transient() => return Err(error),
            Err(error) => {
                let what = format!("{}: {error}", dest.name_of(&info.key));
                fault(tenant, report, &info.key, what);
                continue;
            }
        };
        report.bytes += segment.bytes;
        let before = &segment.footer.before;
        // Where a cleanup removed the log in front, there is nothing to follow.
        let is_behind_cut = before.txn > state.0 && removed::is_cut(cuts, state.0 + 1, before.txn);
        if is_behind_cut || (before.txn, &before.history) == (state.0, &state.1) {
            tenant.history().known_damage.remove(&info.key);
        } else {
            report.faults.push(format!(
                "{}: it does not follow the log file before it; log in front of it is missing",
                dest.name_of(&info.key)
            ));
        }
        state = (
            segment.footer.after.txn,
            segment.footer.after.history.clone(),
        );
    }
    report
        .faults
        .extend(missing_end(dest, tenant, round, cuts, state.0));
    Ok(())
}

fn read_whole(dest: &Dest, key: &str) -> Result<Segment, SegmentError> {
    let segment = Segment::open(dest, key)?;
    segment.frames(|_| true, |_, _, _| Ok::<(), SegmentError>(()))?;
    Ok(segment)
}

/// The log ends before what its checkpoint or its end says was durable: the last log files are missing.
fn missing_end(
    dest: &Dest,
    tenant: &dyn Archived,
    round: &Round,
    cuts: &[Cut],
    last_txn: u64,
) -> Option<String> {
    let checkpoint = round.checkpoint.as_ref().map(|it| it.head.txn);
    let end = round.end.as_ref().map(|end| end.txn);
    let durable = checkpoint.max(end).unwrap_or(0);
    let is_missing = durable > last_txn && !removed::is_cut(cuts, last_txn + 1, durable);
    is_missing.then(|| {
        format!(
            "{}: the log ends with commit {last_txn}, though commit {durable} was there; its last log files are missing",
            dest.name_of(&tenant.keys().round(round.start.base.round))
        )
    })
}
