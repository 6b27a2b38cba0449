//! Schedules kept: on time, after a stop, while something runs, with a clock that steps.

use crate::{
    judge,
    kills::founded,
    process::{LOCAL, Process, Site},
};
use control::Error;
use domain::{
    JobId, Scn,
    backup::{BackupKind, Trigger},
    job::{JobKind, JobState},
    page::TaskFilter,
    second_backup::LogCycle,
    storage::{StorageKind, StorageSettings},
    strategy::{
        CleanupSettings, Cycle, RunKind, RunOutcome, Schedule, ScheduleRun, SecondSettings,
        StrategySettings, TimeOfDay,
    },
    task::Step,
};
use std::time::Duration;

/// Settings of a second backup.
pub(crate) fn second(log_cycle: LogCycle) -> SecondSettings {
    SecondSettings {
        data: true,
        log_cycle,
        retention_days: None,
        limit_bytes_per_s: None,
        storage: StorageSettings {
            name: "second".to_owned(),
            kind: StorageKind::File,
            directory: "/second".to_owned(),
            object: None,
            capacity_percent: 80,
        },
    }
}

fn at(hour: u8) -> TimeOfDay {
    TimeOfDay { hour, minute: 0 }
}

/// Makes a strategy: full backups each day at 02:00 UTC, and what `more` says.
pub(crate) async fn with(process: &Process, more: impl FnOnce(&mut StrategySettings)) {
    made(process, more).await.unwrap();
}

async fn made(process: &Process, more: impl FnOnce(&mut StrategySettings)) -> Result<(), Error> {
    let admin = process.admin();
    let mut settings = process.viewer().strategy_form(LOCAL).await?.settings;
    settings.schedule = Schedule {
        cycle: Cycle::Week,
        days: (1..=7).map(|day| (day, BackupKind::Full)).collect(),
        at: at(2),
        zone: "UTC".to_owned(),
    };
    settings.cleanup = CleanupSettings {
        enabled: false,
        retention_days: 2,
        at: at(4),
    };
    more(&mut settings);
    if let Some(second) = &settings.second {
        admin.test_storage(LOCAL, &second.storage, true).await?;
    }
    admin.create_strategy(LOCAL, &settings).await?;
    Ok(())
}

fn runs(process: &Process, kind: RunKind) -> Vec<ScheduleRun> {
    let filter = TaskFilter {
        size: 50,
        ascending: true,
        ..TaskFilter::default()
    };
    let viewer = process.viewer();
    let page = process.run(viewer.schedule_history(LOCAL, kind, &filter));
    page.unwrap().unwrap().rows
}

fn outcomes(process: &Process) -> Vec<(String, RunOutcome)> {
    let runs = runs(process, RunKind::DataBackup).into_iter();
    runs.map(|run| (run.due.display_seconds()[..16].to_owned(), run.outcome))
        .collect()
}

fn steps(process: &Process, task: JobId) -> Vec<Step> {
    let viewer = process.viewer();
    process.run(viewer.steps(LOCAL, task)).unwrap().unwrap()
}

fn texts(process: &Process, task: JobId) -> Vec<String> {
    let steps = steps(process, task).into_iter();
    steps.map(|step| step.text).collect()
}

/// Lets time pass until the clock shows `moment`, as a process that sleeps, and a little more.
fn pass_to(site: &Site, process: &Process, moment: &str) {
    let moment = Scn::parse_rfc3339(moment).unwrap();
    while site.world.now() < moment {
        let left = Duration::from_nanos(moment.since_ns(site.world.now()));
        let step = left.min(Duration::from_secs(4 * 3600));
        process.pass(1, step).unwrap();
        process.pass(1, Duration::from_millis(50)).unwrap();
    }
    process.pass(8, Duration::from_millis(600)).unwrap();
}

#[test]
fn a_due_moment_backs_up_every_tenant_and_its_sets_are_copied() {
    let (site, process) = founded();
    process
        .run(async {
            process
                .operator()
                .create_tenant(LOCAL, "stock")
                .await
                .unwrap();
            with(&process, |settings| {
                settings.second = Some(second(LogCycle::Hourly));
                settings.cleanup.enabled = true;
            })
            .await;
        })
        .unwrap();
    process.pass(8, Duration::from_millis(600)).unwrap();
    pass_to(&site, &process, "2027-11-30T02:00:01Z");
    let found = runs(&process, RunKind::DataBackup);
    assert_eq!(found.len(), 1, "{found:?}");
    let run = &found[0];
    assert_eq!(
        (run.outcome, run.tasks.len(), run.backup, &run.cause),
        (RunOutcome::Completed, 2, Some(BackupKind::Full), &None),
        "{run:?}"
    );
    assert!(run.ended >= Some(run.started) && run.started >= run.due);
    let told = texts(&process, run.tasks[0]);
    assert_eq!(told[0], "Queued by the schedule");
    assert_eq!(told[1], "Attempt 1 begins");
    assert!(
        told[2].starts_with("The engine works on it, as e"),
        "{told:?}"
    );
    assert!(
        told.iter().any(|text| text.starts_with("Completed")),
        "{told:?}"
    );
    assert!(
        told.last()
            .unwrap()
            .contains("copies the set to the second destination")
    );
    let copies = process.run(async {
        let filter = TaskFilter::default();
        process
            .viewer()
            .tasks(LOCAL, JobKind::SecondData, &filter)
            .await
            .unwrap()
    });
    let copies = copies.unwrap().rows;
    // Those of the run, and the first set of the new tenant if it came after the strategy.
    assert!(copies.len() >= 2, "{copies:?}");
    assert!(copies.iter().all(|copy| copy.state == JobState::Completed));
    // Of the hours that passed while the process slept the newest is kept, the others are told.
    let logs = runs(&process, RunKind::SecondLog);
    let (last, missed) = logs.split_last().unwrap();
    assert_eq!(last.outcome, RunOutcome::Completed, "{last:?}");
    assert!(missed.iter().all(|run| run.outcome != RunOutcome::Running));
    pass_to(&site, &process, "2027-11-30T04:00:01Z");
    let cleanups = runs(&process, RunKind::Cleanup);
    assert_eq!(
        (cleanups.len(), cleanups[0].outcome, cleanups[0].tasks.len()),
        (1, RunOutcome::Completed, 4),
        "two tenants at two places: {cleanups:?}"
    );
    judge::judge(&site, &process, 1);
}

#[test]
fn what_was_missed_is_told_and_only_the_newest_is_begun_while_it_is_not_too_late() {
    for (hours_late, last) in [(5, RunOutcome::Completed), (7, RunOutcome::Missed)] {
        let (site, process) = founded();
        process.run(with(&process, |_| {})).unwrap();
        drop(process);
        let start = Scn::parse_rfc3339("2027-12-02T02:00:00Z").unwrap();
        let late = start.since_ns(site.world.now()) / 1_000_000_000 + hours_late * 3600;
        site.clock.step_s(i64::try_from(late).unwrap());
        let process = site.start().unwrap();
        process.pass(8, Duration::from_millis(600)).unwrap();
        assert_eq!(
            outcomes(&process),
            [
                ("2027-11-30 02:00".to_owned(), RunOutcome::Missed),
                ("2027-12-01 02:00".to_owned(), RunOutcome::Missed),
                ("2027-12-02 02:00".to_owned(), last),
            ]
        );
        let found = runs(&process, RunKind::DataBackup);
        let cause = found[0].cause.clone().unwrap();
        assert!(cause.contains("not running"), "{cause}");
    }
}

#[test]
fn a_moment_that_meets_a_backup_is_skipped_and_says_which() {
    let (site, process) = founded();
    process.run(with(&process, |_| {})).unwrap();
    site.world.state().faults.stick_jobs = 1;
    pass_to(&site, &process, "2027-11-30T02:00:01Z");
    let task = runs(&process, RunKind::DataBackup)[0].tasks[0];
    pass_to(&site, &process, "2027-12-01T02:00:01Z");
    let found = runs(&process, RunKind::DataBackup);
    assert_eq!(
        (found[0].outcome, found[1].outcome),
        (RunOutcome::Running, RunOutcome::Skipped)
    );
    let cause = found[1].cause.clone().unwrap();
    let named = format!("data backup task {task} of tenant orders is not finished");
    assert!(cause.contains(&named), "{cause}");
    // It stands still, and that can be told.
    let shown = process.run(async { process.viewer().task(LOCAL, task).await.unwrap() });
    let shown = shown.unwrap();
    let (hour, now) = (3_600_000_000_000, site.world.now());
    assert!(domain::job::stands_still(
        shown.state,
        shown.moved,
        now,
        hour
    ));
    site.world.heal();
    process.pass(40, Duration::from_millis(600)).unwrap();
    assert_eq!(
        runs(&process, RunKind::DataBackup)[0].outcome,
        RunOutcome::Completed
    );
    let orders = texts(&process, task);
    assert!(
        orders.last().unwrap().starts_with("Completed"),
        "{orders:?}"
    );
}

#[test]
fn paused_means_nothing_and_what_was_due_meanwhile_is_not_made_up_for() {
    let (site, process) = founded();
    process.run(with(&process, |_| {})).unwrap();
    let operator = process.operator();
    process
        .run(operator.pause_strategy(LOCAL))
        .unwrap()
        .unwrap();
    pass_to(&site, &process, "2027-12-01T12:00:00Z");
    process
        .run(operator.resume_strategy(LOCAL))
        .unwrap()
        .unwrap();
    process.pass(8, Duration::from_millis(600)).unwrap();
    assert_eq!(outcomes(&process), []);
    pass_to(&site, &process, "2027-12-02T02:00:01Z");
    assert_eq!(
        outcomes(&process),
        [("2027-12-02 02:00".to_owned(), RunOutcome::Completed)]
    );
}

#[test]
fn a_run_without_a_tenant_that_can_be_backed_up_says_why() {
    let (site, process) = founded();
    process.run(with(&process, |_| {})).unwrap();
    process
        .run(async {
            let operator = process.operator();
            let tenant = process.viewer().tenants(LOCAL).await.unwrap()[0].id;
            operator
                .stop_log_backup(LOCAL, tenant, "moving")
                .await
                .unwrap();
        })
        .unwrap();
    pass_to(&site, &process, "2027-11-30T02:00:01Z");
    let run = &runs(&process, RunKind::DataBackup)[0];
    assert_eq!((run.outcome, run.tasks.len()), (RunOutcome::Skipped, 0));
    let cause = run.cause.clone().unwrap();
    assert!(
        cause.contains("log backup of tenant orders is Stopped"),
        "{cause}"
    );
}

#[test]
fn a_failed_run_is_complete_once_its_task_was_tried_again() {
    let (site, process) = founded();
    process.run(with(&process, |_| {})).unwrap();
    site.world.state().faults.fail_jobs = 1;
    pass_to(&site, &process, "2027-11-30T02:00:01Z");
    let run = runs(&process, RunKind::DataBackup).remove(0);
    assert_eq!(run.outcome, RunOutcome::Failed);
    assert!(
        run.cause
            .unwrap()
            .contains("the destination is full; free 3 GB")
    );
    let failed = run.tasks[0];
    let operator = process.operator();
    let again = process
        .run(async {
            let first = operator.retry(LOCAL, failed).await.unwrap();
            let second = operator.retry(LOCAL, failed).await.unwrap();
            assert_eq!(first, second, "a double click");
            first
        })
        .unwrap();
    assert_eq!(
        runs(&process, RunKind::DataBackup)[0].outcome,
        RunOutcome::Running
    );
    process.pass(8, Duration::from_millis(600)).unwrap();
    let run = runs(&process, RunKind::DataBackup).remove(0);
    assert_eq!(
        (run.outcome, run.tasks),
        (RunOutcome::Completed, vec![failed, again])
    );
    let task = process.run(async { process.viewer().task(LOCAL, again).await.unwrap() });
    let task = task.unwrap();
    assert_eq!(
        (task.trigger, task.retry_of),
        (Trigger::Retry, Some(failed))
    );
    let refused = process.run(operator.retry(LOCAL, failed)).unwrap();
    assert!(
        refused
            .unwrap_err()
            .to_string()
            .contains("which is complete")
    );
    let refused = process.run(operator.retry(LOCAL, again)).unwrap();
    assert!(
        refused
            .unwrap_err()
            .to_string()
            .contains("nothing to retry")
    );
    let told = texts(&process, failed);
    assert!(told.last().unwrap().contains("tries it again"), "{told:?}");
    judge::judge(&site, &process, 2);
}

#[test]
fn a_clock_that_is_set_an_hour_back_or_forward_does_nothing_twice_and_loses_nothing() {
    let (site, process) = founded();
    process.run(with(&process, |_| {})).unwrap();
    pass_to(&site, &process, "2027-11-30T02:10:00Z");
    site.clock.step_s(-3600);
    process.pass(4, Duration::from_secs(20)).unwrap();
    pass_to(&site, &process, "2027-11-30T02:20:00Z");
    let once = ("2027-11-30 02:00".to_owned(), RunOutcome::Completed);
    assert_eq!(outcomes(&process), std::slice::from_ref(&once));
    // Forward over the next one, and back: it has had its run.
    pass_to(&site, &process, "2027-12-01T01:30:00Z");
    site.clock.step_s(3600);
    process.pass(4, Duration::from_secs(20)).unwrap();
    site.clock.step_s(-3600);
    process.pass(4, Duration::from_secs(20)).unwrap();
    pass_to(&site, &process, "2027-12-01T02:10:00Z");
    let twice = ("2027-12-01 02:00".to_owned(), RunOutcome::Completed);
    assert_eq!(outcomes(&process), [once.clone(), twice.clone()]);
    // A month ahead and back: what was told as missed there is still to come.
    site.clock.step_s(30 * 86_400);
    process.pass(4, Duration::from_secs(20)).unwrap();
    assert!(outcomes(&process).len() > 30);
    site.clock.step_s(-30 * 86_400);
    process.pass(4, Duration::from_secs(20)).unwrap();
    pass_to(&site, &process, "2027-12-02T02:10:00Z");
    let third = ("2027-12-02 02:00".to_owned(), RunOutcome::Completed);
    let found = outcomes(&process);
    assert_eq!(found[..3], [once, twice, third]);
    // Ahead there was one that was begun, and it is not begun again.
    assert_eq!(found.len(), 4, "{found:?}");
}

#[test]
fn a_clock_that_is_set_far_forward_removes_nothing() {
    let (_site, process) = founded();
    process
        .run(with(&process, |settings| settings.cleanup.enabled = true))
        .unwrap();
    process.pass(4, Duration::from_millis(600)).unwrap();
    let site = _site;
    site.clock.step_s(365 * 86_400 + 6 * 3600);
    process.pass(4, Duration::from_secs(20)).unwrap();
    let last = runs(&process, RunKind::Cleanup).pop();
    let filter = TaskFilter::default();
    let viewer = process.viewer();
    let tasks = process
        .run(viewer.tasks(LOCAL, JobKind::Cleanup, &filter))
        .unwrap()
        .unwrap();
    assert_eq!(tasks.total, 0, "{last:?}");
}

#[test]
fn the_leap_day_has_its_run_and_other_years_leave_it_out() {
    let (site, process) = founded();
    process
        .run(with(&process, |settings| {
            settings.schedule.cycle = Cycle::Month;
            settings.schedule.days = [(29, BackupKind::Full)].into();
        }))
        .unwrap();
    pass_to(&site, &process, "2028-03-01T00:00:00Z");
    let days: Vec<String> = outcomes(&process)
        .into_iter()
        .filter(|(_, outcome)| *outcome == RunOutcome::Completed)
        .map(|(due, _)| due[..10].to_owned())
        .collect();
    assert_eq!(days, ["2027-12-29", "2028-01-29", "2028-02-29"]);
    assert_eq!(judge::open(&site), Vec::<String>::new());
    let copies = process.run(async {
        let filter = TaskFilter::default();
        let viewer = process.viewer();
        viewer
            .tasks(LOCAL, JobKind::SecondData, &filter)
            .await
            .unwrap()
    });
    assert_eq!(
        copies.unwrap().total,
        0,
        "without a second backup nothing is copied"
    );
}
