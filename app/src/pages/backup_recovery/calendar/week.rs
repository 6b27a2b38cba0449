//! The seven days shown: which they are, where they begin, and how they are named.

use super::time::{Day, Zone};
use crate::language::{later, tf};
use domain::Scn;
use domain::calendar::DAYS;

/// Seven days ending with `last`, in a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Week {
    /// The newest day, in the lowest lane.
    pub last: Day,
    /// Eight midnights around the seven days.
    pub bounds: [Scn; DAYS + 1],
}

impl Week {
    /// The seven days ending with `last`.
    pub fn ending(last: Day, zone: Zone) -> Week {
        let first = last.plus(1 - DAYS as i64);
        Week {
            last,
            bounds: std::array::from_fn(|index| zone.midnight(first.plus(index as i64))),
        }
    }

    /// The week an address asks for (`YYYY-MM-DD` of its last day); the last seven days when it asks
    /// for none, or for days that lie in the future.
    pub fn asked(text: Option<&str>, today: Day, zone: Zone) -> Week {
        let last = text.and_then(Day::parse).unwrap_or(today);
        Week::ending(last.min(today), zone)
    }

    /// The day of a lane, the oldest first.
    pub const fn day(&self, lane: usize) -> Day {
        self.last.plus(lane as i64 + 1 - DAYS as i64)
    }

    /// The lane a moment lies in.
    pub fn lane_of(&self, at: Scn) -> Option<usize> {
        (self.bounds[0] <= at && at < self.bounds[DAYS])
            .then(|| self.bounds[1..].partition_point(|&bound| bound <= at))
    }

    /// `6 – 12 Nov 2026`, with months and years where they differ.
    pub fn title(&self) -> String {
        let (first, last) = (self.day(0), self.last);
        let ((first_year, first_month, from), (year, month, to)) = (first.date(), last.date());
        let (first_name, name) = (first.month_short(), last.month_short());
        let text = match (first_year == year, first_month == month) {
            (false, _) => later("{from} {first_month} {first_year} – {to} {month} {year}"),
            (true, false) => later("{from} {first_month} – {to} {month} {year}"),
            (true, true) => later("{from} – {to} {month} {year}"),
        };
        tf(
            text,
            &[
                ("from", &from),
                ("first_month", &first_name),
                ("first_year", &first_year),
                ("to", &to),
                ("month", &name),
                ("year", &year),
            ],
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        Day::parse(text).unwrap()
    }

    #[test]
    fn the_default_is_the_last_seven_days() {
        let week = Week::asked(None, day("2026-11-12"), Zone::UTC);
        assert_eq!(week.day(0), day("2026-11-06"));
        assert_eq!(week.day(6), day("2026-11-12"));
        assert_eq!(week.bounds[7], Zone::UTC.midnight(day("2026-11-13")));
        let future = Week::asked(Some("2027-01-01"), day("2026-11-12"), Zone::UTC);
        assert_eq!(future, week);
        let nonsense = Week::asked(Some("next"), day("2026-11-12"), Zone::UTC);
        assert_eq!(nonsense, week);
    }

    #[test]
    fn titles_say_months_and_years_only_where_needed() {
        let title = |text| Week::ending(day(text), Zone::UTC).title();
        assert_eq!(title("2026-11-12"), "6 – 12 Nov 2026");
        assert_eq!(title("2026-11-03"), "28 Oct – 3 Nov 2026");
        assert_eq!(title("2027-01-02"), "27 Dec 2026 – 2 Jan 2027");
    }

    #[test]
    fn a_moment_lies_in_one_lane_and_bounds_belong_to_the_later_day() {
        let week = Week::ending(day("2026-11-12"), Zone::UTC);
        for lane in 0..7 {
            assert_eq!(week.lane_of(week.bounds[lane]), Some(lane));
            assert_eq!(week.lane_of(week.bounds[lane + 1].minus_ns(1)), Some(lane));
        }
        assert_eq!(week.lane_of(week.bounds[0].minus_ns(1)), None);
        assert_eq!(week.lane_of(week.bounds[7]), None);
    }
}
