//! The embedded engine: a cluster of SQLite tenants with true page-level backup, log archiving and
//! recovery to a moment.
//!
//! A tenant is a plain SQLite file in WAL mode which any program may open and write while the engine
//! runs. The engine follows its write-ahead log ([`follower`]), archives every commit with its time
//! ([`stamp`], [`segment`]), backs up exact snapshots ([`backup`]) and rebuilds any archived moment,
//! proven by a digest over all pages ([`recovery`], [`page_map`]). What is durable at the destination
//! ([`history`]) is the only source of what the console claims.

mod absent;
mod archiver;
mod aside;
mod backfill;
mod backup;
mod choice;
mod cleanup;
mod cleanup_facts;
mod cleanup_orders;
mod clock;
mod cluster;
mod commit;
mod consolidation;
mod copy_log;
mod copy_object;
mod copy_order;
mod copy_record;
mod copy_set;
mod crowd;
mod destination;
mod durable;
mod engine;
mod files;
mod follower;
mod footing;
mod found;
mod history;
mod hold;
mod holds;
mod job;
mod jobs;
mod keys;
mod next_commit;
mod observe;
mod orders;
mod output;
mod pace;
mod page_map;
mod publisher;
mod recovery;
mod registry;
mod removed;
mod restore;
mod round;
mod second;
mod second_claim;
mod segment;
mod segment_writer;
mod set;
mod snapshot;
mod sources;
mod sql;
mod staging;
mod stamp;
mod storages;
mod survey;
mod tenant;
#[cfg(test)]
mod testing;
mod verify;
mod wal;
mod wal_index;
mod watcher;

pub use engine::EmbeddedEngine;
pub use next_commit::CommitBounds;
