//! Second backup: a copy of sets and log at another destination.

use crate::{Revision, Scn, TenantId};
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

/// State of the second log backup of a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecondLogState {
    /// Its log is copied as often as the strategy says.
    InProgress,
    /// Its log is not copied any more; what was copied is still there.
    Stopped,
    /// The second destination cannot be looked at.
    Unknown,
}

impl SecondLogState {
    /// Every state.
    pub const ALL: [SecondLogState; 3] = [
        SecondLogState::InProgress,
        SecondLogState::Stopped,
        SecondLogState::Unknown,
    ];

    /// The specification's label.
    pub const fn label(self) -> &'static str {
        match self {
            SecondLogState::InProgress => "In Progress",
            SecondLogState::Stopped => "Stopped",
            SecondLogState::Unknown => "Unknown",
        }
    }

    /// The stored and wire form.
    pub const fn code(self) -> &'static str {
        match self {
            SecondLogState::InProgress => "in_progress",
            SecondLogState::Stopped => "stopped",
            SecondLogState::Unknown => "unknown",
        }
    }

    /// Reads [`SecondLogState::code`].
    pub fn from_code(code: &str) -> Option<Self> {
        let mut all = SecondLogState::ALL.into_iter();
        all.find(|state| state.code() == code)
    }
}

/// One row of "Second Log Backup Tasks".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecondLog {
    /// The tenant's number.
    pub tenant: TenantId,
    /// The tenant's name.
    pub tenant_name: String,
    /// Everything committed at or before it is at the second destination; absent before the first copy.
    pub last_backed_up: Option<Scn>,
    /// Directory of the log there.
    pub directory: String,
    /// Start of the round copied last.
    pub started: Option<Scn>,
    /// Bytes of all log there.
    pub log_bytes: u64,
    /// State.
    pub state: SecondLogState,
    /// Why it is stopped or unknown, and what to do.
    pub note: Option<String>,
    /// Version of this row.
    pub rev: Revision,
}
