//! The viewer's calendar: days, wall clocks, and how moments are written and read in a zone.

use crate::language::{later, t, tf};
use domain::Scn;
use domain::scn::{NS_PER_DAY, NS_PER_SECOND};

const NS_PER_MINUTE: i64 = 60 * NS_PER_SECOND as i64;
const DAY_NS: i64 = NS_PER_DAY as i64;

/// A time zone: how many minutes its wall clock is ahead of UTC at a moment.
#[derive(Clone, Copy)]
pub struct Zone(fn(Scn) -> i32);

/// A day of the calendar, counted from 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub i64);

/// Why a typed text is not a moment, and how to write one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// Nothing was typed.
    #[error("Type a moment, such as 2026-11-12 14:32:07.250000.")]
    Empty,
    /// It does not look like a moment.
    #[error("Write the moment as 2026-11-12 14:32:07.250000.")]
    Shape,
    /// The digits are in place but there is no such day or time.
    #[error("There is no such day or time.")]
    NoSuchTime,
}

const WEEKDAYS: [&str; 7] = [
    later("Monday"),
    later("Tuesday"),
    later("Wednesday"),
    later("Thursday"),
    later("Friday"),
    later("Saturday"),
    later("Sunday"),
];
const MONTHS: [&str; 12] = [
    later("January"),
    later("February"),
    later("March"),
    later("April"),
    later("May"),
    later("June"),
    later("July"),
    later("August"),
    later("September"),
    later("October"),
    later("November"),
    later("December"),
];

const WEEKDAYS_SHORT: [&str; 7] = [
    later("Mon"),
    later("Tue"),
    later("Wed"),
    later("Thu"),
    later("Fri"),
    later("Sat"),
    later("Sun"),
];
const MONTHS_SHORT: [&str; 12] = [
    later("Jan"),
    later("Feb"),
    later("Mar"),
    later("Apr"),
    later("May"),
    later("Jun"),
    later("Jul"),
    later("Aug"),
    later("Sep"),
    later("Oct"),
    later("Nov"),
    later("Dec"),
];

impl Day {
    /// The day of a civil date; `None` when the date does not exist.
    pub fn new(year: i64, month: u32, day: u32) -> Option<Day> {
        // Days from civil, with years that begin in March so that a leap day is the last of its year.
        let shifted = if month <= 2 { year - 1 } else { year };
        let era = shifted.div_euclid(400);
        let of_era = shifted.rem_euclid(400);
        let month_index = (i64::from(month) + 9) % 12;
        let of_year = (153 * month_index + 2) / 5 + i64::from(day) - 1;
        let count = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
        let made = Day(count);
        (made.date() == (year, month, day)).then_some(made)
    }

    /// Year, month and day of the month.
    pub fn date(self) -> (i64, u32, u32) {
        let days = self.0 + 719_468;
        let era = days.div_euclid(146_097);
        let of_era = days.rem_euclid(146_097);
        let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_index = (5 * of_year + 2) / 153;
        let day = of_year - (153 * month_index + 2) / 5 + 1;
        let month = if month_index < 10 {
            month_index + 3
        } else {
            month_index - 9
        };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        (year, month as u32, day as u32)
    }

    /// Reads `2026-11-12`.
    pub fn parse(text: &str) -> Option<Day> {
        let mut parts = text.trim().splitn(3, '-');
        let year = digits(parts.next()?, 4)?;
        let month = digits(parts.next()?, 2)?;
        let day = digits(parts.next()?, 2)?;
        Day::new(i64::from(year), month, day)
    }

    /// This day plus a number of days.
    pub const fn plus(self, days: i64) -> Day {
        Day(self.0 + days)
    }

    /// `Monday`.
    pub fn weekday(self) -> &'static str {
        t(WEEKDAYS[self.weekday_index()])
    }

    /// `Mon`.
    pub fn weekday_short(self) -> &'static str {
        t(WEEKDAYS_SHORT[self.weekday_index()])
    }

    fn weekday_index(self) -> usize {
        // 1970-01-01 was a Thursday.
        (self.0 + 3).rem_euclid(7) as usize
    }

    /// `November`.
    pub fn month(self) -> &'static str {
        t(MONTHS[self.date().1 as usize - 1])
    }

    /// `Nov`.
    pub fn month_short(self) -> &'static str {
        t(MONTHS_SHORT[self.date().1 as usize - 1])
    }

    /// `Tue 10 Nov`.
    pub fn short(self) -> String {
        let (_, _, day) = self.date();
        let (weekday, month) = (self.weekday_short(), self.month_short());
        tf(
            "{weekday} {day} {month}",
            &[("weekday", &weekday), ("day", &day), ("month", &month)],
        )
    }
}

impl std::fmt::Display for Day {
    /// `2026-11-12`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (year, month, day) = self.date();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

fn digits(text: &str, width: usize) -> Option<u32> {
    let sound = text.len() == width && text.bytes().all(|byte| byte.is_ascii_digit());
    if sound { text.parse().ok() } else { None }
}

impl Zone {
    /// The zone the server writes in.
    pub const UTC: Zone = Zone(|_| 0);

    /// A zone from its offset in minutes at a moment.
    pub const fn new(offset_minutes: fn(Scn) -> i32) -> Zone {
        Zone(offset_minutes)
    }

    fn offset_ns(self, at: Scn) -> i64 {
        i64::from((self.0)(at)) * NS_PER_MINUTE
    }

    /// Nanoseconds the wall clock shows, as if it were UTC.
    fn wall_ns(self, at: Scn) -> i64 {
        i64::try_from(at.0)
            .unwrap_or(i64::MAX)
            .saturating_add(self.offset_ns(at))
    }

    /// The moment at which the wall clock shows `wall`: the earlier one where clocks go back, and
    /// the first moment after the jump where they go forward over it.
    fn moment(self, wall: i64) -> Scn {
        let scn = |ns: i64| Scn(u64::try_from(ns).unwrap_or(0));
        // The offsets a day before and after are the only two that can hold around `wall`.
        let before = wall - self.offset_ns(scn(wall - DAY_NS));
        let after = wall - self.offset_ns(scn(wall + DAY_NS));
        let (early, late) = (before.min(after), before.max(after));
        if let Some(found) = [early, late].into_iter().find(|&at| {
            let shown = self.wall_ns(scn(at));
            shown == wall
        }) {
            return scn(found);
        }
        let (mut low, mut high) = (early, late);
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if self.wall_ns(scn(middle)) < wall {
                low = middle;
            } else {
                high = middle;
            }
        }
        scn(high)
    }

    /// The day a moment lies in.
    pub fn day(self, at: Scn) -> Day {
        Day(self.wall_ns(at).div_euclid(DAY_NS))
    }

    /// The first moment of a day.
    pub fn midnight(self, day: Day) -> Scn {
        self.moment(day.0.saturating_mul(DAY_NS))
    }

    /// The same time of the day, `days` days later.
    pub fn same_time(self, at: Scn, days: i64) -> Scn {
        self.moment(self.wall_ns(at) + days * DAY_NS)
    }

    /// `14:32:07`, cut to the second.
    pub fn time(self, at: Scn) -> String {
        let seconds = self.wall_ns(at).rem_euclid(DAY_NS) / NS_PER_SECOND as i64;
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        format!("{hour:02}:{minute:02}:{second:02}")
    }

    /// `14:32`.
    pub fn hour_minute(self, at: Scn) -> String {
        let mut text = self.time(at);
        text.truncate(5);
        text
    }

    /// `2026-11-12 14:32:07`, cut to the second.
    pub fn seconds(self, at: Scn) -> String {
        format!("{} {}", self.day(at), self.time(at))
    }

    /// `2026-11-12 14:32:07.250000`: to the microsecond, or to the nanosecond when one is needed to
    /// name exactly this moment.
    pub fn exact(self, at: Scn) -> String {
        format!("{}{}", self.seconds(at), fraction(at))
    }

    /// `2026-11-12 14:32:07.250000`, always cut to the microsecond.
    pub fn exact_cut(self, at: Scn) -> String {
        self.exact(Scn(at.0 / 1000 * 1000))
    }

    /// `Tue 10 Nov 09:41:22`.
    pub fn named(self, at: Scn) -> String {
        format!("{} {}", self.day(at).short(), self.time(at))
    }

    /// `UTC` or `UTC+08:00`, as it holds at a moment.
    pub fn name(self, at: Scn) -> String {
        match (self.0)(at) {
            0 => t("UTC").to_owned(),
            minutes => {
                let sign = if minutes < 0 { '\u{2212}' } else { '+' };
                let minutes = minutes.abs();
                format!("UTC{sign}{:02}:{:02}", minutes / 60, minutes % 60)
            }
        }
    }

    /// Reads a typed moment: `2026-11-12 14:32:07.25` in this zone, or RFC 3339 with a zone of its own.
    /// Seconds and their fraction may be left out.
    pub fn read(self, text: &str) -> Result<Scn, Unreadable> {
        let text = text.trim();
        if text.is_empty() {
            return Err(Unreadable::Empty);
        }
        let (date, time) = text.split_once([' ', 'T', 't']).ok_or(Unreadable::Shape)?;
        let time = time.trim();
        if time.ends_with(['Z', 'z']) || time.contains(['+', '-']) {
            return Scn::parse_rfc3339(&format!("{date}T{time}")).map_err(|_| Unreadable::Shape);
        }
        if date.len() != 10 {
            return Err(Unreadable::Shape);
        }
        let day = Day::parse(date).ok_or(Unreadable::NoSuchTime)?;
        let of_day = time_of_day_ns(time)?;
        Ok(self.moment(day.0 * DAY_NS + of_day))
    }
}

/// `.250000`, or nine digits where six do not say it all.
pub fn fraction(at: Scn) -> String {
    let ns = at.0 % NS_PER_SECOND;
    if ns.is_multiple_of(1000) {
        format!(".{:06}", ns / 1000)
    } else {
        format!(".{ns:09}")
    }
}

fn time_of_day_ns(text: &str) -> Result<i64, Unreadable> {
    let (clock, fraction) = text.split_once(['.', ',']).unwrap_or((text, ""));
    let mut parts = clock.splitn(3, ':');
    let mut next = || parts.next().map(|part| digits(part, 2));
    let hour = next().flatten().ok_or(Unreadable::Shape)?;
    let minute = next().flatten().ok_or(Unreadable::Shape)?;
    let second = match next() {
        Some(second) => second.ok_or(Unreadable::Shape)?,
        None if fraction.is_empty() => 0,
        None => return Err(Unreadable::Shape),
    };
    if hour > 23 || minute > 59 || second > 59 {
        return Err(Unreadable::NoSuchTime);
    }
    if fraction.len() > 9 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Unreadable::Shape);
    }
    let ns: i64 = format!("{fraction:0<9}")
        .parse()
        .map_err(|_| Unreadable::Shape)?;
    let seconds = i64::from(hour * 3600 + minute * 60 + second);
    Ok(seconds * NS_PER_SECOND as i64 + ns)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utc(text: &str) -> Scn {
        Scn::parse_rfc3339(text).unwrap()
    }

    /// Berlin in 2026: summer time from 29 March to 25 October, changes at 01:00 UTC.
    fn berlin() -> Zone {
        Zone::new(|at| {
            let summer = utc("2026-03-29T01:00:00Z")..utc("2026-10-25T01:00:00Z");
            if summer.contains(&at) { 120 } else { 60 }
        })
    }

    #[test]
    fn days_and_dates_are_inverse_and_know_leap_years() {
        for count in -1000..40_000 {
            let (year, month, day) = Day(count).date();
            assert_eq!(Day::new(year, month, day), Some(Day(count)));
        }
        assert_eq!(Day::parse("2028-02-29").unwrap().to_string(), "2028-02-29");
        for text in ["2026-02-29", "2026-13-01", "2026-00-10", "26-1-1", "today"] {
            assert_eq!(Day::parse(text), None, "{text}");
        }
        assert_eq!(Day::parse("2026-11-10").unwrap().short(), "Tue 10 Nov");
    }

    #[test]
    fn a_day_has_23_or_25_hours_where_clocks_change() {
        let zone = berlin();
        let hours = |text| {
            let day = Day::parse(text).unwrap();
            let length = zone.midnight(day.plus(1)).since_ns(zone.midnight(day));
            length / (3600 * NS_PER_SECOND)
        };
        assert_eq!(hours("2026-03-28"), 24);
        assert_eq!(hours("2026-03-29"), 23);
        assert_eq!(hours("2026-10-25"), 25);
        let midnight = zone.midnight(Day::parse("2026-10-25").unwrap());
        assert_eq!(midnight, utc("2026-10-24T22:00:00Z"));
    }

    #[test]
    fn a_midnight_that_a_jump_skips_is_the_first_moment_after_it() {
        // Clocks go forward from 00:00 to 01:00 local time, as in Chile.
        let zone = Zone::new(|at| {
            if at < utc("2026-09-06T04:00:00Z") {
                -240
            } else {
                -180
            }
        });
        let day = Day::parse("2026-09-06").unwrap();
        assert_eq!(zone.midnight(day), utc("2026-09-06T04:00:00Z"));
        assert_eq!(zone.time(zone.midnight(day)), "01:00:00");
        assert_eq!(zone.day(zone.midnight(day)), day);
    }

    #[test]
    fn the_earlier_of_two_equal_wall_clocks_is_meant() {
        let at = berlin().read("2026-10-25 02:30:00").unwrap();
        assert_eq!(at, utc("2026-10-25T00:30:00Z"));
    }

    #[test]
    fn moments_read_back_as_they_are_written() {
        let shanghai = Zone::new(|_| 480);
        for text in [
            "2026-11-11T08:20:05.250000000Z",
            "2026-11-11T08:20:05.250000001Z",
            "2026-11-11T16:00:00.000000000Z",
        ] {
            let at = utc(text);
            for zone in [Zone::UTC, shanghai, berlin()] {
                assert_eq!(zone.read(&zone.exact(at)), Ok(at), "{}", zone.exact(at));
            }
        }
        let at = utc("2026-11-11T08:20:05.25Z");
        assert_eq!(shanghai.exact(at), "2026-11-11 16:20:05.250000");
        assert_eq!(shanghai.name(at), "UTC+08:00");
        assert_eq!(Zone::new(|_| -210).name(at), "UTC\u{2212}03:30");
    }

    #[test]
    fn people_may_leave_out_what_is_zero_and_add_a_zone() {
        let at = utc("2026-11-11T16:20:00Z");
        for text in [
            "2026-11-11 16:20",
            " 2026-11-11T16:20:00 ",
            "2026-11-11 16:20:00.0",
            "2026-11-11T16:20:00Z",
            "2026-11-12T00:20:00+08:00",
        ] {
            assert_eq!(Zone::UTC.read(text), Ok(at), "{text}");
        }
    }

    #[test]
    fn what_is_no_moment_is_refused_with_the_way_to_write_one() {
        let cases = [
            ("", Unreadable::Empty),
            ("yesterday", Unreadable::Shape),
            ("2026-11-11", Unreadable::Shape),
            ("2026-11-11 16", Unreadable::Shape),
            ("2026-11-11 16:20:5", Unreadable::Shape),
            ("2026-11-11 16:20.5", Unreadable::Shape),
            ("2026-11-11 16:20:05.1234567891", Unreadable::Shape),
            ("2026-11-31 16:20:05", Unreadable::NoSuchTime),
            ("2026-11-11 24:00:00", Unreadable::NoSuchTime),
        ];
        for (text, why) in cases {
            assert_eq!(Zone::UTC.read(text), Err(why), "{text}");
        }
    }

    #[test]
    fn a_day_later_keeps_the_wall_clock_over_a_change() {
        let zone = berlin();
        let at = zone.read("2026-10-24 16:20:05").unwrap();
        assert_eq!(
            zone.exact(zone.same_time(at, 1)),
            "2026-10-25 16:20:05.000000"
        );
        assert_eq!(
            zone.exact(zone.same_time(at, -7)),
            "2026-10-17 16:20:05.000000"
        );
    }
}
