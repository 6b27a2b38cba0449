//! The JSON of the commands about alerts and notification channels; also what `--json` prints. Fields are added,
//! never renamed. Addresses of channels go in and never come out.

use domain::{
    Scn,
    alert::{Alert, AlertDetails},
    channel::{Channel, ChannelTest},
    page::Page,
};
use serde::{Deserialize, Serialize};

/// Which alerts to list.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AlertsAsked {
    /// `active`, `masked` or `recovered`; absent means active and masked ones.
    pub status: Option<String>,
    /// Only those of this level, 1 to 5.
    pub level: Option<u8>,
    /// Only those of the rule with this code.
    pub rule: Option<String>,
    /// Only those whose object or summary contains it.
    pub text: Option<String>,
    /// Of every cluster.
    #[serde(default)]
    pub all: bool,
    /// Page number from 1.
    #[serde(default)]
    pub page: u32,
    /// Rows of a page.
    #[serde(default)]
    pub size: u32,
}

/// An alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertRow {
    /// Its number.
    pub id: i64,
    /// Code of its rule.
    pub rule: String,
    /// The rule's name.
    pub name: String,
    /// What it is about.
    pub object: String,
    /// 1 (the gravest) to 5.
    pub level: u8,
    /// The level in a word.
    pub level_name: String,
    /// `active`, `masked` or `recovered`.
    pub status: String,
    /// When it was seen first.
    pub generated: String,
    /// When it was seen last.
    pub last_generated: String,
    /// When it was proven over.
    pub recovered: Option<String>,
    /// Until when nobody is called.
    pub masked_until: Option<String>,
    /// What is wrong.
    pub summary: String,
}

impl From<Alert> for AlertRow {
    fn from(alert: Alert) -> Self {
        AlertRow {
            id: alert.id.0,
            rule: alert.rule,
            name: alert.name,
            object: alert.object,
            level: alert.level.number(),
            level_name: alert.level.label().to_owned(),
            status: alert.status.code().to_owned(),
            generated: alert.generated.to_rfc3339(),
            last_generated: alert.last_generated.to_rfc3339(),
            recovered: alert.recovered.map(Scn::to_rfc3339),
            masked_until: alert.masked_until.map(Scn::to_rfc3339),
            summary: alert.summary,
        }
    }
}

/// A page of alerts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertList {
    /// The rows.
    pub alerts: Vec<AlertRow>,
    /// How many match.
    pub total: u64,
}

impl From<Page<Alert>> for AlertList {
    fn from(page: Page<Alert>) -> Self {
        AlertList {
            alerts: page.rows.into_iter().map(Into::into).collect(),
            total: page.total,
        }
    }
}

/// A name and a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// The name.
    pub name: String,
    /// The value.
    pub value: String,
}

/// An alert with everything that helps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertShown {
    /// The alert.
    #[serde(flatten)]
    pub alert: AlertRow,
    /// What was measured.
    pub value: Option<String>,
    /// Against what.
    pub threshold: Option<String>,
    /// More facts.
    pub labels: Vec<Label>,
    /// When its rule speaks.
    pub condition: String,
    /// What it means.
    pub impact: String,
    /// What is probably behind it.
    pub causes: Vec<String>,
    /// What to do.
    pub advice: Vec<String>,
    /// Why it counts as over.
    pub ended_because: Option<String>,
    /// Who masked it, and why.
    pub masked_by: Option<String>,
    /// Other times that it happened.
    pub history: Vec<AlertRow>,
}

impl From<AlertDetails> for AlertShown {
    fn from(details: AlertDetails) -> Self {
        let labels = details.labels.into_iter();
        AlertShown {
            alert: details.alert.into(),
            value: details.value,
            threshold: details.threshold,
            labels: labels.map(|(name, value)| Label { name, value }).collect(),
            condition: details.condition,
            impact: details.impact,
            causes: details.causes,
            advice: details.advice,
            ended_because: details.ended_because,
            masked_by: details.masked_by,
            history: details.history.into_iter().map(Into::into).collect(),
        }
    }
}

/// An order to mask an alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MaskOrder {
    /// Until when, RFC 3339.
    pub until: Option<String>,
    /// Or for how many minutes from now.
    pub minutes: Option<u32>,
    /// Why.
    pub reason: String,
}

/// A notification channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelRow {
    /// Its name.
    pub name: String,
    /// What is sent: `json`, `slack`, `dingtalk`, `feishu`, `wecom` or `ping`.
    pub kind: String,
    /// Scheme and host of its address.
    pub host: String,
    /// Whether messages are signed.
    pub signed: bool,
    /// Levels that are sent.
    pub levels: Vec<u8>,
    /// Numbers of the clusters that are sent; absent means all, and the console itself.
    pub clusters: Option<Vec<i64>>,
    /// Minutes between two pings.
    pub every_min: Option<u32>,
    /// Whether anything is sent.
    pub enabled: bool,
    /// When something arrived last.
    pub last_sent: Option<String>,
    /// Since when nothing arrives.
    pub failing_since: Option<String>,
    /// Why.
    pub fault: Option<String>,
}

impl From<Channel> for ChannelRow {
    fn from(channel: Channel) -> Self {
        let clusters = channel.clusters;
        ChannelRow {
            name: channel.name,
            kind: channel.kind.code().to_owned(),
            host: channel.host,
            signed: channel.signed,
            levels: channel.levels.iter().map(|level| level.number()).collect(),
            clusters: clusters.map(|ids| ids.into_iter().map(|id| id.0).collect()),
            every_min: channel.every_min,
            enabled: channel.enabled,
            last_sent: channel.last_sent.map(Scn::to_rfc3339),
            failing_since: channel.failing_since.map(Scn::to_rfc3339),
            fault: channel.fault,
        }
    }
}

/// Every channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelList {
    /// By name.
    pub channels: Vec<ChannelRow>,
}

/// An order to add a channel. Its address and key are secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelOrder {
    /// Its name.
    pub name: String,
    /// What is sent.
    pub kind: String,
    /// Where to.
    pub url: String,
    /// The key for signatures.
    pub secret: Option<String>,
    /// Levels that are sent; empty means 1 to 4.
    #[serde(default)]
    pub levels: Vec<u8>,
    /// Names of the clusters that are sent; empty means all.
    #[serde(default)]
    pub clusters: Vec<String>,
    /// Minutes between two pings.
    pub every_min: Option<u32>,
}

/// An order to change a channel. Its address and key are secret; what is absent stays.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelChangeOrder {
    /// Where to.
    pub url: Option<String>,
    /// The key for signatures.
    pub secret: Option<String>,
    /// Levels that are sent.
    pub levels: Option<Vec<u8>>,
    /// Names of the clusters that are sent; empty means all.
    pub clusters: Option<Vec<String>>,
    /// Minutes between two pings.
    pub every_min: Option<u32>,
}

/// What came of a test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelTested {
    /// Why it did not arrive; absent when it did.
    pub failure: Option<String>,
    /// Milliseconds it took.
    pub took_ms: u64,
}

impl From<ChannelTest> for ChannelTested {
    fn from(test: ChannelTest) -> Self {
        ChannelTested {
            failure: test.failure,
            took_ms: test.took_ms,
        }
    }
}
