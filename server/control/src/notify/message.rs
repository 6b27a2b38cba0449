//! A message: what became of one or more alerts. Stored as it is; each channel puts it into its own words.

use domain::{
    Scn,
    alert::{Language, Level, RuleId, text},
};
use serde::{Deserialize, Serialize};
use store::StoredAlert;

/// Most alerts that one message tells about one by one; of others it says how many there are.
const TOLD_MAX: usize = 20;

/// Why somebody is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Why {
    /// The fault is new.
    Raised,
    /// It became graver.
    Worsened,
    /// It is over.
    Recovered,
    /// Its mask has ended and it still lasts.
    MaskEnded,
    /// Somebody tries the channel.
    Test,
}

impl Why {
    /// In a message, after the name of the alert.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Why::Raised => "new",
            Why::Worsened => "graver than before",
            Why::Recovered => "recovered",
            Why::MaskEnded => "its mask has ended and it lasts",
            Why::Test => "test",
        }
    }
}

/// What became of an alert.
#[derive(Debug, Clone)]
pub(crate) struct News {
    /// Why somebody is told.
    pub(crate) why: Why,
    /// The alert as it is now.
    pub(crate) alert: StoredAlert,
}

/// One alert in a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Told {
    /// Why it is told.
    pub(crate) event: Why,
    /// Its number.
    pub(crate) id: i64,
    /// Code of its rule.
    pub(crate) rule: String,
    /// The rule's name.
    pub(crate) name: String,
    /// 1 to 5.
    pub(crate) level: u8,
    /// The level in a word.
    pub(crate) level_name: String,
    /// What it is about.
    pub(crate) object: String,
    /// What is wrong.
    pub(crate) summary: String,
    /// What it means.
    pub(crate) impact: String,
    /// What to do, in order.
    pub(crate) advice: Vec<String>,
    /// When it began, RFC 3339.
    pub(crate) generated: String,
    /// When it was seen last.
    pub(crate) last_generated: String,
    /// When it was over.
    pub(crate) recovered: Option<String>,
}

/// A message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Message {
    /// When it was written, RFC 3339.
    pub(crate) written: String,
    /// What it tells, the gravest first.
    pub(crate) alerts: Vec<Told>,
    /// How many more alerts changed in the same minute.
    pub(crate) more: usize,
}

impl Message {
    /// Everything that is new in one minute, in one message.
    pub(crate) fn new(news: &[&News], now: Scn) -> Message {
        let mut order: Vec<&News> = news.to_vec();
        order.sort_by_key(|one| (one.why == Why::Recovered, one.alert.alert.level));
        let more = order.len().saturating_sub(TOLD_MAX);
        order.truncate(TOLD_MAX);
        Message {
            written: now.to_rfc3339(),
            alerts: order.into_iter().map(told).collect(),
            more,
        }
    }

    /// One that only shows that the channel works.
    pub(crate) fn test(channel: &str, now: Scn) -> Message {
        let at = now.to_rfc3339();
        let told = Told {
            event: Why::Test,
            id: 0,
            rule: "test".to_owned(),
            name: "Test of the channel".to_owned(),
            level: Level::Reminder.number(),
            level_name: Level::Reminder.label().to_owned(),
            object: format!("channel={channel}"),
            summary: "If this can be read, messages of this console arrive.".to_owned(),
            impact: "Nothing is wrong.".to_owned(),
            advice: Vec::new(),
            generated: at.clone(),
            last_generated: at.clone(),
            recovered: None,
        };
        Message {
            written: at,
            alerts: vec![told],
            more: 0,
        }
    }

    /// As it is stored.
    pub(crate) fn to_text(&self) -> String {
        serde_json::to_string(self).expect("invariant: texts and numbers are JSON")
    }

    /// Reads [`Message::to_text`].
    pub(crate) fn from_text(text: &str) -> Option<Message> {
        serde_json::from_str(text).ok()
    }

    /// A line that stands for the whole.
    pub(crate) fn title(&self) -> String {
        let count = self.alerts.len() + self.more;
        match self.alerts.first() {
            Some(only) if count == 1 => format!("Tidemark: {} ({})", only.name, only.event.words()),
            Some(first) => format!("Tidemark: {} and {} more", first.name, count - 1),
            None => "Tidemark".to_owned(),
        }
    }
}

fn told(news: &News) -> Told {
    let alert = &news.alert.alert;
    let words = RuleId::from_code(&alert.rule).map(|rule| text(rule, Language::English));
    let advice = words.filter(|_| news.why != Why::Recovered);
    Told {
        event: news.why,
        id: alert.id.0,
        rule: alert.rule.clone(),
        name: alert.name.clone(),
        level: alert.level.number(),
        level_name: alert.level.label().to_owned(),
        object: alert.object.clone(),
        summary: alert.summary.clone(),
        impact: words.map_or_else(String::new, |words| words.impact.to_owned()),
        advice: advice.map_or_else(Vec::new, |words| {
            words.advice.iter().map(|&line| line.to_owned()).collect()
        }),
        generated: alert.generated.to_rfc3339(),
        last_generated: alert.last_generated.to_rfc3339(),
        recovered: alert.recovered.map(Scn::to_rfc3339),
    }
}
