//! Second copies with a running engine: where they may go, how they are made, and recovery from them alone.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support_basic;
mod support_second;

use domain::{BackupSetId, backup::BackupKind, second_backup::Place};
use engine::{CopyWhat, Engine, EngineErrorKind, EngineJobState};
use std::{fs, os::unix::fs::symlink, path::PathBuf};
use support_basic::{Lab, wait_until};
use support_second::*;
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
    wait_until("the first job copies", async || {
        let progress = lab.engine().job(&job).await.unwrap().progress;
        progress.phase == "Copying backup sets"
    })
    .await;
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
