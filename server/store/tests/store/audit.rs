//! The audit keeps order and belongs to its change.

use crate::fixture::fresh;
use domain::Scn;
use store::{Audit, StoreError};

fn entry(at: u64) -> Audit {
    Audit {
        at: Scn(at),
        actor: "local operator".to_owned(),
        operation: "data backup".to_owned(),
        cluster: None,
        subject: "orders".to_owned(),
        detail: "x".repeat(3000),
    }
}

#[tokio::test]
async fn entries_come_newest_first_and_not_at_all_from_a_failed_change() {
    let fixture = fresh().await;
    for at in [5, 6] {
        fixture
            .store
            .change(async |change| change.audit(&entry(at)).await)
            .await
            .unwrap();
    }
    let before = fixture.store.revision().await.unwrap();
    let failed: Result<(), StoreError> = fixture
        .store
        .change(async |change| {
            change.audit(&entry(7)).await?;
            Err(StoreError::Impossible {
                what: "a test".to_owned(),
            })
        })
        .await;
    assert!(failed.is_err());
    assert_eq!(fixture.store.audits().await.unwrap(), [entry(6), entry(5)]);
    assert_eq!(fixture.store.revision().await.unwrap(), before);
}

#[tokio::test]
async fn what_somebody_ordered_is_found_again() {
    let fixture = fresh().await;
    let cluster = fixture.cluster("local").await;
    let mine = Audit {
        cluster: Some(cluster),
        ..entry(5)
    };
    fixture
        .store
        .change(async |change| change.audit(&mine).await)
        .await
        .unwrap();
    let ordered = async |actor: &str, operation: &str, subject: &str| {
        let store = &fixture.store;
        let found = store.was_ordered(cluster, actor, operation, subject).await;
        found.unwrap()
    };
    assert!(ordered("local operator", "data backup", "orders").await);
    assert!(!ordered("demonstration", "data backup", "orders").await);
    assert!(!ordered("local operator", "recovery", "orders").await);
    assert!(!ordered("local operator", "data backup", "payments").await);
}
