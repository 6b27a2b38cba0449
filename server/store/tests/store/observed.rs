//! What was observed reads back as it was written.

use crate::fixture::{archive_facts, fresh, opened, set, span, tenant_facts};
use domain::{
    Scn,
    archive::ArchiveState,
    backup::BackupKind,
    page::TaskFilter,
    recoverable::GapCause,
    second_backup::SecondLogState,
    strategy::{Drift, Setting},
    tenant::TenantState,
};
use store::{SecondFacts, StoreError};

#[tokio::test]
async fn a_picture_reads_back_and_follows_every_edit() {
    let fixture = fresh().await;
    let cluster = fixture.cluster("local").await;
    let tenant = fixture.tenant(cluster, "orders").await;
    let mut full = set(1, 10);
    let incremental = domain::backup::BackupSet {
        kind: BackupKind::Incremental,
        base: Some(full.id),
        ..set(2, 20)
    };
    let mut grown = span(5, 90);
    fixture
        .store
        .change(async |change| {
            change.add_set(tenant, &full).await?;
            change.add_set(tenant, &incremental).await?;
            change.set_span(tenant, &span(5, 60)).await?;
            change.set_span(tenant, &span(95, 99)).await?;
            change.set_span(tenant, &grown).await
        })
        .await
        .unwrap();
    let picture = fixture.store.picture(cluster).await.unwrap();
    assert_eq!(picture.len(), 1);
    assert_eq!(picture[0].facts, tenant_facts("orders"));
    assert_eq!(picture[0].archive, Some(archive_facts(Scn(100))));
    assert_eq!(picture[0].sets, [full.clone(), incremental.clone()]);
    assert_eq!(picture[0].spans, [grown.clone(), span(95, 99)]);

    full.stored_bytes = 7;
    grown.cause = GapCause::StoppedByPerson;
    grown.note = "for a move".repeat(50);
    let mut facts = tenant_facts("orders");
    facts.state = TenantState::Faulty;
    facts.note = Some("n".repeat(4000));
    let mut archive = archive_facts(Scn(120));
    archive.state = ArchiveState::Unknown("FROZEN SOLID ".repeat(20));
    fixture
        .store
        .change(async |change| {
            change.remove_set(tenant, full.id).await?;
            change.remove_set(tenant, incremental.id).await?;
            change.add_set(tenant, &full).await?;
            change.set_span(tenant, &grown).await?;
            change.remove_span(tenant, &span(95, 99)).await?;
            change.set_archive(cluster, tenant, &archive).await?;
            change.set_tenant(tenant, &facts).await?;
            Ok::<_, StoreError>(())
        })
        .await
        .unwrap();
    let picture = fixture.store.picture(cluster).await.unwrap();
    assert_eq!(picture[0].facts, facts);
    assert_eq!(picture[0].archive, Some(archive));
    assert_eq!(picture[0].sets, [full]);
    assert_eq!(picture[0].spans, [grown]);
    let one = fixture.store.tenant(cluster, tenant).await.unwrap();
    assert_eq!(one, Some(picture[0].tenant()));
}

#[tokio::test]
async fn clusters_read_back_with_capabilities_and_fault() {
    let fixture = fresh().await;
    let id = fixture.cluster("local").await;
    let known = fixture.store.cluster("local").await.unwrap().unwrap();
    assert_eq!(known.cluster.capabilities, opened().capabilities);
    assert_eq!(known.home_dir, "clusters/local");
    fixture
        .store
        .change(async |change| change.cluster_fault(id, "the disk is gone").await)
        .await
        .unwrap();
    let faulty = fixture.store.cluster("local").await.unwrap().unwrap();
    assert_eq!(faulty.cluster.fault.as_deref(), Some("the disk is gone"));
    fixture
        .store
        .change(async |change| change.cluster_observed(id, Scn(9)).await)
        .await
        .unwrap();
    let seen = fixture.store.cluster("local").await.unwrap().unwrap();
    assert_eq!(seen.cluster.observed, Some(Scn(9)));
    assert_eq!(seen.cluster.fault, None);
    assert!(seen.cluster.rev > faulty.cluster.rev);
    assert_eq!(seen.drift, []);
    let drift = vec![Drift {
        tenant: "t1".to_owned(),
        setting: Setting::LogMode,
        wanted: "ARCHIVELOG".to_owned(),
        found: "NOARCHIVELOG".to_owned(),
        blocked: Some("Stop first.".to_owned()),
    }];
    for told in [drift.as_slice(), &[]] {
        let change =
            async |change: &store::Change| change.cluster_drift(seen.cluster.id, told).await;
        fixture.store.change(change).await.unwrap();
        let read = fixture.store.cluster("local").await.unwrap().unwrap();
        assert_eq!(read.drift, told);
    }
    assert_eq!(fixture.store.cluster("other").await.unwrap(), None);
}

#[tokio::test]
async fn two_clusters_of_one_name_are_refused() {
    let fixture = fresh().await;
    fixture.cluster("local").await;
    let again = store::AddCluster {
        name: "local".to_owned(),
        engine: domain::capability::EngineKind::Embedded,
        opened: opened(),
        home_dir: String::new(),
        destination_dir: String::new(),
        endpoint: None,
        created: Scn(2),
    };
    let refused: Result<_, StoreError> = fixture
        .store
        .change(async |change| change.add_cluster(&again).await)
        .await;
    assert!(refused.is_err());
    assert_eq!(fixture.store.clusters().await.unwrap().len(), 1);
}

/// Names that differ only in case are different names, wherever they are kept.
#[tokio::test]
async fn names_are_told_apart_by_case() {
    let fixture = fresh().await;
    let names = ["local", "Local"];
    let mut ids = Vec::new();
    for name in names {
        ids.push(fixture.cluster(name).await);
    }
    for (name, id) in names.into_iter().zip(ids) {
        let found = fixture.store.cluster(name).await.unwrap().unwrap();
        assert_eq!((found.cluster.id, found.cluster.name.as_str()), (id, name));
        fixture.tenant(id, "orders").await;
    }
    assert_eq!(fixture.store.cluster("LOCAL").await.unwrap(), None);
    let cluster = fixture.store.cluster("local").await.unwrap().unwrap();
    fixture.tenant(cluster.cluster.id, "Orders").await;
    assert_eq!(
        fixture
            .store
            .picture(cluster.cluster.id)
            .await
            .unwrap()
            .len(),
        2
    );
}

#[tokio::test]
async fn second_copies_read_back_and_are_listed() {
    let fixture = fresh().await;
    let cluster = fixture.cluster("local").await;
    let tenant = fixture.tenant(cluster, "orders").await;
    fixture.tenant(cluster, "other").await;
    let mut facts = SecondFacts {
        state: SecondLogState::InProgress,
        data_bytes: 10,
        log_bytes: 20,
        checkpoint: Some(Scn(60)),
        started: Some(Scn(5)),
        directory: "/second/clog".repeat(100),
    };
    fixture
        .store
        .change(async |change| {
            change.set_second(cluster, tenant, &facts).await?;
            change.add_second_set(tenant, &set(1, 10)).await?;
            change.add_second_set(tenant, &set(2, 20)).await?;
            change.set_second_span(tenant, &span(5, 50)).await?;
            change.set_second_span(tenant, &span(70, 80)).await?;
            change.set_second_span(tenant, &span(5, 60)).await?;
            // The same set may be at the first destination too.
            change.add_set(tenant, &set(1, 10)).await
        })
        .await
        .unwrap();
    let second = async || {
        let picture = fixture.store.picture(cluster).await.unwrap();
        let named = |name: &str| picture.iter().find(|it| it.facts.name == name).unwrap();
        assert_eq!(named("other").second, None);
        assert_eq!(named("orders").sets, [set(1, 10)]);
        named("orders").second.clone().unwrap()
    };
    let known = second().await;
    assert_eq!(known.facts, facts);
    assert_eq!(known.sets, [set(1, 10), set(2, 20)]);
    assert_eq!(known.spans, [span(5, 60), span(70, 80)]);

    facts.state = SecondLogState::Unknown;
    facts.checkpoint = None;
    fixture
        .store
        .change(async |change| {
            change.set_second(cluster, tenant, &facts).await?;
            change.remove_second_set(tenant, set(1, 10).id).await?;
            change.remove_second_span(tenant, &span(70, 80)).await
        })
        .await
        .unwrap();
    let known = second().await;
    assert_eq!((known.facts, known.sets), (facts, vec![set(2, 20)]));
    assert_eq!(known.spans, [span(5, 60)]);

    let list = async |ask: TaskFilter| fixture.store.second_logs(cluster, &ask).await.unwrap();
    let page = list(TaskFilter::default()).await;
    assert_eq!((page.total, page.total_unfiltered), (1, 1));
    assert_eq!(page.rows[0].tenant_name, "orders");
    assert_eq!(page.rows[0].state, SecondLogState::Unknown);
    let later = TaskFilter {
        since: Some(Scn(6)),
        ..TaskFilter::default()
    };
    let page = list(later).await;
    assert_eq!(
        (page.rows.len(), page.total, page.total_unfiltered),
        (0, 0, 1)
    );
}
