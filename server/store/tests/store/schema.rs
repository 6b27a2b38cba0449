//! The schema: up, down and up again; a newer one is refused.

use crate::fixture::fresh;
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
