//! Alerts: one row per continuing fault, when it began, when it was last seen, and when it was proven over.
//!
//! What is watched is data ([`RULES`]); what is true of it is a pure function of the facts ([`evaluate`]); what
//! becomes of the rows is another ([`fold`]). Missing data is never taken for health.

mod conditions;
mod evaluate;
mod fold;
mod rule;
mod state;
mod storage_conditions;
mod text;

pub use evaluate::{Finding, Hit, Verdict, evaluate};
pub use fold::{AlertChange, Open, fold};
pub use rule::{Applies, Look, RULES, Recovery, Rule, RuleId};
pub use state::{
    ChannelFacts, ClusterFacts, ConsoleFacts, Ended, RunFacts, Running, SizeReading, State,
    StorageFacts, StrategyFacts, TenantFacts, Verified,
};
pub use text::{Language, Text, text};

use crate::{AlertId, ClusterId, Revision, Scn};
use serde::{Deserialize, Serialize};

/// How grave an alert is; 1 is the gravest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// 1: backups have stopped.
    Stopped,
    /// 2: what is promised is not kept any more.
    Critical,
    /// 3: it will become critical.
    Warning,
    /// 4: worth a look.
    Caution,
    /// 5: no fault; a person decided so and may have forgotten.
    Reminder,
}

impl Level {
    /// Every level, the gravest first.
    pub const ALL: [Level; 5] = [
        Level::Stopped,
        Level::Critical,
        Level::Warning,
        Level::Caution,
        Level::Reminder,
    ];

    /// 1 to 5.
    pub const fn number(self) -> u8 {
        self as u8 + 1
    }

    /// Reads [`Level::number`].
    pub fn from_number(number: u8) -> Option<Self> {
        Level::ALL
            .into_iter()
            .find(|level| level.number() == number)
    }

    /// What the page calls it.
    pub const fn label(self) -> &'static str {
        match self {
            Level::Stopped => "Stopped",
            Level::Critical => "Critical",
            Level::Warning => "Warning",
            Level::Caution => "Caution",
            Level::Reminder => "Reminder",
        }
    }
}

/// Where an alert stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertStatus {
    /// The fault continues.
    Active,
    /// It continues, and a person does not want to be called about it until a time.
    Masked,
    /// It is proven over.
    Recovered,
}

impl AlertStatus {
    /// Every status.
    pub const ALL: [AlertStatus; 3] = [
        AlertStatus::Active,
        AlertStatus::Masked,
        AlertStatus::Recovered,
    ];

    /// What the page calls it.
    pub const fn label(self) -> &'static str {
        match self {
            AlertStatus::Active => "Active",
            AlertStatus::Masked => "Masked",
            AlertStatus::Recovered => "Recovered",
        }
    }

    /// The stored and wire form.
    pub const fn code(self) -> &'static str {
        match self {
            AlertStatus::Active => "active",
            AlertStatus::Masked => "masked",
            AlertStatus::Recovered => "recovered",
        }
    }

    /// Reads [`AlertStatus::code`].
    pub fn from_code(code: &str) -> Option<Self> {
        AlertStatus::ALL
            .into_iter()
            .find(|status| status.code() == code)
    }
}

/// One row of "Alerts".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// Number.
    pub id: AlertId,
    /// The cluster it is about; absent where it is about the console itself.
    pub cluster: Option<ClusterId>,
    /// Code of its rule, such as `inc_backup_delay`.
    pub rule: String,
    /// The rule's name, the column "Alert Type".
    pub name: String,
    /// What it is about, the column "Alert Object".
    pub object: String,
    /// How grave it is now.
    pub level: Level,
    /// Where it stands.
    pub status: AlertStatus,
    /// When the fault was seen first; never changes.
    pub generated: Scn,
    /// When it was seen last.
    pub last_generated: Scn,
    /// When it was proven over.
    pub recovered: Option<Scn>,
    /// Until when nobody is called about it.
    pub masked_until: Option<Scn>,
    /// What is wrong, in a sentence.
    pub summary: String,
    /// Version of this row.
    pub rev: Revision,
}

/// An alert with everything that helps whoever has to act.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertDetails {
    /// The row.
    pub alert: Alert,
    /// What was measured.
    pub value: Option<String>,
    /// What it was measured against.
    pub threshold: Option<String>,
    /// More facts: name and value.
    pub labels: Vec<(String, String)>,
    /// When the rule speaks, in a sentence.
    pub condition: String,
    /// What ends an alert of the rule.
    pub recovers_when: String,
    /// What it means for recoveries.
    pub impact: String,
    /// What is probably behind it, most probable first.
    pub causes: Vec<String>,
    /// What to do, in order.
    pub advice: Vec<String>,
    /// Why it counts as over.
    pub ended_because: Option<String>,
    /// Who masked it, and why.
    pub masked_by: Option<String>,
    /// Other times that the same was wrong with the same object, newest first.
    pub history: Vec<Alert>,
}

/// Which alerts to list, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AlertFilter {
    /// Only alerts that were seen at or after it.
    pub since: Option<Scn>,
    /// Only alerts that began before it.
    pub until: Option<Scn>,
    /// Only these statuses; empty means all.
    pub statuses: Vec<AlertStatus>,
    /// Only these levels; empty means all.
    pub levels: Vec<Level>,
    /// Only alerts of this rule's code.
    pub rule: Option<String>,
    /// Only alerts whose object or summary contains it.
    pub text: Option<String>,
    /// Oldest first instead of newest first.
    pub ascending: bool,
    /// Page number from 1.
    pub page: u32,
    /// Rows of a page: 10, 20 or 50.
    pub size: u32,
}

/// How many alerts are active, by level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AlertCounts(pub [u32; 5]);

impl AlertCounts {
    /// How many of a level.
    pub const fn of(&self, level: Level) -> u32 {
        self.0[level as usize]
    }

    /// How many in all.
    pub fn total(&self) -> u32 {
        self.0.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_and_statuses_read_back_and_the_gravest_is_the_least() {
        for level in Level::ALL {
            assert_eq!(Level::from_number(level.number()), Some(level));
        }
        for status in AlertStatus::ALL {
            assert_eq!(AlertStatus::from_code(status.code()), Some(status));
        }
        assert!(Level::Stopped < Level::Critical && Level::Caution < Level::Reminder);
        assert_eq!((Level::from_number(0), Level::from_number(6)), (None, None));
        let counts = AlertCounts([1, 2, 0, 0, 4]);
        assert_eq!((counts.of(Level::Critical), counts.total()), (2, 7));
    }
}
