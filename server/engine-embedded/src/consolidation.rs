//! Consolidation: many small segments of a past minute become one, and every commit stays.
//!
//! Without it a busy tenant would leave a hundred thousand objects a day. The merged segment is
//! published first and the parts are deleted after; whoever dies between leaves both, and the
//! parts count as covered.

use crate::{
    history::{Round, SegmentInfo},
    segment::{Segment, SegmentError, SegmentName},
    segment_writer,
    tenant::Tenant,
};
use domain::{Scn, scn::NS_PER_SECOND};
use storage::Dest;

/// Time whose segments become one.
const WINDOW_NS: u64 = 60 * NS_PER_SECOND;
/// Fewer parts are not worth the work.
const PARTS_MIN: usize = 4;
/// Parts of one merge, at most.
const PARTS_MAX: usize = 200;
/// Bytes of a merged segment, near enough.
const MERGED_BYTES_MAX: u64 = 64 << 20;

/// Merges what `round` has left small in the minutes before `now`, once; deletes parts unless somebody reads.
pub(crate) fn consolidate(
    tenant: &Tenant,
    dest: &Dest,
    round: i64,
    now: Scn,
) -> Result<(), SegmentError> {
    let parts = {
        let history = tenant.history();
        let Some(round) = history.rounds.get(&round) else {
            return Ok(());
        };
        parts_to_merge(round, now)
    };
    if parts.len() >= PARTS_MIN {
        let merged = merge(tenant, dest, round, &parts)?;
        let mut history = tenant.history();
        if let Some(round) = history.rounds.get_mut(&round) {
            for part in &parts {
                round.segments.remove(&part.name.first_txn);
            }
            round.segments.insert(merged.name.first_txn, merged);
        }
        history
            .covered
            .extend(parts.into_iter().map(|part| part.key));
    }
    delete_covered(tenant, dest)
}

/// The oldest run of small segments that end in one minute before the present one.
fn parts_to_merge(round: &Round, now: Scn) -> Vec<SegmentInfo> {
    let minute = |segment: &SegmentInfo| segment.name.until.0 / WINDOW_NS;
    let mut parts: Vec<SegmentInfo> = Vec::new();
    let mut bytes = 0;
    for segment in round.segments.values() {
        if minute(segment) >= now.0 / WINDOW_NS {
            break;
        }
        let continues = parts.last().is_some_and(|last| {
            minute(last) == minute(segment)
                && last.piece == segment.piece
                && last.name.last_txn + 1 == segment.name.first_txn
                && bytes + segment.bytes <= MERGED_BYTES_MAX
                && parts.len() < PARTS_MAX
        });
        if !continues {
            if parts.len() >= PARTS_MIN {
                break;
            }
            parts.clear();
            bytes = 0;
        }
        bytes += segment.bytes;
        parts.push(segment.clone());
    }
    if parts.len() >= PARTS_MIN {
        parts
    } else {
        Vec::new()
    }
}

fn merge(
    tenant: &Tenant,
    dest: &Dest,
    round: i64,
    parts: &[SegmentInfo],
) -> Result<SegmentInfo, SegmentError> {
    let opened: Result<Vec<Segment>, SegmentError> = parts
        .iter()
        .map(|part| Segment::open(dest, &part.key))
        .collect();
    let (first, last) = (&parts[0], &parts[parts.len() - 1]);
    let name = SegmentName {
        first_txn: first.name.first_txn,
        last_txn: last.name.last_txn,
        first_scn: first.name.first_scn,
        until: last.name.until,
    };
    let key = tenant.keys.segment(round, first.piece, &name.file());
    let bytes = segment_writer::merge(dest, &key, &opened?)?;
    Ok(SegmentInfo {
        key,
        name,
        piece: first.piece,
        bytes,
    })
}

/// Deletes parts that a merged segment covers, as soon as no recovery or verification reads.
pub(crate) fn delete_covered(tenant: &Tenant, dest: &Dest) -> Result<(), SegmentError> {
    let Ok(_nobody_reads) = tenant.reading.try_write() else {
        return Ok(());
    };
    let covered = std::mem::take(&mut tenant.history().covered);
    for (index, key) in covered.iter().enumerate() {
        match dest.delete(key) {
            Err(error) if !error.is_not_found() => {
                tenant
                    .history()
                    .covered
                    .extend(covered[index..].iter().cloned());
                return Err(error.into());
            }
            _ => {}
        }
    }
    Ok(())
}
