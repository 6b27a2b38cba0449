//! The binary's parts: HTTP, command line and wiring. Use cases live in `control`; nothing is decided here.
//!
//! This is the only crate that names a concrete engine (in `compose`), and the only one that knows
//! HTTP beside the pages themselves.

// The pages' views are deeply nested types, and the router names them all.
#![recursion_limit = "256"]

pub mod cli;
pub mod command;
pub mod compose;
pub mod config;
pub mod home;
pub mod http;
pub mod listen;
pub mod router;
pub mod self_copy;
pub mod serve;
mod shutdown;
mod telemetry;
