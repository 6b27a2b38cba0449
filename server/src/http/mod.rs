//! HTTP that is not a page: the commands' API, health and metrics, and what guards and follows every request.

mod admin;
mod cleanup_commands;
pub mod cleanup_shape;
pub mod client;
pub mod commands;
pub mod counts;
pub mod guard;
pub mod headers;
pub mod health;
pub mod metrics;
pub mod request;
pub mod shape;
pub mod shape_storage;
mod storage;
mod strategies;
pub mod strategy_shape;
pub mod task_shape;
mod tasks;

#[cfg(test)]
mod shape_tests;
