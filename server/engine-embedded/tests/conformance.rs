//! The embedded engine against the suite that every engine must pass.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support_basic;

use async_trait::async_trait;
use domain::Scn;
use engine::{Engine, TenantKey, conformance};
use std::{path::PathBuf, time::Duration};
use support_basic::Lab;

struct Rig<'a>(&'a Lab);

#[async_trait]
impl conformance::Rig for Rig<'_> {
    async fn write(&self, engine: &dyn Engine, tenant: &TenantKey) {
        engine
            .run_sql(
                tenant,
                "CREATE TABLE IF NOT EXISTS t (v); INSERT INTO t VALUES (random())",
            )
            .await
            .unwrap();
    }

    async fn pause(&self) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }

    fn now(&self) -> Scn {
        self.0.now()
    }

    fn second(&self) -> Option<PathBuf> {
        Some(self.0.dir.path().join("second"))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_embedded_engine_conforms() {
    let lab = Lab::open().await;
    conformance::run(lab.engine(), &Rig(&lab)).await;
}
