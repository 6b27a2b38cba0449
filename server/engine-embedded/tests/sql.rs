//! SQL through the engine stays inside its tenant and cannot blind the engine.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support_basic;

use engine::{Engine, TenantKey};
use support_basic::Lab;

async fn tenant(lab: &Lab) -> TenantKey {
    let tenant = lab.engine().create_tenant("orders").await.unwrap();
    lab.sql(&tenant, "CREATE TABLE t (v UNIQUE)").await;
    tenant
}

#[tokio::test(flavor = "multi_thread")]
async fn no_file_is_reached_however_it_is_named() {
    let lab = Lab::open().await;
    let tenant = tenant(&lab).await;
    let outside = lab.dir.path().join("outside.db").display().to_string();
    let (first, second) = outside.split_at(5);
    for sql in [
        format!("ATTACH '{first}' || '{second}' AS x; CREATE TABLE x.t (v)"),
        format!("ATTACH (SELECT '{outside}') AS x"),
        format!("VACUUM INTO '{first}' || '{second}'"),
        "ATTACH ':memory:' AS x".to_owned(),
    ] {
        let error = lab.engine().run_sql(&tenant, &sql).await.unwrap_err();
        assert!(
            error.message.contains("beyond this tenant"),
            "{sql}: {error}"
        );
    }
    assert!(!std::path::Path::new(&outside).exists());
    lab.sql(&tenant, "INSERT INTO t VALUES (1); VACUUM").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_that_would_blind_the_engine_are_refused_and_the_next_commit_is_stamped() {
    let lab = Lab::open().await;
    let tenant = tenant(&lab).await;
    for sql in [
        "PRAGMA wal_autocheckpoint=1000",
        "PRAGMA main.Wal_AutoCheckpoint(1000)",
        "PRAGMA synchronous=OFF",
        "PRAGMA journal_mode=DELETE",
        "PRAGMA locking_mode=EXCLUSIVE",
        "PRAGMA max_page_count=3",
        "PRAGMA busy_timeout=0",
        "PRAGMA wal_checkpoint(TRUNCATE)",
    ] {
        let error = lab.engine().run_sql(&tenant, sql).await.unwrap_err();
        assert!(error.message.contains("user_version"), "{sql}: {error}");
    }
    lab.sql(&tenant, "INSERT INTO t VALUES (1)").await;
    let asked = "PRAGMA user_version=7; PRAGMA user_version; PRAGMA table_info(t); \
                 SELECT count(*) FROM pragma_index_list('t'); PRAGMA integrity_check(1)";
    let answers = lab.engine().run_sql(&tenant, asked).await.unwrap();
    assert_eq!(answers[1].rows, [[Some("7".to_owned())]]);
    assert_eq!((answers[2].rows.len(), answers[3].rows.len()), (1, 1));
    assert!(answers[0].committed.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_text_sets_does_not_last_into_the_next() {
    let lab = Lab::open().await;
    let tenant = tenant(&lab).await;
    lab.sql(&tenant, "CREATE TABLE c (v REFERENCES t (v))")
        .await;
    let loose = "PRAGMA foreign_keys=OFF; INSERT INTO c VALUES (5); DELETE FROM c";
    lab.sql(&tenant, loose).await;
    let strict = lab.engine().run_sql(&tenant, "INSERT INTO c VALUES (5)");
    let error = strict.await.unwrap_err();
    assert!(error.message.contains("FOREIGN KEY"), "{error}");
}
