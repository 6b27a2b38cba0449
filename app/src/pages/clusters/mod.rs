//! The list of clusters, and the form that makes one: the first thing a new console shows.

pub mod first_run;
pub mod list;

pub use first_run::FirstRun;
pub use list::Clusters;
