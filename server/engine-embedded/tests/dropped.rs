//! An engine that is dropped without an end: its home stays locked until nothing works on its files any more.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support_basic;

use domain::backup::BackupKind;
use engine::Engine;
use rustix::fs::{FlockOperation, flock};
use std::{fs, path::Path};
use support_basic::{Lab, wait_until};

/// Files below `dir` that this process has open.
fn open_files(dir: &Path) -> Vec<String> {
    let descriptors = fs::read_dir("/proc/self/fd").unwrap();
    descriptors
        .filter_map(|descriptor| fs::read_link(descriptor.ok()?.path()).ok())
        .filter(|file| file.starts_with(dir))
        .map(|file| file.display().to_string())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_home_is_free_only_after_the_last_archiver_let_go() {
    let mut lab = Lab::open().await;
    let tenant = lab.engine().create_tenant("orders").await.unwrap();
    lab.wait_archiving(&tenant).await;
    lab.back_up(&tenant, BackupKind::Full).await;
    let last = lab
        .sql(&tenant, "CREATE TABLE t (v); INSERT INTO t VALUES (1)")
        .await;
    // With the destination away the publisher waits to try again, which it must not do for ever.
    let (here, away) = (lab.dir.path().join("backup"), lab.dir.path().join("away"));
    fs::rename(&here, &away).unwrap();
    wait_until("interrupted", async || {
        let state = lab.tenant_named("orders").await.archive.state;
        state == domain::archive::ArchiveState::Interrupted
    })
    .await;
    let home = lab.dir.path().join("home");
    assert!(!open_files(&home.join("tenants")).is_empty());
    lab.abandon();
    let lock = fs::File::open(home.join("cluster.lock")).unwrap();
    wait_until("the home's lock", async || {
        flock(&lock, FlockOperation::NonBlockingLockExclusive).is_ok()
    })
    .await;
    assert_eq!(open_files(&home.join("tenants")), Vec::<String>::new());
    drop(lock);
    fs::rename(&away, &here).unwrap();
    lab.reopen().await;
    lab.wait_archiving(&tenant).await;
    lab.wait_durable(&tenant, last).await;
    assert_eq!(lab.tenant_named("orders").await.archive.round, 1);
    assert_eq!(lab.rows_at(&tenant, last).await, 1);
}
