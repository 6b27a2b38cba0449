//! Queries and changes, one file per noun.

pub(crate) mod alerts;
pub(crate) mod audit;
pub(crate) mod channels;
pub(crate) mod clusters;
pub(crate) mod deliveries;
pub(crate) mod feed;
pub(crate) mod filter;
pub(crate) mod jobs;
pub(crate) mod links;
pub(crate) mod measures;
pub(crate) mod observed;
pub(crate) mod picture;
pub(crate) mod runs;
pub(crate) mod second;
pub(crate) mod secrets;
pub(crate) mod sessions;
pub(crate) mod sizes;
pub(crate) mod steps;
pub(crate) mod storage_configs;
pub(crate) mod storages;
pub(crate) mod strategies;
pub(crate) mod task_rows;
pub(crate) mod tasks;
pub(crate) mod users;
pub(crate) mod verifications;
pub(crate) mod watched;
