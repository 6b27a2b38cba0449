//! Who may do what, what is refused, and what the audit keeps.

use crate::stage::{LOCAL, Stage, actor, admin, eventually, global_admin, operator};
use control::{Error, ErrorKind};
use domain::{
    JobId, Revision, TenantId,
    access::{Actor, Grants, Origin, Role},
    audit::{AuditFilter, AuditResult},
    backup::BackupKind,
    cluster::NewCluster,
    page::TaskFilter,
    second_backup::Place,
};
use std::collections::BTreeMap;

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_is_too_low_gets_no_handle() {
    let stage = Stage::new();
    let console = stage.console().await;
    assert!(console.viewer(&actor(Role::Viewer)).is_ok());
    assert!(console.operator(&actor(Role::Admin)).is_ok());
    let refused = [
        console.operator(&actor(Role::Viewer)).err().unwrap(),
        console.admin(&actor(Role::Operator)).err().unwrap(),
    ];
    for error in refused {
        assert_eq!(error.kind(), ErrorKind::Forbidden);
        assert!(error.to_string().contains("tester"), "{error}");
    }
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_named() {
    let (_stage, console, tenant) = Stage::with_tenant().await;
    let operator = operator(&console);
    let viewer = operator.viewer();
    let errors: Vec<(Error, &str, &str)> = vec![
        (
            viewer.overview("nowhere").await.unwrap_err(),
            "cluster",
            "nowhere",
        ),
        (
            viewer
                .backups("nowhere", &TaskFilter::default())
                .await
                .unwrap_err(),
            "cluster",
            "nowhere",
        ),
        (
            viewer.backup(LOCAL, JobId(99)).await.unwrap_err(),
            "data backup task",
            "99",
        ),
        (
            operator.cancel(LOCAL, JobId(99)).await.unwrap_err(),
            "task",
            "99",
        ),
        (
            operator
                .back_up_now(LOCAL, Some(TenantId(77)), BackupKind::Full)
                .await
                .unwrap_err(),
            "tenant",
            "77",
        ),
    ];
    for (error, what, id) in errors {
        let expected = ErrorKind::NotFound {
            what: what.to_owned(),
            id: id.to_owned(),
        };
        assert_eq!(error.kind(), expected);
    }
    assert!(
        operator
            .verify(LOCAL, Some(tenant), Place::First)
            .await
            .unwrap()
            .faults
            .is_empty()
    );
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn clusters_are_checked_before_anything_is_made() {
    let (stage, console, _) = Stage::with_tenant().await;
    let admin = global_admin(&console);
    let new = |name: &str, destination: Option<&str>, tenant: Option<&str>| NewCluster {
        name: name.to_owned(),
        destination: destination.map(str::to_owned),
        first_tenant: tenant.map(str::to_owned),
        ..NewCluster::default()
    };
    let refused = admin
        .create_cluster(&new("../x", Some("relative"), Some("-")))
        .await;
    let ErrorKind::Invalid(found) = refused.unwrap_err().kind() else {
        panic!("not refused as input");
    };
    let fields: Vec<&str> = found.iter().map(|v| v.field.as_str()).collect();
    assert_eq!(
        fields,
        ["Cluster name", "Backup destination", "Tenant name"]
    );
    for name in [LOCAL, "LOCAL"] {
        let error = admin
            .create_cluster(&new(name, None, None))
            .await
            .unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Conflict(_)), "{error}");
    }
    let taken = stage.dir.path().join("backup/local");
    let error = admin
        .create_cluster(&new("other", taken.to_str(), None))
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("cluster local keeps its backups"),
        "{error}"
    );
    admin
        .create_cluster(&new("other", None, None))
        .await
        .unwrap();
    assert_eq!(
        admin
            .admin()
            .operator()
            .viewer()
            .clusters()
            .await
            .unwrap()
            .len(),
        2
    );
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_has_every_order_and_never_the_text_of_sql() {
    let (stage, console, tenant) = Stage::with_tenant().await;
    let operator = operator(&console);
    operator
        .run_sql(LOCAL, tenant, "SELECT 'hidden-value'")
        .await
        .unwrap();
    operator
        .run_sql(LOCAL, tenant, "nonsense hidden-value")
        .await
        .unwrap_err();
    operator
        .stop_log_backup(LOCAL, tenant, "moving")
        .await
        .unwrap();
    operator.verify(LOCAL, None, Place::First).await.unwrap();
    let mut audits = stage.store().await.audits().await.unwrap();
    audits.reverse();
    let kept: Vec<(&str, &str)> = audits
        .iter()
        .map(|entry| (entry.operation.as_str(), entry.subject.as_str()))
        .collect();
    assert_eq!(
        kept,
        [
            ("create cluster", "local"),
            ("create tenant", "orders"),
            ("run SQL", "orders"),
            ("run SQL", "orders"),
            ("stop log backup", "orders"),
            ("verify", "all tenants"),
        ]
    );
    let results: Vec<AuditResult> = audits.iter().map(|entry| entry.result).collect();
    let (ok, failed) = (AuditResult::Ok, AuditResult::Failed);
    assert_eq!(results, [ok, ok, ok, failed, ok, ok]);
    assert!(audits.iter().all(|entry| entry.actor == "tester"));
    assert!(!format!("{audits:?}").contains("hidden-value"));
    console.shut_down().await;
}

/// A stage with clusters `local` and `secret`, and somebody who has `role` in `local` only.
async fn with_two(role: Role) -> (Stage, control::Console, TenantId, Actor) {
    let (stage, console, tenant) = Stage::with_tenant().await;
    let new = NewCluster {
        name: "secret".to_owned(),
        ..NewCluster::default()
    };
    global_admin(&console).create_cluster(&new).await.unwrap();
    let clusters = global_admin(&console)
        .admin()
        .operator()
        .viewer()
        .clusters()
        .await
        .unwrap();
    let local = clusters
        .iter()
        .find(|one| one.cluster.name == LOCAL)
        .unwrap()
        .cluster
        .id;
    let origin = Origin {
        address: Some("192.0.2.3".to_owned()),
        request: Some("backups/back_up_now".to_owned()),
    };
    let actor = Actor {
        grants: Grants {
            everywhere: None,
            clusters: BTreeMap::from([(local, role)]),
        },
        ..Actor::new("maria", role).from_origin(origin)
    };
    (stage, console, tenant, actor)
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_with_a_role_in_one_cluster_never_hears_of_another() {
    let (_stage, console, tenant, maria) = with_two(Role::Admin).await;
    let viewer = console.viewer(&maria).unwrap();
    let operator = console.operator(&maria).unwrap();
    let seen = viewer.clusters().await.unwrap();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].cluster.name, LOCAL);
    assert_eq!(viewer.overview(LOCAL).await.unwrap().role, Role::Admin);
    operator
        .back_up_now(LOCAL, Some(tenant), BackupKind::Full)
        .await
        .unwrap();

    let all = TaskFilter::default();
    let mut told = Vec::new();
    for name in ["secret", "missing"] {
        let errors = [
            viewer.overview(name).await.unwrap_err(),
            viewer.tenants(name).await.unwrap_err(),
            viewer.backups(name, &all).await.unwrap_err(),
            viewer.archives(name, &all).await.unwrap_err(),
            viewer.recoveries(name, &all).await.unwrap_err(),
            viewer.backup(name, JobId(1)).await.unwrap_err(),
            viewer.recovery(name, JobId(1)).await.unwrap_err(),
            viewer.feed(name, Revision(0)).await.unwrap_err(),
            operator
                .back_up_now(name, None, BackupKind::Full)
                .await
                .unwrap_err(),
            operator.cancel(name, JobId(1)).await.unwrap_err(),
            operator.verify(name, None, Place::First).await.unwrap_err(),
            operator.create_tenant(name, "more").await.unwrap_err(),
            operator
                .run_sql(name, tenant, "SELECT 1")
                .await
                .unwrap_err(),
            operator.start_log_backup(name, tenant).await.unwrap_err(),
            operator
                .stop_log_backup(name, tenant, "")
                .await
                .unwrap_err(),
        ];
        told.push(errors.map(|error| error.to_string().replace(name, "NAME")));
    }
    assert_eq!(
        told[0], told[1],
        "what may not be seen is told like what is not there"
    );
    assert!(
        told[0]
            .iter()
            .all(|text| text.contains("local") && !text.contains("secret"))
    );
    let refused = console.global_admin(&maria).err().unwrap();
    assert_eq!(refused.kind(), ErrorKind::Forbidden);
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_is_too_low_in_a_cluster_is_refused_there_and_recorded() {
    let (stage, console, tenant, maria) = with_two(Role::Viewer).await;
    assert!(console.operator(&maria).is_err(), "operator nowhere");
    // Operator in one cluster and viewer in the other.
    let clusters = global_admin(&console)
        .admin()
        .operator()
        .viewer()
        .clusters()
        .await
        .unwrap();
    let secret = clusters
        .iter()
        .find(|one| one.cluster.name == "secret")
        .unwrap()
        .cluster
        .id;
    let mut both = maria.clone();
    both.grants.clusters.insert(secret, Role::Operator);
    let operator = console.operator(&both).unwrap();
    let refused = operator
        .back_up_now(LOCAL, Some(tenant), BackupKind::Full)
        .await
        .unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Forbidden);
    assert!(
        operator
            .verify("secret", None, Place::First)
            .await
            .unwrap()
            .faults
            .is_empty()
    );

    let store = stage.store().await;
    let entries = eventually("the refusals in the audit", async || {
        let all = store.audits().await.unwrap();
        let refused: Vec<_> = all
            .into_iter()
            .filter(|one| one.result == AuditResult::Refused)
            .collect();
        (refused.len() == 2).then_some(refused)
    })
    .await;
    for entry in &entries {
        assert_eq!(
            (entry.operation.as_str(), entry.actor.as_str()),
            ("refused call", "maria")
        );
        assert_eq!(entry.subject, "backups/back_up_now");
        assert_eq!(entry.address.as_deref(), Some("192.0.2.3"));
        assert!(
            entry.cause.as_ref().unwrap().contains("operator"),
            "{entry:?}"
        );
    }
    assert!(entries[0].cluster.is_some() && entries[1].cluster.is_none());
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_cannot_fill_the_audit() {
    let (stage, console, _, maria) = with_two(Role::Viewer).await;
    for _ in 0..2_000 {
        assert!(console.admin(&maria).is_err());
    }
    let store = stage.store().await;
    let filter = AuditFilter {
        result: Some(AuditResult::Refused),
        ..AuditFilter::default()
    };
    let count = async || {
        let page = store
            .audit_page(&store::AuditScope::Everything, &filter)
            .await
            .unwrap();
        (page.total, page.rows)
    };
    let newest = eventually("the number of those left out", async || {
        let (_, rows) = count().await;
        rows.into_iter()
            .find(|row| row.detail.contains("more calls were refused"))
    })
    .await;
    assert_eq!(newest.actor, "console");
    assert!(count().await.0 <= 102, "{}", count().await.0);
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_is_read_only_where_one_is_administrator() {
    let (_stage, console, _, maria) = with_two(Role::Admin).await;
    let everything = AuditFilter::default();
    let own = console
        .admin(&maria)
        .unwrap()
        .audit(&everything)
        .await
        .unwrap();
    assert!(own.total >= 2, "{own:?}");
    assert!(
        own.rows
            .iter()
            .all(|row| row.cluster.as_deref() == Some(LOCAL)),
        "{own:?}"
    );
    let all = admin(&console).audit(&everything).await.unwrap();
    assert!(
        all.rows
            .iter()
            .any(|row| row.cluster.as_deref() == Some("secret"))
    );
    let asked = AuditFilter {
        cluster: Some("secret".to_owned()),
        ..AuditFilter::default()
    };
    let none = console.admin(&maria).unwrap().audit(&asked).await.unwrap();
    assert_eq!(none.total, 0);
    let mut operator = maria.clone();
    operator
        .grants
        .clusters
        .values_mut()
        .for_each(|role| *role = Role::Operator);
    assert!(console.admin(&operator).is_err());
    console.shut_down().await;
}
