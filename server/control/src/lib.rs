//! Use cases: the console behind every page, command and task.
//!
//! Whoever acts asks [`Console`] for a role handle and calls it. Pages read the control database only;
//! engines are asked by the tasks in the background and by orders. No engine and no HTTP is named here.

mod access;
mod account;
mod alerts;
mod audit;
mod backups;
mod cleanup;
mod clusters;
mod console;
mod demo;
mod due;
mod error;
mod feed;
mod handle;
mod history;
mod jobs;
mod log_archive;
pub mod measure;
mod notify;
mod placement;
mod readiness;
mod rebuild;
mod recoveries;
mod refusals;
mod removal;
mod reports;
mod second;
pub mod secret;
mod self_copy;
mod servers;
mod shown;
mod sign_in;
mod storages;
mod strategies;
mod tasks;
mod tenants;
mod users;

pub use access::{Admin, GlobalAdmin, Operator, Viewer};
pub use account::Account;
pub use audit::BATCH_MAX;
pub use console::{Console, ConsoleParts};
pub use error::{Error, ErrorKind, chain};
pub use notify::{Answer, Outbound, Outgoing};
pub use readiness::Check;
pub use rebuild::{Rebuild, RebuildOutcome, Rebuilt, RebuiltCluster, RebuiltTenant};
pub use self_copy::SelfCopy;
pub use sign_in::{Attempt, Began, Browser, SignedIn};
