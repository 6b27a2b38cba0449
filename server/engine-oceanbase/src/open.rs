//! The engine that fits a cluster's version.

use crate::{
    engine::{OceanBaseEngine, WITHOUT_TENANTS, read_comment, read_version},
    failure::Call,
    legacy::LegacyEngine,
    link::Link,
    session::Connector,
    tenantless::TenantlessEngine,
};
use ::engine::{Engine, EngineError};
use std::sync::Arc;

/// Signs in, reads the version and gives the engine that drives it: 4.0 and later tenant by tenant, what came before as
/// a whole, and a server without tenants not at all. `Unsupported` for servers that are no OceanBase.
pub async fn open(
    name: &str,
    connector: Arc<dyn Connector>,
) -> Result<Arc<dyn Engine>, EngineError> {
    let call = Call {
        operation: "opening",
        subject: name,
    };
    let link = Link::new(Arc::clone(&connector));
    let version = read_version(&link, call).await?;
    if read_comment(&link, call).await?.contains(WITHOUT_TENANTS) {
        return Ok(Arc::new(TenantlessEngine::open(name, connector).await?));
    }
    Ok(match version.is_per_tenant() {
        true => Arc::new(OceanBaseEngine::open(name, connector).await?),
        false => Arc::new(LegacyEngine::open(name, connector).await?),
    })
}
