//! What is in the way is told with what to do about it; passwords are not.

use crate::fixture::{Fixture, fresh};
use sea_orm::ConnectionTrait;
use std::error::Error;
use store::{Store, StoreError};

async fn set(fixture: &Fixture, pragma: &str) {
    let connection = fixture.store.connection();
    connection
        .execute_unprepared(&format!("PRAGMA {pragma}"))
        .await
        .unwrap();
}

/// What a change that needs much room fails with.
async fn refused(fixture: &Fixture) -> StoreError {
    let audit = store::Audit {
        at: domain::Scn(1),
        actor: "tester".to_owned(),
        operation: "test".to_owned(),
        cluster: None,
        subject: "room".to_owned(),
        detail: "x".repeat(1 << 20),
        address: None,
        result: domain::audit::AuditResult::Ok,
        cause: None,
        before: None,
        after: None,
    };
    let done = fixture
        .store
        .change(async |change| change.audit(&audit).await)
        .await;
    done.unwrap_err()
}

/// On SQLite only: other databases are filled and locked in other ways.
async fn on_sqlite() -> Option<Fixture> {
    match std::env::var("TEST_DATABASE_URL") {
        Ok(_) => None,
        Err(_) => Some(fresh().await),
    }
}

#[tokio::test]
async fn a_read_only_database_and_a_full_disk_say_so_and_what_to_do() {
    let Some(fixture) = on_sqlite().await else {
        return;
    };
    set(&fixture, "query_only = ON").await;
    let error = refused(&fixture).await;
    assert!(matches!(error, StoreError::ReadOnly { .. }), "{error:?}");
    assert!(error.to_string().contains("the right to write"), "{error}");
    set(&fixture, "query_only = OFF").await;
    // Never below what is in use.
    set(&fixture, "max_page_count = 1").await;
    let error = refused(&fixture).await;
    assert!(matches!(error, StoreError::Full { .. }), "{error:?}");
    assert!(error.to_string().contains("free some space"), "{error}");
    assert!(error.may_pass() && error.source().is_some());
    set(&fixture, "max_page_count = 100000").await;
    fixture.cluster("local").await;
}

#[tokio::test]
async fn a_database_that_another_program_keeps_locked_says_so() {
    let Some(fixture) = on_sqlite().await else {
        return;
    };
    set(&fixture, "busy_timeout = 0").await;
    let url = format!("sqlite://{}", fixture.file().display());
    let other = Store::connect(&url).await.unwrap();
    let connection = other.connection();
    connection
        .execute_unprepared("BEGIN IMMEDIATE")
        .await
        .unwrap();
    let error = refused(&fixture).await;
    assert!(matches!(error, StoreError::Busy { .. }), "{error:?}");
    assert!(error.to_string().contains("try again"), "{error}");
    connection.execute_unprepared("ROLLBACK").await.unwrap();
}

#[tokio::test]
async fn no_cause_of_a_failed_connection_tells_the_address() {
    for url in [
        "mongodb://bob:hunter2@127.0.0.1/tidemark",
        "postgres://bob:hunter2@127.0.0.1:notaport/tidemark",
        "mysql://bob:hunter2@127.0.0.1:99999/tidemark",
        "nothing?password=hunter2",
    ] {
        let error = Store::connect(url).await.unwrap_err();
        let mut told = format!("{error:?}");
        let mut next: Option<&dyn Error> = Some(&error);
        while let Some(error) = next {
            told.push_str(&format!("; {error}"));
            next = error.source();
        }
        assert!(!told.contains("hunter2"), "{url}: {told}");
        assert!(error.source().is_some(), "the cause is kept: {told}");
    }
}

/// As on a full disk, where SQLite undoes the whole transaction and not only the statement.
#[tokio::test]
async fn a_change_that_the_database_undid_by_itself_tells_why_and_holds_up_no_other() {
    let Some(fixture) = on_sqlite().await else {
        return;
    };
    let run = async |sql: &str| {
        let connection = fixture.store.connection();
        connection.execute_unprepared(sql).await.unwrap();
    };
    run("CREATE TRIGGER undoing BEFORE INSERT ON audit \
         BEGIN SELECT RAISE(ROLLBACK, 'undone'); END")
    .await;
    let error = refused(&fixture).await;
    assert!(error.to_string().contains("recording the audit"), "{error}");
    run("DROP TRIGGER undoing").await;
    // One that changes nothing is undone in order, and the next one is saved for everybody.
    let nothing = fixture.store.change(async |_| Ok::<_, StoreError>(()));
    nothing.await.unwrap();
    fixture.cluster("local").await;
    let url = format!("sqlite://{}", fixture.file().display());
    let other = Store::connect(&url).await.unwrap();
    assert!(other.cluster("local").await.unwrap().is_some());
}
