//! The control database, on SQLite or on the server that TEST_DATABASE_URL names.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod alerts;
mod audit;
mod columns;
mod errors;
mod feed;
mod fixture;
mod jobs;
mod observed;
mod pages;
mod runs;
mod schema;
mod sizes;
mod strategies;
mod users;
