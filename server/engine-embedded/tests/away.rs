//! A destination that is away or read-only when the engine starts, and files that go from it and come back.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support_basic;

use domain::{Scn, archive::ArchiveState, backup::BackupKind};
use engine::{BackupSpec, Engine, EngineErrorKind, EngineJobState, RecoverySpec, TenantKey};
use std::{fs, path::PathBuf, process::Command};
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

fn backup(tenant: &TenantKey, token: &str) -> BackupSpec {
    BackupSpec {
        token: token.to_owned(),
        tenant: tenant.clone(),
        kind: BackupKind::Full,
    }
}

fn recovery(tenant: &TenantKey, until: Scn) -> RecoverySpec {
    RecoverySpec {
        token: "r".to_owned(),
        tenant: tenant.clone(),
        until,
        new_name: "back".to_owned(),
        place: None,
        placement: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_at_the_start_is_unknown_and_not_gone() {
    let mut lab = Lab::open().await;
    let (tenant, last) = tenant_with_row(&lab, "orders").await;
    let (lost, lost_last) = tenant_with_row(&lab, "lost").await;
    lab.close().await;
    fs::remove_dir_all(lab.dir.path().join("home/tenants/0002_lost")).unwrap();
    let (here, away) = (lab.dir.path().join("backup"), lab.dir.path().join("away"));
    fs::rename(&here, &away).unwrap();
    lab.reopen().await;
    let observed = lab.engine().observe().await.unwrap();
    assert!(!observed.complete, "what only has backups is not known yet");
    assert!(!lab.tenant_named("orders").await.history_known);
    // Orders may succeed later as they are.
    let spec = recovery(&tenant, last);
    for kind in [
        lab.engine().plan_recovery(&spec).await.unwrap_err().kind,
        lab.engine().start_recovery(&spec).await.unwrap_err().kind,
    ] {
        assert_eq!(kind, EngineErrorKind::Unreachable);
    }
    wait_until("interrupted", async || {
        lab.tenant_named("orders").await.archive.state == ArchiveState::Interrupted
    })
    .await;
    let order = backup(&tenant, "b");
    let error = lab.engine().start_backup(&order).await.unwrap_err();
    assert_eq!(error.kind, EngineErrorKind::Unreachable, "{error}");
    fs::rename(&away, &here).unwrap();
    // Without waiting for anybody's next look.
    let job = lab.engine().start_recovery(&spec).await.unwrap();
    assert_eq!(lab.wait_job(&job).await.state, EngineJobState::Completed);
    wait_until("everything known", async || {
        let observed = lab.engine().observe().await.unwrap();
        observed.complete && observed.tenants.iter().all(|tenant| tenant.history_known)
    })
    .await;
    assert_eq!(lab.rows_at(&lost, lost_last).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_ordered_right_after_the_start_is_accepted_soon_and_never_refused_for_good() {
    let mut lab = Lab::open().await;
    let (tenant, _) = tenant_with_row(&lab, "orders").await;
    lab.reopen().await;
    let order = backup(&tenant, "queued");
    wait_until("accepted", async || {
        match lab.engine().start_backup(&order).await {
            Ok(_) => true,
            Err(error) => {
                assert_eq!(error.kind, EngineErrorKind::Unreachable, "{error}");
                false
            }
        }
    })
    .await;
    lab.engine().stop_archive(&tenant, "a pause").await.unwrap();
    let order = backup(&tenant, "stopped");
    let error = lab.engine().start_backup(&order).await.unwrap_err();
    assert_eq!(error.kind, EngineErrorKind::Rejected, "{error}");
}

/// A mount that goes with the test.
struct Mount(PathBuf);

impl Mount {
    /// `None` where nothing may be mounted.
    fn make(arguments: &[&str], on: &std::path::Path) -> Option<Self> {
        let mut mount = Command::new("mount");
        let done = mount.args(arguments).arg(on).output();
        let is_done = done.is_ok_and(|done| done.status.success());
        if !is_done {
            eprintln!("skipped: nothing can be mounted here");
        }
        is_done.then(|| Mount(on.to_owned()))
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destination_that_became_read_only_can_be_recovered_from_after_a_restart() {
    let mut lab = Lab::open().await;
    let (tenant, last) = tenant_with_row(&lab, "orders").await;
    lab.close().await;
    let here = lab.dir.path().join("backup");
    let source = here.display().to_string();
    let Some(_mount) = Mount::make(&["--bind", &source], &here) else {
        return;
    };
    let read_only = ["-o", "remount,bind,ro"];
    let done = Command::new("mount").args(read_only).arg(&here).status();
    assert!(done.unwrap().success());
    lab.reopen().await;
    let observed = lab.tenant_named("orders").await;
    assert!(observed.history_known && !lab.ranges(&observed).is_empty());
    let job = lab.engine().start_recovery(&recovery(&tenant, last)).await;
    let report = lab.wait_job(&job.unwrap()).await;
    assert_eq!(
        report.state,
        EngineJobState::Completed,
        "{:?}",
        report.failure
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recovery_into_a_full_home_fails_and_leaves_the_backups_believed() {
    let lab = Lab::open().await;
    let (tenant, _) = tenant_with_row(&lab, "orders").await;
    let fill = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500) \
                INSERT INTO t SELECT hex(randomblob(400)) FROM n";
    let last = lab.sql(&tenant, fill).await;
    lab.wait_durable(&tenant, last).await;
    let building = lab.dir.path().join("home/restore");
    let Some(mount) = Mount::make(&["-t", "tmpfs", "-o", "size=64k", "none"], &building) else {
        return;
    };
    let job = lab.engine().start_recovery(&recovery(&tenant, last)).await;
    let report = lab.wait_job(&job.unwrap()).await;
    assert_eq!(report.state, EngineJobState::Failed);
    let failure = report.failure.unwrap();
    assert!(
        failure.contains("No space left") && failure.contains("writing"),
        "{failure}"
    );
    assert_eq!(
        fs::read_dir(&building).unwrap().count(),
        0,
        "nothing is left"
    );
    drop(mount);
    let observed = lab.tenant_named("orders").await;
    assert_eq!((observed.sets.len(), &observed.note), (1, &None));
    assert_eq!(lab.rows_at(&tenant, last).await, 501);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_destination_is_told_and_catches_up_when_there_is_space_again() {
    let dir = tempfile::tempdir().unwrap();
    let here = dir.path().join("backup");
    fs::create_dir(&here).unwrap();
    let Some(_mount) = Mount::make(&["-t", "tmpfs", "-o", "size=1m", "none"], &here) else {
        return;
    };
    let lab = Lab::open_in(dir).await.unwrap();
    let (tenant, first) = tenant_with_row(&lab, "orders").await;
    let ballast = here.join(".ballast");
    let full = fs::write(&ballast, vec![1; 2 << 20]).unwrap_err();
    assert_eq!(full.kind(), std::io::ErrorKind::StorageFull);
    let last = lab
        .sql(&tenant, "INSERT INTO t VALUES (hex(randomblob(20000)))")
        .await;
    let report = lab.try_back_up(&tenant, BackupKind::Full).await;
    assert_eq!(report.state, EngineJobState::Failed);
    let failure = report.failure.unwrap();
    assert!(failure.contains("free"), "{failure}");
    let observed = lab.tenant_named("orders").await;
    assert_eq!(observed.sets.len(), 1, "nothing half-made");
    assert!(lab.ranges(&observed).iter().all(|range| range.end < last));
    assert_eq!(lab.rows_at(&tenant, first).await, 1);
    fs::remove_file(&ballast).unwrap();
    lab.wait_durable(&tenant, last).await;
    assert_eq!(lab.rows_at(&tenant, last).await, 2);
    lab.back_up(&tenant, BackupKind::Full).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_without_one_of_its_files_is_left_out_until_the_file_is_back() {
    let lab = Lab::open().await;
    let (tenant, last) = tenant_with_row(&lab, "orders").await;
    let set = find(&lab.dir.path().join("backup"), ".pack");
    let elsewhere = lab.dir.path().join("elsewhere");
    fs::rename(&set, &elsewhere).unwrap();
    let report = lab.engine().verify(Some(&tenant)).await.unwrap();
    assert!(
        report.faults[0].contains(".pack is missing"),
        "{:?}",
        report.faults
    );
    let observed = lab.tenant_named("orders").await;
    assert!(observed.sets.is_empty() && observed.note.unwrap().contains(".pack is missing"));
    fs::rename(&elsewhere, &set).unwrap();
    let report = lab.engine().verify(Some(&tenant)).await.unwrap();
    assert_eq!(report.faults, Vec::<String>::new());
    let observed = lab.tenant_named("orders").await;
    assert_eq!((observed.sets.len(), observed.note), (1, None));
    assert_eq!(lab.rows_at(&tenant, last).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_file_that_was_damaged_and_is_whole_again_is_believed_again() {
    let lab = Lab::open().await;
    let (tenant, last) = tenant_with_row(&lab, "orders").await;
    let segment = find(&lab.dir.path().join("backup"), ".seg");
    let whole = fs::read(&segment).unwrap();
    let mut broken = whole.clone();
    broken[40] ^= 1;
    fs::write(&segment, broken).unwrap();
    assert!(lab.try_rows_at(&tenant, last).await.is_err());
    let ranges = lab.ranges(&lab.tenant_named("orders").await);
    assert!(ranges.iter().all(|range| range.end < last), "{ranges:?}");
    fs::write(&segment, whole).unwrap();
    let report = lab.engine().verify(Some(&tenant)).await.unwrap();
    assert_eq!(report.faults, Vec::<String>::new());
    assert_eq!(lab.rows_at(&tenant, last).await, 1);
}

/// The last file below with this ending.
fn find(dir: &std::path::Path, ending: &str) -> PathBuf {
    let mut found = Vec::new();
    let mut pending = vec![dir.to_owned()];
    while let Some(dir) = pending.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                pending.push(path);
            } else if path.to_string_lossy().ends_with(ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    found.pop().unwrap()
}
