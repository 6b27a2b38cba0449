//! Drives OceanBase clusters by their administrative SQL.
//!
//! Every statement that is ever sent is written in this crate. What it knows of the cluster is documented behaviour of
//! the versions it names; nothing is taken from the simulated cluster that its tests run against.

mod address;
mod backup;
mod connect;
mod engine;
mod failure;
pub mod history;
mod leftovers;
pub mod legacy;
mod link;
mod observe;
mod open;
mod placement;
mod port;
mod probe;
pub mod quote;
mod resources;
mod restore;
pub mod session;
mod source;
pub mod statement;
mod tenantless;
pub mod version;
pub mod views;
mod wanted;
pub mod windows;

pub use connect::{Account, Encryption, MysqlConnector};
pub use engine::OceanBaseEngine;
pub use legacy::LegacyEngine;
pub use observe::STATEMENTS as STATEMENTS_PER_LOOK;
pub use open::open;
pub use probe::try_connection;
pub use resources::STATEMENTS as STATEMENTS_FOR_RESOURCES;
pub use tenantless::TenantlessEngine;
