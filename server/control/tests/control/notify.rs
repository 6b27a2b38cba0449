//! Messages: one per state and channel, in order, tried until they arrive, and never in the way of alerting.

use crate::{
    alerts::{back_up, fail_a_backup, freeze, tick, tick_s},
    stage::{LOCAL, Stage, admin, eventually, global_admin, operator, viewer},
};
use control::{Console, ErrorKind};
use domain::{
    alert::{AlertFilter, Level},
    audit::AuditFilter,
    channel::{ChannelChange, ChannelKind, NewChannel},
    job::JobState,
};
use serde_json::Value;

const HOOK: &str = "https://hooks.example.com/services/very-secret-key";

fn channel(name: &str, kind: ChannelKind, url: &str) -> NewChannel {
    NewChannel {
        name: name.to_owned(),
        kind,
        url: url.to_owned(),
        secret: None,
        levels: Vec::new(),
        clusters: Vec::new(),
        every_min: None,
    }
}

/// What the audit says was done with what, and how.
async fn audit_of(console: &Console) -> Vec<String> {
    let everything = AuditFilter {
        size: 50,
        ..AuditFilter::default()
    };
    let rows = admin(console).audit(&everything).await.unwrap().rows;
    let told = rows
        .iter()
        .map(|row| (&row.operation, &row.subject, &row.detail));
    told.map(|(operation, subject, detail)| format!("{operation} {subject}: {detail}"))
        .collect()
}

async fn add(console: &Console, new: &NewChannel) {
    global_admin(console).add_channel(new).await.unwrap();
}

/// The events of all messages that arrived, with the rule of each.
fn events(stage: &Stage, url: &str) -> Vec<(String, String)> {
    let mut events = Vec::new();
    for text in stage.receivers.texts(url) {
        let body: Value = serde_json::from_str(&text).unwrap();
        for alert in body["alerts"].as_array().unwrap() {
            let word = |name: &str| alert[name].as_str().unwrap().to_owned();
            events.push((word("event"), word("rule")));
        }
    }
    events
}

#[tokio::test(flavor = "multi_thread")]
async fn each_state_is_told_once_and_what_is_secret_stays_so() {
    let (stage, console, tenant) = Stage::with_tenant().await;
    let store = stage.store().await;
    add(&console, &channel("ops", ChannelKind::Json, HOOK)).await;
    let mut grave = channel("grave", ChannelKind::Json, "https://grave.example.com/x");
    grave.levels = vec![Level::Stopped];
    add(&console, &grave).await;
    fail_a_backup(&stage, &console, tenant).await;
    for _ in 0..3 {
        tick(&stage, &store).await;
    }
    let raised = ("raised".to_owned(), "base_backup_fail".to_owned());
    eventually("it arrives", async || {
        (events(&stage, HOOK) == [raised.clone()]).then_some(())
    })
    .await;
    back_up(&console, tenant, JobState::Completed).await;
    for _ in 0..2 {
        tick(&stage, &store).await;
    }
    let recovered = ("recovered".to_owned(), "base_backup_fail".to_owned());
    eventually("the end arrives", async || {
        (events(&stage, HOOK) == [raised.clone(), recovered.clone()]).then_some(())
    })
    .await;
    assert!(events(&stage, &grave.url).is_empty(), "another level");
    let shown = viewer(&console).channels().await.unwrap();
    assert_eq!(shown[1].host, "https://hooks.example.com");
    assert!(shown[1].last_sent.is_some() && shown[1].fault.is_none());
    assert!(!format!("{shown:?}").contains("secret"));
    let database = std::fs::read(stage.database()).unwrap();
    let wal = std::fs::read(stage.database().with_extension("db-wal")).unwrap_or_default();
    let key = b"very-secret-key";
    let holds = |bytes: &[u8]| bytes.windows(key.len()).any(|window| window == key);
    assert!(
        !holds(&database) && !holds(&wal),
        "the address lies in the open"
    );
    let audits = store.audits().await.unwrap();
    assert!(!format!("{audits:?}").contains("secret"));
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_tried_until_it_arrives_also_after_a_restart_and_the_failure_is_told() {
    let (stage, console, tenant) = Stage::with_tenant().await;
    let store = stage.store().await;
    add(&console, &channel("ops", ChannelKind::Json, HOOK)).await;
    stage.receivers.state().status.insert(HOOK.to_owned(), 0);
    fail_a_backup(&stage, &console, tenant).await;
    tick(&stage, &store).await;
    let fault = eventually("the failure is known", async || {
        let channels = viewer(&console).channels().await.unwrap();
        channels[0].fault.clone()
    })
    .await;
    assert!(!fault.contains("very-secret-key"), "{fault}");
    // Backoff: within the first seconds nothing is tried again.
    let attempts = stage.receivers.state().attempts;
    tokio::time::sleep(std::time::Duration::from_millis(2_500)).await;
    assert_eq!(stage.receivers.state().attempts, attempts);
    console.shut_down().await;
    let console = stage.console_alone().await;
    tick_s(&stage, &store, 700).await;
    let filter = AlertFilter {
        rule: Some("notification_failed".to_owned()),
        ..AlertFilter::default()
    };
    let page = viewer(&console).all_alerts(&filter).await.unwrap();
    assert_eq!(page.total, 1, "nobody would know otherwise");
    stage.receivers.state().status.clear();
    stage.clock.advance_s(1_000);
    let raised = ("raised".to_owned(), "base_backup_fail".to_owned());
    eventually("it arrives", async || {
        events(&stage, HOOK).contains(&raised).then_some(())
    })
    .await;
    let times = events(&stage, HOOK)
        .iter()
        .filter(|one| **one == raised)
        .count();
    assert_eq!(times, 1);
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_hangs_holds_up_neither_alerting_nor_other_channels() {
    let (stage, console, tenant) = Stage::with_tenant().await;
    let store = stage.store().await;
    let other = "https://other.example.com/hook";
    add(&console, &channel("hanging", ChannelKind::Json, HOOK)).await;
    add(&console, &channel("other", ChannelKind::Json, other)).await;
    stage.receivers.state().hanging.push(HOOK.to_owned());
    fail_a_backup(&stage, &console, tenant).await;
    tick(&stage, &store).await;
    eventually("the other one hears of it", async || {
        (events(&stage, other).len() == 1).then_some(())
    })
    .await;
    for _ in 0..3 {
        tick(&stage, &store).await;
    }
    assert!(events(&stage, HOOK).is_empty());
    stage.receivers.release();
    eventually("it arrives", async || {
        (events(&stage, HOOK).len() == 1).then_some(())
    })
    .await;
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storm_is_one_message() {
    let (stage, console, _) = Stage::with_tenant().await;
    let store = stage.store().await;
    let operator = operator(&console);
    for number in 0..30 {
        operator
            .create_tenant(LOCAL, &format!("tenant_{number}"))
            .await
            .unwrap();
    }
    add(&console, &channel("ops", ChannelKind::Json, HOOK)).await;
    freeze(&stage);
    tick_s(&stage, &store, 4_000).await;
    let texts = eventually("it arrives", async || {
        let texts = stage.receivers.texts(HOOK);
        (!texts.is_empty()).then_some(texts)
    })
    .await;
    assert_eq!(texts.len(), 1);
    let body: Value = serde_json::from_str(&texts[0]).unwrap();
    let told = body["alerts"].as_array().unwrap().len();
    assert_eq!(told, 20);
    // Late and not growing, of 31 tenants.
    assert_eq!(body["more"], 62 - 20);
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn masked_alerts_are_silent_and_a_test_says_what_the_receiver_says() {
    let (stage, console, tenant) = Stage::with_tenant().await;
    let store = stage.store().await;
    fail_a_backup(&stage, &console, tenant).await;
    tick(&stage, &store).await;
    add(&console, &channel("ops", ChannelKind::Json, HOOK)).await;
    let page = viewer(&console)
        .all_alerts(&AlertFilter::default())
        .await
        .unwrap();
    let until = page.rows[0]
        .last_generated
        .plus_ns(7_200 * domain::scn::NS_PER_SECOND);
    operator(&console)
        .mask(LOCAL, page.rows[0].id, until, "known")
        .await
        .unwrap();
    back_up(&console, tenant, JobState::Completed).await;
    tick(&stage, &store).await;
    fail_a_backup(&stage, &console, tenant).await;
    tick(&stage, &store).await;
    let admin = global_admin(&console);
    let test = admin.test_channel("ops").await.unwrap();
    assert_eq!(test.failure, None);
    let events = events(&stage, HOOK);
    assert_eq!(
        events,
        [("test".to_owned(), "test".to_owned())],
        "only the test"
    );
    stage.receivers.state().status.insert(HOOK.to_owned(), 403);
    let failure = admin.test_channel("ops").await.unwrap().failure.unwrap();
    assert!(
        failure.contains("403") && !failure.contains("secret"),
        "{failure}"
    );
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_is_changed_and_switched_off_and_its_secrets_stay_secret() {
    let (stage, console, _) = Stage::with_tenant().await;
    let admin = global_admin(&console);
    let ops = channel("ops", ChannelKind::DingTalk, HOOK);
    admin.add_channel(&ops).await.unwrap();
    let nothing = admin.modify_channel("ops", &ChannelChange::default()).await;
    assert!(nothing.unwrap_err().to_string().contains("nothing"));
    let change = ChannelChange {
        url: Some("https://other.example.com/very-secret-key".to_owned()),
        secret: Some("very-secret-key".to_owned()),
        levels: Some(vec![Level::Critical]),
        clusters: Some(vec!["local".to_owned()]),
        every_min: None,
    };
    let changed = admin.modify_channel("ops", &change).await.unwrap();
    assert_eq!(changed.host, "https://other.example.com");
    assert_eq!(changed.levels, [Level::Critical]);
    assert!(changed.signed && changed.clusters.is_some());
    let wrong = ChannelChange {
        url: Some("ftp://host/very-secret-key".to_owned()),
        clusters: Some(vec!["nowhere".to_owned()]),
        every_min: Some(5),
        ..ChannelChange::default()
    };
    let refused = admin.modify_channel("ops", &wrong).await.unwrap_err();
    assert!(
        !refused.to_string().contains("very-secret-key"),
        "{refused}"
    );
    let ErrorKind::Invalid(wrong) = refused.kind() else {
        panic!("{refused}");
    };
    let fields: Vec<&str> = wrong.iter().map(|one| one.field.as_str()).collect();
    assert_eq!(fields, ["URL", "Every", "Clusters"]);
    let shown = viewer(&console).channels().await.unwrap();
    assert_eq!(
        shown[0].host, changed.host,
        "what is refused changes nothing"
    );

    admin.switch_channel("ops", false).await.unwrap();
    let twice = admin.switch_channel("ops", false).await.unwrap_err();
    assert!(twice.to_string().contains("off already"), "{twice}");
    assert!(!viewer(&console).channels().await.unwrap()[0].enabled);
    admin.switch_channel("ops", true).await.unwrap();
    assert!(viewer(&console).channels().await.unwrap()[0].enabled);
    let missing = admin.switch_channel("nobody", true).await.unwrap_err();
    assert!(
        matches!(missing.kind(), ErrorKind::NotFound { .. }),
        "{missing}"
    );

    let audited = audit_of(&console).await;
    for told in [
        "modify channel ops: address at https://other.example.com; key; levels 1,2,3,4 -> 2; clusters",
        "disable channel ops: ",
        "enable channel ops: ",
    ] {
        assert!(
            audited.iter().any(|row| row == told),
            "{told}: {audited:#?}"
        );
    }
    drop(stage);
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn channels_are_checked_and_named_once() {
    let (stage, console, _) = Stage::with_tenant().await;
    let admin = global_admin(&console);
    let mut bad = channel(
        "o",
        ChannelKind::Slack,
        "https://user:pw@host/very-secret-key",
    );
    bad.secret = Some("x".to_owned());
    bad.clusters = vec!["nowhere".to_owned()];
    let refused = admin.add_channel(&bad).await.unwrap_err();
    let ErrorKind::Invalid(wrong) = refused.kind() else {
        panic!("{refused}");
    };
    let fields: Vec<&str> = wrong.iter().map(|one| one.field.as_str()).collect();
    assert_eq!(fields, ["Name", "URL", "Secret", "Clusters"]);
    assert!(
        !refused.to_string().contains("very-secret-key"),
        "{refused}"
    );
    let good = channel("ops", ChannelKind::Slack, HOOK);
    admin.add_channel(&good).await.unwrap();
    let twice = admin.add_channel(&good).await.unwrap_err();
    assert!(matches!(twice.kind(), ErrorKind::Conflict(_)), "{twice}");
    for missing in [
        admin.remove_channel("nobody").await.unwrap_err(),
        admin.test_channel("nobody").await.map(|_| ()).unwrap_err(),
    ] {
        assert!(
            matches!(missing.kind(), ErrorKind::NotFound { .. }),
            "{missing}"
        );
    }
    admin.remove_channel("ops").await.unwrap();
    assert!(viewer(&console).channels().await.unwrap().is_empty());
    drop(stage);
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ping_comes_while_all_is_well_and_not_otherwise() {
    let (stage, console, _) = Stage::with_tenant().await;
    let store = stage.store().await;
    let url = "https://watch.example.com/ping-key";
    let mut ping = channel("watch", ChannelKind::Ping, url);
    ping.every_min = Some(1);
    add(&console, &ping).await;
    let pings = || stage.receivers.texts(url).len();
    tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
    assert_eq!(pings(), 0, "nothing was evaluated yet");
    tick(&stage, &store).await;
    eventually("the first ping", async || (pings() == 1).then_some(())).await;
    tick(&stage, &store).await;
    eventually("the second ping", async || (pings() == 2).then_some(())).await;
    // The database cannot be written any more: evaluations fail, and so the pings end.
    stage.tamper(
        "CREATE TRIGGER full BEFORE UPDATE ON alert_watch BEGIN SELECT RAISE(ABORT, 'full'); END",
    );
    stage.clock.advance_s(100);
    tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
    let before = pings();
    for _ in 0..4 {
        stage.clock.advance_s(110);
        tokio::time::sleep(std::time::Duration::from_millis(1_200)).await;
    }
    assert_eq!(pings(), before, "a console that cannot write is not well");
    stage.tamper("DROP TRIGGER full");
    tick(&stage, &store).await;
    eventually("it is well again", async || {
        (pings() > before).then_some(())
    })
    .await;
    console.shut_down().await;
}
