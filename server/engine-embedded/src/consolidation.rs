//! Consolidation: many small segments of a past minute become one, and every commit stays.
//!
//! Without it a busy tenant would leave a hundred thousand objects a day. The merged segment is
//! published first and the parts are deleted after; whoever dies between leaves both, and the
//! parts count as covered.

use crate::{
    absent::Archived,
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
    let _merging = tenant.holds.merging();
    let parts = {
        let history = tenant.history();
        let Some(round) = history.rounds.get(&round) else {
            return Ok(());
        };
        parts_to_merge(round, now)
    };
    if parts.len() >= PARTS_MIN
        && let Some(merged) = merge(tenant, dest, round, &parts)?
    {
        tenant.history().add_segment(round, merged);
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

/// Merges `parts`; `None` when one of them does not read, which is noted and ends its run.
fn merge(
    tenant: &Tenant,
    dest: &Dest,
    round: i64,
    parts: &[SegmentInfo],
) -> Result<Option<SegmentInfo>, SegmentError> {
    let mut opened = Vec::with_capacity(parts.len());
    for part in parts {
        let Some(segment) = open_sound(tenant, dest, &part.key)? else {
            return Ok(None);
        };
        opened.push(segment);
    }
    let (first, last) = (&parts[0], &parts[parts.len() - 1]);
    let name = SegmentName {
        first_txn: first.name.first_txn,
        last_txn: last.name.last_txn,
        first_scn: first.name.first_scn,
        until: last.name.until,
    };
    let key = tenant.keys.segment(round, first.piece, &name.file());
    let heads = (
        &opened[0].footer.before,
        &opened[opened.len() - 1].footer.after,
    );
    let write = || segment_writer::merge(dest, &key, &opened);
    let (bytes, _) = segment_writer::write_once(dest, &key, heads, write)?;
    Ok(Some(SegmentInfo {
        key,
        name,
        piece: first.piece,
        bytes,
    }))
}

/// Opens a segment; one that is damaged or gone is noted as such and left out from now on.
fn open_sound(
    tenant: &dyn Archived,
    dest: &Dest,
    key: &str,
) -> Result<Option<Segment>, SegmentError> {
    match Segment::open(dest, key) {
        Ok(segment) => Ok(Some(segment)),
        Err(SegmentError::Storage(error)) if error.is_transient() => Err(error.into()),
        Err(error) => {
            tenant.history().mark_damaged(key, error.to_string());
            Ok(None)
        }
    }
}

/// Deletes parts that a merged segment holds, as soon as no recovery or verification reads.
///
/// Names alone prove nothing, since anybody can copy or rename a file; so what is deleted was read and compared.
pub(crate) fn delete_covered(tenant: &dyn Archived, dest: &Dest) -> Result<(), SegmentError> {
    let covered = tenant.history().covered();
    let mut held = Vec::new();
    for (whole, parts) in &covered {
        held.append(&mut held_parts(tenant, dest, whole, parts)?);
    }
    let Some(_nobody_reads) = tenant.nobody_reads() else {
        return Ok(());
    };
    for part in held {
        match dest.delete(&part) {
            Err(error) if !error.is_not_found() => return Err(error.into()),
            _ => tenant.history().forget_covered(&part),
        }
    }
    Ok(())
}

/// Those of `parts` whose every commit is in the segment `whole` too.
fn held_parts(
    tenant: &dyn Archived,
    dest: &Dest,
    whole: &str,
    parts: &[String],
) -> Result<Vec<String>, SegmentError> {
    let mut held = Vec::new();
    let Some(segment) = open_sound(tenant, dest, whole)? else {
        return Ok(held);
    };
    for part in parts {
        match Segment::open(dest, part) {
            Ok(opened) if segment.holds(&opened) => held.push(part.clone()),
            Ok(_) => {
                let what = format!("{part}: it is not the same log as {whole}, which covers it");
                tenant.history().mark_damaged(part, what);
            }
            Err(SegmentError::Storage(error)) if error.is_transient() => return Err(error.into()),
            // It is of no use any more, and the whole is sound.
            Err(_) => held.push(part.clone()),
        }
    }
    Ok(held)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{publisher::publish_stretch, round::load, testing::Bench};
    use std::sync::atomic::{AtomicBool, Ordering};

    /// A tenant with `count` segments of one commit each, the first one of two.
    fn bench_with_segments(count: u32) -> Bench {
        let bench = Bench::new();
        let mut follower = bench.follow();
        for _ in 0..count {
            let stretch = bench.stretch(&mut follower, 1);
            publish_stretch(&bench.tenant, &bench.dest(), &stretch).unwrap();
        }
        bench
    }

    fn later(minutes: u64) -> Scn {
        Scn(2_000_000_000 * NS_PER_SECOND).plus_ns(minutes * WINDOW_NS)
    }

    fn transactions(bench: &Bench) -> Vec<(u64, u64)> {
        let history = bench.tenant.history();
        let names = history.rounds[&1].segments.values();
        names
            .map(|it| (it.name.first_txn, it.name.last_txn))
            .collect()
    }

    #[test]
    fn small_segments_become_one_and_their_parts_go() {
        let bench = bench_with_segments(5);
        consolidate(&bench.tenant, &bench.dest(), 1, later(0)).unwrap();
        assert_eq!(bench.segment_keys().len(), 1);
        assert_eq!(transactions(&bench), [(1, 6)]);
        load(&bench.tenant).unwrap();
        assert_eq!(transactions(&bench), [(1, 6)]);
    }

    #[test]
    fn a_copy_with_a_name_that_covers_others_deletes_none_of_them() {
        let bench = bench_with_segments(3);
        let genuine = bench.segment_keys();
        let name = SegmentName {
            first_txn: 1,
            last_txn: 4,
            first_scn: Scn(5),
            until: Scn(6),
        };
        let copy = bench.tenant.keys.segment(1, 1, &name.file());
        let bytes = bench.dest().get(&genuine[0]).unwrap();
        bench.overwrite(&copy, &bytes);
        load(&bench.tenant).unwrap();
        consolidate(&bench.tenant, &bench.dest(), 1, Scn::ZERO).unwrap();
        for key in &genuine {
            assert!(bench.dest().exists(key).unwrap(), "{key} is still there");
        }
        assert_eq!(transactions(&bench), [(1, 2), (3, 3), (4, 4)]);
        let known = &bench.tenant.history().known_damage;
        assert!(
            known[&copy].contains("not the log file that its name says"),
            "{known:?}"
        );
    }

    #[test]
    fn log_that_a_listing_found_before_it_was_noted_is_not_deleted_as_a_part_of_itself() {
        let bench = bench_with_segments(3);
        let there = bench.segment_keys();
        load(&bench.tenant).unwrap();
        for number in [1, 3] {
            let listed = bench.tenant.history().rounds[&1].segments[&number].clone();
            bench.tenant.history().add_segment(1, listed);
        }
        consolidate(&bench.tenant, &bench.dest(), 1, Scn::ZERO).unwrap();
        assert_eq!(bench.segment_keys(), there);
        assert_eq!(transactions(&bench), [(1, 2), (3, 3), (4, 4)]);
        load(&bench.tenant).unwrap();
        assert_eq!(transactions(&bench), [(1, 2), (3, 3), (4, 4)]);
    }

    #[test]
    fn publishing_merging_and_looking_at_the_same_time_lose_no_commit() {
        let bench = Bench::new();
        let mut follower = bench.follow();
        let done = AtomicBool::new(false);
        let is_done = || done.load(Ordering::Acquire);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !is_done() {
                    load(&bench.tenant).unwrap();
                }
            });
            scope.spawn(|| {
                while !is_done() {
                    consolidate(&bench.tenant, &bench.dest(), 1, later(0)).unwrap();
                }
            });
            let publishing = scope.spawn(|| {
                for _ in 0..150 {
                    let stretch = bench.stretch(&mut follower, 1);
                    publish_stretch(&bench.tenant, &bench.dest(), &stretch).unwrap();
                }
            });
            let published = publishing.join();
            done.store(true, Ordering::Release);
            published.unwrap();
        });
        for look in ["as it was noted", "as it is listed"] {
            let history = bench.tenant.history().clone();
            let runs = history.runs(&history.rounds[&1]);
            assert_eq!((runs.len(), runs[0].last_txn), (1, 151), "{look}");
            load(&bench.tenant).unwrap();
        }
    }

    #[test]
    fn a_part_that_does_not_read_is_left_out_and_the_others_are_merged() {
        let bench = bench_with_segments(6);
        let damaged = bench.segment_keys()[1].clone();
        bench.overwrite(&damaged, b"nothing");
        for _ in 0..2 {
            consolidate(&bench.tenant, &bench.dest(), 1, later(0)).unwrap();
        }
        assert_eq!(transactions(&bench), [(1, 2), (4, 7)]);
        assert!(bench.dest().exists(&damaged).unwrap());
    }

    #[test]
    fn a_merged_segment_that_was_damaged_is_written_again() {
        let bench = bench_with_segments(4);
        let parts: Vec<SegmentInfo> = {
            let history = bench.tenant.history();
            history.rounds[&1].segments.values().cloned().collect()
        };
        let merged = merge(&bench.tenant, &bench.dest(), 1, &parts)
            .unwrap()
            .unwrap();
        bench.overwrite(&merged.key, b"nothing");
        load(&bench.tenant).unwrap();
        for _ in 0..2 {
            consolidate(&bench.tenant, &bench.dest(), 1, later(0)).unwrap();
        }
        assert_eq!(bench.segment_keys(), [merged.key]);
        assert_eq!(transactions(&bench), [(1, 5)]);
    }
}
