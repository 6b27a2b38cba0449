//! OceanBase before 4.0 (2.2.77 and 3.1): backups, log archiving and second copies belong to the whole cluster, while
//! the port's orders name tenants.
//!
//! Starting or stopping log archiving acts on every tenant. A data backup that is ordered for a tenant is one of the
//! whole cluster, and orders for other tenants that come while it runs join it; the same goes for copies. What is told
//! about a tenant are its own rows.

mod backup;
mod copy;
mod engine;
mod facts;
mod look;
mod memory;
mod orders;
mod placement;
mod port;
mod restore;
mod rows;
mod second;
mod source;
pub mod statement;
mod times;
mod told;
pub mod views;

pub use engine::LegacyEngine;
pub use look::STATEMENTS as STATEMENTS_PER_LOOK;
