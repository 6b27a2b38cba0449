//! The schema: up, down and up again; a step that was cut off is run again; a newer schema is refused.

use crate::fixture::fresh;
use domain::page::TaskFilter;
use sea_orm::{ConnectionTrait, sea_query::Table};
use store::Store;

#[tokio::test]
async fn up_down_up_leaves_a_working_database() {
    let fixture = fresh().await;
    fixture.cluster("before").await;
    migration::down(fixture.store.connection()).await.unwrap();
    assert!(
        fixture.store.clusters().await.is_err(),
        "tables must be gone"
    );
    migration::up(fixture.store.connection()).await.unwrap();
    migration::up(fixture.store.connection()).await.unwrap();
    assert!(fixture.store.clusters().await.unwrap().is_empty());
    assert_eq!(fixture.store.revision().await.unwrap().0, 0);
    fixture.cluster("after").await;
    assert_eq!(fixture.store.clusters().await.unwrap().len(), 1);
}

/// As after a crash between the last statement of a step and the note that it was done: on MySQL no
/// transaction holds the two together.
#[tokio::test]
async fn a_step_that_was_done_but_not_noted_is_run_again_and_loses_nothing() {
    let fixture = fresh().await;
    let cluster = fixture.cluster("before").await;
    fixture.tenant(cluster, "orders").await;
    let revision = fixture.store.revision().await.unwrap();
    for step in migration::steps() {
        migration::testing::forget_step(fixture.store.connection(), &step)
            .await
            .unwrap();
        migration::up(fixture.store.connection())
            .await
            .unwrap_or_else(|error| panic!("{step}: {error:?}"));
    }
    assert_eq!(fixture.store.revision().await.unwrap(), revision);
    let picture = fixture.store.picture(cluster).await.unwrap();
    assert_eq!(picture[0].facts.name, "orders");
    migration::down(fixture.store.connection()).await.unwrap();
    assert!(fixture.store.clusters().await.is_err());
}

/// As after a crash in the middle of a step: some of its tables and indexes are there.
#[tokio::test]
async fn a_step_that_was_cut_off_is_finished() {
    let fixture = fresh().await;
    let db = fixture.store.connection();
    for (step, cut) in [(1, "log_archive"), (1, "log_span"), (3, "audit")] {
        // Later steps add to tables of this one; none of them had been run yet.
        for step in &migration::steps()[step..] {
            migration::testing::forget_step(db, step).await.unwrap();
        }
        db.execute(&Table::drop().table(cut).to_owned())
            .await
            .unwrap();
        migration::up(db).await.unwrap();
    }
    let cluster = fixture.cluster("local").await;
    fixture.tenant(cluster, "orders").await;
    let all = TaskFilter::default();
    let archives = fixture.store.archives(cluster, &all).await.unwrap();
    assert_eq!(archives.total, 1);
    assert!(fixture.store.audits().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_newer_schema_is_refused_by_name() {
    use migration::testing;
    let fixture = fresh().await;
    testing::pretend_step(fixture.store.connection(), "m20990101_000001_future")
        .await
        .unwrap();
    let error = migration::up(fixture.store.connection()).await.unwrap_err();
    assert!(
        error.to_string().contains("m20990101_000001_future"),
        "{error}"
    );
    testing::forget_step(fixture.store.connection(), "m20990101_000001_future")
        .await
        .unwrap();
    migration::up(fixture.store.connection()).await.unwrap();
}

#[tokio::test]
async fn a_place_that_cannot_be_opened_is_told_without_the_address() {
    let error = Store::connect("sqlite:///nowhere/at/all/secret.db")
        .await
        .unwrap_err();
    assert!(error.to_string().contains("SQLite"), "{error}");
    assert!(!error.to_string().contains("secret"), "{error}");
}
