//! Strategies, storage configurations and passed tests: what is written is read, on every backend.

use crate::fixture::{Fixture, fresh};
use domain::{
    ClusterId, Scn, StorageId,
    backup::{BackupKind, BackupMethod},
    second_backup::LogCycle,
    storage::{ObjectAccess, StorageKind, StorageSettings},
    strategy::{
        CleanupSettings, Cycle, Schedule, SecondSettings, StrategySettings, Thresholds, TimeOfDay,
    },
};
use store::{Audit, NewStrategy, PassedTest, SecretRef, StoreError};

fn storage(name: &str, directory: &str) -> StorageSettings {
    StorageSettings {
        name: name.to_owned(),
        kind: StorageKind::File,
        directory: directory.to_owned(),
        object: None,
        capacity_percent: 80,
    }
}

fn settings(hour: u8) -> StrategySettings {
    StrategySettings {
        method: BackupMethod::Physical,
        storage: storage("first", "backup/local"),
        schedule: Schedule {
            cycle: Cycle::Month,
            days: [(1, BackupKind::Full), (31, BackupKind::Incremental)].into(),
            at: TimeOfDay { hour, minute: 30 },
            zone: "Europe/Berlin".to_owned(),
        },
        start_log_backup: true,
        cleanup: CleanupSettings {
            enabled: true,
            retention_days: 7,
            at: TimeOfDay { hour: 4, minute: 0 },
        },
        thresholds: Thresholds::default(),
        second: Some(SecondSettings {
            data: true,
            log_cycle: LogCycle::Hourly,
            retention_days: Some(30),
            limit_bytes_per_s: Some(1 << 20),
            storage: storage("second", "/copies"),
        }),
    }
}

async fn add_storage(
    fixture: &Fixture,
    settings: &StorageSettings,
) -> Result<StorageId, StoreError> {
    let add = async |change: &store::Change| change.add_storage(settings, Scn(5)).await;
    fixture.store.change(add).await
}

async fn new(fixture: &Fixture, cluster: ClusterId, at: u64) -> NewStrategy {
    let settings = settings(2);
    let configs = fixture.store.storage_configs().await.unwrap();
    let (first, second) = match &configs[..] {
        [first, second] => (first.id, second.id),
        _ => {
            let second = &settings.second.as_ref().unwrap().storage;
            (
                add_storage(fixture, &settings.storage).await.unwrap(),
                add_storage(fixture, second).await.unwrap(),
            )
        }
    };
    NewStrategy {
        cluster,
        settings,
        storage: first,
        second_storage: Some(second),
        at: Scn(at),
        by: "tester".to_owned(),
    }
}

async fn add(fixture: &Fixture, new: &NewStrategy) -> Result<domain::StrategyId, StoreError> {
    let add = async |change: &store::Change| change.add_strategy(new).await;
    fixture.store.change(add).await
}

#[tokio::test]
async fn a_strategy_is_read_as_it_was_written_and_a_cluster_has_one() {
    let fixture = fresh().await;
    let cluster = fixture.cluster("local").await;
    let other = fixture.cluster("other").await;
    let new = new(&fixture, cluster, 100).await;
    let id = add(&fixture, &new).await.unwrap();
    let known = fixture.store.strategy(cluster).await.unwrap().unwrap();
    assert_eq!((known.strategy.id, known.cluster), (id, cluster));
    assert_eq!(known.strategy.settings, new.settings);
    assert_eq!(
        (known.strategy.created, known.strategy.modified),
        (Scn(100), Scn(100))
    );
    assert_eq!(
        (known.modified_by.as_str(), known.paused_at),
        ("tester", None)
    );
    assert_eq!(fixture.store.strategies().await.unwrap(), [known]);
    assert_eq!(fixture.store.strategy(other).await.unwrap(), None);
    let second = fixture.store.second_storage(cluster).await.unwrap();
    assert_eq!(second.unwrap().settings.directory, "/copies");
    assert!(
        add(&fixture, &new).await.is_err(),
        "two strategies of one cluster"
    );
}

#[tokio::test]
async fn changing_pausing_and_removing_make_other_versions_and_wake_the_page() {
    let fixture = fresh().await;
    let cluster = fixture.cluster("local").await;
    let first = new(&fixture, cluster, 100).await;
    let id = add(&fixture, &first).await.unwrap();
    let made = fixture.store.strategy(cluster).await.unwrap().unwrap();
    let seen = fixture.store.revision().await.unwrap();

    let later = NewStrategy {
        settings: settings(3),
        at: Scn(200),
        by: "another".to_owned(),
        ..first
    };
    let modify = async |change: &store::Change| change.modify_strategy(id, &later).await;
    fixture.store.change(modify).await.unwrap();
    let changed = fixture.store.strategy(cluster).await.unwrap().unwrap();
    assert!(changed.strategy.rev > made.strategy.rev);
    assert_eq!(
        (changed.strategy.created, changed.strategy.modified),
        (Scn(100), Scn(200))
    );
    assert_eq!(
        (
            changed.strategy.settings.schedule.at.hour,
            &*changed.modified_by
        ),
        (3, "another")
    );
    assert!(fixture.store.feed(cluster, seen).await.unwrap().summary);

    let pause = async |change: &store::Change| {
        let by = (Scn(300), "third");
        change.pause_strategy(&changed, Some(Scn(300)), by).await
    };
    fixture.store.change(pause).await.unwrap();
    let paused = fixture.store.strategy(cluster).await.unwrap().unwrap();
    assert!(paused.strategy.paused && paused.strategy.rev > changed.strategy.rev);
    assert_eq!(
        (paused.paused_at, paused.strategy.modified),
        (Some(Scn(300)), Scn(300))
    );

    let remove = async |change: &store::Change| change.remove_strategy(&paused).await;
    fixture.store.change(remove).await.unwrap();
    assert_eq!(fixture.store.strategy(cluster).await.unwrap(), None);
    assert_eq!(fixture.store.storage_configs().await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_configuration_is_named_once_and_its_change_is_a_change_of_its_strategies() {
    let fixture = fresh().await;
    let cluster = fixture.cluster("local").await;
    let new = new(&fixture, cluster, 100).await;
    add(&fixture, &new).await.unwrap();
    assert!(
        add_storage(&fixture, &storage("second", "/x"))
            .await
            .is_err(),
        "one name twice"
    );
    // Names that differ in case are different names on every backend.
    add_storage(&fixture, &storage("Second", "/x"))
        .await
        .unwrap();
    let before = fixture.store.strategy(cluster).await.unwrap().unwrap();
    let renamed = storage("vault", "/copies");
    let rename = async |change: &store::Change| {
        change
            .modify_storage(new.second_storage.unwrap(), &renamed)
            .await
    };
    fixture.store.change(rename).await.unwrap();
    let after = fixture.store.strategy(cluster).await.unwrap().unwrap();
    assert!(after.strategy.rev > before.strategy.rev);
    assert_eq!(after.strategy.settings.second.unwrap().storage, renamed);
    let configs = fixture.store.storage_configs().await.unwrap();
    let mut names: Vec<&str> = configs.iter().map(|each| &*each.settings.name).collect();
    names.sort_unstable();
    assert_eq!(names, ["Second", "first", "vault"]);
}

#[tokio::test]
async fn an_object_storage_reads_back_with_where_its_key_lies() {
    let fixture = fresh().await;
    let objects = StorageSettings {
        kind: StorageKind::S3,
        object: Some(ObjectAccess {
            endpoint: "s.example.com".to_owned(),
            access_id: "me".to_owned(),
            region: "us-east-1".to_owned(),
            app_id: String::new(),
        }),
        ..storage("objects", "bucket/prefix")
    };
    let id = add_storage(&fixture, &objects).await.unwrap();
    let read = fixture.store.storage_configs().await.unwrap();
    assert_eq!(read[0].settings, objects);
    assert_eq!(fixture.store.storage_key(id).await.unwrap(), None);
    let set = async |change: &store::Change| change.set_storage_key(id, SecretRef(7)).await;
    fixture.store.change(set).await.unwrap();
    // Another name leaves the key where it is.
    let renamed = StorageSettings {
        name: "things".to_owned(),
        ..objects
    };
    let rename = async |change: &store::Change| change.modify_storage(id, &renamed).await;
    fixture.store.change(rename).await.unwrap();
    assert_eq!(
        fixture.store.storage_key(id).await.unwrap(),
        Some(SecretRef(7))
    );
}

#[tokio::test]
async fn passed_tests_are_forgotten_in_time() {
    let fixture = fresh().await;
    let cluster = fixture.cluster("local").await;
    let other = fixture.cluster("other").await;
    for (of, at) in [(cluster, 10), (other, 11), (cluster, 20), (cluster, 30)] {
        let passed = PassedTest {
            cluster: of,
            kind: StorageKind::File,
            directory: format!("/at/{at}"),
            endpoint: (at == 30).then(|| "h".to_owned()),
            empty: at == 30,
            identity: (at == 20).then(|| "mine".to_owned()),
            at: Scn(at),
            actor: "tester".to_owned(),
        };
        let add = async |change: &store::Change| change.add_passed_test(&passed, Scn(15)).await;
        fixture.store.change(add).await.unwrap();
    }
    let tests = fixture.store.passed_tests(cluster, Scn(0)).await.unwrap();
    let told: Vec<(u64, bool, bool)> = tests
        .iter()
        .map(|test| (test.at.0, test.empty, test.identity.is_some()))
        .collect();
    assert_eq!(told, [(30, true, false), (20, false, true)]);
    assert_eq!(tests[0].endpoint.as_deref(), Some("h"));
    assert_eq!(
        fixture
            .store
            .passed_tests(cluster, Scn(21))
            .await
            .unwrap()
            .len(),
        1
    );
    assert_eq!(
        fixture
            .store
            .passed_tests(other, Scn(0))
            .await
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn what_was_done_since_a_version_is_found_in_the_audit() {
    let fixture = fresh().await;
    let cluster = fixture.cluster("local").await;
    let mut seen = Vec::new();
    for (operation, detail) in [("modify", "a"), ("other", "b"), ("modify", "c")] {
        let entry = Audit {
            at: Scn(7),
            actor: "tester".to_owned(),
            operation: operation.to_owned(),
            cluster: Some(cluster),
            subject: "local".to_owned(),
            detail: detail.to_owned(),
            address: None,
            result: domain::audit::AuditResult::Ok,
            cause: None,
            before: None,
            after: None,
        };
        let add = async |change: &store::Change| change.audit(&entry).await;
        seen.push(fixture.store.change(add).await.unwrap());
    }
    let ask =
        async |change: &store::Change| change.strategy_changes(cluster, &["modify"], seen[0]).await;
    let done = fixture.store.change(ask).await.unwrap();
    let details: Vec<&str> = done.iter().map(|each| &*each.detail).collect();
    assert_eq!(details, ["c"]);
}
