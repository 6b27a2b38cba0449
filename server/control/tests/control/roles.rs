//! Who may do what, what is refused, and what the audit keeps.

use crate::stage::{LOCAL, Stage, actor, admin, operator};
use control::{Error, ErrorKind};
use domain::{
    JobId, TenantId, access::Role, backup::BackupKind, cluster::NewCluster, page::TaskFilter,
    second_backup::Place,
};

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
    let admin = admin(&console);
    let new = |name: &str, destination: Option<&str>, tenant: Option<&str>| NewCluster {
        name: name.to_owned(),
        destination: destination.map(str::to_owned),
        first_tenant: tenant.map(str::to_owned),
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
    assert_eq!(admin.operator().viewer().clusters().await.unwrap().len(), 2);
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
    assert!(audits.iter().all(|entry| entry.actor == "tester"));
    assert!(!format!("{audits:?}").contains("hidden-value"));
    console.shut_down().await;
}
