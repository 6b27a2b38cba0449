//! Use cases against a scripted engine and a real control database.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod fake;
mod stage;

mod backups;
mod capabilities;
mod clock;
mod demo;
mod keep;
mod leases;
mod log_backup;
mod observe;
mod recoveries;
mod resume;
mod roles;
mod sign_in;
mod simulation;
mod users;
