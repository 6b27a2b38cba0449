//! Opens the small engine in memory, or fails to, as it is told.

use crate::fake::{Fake, error};
use async_trait::async_trait;
use domain::capability::EngineKind;
use engine::{Engine, EngineError, EngineErrorKind, EngineOpener, EngineSettings, FoundCluster};
use std::sync::Arc;

/// Opens the one fake engine again and again, as one that lives outside of the console.
pub(crate) struct FakeOpener(pub(crate) Arc<Fake>);

#[async_trait]
impl EngineOpener for FakeOpener {
    async fn survey(
        &self,
        _: EngineKind,
        _: &std::path::Path,
    ) -> Result<Vec<FoundCluster>, EngineError> {
        Ok(self.0.world().found.clone())
    }

    async fn open(&self, settings: &EngineSettings) -> Result<Arc<dyn Engine>, EngineError> {
        {
            let mut world = self.0.world();
            if world.closed > 0 {
                world.closed -= 1;
                return Err(error(
                    EngineErrorKind::Unreachable,
                    "the disk is not mounted",
                ));
            }
        }
        let mut world = self.0.world();
        world.adopted.extend(settings.adopt.clone());
        world.open += 1;
        world.destinations.push(settings.destination.clone());
        world.most_open = world.most_open.max(world.open);
        drop(world);
        Ok(Arc::<Fake>::clone(&self.0))
    }
}
