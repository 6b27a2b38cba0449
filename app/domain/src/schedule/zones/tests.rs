//! Single days worth naming; a year of every schedule is in `tests/schedule_year.rs`.

use super::*;
use BackupKind::{Full, Incremental};

fn scn(text: &str) -> Scn {
    Scn::parse_rfc3339(text).unwrap()
}

fn schedule(cycle: Cycle, days: &[(u8, BackupKind)], hour: u8, minute: u8, zone: &str) -> Schedule {
    Schedule {
        cycle,
        days: days.iter().copied().collect(),
        at: TimeOfDay { hour, minute },
        zone: zone.to_owned(),
    }
}

fn every_day(hour: u8, minute: u8, zone: &str) -> Schedule {
    let days: Vec<(u8, BackupKind)> = (1..=7).map(|day| (day, Incremental)).collect();
    schedule(Cycle::Week, &days, hour, minute, zone)
}

fn texts(runs: &[Occurrence]) -> Vec<String> {
    let text = |run: &Occurrence| run.at.to_rfc3339().replace(":00.000000000Z", "");
    runs.iter().map(text).collect()
}

#[test]
fn a_time_that_the_clocks_leave_out_is_due_when_they_have_gone_on() {
    let berlin = every_day(2, 30, "Europe/Berlin");
    let runs = next_runs(&berlin, scn("2026-03-28T00:00:00Z"), 3).unwrap();
    assert_eq!(
        texts(&runs),
        ["2026-03-28T01:30", "2026-03-29T01:00", "2026-03-30T00:30"]
    );
    let planned = planned(&berlin, scn("2026-03-28T02:00:00Z"), 2).unwrap();
    assert_eq!(planned[0].wall, "Sun 2026-03-29 03:00 UTC+02:00");
    assert!(planned[0].note.as_deref().unwrap().contains("02:30"));
    assert_eq!(planned[1].note, None);
}

#[test]
fn a_time_that_the_clocks_show_twice_is_due_once_the_first_time() {
    let berlin = every_day(2, 30, "Europe/Berlin");
    let runs = next_runs(&berlin, scn("2026-10-24T12:00:00Z"), 2).unwrap();
    assert_eq!(texts(&runs), ["2026-10-25T00:30", "2026-10-26T01:30"]);
    let again = due(&berlin, runs[0].at, scn("2026-10-25T23:00:00Z")).unwrap();
    assert_eq!(again, []);
}

#[test]
fn a_day_that_a_zone_leaves_out_is_made_up_for_once() {
    // Samoa had no 30 December 2011.
    let apia = every_day(0, 0, "Pacific/Apia");
    let runs = next_runs(&apia, scn("2011-12-29T00:00:00Z"), 3).unwrap();
    assert_eq!(
        texts(&runs),
        ["2011-12-29T10:00", "2011-12-30T10:00", "2011-12-31T10:00"]
    );
    let friday_full = schedule(
        Cycle::Week,
        &[(5, Full), (6, Incremental)],
        0,
        0,
        "Pacific/Apia",
    );
    let runs = due(
        &friday_full,
        scn("2011-12-29T12:00:00Z"),
        scn("2011-12-31T12:00:00Z"),
    )
    .unwrap();
    assert_eq!(texts(&runs), ["2011-12-30T10:00"]);
    assert_eq!(runs[0].kind, Full);
}

#[test]
fn days_that_a_month_does_not_have_are_left_out_in_it() {
    let month = schedule(Cycle::Month, &[(29, Full), (31, Incremental)], 2, 0, "UTC");
    let runs = next_runs(&month, scn("2026-01-30T00:00:00Z"), 4).unwrap();
    assert_eq!(
        texts(&runs),
        [
            "2026-01-31T02:00",
            "2026-03-29T02:00",
            "2026-03-31T02:00",
            "2026-04-29T02:00"
        ]
    );
    let leap = next_runs(&month, scn("2028-02-01T00:00:00Z"), 1).unwrap();
    assert_eq!(texts(&leap), ["2028-02-29T02:00"]);
}

#[test]
fn the_start_of_a_range_is_outside_and_its_end_inside() {
    let utc = every_day(2, 0, "UTC");
    let (first, second) = (scn("2026-11-26T02:00:00Z"), scn("2026-11-27T02:00:00Z"));
    assert_eq!(due(&utc, first, second).unwrap().len(), 1);
    assert_eq!(due(&utc, first.minus_ns(1), second).unwrap().len(), 2);
    assert_eq!(due(&utc, first, second.minus_ns(1)).unwrap(), []);
    assert_eq!(due(&utc, second, first).unwrap(), []);
    assert_eq!(next_runs(&utc, first, 1).unwrap()[0].at, second);
    let at = TimeOfDay { hour: 2, minute: 0 };
    assert_eq!(daily(at, "UTC", first, second).unwrap(), [second]);
}

#[test]
fn a_long_absence_is_told_by_its_newest_occurrences() {
    let utc = every_day(2, 0, "UTC");
    let now = scn("2026-11-26T12:00:00Z");
    let runs = due(&utc, Scn::ZERO, now).unwrap();
    assert_eq!(runs.len(), OCCURRENCES_MAX);
    assert_eq!(runs.last().unwrap().at, scn("2026-11-26T02:00:00Z"));
    let hours = hourly(Scn::ZERO, now);
    assert_eq!(hours.len(), OCCURRENCES_MAX);
    assert_eq!(hours.last(), Some(&now));
    assert_eq!(hourly(now, now), []);
    assert_eq!(hourly(now.minus_ns(1), now), [now]);
    assert_eq!(hourly(Scn(5), Scn(6)), []);
}

#[test]
fn what_cannot_be_computed_names_the_field() {
    let mut wrong = every_day(24, 0, "Europe/Atlantis");
    wrong.days.insert(8, Full);
    let fields: Vec<String> = violations(&wrong)
        .into_iter()
        .map(|wrong| wrong.field)
        .collect();
    assert_eq!(fields, [label::DAYS, label::TIME, label::ZONE]);
    let none = schedule(Cycle::Week, &[], 1, 0, "UTC");
    assert!(next_runs(&none, Scn::ZERO, 5).is_err() && violations(&none).len() == 1);
    let days: Vec<(u8, BackupKind)> = (1..=11).map(|day| (day, Full)).collect();
    let many = schedule(Cycle::Month, &days, 1, 0, "UTC");
    assert!(violations(&many)[0].allowed.contains("at most 10"));
    assert!(zone_names().any(|name| name == "Antarctica/Troll"));
}

#[test]
fn time_ends_where_moments_do() {
    let utc = every_day(2, 0, "UTC");
    assert!(next_runs(&utc, Scn(u64::MAX), 5).unwrap().is_empty());
    assert!(
        due(&utc, Scn(u64::MAX - 1), Scn(u64::MAX))
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        next_runs(&utc, Scn::ZERO, usize::MAX).unwrap().len(),
        OCCURRENCES_MAX
    );
}
