//! Strategies: made, changed by two people at once, paused, deleted; what is refused and what the audit keeps.

use crate::stage::{LOCAL, Stage, admin, backup_in, eventually, operator, viewer};
use control::{Console, Error, ErrorKind};
use domain::{
    Revision,
    archive::ArchiveState,
    backup::BackupKind,
    cluster::ScheduleStatus,
    job::JobState,
    strategy::{BackupStrategy, LogBackupEnd, StrategySettings, label},
};

/// What the form of the stage's cluster begins with.
pub(crate) async fn proposal(console: &Console) -> StrategySettings {
    viewer(console).strategy_form(LOCAL).await.unwrap().settings
}

/// A strategy as it is proposed.
pub(crate) async fn created(console: &Console) -> BackupStrategy {
    let settings = proposal(console).await;
    let saved = admin(console).create_strategy(LOCAL, &settings).await;
    saved.unwrap().strategy
}

pub(crate) fn fields(error: &Error) -> Vec<String> {
    match error.kind() {
        ErrorKind::Invalid(wrong) => wrong.into_iter().map(|wrong| wrong.field).collect(),
        other => panic!("not a matter of input: {other:?}"),
    }
}

fn conflict(error: &Error) -> String {
    match error.kind() {
        ErrorKind::Conflict(text) => text,
        other => panic!("no conflict: {other:?}"),
    }
}

async fn audit(stage: &Stage) -> Vec<(String, String)> {
    let mut audits = stage.store().await.audits().await.unwrap();
    audits.reverse();
    let strategies = audits
        .into_iter()
        .filter(|entry| entry.operation.contains("backup s"));
    strategies
        .map(|entry| (entry.operation, entry.detail))
        .collect()
}

async fn status(console: &Console) -> (ScheduleStatus, Option<Revision>) {
    let summary = viewer(console).overview(LOCAL).await.unwrap().summary;
    (summary.status, summary.strategy_rev)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proposal_can_be_saved_as_it_is_and_is_shown_with_its_next_runs() {
    let (stage, console, _) = Stage::with_tenant().await;
    assert_eq!(status(&console).await, (ScheduleStatus::None, None));
    assert_eq!(viewer(&console).strategy(LOCAL).await.unwrap(), None);
    let settings = proposal(&console).await;
    assert_eq!(settings.storage.name, LOCAL);
    let own = stage.dir.path().join("backup/local");
    assert_eq!(settings.storage.directory, own.to_str().unwrap());
    let told = viewer(&console).preview(&settings.schedule).await.unwrap();
    let made = created(&console).await;
    assert_eq!(made.settings, settings);
    assert_eq!(
        status(&console).await,
        (ScheduleStatus::Waiting, Some(made.rev))
    );
    let report = viewer(&console).strategy(LOCAL).await.unwrap().unwrap();
    assert_eq!(report.next, told);
    assert_eq!(
        (report.next.len(), report.modified_by.as_str()),
        (5, "tester")
    );
    assert_eq!(report.strategy, made);
    let form = viewer(&console).strategy_form(LOCAL).await.unwrap();
    assert_eq!((form.settings, form.rev), (settings, Some(made.rev)));
    assert!(form.zones.len() > 300 && form.storages[0].first_of == [LOCAL]);
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_wrong_field_is_told_at_once_and_nothing_is_written() {
    let (stage, console, _) = Stage::with_tenant().await;
    let mut settings = proposal(&console).await;
    settings.schedule.days.clear();
    settings.schedule.zone = "Mars/Olympus".to_owned();
    settings.thresholds.log_delay_s = 0;
    settings.storage.name = "x".to_owned();
    let refused = admin(&console)
        .create_strategy(LOCAL, &settings)
        .await
        .unwrap_err();
    assert_eq!(
        fields(&refused),
        [
            label::STORAGE_NAME,
            label::DAYS,
            label::LOG_DELAY,
            label::ZONE
        ]
    );
    let refused = viewer(&console)
        .preview(&settings.schedule)
        .await
        .unwrap_err();
    assert_eq!(fields(&refused), [label::DAYS, label::ZONE]);
    assert_eq!(audit(&stage).await, []);
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_submitted_twice_is_one_strategy_and_another_is_refused() {
    let (stage, console, _) = Stage::with_tenant().await;
    let settings = proposal(&console).await;
    let admin = admin(&console);
    let (first, second) = tokio::join!(
        admin.create_strategy(LOCAL, &settings),
        admin.create_strategy(LOCAL, &settings)
    );
    assert_eq!(first.unwrap().strategy, second.unwrap().strategy);
    assert_eq!(audit(&stage).await.len(), 1);
    let mut other = settings.clone();
    other.schedule.at.hour = 5;
    let refused = admin.create_strategy(LOCAL, &other).await.unwrap_err();
    let text = conflict(&refused);
    assert!(
        text.contains("already") && text.contains("tester"),
        "{text}"
    );
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_change_it_the_second_is_told_what_the_first_did() {
    let (stage, console, _) = Stage::with_tenant().await;
    let made = created(&console).await;
    let admin = admin(&console);
    let refused = admin
        .modify_strategy(LOCAL, made.rev, &made.settings)
        .await
        .unwrap_err();
    assert!(conflict(&refused).contains("nothing was changed"));

    let mut earlier = made.settings.clone();
    earlier.schedule.at.hour = 4;
    let saved = admin
        .modify_strategy(LOCAL, made.rev, &earlier)
        .await
        .unwrap();
    let told: Vec<String> = saved.changes.iter().map(ToString::to_string).collect();
    assert_eq!(told, ["Scheduling time: 02:00 -> 04:00"]);

    let mut mine = made.settings.clone();
    mine.thresholds.no_success_days = 3;
    let refused = admin
        .modify_strategy(LOCAL, made.rev, &mine)
        .await
        .unwrap_err();
    let text = conflict(&refused);
    assert!(
        text.contains("by tester") && text.contains("Scheduling time: 02:00 -> 04:00"),
        "{text}"
    );
    assert!(!text.contains("create backup strategy"), "{text}");
    // The second click of the first one finds it done.
    let again = admin
        .modify_strategy(LOCAL, made.rev, &earlier)
        .await
        .unwrap();
    assert_eq!(
        (again.strategy, again.changes),
        (saved.strategy.clone(), Vec::new())
    );
    mine.schedule.at.hour = 4;
    admin
        .modify_strategy(LOCAL, saved.strategy.rev, &mine)
        .await
        .unwrap();
    assert_eq!(audit(&stage).await.len(), 3);
    let refused = admin
        .delete_strategy(LOCAL, made.rev, LogBackupEnd::Keep)
        .await
        .unwrap_err();
    assert!(conflict(&refused).contains("No successful data backup: 9 days -> 3 days"));
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pausing_and_taking_up_again_is_told_and_done_once() {
    let (stage, console, _) = Stage::with_tenant().await;
    let refused = operator(&console).pause_strategy(LOCAL).await.unwrap_err();
    assert!(
        matches!(refused.kind(), ErrorKind::NotFound { .. }),
        "{refused}"
    );
    let made = created(&console).await;
    let rev = viewer(&console).overview(LOCAL).await.unwrap().rev;
    for _ in 0..2 {
        operator(&console).pause_strategy(LOCAL).await.unwrap();
    }
    let delta = viewer(&console).feed(LOCAL, rev).await.unwrap();
    assert_eq!(delta.summary.unwrap().status, ScheduleStatus::Paused);
    let report = viewer(&console).strategy(LOCAL).await.unwrap().unwrap();
    assert!(report.strategy.paused && report.next.is_empty() && report.paused_at.is_some());
    assert_eq!(report.strategy.settings, made.settings);
    stage.clock.advance_s(60);
    for _ in 0..2 {
        operator(&console).resume_strategy(LOCAL).await.unwrap();
    }
    let report = viewer(&console).strategy(LOCAL).await.unwrap().unwrap();
    assert!(!report.strategy.paused && report.strategy.modified > made.modified);
    assert_eq!(report.strategy.created, made.created);
    let done: Vec<String> = audit(&stage)
        .await
        .into_iter()
        .map(|(what, _)| what)
        .collect();
    assert_eq!(
        done,
        [
            "create backup strategy",
            "pause backup scheduling",
            "start backup scheduling"
        ]
    );
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn log_backup_starts_with_a_strategy_and_ends_with_it_when_that_is_asked() {
    let (stage, console, tenant) = Stage::with_tenant().await;
    operator(&console)
        .stop_log_backup(LOCAL, tenant, "moving")
        .await
        .unwrap();
    let settings = proposal(&console).await;
    let saved = admin(&console)
        .create_strategy(LOCAL, &settings)
        .await
        .unwrap();
    assert_eq!(saved.notes, ["Log backup of tenant orders was started."]);
    let state = async || {
        let archives = viewer(&console)
            .archives(LOCAL, &Default::default())
            .await
            .unwrap();
        archives.rows[0].state.clone()
    };
    assert_eq!(state().await, ArchiveState::Doing);

    // A backup that runs needs its log: it goes on, and so does log backup.
    stage.fake.world().hold = true;
    let begun = eventually(
        "the backup of the new round, or one beside it",
        async || {
            operator(&console)
                .back_up_now(LOCAL, Some(tenant), BackupKind::Full)
                .await
                .ok()
        },
    )
    .await;
    backup_in(&console, begun.tasks[0], JobState::Running).await;
    let rev = saved.strategy.rev;
    let notes = admin(&console)
        .delete_strategy(LOCAL, rev, LogBackupEnd::Stop)
        .await
        .unwrap();
    assert!(
        notes.len() == 1 && notes[0].contains("goes on"),
        "{notes:?}"
    );
    assert_eq!(status(&console).await, (ScheduleStatus::None, None));
    stage.fake.world().hold = false;
    backup_in(&console, begun.tasks[0], JobState::Completed).await;

    let made = created(&console).await;
    admin(&console)
        .delete_strategy(LOCAL, made.rev, LogBackupEnd::Keep)
        .await
        .unwrap();
    assert_eq!(state().await, ArchiveState::Doing);
    let made = created(&console).await;
    let notes = admin(&console)
        .delete_strategy(LOCAL, made.rev, LogBackupEnd::Stop)
        .await
        .unwrap();
    assert_eq!(notes, ["Log backup of tenant orders was stopped."]);
    assert_eq!(state().await, ArchiveState::Stop);
    let refused = admin(&console)
        .delete_strategy(LOCAL, made.rev, LogBackupEnd::Keep)
        .await;
    assert!(matches!(
        refused.unwrap_err().kind(),
        ErrorKind::NotFound { .. }
    ));
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strategy_outlives_the_console() {
    let (stage, console, _) = Stage::with_tenant().await;
    let made = created(&console).await;
    console.shut_down().await;
    let console = stage.console().await;
    let report = viewer(&console).strategy(LOCAL).await.unwrap().unwrap();
    assert_eq!(report.strategy, made);
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_keeps_what_was_before_and_after_each_change() {
    let (stage, console, _) = Stage::with_tenant().await;
    let made = created(&console).await;
    let mut settings = made.settings.clone();
    settings.thresholds.no_success_days = 3;
    let saved = admin(&console)
        .modify_strategy(LOCAL, made.rev, &settings)
        .await
        .unwrap();
    admin(&console)
        .delete_strategy(LOCAL, saved.strategy.rev, LogBackupEnd::Keep)
        .await
        .unwrap();
    let days = |json: Option<String>| {
        json.map(|json| {
            let kept: StrategySettings = serde_json::from_str(&json).unwrap();
            kept.thresholds.no_success_days
        })
    };
    let mut audits = stage.store().await.audits().await.unwrap();
    audits.retain(|entry| entry.operation.ends_with("backup strategy"));
    audits.reverse();
    let kept: Vec<_> = audits
        .into_iter()
        .map(|entry| (days(entry.before), days(entry.after)))
        .collect();
    let first = made.settings.thresholds.no_success_days;
    assert_eq!(
        kept,
        [(None, Some(first)), (Some(first), Some(3)), (Some(3), None)]
    );
    console.shut_down().await;
}
