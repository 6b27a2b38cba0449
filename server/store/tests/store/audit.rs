//! The audit keeps order and belongs to its change.

use crate::fixture::fresh;
use domain::{
    Scn,
    audit::{AuditFilter, AuditResult},
};
use std::collections::BTreeSet;
use store::{Audit, AuditScope, StoreError};

fn entry(at: u64) -> Audit {
    Audit {
        at: Scn(at),
        actor: "local operator".to_owned(),
        operation: "data backup".to_owned(),
        cluster: None,
        subject: "orders".to_owned(),
        detail: "x".repeat(3000),
        address: Some("192.0.2.7".to_owned()),
        result: AuditResult::Ok,
        cause: None,
        before: None,
        after: Some("{\"role\":\"viewer\"}".to_owned()),
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

async fn record(fixture: &crate::fixture::Fixture, entries: &[Audit]) {
    fixture
        .store
        .change(async |change| {
            for entry in entries {
                change.audit(entry).await?;
            }
            Ok::<_, StoreError>(())
        })
        .await
        .unwrap();
}

#[tokio::test]
async fn entries_are_found_by_everything_they_say_and_only_within_the_scope() {
    let fixture = fresh().await;
    let (local, other) = (
        fixture.cluster("local").await,
        fixture.cluster("other").await,
    );
    let of = |at, cluster, actor: &str, result, cause: Option<&str>| Audit {
        cluster,
        actor: actor.to_owned(),
        detail: "100%_sure!".to_owned(),
        result,
        cause: cause.map(str::to_owned),
        ..entry(at)
    };
    let entries = [
        of(1, Some(local), "maria", AuditResult::Ok, None),
        of(
            2,
            Some(other),
            "maria",
            AuditResult::Failed,
            Some("The DISK is full"),
        ),
        of(3, None, "jon", AuditResult::Refused, Some("wrong password")),
    ];
    record(&fixture, &entries).await;
    let found = async |scope: &AuditScope, filter: AuditFilter| -> Vec<u64> {
        let page = fixture.store.audit_page(scope, &filter).await.unwrap();
        assert_eq!(page.total as usize, page.rows.len());
        page.rows.iter().map(|row| row.at.0).collect()
    };
    let all = AuditScope::Everything;
    let filter = AuditFilter::default;
    assert_eq!(found(&all, filter()).await, [3, 2, 1]);
    let text = |text: &str| AuditFilter {
        text: Some(text.to_owned()),
        ..filter()
    };
    assert_eq!(found(&all, text("disk IS")).await, [2]);
    assert_eq!(found(&all, text("0%_s")).await, [3, 2, 1]);
    assert_eq!(found(&all, text("0%s")).await, [0_u64; 0]);
    assert_eq!(found(&all, text("E!")).await, [3, 2, 1]);
    assert_eq!(
        found(
            &all,
            AuditFilter {
                actor: Some("jon".into()),
                ..filter()
            }
        )
        .await,
        [3]
    );
    assert_eq!(
        found(
            &all,
            AuditFilter {
                cluster: Some("other".into()),
                ..filter()
            }
        )
        .await,
        [2]
    );
    assert_eq!(
        found(
            &all,
            AuditFilter {
                cluster: Some("none".into()),
                ..filter()
            }
        )
        .await,
        [0_u64; 0]
    );
    let refused = AuditFilter {
        result: Some(AuditResult::Refused),
        ..filter()
    };
    assert_eq!(found(&all, refused).await, [3]);
    let between = AuditFilter {
        since: Some(Scn(2)),
        until: Some(Scn(3)),
        ..filter()
    };
    assert_eq!(found(&all, between).await, [2]);
    let mine = AuditScope::Clusters(BTreeSet::from([local]));
    assert_eq!(found(&mine, filter()).await, [1]);
    assert_eq!(
        found(
            &mine,
            AuditFilter {
                cluster: Some("other".into()),
                ..filter()
            }
        )
        .await,
        [0_u64; 0]
    );
    assert_eq!(
        found(&AuditScope::Clusters(BTreeSet::new()), filter()).await,
        [0_u64; 0]
    );

    let page = fixture.store.audit_page(&all, &filter()).await.unwrap();
    let row = &page.rows[1];
    assert_eq!(row.cluster.as_deref(), Some("other"));
    assert_eq!(row.cause.as_deref(), Some("The DISK is full"));
    assert_eq!(row.address.as_deref(), Some("192.0.2.7"));
    let rest = fixture
        .store
        .audit_before(&all, &filter(), row.id, 10)
        .await
        .unwrap();
    assert_eq!(rest.iter().map(|row| row.at.0).collect::<Vec<_>>(), [1]);
}

#[tokio::test]
async fn an_end_is_written_into_what_was_begun() {
    let fixture = fresh().await;
    let begun = Audit {
        result: AuditResult::Begun,
        ..entry(1)
    };
    let (id, _) = fixture
        .store
        .change(async |change| change.audit_begun(&begun).await)
        .await
        .unwrap();
    fixture
        .store
        .change(async |change| {
            change
                .audit_ended(id, AuditResult::Failed, Some("no room"))
                .await
        })
        .await
        .unwrap();
    let kept = fixture.store.audits().await.unwrap();
    let ended = Audit {
        result: AuditResult::Failed,
        cause: Some("no room".to_owned()),
        ..entry(1)
    };
    assert_eq!(kept, [ended]);
}

#[tokio::test]
async fn old_entries_are_forgotten_a_few_at_a_time_but_for_the_kinds_that_stay() {
    let fixture = fresh().await;
    let mut entries: Vec<Audit> = (1..=6).map(entry).collect();
    entries[0].operation = "create cluster".to_owned();
    record(&fixture, &entries).await;
    let forget = async |limit| {
        fixture
            .store
            .forget_audits(Scn(5), &["create cluster"], limit)
            .await
            .unwrap()
    };
    assert_eq!(forget(2).await, 2);
    assert_eq!(forget(2).await, 1);
    assert_eq!(forget(2).await, 0);
    let left: Vec<u64> = fixture
        .store
        .audits()
        .await
        .unwrap()
        .iter()
        .map(|one| one.at.0)
        .collect();
    assert_eq!(left, [6, 5, 1]);
}
