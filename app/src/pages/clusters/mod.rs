//! The list of clusters, and the form that adds one: the first thing a new console shows.

pub mod connection;
pub mod embedded_form;
pub mod first_run;
pub mod list;
pub mod oceanbase_form;
pub mod typed;

pub use first_run::FirstRun;
pub use list::Clusters;
