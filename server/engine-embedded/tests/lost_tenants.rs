//! Tenants whose files are damaged or lost: their backups stay known and can be recovered from.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support_basic;

use domain::{Scn, backup::BackupKind, tenant::TenantState};
use engine::{
    BackupSpec, Engine, EngineErrorKind, EngineJobState, RecoverySpec, TenantKey, TenantObservation,
};
use std::{
    fs,
    path::{Path, PathBuf},
};
use support_basic::Lab;

/// A tenant with one row more than its set holds, its engine ended, and the moment of that row.
async fn ended() -> (Lab, TenantKey, Scn) {
    let mut lab = Lab::open().await;
    let tenant = lab.engine().create_tenant("orders").await.unwrap();
    lab.wait_archiving(&tenant).await;
    lab.sql(&tenant, "CREATE TABLE t (v); INSERT INTO t VALUES (1)")
        .await;
    lab.back_up(&tenant, BackupKind::Full).await;
    let last = lab.sql(&tenant, "INSERT INTO t VALUES (2)").await;
    lab.wait_durable(&tenant, last).await;
    lab.close().await;
    (lab, tenant, last)
}

fn directory(lab: &Lab) -> PathBuf {
    lab.dir.path().join("home/tenants/0001_orders")
}

async fn seen(lab: &Lab, key: &TenantKey) -> TenantObservation {
    let observed = lab.engine().observe().await.unwrap();
    assert!(observed.complete);
    let mut tenants = observed.tenants.into_iter();
    tenants.find(|tenant| &tenant.key == key).expect("told of")
}

/// Recovers the tenant to a new one as a person would, and counts its rows.
async fn recovered_rows(lab: &Lab, tenant: &TenantKey, until: Scn, name: &str) -> i64 {
    let spec = RecoverySpec {
        token: format!("recovery to {name}"),
        tenant: tenant.clone(),
        until,
        new_name: name.to_owned(),
        place: None,
        placement: None,
    };
    let plan = lab.engine().plan_recovery(&spec).await.unwrap();
    assert_eq!(plan.target_scn, until);
    let job = lab.engine().start_recovery(&spec).await.unwrap();
    let report = lab.wait_job(&job).await;
    let failure = report.failure;
    assert_eq!(report.state, EngineJobState::Completed, "{failure:?}");
    let observed = lab.engine().observe().await.unwrap();
    let is_made = |one: &&TenantObservation| one.name == name && one.state == TenantState::Online;
    let made = observed.tenants.iter().find(is_made).unwrap();
    let rows = lab.engine().run_sql(&made.key, "SELECT count(*) FROM t");
    let text = rows.await.unwrap()[0].rows[0][0].clone();
    text.unwrap().parse().unwrap()
}

/// What is true of every tenant whose directory is there and does not open.
async fn is_faulty_and_recoverable(lab: &Lab, tenant: &TenantKey, last: Scn, why: &str) {
    let observed = seen(lab, tenant).await;
    assert_eq!(observed.state, TenantState::Faulty);
    assert_eq!(observed.name, "orders");
    let note = observed.note.clone().unwrap();
    assert!(note.contains(why) && note.contains("data.db"), "{note}");
    assert!(note.contains("recover it to a new tenant"), "{note}");
    assert!(observed.history_known);
    assert_eq!((observed.sets.len(), observed.archive.round), (1, 1));
    let ranges = lab.ranges(&observed);
    assert!(ranges.last().unwrap().end >= last, "{ranges:?}");
    let taken = lab.engine().create_tenant("orders").await.unwrap_err();
    assert_eq!(taken.kind, EngineErrorKind::Rejected);
    let backup = BackupSpec {
        token: "b".to_owned(),
        tenant: tenant.clone(),
        kind: BackupKind::Full,
    };
    let refused = lab.engine().start_backup(&backup).await.unwrap_err();
    assert_eq!(refused.kind, EngineErrorKind::Rejected);
    assert!(refused.message.contains(why), "{refused}");
    assert_eq!(recovered_rows(lab, tenant, last, "orders_back").await, 2);
    let report = lab.engine().verify(Some(tenant)).await.unwrap();
    assert_eq!((report.sets, report.faults), (1, Vec::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_whose_data_file_is_missing_is_not_begun_anew() {
    let (mut lab, tenant, last) = ended().await;
    let file = directory(&lab).join("data.db");
    fs::remove_file(&file).unwrap();
    lab.reopen().await;
    is_faulty_and_recoverable(&lab, &tenant, last, "missing").await;
    assert!(!file.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_whose_data_file_was_emptied_is_not_begun_anew() {
    let (mut lab, tenant, last) = ended().await;
    let file = directory(&lab).join("data.db");
    fs::write(&file, b"").unwrap();
    lab.reopen().await;
    is_faulty_and_recoverable(&lab, &tenant, last, "empty").await;
    assert_eq!(fs::metadata(&file).unwrap().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_whose_data_file_has_no_header_can_be_recovered() {
    let (mut lab, tenant, last) = ended().await;
    let dir = directory(&lab);
    for file in ["data.db-wal", "data.db-shm"] {
        let _ = fs::remove_file(dir.join(file));
    }
    let mut bytes = fs::read(dir.join("data.db")).unwrap();
    bytes[..100].fill(b'?');
    fs::write(dir.join("data.db"), bytes).unwrap();
    lab.reopen().await;
    is_faulty_and_recoverable(&lab, &tenant, last, "not a database").await;
    // The next start knows as much.
    lab.reopen().await;
    assert_eq!(seen(&lab, &tenant).await.state, TenantState::Faulty);
    let moment = lab.rows_at(&tenant, last).await;
    assert_eq!(moment, 2);
}

/// What is true of every tenant of which only backups are left.
async fn is_gone_and_recoverable(lab: &Lab, tenant: &TenantKey, last: Scn) {
    let observed = seen(lab, tenant).await;
    assert_eq!(observed.state, TenantState::Offline);
    assert_eq!(
        (observed.name.as_str(), observed.data_file.clone()),
        ("orders", None)
    );
    let ranges = lab.ranges(&observed);
    assert!(ranges.last().unwrap().end >= last, "{ranges:?}");
    assert_eq!(recovered_rows(lab, tenant, last, "orders").await, 2);
    let after = seen(lab, tenant).await;
    assert_eq!((after.state, after.sets.len()), (TenantState::Offline, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_whose_directory_is_lost_is_offline_and_can_be_recovered_under_its_name() {
    let (mut lab, tenant, last) = ended().await;
    fs::remove_dir_all(directory(&lab)).unwrap();
    lab.reopen().await;
    is_gone_and_recoverable(&lab, &tenant, last).await;
    // The new tenant of the name and the old one are two, and their histories never mix.
    lab.reopen().await;
    assert_eq!(seen(&lab, &tenant).await.state, TenantState::Offline);
    assert_eq!(lab.rows_at(&tenant, last).await, 2);
    let report = lab.engine().verify(None).await.unwrap();
    assert_eq!(report.faults, Vec::<String>::new());
    assert!(report.sets >= 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_that_does_not_say_whose_it_is_is_named_beside_the_backups() {
    let (mut lab, tenant, last) = ended().await;
    let identity = directory(&lab).join(".engine/tenant.json");
    fs::write(&identity, b"{").unwrap();
    lab.reopen().await;
    let note = seen(&lab, &tenant).await.note.unwrap();
    assert!(note.contains(&shown(&identity)), "{note}");
    is_gone_and_recoverable(&lab, &tenant, last).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_name_of_a_tenant_is_found_in_its_sets_when_its_identity_at_the_destination_is_damaged()
{
    let (mut lab, tenant, last) = ended().await;
    fs::remove_dir_all(directory(&lab)).unwrap();
    let backups = lab.dir.path().join("backup");
    let cluster = subdirectory(&backups);
    fs::write(cluster.join(&tenant.0).join("tenant.json"), b"{").unwrap();
    lab.reopen().await;
    is_gone_and_recoverable(&lab, &tenant, last).await;
}

fn subdirectory(path: &Path) -> PathBuf {
    let mut found = fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    found.find(|path| path.is_dir()).unwrap()
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
