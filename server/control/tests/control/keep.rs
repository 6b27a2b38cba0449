//! Keeping clusters open: one engine at a time, and observation that stumbles goes on.

use crate::stage::{LOCAL, Stage, eventually, viewer};

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
