//! What a cluster keeps of its strategy by itself: sent when somebody saves or asks, told where it differs.

use crate::{
    stage::{LOCAL, Stage, admin, eventually, global_admin, operator, viewer},
    strategies::{fields, proposal},
};
use control::{Console, ErrorKind};
use domain::{
    capability::EngineKind,
    cluster::NewCluster,
    endpoint::Access,
    storage::{AccessKey, ObjectAccess, StorageKeys, StorageKind, StorageSettings},
    strategy::{
        BackupStrategy, Drift, LogBackupEnd, RunKind, Setting, StrategySaved, StrategySettings,
        label,
    },
};
use engine::Applied;
use std::path::PathBuf;

const DAY_S: u64 = 24 * 3600;
const KEY: &str = "s3cr3t-key";

/// A server elsewhere that keeps settings by itself, with one tenant.
async fn server() -> (Stage, Console) {
    let stage = Stage::new();
    stage.fake.world().keeps_settings = true;
    let console = stage.console().await;
    let new = NewCluster {
        name: LOCAL.to_owned(),
        engine: EngineKind::OceanBase,
        access: Some(Access {
            addresses: "db.example.com".to_owned(),
            account: String::new(),
            password: Some("pw".to_owned()),
        }),
        ..NewCluster::default()
    };
    global_admin(&console).create_cluster(&new).await.unwrap();
    operator(&console)
        .create_tenant(LOCAL, "orders")
        .await
        .unwrap();
    (stage, console)
}

/// The proposal with its backups below a directory, which passed a test.
async fn settings(console: &Console) -> StrategySettings {
    let mut settings = proposal(console).await;
    settings.storage.directory = "/backup".to_owned();
    let admin = admin(console);
    let test = admin.test_storage(LOCAL, &settings.storage, false);
    assert!(test.await.unwrap().passed());
    settings
}

async fn saved(console: &Console) -> StrategySaved {
    let settings = settings(console).await;
    let saved = admin(console).create_strategy(LOCAL, &settings).await;
    saved.unwrap()
}

fn applied(what: Setting, failure: Option<&str>) -> Applied {
    Applied {
        tenant: "orders".to_owned(),
        what,
        value: "v".to_owned(),
        failure: failure.map(str::to_owned),
    }
}

async fn audit(stage: &Stage, operation: &str) -> Vec<String> {
    let audits = stage.store().await.audits().await.unwrap();
    let found = audits.iter().filter(|entry| entry.operation == operation);
    found.map(|entry| entry.detail.clone()).collect()
}

fn drift() -> Drift {
    Drift {
        tenant: "orders".to_owned(),
        setting: Setting::DeletePolicy,
        wanted: "7d".to_owned(),
        found: String::new(),
        blocked: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strategy_is_sent_when_it_is_saved_and_only_told_when_the_cluster_is_opened() {
    let (stage, console) = server().await;
    stage.fake.world().applied = vec![
        applied(Setting::LogDestination, Some("stop log backup first")),
        applied(Setting::DataDestination, None),
    ];
    assert_eq!(proposal(&console).await.storage.directory, "");
    let saved = saved(&console).await;
    assert_eq!(
        saved.notes,
        [
            "1 setting was made in the cluster.",
            "Log destination of tenant orders was not set: stop log backup first",
        ]
    );
    {
        let world = stage.fake.world();
        assert_eq!(world.probed, [PathBuf::from("file:///backup")]);
        let wanted = world.wanted.clone().unwrap();
        assert_eq!(
            (&*wanted.destination, wanted.retention_days),
            ("file:///backup", None)
        );
        assert_eq!(world.applies, 1);
    }
    assert_eq!(audit(&stage, "apply backup strategy").await, [""]);
    let made = audit(&stage, "settings of the cluster").await;
    assert_eq!(
        made,
        [
            "orders: Log destination was not set: stop log backup first; orders: Data destination = v"
        ]
    );
    // Where it goes does not change with the retention, and nobody has to test it again.
    let mut kept = saved.strategy.settings.clone();
    (kept.cleanup.enabled, kept.cleanup.retention_days) = (true, 14);
    let admin = admin(&console);
    let again = admin
        .modify_strategy(LOCAL, saved.strategy.rev, &kept)
        .await
        .unwrap();
    console.shut_down().await;

    stage.fake.world().wanted = None;
    let console = stage.console().await;
    {
        let world = stage.fake.world();
        assert_eq!(world.wanted.as_ref().unwrap().retention_days, Some(14));
        assert_eq!(world.applies, 2, "opening sends nothing");
    }
    let admin = crate::stage::admin(&console);
    let rev = again.strategy.rev;
    admin
        .delete_strategy(LOCAL, rev, LogBackupEnd::Keep)
        .await
        .unwrap();
    assert_eq!(stage.fake.world().wanted, None);
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_cannot_be_told_leaves_the_strategy_saved_and_says_so() {
    let (stage, console) = server().await;
    let settings = settings(&console).await;
    stage.fake.world().refusal = Some("the line went dead".to_owned());
    let saved = admin(&console)
        .create_strategy(LOCAL, &settings)
        .await
        .unwrap();
    assert_eq!(saved.notes.len(), 1);
    let note = &saved.notes[0];
    assert!(
        note.contains("the line went dead") && note.contains("Apply them again"),
        "{note}"
    );
    stage.fake.world().refusal = None;
    let notes = admin(&console).apply_strategy(LOCAL).await.unwrap();
    assert_eq!(
        notes,
        ["The cluster has every setting of the strategy already."]
    );
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_change_is_shown_until_it_is_put_right() {
    let (stage, console) = server().await;
    saved(&console).await;
    stage.fake.world().drift = vec![drift()];
    let viewer = viewer(&console);
    let summary = eventually("the difference is told", async || {
        let summary = viewer.overview(LOCAL).await.unwrap().summary;
        (summary.drift == 1).then_some(summary)
    });
    summary.await;
    let report = viewer.strategy(LOCAL).await.unwrap().unwrap();
    assert_eq!(report.drift, [drift()]);
    // It is still told by a console that starts while the cluster is out of reach.
    console.shut_down().await;
    stage.fake.world().closed = u32::MAX;
    let console = stage.console().await;
    let report = crate::stage::viewer(&console)
        .strategy(LOCAL)
        .await
        .unwrap();
    assert_eq!(report.unwrap().drift, [drift()]);
    let closed = admin(&console).apply_strategy(LOCAL).await.unwrap_err();
    assert!(closed.to_string().contains("is not open"), "{closed}");
    console.shut_down().await;

    stage.fake.world().closed = 0;
    let console = stage.console().await;
    admin(&console).apply_strategy(LOCAL).await.unwrap();
    let report = crate::stage::viewer(&console)
        .strategy(LOCAL)
        .await
        .unwrap();
    assert_eq!(report.unwrap().drift, []);
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_without_settings_of_its_own_is_sent_nothing() {
    let (stage, console, _) = Stage::with_tenant().await;
    let refused = admin(&console).apply_strategy(LOCAL).await.unwrap_err();
    assert!(
        matches!(refused.kind(), ErrorKind::Conflict(_)),
        "{refused}"
    );
    let settings = proposal(&console).await;
    admin(&console)
        .create_strategy(LOCAL, &settings)
        .await
        .unwrap();
    {
        let world = stage.fake.world();
        assert_eq!((world.wanted.clone(), world.applies), (None, 0));
    }
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_expired_is_removed_by_the_clusters_policy_and_not_by_runs() {
    let (stage, console) = server().await;
    let mut settings = settings(&console).await;
    settings.cleanup.enabled = true;
    let saved = admin(&console)
        .create_strategy(LOCAL, &settings)
        .await
        .unwrap();
    console.shut_down().await;
    stage.clock.advance_s(DAY_S);
    let console = stage.console().await;
    let (id, store) = (saved.strategy.id, stage.store().await);
    eventually("a moment of the schedule is recorded", async || {
        let runs = store.newest_runs(id, RunKind::DataBackup, 9).await.unwrap();
        (!runs.is_empty()).then_some(())
    })
    .await;
    // It ends the look at the schedules that it is at.
    console.shut_down().await;
    let cleanups = store.newest_runs(id, RunKind::Cleanup, 9).await.unwrap();
    assert_eq!(cleanups, []);
}

fn objects(settings: &StrategySettings) -> StrategySettings {
    let mut settings = settings.clone();
    settings.storage = StorageSettings {
        name: "objects".to_owned(),
        kind: StorageKind::Oss,
        directory: "bucket/base".to_owned(),
        object: Some(ObjectAccess {
            endpoint: "oss.example.com".to_owned(),
            access_id: "me".to_owned(),
            ..ObjectAccess::default()
        }),
        capacity_percent: 80,
    };
    settings
}

async fn saved_with_key(console: &Console, key: &AccessKey) -> BackupStrategy {
    let settings = objects(&proposal(console).await);
    let admin = admin(console);
    let test = admin.test_storage_with(LOCAL, &settings.storage, Some(key), false);
    assert!(test.await.unwrap().passed());
    let bare = admin.create_strategy(LOCAL, &settings).await.unwrap_err();
    assert_eq!(fields(&bare), [label::ACCESS_KEY]);
    let keys = StorageKeys {
        first: Some(key.clone()),
        second: None,
    };
    let saved = admin.create_strategy_with(LOCAL, &settings, &keys).await;
    saved.unwrap().strategy
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_of_an_object_storage_is_given_once_and_never_shown() {
    let (stage, console) = server().await;
    let made = saved_with_key(&console, &AccessKey(KEY.to_owned())).await;
    let destination =
        |key: &str| format!("oss://bucket/base?host=oss.example.com&access_id=me&access_key={key}");
    let wanted = stage.fake.world().wanted.clone().unwrap();
    assert_eq!(wanted.destination, destination(KEY));

    // It stays when the rest is changed, also after a start.
    let mut other = made.settings.clone();
    other.cleanup.enabled = true;
    let admin = admin(&console);
    let made = admin
        .modify_strategy(LOCAL, made.rev, &other)
        .await
        .unwrap();
    console.shut_down().await;
    stage.fake.world().wanted = None;
    let console = stage.console().await;
    let wanted = stage.fake.world().wanted.clone().unwrap();
    assert_eq!(wanted.destination, destination(KEY));

    // Another access id needs its own key; another key alone is a change.
    let admin = crate::stage::admin(&console);
    let mut stranger = other.clone();
    stranger.storage.object.as_mut().unwrap().access_id = "you".to_owned();
    let rev = made.strategy.rev;
    let refused = admin
        .modify_strategy(LOCAL, rev, &stranger)
        .await
        .unwrap_err();
    assert_eq!(fields(&refused), [label::ACCESS_KEY]);
    let keys = StorageKeys {
        first: Some(AccessKey("another".to_owned())),
        second: None,
    };
    let saved = admin
        .modify_strategy_with(LOCAL, rev, &other, &keys)
        .await
        .unwrap();
    let wanted = stage.fake.world().wanted.clone().unwrap();
    assert_eq!(wanted.destination, destination("another"));

    let shown = serde_json::to_string(&saved).unwrap();
    let form = viewer(&console).strategy_form(LOCAL).await.unwrap();
    let shown = shown + &serde_json::to_string(&form).unwrap() + &format!("{keys:?}");
    assert!(
        shown.contains("oss.example.com") && !shown.contains("another"),
        "{shown}"
    );
    console.shut_down().await;
    let database = std::fs::read(stage.database()).unwrap();
    for secret in [KEY, "another"] {
        let found = database
            .windows(secret.len())
            .any(|at| at == secret.as_bytes());
        assert!(!found, "the control database holds {secret}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_of_files_takes_directories_only() {
    let (_stage, console, _) = Stage::with_tenant().await;
    let settings = objects(&proposal(&console).await);
    let admin = admin(&console);
    let refused = admin.create_strategy(LOCAL, &settings).await.unwrap_err();
    assert!(
        fields(&refused).contains(&label::STORAGE_KIND.to_owned()),
        "{refused}"
    );
    let refused = admin
        .test_storage(LOCAL, &settings.storage, false)
        .await
        .unwrap_err();
    assert_eq!(fields(&refused), [label::STORAGE_KIND]);
    let form = viewer(&console).strategy_form(LOCAL).await.unwrap();
    assert_eq!(form.kinds, [StorageKind::File]);
    console.shut_down().await;
}
