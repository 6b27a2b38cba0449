//! A year of schedules on a virtual clock: what a scheduler begins that asks again and again, with sleeps
//! and pauses of any length, is what the preview told before and what an independent oracle finds.
//!
//! The oracle knows no days of the week or months of a zone and asks for no local time: it writes down
//! what the clock on the wall shows in each minute of the year, and looks where it first shows a time or
//! has gone past it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, Offset, TimeDelta, TimeZone};
use chrono_tz::Tz;
use domain::{
    Scn,
    backup::BackupKind,
    schedule::{self, Occurrence},
    strategy::{Cycle, Schedule, TimeOfDay},
};
use std::{collections::BTreeMap, ops::Range};

/// Zones with clock changes of every sort: both hemispheres, half an hour, two hours, at midnight, around
/// Ramadan, by law in other months; and some without.
const ZONES: [&str; 44] = [
    "Europe/Berlin",
    "Europe/London",
    "Europe/Dublin",
    "Europe/Lisbon",
    "Europe/Athens",
    "Europe/Chisinau",
    "Europe/Kyiv",
    "Europe/Istanbul",
    "Atlantic/Azores",
    "Atlantic/Canary",
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Los_Angeles",
    "America/Anchorage",
    "America/Adak",
    "America/Halifax",
    "America/St_Johns",
    "America/Havana",
    "America/Nuuk",
    "America/Scoresbysund",
    "America/Miquelon",
    "America/Santiago",
    "America/Asuncion",
    "America/Tijuana",
    "America/Port-au-Prince",
    "Pacific/Easter",
    "Pacific/Auckland",
    "Pacific/Chatham",
    "Pacific/Norfolk",
    "Pacific/Apia",
    "Australia/Sydney",
    "Australia/Adelaide",
    "Australia/Lord_Howe",
    "Asia/Beirut",
    "Asia/Jerusalem",
    "Asia/Gaza",
    "Asia/Shanghai",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Africa/Casablanca",
    "Africa/El_Aaiun",
    "Africa/Cairo",
    "Antarctica/Troll",
];

const MINUTE_NS: u64 = 60_000_000_000;
const DAY_MIN: i64 = 24 * 60;
/// Offsets are looked up so often; in between they are refined where they differ.
const LOOK_MIN: usize = 15;

/// What the wall clock of a zone shows in each minute of a stretch of time.
struct Wall {
    first: i64,
    shown: Vec<i64>,
    changes: Vec<i64>,
}

fn offset_min(zone: Tz, minute: i64) -> i64 {
    let at = DateTime::from_timestamp(minute * 60, 0)
        .unwrap()
        .naive_utc();
    i64::from(zone.offset_from_utc_datetime(&at).fix().local_minus_utc()) / 60
}

impl Wall {
    fn of(zone: Tz, minutes: Range<i64>) -> Wall {
        let mut wall = Wall {
            first: minutes.start,
            shown: Vec::new(),
            changes: Vec::new(),
        };
        let mut before = offset_min(zone, minutes.start);
        for block in minutes.clone().step_by(LOOK_MIN) {
            let end = (block + LOOK_MIN as i64).min(minutes.end);
            let same = before == offset_min(zone, end - 1);
            for minute in block..end {
                let offset = if same {
                    before
                } else {
                    offset_min(zone, minute)
                };
                if offset != before {
                    wall.changes.push(minute);
                }
                wall.shown.push(minute + offset);
                before = offset;
            }
        }
        wall
    }

    /// The first minute in which the clock shows `target` or has gone past it.
    fn first_at(&self, target: i64) -> Option<i64> {
        // No clock is further from UTC than 27 hours.
        let from = usize::try_from(target - 27 * 60 - self.first).ok()?;
        let past = self
            .shown
            .get(from..)?
            .iter()
            .position(|shown| *shown >= target)?;
        Some(self.first + (from + past) as i64)
    }
}

/// All occurrences that fall into a year of UTC, in order.
fn oracle(wall: &Wall, schedule: &Schedule, year: i32) -> Vec<Occurrence> {
    let new_year = |year| NaiveDate::from_ymd_opt(year, 1, 1).unwrap();
    let minutes = minute_of(new_year(year))..minute_of(new_year(year + 1));
    let mut found: BTreeMap<i64, BackupKind> = BTreeMap::new();
    // 1 January 1970 was a Thursday.
    let first_day = minutes.start.div_euclid(DAY_MIN) - 3;
    for day in first_day..minutes.end.div_euclid(DAY_MIN) + 3 {
        let number = match schedule.cycle {
            Cycle::Week => (day + 3).rem_euclid(7) + 1,
            Cycle::Month => i64::from((new_year(1970) + TimeDelta::days(day)).day()),
        };
        let Some(kind) = schedule.days.get(&(number as u8)) else {
            continue;
        };
        let time = i64::from(schedule.at.hour) * 60 + i64::from(schedule.at.minute);
        let Some(minute) = wall.first_at(day * DAY_MIN + time) else {
            continue;
        };
        if minutes.contains(&minute) {
            let kept = found.entry(minute).or_insert(*kind);
            if *kind == BackupKind::Full {
                *kept = BackupKind::Full;
            }
        }
    }
    let each = |(minute, kind)| Occurrence {
        at: scn_of(minute),
        kind,
    };
    found.into_iter().map(each).collect()
}

fn minute_of(day: NaiveDate) -> i64 {
    day.and_time(chrono::NaiveTime::MIN).and_utc().timestamp() / 60
}

fn scn_of(minute: i64) -> Scn {
    Scn(minute as u64 * MINUTE_NS)
}

/// A small generator: the same numbers on every machine.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }

    fn schedule(&mut self, cycle: Cycle, zone: &str) -> Schedule {
        let count = 1 + self.below(if cycle == Cycle::Week { 7 } else { 10 });
        let mut days = BTreeMap::new();
        while (days.len() as u64) < count {
            let day = 1 + self.below(u64::from(cycle.last_day())) as u8;
            let kind = [BackupKind::Full, BackupKind::Incremental][self.below(2) as usize];
            days.insert(day, kind);
        }
        // Most often in the hours in which clocks are changed.
        let hour = match self.below(3) {
            0 => self.below(24) as u8,
            _ => self.below(4) as u8,
        };
        let minute = [0, 15, 30, 45, self.below(60) as u8][self.below(5) as usize];
        Schedule {
            cycle,
            days,
            at: TimeOfDay { hour, minute },
            zone: zone.to_owned(),
        }
    }

    /// Nanoseconds until a scheduler looks again: mostly soon, sometimes after a pause of the process,
    /// and sometimes the clock was set back meanwhile.
    fn pause(&mut self) -> i64 {
        let minutes = match self.below(20) {
            0..=11 => 60 + self.below(120),
            12..=16 => self.below(12 * 60),
            17 | 18 => self.below(6 * 24 * 60),
            _ => return -(self.below(90 * MINUTE_NS) as i64),
        };
        (minutes * MINUTE_NS + self.below(MINUTE_NS)) as i64
    }
}

/// Everything a scheduler begins that remembers until when it has looked.
fn stepped(dice: &mut Dice, schedule: &Schedule, year: &Range<Scn>) -> Vec<Occurrence> {
    let (mut begun, mut seen, mut now) = (Vec::new(), year.start, year.start);
    while seen < year.end {
        now = Scn(now.0.saturating_add_signed(dice.pause())).min(year.end);
        begun.extend(schedule::due(schedule, seen, now).unwrap());
        seen = seen.max(now);
    }
    begun
}

/// The same by the preview of so many runs, again and again.
fn previewed(schedule: &Schedule, year: &Range<Scn>) -> Vec<Occurrence> {
    let (mut told, mut after) = (Vec::new(), year.start);
    loop {
        let next = schedule::next_runs(schedule, after, 5).unwrap();
        assert_eq!(next.len(), 5);
        let inside = next.iter().filter(|run| run.at <= year.end);
        told.extend(inside.copied());
        after = next[4].at;
        if after > year.end {
            return told;
        }
    }
}

/// Minute by minute around each change of the clocks.
fn around_changes(
    wall: &Wall,
    schedule: &Schedule,
    expected: &[Occurrence],
    year: &Range<Scn>,
) -> usize {
    for change in &wall.changes {
        let around = (change - 5 * 60)..(change + 5 * 60);
        let inside: Vec<Occurrence> = expected
            .iter()
            .filter(|run| run.at > scn_of(around.start) && run.at <= scn_of(around.end))
            .copied()
            .collect();
        if !year.contains(&scn_of(around.start)) || !year.contains(&scn_of(around.end)) {
            continue;
        }
        let minutes = around.map(|m| schedule::due(schedule, scn_of(m), scn_of(m + 1)).unwrap());
        assert_eq!(
            minutes.flatten().collect::<Vec<_>>(),
            inside,
            "{schedule:?}"
        );
    }
    wall.changes.len()
}

fn check_year(zone: &str, year: i32, schedules_each: usize, seed: u64) -> (usize, usize) {
    let tz: Tz = zone.parse().unwrap();
    let new_year = |year| minute_of(NaiveDate::from_ymd_opt(year, 1, 1).unwrap());
    let minutes = new_year(year)..new_year(year + 1);
    let wall = Wall::of(tz, minutes.start - 6 * DAY_MIN..minutes.end + 6 * DAY_MIN);
    // Moments of the year: later than its first minute begins, up to and with its end.
    let year_scn = Scn(scn_of(minutes.start).0 - 1)..Scn(scn_of(minutes.end).0 - 1);
    let mut dice = Dice(seed | 1);
    let (mut runs, mut changes) = (0, 0);
    for cycle in Cycle::ALL {
        for _ in 0..schedules_each {
            let schedule = dice.schedule(cycle, zone);
            let expected = oracle(&wall, &schedule, year);
            assert_eq!(
                stepped(&mut dice, &schedule, &year_scn),
                expected,
                "begun: {schedule:?}"
            );
            assert_eq!(
                previewed(&schedule, &year_scn),
                expected,
                "preview: {schedule:?}"
            );
            changes = around_changes(&wall, &schedule, &expected, &year_scn);
            check_daily(&wall, &schedule, year, &year_scn);
            runs += expected.len();
        }
    }
    (runs, changes)
}

/// A time of each day is what a schedule of all days of the week has.
fn check_daily(wall: &Wall, schedule: &Schedule, year: i32, year_scn: &Range<Scn>) {
    let all = Schedule {
        cycle: Cycle::Week,
        days: (1..=7).map(|day| (day, BackupKind::Full)).collect(),
        ..schedule.clone()
    };
    let expected: Vec<Scn> = oracle(wall, &all, year).iter().map(|run| run.at).collect();
    let told = schedule::daily(all.at, &all.zone, year_scn.start, year_scn.end).unwrap();
    assert_eq!(told, expected, "daily: {all:?}");
}

#[test]
fn a_year_in_all_zones_begins_what_was_previewed_and_what_the_wall_clock_shows() {
    let (mut runs, mut with_changes) = (0, 0);
    for (number, zone) in ZONES.iter().enumerate() {
        let (found, changes) = check_year(zone, 2026, 3, 0x9E37_79B9_7F4A_7C15 ^ number as u64);
        runs += found;
        with_changes += usize::from(changes > 0);
    }
    assert!(
        with_changes >= 30,
        "only {with_changes} zones changed their clocks"
    );
    println!("{runs} runs, 0 differences, {with_changes} zones with clock changes");
}

#[test]
fn leap_years_and_years_in_which_a_zone_changed_its_mind() {
    for (zone, year) in [
        ("Europe/Berlin", 2028),
        ("Africa/Casablanca", 2024),
        ("Pacific/Apia", 2011),
        ("America/Sao_Paulo", 2018),
        ("Asia/Pyongyang", 2018),
        ("America/Caracas", 2016),
        ("Europe/Istanbul", 2016),
        ("Antarctica/Troll", 2024),
        ("Australia/Lord_Howe", 2032),
    ] {
        let (runs, changes) = check_year(zone, year, 4, year as u64);
        assert!(runs > 0 && changes > 0, "{zone} {year}");
    }
}

#[test]
fn the_oracle_shows_what_everybody_knows() {
    let tz: Tz = "Europe/Berlin".parse().unwrap();
    let minute = |text: &str| {
        let at = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").unwrap();
        at.and_utc().timestamp() / 60
    };
    let wall = Wall::of(tz, minute("2026-03-27 00:00")..minute("2026-03-31 00:00"));
    assert_eq!(wall.changes, [minute("2026-03-29 01:00")]);
    let shown = wall.first_at(minute("2026-03-29 02:30"));
    assert_eq!(shown, Some(minute("2026-03-29 01:00")));
}
