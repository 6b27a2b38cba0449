//! Alerts against definitions by brute force: one row per continuing fault, and only evidence ends it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod alert_facts;

use alert_facts::{NOW, cluster, find, hit, storage, tenant};
use domain::{
    AlertId, JobId, Scn,
    alert::{
        AlertChange, Ended, Finding, Hit, Level, Open, RULES, Recovery, RuleId, RunFacts, Running,
        SizeReading, State, StrategyFacts, Verdict, Verified, evaluate, fold,
    },
    archive::ArchiveState,
    job::JobKind,
    recoverable::{Gap, GapCause},
    scn::{NS_PER_DAY, NS_PER_SECOND},
    strategy::{RunOutcome, Thresholds},
    tenant::TenantState,
};
use proptest::prelude::*;

const MINUTE: u64 = 60 * NS_PER_SECOND;
const HOUR: u64 = 60 * MINUTE;

/// A row as the control database would have it.
#[derive(Debug, Clone)]
struct Row {
    open: Open,
    generated: Scn,
    recovered_at: Option<Scn>,
}

/// Applies changes as the control database does.
fn apply(rows: &mut Vec<Row>, changes: &[AlertChange], now: Scn) {
    for change in changes {
        if let AlertChange::Raise {
            rule,
            cluster,
            key,
            level,
            masked_until,
            ..
        } = change
        {
            let open = Open {
                id: AlertId(i64::try_from(rows.len()).unwrap()),
                cluster: *cluster,
                rule: *rule,
                key: key.clone(),
                level: *level,
                last_generated: now,
                clear_since: None,
                masked_until: *masked_until,
                recovered: false,
            };
            rows.push(Row {
                open,
                generated: now,
                recovered_at: None,
            });
            continue;
        }
        let row = |id: &AlertId| usize::try_from(id.0).unwrap();
        match change {
            AlertChange::Again { id, at, level, .. } => {
                let open = &mut rows[row(id)].open;
                (open.last_generated, open.level, open.clear_since) = (*at, *level, None);
            }
            AlertChange::Clearing { id, since } => rows[row(id)].open.clear_since = *since,
            AlertChange::Recover { id, at, .. } => {
                rows[row(id)].open.recovered = true;
                rows[row(id)].recovered_at = Some(*at);
            }
            AlertChange::MaskEnded { id } => rows[row(id)].open.masked_until = None,
            AlertChange::Raise { .. } => {}
        }
    }
}

fn finding(rule: RuleId, object: u8, verdict: Verdict) -> Finding {
    Finding {
        rule,
        cluster: Some(domain::ClusterId(1)),
        key: format!("tenant={object}"),
        object: format!("cluster=local:tenant={object}"),
        verdict,
    }
}

fn a_hit(level: Option<Level>) -> Verdict {
    Verdict::Hit(Box::new(Hit {
        level,
        summary: "it is broken".to_owned(),
        value: None,
        threshold: None,
        labels: Vec::new(),
    }))
}

/// One rule of each way to recover.
const SAMPLES: [RuleId; 4] = [
    RuleId::LogDelay,
    RuleId::DataBackupFailed,
    RuleId::ClockStep,
    RuleId::StorageFull,
];

/// `None`: nothing is said about the object.
fn any_verdict() -> impl Strategy<Value = Option<Verdict>> {
    prop_oneof![
        4 => Just(Some(a_hit(None))),
        1 => Just(Some(a_hit(Some(Level::Stopped)))),
        6 => Just(Some(Verdict::Clear)),
        1 => Just(Some(Verdict::Moot("it is gone".to_owned()))),
        2 => Just(Some(Verdict::Unknown)),
        1 => Just(None),
    ]
}

/// When the row that was raised at `history[0]` is over: decided anew from everything seen since.
fn is_over(rule: RuleId, history: &[(Scn, Option<Verdict>)]) -> bool {
    let (now, last) = history.last().unwrap();
    if matches!(last, Some(Verdict::Moot(_))) {
        return true;
    }
    let (ns, counts): (u64, fn(&Option<Verdict>) -> bool) = match rule.rule().recovery {
        Recovery::Opposite => return matches!(last, Some(Verdict::Clear)),
        Recovery::Below(ns) => (ns, |seen| matches!(seen, Some(Verdict::Clear))),
        Recovery::Quiet(ns) => (ns, |seen| !matches!(seen, Some(Verdict::Hit(_)))),
    };
    (0..history.len()).any(|from| {
        history[from..].iter().all(|(_, seen)| counts(seen))
            && now.since_ns(history[from].0) >= ns
            && from + 1 < history.len()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn rows_equal_the_definition(
        ticks in proptest::collection::vec(
            (30u64..400, proptest::collection::vec(any_verdict(), SAMPLES.len())),
            1..40,
        ),
    ) {
        let mut rows: Vec<Row> = Vec::new();
        let mut now = NOW;
        // For each rule: what was seen since its open row was raised, and the rows that ended.
        let mut seen: Vec<Vec<(Scn, Option<Verdict>)>> = vec![Vec::new(); SAMPLES.len()];
        let mut expected: Vec<(RuleId, Scn, Option<Scn>)> = Vec::new();
        for (seconds, verdicts) in &ticks {
            now = now.plus_ns(seconds * NS_PER_SECOND);
            let findings: Vec<Finding> = SAMPLES
                .iter()
                .zip(verdicts)
                .filter_map(|(rule, verdict)| Some(finding(*rule, 1, verdict.clone()?)))
                .collect();
            let known: Vec<Open> = rows.iter().map(|row| row.open.clone()).collect();
            let changes = fold(&known, &findings, now);
            apply(&mut rows, &changes, now);
            for ((rule, verdict), seen) in SAMPLES.iter().zip(verdicts).zip(&mut seen) {
                if seen.is_empty() {
                    if matches!(verdict, Some(Verdict::Hit(_))) {
                        expected.push((*rule, now, None));
                        seen.push((now, verdict.clone()));
                    }
                    continue;
                }
                seen.push((now, verdict.clone()));
                if is_over(*rule, seen) {
                    let open = expected.iter_mut().rev().find(|row| row.0 == *rule).unwrap();
                    open.2 = Some(now);
                    seen.clear();
                }
            }
            let mut made: Vec<_> = rows
                .iter()
                .map(|row| (row.open.rule, row.generated, row.recovered_at))
                .collect();
            let mut wanted = expected.clone();
            made.sort();
            wanted.sort();
            prop_assert_eq!(made, wanted);
            // Last Generated At is the last hit of an open row.
            for (rule, seen) in SAMPLES.iter().zip(&seen) {
                let hits = seen.iter().rev().find(|(_, seen)| matches!(seen, Some(Verdict::Hit(_))));
                let open = rows.iter().find(|row| row.open.rule == *rule && !row.open.recovered);
                prop_assert_eq!(
                    open.map(|row| row.open.last_generated),
                    hits.map(|(at, _)| *at)
                );
            }
        }
    }

    #[test]
    fn masks_hold_until_their_time_and_a_clock_that_steps_breaks_nothing(
        ticks in proptest::collection::vec(
            (-7200i64..7200, any_verdict(), proptest::option::of(0u64..3600)),
            1..60,
        ),
    ) {
        let mut rows: Vec<Row> = Vec::new();
        let mut now = NOW;
        let rule = RuleId::DataBackupFailed;
        let mut quiet_until = Scn::ZERO;
        for (step, verdict, mask) in ticks {
            now = match u64::try_from(step) {
                Ok(on) => now.plus_ns(on * NS_PER_SECOND),
                Err(_) => now.minus_ns(step.unsigned_abs() * NS_PER_SECOND),
            };
            let findings: Vec<Finding> = verdict.into_iter().map(|v| finding(rule, 1, v)).collect();
            let known: Vec<Open> = rows.iter().map(|row| row.open.clone()).collect();
            let changes = fold(&known, &findings, now);
            for change in &changes {
                match change {
                    AlertChange::MaskEnded { .. } => {
                        prop_assert!(now >= quiet_until);
                        quiet_until = Scn::ZERO;
                    }
                    AlertChange::Raise { masked_until, .. } if now < quiet_until => {
                        prop_assert_eq!(*masked_until, Some(quiet_until));
                    }
                    AlertChange::Raise { masked_until, .. } => {
                        prop_assert!(masked_until.is_none_or(|until| until > now));
                    }
                    _ => {}
                }
            }
            apply(&mut rows, &changes, now);
            let open: Vec<usize> = (0..rows.len()).filter(|at| !rows[*at].open.recovered).collect();
            prop_assert!(open.len() <= 1, "one row per continuing fault");
            for row in &rows {
                prop_assert!(row.generated <= row.open.last_generated);
            }
            if let (Some(at), Some(seconds)) = (open.first(), mask) {
                // Clock steps and masks: what a person masks last counts.
                quiet_until = now.plus_ns((seconds + 1) * NS_PER_SECOND);
                for row in &mut rows {
                    row.open.masked_until = None;
                }
                rows[*at].open.masked_until = Some(quiet_until);
            }
        }
    }
}

#[test]
fn a_value_that_gets_graver_is_told_once() {
    let rule = RuleId::StorageFull;
    let mut rows = Vec::new();
    let mut told = Vec::new();
    for level in [None, Some(Level::Critical), Some(Level::Critical), None] {
        let known: Vec<Open> = rows.iter().map(|row: &Row| row.open.clone()).collect();
        let changes = fold(&known, &[finding(rule, 1, a_hit(level))], NOW);
        told.push(
            changes
                .iter()
                .any(|change| matches!(change, AlertChange::Again { worsened: true, .. })),
        );
        apply(&mut rows, &changes, NOW);
    }
    assert_eq!(told, [false, true, false, false]);
    assert_eq!(rows.len(), 1);
}

#[test]
fn a_quiet_cluster_has_no_finding_but_health() {
    let state = State {
        clusters: vec![cluster()],
        ..State::default()
    };
    let findings = evaluate(RULES, &state, NOW);
    let hits: Vec<_> = findings
        .iter()
        .filter(|finding| matches!(finding.verdict, Verdict::Hit(_)))
        .collect();
    assert!(hits.is_empty(), "{hits:?}");
    for rule in RULES {
        assert_eq!(
            findings.iter().any(|finding| finding.rule == rule.id),
            rule.id != RuleId::NotificationFailed,
            "{:?}",
            rule.id
        );
    }
}

#[test]
fn without_a_recent_look_nothing_observed_counts_as_healthy() {
    for change in [
        |cluster: &mut domain::alert::ClusterFacts| cluster.observed = Some(NOW.minus_ns(HOUR)),
        |cluster: &mut domain::alert::ClusterFacts| cluster.observed = None,
        |cluster: &mut domain::alert::ClusterFacts| cluster.fault = Some("no answer".to_owned()),
    ] {
        let mut cluster = cluster();
        change(&mut cluster);
        let state = State {
            clusters: vec![cluster],
            ..State::default()
        };
        for finding in evaluate(RULES, &state, NOW) {
            let rule = finding.rule.rule();
            let unasked = matches!(finding.verdict, Verdict::Moot(_));
            assert!(
                !rule.observed || unasked || finding.verdict == Verdict::Unknown,
                "{finding:?}"
            );
        }
        assert!(find(&state, RuleId::ClusterUnreachable) != Verdict::Clear);
    }
    let mut away = cluster();
    away.observed = Some(NOW.minus_ns(HOUR));
    away.fault = Some("the disk is not mounted".to_owned());
    let summary = hit(away, RuleId::ClusterUnreachable).summary;
    assert!(summary.contains("the disk is not mounted"), "{summary}");
}

#[test]
fn a_failed_backup_stays_failed_until_one_succeeds() {
    let failed = |at: u64, failure: Option<&str>| Ended {
        id: JobId(9),
        kind: JobKind::DataBackup,
        at: NOW.minus_ns(at),
        failure: failure.map(str::to_owned),
    };
    let with = |ended: Ended, newest_set: u64| {
        let mut cluster = cluster();
        cluster.tenants[0].ended = vec![ended];
        cluster.tenants[0].newest_set = Some(NOW.minus_ns(newest_set));
        State {
            clusters: vec![cluster],
            ..State::default()
        }
    };
    let rule = RuleId::DataBackupFailed;
    // Days later it has not become better by itself.
    for age in [MINUTE, HOUR, 5 * NS_PER_DAY] {
        let state = with(failed(age, Some("the disk is full")), age + HOUR);
        assert!(matches!(find(&state, rule), Verdict::Hit(_)));
    }
    assert_eq!(find(&with(failed(HOUR, None), HOUR), rule), Verdict::Clear);
    let later_set = with(failed(HOUR, Some("the disk is full")), MINUTE);
    assert_eq!(find(&later_set, rule), Verdict::Clear);
}

#[test]
fn log_that_is_late_is_told_with_or_without_a_strategy_but_not_where_a_person_stopped_it() {
    let rule = RuleId::LogDelay;
    let mut late = cluster();
    late.strategy = None;
    late.tenants[0].checkpoint = Some(NOW.minus_ns(HOUR + MINUTE));
    assert!(hit(late.clone(), rule).summary.contains("orders"));
    late.strategy = Some(StrategyFacts {
        thresholds: Thresholds {
            log_delay_s: 7200,
            ..Thresholds::default()
        },
        paused: true,
        modified: NOW,
        second: false,
    });
    let state = |cluster| State {
        clusters: vec![cluster],
        ..State::default()
    };
    assert_eq!(find(&state(late.clone()), rule), Verdict::Clear);
    late.tenants[0].checkpoint = Some(NOW.minus_ns(3 * HOUR));
    assert!(matches!(find(&state(late.clone()), rule), Verdict::Hit(_)));
    late.tenants[0].archive = Some(ArchiveState::Stop);
    assert!(matches!(find(&state(late.clone()), rule), Verdict::Moot(_)));
    assert!(matches!(
        find(&state(late.clone()), RuleId::RangeStopped),
        Verdict::Moot(_)
    ));
    let reminder = hit(late.clone(), RuleId::LogBackupStopped);
    assert!(reminder.summary.contains("stopped"), "{}", reminder.summary);
    assert_eq!(RuleId::LogBackupStopped.rule().level, Level::Reminder);
    assert!(matches!(
        find(&state(late.clone()), RuleId::NoSuccess),
        Verdict::Moot(_)
    ));
    assert!(matches!(
        find(&state(late), RuleId::SchedulingPaused),
        Verdict::Hit(_)
    ));
}

#[test]
fn days_without_success_count_from_the_last_one_or_from_the_beginning() {
    let mut old = cluster();
    old.strategy = None;
    old.tenants[0].newest_set = Some(NOW.minus_ns(9 * NS_PER_DAY));
    let state = |cluster| State {
        clusters: vec![cluster],
        ..State::default()
    };
    assert_eq!(find(&state(old.clone()), RuleId::NoSuccess), Verdict::Clear);
    old.tenants[0].newest_set = Some(NOW.minus_ns(9 * NS_PER_DAY + 1));
    assert!(
        hit(old.clone(), RuleId::NoSuccess)
            .summary
            .contains("9\u{a0}d")
    );
    old.tenants[0].newest_set = None;
    old.tenants[0].archive_started = Some(NOW.minus_ns(10 * NS_PER_DAY));
    let summary = hit(old, RuleId::NoSuccess).summary;
    assert!(summary.contains("never"), "{summary}");
}

#[test]
fn what_stands_still_or_runs_too_long_is_told() {
    let mut busy = cluster();
    busy.tenants[0].running = vec![Running {
        id: JobId(4),
        kind: JobKind::DataBackup,
        started: NOW.minus_ns(HOUR + 1),
        phase: "Copying pages".to_owned(),
        still_since: NOW.minus_ns(15 * MINUTE + 1),
    }];
    assert!(
        hit(busy.clone(), RuleId::DataBackupTimeout)
            .summary
            .contains("Data backup 4")
    );
    assert!(
        hit(busy, RuleId::ProgressStalled)
            .summary
            .contains("Task 4")
    );
}

#[test]
fn storages_tell_what_is_wrong_with_them_and_what_is_not_known_is_not_healthy() {
    let with = |change: &dyn Fn(&mut domain::alert::StorageFacts)| {
        let mut cluster = cluster();
        let mut storage = storage();
        change(&mut storage);
        cluster.storages = Some(vec![storage]);
        State {
            clusters: vec![cluster],
            ..State::default()
        }
    };
    let full = |percent| with(&|one| one.size = SizeReading::Used(percent));
    let rule = RuleId::StorageFull;
    assert_eq!(find(&full(79), rule), Verdict::Clear);
    let level = |state: &State| match find(state, rule) {
        Verdict::Hit(hit) => hit.level,
        other => panic!("{other:?}"),
    };
    assert_eq!(level(&full(80)), None);
    assert_eq!(level(&full(95)), Some(Level::Critical));
    let away = with(&|one| {
        one.fault = Some("it is not mounted".to_owned());
        one.size = SizeReading::Failed("it is not mounted".to_owned());
    });
    assert_eq!(find(&away, rule), Verdict::Unknown);
    assert_eq!(find(&away, RuleId::StorageSizeFailed), Verdict::Unknown);
    assert_eq!(find(&away, RuleId::DestinationChanged), Verdict::Unknown);
    assert!(matches!(
        find(&away, RuleId::StorageUnreachable),
        Verdict::Hit(_)
    ));
    let other = with(&|one| one.identity_changed = true);
    assert!(matches!(
        find(&other, RuleId::DestinationChanged),
        Verdict::Hit(_)
    ));
    let slow = with(&|one| one.size = SizeReading::TimedOut("no answer in 10 s".to_owned()));
    assert!(matches!(
        find(&slow, RuleId::StorageSizeTimeout),
        Verdict::Hit(_)
    ));
}

#[test]
fn gaps_that_nobody_wanted_and_backups_that_nobody_read_are_told() {
    let mut bad = cluster();
    let gap = |cause, until| Gap {
        since: NOW.minus_ns(5 * HOUR),
        until: Some(until),
        cause,
        note: "the log was lost".to_owned(),
    };
    bad.tenants[0].gaps = vec![gap(GapCause::LogLost, NOW.minus_ns(HOUR))];
    assert!(
        hit(bad.clone(), RuleId::GapInLog)
            .summary
            .contains("between")
    );
    let state = |cluster| State {
        clusters: vec![cluster],
        ..State::default()
    };
    bad.tenants[0].gaps = vec![
        gap(GapCause::LogLost, NOW.minus_ns(25 * HOUR)),
        gap(GapCause::StoppedByPerson, NOW.minus_ns(HOUR)),
    ];
    assert_eq!(find(&state(bad.clone()), RuleId::GapInLog), Verdict::Clear);

    bad.tenants[0].oldest_set = Some(NOW.minus_ns(31 * NS_PER_DAY));
    assert!(
        hit(bad.clone(), RuleId::NeverVerified)
            .summary
            .contains("never")
    );
    let verified = |faults: u64| Verified {
        at: NOW.minus_ns(HOUR),
        faults,
        first_fault: (faults > 0).then(|| "segment 7 is damaged".to_owned()),
    };
    bad.tenants[0].verified = Some(verified(0));
    assert_eq!(
        find(&state(bad.clone()), RuleId::NeverVerified),
        Verdict::Clear
    );
    assert_eq!(
        find(&state(bad.clone()), RuleId::VerifyFailed),
        Verdict::Clear
    );
    bad.tenants[0].verified = Some(verified(2));
    assert!(hit(bad, RuleId::VerifyFailed).summary.contains("segment 7"));
}

#[test]
fn a_run_that_was_missed_is_told_until_everything_is_backed_up() {
    let run = |outcome, age: u64| RunFacts {
        due: NOW.minus_ns(age),
        outcome,
        cause: Some("the console was not running".to_owned()),
    };
    let with = |runs: Vec<RunFacts>, newest_set: u64| {
        let mut cluster = cluster();
        cluster.runs = runs;
        cluster.tenants[0].newest_set = Some(NOW.minus_ns(newest_set));
        State {
            clusters: vec![cluster],
            ..State::default()
        }
    };
    let rule = RuleId::ScheduleFailed;
    let is_hit = |state: &State| matches!(find(state, rule), Verdict::Hit(_));
    assert!(is_hit(&with(vec![run(RunOutcome::Missed, HOUR)], 2 * HOUR)));
    assert!(!is_hit(&with(vec![run(RunOutcome::Missed, HOUR)], MINUTE)));
    let skipped = || run(RunOutcome::Skipped, HOUR);
    assert!(!is_hit(&with(vec![skipped()], 9 * HOUR)));
    assert!(is_hit(&with(vec![skipped(), skipped()], 9 * HOUR)));
    let canceled = vec![
        run(RunOutcome::Canceled, MINUTE),
        run(RunOutcome::Failed, HOUR),
    ];
    assert!(is_hit(&with(canceled, 9 * HOUR)));
    let good = vec![
        run(RunOutcome::Completed, MINUTE),
        run(RunOutcome::Failed, HOUR),
    ];
    assert!(!is_hit(&with(good, 9 * HOUR)));
}

#[test]
fn rules_that_mean_nothing_for_a_cluster_are_left_out_with_the_reason() {
    let state = State {
        clusters: vec![cluster()],
        ..State::default()
    };
    let Verdict::Moot(why) = find(&state, RuleId::ProcessDead) else {
        panic!("this engine has no processes of its own");
    };
    assert!(why.contains("console itself"), "{why}");
    let mut faulty = cluster();
    faulty.tenants = vec![tenant(TenantState::Faulty)];
    assert!(
        hit(faulty, RuleId::TenantFaulty)
            .summary
            .contains("cannot be used")
    );
}

#[test]
fn a_console_that_was_away_says_so_once() {
    let mut state = State::default();
    state.console.evaluated = Some(NOW.minus_ns(HOUR));
    assert_eq!(find(&state, RuleId::ConsoleWasDown), Verdict::Clear);
    state.console.started_just_now = true;
    assert!(matches!(
        find(&state, RuleId::ConsoleWasDown),
        Verdict::Hit(_)
    ));
    state.console.evaluated = Some(NOW.minus_ns(MINUTE));
    assert_eq!(find(&state, RuleId::ConsoleWasDown), Verdict::Clear);
}
