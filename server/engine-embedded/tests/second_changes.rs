//! Second copies while the first one changes, is cleaned up, or is damaged.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support_basic;
mod support_second;

use domain::{backup::BackupKind, recoverable::GapCause, second_backup::Place};
use engine::{CopyWhat, Engine, EngineJobState};
use std::{fs, path::PathBuf};
use support_basic::wait_until;
use support_second::*;
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
