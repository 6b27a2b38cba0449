//! The panel Alerts: what is wrong or was, and the drawer that says what to do about it.

mod details;
mod filters;
mod list;
mod look;
mod mask;
mod query;

pub use list::Alerts;
