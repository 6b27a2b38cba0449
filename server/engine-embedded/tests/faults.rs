//! Faults at the destination and in the log: what is refused, what is said, and that nothing is lost.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support_basic;

use domain::{Scn, archive::ArchiveState, backup::BackupKind};
use engine::{Engine, RecoverySpec, TenantKey, TenantObservation};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};
use support_basic::{Lab, wait_until};

async fn tenant_with_rows(lab: &Lab, rows: u32) -> (TenantKey, Vec<Scn>) {
    let tenant = lab.engine().create_tenant("orders").await.unwrap();
    lab.wait_archiving(&tenant).await;
    lab.back_up(&tenant, BackupKind::Full).await;
    let mut commits = vec![lab.sql(&tenant, "CREATE TABLE t (v)").await];
    for n in 0..rows {
        let committed = lab
            .sql(&tenant, &format!("INSERT INTO t VALUES ({n})"))
            .await;
        lab.wait_durable(&tenant, committed).await;
        commits.push(committed);
    }
    (tenant, commits)
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

fn flip_byte(path: &Path, at: usize) {
    let mut bytes = fs::read(path).unwrap();
    let at = at.min(bytes.len() - 1);
    bytes[at] ^= 0x40;
    fs::write(path, bytes).unwrap();
}

async fn observed(lab: &Lab) -> TenantObservation {
    lab.tenant_named("orders").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_log_file_is_named_with_the_last_exact_moment_and_leaves_the_ranges() {
    let lab = Lab::open().await;
    let (tenant, commits) = tenant_with_rows(&lab, 3).await;
    let segments = files(&lab.dir.path().join("backup"), ".seg");
    assert!(segments.len() >= 3, "{segments:?}");
    let broken = &segments[segments.len() - 2];
    flip_byte(broken, 40);
    let last = *commits.last().unwrap();
    let error = lab
        .try_rows_at(&tenant, last)
        .await
        .unwrap_err()
        .to_string();
    let name = broken.file_name().unwrap().to_string_lossy().into_owned();
    assert!(
        error.contains(&name) && error.contains("checksum"),
        "{error}"
    );
    assert!(
        error.contains("The last moment that can be recovered exactly before it is 20"),
        "{error}"
    );
    let ranges = lab.ranges(&observed(&lab).await);
    assert!(ranges.iter().all(|range| range.end < last), "{ranges:?}");
    assert_eq!(
        lab.rows_at(&tenant, ranges[0].end).await,
        1,
        "what lies before it is still exact"
    );
    let report = lab.engine().verify(Some(&tenant)).await.unwrap();
    assert!(
        report.faults.iter().any(|fault| fault.contains(&name)),
        "{:?}",
        report.faults
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_log_file_is_never_skipped() {
    let lab = Lab::open().await;
    let (tenant, commits) = tenant_with_rows(&lab, 3).await;
    let segments = files(&lab.dir.path().join("backup"), ".seg");
    fs::remove_file(&segments[segments.len() - 2]).unwrap();
    let error = lab
        .try_rows_at(&tenant, *commits.last().unwrap())
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("The last moment that can be recovered exactly"),
        "{error}"
    );
    assert_eq!(lab.rows_at(&tenant, commits[1]).await, 1);
    let report = lab.engine().verify(None).await.unwrap();
    assert!(
        report.faults.iter().any(|fault| fault.contains("missing")),
        "{:?}",
        report.faults
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_file_of_another_tenant_is_refused() {
    let lab = Lab::open().await;
    let (tenant, commits) = tenant_with_rows(&lab, 2).await;
    let mine = files(&lab.dir.path().join("backup"), ".seg");
    let other = lab.engine().create_tenant("other").await.unwrap();
    lab.wait_archiving(&other).await;
    let committed = lab
        .sql(&other, "CREATE TABLE t (v); INSERT INTO t VALUES (7)")
        .await;
    lab.wait_durable(&other, committed).await;
    let all = files(&lab.dir.path().join("backup"), ".seg");
    let foreign = all.iter().find(|path| !mine.contains(path)).unwrap();
    fs::copy(foreign, mine.last().unwrap()).unwrap();
    let error = lab
        .try_rows_at(&tenant, *commits.last().unwrap())
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("does not follow"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_set_is_refused_and_the_next_try_uses_an_earlier_one() {
    let lab = Lab::open().await;
    let (tenant, _) = tenant_with_rows(&lab, 1).await;
    let fill = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 999) INSERT INTO t SELECT i FROM n";
    lab.sql(&tenant, fill).await;
    lab.back_up(&tenant, BackupKind::Full).await;
    let now = lab.sql(&tenant, "DELETE FROM t WHERE v = 5").await;
    lab.wait_durable(&tenant, now).await;
    let pack = files(&lab.dir.path().join("backup"), ".pack")
        .pop()
        .unwrap();
    flip_byte(&pack, 20);
    let error = lab.try_rows_at(&tenant, now).await.unwrap_err().to_string();
    assert!(
        error.contains("checksum") && error.contains(".pack"),
        "{error}"
    );
    assert_eq!(
        observed(&lab).await.sets.len(),
        1,
        "the damaged set is not offered any more"
    );
    assert_eq!(lab.rows_at(&tenant, now).await, 999);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destination_that_goes_away_interrupts_and_comes_back_without_a_gap() {
    let lab = Lab::open().await;
    let (tenant, commits) = tenant_with_rows(&lab, 1).await;
    let (here, away) = (lab.dir.path().join("backup"), lab.dir.path().join("away"));
    fs::rename(&here, &away).unwrap();
    let during = lab.sql(&tenant, "INSERT INTO t VALUES (100)").await;
    wait_until("interrupted", async || {
        observed(&lab).await.archive.state == ArchiveState::Interrupted
    })
    .await;
    let seen = observed(&lab).await;
    let note = seen.archive.note.clone().unwrap();
    assert!(note.contains("backup"), "{note}");
    assert!(
        seen.archive.checkpoint.unwrap() < during,
        "the checkpoint tells only what is durable"
    );
    // Another directory at the same path is not the destination.
    fs::create_dir(&here).unwrap();
    lab.sql(&tenant, "INSERT INTO t VALUES (101)").await;
    wait_until("told apart", async || {
        observed(&lab)
            .await
            .archive
            .note
            .is_some_and(|note| note.contains("not the destination"))
    })
    .await;
    assert_eq!(
        fs::read_dir(&here).unwrap().count(),
        0,
        "nothing was written into it"
    );
    fs::remove_dir(&here).unwrap();
    fs::rename(&away, &here).unwrap();
    lab.wait_durable(&tenant, during).await;
    wait_until("in progress", async || {
        observed(&lab).await.archive.state == ArchiveState::Doing
    })
    .await;
    assert_eq!(observed(&lab).await.archive.round, 1);
    assert_eq!(lab.rows_at(&tenant, during).await, 2);
    assert_eq!(lab.rows_at(&tenant, commits[1]).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_with_foreign_files_is_refused_as_destination() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("backup")).unwrap();
    fs::write(dir.path().join("backup/thesis.txt"), "mine").unwrap();
    let error = Lab::open_in(dir).await.err().expect("refused");
    assert!(error.to_string().contains("thesis.txt"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_engines_on_one_home_are_refused() {
    let lab = Lab::open().await;
    let error = lab.open_again().await.err().expect("refused");
    assert!(
        error.to_string().contains("another running Tidemark"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_damaged_on_disk_is_not_blessed_by_a_backup() {
    let lab = Lab::open().await;
    let tenant = lab.engine().create_tenant("orders").await.unwrap();
    lab.wait_archiving(&tenant).await;
    let fill = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) \
                INSERT INTO t SELECT printf('%.100c', 'x') FROM n";
    let committed = lab
        .sql(&tenant, &format!("CREATE TABLE t (v); {fill}"))
        .await;
    lab.wait_durable(&tenant, committed).await;
    let file = observed(&lab).await.data_file.unwrap();
    // Once the log was copied into the file, the damage is in the only copy of the page.
    wait_until("the log copied into the file", async || {
        Command::new("sqlite3")
            .args([&file, "PRAGMA wal_checkpoint(PASSIVE)"])
            .output()
            .unwrap();
        fs::metadata(&file).unwrap().len() > 1_000_000
    })
    .await;
    let damage = "import sys\nwith open(sys.argv[1], 'r+b') as f:\n f.seek(4096 * 200 + 77)\n f.write(b'?')\n";
    assert!(
        Command::new("python3")
            .args(["-c", damage, &file])
            .status()
            .unwrap()
            .success()
    );
    let report = lab.try_back_up(&tenant, BackupKind::Full).await;
    let failure = report.failure.expect("the backup fails");
    assert!(failure.contains("page 201 of the data file"), "{failure}");
    assert!(files(&lab.dir.path().join("backup"), "set.json").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_that_were_written_but_never_committed_are_not_archived() {
    let lab = Lab::open().await;
    let (tenant, _) = tenant_with_rows(&lab, 1).await;
    let file = observed(&lab).await.data_file.unwrap();
    // A program that dies between writing its commit frame and publishing it: the log's last frame
    // once more, valid in every checksum, behind the published end.
    let script = include_str!("support_basic/phantom.py");
    let out = Command::new("python3")
        .args(["-c", script, &file])
        .output()
        .unwrap();
    assert!(out.status.success(), "{out:?}");
    let before = observed(&lab).await.archive.checkpoint.unwrap();
    lab.wait_durable(&tenant, before.plus_ns(1)).await;
    assert!(
        Command::new("sqlite3")
            .args([&file, "INSERT INTO t VALUES (2)"])
            .status()
            .unwrap()
            .success()
    );
    let last = lab.sql(&tenant, "INSERT INTO t VALUES (3)").await;
    lab.wait_durable(&tenant, last).await;
    assert_eq!(observed(&lab).await.archive.state, ArchiveState::Doing);
    assert_eq!(observed(&lab).await.archive.round, 1);
    assert_eq!(lab.rows_at(&tenant, last).await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_spills_is_archived_whole_or_not_at_all() {
    let lab = Lab::open().await;
    let (tenant, _) = tenant_with_rows(&lab, 1).await;
    let file = observed(&lab).await.data_file.unwrap();
    let spill = |end: &str| {
        let fill = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) \
                    INSERT INTO t SELECT printf('%.500c', 'x') FROM n; UPDATE t SET v = v || 'y'";
        let sql = format!("PRAGMA cache_size=10; BEGIN; {fill}; {end}");
        assert!(
            Command::new("sqlite3")
                .args([&file, &sql])
                .status()
                .unwrap()
                .success()
        );
    };
    spill("ROLLBACK");
    spill("COMMIT");
    let last = lab.sql(&tenant, "INSERT INTO t VALUES (3)").await;
    lab.wait_durable(&tenant, last).await;
    assert_eq!(lab.rows_at(&tenant, last).await, 3002);
}

#[tokio::test(flavor = "multi_thread")]
async fn sql_stays_inside_its_tenant_and_inside_its_transaction() {
    let lab = Lab::open().await;
    let (tenant, _) = tenant_with_rows(&lab, 1).await;
    let outside = lab.dir.path().join("outside.db");
    for sql in [
        format!("ATTACH '{}' AS x", outside.display()),
        format!("VACUUM INTO '{}'", outside.display()),
    ] {
        assert!(lab.engine().run_sql(&tenant, &sql).await.is_err(), "{sql}");
    }
    assert!(!outside.exists());
    let error = lab
        .engine()
        .run_sql(&tenant, "BEGIN; DELETE FROM t")
        .await
        .unwrap_err();
    assert!(error.to_string().contains("rolled back"), "{error}");
    let rows = lab
        .engine()
        .run_sql(&tenant, "VACUUM; SELECT count(*) FROM t")
        .await
        .unwrap();
    assert_eq!(rows[1].rows, [[Some("1".to_owned())]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canceled_recovery_leaves_nothing_and_frees_the_name() {
    let lab = Lab::open().await;
    let tenant = lab.engine().create_tenant("orders").await.unwrap();
    lab.wait_archiving(&tenant).await;
    let fill = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000) \
                INSERT INTO t SELECT hex(randomblob(400)) FROM n";
    lab.sql(&tenant, &format!("CREATE TABLE t (v); {fill}"))
        .await;
    lab.back_up(&tenant, BackupKind::Full).await;
    let until = observed(&lab).await.sets[0].min_restore_scn;
    let spec = |token: &str| RecoverySpec {
        token: token.into(),
        tenant: tenant.clone(),
        until,
        new_name: "copy".into(),
        place: None,
        placement: None,
    };
    let job = lab.engine().start_recovery(&spec("a")).await.unwrap();
    lab.engine().cancel_job(&job).await.unwrap();
    let report = lab.wait_job(&job).await;
    assert_eq!(report.state, engine::EngineJobState::Canceled);
    assert_eq!(
        fs::read_dir(lab.dir.path().join("home/restore"))
            .unwrap()
            .count(),
        0
    );
    let job = lab.engine().start_recovery(&spec("b")).await.unwrap();
    assert_eq!(
        lab.wait_job(&job).await.state,
        engine::EngineJobState::Completed
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn small_log_files_become_one_and_every_commit_stays() {
    let mut lab = Lab::open().await;
    // Only segments of one minute are merged: those written below must not straddle two.
    lab.turn_minute();
    let (tenant, mut commits) = tenant_with_rows(&lab, 5).await;
    let dir = lab.dir.path().join("backup");
    let before = files(&dir, ".seg").len();
    lab.advance(120_000_000_000);
    let merged = async || {
        let committed = lab.sql(&tenant, "INSERT INTO t VALUES (1)").await;
        lab.wait_durable(&tenant, committed).await;
        commits.push(committed);
        // Parts are deleted by the publisher right after; the minute may have turned between two of them.
        files(&dir, ".seg").len() < before
    };
    wait_until("the parts merged and deleted", merged).await;
    for (rows, at) in commits.iter().enumerate() {
        assert_eq!(lab.rows_at(&tenant, *at).await, rows as i64, "at {at}");
    }
    assert_eq!(
        lab.engine().verify(None).await.unwrap().faults,
        Vec::<String>::new()
    );
    lab.reopen().await;
    lab.wait_archiving(&tenant).await;
    assert_eq!(observed(&lab).await.archive.round, 1);
    assert_eq!(lab.rows_at(&tenant, commits[3]).await, 3);
}
