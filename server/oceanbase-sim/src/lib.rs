//! `oceanbase-sim`: one simulated OceanBase cluster, in memory, for tests and demonstrations.
//!
//! It is never presented as OceanBase: `@@version_comment` ends in `simulated`. What it knows of OceanBase is what
//! is publicly documented about its administrative SQL; it shares no code with the engine that is tested on it.
//!
//! Two doors lead to the same world: [`Sim::log_in`] in process, on a virtual clock that [`Sim::advance`] moves, and the
//! MySQL protocol (feature `door`). Tests steer it by [`Sim::inject`], or by statements that no OceanBase has:
//! `SIM ADVANCE seconds`, `SIM FAULT name arguments`, `SIM FILE 'uri'` and `SIM CLEAR`.

mod answer;
mod calendar;
#[cfg(feature = "door")]
pub mod door;
mod error;
mod exec;
mod exec_legacy;
mod exec_restore;
mod functions;
mod login;
mod query;
mod rows;
#[cfg(feature = "door")]
mod served;
mod session;
mod setup;
mod show;
mod sim;
mod sql;
mod translate;
mod variables;
mod version;
mod views;
mod world;

pub use answer::{Answer, Column, ColumnType, Delivery, Reply, SqlError};
pub use session::SimSession;
pub use setup::Setup;
pub use sim::Sim;
pub use version::{AfterUpgrade, UnknownVersion, Version};
pub use world::faults::Fault;
