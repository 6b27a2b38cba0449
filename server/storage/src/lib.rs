//! Backup media: put-only objects under keys, published so that what exists is complete and durable.
//!
//! Blocking calls, to be made from threads that may block. No backup format is known here: sets, log
//! and their names belong to the engines.

pub mod checksum;
mod dest;
mod error;
mod faults;
mod file;
mod identity;
mod key;
mod manifest;
mod memory;
mod mounts;
mod probe;
mod writer;

pub use dest::{Dest, Entry, identity_at};
pub use error::StorageError;
pub use faults::{Fault, Faults, Step};
pub use file::Capacity;
pub use probe::{probe, probe_with_faults};
pub use writer::{ObjectWriter, Stored};
