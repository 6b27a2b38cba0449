//! HTTP that is not a page: sign-in and sessions, the commands' API, health, and what guards every request.

pub mod client;
pub mod commands;
pub mod export;
pub mod guard;
pub mod headers;
pub mod health;
pub mod session;
pub mod shape;
pub mod sign_in;
pub mod user_shape;
pub mod users;

#[cfg(test)]
mod shape_tests;
