//! HTTP that is not a page: the commands' API, health, and what guards every request.

mod cleanup_commands;
pub mod cleanup_shape;
pub mod commands;
pub mod guard;
pub mod headers;
pub mod health;
pub mod shape;

#[cfg(test)]
mod shape_tests;
