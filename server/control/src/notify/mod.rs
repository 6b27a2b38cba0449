//! Notifications: what people are told about alerts, outside of the pages.
//!
//! A message is a row before it is sent, written with the alerts it tells, so that none is lost with the process
//! and none is sent twice while all is well. Addresses are secret: they are sealed in the control database, and
//! neither logs nor errors nor messages hold them.

mod body;
mod channels;
pub(crate) mod message;
mod outbound;
pub(crate) mod outbox;
mod ping;
pub(crate) mod send;
mod sign;
mod vault;

pub use outbound::{Answer, Outbound, Outgoing};
