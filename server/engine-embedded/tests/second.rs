//! Second copies with a running engine: where they may go, what they hold, and recovery from them alone.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support_basic;

use domain::{
    BackupSetId, Scn,
    backup::BackupKind,
    recoverable::{self, GapCause, SetPoint, Verdict},
    second_backup::Place,
};
use engine::{
    CleanupSpec, CopySpec, CopyWhat, Engine, EngineErrorKind, EngineJobState, JobReport,
    RecoverySpec, SecondObservation, TenantKey,
};
use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};
use support_basic::{Lab, wait_until};

/// Commits something that is not in table `t`.
const MORE: &str = "CREATE TABLE IF NOT EXISTS u (v); INSERT INTO u VALUES (1)";

static NUMBER: AtomicU32 = AtomicU32::new(0);

fn at(lab: &Lab, name: &str) -> PathBuf {
    lab.dir.path().join(name)
}

async fn lab_with_second() -> (Lab, TenantKey) {
    let lab = Lab::open().await;
    lab.engine()
        .use_second(Some(&at(&lab, "second")))
        .await
        .unwrap();
    let tenant = lab.engine().create_tenant("orders").await.unwrap();
    lab.wait_archiving(&tenant).await;
    write(&lab, &tenant, "CREATE TABLE t (v)").await;
    (lab, tenant)
}

async fn write(lab: &Lab, tenant: &TenantKey, sql: &str) -> Scn {
    let committed = lab.sql(tenant, sql).await;
    lab.wait_durable(tenant, committed).await;
    committed
}

fn spec(tenant: &TenantKey, what: CopyWhat, limit: Option<u64>) -> CopySpec {
    CopySpec {
        token: format!("copy-{}", NUMBER.fetch_add(1, Ordering::Relaxed)),
        tenant: tenant.clone(),
        what,
        limit_bytes_per_s: limit,
    }
}

async fn copied(lab: &Lab, tenant: &TenantKey, what: CopyWhat) -> JobReport {
    let job = lab
        .engine()
        .start_copy(&spec(tenant, what, None))
        .await
        .unwrap();
    lab.wait_job(&job).await
}

async fn copy(lab: &Lab, tenant: &TenantKey, what: CopyWhat) -> JobReport {
    let report = copied(lab, tenant, what).await;
    assert_eq!(
        report.state,
        EngineJobState::Completed,
        "{:?}",
        report.failure
    );
    assert!(report.outcome.is_some() && report.location.is_some());
    report
}

async fn back_up(lab: &Lab, tenant: &TenantKey, kind: BackupKind) -> CopyWhat {
    CopyWhat::Set(lab.back_up(tenant, kind).await.set.unwrap())
}

async fn second(lab: &Lab) -> SecondObservation {
    lab.tenant_named("orders").await.second.unwrap()
}

fn reaches(second: &SecondObservation, moment: Scn) -> bool {
    let points: Vec<SetPoint> = second
        .sets
        .iter()
        .map(|set| SetPoint {
            id: set.id,
            round: set.round,
            min_restore_scn: set.min_restore_scn,
        })
        .collect();
    let ranges = recoverable::ranges(&points, &second.spans);
    matches!(
        recoverable::verdict(&ranges, moment),
        Verdict::Recoverable(_)
    )
}

fn recovery(tenant: &TenantKey, until: Scn, name: &str, place: Option<Place>) -> RecoverySpec {
    RecoverySpec {
        token: format!("recovery-{name}"),
        tenant: tenant.clone(),
        until,
        new_name: name.to_owned(),
        place,
    }
}

async fn recover(lab: &Lab, spec: &RecoverySpec) -> JobReport {
    let job = lab.engine().start_recovery(spec).await.unwrap();
    let report = lab.wait_job(&job).await;
    assert_eq!(
        report.state,
        EngineJobState::Completed,
        "{:?}",
        report.failure
    );
    report
}

fn files(dir: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).into_iter().flatten() {
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
    bytes[at] ^= 0x40;
    fs::write(path, bytes).unwrap();
}

async fn verify_second(lab: &Lab) -> Vec<String> {
    lab.engine().verify_second(None).await.unwrap().faults
}

#[tokio::test(flavor = "multi_thread")]
async fn with_the_first_destination_deleted_the_second_copy_recovers_byte_for_byte() {
    let (mut lab, tenant) = lab_with_second().await;
    back_up(&lab, &tenant, BackupKind::Full).await;
    write(&lab, &tenant, "INSERT INTO t VALUES (1)").await;
    let set = back_up(&lab, &tenant, BackupKind::Incremental).await;
    let moment = write(&lab, &tenant, "INSERT INTO t VALUES (2)").await;
    let report = copy(&lab, &tenant, set).await;
    let outcome = report.outcome.unwrap();
    assert!(
        outcome.contains("one set that it builds on copied"),
        "{outcome}"
    );
    assert!(
        !reaches(&second(&lab).await, moment),
        "its log is not there yet"
    );
    let log = spec(&tenant, CopyWhat::Log, None);
    let job = lab.engine().start_copy(&log).await.unwrap();
    assert_eq!(lab.wait_job(&job).await.state, EngineJobState::Completed);
    let seen = second(&lab).await;
    assert!(seen.known && reaches(&seen, moment), "{seen:?}");
    assert!(seen.sets.len() == 2 && seen.data_bytes > 0 && seen.log_bytes > 0);
    assert!(seen.checkpoint >= Some(moment), "{seen:?}");
    assert!(
        seen.directory
            .starts_with(&at(&lab, "second").display().to_string())
    );
    assert_eq!(verify_second(&lab).await, Vec::<String>::new());

    let plan = async |name: &str, place| {
        let spec = recovery(&tenant, moment, name, place);
        lab.engine().plan_recovery(&spec).await
    };
    assert_eq!(plan("aa", None).await.unwrap().place, Place::First);
    assert_eq!(
        plan("aa", Some(Place::Second)).await.unwrap().place,
        Place::Second
    );
    let by_first = recover(&lab, &recovery(&tenant, moment, "by_first", None)).await;
    fs::remove_dir_all(at(&lab, "backup")).unwrap();
    let error = plan("bb", Some(Place::First)).await.unwrap_err();
    assert_eq!(error.kind, EngineErrorKind::Unreachable, "{error}");
    assert_eq!(plan("bb", None).await.unwrap().place, Place::Second);
    let by_second = recover(&lab, &recovery(&tenant, moment, "by_second", None)).await;
    assert_eq!(
        by_second.outcome.as_deref(),
        Some("recovered from the second copy")
    );
    assert_eq!(by_first.outcome, None);
    let (one, other) = (by_first.proof.unwrap(), by_second.proof.unwrap());
    assert_eq!(one, other);
    assert_eq!(other.expected_digest, other.computed_digest);
    assert_eq!(lab.rows_at(&tenant, moment).await, 2);

    // The next process knows what is there, and what was done.
    lab.reopen().await;
    lab.engine()
        .use_second(Some(&at(&lab, "second")))
        .await
        .unwrap();
    let found = lab.engine().find_job(&log.token).await.unwrap().unwrap();
    let report = lab.engine().job(&found).await.unwrap();
    assert_eq!(report.state, EngineJobState::Completed);
    assert!(report.outcome.is_some());
    assert!(reaches(&second(&lab).await, moment));
    assert_eq!(lab.rows_at(&tenant, moment).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_of_which_only_second_copies_are_left_is_found_and_recovered() {
    let (mut lab, tenant) = lab_with_second().await;
    let set = back_up(&lab, &tenant, BackupKind::Full).await;
    let moment = write(&lab, &tenant, "INSERT INTO t VALUES (1)").await;
    copy(&lab, &tenant, set).await;
    copy(&lab, &tenant, CopyWhat::Log).await;
    lab.close().await;
    fs::remove_dir_all(at(&lab, "backup")).unwrap();
    fs::remove_dir_all(at(&lab, "home/tenants")).unwrap();
    lab.reopen().await;
    lab.engine()
        .use_second(Some(&at(&lab, "second")))
        .await
        .unwrap();
    let seen = lab.tenant_named("orders").await;
    assert_eq!(seen.state, domain::tenant::TenantState::Offline);
    assert!(!seen.history_known, "the first destination is not there");
    assert!(reaches(&seen.second.unwrap(), moment));
    let report = recover(&lab, &recovery(&tenant, moment, "orders_2", None)).await;
    let proof = report.proof.unwrap();
    assert_eq!(proof.expected_digest, proof.computed_digest);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_damaged_in_the_first_copy_is_recovered_from_the_second() {
    let (lab, tenant) = lab_with_second().await;
    let set = back_up(&lab, &tenant, BackupKind::Full).await;
    let moment = write(&lab, &tenant, "INSERT INTO t VALUES (1)").await;
    copy(&lab, &tenant, set).await;
    copy(&lab, &tenant, CopyWhat::Log).await;
    for ending in [".pack", ".seg"] {
        flip_byte(files(&at(&lab, "backup"), ending).last().unwrap(), 12);
    }
    assert_eq!(lab.rows_at(&tenant, moment).await, 1);
    // One that is told to read the first copy only says what is wrong.
    let spec = recovery(&tenant, moment, "aa", Some(Place::First));
    lab.engine().plan_recovery(&spec).await.unwrap_err();
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_in_the_first_copy_is_told_and_not_copied() {
    let (lab, tenant) = lab_with_second().await;
    let set = back_up(&lab, &tenant, BackupKind::Full).await;
    for n in 0..3 {
        write(&lab, &tenant, &format!("INSERT INTO t VALUES ({n})")).await;
    }
    let pack = files(&at(&lab, "backup"), ".pack").pop().unwrap();
    let segments = files(&at(&lab, "backup"), ".seg");
    flip_byte(&pack, 12);
    flip_byte(&segments[1], 12);
    let failure = copied(&lab, &tenant, set).await.failure.unwrap();
    assert!(
        failure.contains("pages-0001.pack") && failure.contains("damaged"),
        "{failure}"
    );
    assert!(
        lab.tenant_named("orders").await.sets.is_empty(),
        "not offered any more"
    );
    let failure = copied(&lab, &tenant, CopyWhat::Log).await.failure.unwrap();
    let name = segments[1]
        .file_name()
        .unwrap()
        .to_string_lossy()
        .into_owned();
    assert!(failure.contains(&name), "{failure}");
    let there = files(&at(&lab, "second"), ".seg");
    assert!(there.iter().all(|path| !path.ends_with(&name)), "{there:?}");
    assert!(there.len() >= segments.len() - 1, "the others are there");
    assert!(second(&lab).await.sets.is_empty());
    let faults = verify_second(&lab).await;
    assert!(
        faults
            .iter()
            .all(|fault| fault.contains("in front of it is missing")),
        "{faults:?}"
    );
    // What is missing was told; the next copy has nothing to tell.
    copy(&lab, &tenant, CopyWhat::Log).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_destination_is_a_directory_of_its_own_and_holds_nothing_else() {
    let lab = Lab::open().await;
    let refused = async |path: PathBuf, why: &str| {
        let error = lab.engine().use_second(Some(&path)).await.unwrap_err();
        assert_eq!(error.kind, EngineErrorKind::Rejected, "{error}");
        assert!(error.to_string().contains(why), "{error}");
    };
    symlink(at(&lab, "backup"), at(&lab, "link")).unwrap();
    refused(at(&lab, "backup"), "is the first destination").await;
    refused(at(&lab, "link"), "is the first destination").await;
    refused(at(&lab, "backup/inner"), "inside the other").await;
    refused(at(&lab, "link/inner"), "inside the other").await;
    refused(lab.dir.path().to_owned(), "inside the other").await;
    refused(PathBuf::from("second"), "absolute").await;
    fs::create_dir(at(&lab, "foreign")).unwrap();
    fs::write(at(&lab, "foreign/thesis.txt"), "mine").unwrap();
    refused(at(&lab, "foreign"), "thesis.txt").await;
    assert_eq!(fs::read_dir(at(&lab, "foreign")).unwrap().count(), 1);
    fs::write(at(&lab, "file"), "mine").unwrap();
    refused(at(&lab, "file"), "not a directory").await;
    assert!(!at(&lab, "backup/inner").exists());

    let other = Lab::open().await;
    let tenant = other.engine().create_tenant("theirs").await.unwrap();
    other.wait_archiving(&tenant).await;
    refused(at(&other, "backup"), "backups of another cluster").await;
    let error = lab
        .engine()
        .use_second(Some(&at(&lab, "no/parent")))
        .await
        .unwrap_err();
    assert_eq!(error.kind, EngineErrorKind::Unreachable, "{error}");

    // One that is used may be given again, given up, and taken up again.
    let path = at(&lab, "second");
    for _ in 0..2 {
        lab.engine().use_second(Some(&path)).await.unwrap();
    }
    let tenant = lab.engine().create_tenant("orders").await.unwrap();
    lab.wait_archiving(&tenant).await;
    copy(&lab, &tenant, CopyWhat::Log).await;
    lab.engine().use_second(None).await.unwrap();
    assert_eq!(lab.tenant_named("orders").await.second, None);
    let error = lab
        .engine()
        .start_copy(&spec(&tenant, CopyWhat::Log, None))
        .await
        .unwrap_err();
    assert_eq!(error.kind, EngineErrorKind::Rejected, "{error}");
    lab.engine().verify_second(None).await.unwrap_err();
    lab.engine().use_second(Some(&path)).await.unwrap();
    assert!(!second(&lab).await.spans.is_empty(), "it is known at once");
    let error = other.engine().use_second(Some(&path)).await.unwrap_err();
    assert!(error.to_string().contains("another cluster"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_directory_in_its_place_is_never_written_to() {
    let (lab, tenant) = lab_with_second().await;
    let set = back_up(&lab, &tenant, BackupKind::Full).await;
    copy(&lab, &tenant, CopyWhat::Log).await;
    let (here, away) = (at(&lab, "second"), at(&lab, "away"));
    fs::rename(&here, &away).unwrap();
    let failure = copied(&lab, &tenant, set).await.failure.unwrap();
    assert!(
        failure.contains("second copy") && failure.contains("does not exist"),
        "{failure}"
    );
    fs::create_dir(&here).unwrap();
    let failure = copied(&lab, &tenant, set).await.failure.unwrap();
    assert!(failure.contains("not the destination"), "{failure}");
    assert_eq!(fs::read_dir(&here).unwrap().count(), 0);
    assert!(
        !second(&lab).await.spans.is_empty(),
        "what is known stays known"
    );
    fs::remove_dir(&here).unwrap();
    fs::rename(&away, &here).unwrap();
    copy(&lab, &tenant, set).await;
    copy(&lab, &tenant, CopyWhat::Log).await;
    assert_eq!(verify_second(&lab).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_away_at_start_is_expected_and_used_when_it_is_back() {
    let (mut lab, tenant) = lab_with_second().await;
    let set = back_up(&lab, &tenant, BackupKind::Full).await;
    copy(&lab, &tenant, set).await;
    lab.close().await;
    let (here, away) = (at(&lab, "second"), at(&lab, "away"));
    fs::rename(&here, &away).unwrap();
    fs::create_dir(&here).unwrap();
    lab.reopen().await;
    lab.engine().use_second(Some(&here)).await.unwrap();
    assert!(!second(&lab).await.known, "an empty directory says nothing");
    assert_eq!(fs::read_dir(&here).unwrap().count(), 0);
    fs::remove_dir(&here).unwrap();
    fs::rename(&away, &here).unwrap();
    wait_until("the second copy known", async || second(&lab).await.known).await;
    assert_eq!(second(&lab).await.sets.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn merged_log_files_take_the_place_of_their_parts_in_the_second_copy_too() {
    let (lab, tenant) = lab_with_second().await;
    let set = back_up(&lab, &tenant, BackupKind::Full).await;
    lab.turn_minute();
    let mut commits = Vec::new();
    for n in 0..6 {
        commits.push(write(&lab, &tenant, &format!("INSERT INTO t VALUES ({n})")).await);
    }
    copy(&lab, &tenant, set).await;
    copy(&lab, &tenant, CopyWhat::Log).await;
    let first = || files(&at(&lab, "backup"), ".seg").len();
    let before = files(&at(&lab, "second"), ".seg").len();
    lab.advance(120_000_000_000);
    wait_until("merged at the first destination", async || {
        write(&lab, &tenant, MORE).await;
        first() < before
    })
    .await;
    copy(&lab, &tenant, CopyWhat::Log).await;
    let after = files(&at(&lab, "second"), ".seg").len();
    assert!(after < before, "{after} log files after {before}");
    assert_eq!(verify_second(&lab).await, Vec::<String>::new());
    fs::remove_dir_all(at(&lab, "backup")).unwrap();
    for (rows, moment) in commits.iter().enumerate() {
        assert_eq!(lab.rows_at(&tenant, *moment).await, rows as i64 + 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn log_that_is_merged_while_it_is_copied_is_all_there_afterwards() {
    let (lab, tenant) = lab_with_second().await;
    let set = back_up(&lab, &tenant, BackupKind::Full).await;
    lab.turn_minute();
    for n in 0..8 {
        write(&lab, &tenant, &format!("INSERT INTO t VALUES ({n})")).await;
    }
    // So slow that the parts are gone before their turn has come.
    let slow = spec(&tenant, CopyWhat::Log, Some(1500));
    let job = lab.engine().start_copy(&slow).await.unwrap();
    lab.advance(120_000_000_000);
    let before = files(&at(&lab, "backup"), ".seg").len();
    wait_until("merged at the first destination", async || {
        write(&lab, &tenant, MORE).await;
        files(&at(&lab, "backup"), ".seg").len() < before
    })
    .await;
    let moment = lab.now();
    let report = lab.wait_job(&job).await;
    assert_eq!(
        report.state,
        EngineJobState::Completed,
        "{:?}",
        report.failure
    );
    copy(&lab, &tenant, set).await;
    lab.wait_durable(&tenant, moment).await;
    copy(&lab, &tenant, CopyWhat::Log).await;
    assert_eq!(verify_second(&lab).await, Vec::<String>::new());
    assert!(reaches(&second(&lab).await, moment));
    fs::remove_dir_all(at(&lab, "backup")).unwrap();
    assert_eq!(lab.rows_at(&tenant, moment).await, 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_is_kept_and_a_canceled_copy_leaves_nothing_of_the_set() {
    let (lab, tenant) = lab_with_second().await;
    let fill = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) \
                INSERT INTO t SELECT randomblob(400) FROM n";
    write(&lab, &tenant, fill).await;
    let set = back_up(&lab, &tenant, BackupKind::Full).await;
    let job = lab
        .engine()
        .start_copy(&spec(&tenant, set, Some(300_000)))
        .await
        .unwrap();
    let report = async || lab.engine().job(&job).await.unwrap();
    wait_until("some of it copied", async || {
        report().await.progress.done_bytes > 150_000
    })
    .await;
    let progress = report().await.progress;
    assert_eq!(progress.phase, "Copying backup sets");
    assert!(progress.total_bytes > 500_000, "{progress:?}");
    assert!(progress.eta_ms.is_some(), "{progress:?}");
    assert!(progress.rate_bytes_per_s < 600_000, "{progress:?}");
    lab.engine().cancel_job(&job).await.unwrap();
    assert_eq!(lab.wait_job(&job).await.state, EngineJobState::Canceled);
    assert_eq!(files(&at(&lab, "second"), ".pack"), Vec::<PathBuf>::new());
    let begun = lab.now();
    let job = lab
        .engine()
        .start_copy(&spec(&tenant, set, Some(600_000)))
        .await
        .unwrap();
    let report = lab.wait_job(&job).await;
    assert_eq!(
        report.state,
        EngineJobState::Completed,
        "{:?}",
        report.failure
    );
    let took_ns = lab.now().since_ns(begun);
    assert!(
        took_ns > 1_000_000_000,
        "{took_ns} ns for {:?}",
        report.progress
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn giving_the_second_destination_up_ends_what_is_being_copied() {
    let (lab, tenant) = lab_with_second().await;
    let fill = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) \
                INSERT INTO t SELECT randomblob(400) FROM n";
    write(&lab, &tenant, fill).await;
    let set = back_up(&lab, &tenant, BackupKind::Full).await;
    let slow = spec(&tenant, set, Some(50_000));
    let job = lab.engine().start_copy(&slow).await.unwrap();
    assert_eq!(
        lab.engine().start_copy(&slow).await.unwrap(),
        job,
        "one job for one token"
    );
    let waiting = lab
        .engine()
        .start_copy(&spec(&tenant, CopyWhat::Log, None))
        .await
        .unwrap();
    wait_until("the second job waits", async || {
        let progress = lab.engine().job(&waiting).await.unwrap().progress;
        progress.phase.starts_with("Waiting")
    })
    .await;
    lab.engine().use_second(None).await.unwrap();
    for job in [job, waiting] {
        let failure = lab.wait_job(&job).await.failure.unwrap();
        assert!(failure.contains("given up"), "{failure}");
    }
    assert_eq!(files(&at(&lab, "second"), ".pack"), Vec::<PathBuf>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_a_restart_interrupts_goes_on_with_what_is_there() {
    let (mut lab, tenant) = lab_with_second().await;
    back_up(&lab, &tenant, BackupKind::Full).await;
    for n in 0..3 {
        write(&lab, &tenant, &format!("INSERT INTO t VALUES ({n})")).await;
    }
    let set = back_up(&lab, &tenant, BackupKind::Incremental).await;
    let job = lab
        .engine()
        .start_copy(&spec(&tenant, set, Some(2_000)))
        .await
        .unwrap();
    wait_until("a file of it copied", async || {
        !files(&at(&lab, "second"), ".pack").is_empty()
    })
    .await;
    drop(job);
    lab.reopen().await;
    let left = files(&at(&lab, "second"), ".pack");
    assert!(!left.is_empty(), "what is copied stays");
    lab.engine()
        .use_second(Some(&at(&lab, "second")))
        .await
        .unwrap();
    let report = copy(&lab, &tenant, set).await;
    assert!(report.outcome.unwrap().contains("copied"));
    copy(&lab, &tenant, CopyWhat::Log).await;
    assert_eq!(verify_second(&lab).await, Vec::<String>::new());
    let again = copy(&lab, &tenant, set).await.outcome.unwrap();
    assert!(again.contains("was there already"), "{again}");
    let strange = copied(&lab, &tenant, CopyWhat::Set(BackupSetId(99))).await;
    assert!(strange.outcome.unwrap().contains("nothing to copy"));
}

async fn clean_up(lab: &Lab, tenant: &TenantKey, place: Place, keep_from: Scn) -> JobReport {
    let spec = CleanupSpec {
        token: format!("cleanup-{}", NUMBER.fetch_add(1, Ordering::Relaxed)),
        tenant: tenant.clone(),
        place,
        keep_from,
    };
    let job = lab.engine().start_cleanup(&spec).await.unwrap();
    let report = lab.wait_job(&job).await;
    assert_eq!(
        report.state,
        EngineJobState::Completed,
        "{:?}",
        report.failure
    );
    report
}

/// Two full sets with some log before, between and after them; the last moment.
async fn two_full_sets(lab: &Lab, tenant: &TenantKey) -> (CopyWhat, CopyWhat, Scn) {
    let old = back_up(lab, tenant, BackupKind::Full).await;
    for n in 0..3 {
        write(lab, tenant, &format!("INSERT INTO t VALUES ({n})")).await;
    }
    let new = back_up(lab, tenant, BackupKind::Full).await;
    let moment = write(lab, tenant, "INSERT INTO t VALUES (4)").await;
    (old, new, moment)
}

#[tokio::test(flavor = "multi_thread")]
async fn log_that_expired_before_it_was_copied_is_not_taken_for_lost() {
    let (lab, tenant) = lab_with_second().await;
    let (_, new, moment) = two_full_sets(&lab, &tenant).await;
    let before = files(&at(&lab, "backup"), ".seg").len();
    clean_up(&lab, &tenant, Place::First, moment).await;
    assert!(files(&at(&lab, "backup"), ".seg").len() < before);
    copy(&lab, &tenant, new).await;
    copy(&lab, &tenant, CopyWhat::Log).await;
    assert_eq!(verify_second(&lab).await, Vec::<String>::new());
    let seen = second(&lab).await;
    let is_lost = |cause: GapCause| cause == GapCause::LogMissing;
    assert!(
        seen.spans.iter().all(|span| !is_lost(span.cause)),
        "{:?}",
        seen.spans
    );
    assert!(reaches(&seen, moment));
    fs::remove_dir_all(at(&lab, "backup")).unwrap();
    assert_eq!(lab.rows_at(&tenant, moment).await, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_expired_in_the_second_copy_is_not_copied_again() {
    let (mut lab, tenant) = lab_with_second().await;
    let (old, new, moment) = two_full_sets(&lab, &tenant).await;
    for what in [old, new, CopyWhat::Log] {
        copy(&lab, &tenant, what).await;
    }
    let first = lab.tenant_named("orders").await.sets.len();
    clean_up(&lab, &tenant, Place::Second, moment).await;
    let there = files(&at(&lab, "second"), ".seg");
    assert_eq!(second(&lab).await.sets.len(), 1);
    assert_eq!(lab.tenant_named("orders").await.sets.len(), first);
    lab.reopen().await;
    lab.wait_archiving(&tenant).await;
    lab.engine()
        .use_second(Some(&at(&lab, "second")))
        .await
        .unwrap();
    copy(&lab, &tenant, CopyWhat::Log).await;
    let now = files(&at(&lab, "second"), ".seg");
    let oldest = |files: &[PathBuf]| files.first().cloned();
    assert_eq!(oldest(&now), oldest(&there), "the expired log stays away");
    assert_eq!(verify_second(&lab).await, Vec::<String>::new());
    fs::remove_dir_all(at(&lab, "backup")).unwrap();
    assert_eq!(lab.rows_at(&tenant, moment).await, 4);
}
