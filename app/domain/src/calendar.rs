//! The week of the Available Recovery Period: seven lanes, each a row of water levels.

use crate::{Scn, recoverable::RecoverableRange};
use serde::{Deserialize, Serialize};

/// Days shown at once.
pub const DAYS: usize = 7;

/// Part of a lane with one water level: how many tenants are recoverable in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Level {
    /// First moment of the part.
    pub from: Scn,
    /// End of the part, exclusive.
    pub to: Scn,
    /// Tenants recoverable at every moment of it.
    pub tenants: u32,
}

/// One day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lane {
    /// The day's first moment.
    pub start: Scn,
    /// The next day's first moment. 23 or 25 hours later where clocks change.
    pub end: Scn,
    /// The whole day without holes, ascending; neighbours differ.
    pub levels: Vec<Level>,
}

/// The seven lanes between `bounds`, eight ascending midnights in the viewer's zone.
/// `tenants` has the recoverable ranges of each tenant shown.
pub fn week(bounds: &[Scn; DAYS + 1], tenants: &[Vec<RecoverableRange>]) -> Vec<Lane> {
    bounds
        .windows(2)
        .map(|day| Lane {
            start: day[0],
            end: day[1],
            levels: levels(day[0], day[1], tenants),
        })
        .collect()
}

fn levels(start: Scn, end: Scn, tenants: &[Vec<RecoverableRange>]) -> Vec<Level> {
    // +1 where a range begins, -1 behind where it ends; then walk the changes in order.
    let mut changes: Vec<(Scn, i64)> = Vec::new();
    for range in tenants.iter().flatten() {
        let (from, to) = (
            range.start.max(start),
            Scn(range.end.0.saturating_add(1)).min(end),
        );
        if from < to {
            changes.push((from, 1));
            changes.push((to, -1));
        }
    }
    changes.sort_unstable();
    let mut levels: Vec<Level> = Vec::new();
    let (mut at, mut count) = (start, 0i64);
    for (moment, change) in changes.into_iter().chain([(end, 0)]) {
        if at < moment {
            push(
                &mut levels,
                Level {
                    from: at,
                    to: moment,
                    tenants: u32::try_from(count).unwrap_or(0),
                },
            );
            at = moment;
        }
        count += change;
    }
    levels
}

fn push(levels: &mut Vec<Level>, next: Level) {
    match levels.last_mut() {
        Some(last) if last.tenants == next.tenants => last.to = next.to,
        _ => levels.push(next),
    }
}

/// The share of the seven days, up to `until`, in which all `tenants` are recoverable, in thousandths.
/// Of no tenants nothing is recoverable.
pub fn full_share_permille(lanes: &[Lane], tenants: u32, until: Scn) -> u32 {
    let (mut full, mut all) = (0u128, 0u128);
    for level in lanes.iter().flat_map(|lane| &lane.levels) {
        let length = u128::from(level.to.min(until).since_ns(level.from));
        all += length;
        if tenants > 0 && level.tenants == tenants {
            full += length;
        }
    }
    let permille = (full * 1000).checked_div(all).unwrap_or(0);
    u32::try_from(permille).unwrap_or(1000)
}

/// The share of the time from `start` until `end`, exclusive, that can be recovered, over all `tenants`, in thousandths.
/// The ranges of a tenant ascend and do not overlap. Of no time and of no tenants nothing is recoverable.
pub fn share_permille(tenants: &[&[RecoverableRange]], start: Scn, end: Scn) -> u32 {
    let all = u128::from(end.since_ns(start)) * tenants.len() as u128;
    let inside = |range: &RecoverableRange| {
        let until = range.end.plus_ns(1).min(end);
        u128::from(until.since_ns(range.start.max(start)))
    };
    let ranges = tenants.iter().flat_map(|ranges| ranges.iter());
    let recoverable: u128 = ranges.map(inside).sum();
    let permille = (recoverable * 1000).checked_div(all).unwrap_or(0);
    u32::try_from(permille).unwrap_or(1000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_share_is_what_counting_every_moment_gives(
            edges in proptest::collection::btree_set(0_u64..60, 0..12),
            other in proptest::collection::btree_set(0_u64..60, 0..12),
            start in 0_u64..60,
            length in 0_u64..40,
        ) {
            let ranges = |edges: &std::collections::BTreeSet<u64>| {
                let edges: Vec<u64> = edges.iter().copied().collect();
                edges.chunks_exact(2).map(|two| range(two[0], two[1])).collect::<Vec<_>>()
            };
            let tenants = [ranges(&edges), ranges(&other)];
            let views: Vec<&[RecoverableRange]> = tenants.iter().map(Vec::as_slice).collect();
            let end = start + length;
            let counted = tenants.iter().flatten().map(|range| {
                (start..end).filter(|at| range.start.0 <= *at && *at <= range.end.0).count() as u64
            });
            let wanted = (counted.sum::<u64>() * 1000).checked_div(length * 2).unwrap_or(0);
            prop_assert_eq!(u64::from(share_permille(&views, Scn(start), Scn(end))), wanted);
        }
    }

    fn range(start: u64, end: u64) -> RecoverableRange {
        RecoverableRange {
            start: Scn(start),
            end: Scn(end),
        }
    }

    #[test]
    fn a_dip_is_seen_and_the_union_does_not_pretend() {
        let bounds = [0, 10, 20, 30, 40, 50, 60, 70].map(Scn);
        let lanes = week(
            &bounds,
            &[vec![range(0, 69)], vec![range(0, 12), range(17, 69)]],
        );
        let level = |from, to, tenants| Level {
            from: Scn(from),
            to: Scn(to),
            tenants,
        };
        assert_eq!(lanes[0].levels, [level(0, 10, 2)]);
        assert_eq!(
            lanes[1].levels,
            [level(10, 13, 2), level(13, 17, 1), level(17, 20, 2)]
        );
        assert_eq!(full_share_permille(&lanes, 2, Scn(70)), 942);
    }

    #[test]
    fn a_week_without_tenants_is_dry() {
        let lanes = week(&[0, 1, 2, 3, 4, 5, 6, 7].map(Scn), &[]);
        assert!(
            lanes
                .iter()
                .all(|lane| lane.levels.len() == 1 && lane.levels[0].tenants == 0)
        );
        for until in [0, 3, 7] {
            assert_eq!(full_share_permille(&lanes, 0, Scn(until)), 0);
            assert_eq!(full_share_permille(&lanes, 1, Scn(until)), 0);
        }
    }

    #[test]
    fn the_share_counts_only_what_is_over() {
        let bounds = [0, 10, 20, 30, 40, 50, 60, 70].map(Scn);
        let lanes = week(&bounds, &[vec![range(5, 69)]]);
        for (until, share) in [(0, 0), (5, 0), (10, 500), (50, 900), (70, 928)] {
            assert_eq!(full_share_permille(&lanes, 1, Scn(until)), share);
        }
    }

    proptest! {
        #[test]
        fn levels_equal_a_count_at_every_moment(
            tenants in proptest::collection::vec(
                proptest::collection::vec((0u64..80, 0u64..20), 0..4), 0..4),
        ) {
            let tenants: Vec<Vec<_>> = tenants
                .into_iter()
                .map(|parts| crate::recoverable::union(
                    parts.into_iter().map(|(s, l)| range(s, s + l)).collect()))
                .collect();
            let bounds = [3, 11, 20, 29, 40, 48, 60, 77].map(Scn);
            let lanes = week(&bounds, &tenants);
            for lane in &lanes {
                let mut at = lane.start;
                for level in &lane.levels {
                    prop_assert_eq!(level.from, at);
                    prop_assert!(level.from < level.to);
                    for moment in level.from.0..level.to.0 {
                        let count = tenants.iter().filter(|ranges| {
                            ranges.iter().any(|r| r.start.0 <= moment && moment <= r.end.0)
                        }).count();
                        prop_assert_eq!(level.tenants as usize, count, "moment {}", moment);
                    }
                    at = level.to;
                }
                prop_assert_eq!(at, lane.end);
                for pair in lane.levels.windows(2) {
                    prop_assert_ne!(pair[0].tenants, pair[1].tenants);
                }
            }
        }
    }
}
