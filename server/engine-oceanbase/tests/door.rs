//! The same over the MySQL protocol: the suite of the port, sign-in and lost connections, through a real socket.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use domain::backup::BackupKind;
use domain::endpoint::Address;
use engine::{BackupSpec, Engine, EngineErrorKind, EngineJobState};
use engine_oceanbase::{Account, Encryption, MysqlConnector, OceanBaseEngine};
use oceanbase_sim::{
    Fault, Sim,
    door::{Door, OpenDoor},
};
use std::{sync::Arc, time::Duration};
use support::{LegacyRig, SimRig, cluster, key, prepare, prepare_cluster};

async fn open(sim: &Sim) -> OpenDoor {
    Door::new(Arc::new(sim.clone()))
        .open("127.0.0.1:0")
        .await
        .unwrap()
}

fn connector(door: &OpenDoor, user: &str, password: &str) -> MysqlConnector {
    let address = Address {
        host: "127.0.0.1".to_owned(),
        port: door.address().port(),
    };
    let account = Account {
        user: user.to_owned(),
        password: password.to_owned(),
    };
    MysqlConnector::new(vec![address], account, Encryption::WhenOffered)
}

async fn engine(door: &OpenDoor) -> OceanBaseEngine {
    let connector = Arc::new(connector(door, "root@sys", ""));
    OceanBaseEngine::open("demo", connector).await.unwrap()
}

async fn conforms(version: &str) {
    let sim = cluster(version, 2);
    let door = open(&sim).await;
    let engine = engine(&door).await;
    assert!(engine.version().ends_with("(simulated)"));
    engine::conformance::run(&engine, &SimRig(sim)).await;
    door.close().await;
}

/// No prepared statement and no sub-query in a SET: before 4.0 both are refused.
#[tokio::test(flavor = "multi_thread")]
async fn version_3_1_5() {
    let sim = cluster("3.1.5", 2);
    let door = open(&sim).await;
    let connector = Arc::new(connector(&door, "root@sys", ""));
    let engine = engine_oceanbase::open("demo", connector).await.unwrap();
    assert_eq!(engine.version(), "OceanBase 3.1.5 (simulated)");
    engine::conformance::run(&*engine, &LegacyRig(sim)).await;
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn version_4_2_1() {
    conforms("4.2.1.6").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn version_4_3_5() {
    conforms("4.3.5").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_sign_in_is_told_so_without_a_secret() {
    let sim = cluster("4.3.5", 1);
    let door = open(&sim).await;
    for user in ["root@sys", "root@nosuch", "nobody@sys", "root@sys#demo"] {
        let connector = Arc::new(connector(&door, user, "a wrong secret"));
        let refused = OceanBaseEngine::open("demo", connector)
            .await
            .err()
            .unwrap();
        assert_eq!(refused.kind, EngineErrorKind::Unreachable, "{refused}");
        assert!(refused.to_string().contains("1045"), "{refused}");
        assert!(!refused.to_string().contains("a wrong secret"), "{refused}");
    }
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_cut_within_an_order_begins_one_backup() {
    for nth in 1..=6 {
        let sim = cluster("4.3.5", 1);
        prepare(&sim, "t1");
        let door = open(&sim).await;
        let engine = engine(&door).await;
        let tenant = key(&engine, "t1").await;
        sim.inject(Fault::ReplyLost { nth });
        let spec = BackupSpec {
            token: "one".to_owned(),
            tenant,
            kind: BackupKind::Full,
        };
        let first = engine.start_backup(&spec).await;
        sim.clear_faults();
        let id = match first {
            Ok(id) => id,
            Err(_) => engine.start_backup(&spec).await.unwrap(),
        };
        sim.advance(Duration::from_secs(60));
        assert_eq!(
            engine.job(&id).await.unwrap().state,
            EngineJobState::Completed
        );
        let sent = sim.statements();
        let orders = sent
            .iter()
            .filter(|text| text.starts_with("ALTER SYSTEM BACKUP"));
        assert_eq!(orders.count(), 1, "answer {nth} was lost");
        door.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_cut_within_an_order_of_a_whole_begins_one_backup() {
    for nth in 1..=9 {
        let sim = cluster("3.1.5", 1);
        prepare_cluster(&sim);
        let door = open(&sim).await;
        let connector = Arc::new(connector(&door, "root@sys", ""));
        let engine = engine_oceanbase::open("demo", connector).await.unwrap();
        let spec = BackupSpec {
            token: "one".to_owned(),
            tenant: key(&*engine, "t1").await,
            kind: BackupKind::Full,
        };
        sim.inject(Fault::ReplyLost { nth });
        let first = engine.start_backup(&spec).await;
        sim.clear_faults();
        let id = match first {
            Ok(id) => id,
            Err(_) => engine.start_backup(&spec).await.unwrap(),
        };
        sim.advance(Duration::from_secs(60));
        let report = engine.job(&id).await.unwrap();
        assert_eq!(report.state, EngineJobState::Completed);
        let sent = sim.statements();
        let orders = sent
            .iter()
            .filter(|text| text.starts_with("ALTER SYSTEM BACKUP"));
        assert_eq!(orders.count(), 1, "answer {nth} was lost");
        door.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_connections_that_the_server_ended_are_made_again() {
    let sim = cluster("4.3.5", 1);
    let door = open(&sim).await;
    let engine = engine(&door).await;
    engine.observe().await.unwrap();
    sim.inject(Fault::DisconnectBefore { nth: 1 });
    engine.observe().await.unwrap();
    door.close().await;
    let gone = engine.observe().await.unwrap_err();
    assert_eq!(gone.kind, EngineErrorKind::Unreachable, "{gone}");
}
