//! Tests of what the calendar shows.

use super::super::time::Day;
use super::*;
use domain::TenantId;
use domain::page::MarkerKind;
use domain::recoverable::{Gap, GapCause};

fn at(text: &str) -> Scn {
    Scn::parse_rfc3339(&format!("2026-11-{text}Z")).unwrap()
}

fn tenant(id: i64, name: &str, ranges: &[(&str, &str)]) -> TenantPeriod {
    let ranges: Vec<_> = ranges
        .iter()
        .map(|(start, end)| RecoverableRange {
            start: at(start),
            end: at(end),
        })
        .collect();
    let gaps = ranges
        .windows(2)
        .map(|pair| Gap {
            since: pair[0].end,
            until: Some(pair[1].start),
            cause: GapCause::LogLost,
            note: String::new(),
        })
        .collect();
    TenantPeriod {
        tenant: TenantId(id),
        name: name.to_owned(),
        state: TenantState::Online,
        checkpoint: ranges.last().map(|range| range.end),
        ranges,
        gaps,
    }
}

fn draw(tenants: Vec<TenantPeriod>, chosen: Option<&str>) -> WeekView {
    let period = Period {
        tenants,
        markers: Vec::new(),
    };
    let today = Day::parse("2026-11-12").unwrap();
    let shown = Week::ending(today, Zone::UTC);
    week(&period, chosen, &shown, today, at("12T14:32:07"), Zone::UTC)
}

#[test]
fn an_outage_is_hatched_told_and_counted() {
    let whole =
        |id, name, until, from| tenant(id, name, &[("01T00:00:00", until), (from, "12T14:32:01")]);
    let view = draw(
        vec![
            whole(1, "billing", "10T09:41:22", "10T13:05:10"),
            whole(2, "orders", "10T09:41:22", "10T12:31:40"),
        ],
        None,
    );
    let tuesday = &view.lanes[4];
    assert_eq!((tuesday.weekday, tuesday.day), ("Tue", 10));
    assert_eq!(tuesday.hatches.len(), 2);
    assert_eq!(
        tuesday.sentence,
        "Tuesday 10 November. All 2 tenants recoverable from 00:00:00 to 09:41:22; \
         1 of 2 tenants recoverable from 12:31:40 to 13:05:10; \
         all 2 tenants recoverable from 13:05:10 to midnight. 1 gap."
    );
    assert_eq!(view.stories.len(), 1);
    assert_eq!(
        view.lanes[0].sentence,
        "Friday 6 November. All 2 tenants recoverable all day."
    );
    assert_eq!(view.lanes[0].water.line, "M0 0H1440");
    let today = &view.lanes[6];
    assert!(today.today);
    assert_eq!(
        today.sentence,
        "Thursday 12 November, today. All 2 tenants recoverable from 00:00:00 to the checkpoint 14:32:01."
    );
    assert_eq!(
        today.water_end.as_ref().map(|end| end.text.as_str()),
        Some("checkpoint 14:32:01")
    );
    let permille = view.full.unwrap().permille;
    assert!((970..1000).contains(&permille), "{permille}");
}

#[test]
fn two_minutes_of_life_are_a_sliver_and_the_share_counts_from_the_first_moment() {
    let view = draw(
        vec![tenant(1, "orders", &[("12T14:30:00", "12T14:32:01")])],
        None,
    );
    assert!(!view.lanes[6].water.slivers.is_empty());
    let share = FullShare {
        permille: 1000,
        since: Some(at("12T14:30:00")),
    };
    assert_eq!(view.full, Some(share));
    assert_eq!(
        view.lanes[5].sentence,
        "Wednesday 11 November. Not recoverable."
    );
    assert_eq!(permille(1000), "100\u{a0}%");
    assert_eq!(permille(999), "99.9\u{a0}%");
}

#[test]
fn the_headline_is_the_period_shared_by_all_and_grows_with_the_log() {
    let period = Period {
        tenants: vec![
            tenant(1, "orders", &[("12T14:00:00", "12T14:32:01")]),
            tenant(2, "payments", &[("12T14:10:00", "12T14:32:03")]),
        ],
        markers: Vec::new(),
    };
    let told = headline(&period, None, at("12T14:32:07"));
    assert_eq!(told.whom, "All 2 tenants");
    assert_eq!(
        (told.from, told.until),
        (Some(at("12T14:10:00")), at("12T14:32:01"))
    );
    assert!(told.growing);
    assert!(!headline(&period, None, at("12T15:32:07")).growing);
    let one = headline(&period, Some("orders"), at("12T14:32:07"));
    assert_eq!(
        (one.whom.as_str(), one.from),
        ("orders", Some(at("12T14:00:00")))
    );
    assert_eq!(oldest(&period, None), Some(at("12T14:00:00")));
}

#[test]
fn without_any_backup_there_is_no_period_and_no_share() {
    let view = draw(vec![tenant(1, "orders", &[])], None);
    assert_eq!(view.full, None);
    let period = Period {
        tenants: vec![tenant(1, "orders", &[])],
        markers: Vec::new(),
    };
    assert_eq!(headline(&period, None, at("12T14:32:07")).from, None);
}

#[test]
fn a_tenant_that_joined_late_lowers_the_water_before_it_without_hatching() {
    let view = draw(
        vec![
            tenant(1, "orders", &[("01T00:00:00", "12T14:32:01")]),
            tenant(2, "payments", &[("11T12:00:00", "12T14:32:01")]),
        ],
        None,
    );
    let wednesday = &view.lanes[5];
    assert!(wednesday.hatches.is_empty());
    assert_eq!(wednesday.labels[0].text, "1 of 2, without payments");
}

#[test]
fn dropped_tenants_are_drawn_only_when_chosen() {
    let mut gone = tenant(2, "archive", &[("07T00:00:00", "08T00:00:00")]);
    gone.state = TenantState::Offline;
    let tenants = vec![tenant(1, "orders", &[("01T00:00:00", "12T14:32:01")]), gone];
    assert_eq!(draw(tenants.clone(), None).tenants, 1);
    let chosen = draw(tenants, Some("archive"));
    assert_eq!(chosen.tenants, 1);
    assert_eq!(
        chosen.lanes[1].sentence,
        "Saturday 7 November. Recoverable all day."
    );
}

#[test]
fn markers_of_other_tenants_are_left_out_when_one_is_chosen() {
    let marker = |tenant, name: &str| Marker {
        tenant: TenantId(tenant),
        tenant_name: name.to_owned(),
        kind: MarkerKind::Full,
        at: at("11T02:00:00"),
        set: None,
        full_set: None,
    };
    let period = Period {
        tenants: vec![
            tenant(1, "orders", &[("11T02:00:00", "12T14:32:01")]),
            tenant(2, "payments", &[("11T02:00:00", "12T14:32:01")]),
        ],
        markers: vec![marker(1, "orders"), marker(2, "payments")],
    };
    let today = Day::parse("2026-11-12").unwrap();
    let shown = Week::ending(today, Zone::UTC);
    let now = at("12T14:32:07");
    let both = week(&period, None, &shown, today, now, Zone::UTC);
    assert_eq!(both.lanes[5].marks[0].count, 2);
    let one = week(&period, Some("orders"), &shown, today, now, Zone::UTC);
    assert_eq!(one.lanes[5].marks[0].count, 1);
}

#[test]
fn the_headline_says_who_has_no_period_and_who_goes_on() {
    let period = Period {
        tenants: vec![
            tenant(1, "orders", &[("12T14:00:00", "12T14:32:01")]),
            tenant(2, "payments", &[("12T10:00:00", "12T14:10:00")]),
            tenant(3, "fresh", &[]),
        ],
        markers: Vec::new(),
    };
    let told = headline(&period, None, at("12T14:32:07"));
    assert_eq!(told.whom, "2 of 3 tenants");
    assert_eq!(
        (told.from, told.until),
        (Some(at("12T14:00:00")), at("12T14:10:00"))
    );
    assert!(!told.growing);
    assert_eq!(told.growing_tenants, (1, 3));
    let fresh = headline(&period, Some("fresh"), at("12T14:32:07"));
    assert_eq!((fresh.whom.as_str(), fresh.from), ("fresh", None));
}
