//! Queries and changes, one file per noun.

pub(crate) mod audit;
pub(crate) mod clusters;
pub(crate) mod feed;
pub(crate) mod filter;
pub(crate) mod job_page;
pub(crate) mod jobs;
pub(crate) mod measures;
pub(crate) mod observed;
pub(crate) mod picture;
pub(crate) mod secrets;
pub(crate) mod tasks;
