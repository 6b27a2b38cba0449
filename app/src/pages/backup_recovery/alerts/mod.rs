//! The panel Alerts: what is wrong or was, and the drawer that says what to do about it.

pub mod details;
pub mod filters;
pub mod list;
pub mod look;
pub mod mask;
pub mod query;
pub mod ring;

pub use list::Alerts;
