//! HTTP that is not a page: the commands' API, health, and what guards every request.

pub mod commands;
pub mod guard;
pub mod headers;
pub mod health;
pub mod shape;
pub mod shape_storage;
mod storage;
mod strategies;
pub mod strategy_shape;
pub mod task_shape;
mod tasks;

#[cfg(test)]
mod shape_tests;
