//! Overviews: of one cluster, and of all of them.

pub mod all;
pub mod cluster;

pub use all::Overview;
pub use cluster::ClusterOverview;
