//! Keeping clusters open: one engine at a time, and observation that stumbles goes on.

use crate::stage::{LOCAL, Stage, eventually, global_admin, viewer};
use domain::cluster::NewCluster;

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_whose_opening_cannot_be_written_down_is_ended_before_the_next_try() {
    let (stage, console, _) = Stage::with_tenant().await;
    console.shut_down().await;
    assert_eq!(stage.fake.world().open, 0);
    stage.tamper(
        "CREATE TRIGGER not_now BEFORE UPDATE OF version ON cluster \
         BEGIN SELECT RAISE(ABORT, 'not now'); END",
    );
    let console = stage.console().await;
    let viewer = viewer(&console);
    let fault = async || {
        let overview = viewer.overview(LOCAL).await.unwrap();
        overview.summary.cluster.fault
    };
    let told = eventually("it is told", fault).await;
    assert!(told.contains("control database"), "{told}");
    stage.tamper("DROP TRIGGER not_now");
    eventually("it is open", async || fault().await.is_none().then_some(())).await;
    let (open, most) = {
        let world = stage.fake.world();
        (world.open, world.most_open)
    };
    assert_eq!((open, most), (1, 1), "engines open now and at most");
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn observation_that_panics_is_told_and_begun_again() {
    let (stage, console, _) = Stage::with_tenant().await;
    let viewer = viewer(&console);
    stage.fake.world().panics = 1;
    let told = eventually("it is told", async || {
        let overview = viewer.overview(LOCAL).await.unwrap();
        overview.summary.cluster.fault
    })
    .await;
    assert!(
        told.contains("observation stumbled") && told.contains("the lens is cracked"),
        "{told}"
    );
    eventually("it goes on", async || {
        let overview = viewer.overview(LOCAL).await.unwrap();
        overview.summary.cluster.fault.is_none().then_some(())
    })
    .await;
    console.shut_down().await;
}

/// A copy of a home has the identity of its original, and would write over its backups.
#[tokio::test(flavor = "multi_thread")]
async fn two_clusters_are_never_the_same_one() {
    let (stage, console, _) = Stage::with_tenant().await;
    let other = NewCluster {
        name: "other".to_owned(),
        ..NewCluster::default()
    };
    global_admin(&console).create_cluster(&other).await.unwrap();
    console.shut_down().await;
    stage.fake.world().identity = Some("1d".to_owned());
    stage.tamper("UPDATE cluster SET identity = '1d' WHERE name = 'local'");
    let console = stage.console().await;
    let twin = NewCluster {
        name: "twin".to_owned(),
        ..NewCluster::default()
    };
    let refused = global_admin(&console)
        .create_cluster(&twin)
        .await
        .unwrap_err();
    assert!(
        refused.to_string().contains("the same one as local"),
        "{refused}"
    );
    let told = eventually("it is told", async || {
        let overview = viewer(&console).overview("other").await.unwrap();
        overview.summary.cluster.fault
    })
    .await;
    assert!(told.contains("the same one as local"), "{told}");
    let local = viewer(&console).overview(LOCAL).await.unwrap();
    assert_eq!(local.summary.cluster.fault, None);
    console.shut_down().await;
    assert_eq!(stage.fake.world().open, 0);
}
