//! The demonstration writes only into what it made itself.

use crate::stage::{LOCAL, Stage, eventually, viewer};
use control::ErrorKind;

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_somebody_made_is_left_alone() {
    let (stage, console, _) = Stage::with_tenant().await;
    let error = console.start_demo().await.unwrap_err();
    let ErrorKind::Conflict(text) = error.kind() else {
        panic!("{error}");
    };
    assert!(
        text.contains("cluster \"local\"") && text.contains("start without --demo"),
        "{text}"
    );
    assert_eq!(stage.fake.world().statements, 0);
    assert_eq!(viewer(&console).tenants(LOCAL).await.unwrap().len(), 1);
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn its_own_cluster_is_found_again_after_a_restart() {
    let stage = Stage::new();
    for _ in 0..2 {
        let console = stage.console().await;
        console.start_demo().await.unwrap();
        let before = stage.fake.world().statements;
        eventually("it writes", async || {
            (stage.fake.world().statements > before).then_some(())
        })
        .await;
        assert_eq!(viewer(&console).tenants(LOCAL).await.unwrap().len(), 2);
        console.shut_down().await;
    }
}
