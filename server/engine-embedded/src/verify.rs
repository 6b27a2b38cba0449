//! Verification: every file of a tenant's sets and log read back and checked.

use crate::{
    history::History,
    segment::{Segment, SegmentError},
    set::{Pack, SetManifest, Unpacker},
    tenant::Tenant,
};
use engine::VerifyReport;
use std::io;
use storage::{Dest, StorageError};

/// Reads everything of `tenant` back. Faults are listed, never thrown; an unreachable destination is an error.
pub(crate) fn verify(tenant: &Tenant, report: &mut VerifyReport) -> Result<(), StorageError> {
    let _reading = tenant.read_log();
    let dest = tenant.destination.get()?;
    let history = History::load(&dest, &tenant.keys)?;
    report.faults.extend(history.damaged.iter().cloned());
    for set in history.sets.values() {
        report.sets += 1;
        verify_set(&dest, tenant, &history, set, report)?;
    }
    verify_log(&dest, tenant, &history, report)
}

fn verify_set(
    dest: &Dest,
    tenant: &Tenant,
    history: &History,
    set: &SetManifest,
    report: &mut VerifyReport,
) -> Result<(), StorageError> {
    let prefix = tenant.keys.set(&set.directory);
    if history.chain(set).is_none() {
        report.faults.push(format!(
            "{prefix}: the set it builds on is missing; take a full backup"
        ));
    }
    for file in &set.files {
        let key = format!("{prefix}/{}", file.name);
        let checked = check_file(dest, &key, &file.blake3, file.size, set);
        match checked {
            Ok(bytes) => report.bytes += bytes,
            Err(error) if error.is_transient() => return Err(error),
            Err(error) => {
                report.faults.push(error.to_string());
                tenant
                    .history()
                    .mark_damaged(&set.directory, error.to_string());
            }
        }
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

fn verify_log(
    dest: &Dest,
    tenant: &Tenant,
    history: &History,
    report: &mut VerifyReport,
) -> Result<(), StorageError> {
    for round in history.rounds.values() {
        let mut state = (0, round.start.base.history.clone());
        for info in round.segments.values() {
            report.log_files += 1;
            let segment = match Segment::open(dest, &info.key) {
                Ok(segment) => segment,
                Err(SegmentError::Storage(error)) if error.is_transient() => return Err(error),
                Err(error) => {
                    report
                        .faults
                        .push(format!("{}: {error}", dest.name_of(&info.key)));
                    tenant.history().mark_damaged(&info.key, error.to_string());
                    continue;
                }
            };
            report.bytes += segment.bytes;
            if let Err(error) = segment.frames(|_| true, |_, _, _| Ok(())) {
                report.faults.push(error.to_string());
            }
            let before = &segment.footer.before;
            if (before.txn, &before.history) != (state.0, &state.1) {
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
    }
    Ok(())
}
