//! What a browser may ask for: every server function, one file per noun.
//!
//! A body says who is calling, makes one call on the handle of the role it needs, and maps the
//! error. Nothing is decided here; the only place that names `control`.

pub mod account;
pub mod alerts;
pub mod archives;
pub mod audit;
pub mod backups;
pub mod channels;
pub mod cleanup;
pub mod clusters;
pub mod feed;
pub mod recoveries;
pub mod second_logs;
pub mod storage;
pub mod strategies;
pub mod tasks;
pub mod tenants;
pub mod users;

mod asked;
mod error;

pub use asked::{Asked, asked};
pub use error::{ApiError, set_not_found};

#[cfg(feature = "ssr")]
mod caller;
