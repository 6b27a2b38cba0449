//! What is chosen in the panel, kept in the address.

use super::super::query::{TaskQuery, href};
use domain::{
    Scn,
    alert::{AlertFilter, AlertStatus, Level},
};
use leptos_router::params::ParamsMap;

/// Its keys in the address begin with it.
pub const PREFIX: &str = "alert";

/// What is chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertQuery {
    /// Time, order and page, as in the task tables.
    pub common: TaskQuery,
    /// Statuses; empty means all.
    pub statuses: Vec<AlertStatus>,
    /// Levels; empty means all.
    pub levels: Vec<Level>,
}

impl AlertQuery {
    /// Reads the address. What cannot be read counts as not chosen.
    pub fn read(params: &ParamsMap) -> AlertQuery {
        let words = |name: &str| params.get(name).unwrap_or_default();
        let level = |word: &str| word.parse().ok().and_then(Level::from_number);
        let common = TaskQuery::read(params, PREFIX);
        AlertQuery {
            statuses: words("alertStatus")
                .split('.')
                .filter_map(AlertStatus::from_code)
                .collect(),
            levels: words("alertLevel").split('.').filter_map(level).collect(),
            common,
        }
    }

    /// Whether anything is filtered out.
    pub fn is_filtered(&self) -> bool {
        self.common.is_filtered() || !self.statuses.is_empty() || !self.levels.is_empty()
    }

    /// The question to the server.
    pub fn filter(&self, now: Scn) -> AlertFilter {
        let common = self.common.filter(now);
        AlertFilter {
            since: common.since,
            until: common.until,
            statuses: self.statuses.clone(),
            levels: self.levels.clone(),
            rule: None,
            text: common.text,
            ascending: common.ascending,
            page: common.page,
            size: common.size,
        }
    }

    /// The statuses with one added, or without it; as the address writes them.
    pub fn with_status(&self, status: AlertStatus) -> Option<String> {
        let all = AlertStatus::ALL.into_iter();
        joined(all.filter_map(|one| {
            let chosen = self.statuses.contains(&one) != (one == status);
            chosen.then(|| one.code().to_owned())
        }))
    }

    /// The same for levels.
    pub fn with_level(&self, level: Level) -> Option<String> {
        joined(Level::ALL.into_iter().filter_map(|one| {
            let chosen = self.levels.contains(&one) != (one == level);
            chosen.then(|| one.number().to_string())
        }))
    }
}

fn joined(words: impl Iterator<Item = String>) -> Option<String> {
    let words: Vec<String> = words.collect();
    (!words.is_empty()).then(|| words.join("."))
}

/// The address with every filter of the panel taken out.
pub fn unfiltered(params: &ParamsMap) -> String {
    let keys = ["time", "from", "to", "status", "level", "text"];
    href(params, PREFIX, &keys.map(|name| (name, None)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_are_read_from_the_address_and_written_back() {
        let pairs = [
            ("alertStatus", "active.bogus.masked"),
            ("alertLevel", "2.9.x"),
            ("alertTime", "24h"),
            ("dataStatus", "failed"),
        ];
        let pairs = pairs.into_iter();
        let params: ParamsMap = pairs
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let query = AlertQuery::read(&params);
        assert_eq!(query.statuses, [AlertStatus::Active, AlertStatus::Masked]);
        assert_eq!(query.levels, [Level::Critical]);
        assert!(query.is_filtered());
        assert_eq!(
            query.with_status(AlertStatus::Active).as_deref(),
            Some("masked")
        );
        assert_eq!(query.with_level(Level::Critical), None);
        assert_eq!(query.with_level(Level::Stopped).as_deref(), Some("1.2"));
        let filter = query.filter(Scn::from_ms(86_400_000 + 5));
        assert_eq!(filter.since, Some(Scn::from_ms(5)));
        let address = unfiltered(&params);
        assert!(
            !address.contains("alert") && address.contains("dataStatus"),
            "{address}"
        );
    }
}
