//! The suite of the port, over the simulated cluster in process.

mod support;

use support::{LegacyRig, SimRig, cluster, engine, legacy_engine};

async fn conforms(version: &str) {
    let sim = cluster(version, 2);
    let engine = engine(&sim).await;
    assert!(engine.is_simulated());
    engine::conformance::run(&engine, &SimRig(sim)).await;
}

async fn conforms_as_a_whole(version: &str) {
    let sim = cluster(version, 2);
    let engine = legacy_engine(&sim).await;
    assert!(engine.is_simulated());
    engine::conformance::run(&engine, &LegacyRig(sim)).await;
}

#[tokio::test]
async fn version_2_2_77() {
    conforms_as_a_whole("2.2.77").await;
}

#[tokio::test]
async fn version_3_1_5() {
    conforms_as_a_whole("3.1.5").await;
}

#[tokio::test]
async fn version_4_1_0() {
    conforms("4.1.0").await;
}

#[tokio::test]
async fn version_4_2_1() {
    conforms("4.2.1.6").await;
}

#[tokio::test]
async fn version_4_3_1() {
    conforms("4.3.1").await;
}

#[tokio::test]
async fn version_4_3_5() {
    conforms("4.3.5").await;
}
