//! The log is kept and followed where nobody would expect it: after a stop, without the destination, with a wrong clock.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support_basic;

use domain::{Scn, archive::ArchiveState, backup::BackupKind};
use engine::{Engine, TenantKey};
use std::{fs, process::Command};
use support_basic::{Lab, wait_until};

const HOUR_NS: u64 = 3_600_000_000_000;

/// Writes with the stock tool, which is a program of its own and leaves when it is done.
async fn guest(lab: &Lab, sql: &str) {
    let file = lab.tenant_named("orders").await.data_file.unwrap();
    let out = Command::new("sqlite3").args([&file, sql]).output().unwrap();
    assert!(out.status.success(), "{out:?}");
}

/// A tenant that only other programs write to, so that the engine has no connection of its own to it.
async fn tenant_of_guests(lab: &Lab) -> TenantKey {
    let tenant = lab.engine().create_tenant("orders").await.unwrap();
    lab.wait_archiving(&tenant).await;
    guest(lab, "CREATE TABLE t (v)").await;
    lab.back_up(&tenant, BackupKind::Full).await;
    tenant
}

/// A durable moment that everything committed before this call counts before: what guests commit counts from
/// when it was seen.
async fn seen_by_now(lab: &Lab, tenant: &TenantKey) -> Scn {
    lab.wait_durable(tenant, lab.now()).await;
    let now = lab.now();
    lab.wait_durable(tenant, now).await;
    now
}

#[tokio::test(flavor = "multi_thread")]
async fn what_guests_write_after_a_stop_and_a_start_is_archived() {
    let lab = Lab::open().await;
    let tenant = tenant_of_guests(&lab).await;
    lab.engine().stop_archive(&tenant, "repairs").await.unwrap();
    // The tool would be the last to close the tenant, and would delete its log.
    guest(&lab, "INSERT INTO t VALUES (1)").await;
    lab.engine().start_archive(&tenant).await.unwrap();
    lab.wait_archiving(&tenant).await;
    lab.back_up(&tenant, BackupKind::Full).await;
    guest(&lab, "INSERT INTO t VALUES (2)").await;
    let now = seen_by_now(&lab, &tenant).await;
    assert_eq!(lab.rows_at(&tenant, now).await, 2);
    assert_eq!(lab.tenant_named("orders").await.archive.round, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn log_written_while_the_destination_is_away_at_start_is_kept() {
    let mut lab = Lab::open().await;
    let tenant = tenant_of_guests(&lab).await;
    lab.close().await;
    let (here, away) = (lab.dir.path().join("backup"), lab.dir.path().join("away"));
    fs::rename(&here, &away).unwrap();
    lab.reopen().await;
    wait_until("the destination missed", async || {
        lab.tenant_named("orders").await.archive.state == ArchiveState::Interrupted
    })
    .await;
    for n in 0..3 {
        let write = format!("INSERT INTO t VALUES ({n}); PRAGMA wal_checkpoint(RESTART)");
        guest(&lab, &write).await;
    }
    fs::rename(&away, &here).unwrap();
    lab.wait_archiving(&tenant).await;
    let now = seen_by_now(&lab, &tenant).await;
    assert_eq!(lab.tenant_named("orders").await.archive.round, 1);
    assert_eq!(lab.rows_at(&tenant, now).await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_set_back_keeps_nothing_from_becoming_durable() {
    let lab = Lab::open().await;
    lab.advance(HOUR_NS);
    let tenant = tenant_of_guests(&lab).await;
    let before = lab.sql(&tenant, "INSERT INTO t VALUES (0)").await;
    lab.wait_durable(&tenant, before).await;
    lab.set_back(HOUR_NS);
    for n in 1..=2 {
        let committed = lab.sql(&tenant, "INSERT INTO t VALUES (0)").await;
        assert!(committed > before);
        lab.wait_durable(&tenant, committed).await;
        assert_eq!(lab.rows_at(&tenant, committed).await, n + 1);
    }
}
