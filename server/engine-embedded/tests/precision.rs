//! What a recovery claims: how exactly its moment is met, and ranges that promise only what works.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support_basic;

use domain::{Scn, backup::BackupKind, recovery::Precision};
use engine::{Engine, RecoverySpec, TenantKey};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};
use support_basic::{Lab, wait_until};

async fn tenant_with_row(lab: &Lab, name: &str) -> (TenantKey, Scn) {
    let tenant = lab.engine().create_tenant(name).await.unwrap();
    lab.wait_archiving(&tenant).await;
    lab.back_up(&tenant, BackupKind::Full).await;
    let last = lab
        .sql(&tenant, "CREATE TABLE t (v); INSERT INTO t VALUES (1)")
        .await;
    lab.wait_durable(&tenant, last).await;
    (tenant, last)
}

async fn precision(lab: &Lab, tenant: &TenantKey, until: Scn) -> Precision {
    let spec = RecoverySpec {
        token: "plan".to_owned(),
        tenant: tenant.clone(),
        until,
        new_name: "copy".to_owned(),
        place: None,
        placement: None,
    };
    let plan = lab.engine().plan_recovery(&spec).await.unwrap();
    plan.precision
}

#[tokio::test(flavor = "multi_thread")]
async fn commits_of_an_unwatched_time_make_its_moments_inexact() {
    let mut lab = Lab::open().await;
    let (tenant, _) = tenant_with_row(&lab, "orders").await;
    let file = lab.tenant_named("orders").await.data_file.unwrap();
    lab.close().await;
    let closed = lab.now();
    // The stock tool leaves the log where it is, so that no gap begins.
    let commands = ".dbconfig no_ckpt_on_close on\nINSERT INTO t VALUES (2);\n";
    let mut tool = Command::new("sqlite3");
    let script = lab.dir.path().join("commands");
    fs::write(&script, commands).unwrap();
    let done = tool
        .arg(&file)
        .stdin(fs::File::open(&script).unwrap())
        .output();
    assert!(done.unwrap().status.success());
    let during = lab.now();
    lab.advance(60_000_000_000);
    lab.reopen().await;
    lab.wait_archiving(&tenant).await;
    let later = lab.sql(&tenant, "INSERT INTO t VALUES (3)").await;
    lab.wait_durable(&tenant, later).await;
    assert_eq!(lab.tenant_named("orders").await.archive.round, 1);
    let middle = during.plus_ns(30_000_000_000);
    assert_eq!(lab.rows_at(&tenant, middle).await, 1);
    let Precision::Within { after } = precision(&lab, &tenant, middle).await else {
        panic!("the second row was answered long before {middle}");
    };
    assert!(after <= closed, "{after} and {closed}");
    assert_eq!(precision(&lab, &tenant, later).await, Precision::Exact);
}

fn files(dir: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.to_string_lossy().ends_with(ending) {
            found.push(path);
        }
    }
    found.sort();
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_file_that_does_not_follow_leaves_the_ranges() {
    let lab = Lab::open().await;
    let backups = lab.dir.path().join("backup");
    let (tenant, last) = tenant_with_row(&lab, "orders").await;
    let mine = files(&backups, ".seg").pop().unwrap();
    let (_, _) = tenant_with_row(&lab, "other").await;
    let foreign = files(&backups, ".seg");
    let foreign = foreign.iter().find(|path| path.parent() != mine.parent());
    fs::copy(foreign.unwrap(), &mine).unwrap();
    assert!(lab.try_rows_at(&tenant, last).await.is_err());
    let ranges = lab.ranges(&lab.tenant_named("orders").await);
    assert!(ranges.iter().all(|range| range.end < last), "{ranges:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_that_does_not_prove_right_is_not_offered_again() {
    let lab = Lab::open().await;
    let (tenant, _) = tenant_with_row(&lab, "orders").await;
    lab.back_up(&tenant, BackupKind::Full).await;
    let last = lab.sql(&tenant, "INSERT INTO t VALUES (2)").await;
    lab.wait_durable(&tenant, last).await;
    // Packs that are sound in themselves and hold something else, as of the first set.
    let packs = files(&lab.dir.path().join("backup"), ".pack");
    fs::copy(&packs[0], &packs[1]).unwrap();
    let error = lab.try_rows_at(&tenant, last).await.unwrap_err();
    assert!(error.message.contains("backup set 2"), "{error}");
    let observed = lab.tenant_named("orders").await;
    assert_eq!(observed.sets.len(), 1);
    assert!(observed.note.unwrap().contains("backup set 2"));
    assert_eq!(lab.rows_at(&tenant, last).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn verification_notices_that_the_newest_log_is_missing() {
    let lab = Lab::open().await;
    let backups = lab.dir.path().join("backup");
    let (tenant, _) = tenant_with_row(&lab, "orders").await;
    // While nothing is committed, the checkpoint tells how far the log goes.
    wait_until("an idle checkpoint after both commits", async || {
        let checkpoint = files(&backups, "checkpoint.json").pop();
        let bytes = checkpoint.and_then(|path| fs::read(path).ok());
        let json: Option<serde_json::Value> =
            bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        json.is_some_and(|json| json["head"]["txn"].as_u64() == Some(2))
    })
    .await;
    fs::remove_file(files(&backups, ".seg").pop().unwrap()).unwrap();
    let report = lab.engine().verify(Some(&tenant)).await.unwrap();
    let fault = "its last log files are missing";
    assert!(
        report.faults.iter().any(|it| it.contains(fault)),
        "{:?}",
        report.faults
    );
}
