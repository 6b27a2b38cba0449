//! Wall clocks: from days and times of day in a zone to moments.
//!
//! A time that a zone's clocks leave out is due at the first moment after the gap; one that they show
//! twice is due the first time. Days that a month does not have are left out in it.

use super::{Occurrence, PlannedRun};
use crate::{
    Scn,
    backup::BackupKind,
    scn::NS_PER_SECOND,
    strategy::{Cycle, Schedule, TimeOfDay, check, label},
    validate::Violation,
};
use chrono::{
    DateTime, Datelike, Days, FixedOffset, MappedLocalTime, NaiveDate, NaiveDateTime, NaiveTime,
    Offset, TimeDelta, TimeZone, Utc,
};
use chrono_tz::Tz;

/// Most occurrences that one question is answered with.
pub const OCCURRENCES_MAX: usize = 1000;
/// Days before `until` that are looked at; what was due earlier is not told any more.
pub const DUE_DAYS_MAX: u64 = 1100;

/// Days that one run may be later than the one before: two 31sts are 61 days apart at most.
const DAYS_PER_RUN_MAX: u64 = 61;
/// Days beside the asked range that are looked at: wall clocks are up to 14 hours ahead of UTC and 12
/// behind, and a zone may leave out a whole day.
const DAYS_AROUND: u64 = 3;
/// No wall clock is further from UTC, in hours.
const OFFSET_HOURS_MAX: i64 = 27;
const NS_PER_HOUR: u64 = 3600 * NS_PER_SECOND;

/// What is wrong with a schedule, its zone included; empty when nothing is.
pub fn violations(schedule: &Schedule) -> Vec<Violation> {
    let mut found: Vec<Violation> = check::schedule(schedule);
    found.extend(zone(&schedule.zone).err());
    found
}

/// The first `count` occurrences later than `after`, ascending; fewer only where time ends in 2262.
/// `count` is cut to [`OCCURRENCES_MAX`].
pub fn next_runs(
    schedule: &Schedule,
    after: Scn,
    count: usize,
) -> Result<Vec<Occurrence>, Violation> {
    let (zone, at) = valid(schedule)?;
    let count = count.min(OCCURRENCES_MAX);
    let days = (count as u64 + 1) * DAYS_PER_RUN_MAX + 2 * DAYS_AROUND;
    let found = dates(wall_day(after), days)
        .filter_map(|day| occurrence(schedule, zone, at, day))
        .filter(|occurrence| occurrence.at > after);
    let mut runs = merged(found, count + 1);
    runs.truncate(count);
    Ok(runs)
}

/// The occurrences later than `after` and not later than `until`, ascending. The newest
/// [`OCCURRENCES_MAX`] of the last [`DUE_DAYS_MAX`] days; older ones are left out.
pub fn due(schedule: &Schedule, after: Scn, until: Scn) -> Result<Vec<Occurrence>, Violation> {
    let (zone, at) = valid(schedule)?;
    let found = range(after, until)
        .filter_map(|day| occurrence(schedule, zone, at, day))
        .filter(|occurrence| occurrence.at > after && occurrence.at <= until);
    Ok(newest(merged(found, usize::MAX)))
}

/// The moments of one time of each day later than `after` and not later than `until`, ascending; as many
/// as [`due`] tells.
pub fn daily(at: TimeOfDay, zone: &str, after: Scn, until: Scn) -> Result<Vec<Scn>, Violation> {
    let zone = self::zone(zone)?;
    let time = time(label::TIME, at)?;
    let mut moments: Vec<Scn> = range(after, until)
        .filter_map(|day| moment(zone, day.and_time(time)))
        .filter(|at| *at > after && *at <= until)
        .collect();
    moments.dedup();
    Ok(newest(moments))
}

/// The whole hours later than `after` and not later than `until`, ascending; the newest
/// [`OCCURRENCES_MAX`]. Hours of UTC: no clock change adds or loses one.
pub fn hourly(after: Scn, until: Scn) -> Vec<Scn> {
    let last = until.0 / NS_PER_HOUR;
    let first = (after.0 / NS_PER_HOUR + 1).max((last + 1).saturating_sub(OCCURRENCES_MAX as u64));
    (first..=last).map(|hour| Scn(hour * NS_PER_HOUR)).collect()
}

/// [`next_runs`] as people read them.
pub fn planned(
    schedule: &Schedule,
    after: Scn,
    count: usize,
) -> Result<Vec<PlannedRun>, Violation> {
    let (zone, at) = valid(schedule)?;
    let runs = next_runs(schedule, after, count)?;
    Ok(runs.iter().map(|run| shown(zone, at, run)).collect())
}

/// Every zone there is, by name.
pub fn zone_names() -> impl Iterator<Item = &'static str> {
    chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name())
}

fn shown(zone: Tz, asked: NaiveTime, run: &Occurrence) -> PlannedRun {
    let at = date_time(run.at).with_timezone(&zone);
    let offset = at.offset().fix();
    let other = at.time() != asked;
    PlannedRun {
        at: run.at,
        kind: run.kind,
        wall: wall_text(at.naive_local(), offset),
        note: other.then(|| {
            let asked = asked.format("%H:%M");
            format!("The clocks leave out {asked} that day; it runs at the first moment after.")
        }),
    }
}

fn wall_text(wall: NaiveDateTime, offset: FixedOffset) -> String {
    format!("{} UTC{offset}", wall.format("%a %Y-%m-%d %H:%M"))
}

fn valid(schedule: &Schedule) -> Result<(Tz, NaiveTime), Violation> {
    if let Some(wrong) = check::schedule(schedule).into_iter().next() {
        return Err(wrong);
    }
    Ok((zone(&schedule.zone)?, time(label::TIME, schedule.at)?))
}

fn zone(name: &str) -> Result<Tz, Violation> {
    name.parse().map_err(|_| {
        let allowed = "give the name of a zone, such as Europe/Berlin, Asia/Shanghai or UTC";
        Violation::new(label::ZONE, name, allowed)
    })
}

fn time(field: &str, at: TimeOfDay) -> Result<NaiveTime, Violation> {
    let found = NaiveTime::from_hms_opt(u32::from(at.hour), u32::from(at.minute), 0);
    found.ok_or_else(|| Violation::new(field, &at.to_string(), "use 00:00 to 23:59"))
}

/// The day that the earliest wall clock shows at `at`, and one more: what is due later lies on it or after.
fn wall_day(at: Scn) -> NaiveDate {
    let day = date_time(at).date_naive();
    day.checked_sub_days(Days::new(DAYS_AROUND)).unwrap_or(day)
}

/// The days that may have a moment in the range, without those too long ago.
fn range(after: Scn, until: Scn) -> impl Iterator<Item = NaiveDate> {
    let last = date_time(until).date_naive();
    let oldest = last.checked_sub_days(Days::new(DUE_DAYS_MAX));
    let first = wall_day(after).max(oldest.unwrap_or(NaiveDate::MIN));
    let days = (last - first).num_days() + DAYS_AROUND as i64;
    dates(first, u64::try_from(days).unwrap_or(0))
}

fn dates(first: NaiveDate, days: u64) -> impl Iterator<Item = NaiveDate> {
    first.iter_days().take(days as usize)
}

fn occurrence(schedule: &Schedule, zone: Tz, at: NaiveTime, day: NaiveDate) -> Option<Occurrence> {
    let number = match schedule.cycle {
        Cycle::Week => day.weekday().number_from_monday(),
        Cycle::Month => day.day(),
    };
    let kind = *schedule.days.get(&u8::try_from(number).ok()?)?;
    let at = moment(zone, day.and_time(at))?;
    Some(Occurrence { at, kind })
}

/// Ascending occurrences, those of one moment made one: where a zone leaves out a whole day, its time
/// and that of the next day may be the same. A full backup holds what an incremental one would.
fn merged(found: impl Iterator<Item = Occurrence>, limit: usize) -> Vec<Occurrence> {
    let mut runs: Vec<Occurrence> = Vec::new();
    for next in found {
        let full = runs.len() == limit;
        match runs.last_mut() {
            Some(last) if last.at == next.at => {
                if next.kind == BackupKind::Full {
                    last.kind = BackupKind::Full;
                }
            }
            _ if full => break,
            _ => runs.push(next),
        }
    }
    runs
}

fn newest<T>(mut all: Vec<T>) -> Vec<T> {
    all.drain(..all.len().saturating_sub(OCCURRENCES_MAX));
    all
}

/// The first moment at which the clocks of `zone` show `wall` or have gone past it.
fn moment(zone: Tz, wall: NaiveDateTime) -> Option<Scn> {
    let found = match zone.from_local_datetime(&wall) {
        MappedLocalTime::Single(at) => at.with_timezone(&Utc),
        MappedLocalTime::Ambiguous(first, second) => first.min(second).with_timezone(&Utc),
        MappedLocalTime::None => after_gap(zone, wall)?,
    };
    let ns = found.timestamp_nanos_opt()?;
    u64::try_from(ns).ok().map(Scn)
}

/// The moment at which clocks that never show `wall` leap over it, to the second.
fn after_gap(zone: Tz, wall: NaiveDateTime) -> Option<DateTime<Utc>> {
    let shows = |second: i64| {
        let at = DateTime::from_timestamp(second, 0)?;
        Some(at.with_timezone(&zone).naive_local())
    };
    let around = TimeDelta::hours(OFFSET_HOURS_MAX).num_seconds();
    let middle = wall.and_utc().timestamp();
    let (mut before, mut past) = (middle - around, middle + around);
    while past - before > 1 {
        let between = before + (past - before) / 2;
        match shows(between)? < wall {
            true => before = between,
            false => past = between,
        }
    }
    DateTime::from_timestamp(past, 0)
}

fn date_time(at: Scn) -> DateTime<Utc> {
    DateTime::from_timestamp_nanos(i64::try_from(at.0).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests;
