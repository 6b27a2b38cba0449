//! HTTP that is not a page: sign-in and sessions, the commands' API, health and metrics, and what guards and
//! follows every request.

mod admin;
pub mod alert_shape;
mod alerts;
mod cleanup;
pub mod cleanup_shape;
pub mod client;
pub mod commands;
pub mod counts;
pub mod export;
pub mod export_tasks;
pub mod guard;
pub mod headers;
pub mod health;
pub mod language;
pub mod metrics;
pub mod one_thread;
pub mod request;
pub mod session;
pub mod shape;
pub mod sign_in;
mod storage;
pub mod storage_shape;
mod strategies;
pub mod strategy_shape;
pub mod task_shape;
mod tasks;
pub mod user_shape;
pub mod users;

#[cfg(test)]
mod shape_tests;
