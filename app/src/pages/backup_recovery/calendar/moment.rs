//! The chosen moment: where it stands for each tenant, which moments are offered, and steps by key.

use super::gaps;
use super::time::Zone;
use crate::language::{t, tf};
use domain::page::{MarkerKind, Period, TenantPeriod};
use domain::recoverable::{RecoverableRange, Verdict, union, verdict};
use domain::scn::NS_PER_SECOND;
use domain::tenant::TenantState;
use domain::{BackupSetId, Scn, size};

const NS_PER_MICROSECOND: u64 = 1000;

/// The first moment from `at` on that six digits can name.
pub fn nameable(at: Scn) -> Scn {
    Scn(at.0.div_ceil(NS_PER_MICROSECOND) * NS_PER_MICROSECOND)
}

/// The first moment of a range that six digits can name; the very first where none can.
pub fn offered_start(range: RecoverableRange) -> Scn {
    let up = nameable(range.start);
    if up <= range.end { up } else { range.start }
}

/// The last moment of a range that six digits can name; the very last where none can.
pub fn offered_end(range: RecoverableRange) -> Scn {
    let down = Scn(range.end.0 - range.end.0 % NS_PER_MICROSECOND);
    if down >= range.start { down } else { range.end }
}

/// The recoverable ranges of any of the tenants.
pub fn any_of(tenants: &[&TenantPeriod]) -> Vec<RecoverableRange> {
    union(
        tenants
            .iter()
            .flat_map(|tenant| tenant.ranges.iter().copied())
            .collect(),
    )
}

/// The ranges in which every one of the tenants is recoverable.
pub fn all_of(tenants: &[&TenantPeriod]) -> Vec<RecoverableRange> {
    let mut lists = tenants.iter().map(|tenant| tenant.ranges.clone());
    let Some(first) = lists.next() else {
        return Vec::new();
    };
    lists.fold(first, |shared, next| {
        let mut both = Vec::new();
        for a in &shared {
            for b in &next {
                let (start, end) = (a.start.max(b.start), a.end.min(b.end));
                if start <= end {
                    both.push(RecoverableRange { start, end });
                }
            }
        }
        both
    })
}

/// The newest moment worth proposing: for all of the tenants if there is one, else for any.
pub fn latest(tenants: &[&TenantPeriod]) -> Option<Scn> {
    let shared = all_of(tenants);
    let newest = shared
        .last()
        .copied()
        .or_else(|| any_of(tenants).last().copied());
    newest.map(offered_end)
}

/// The nearest recoverable moments around an impossible one, as they are offered.
pub fn nearest(ranges: &[RecoverableRange], moment: Scn) -> (Option<Scn>, Option<Scn>) {
    let before = ranges.iter().rev().find(|range| range.end < moment);
    let after = ranges.iter().find(|range| range.start > moment);
    (
        before.copied().map(offered_end),
        after.copied().map(offered_start),
    )
}

/// A moment meant by pointing: the one pointed at, or the nearest recoverable one within `reach`.
pub fn pointed(ranges: &[RecoverableRange], moment: Scn, reach: u64) -> Scn {
    if let Verdict::Recoverable(_) = verdict(ranges, moment) {
        return moment;
    }
    let (before, after) = nearest(ranges, moment);
    [before, after]
        .into_iter()
        .flatten()
        .map(|near| (near.0.abs_diff(moment.0), near))
        .filter(|(distance, _)| *distance <= reach)
        .min()
        .map_or(moment, |(_, near)| near)
}

/// Where a moment stands for one tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It can be recovered, inside this range.
    Recoverable(RecoverableRange),
    /// It cannot; the reason as a sentence.
    Impossible(String),
}

/// Where `moment` stands for `tenant`, with the reason when it cannot be recovered.
pub fn standing(tenant: &TenantPeriod, moment: Scn, now: Scn, zone: Zone) -> Standing {
    let (before, after) = match verdict(&tenant.ranges, moment) {
        Verdict::Recoverable(range) => return Standing::Recoverable(range),
        Verdict::Impossible { before, after } => (before, after),
    };
    let gap = tenant
        .gaps
        .iter()
        .find(|gap| gap.since < moment && gap.until.is_none_or(|until| moment < until));
    Standing::Impossible(match (before, after, gap) {
        _ if moment > now => t("It lies in the future.").to_owned(),
        (None, None, _) => t("No data backup yet. Press Back up Now.").to_owned(),
        (_, _, Some(gap)) => gaps::why(gap.cause).to_owned(),
        (None, Some(first), None) => {
            let first = zone.seconds(first);
            tf(
                "Its first recoverable moment is {first}.",
                &[("first", &first)],
            )
        }
        (Some(last), None, None) if tenant.state == TenantState::Offline => tf(
            "It was dropped. Its log ends at {last}.",
            &[("last", &zone.seconds(last))],
        ),
        (Some(last), None, None) => tf(
            "Its log is backed up to {last}.",
            &[("last", &zone.seconds(last))],
        ),
        (Some(_), Some(_), None) => gaps::why(domain::recoverable::GapCause::Unknown).to_owned(),
    })
}

/// `Set 45, then 13 h 43 m of logs`: what a recovery of a tenant to a moment in `range` begins with.
pub fn begins_with(
    period: &Period,
    tenant: &TenantPeriod,
    range: RecoverableRange,
    moment: Scn,
) -> Option<String> {
    let (at, set): (Scn, BackupSetId) = period
        .markers
        .iter()
        .filter(|marker| {
            marker.tenant == tenant.tenant
                && matches!(marker.kind, MarkerKind::Full | MarkerKind::Incremental)
                && range.start <= marker.at
                && marker.at <= moment
        })
        .filter_map(|marker| Some((marker.at, marker.set?)))
        .max()?;
    let logs = size::duration_ms(moment.since_ns(at) / 1_000_000);
    Some(tf(
        "Set {set}, then {logs} of logs",
        &[("set", &set), ("logs", &logs)],
    ))
}

/// A key pressed in a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stride {
    /// Left or right: one minute, an hour with Shift, a second with Alt.
    Along {
        /// To the right.
        forward: bool,
        /// Shift is held.
        shift: bool,
        /// Alt is held.
        alt: bool,
    },
    /// Up or down: the same time on another day.
    Days(i64),
    /// To the start of the period.
    Start,
    /// To the end of the period.
    End,
}

impl Stride {
    /// The stride a key of the keyboard means.
    pub fn of_key(key: &str, shift: bool, alt: bool) -> Option<Stride> {
        let along = |forward| Stride::Along {
            forward,
            shift,
            alt,
        };
        Some(match key {
            "ArrowLeft" => along(false),
            "ArrowRight" => along(true),
            "ArrowUp" => Stride::Days(-1),
            "ArrowDown" => Stride::Days(1),
            "Home" => Stride::Start,
            "End" => Stride::End,
            _ => return None,
        })
    }

    /// Where it leads from `moment`; never beyond `now`. Start and End are those of the range the
    /// moment lies in, else those of all ranges.
    pub fn from(self, moment: Scn, ranges: &[RecoverableRange], now: Scn, zone: Zone) -> Scn {
        let inside = ranges
            .iter()
            .find(|range| range.start <= moment && moment <= range.end);
        let moved = match self {
            Stride::Along {
                forward,
                shift,
                alt,
            } => {
                let seconds = match (shift, alt) {
                    (true, _) => 3600,
                    (false, true) => 1,
                    (false, false) => 60,
                };
                let ns = seconds * NS_PER_SECOND;
                if forward {
                    moment.plus_ns(ns)
                } else {
                    moment.minus_ns(ns)
                }
            }
            Stride::Days(days) => zone.same_time(moment, days),
            Stride::Start => inside
                .or(ranges.first())
                .map_or(moment, |range| offered_start(*range)),
            Stride::End => inside
                .or(ranges.last())
                .map_or(moment, |range| offered_end(*range)),
        };
        moved.min(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::TenantId;
    use domain::page::Marker;
    use domain::recoverable::{Gap, GapCause};

    fn range(start: u64, end: u64) -> RecoverableRange {
        RecoverableRange {
            start: Scn(start),
            end: Scn(end),
        }
    }

    fn tenant(id: i64, ranges: &[(u64, u64)]) -> TenantPeriod {
        TenantPeriod {
            tenant: TenantId(id),
            name: format!("t{id}"),
            state: TenantState::Online,
            ranges: ranges
                .iter()
                .map(|&(start, end)| range(start, end))
                .collect(),
            gaps: Vec::new(),
            checkpoint: None,
        }
    }

    #[test]
    fn offered_moments_can_be_typed_and_are_recoverable() {
        assert_eq!(offered_start(range(1001, 9001)), Scn(2000));
        assert_eq!(offered_end(range(1001, 9001)), Scn(9000));
        assert_eq!(offered_start(range(2000, 9000)), Scn(2000));
        // Too short for six digits: the exact moments, written with nine.
        assert_eq!(offered_start(range(1001, 1003)), Scn(1001));
        assert_eq!(offered_end(range(1001, 1003)), Scn(1003));
    }

    #[test]
    fn all_is_the_intersection_and_any_the_union() {
        let (a, b) = (
            tenant(1, &[(0, 10_000), (20_000, 40_000)]),
            tenant(2, &[(5000, 30_000)]),
        );
        assert_eq!(
            all_of(&[&a, &b]),
            [range(5000, 10_000), range(20_000, 30_000)]
        );
        assert_eq!(any_of(&[&a, &b]), [range(0, 40_000)]);
        assert_eq!(latest(&[&a, &b]), Some(Scn(30_000)));
        let never = tenant(3, &[]);
        assert_eq!(all_of(&[&a, &never]), []);
        assert_eq!(latest(&[&a, &never]), Some(Scn(40_000)));
        assert_eq!(latest(&[&never]), None);
        assert_eq!(all_of(&[]), []);
    }

    #[test]
    fn pointing_snaps_to_a_period_nearby_and_not_to_one_far_away() {
        let ranges = [range(10_000, 20_000), range(50_000, 60_000)];
        assert_eq!(pointed(&ranges, Scn(15_000), 0), Scn(15_000));
        assert_eq!(pointed(&ranges, Scn(22_000), 5000), Scn(20_000));
        assert_eq!(pointed(&ranges, Scn(47_000), 5000), Scn(50_000));
        assert_eq!(pointed(&ranges, Scn(35_000), 5000), Scn(35_000));
    }

    #[test]
    fn a_refusal_says_why() {
        let mut lost = tenant(
            1,
            &[
                (1_000_000_000, 2_000_000_000),
                (5_000_000_000, 6_000_000_000),
            ],
        );
        lost.gaps.push(Gap {
            since: Scn(2_000_000_000),
            until: Some(Scn(5_000_000_000)),
            cause: GapCause::LogLost,
            note: String::new(),
        });
        let now = Scn(7_000_000_000);
        let say = |moment| match standing(&lost, Scn(moment), now, Zone::UTC) {
            Standing::Recoverable(_) => "yes".to_owned(),
            Standing::Impossible(why) => why,
        };
        assert_eq!(say(1_500_000_000), "yes");
        assert_eq!(
            say(500_000_000),
            "Its first recoverable moment is 1970-01-01 00:00:01."
        );
        assert!(say(3_000_000_000).contains("that log is gone"));
        assert_eq!(
            say(6_500_000_000),
            "Its log is backed up to 1970-01-01 00:00:06."
        );
        assert_eq!(say(8_000_000_000), "It lies in the future.");
        let never = standing(&tenant(2, &[]), Scn(1), now, Zone::UTC);
        assert!(matches!(never, Standing::Impossible(why) if why.contains("Back up Now")));
    }

    #[test]
    fn the_set_a_recovery_begins_with_is_the_newest_before_the_moment() {
        let one = tenant(1, &[(0, 100_000_000_000)]);
        let marker = |at: u64, kind, tenant, set| Marker {
            tenant: TenantId(tenant),
            tenant_name: String::new(),
            kind,
            at: Scn(at * NS_PER_SECOND),
            set: Some(BackupSetId(set)),
            full_set: None,
        };
        let period = Period {
            tenants: vec![one.clone()],
            markers: vec![
                marker(0, MarkerKind::Full, 1, 1),
                marker(10, MarkerKind::Incremental, 1, 2),
                marker(12, MarkerKind::Failed, 1, 3),
                marker(14, MarkerKind::Full, 2, 9),
                marker(50, MarkerKind::Full, 1, 4),
            ],
        };
        let told = begins_with(&period, &one, one.ranges[0], Scn(40 * NS_PER_SECOND)).unwrap();
        assert_eq!(told.replace('\u{a0}', " "), "Set 2, then 30 s of logs");
    }

    #[test]
    fn keys_move_by_minute_hour_second_day_and_to_the_ends() {
        let zone = Zone::UTC;
        let ranges = [
            range(1000, 2000),
            range(3600 * NS_PER_SECOND, 90_000 * NS_PER_SECOND + 1),
        ];
        let from = Scn(86_400 * NS_PER_SECOND);
        let now = Scn(100_000 * NS_PER_SECOND);
        let press = |key, shift, alt| {
            let stride = Stride::of_key(key, shift, alt).unwrap();
            stride.from(from, &ranges, now, zone).0 / NS_PER_SECOND
        };
        assert_eq!(press("ArrowRight", false, false), 86_460);
        assert_eq!(press("ArrowLeft", true, false), 82_800);
        assert_eq!(press("ArrowLeft", false, true), 86_399);
        assert_eq!(press("ArrowUp", false, false), 0);
        assert_eq!(press("ArrowDown", false, false), 100_000);
        assert_eq!(press("Home", false, false), 3600);
        assert_eq!(press("End", false, false), 90_000);
        assert_eq!(Stride::of_key("a", false, false), None);
    }
}
