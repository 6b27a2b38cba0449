//! Where a cluster has other settings than its strategy says, because somebody changed them there.

use serde::{Deserialize, Serialize};

/// Most differences that are kept and shown of one cluster; the rest come up when these are put right.
pub const DRIFT_MAX: usize = 100;

/// What a strategy decides and a cluster keeps by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Setting {
    /// Where log goes.
    LogDestination,
    /// Whether log is archived.
    LogMode,
    /// Where data backups go.
    DataDestination,
    /// How long backups are kept.
    DeletePolicy,
}

impl Setting {
    /// Every setting, in the order in which they are set.
    pub const ALL: [Setting; 4] = [
        Setting::LogDestination,
        Setting::LogMode,
        Setting::DataDestination,
        Setting::DeletePolicy,
    ];

    /// What the page calls it.
    pub const fn label(self) -> &'static str {
        match self {
            Setting::LogDestination => "Log destination",
            Setting::LogMode => "Archive mode",
            Setting::DataDestination => "Data destination",
            Setting::DeletePolicy => "Delete policy",
        }
    }
}

/// One setting of one tenant that is not what the strategy says. Nothing in it is a secret.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Drift {
    /// The tenant's name.
    pub tenant: String,
    /// What differs.
    pub setting: Setting,
    /// What the strategy says, without keys; empty for nothing.
    pub wanted: String,
    /// What the cluster has, without keys; empty for nothing.
    pub found: String,
    /// Why sending it again cannot put it right, and what to do first, as a sentence.
    #[serde(default)]
    pub blocked: Option<String>,
}
