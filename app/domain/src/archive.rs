//! Log archiving (UI: Log Backup): its states and the row that shows them.

use crate::{Revision, Scn, TenantId, backup::BackupMethod};
use serde::{Deserialize, Serialize};

/// State of a tenant's log archiving, after the kernel's own words.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ArchiveState {
    /// Asked for, not begun.
    Prepare,
    /// Beginning a round.
    Beginning,
    /// Archiving.
    Doing,
    /// Broken; a person has to look, or it retries as its note says.
    Interrupted,
    /// Being stopped.
    Stopping,
    /// Stopped.
    Stop,
    /// A word this version does not know; shown as it came.
    Unknown(String),
}

impl ArchiveState {
    /// The specification's label, or the raw word.
    pub fn label(&self) -> &str {
        match self {
            ArchiveState::Prepare | ArchiveState::Beginning => "Starting",
            ArchiveState::Doing => "In Progress",
            ArchiveState::Interrupted => "Interrupted",
            ArchiveState::Stopping => "Stopping",
            ArchiveState::Stop => "Stopped",
            ArchiveState::Unknown(word) => word,
        }
    }

    /// The stored form; unknown words as they came.
    pub fn code(&self) -> &str {
        match self {
            ArchiveState::Prepare => "PREPARE",
            ArchiveState::Beginning => "BEGINNING",
            ArchiveState::Doing => "DOING",
            ArchiveState::Interrupted => "INTERRUPTED",
            ArchiveState::Stopping => "STOPPING",
            ArchiveState::Stop => "STOP",
            ArchiveState::Unknown(word) => word,
        }
    }

    /// Reads [`ArchiveState::code`]; never fails.
    pub fn from_code(code: &str) -> Self {
        match code {
            "PREPARE" => ArchiveState::Prepare,
            "BEGINNING" => ArchiveState::Beginning,
            "DOING" => ArchiveState::Doing,
            "INTERRUPTED" => ArchiveState::Interrupted,
            "STOPPING" => ArchiveState::Stopping,
            "STOP" => ArchiveState::Stop,
            other => ArchiveState::Unknown(other.to_owned()),
        }
    }

    /// Whether a person may start archiving now.
    pub const fn can_start(&self) -> bool {
        matches!(self, ArchiveState::Stop)
    }

    /// Whether a person may stop archiving now.
    pub const fn can_stop(&self) -> bool {
        matches!(
            self,
            ArchiveState::Beginning | ArchiveState::Doing | ArchiveState::Interrupted
        )
    }
}

/// One row of "Log Backup Tasks".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogArchive {
    /// The tenant's number.
    pub tenant: TenantId,
    /// The tenant's name.
    pub tenant_name: String,
    /// Physical or logical.
    pub method: BackupMethod,
    /// Host that archives.
    pub host: String,
    /// Everything at or before it is durable at the destination; absent before the first round.
    pub checkpoint_scn: Option<Scn>,
    /// Directory of the log at the destination.
    pub directory: String,
    /// Start of the current (or last) round.
    pub started: Option<Scn>,
    /// Number of the current (or last) round.
    pub round: i64,
    /// State.
    pub state: ArchiveState,
    /// Why it is interrupted or who stopped it, and what to do.
    pub note: Option<String>,
    /// Version of this row.
    pub rev: Revision,
}
