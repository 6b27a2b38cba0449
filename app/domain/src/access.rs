//! Who acts and what they may do.

use serde::{Deserialize, Serialize};

/// What an actor may do; each includes the ones before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// May look.
    Viewer,
    /// May back up, recover, start and stop log backup.
    Operator,
    /// May also add clusters.
    Admin,
}

/// Somebody or something that acts; every change is recorded under its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// Shown in the audit: `local operator`, `command line`, `scheduler`.
    pub name: String,
    /// What it may do.
    pub role: Role,
}
