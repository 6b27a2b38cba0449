//! Pages about all clusters: overviews, recoveries and alerts.

pub mod alerts;
pub mod all;
pub mod cluster;
pub mod manage;
pub mod recoveries;
pub mod trends;

pub use alerts::AllAlerts;
pub use all::Overview;
pub use cluster::ClusterOverview;
pub use recoveries::Recoveries;

use super::backup_recovery::query::{TaskQuery, Time};
use crate::api::{self, ApiError};
use domain::Scn;

/// How often a list of all clusters is read again, in milliseconds.
const AGAIN_MS: u32 = 10_000;

/// The moment that a choice such as "Last hour" counts from: the console's now, asked for only by such a choice.
async fn counted_from(query: &TaskQuery) -> Result<Scn, ApiError> {
    match query.time {
        Time::Last(_) => api::clusters::now().await,
        Time::Any | Time::Between(..) => Ok(Scn(0)),
    }
}
