//! Use cases against a scripted engine and a real control database.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod fake;
mod fake_opener;
mod outside;
mod stage;

mod alerts;
mod backups;
mod capabilities;
mod cleanup;
mod clock;
mod demo;
mod keep;
mod kept_settings;
mod leases;
mod log_backup;
mod notify;
mod observe;
mod placement;
mod rebuild;
mod recoveries;
mod resume;
mod roles;
mod second;
mod sign_in;
mod simulation;
mod storages;
mod strategies;
mod strategy_places;
mod two_consoles;
mod users;
