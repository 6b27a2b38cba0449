//! Queries and changes, one file per noun.

pub(crate) mod audit;
pub(crate) mod clusters;
pub(crate) mod feed;
pub(crate) mod filter;
pub(crate) mod jobs;
pub(crate) mod observed;
pub(crate) mod picture;
pub(crate) mod second;
pub(crate) mod storages;
pub(crate) mod strategies;
pub(crate) mod tasks;
