//! Storages of strategies: tested before they are used, named once, and never the same twice.

use crate::{
    stage::{LOCAL, Stage, admin, eventually, global_admin, operator, viewer},
    strategies::{created, fields, proposal},
};
use control::{Console, ErrorKind};
use domain::{
    backup::BackupKind,
    cluster::NewCluster,
    second_backup::LogCycle,
    storage::{ProbeReport, ProbeStep, StorageKind, StorageSettings},
    strategy::{LogBackupEnd, SecondSettings, StrategySettings, label},
};
use std::path::Path;

const DAY_S: u64 = 24 * 3600;

fn storage(name: &str, directory: &str) -> StorageSettings {
    StorageSettings {
        name: name.to_owned(),
        kind: StorageKind::File,
        directory: directory.to_owned(),
        object: None,
        capacity_percent: 80,
    }
}

/// The proposal with a second backup to a directory.
async fn with_second(console: &Console, directory: &str) -> StrategySettings {
    let mut settings = proposal(console).await;
    settings.second = Some(SecondSettings {
        data: true,
        log_cycle: LogCycle::Daily,
        retention_days: None,
        limit_bytes_per_s: None,
        storage: storage("copy", directory),
    });
    settings
}

fn second_directory() -> Vec<String> {
    vec![format!("{}{}", label::SECOND_PREFIX, label::DIRECTORY)]
}

async fn test_second(console: &Console, directory: &str) -> ProbeReport {
    let storage = storage("copy", directory);
    admin(console)
        .test_storage(LOCAL, &storage, true)
        .await
        .unwrap()
}

fn found(empty: bool, failure: Option<&str>) -> ProbeReport {
    ProbeReport {
        steps: vec![ProbeStep {
            name: "Write a probe object".to_owned(),
            failure: failure.map(str::to_owned),
            took_ms: 1,
        }],
        empty,
        ..ProbeReport::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_storage_is_used_only_after_it_passed_a_test_lately() {
    let (stage, console, _) = Stage::with_tenant().await;
    let settings = with_second(&console, "/copies").await;
    let admin = admin(&console);
    let refused = admin.create_strategy(LOCAL, &settings).await.unwrap_err();
    assert_eq!(fields(&refused), second_directory());
    assert!(
        refused.to_string().contains("test this storage first"),
        "{refused}"
    );

    stage.fake.world().probe = Some(found(true, Some("the directory is read-only")));
    assert!(!test_second(&console, "/copies").await.passed());
    assert!(admin.create_strategy(LOCAL, &settings).await.is_err());

    stage.fake.world().probe = Some(found(false, None));
    let report = test_second(&console, "/copies").await;
    assert!(!report.passed() && report.steps.len() == 2, "{report:?}");
    assert!(admin.create_strategy(LOCAL, &settings).await.is_err());

    stage.fake.world().probe = None;
    assert!(test_second(&console, "/copies/").await.passed());
    // Another directory than the one that passed.
    let other = with_second(&console, "/copies2").await;
    assert!(admin.create_strategy(LOCAL, &other).await.is_err());
    stage.clock.advance_s(DAY_S + 1);
    assert!(admin.create_strategy(LOCAL, &settings).await.is_err());
    test_second(&console, "/copies").await;
    let saved = admin.create_strategy(LOCAL, &settings).await.unwrap();
    assert_eq!(
        stage.fake.world().second.as_deref(),
        Some(Path::new("/copies"))
    );

    // Its own already: no test is asked for again.
    stage.clock.advance_s(2 * DAY_S);
    let mut slower = settings.clone();
    slower.second.as_mut().unwrap().limit_bytes_per_s = Some(1 << 20);
    admin
        .modify_strategy(LOCAL, saved.strategy.rev, &slower)
        .await
        .unwrap();
    let tests = stage.store().await.audits().await.unwrap();
    let tests = tests
        .iter()
        .filter(|entry| entry.operation == "test storage");
    let details: Vec<&str> = tests.map(|entry| entry.detail.as_str()).collect();
    assert_eq!(
        details,
        [
            "passed",
            "passed",
            "failed at: Look for other files",
            "failed at: Write a probe object"
        ]
    );
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_engine_refuses_as_second_storage_is_a_matter_of_the_field() {
    let (stage, console, _) = Stage::with_tenant().await;
    test_second(&console, "/copies").await;
    let settings = with_second(&console, "/copies").await;
    stage.fake.world().second_refusal = Some("it belongs to cluster harbor".to_owned());
    let refused = admin(&console)
        .create_strategy(LOCAL, &settings)
        .await
        .unwrap_err();
    assert_eq!(fields(&refused), second_directory());
    assert!(refused.to_string().contains("harbor"), "{refused}");
    assert_eq!(viewer(&console).strategy(LOCAL).await.unwrap(), None);
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_storage_taken_in_vain_is_given_back() {
    let (stage, console, _) = Stage::with_tenant().await;
    created(&console).await;
    test_second(&console, "/copies").await;
    // There is a strategy already, so this one is not written.
    let settings = with_second(&console, "/copies").await;
    admin(&console)
        .create_strategy(LOCAL, &settings)
        .await
        .unwrap_err();
    assert_eq!(stage.fake.world().second, None);
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn second_storages_meet_no_backups_of_any_cluster() {
    let (stage, console, _) = Stage::with_tenant().await;
    let other = NewCluster {
        name: "other".to_owned(),
        ..NewCluster::default()
    };
    global_admin(&console).create_cluster(&other).await.unwrap();
    let home = stage.dir.path().to_str().unwrap().to_owned();
    for below in ["backup/other", "backup/other/deep", "backup"] {
        let directory = format!("{home}/{below}");
        test_second(&console, &directory).await;
        let settings = with_second(&console, &directory).await;
        let refused = admin(&console)
            .create_strategy(LOCAL, &settings)
            .await
            .unwrap_err();
        assert_eq!(fields(&refused), second_directory(), "{below}");
    }
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_is_told_of_the_second_storage_at_each_opening_and_let_go_at_the_end() {
    let (stage, console, _) = Stage::with_tenant().await;
    let below = stage.dir.path().join("copies");
    let directory = below.to_str().unwrap();
    test_second(&console, directory).await;
    let settings = with_second(&console, directory).await;
    let saved = admin(&console)
        .create_strategy(LOCAL, &settings)
        .await
        .unwrap();
    console.shut_down().await;
    {
        let mut world = stage.fake.world();
        world.second = None;
        world.second_refusal = Some("its disk is away".to_owned());
    }
    let console = stage.console().await;
    assert_eq!(stage.fake.world().second, None);
    stage.fake.world().second_refusal = None;
    stage.clock.advance_s(30);
    eventually("told again after a failure", async || {
        stage.clock.advance_s(1);
        (stage.fake.world().second.as_deref() == Some(&*below)).then_some(())
    })
    .await;
    let told = stage.fake.world().seconds;
    let rev = saved.strategy.rev;
    admin(&console)
        .delete_strategy(LOCAL, rev, LogBackupEnd::Keep)
        .await
        .unwrap();
    assert_eq!(stage.fake.world().second, None);
    assert_eq!(stage.fake.world().seconds, told + 1);
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_cannot_move_keeps_its_directory_with_the_reason() {
    let stage = Stage::new();
    stage.fake.world().fixed = Some("It stays where it is.".to_owned());
    let console = stage.console().await;
    let new = NewCluster {
        name: LOCAL.to_owned(),
        ..NewCluster::default()
    };
    global_admin(&console).create_cluster(&new).await.unwrap();
    let mut settings = proposal(&console).await;
    settings.storage.directory = "/elsewhere".to_owned();
    let refused = admin(&console)
        .create_strategy(LOCAL, &settings)
        .await
        .unwrap_err();
    assert_eq!(fields(&refused), [label::DIRECTORY]);
    assert!(
        refused.to_string().contains("It stays where it is."),
        "{refused}"
    );
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_can_move_does_so_when_nothing_runs() {
    let (stage, console, tenant) = Stage::with_tenant().await;
    let mut settings = proposal(&console).await;
    settings.storage = storage("elsewhere", "/elsewhere");
    let admin = admin(&console);
    let refused = admin.create_strategy(LOCAL, &settings).await.unwrap_err();
    assert!(
        refused.to_string().contains("test this storage first"),
        "{refused}"
    );
    admin
        .test_storage(LOCAL, &settings.storage, false)
        .await
        .unwrap();
    stage.fake.world().hold = true;
    operator(&console)
        .back_up_now(LOCAL, Some(tenant), BackupKind::Full)
        .await
        .unwrap();
    let refused = admin.create_strategy(LOCAL, &settings).await.unwrap_err();
    assert_eq!(fields(&refused), [label::DIRECTORY]);
    assert!(
        refused.to_string().contains("data backup task"),
        "{refused}"
    );
    stage.fake.world().hold = false;
    let saved = eventually("the backup is done", async || {
        admin.create_strategy(LOCAL, &settings).await.ok()
    })
    .await;
    assert_eq!(saved.strategy.settings.storage, settings.storage);
    eventually("opened anew", async || {
        let last = stage.fake.world().destinations.last().cloned();
        (last.as_deref() == Some(Path::new("/elsewhere"))).then_some(())
    })
    .await;
    let uses = viewer(&console).storage_configs().await.unwrap();
    let used: Vec<(&str, usize)> = uses
        .iter()
        .map(|each| (each.config.settings.name.as_str(), each.first_of.len()))
        .collect();
    assert_eq!(used, [("elsewhere", 1), (LOCAL, 0)]);
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn names_of_storages_are_given_once_and_can_be_changed() {
    let (_stage, console, _) = Stage::with_tenant().await;
    let admin = admin(&console);
    test_second(&console, "/copies").await;
    let settings = with_second(&console, "/copies").await;
    let saved = admin.create_strategy(LOCAL, &settings).await.unwrap();
    let refused = admin
        .rename_storage(LOCAL, "copy", LOCAL)
        .await
        .unwrap_err();
    assert_eq!(fields(&refused), [label::STORAGE_NAME]);
    for wrong in ["x", "", "a-b"] {
        let refused = admin
            .rename_storage(LOCAL, "copy", wrong)
            .await
            .unwrap_err();
        assert_eq!(fields(&refused), [label::STORAGE_NAME]);
    }
    let refused = admin
        .rename_storage(LOCAL, "nowhere", "anywhere")
        .await
        .unwrap_err();
    assert!(
        matches!(refused.kind(), ErrorKind::NotFound { .. }),
        "{refused}"
    );
    admin.rename_storage(LOCAL, "copy", "vault").await.unwrap();
    let uses = viewer(&console).storage_configs().await.unwrap();
    assert_eq!(uses[1].config.settings.name, "vault");
    assert_eq!(
        (&uses[1].second_of[..], uses[0].first_of.len()),
        (&[LOCAL.to_owned()][..], 1)
    );
    let report = viewer(&console).strategy(LOCAL).await.unwrap().unwrap();
    let second = report.strategy.settings.second.unwrap();
    assert_eq!(second.storage.name, "vault");
    // Whoever read it before would give the old name again.
    let mut late = settings.clone();
    late.schedule.at.hour = 3;
    let refused = admin
        .modify_strategy(LOCAL, saved.strategy.rev, &late)
        .await
        .unwrap_err();
    assert!(refused.to_string().contains("(vault)"), "{refused}");
    let rev = report.strategy.rev;

    // The name of the first storage for another directory.
    let mut taken = with_second(&console, "/copies").await;
    taken.second.as_mut().unwrap().storage = storage("vault", "/others");
    let other = storage("any", "/others");
    admin.test_storage(LOCAL, &other, true).await.unwrap();
    let refused = admin.modify_strategy(LOCAL, rev, &taken).await.unwrap_err();
    let field = format!("{}{}", label::SECOND_PREFIX, label::STORAGE_NAME);
    assert_eq!(fields(&refused), [field]);
    console.shut_down().await;
}
