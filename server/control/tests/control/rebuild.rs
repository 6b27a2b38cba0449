//! Clusters taken on from what they left at a destination.

use crate::stage::{LOCAL, Stage, eventually, global_admin, viewer};
use control::{ErrorKind, Rebuild, RebuildOutcome};
use domain::tenant::TenantState;
use engine::FoundCluster;

fn found(identity: &str, name: &str) -> FoundCluster {
    FoundCluster {
        identity: identity.to_owned(),
        name: name.to_owned(),
        tenants: vec!["orders".to_owned()],
    }
}

fn order() -> Rebuild {
    Rebuild {
        from: "/mnt/backup".to_owned(),
        ..Rebuild::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_is_taken_on_once_with_an_audit_row_and_never_twice() {
    let (stage, console, _) = Stage::with_tenant().await;
    console.shut_down().await;
    stage.tamper("DELETE FROM size_sample");
    for table in [
        "log_archive",
        "log_span",
        "backup_set",
        "job",
        "tenant",
        "storage_state",
        "cluster",
    ] {
        stage.tamper(&format!("DELETE FROM {table}"));
    }
    stage.fake.world().found = vec![found("1d", LOCAL)];
    let console = stage.console().await;
    assert_eq!(viewer(&console).clusters().await.unwrap().len(), 0);

    let dry = Rebuild {
        dry_run: true,
        ..order()
    };
    let told = global_admin(&console).rebuild(&dry).await.unwrap().clusters;
    assert_eq!(told[0].outcome, RebuildOutcome::Possible(LOCAL.to_owned()));
    assert_eq!(viewer(&console).clusters().await.unwrap().len(), 0);
    assert!(stage.fake.world().adopted.is_empty());

    let told = global_admin(&console)
        .rebuild(&order())
        .await
        .unwrap()
        .clusters;
    assert_eq!(told[0].outcome, RebuildOutcome::Taken(LOCAL.to_owned()));
    let tenant = &told[0].tenants[0];
    assert_eq!((tenant.name.as_str(), tenant.sets), ("orders", 1));
    assert_eq!(
        (tenant.state, tenant.ranges.len()),
        (Some(TenantState::Online), 1)
    );
    assert_eq!(stage.fake.world().adopted, ["1d"]);
    let audits = stage.store().await.audits().await.unwrap();
    let rebuilt = audits
        .iter()
        .filter(|entry| entry.operation == "rebuild from storage");
    let rebuilt: Vec<_> = rebuilt.collect();
    assert_eq!(rebuilt.len(), 1);
    assert_eq!(
        (rebuilt[0].actor.as_str(), rebuilt[0].subject.as_str()),
        ("tester", LOCAL)
    );
    assert!(rebuilt[0].detail.contains("1d") && rebuilt[0].detail.contains("/mnt/backup"));

    let again = global_admin(&console)
        .rebuild(&order())
        .await
        .unwrap()
        .clusters;
    assert_eq!(again[0].outcome, RebuildOutcome::Managed(LOCAL.to_owned()));
    assert_eq!(stage.fake.world().adopted, ["1d"]);
    console.shut_down().await;

    // After a restart it is opened as it is, and still known for what it is.
    let console = stage.console().await;
    let again = global_admin(&console)
        .rebuild(&order())
        .await
        .unwrap()
        .clusters;
    assert_eq!(again[0].outcome, RebuildOutcome::Managed(LOCAL.to_owned()));
    assert_eq!(stage.fake.world().adopted, ["1d"]);
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_are_taken_missing_or_not_there_are_told() {
    let (stage, console, _) = Stage::with_tenant().await;
    stage.fake.world().found = vec![found("1d", LOCAL), found("2e", ""), found("3f", "far")];
    let told = global_admin(&console)
        .rebuild(&Rebuild {
            dry_run: true,
            ..order()
        })
        .await
        .unwrap()
        .clusters;
    let refusal = |at: usize| match &told[at].outcome {
        RebuildOutcome::Refused(why) => why.clone(),
        other => panic!("{other:?}"),
    };
    assert!(
        refusal(0).contains("another cluster of the name local"),
        "{}",
        refusal(0)
    );
    assert!(
        refusal(1).contains("nothing there tells its name"),
        "{}",
        refusal(1)
    );
    assert_eq!(told[2].outcome, RebuildOutcome::Possible("far".to_owned()));

    let refused = async |order: Rebuild| {
        let error = global_admin(&console).rebuild(&order).await.unwrap_err();
        (error.kind(), error.to_string())
    };
    let (kind, text) = refused(Rebuild {
        cluster: Some("x".to_owned()),
        ..order()
    })
    .await;
    assert!(matches!(kind, ErrorKind::Conflict(_)), "{kind:?}");
    assert!(
        text.contains("\"x\"") && text.contains("far (3f)") && text.contains("2e"),
        "{text}"
    );
    let (_, text) = refused(Rebuild {
        name: Some("one".to_owned()),
        ..order()
    })
    .await;
    assert!(text.contains("more than one"), "{text}");
    let (kind, _) = refused(Rebuild {
        from: "backup".to_owned(),
        name: Some("a b".to_owned()),
        ..order()
    })
    .await;
    assert!(matches!(kind, ErrorKind::Invalid(wrong) if wrong.len() == 2));

    let named = Rebuild {
        cluster: Some("2e".to_owned()),
        name: Some("nameless".to_owned()),
        ..order()
    };
    let told = global_admin(&console)
        .rebuild(&named)
        .await
        .unwrap()
        .clusters;
    assert_eq!(
        told[0].outcome,
        RebuildOutcome::Taken("nameless".to_owned())
    );
    eventually("it is observed", async || {
        let tenants = viewer(&console).tenants("nameless").await.unwrap();
        (!tenants.is_empty()).then_some(())
    })
    .await;
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_does_not_open_is_told_and_can_be_tried_again() {
    let stage = Stage::new();
    let console = stage.console().await;
    stage.fake.world().found = vec![found("1d", LOCAL)];
    stage.fake.world().closed = 1;
    let told = global_admin(&console)
        .rebuild(&order())
        .await
        .unwrap()
        .clusters;
    let RebuildOutcome::Refused(why) = &told[0].outcome else {
        panic!("{told:?}");
    };
    assert!(why.contains("the disk is not mounted"), "{why}");
    assert_eq!(viewer(&console).clusters().await.unwrap().len(), 0);
    let told = global_admin(&console)
        .rebuild(&order())
        .await
        .unwrap()
        .clusters;
    assert_eq!(told[0].outcome, RebuildOutcome::Taken(LOCAL.to_owned()));
    console.shut_down().await;
}
