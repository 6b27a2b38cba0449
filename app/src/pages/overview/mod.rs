//! Pages about all clusters: overviews, recoveries and alerts.

pub mod alerts;
pub mod all;
pub mod cluster;
pub mod recoveries;
pub mod trends;

pub use alerts::AllAlerts;
pub use all::Overview;
pub use cluster::ClusterOverview;
pub use recoveries::Recoveries;
