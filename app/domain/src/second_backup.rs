//! Second backup: a copy of sets and log at another destination.

use serde::{Deserialize, Serialize};

/// Which copy of a cluster's backups.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// The destination that backups are written to.
    #[default]
    First,
    /// The destination that they are copied to.
    Second,
}

impl Place {
    /// What the page calls it.
    pub const fn label(self) -> &'static str {
        match self {
            Place::First => "First copy",
            Place::Second => "Second copy",
        }
    }

    /// The stored and wire form.
    pub const fn code(self) -> &'static str {
        match self {
            Place::First => "first",
            Place::Second => "second",
        }
    }

    /// Reads [`Place::code`].
    pub fn from_code(code: &str) -> Option<Self> {
        match code {
            "first" => Some(Place::First),
            "second" => Some(Place::Second),
            _ => None,
        }
    }
}

/// How often archived log is copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogCycle {
    /// Once an hour.
    Hourly,
    /// Once a day.
    Daily,
}

impl LogCycle {
    /// The form's label.
    pub const fn label(self) -> &'static str {
        match self {
            LogCycle::Hourly => "Once an hour",
            LogCycle::Daily => "Once a day",
        }
    }
}
