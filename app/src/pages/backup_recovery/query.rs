//! What is chosen in a task table, kept in the address: a reload, the back button and a link all keep it.

use crate::language::later;
use domain::{
    BackupSetId, Scn, TenantId,
    backup::{BackupKind, TaskSource},
    job::JobState,
    page::TaskFilter,
    scn::NS_PER_SECOND,
};
use leptos_router::{location::Url, params::ParamsMap};

/// Rows of a page when nothing is chosen.
const SIZE: u32 = 10;

/// Which tasks, by the time they were asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Time {
    /// Of any time.
    #[default]
    Any,
    /// Of the last seconds.
    Last(u64),
    /// Between two moments.
    Between(Option<Scn>, Option<Scn>),
}

/// The choices of the time pill: value in the address, label, seconds.
pub const TIMES: [(&str, &str, u64); 4] = [
    ("1h", later("Last hour"), 3_600),
    ("24h", later("Last 24 hours"), 86_400),
    ("7d", later("Last 7 days"), 7 * 86_400),
    ("30d", later("Last 30 days"), 30 * 86_400),
];

/// No tenant has this number.
const NOBODY: TenantId = TenantId(0);

/// The key of a table in the address: `dataStatus`, without anything that an address has to escape.
pub fn key(prefix: &str, name: &str) -> String {
    let (first, rest) = name.split_at(1);
    format!("{prefix}{}{rest}", first.to_ascii_uppercase())
}

/// What is chosen in a task table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskQuery {
    /// Time.
    pub time: Time,
    /// States; empty means all.
    pub states: Vec<JobState>,
    /// Tenant.
    pub tenant: Option<TenantId>,
    /// Tenant by its name, where that was typed.
    pub tenant_name: Option<String>,
    /// Full or incremental.
    pub kind: Option<BackupKind>,
    /// Cluster or tenant backup.
    pub source: Option<TaskSource>,
    /// The set that is made or copied.
    pub set: Option<BackupSetId>,
    /// What is searched for.
    pub text: Option<String>,
    /// Oldest first.
    pub ascending: bool,
    /// Page number from 1.
    pub page: u32,
    /// Rows of a page.
    pub size: u32,
}

impl TaskQuery {
    /// Reads the keys that begin with `prefix`. What cannot be read counts as not chosen.
    pub fn read(params: &ParamsMap, prefix: &str) -> TaskQuery {
        let get = |name: &str| params.get(&key(prefix, name));
        let moment = |name| get(name).and_then(|text| Scn::parse_rfc3339(&text).ok());
        let time = match (get("time"), moment("from"), moment("to")) {
            (Some(code), ..) => TIMES
                .into_iter()
                .find(|(known, ..)| *known == code)
                .map_or(Time::Any, |(.., seconds)| Time::Last(seconds)),
            (None, None, None) => Time::Any,
            (None, from, to) => Time::Between(from, to),
        };
        let states = get("status").unwrap_or_default();
        let size = get("size").and_then(|text| text.parse().ok());
        let tenant = get("tenant").filter(|text| !text.trim().is_empty());
        let tenant_id: Option<TenantId> = tenant.as_ref().and_then(|text| text.parse().ok());
        TaskQuery {
            time,
            states: states.split('.').filter_map(JobState::from_code).collect(),
            tenant: tenant_id,
            tenant_name: tenant.filter(|_| tenant_id.is_none()),
            kind: get("method").and_then(|code| BackupKind::from_code(&code)),
            source: get("source").and_then(|code| TaskSource::from_code(&code)),
            set: get("set")
                .and_then(|text| text.parse().ok())
                .map(BackupSetId),
            text: get("text").filter(|text| !text.trim().is_empty()),
            ascending: get("order").as_deref() == Some("oldest"),
            page: get("page")
                .and_then(|text| text.parse().ok())
                .unwrap_or(1)
                .max(1),
            size: size
                .filter(|size| crate::ui::pager::SIZES.contains(size))
                .unwrap_or(SIZE),
        }
    }

    /// Whether anything is filtered out.
    pub fn is_filtered(&self) -> bool {
        self.time != Time::Any
            || !self.states.is_empty()
            || self.tenant.is_some()
            || self.tenant_name.is_some()
            || self.kind.is_some()
            || self.source.is_some()
            || self.set.is_some()
            || self.text.is_some()
    }

    /// Whether a new row belongs on top of what is shown.
    pub fn takes_new(&self) -> bool {
        !self.is_filtered() && !self.ascending && self.page == 1
    }

    /// The same with the number of the tenant that was named; nobody's where there is none.
    pub fn of_tenant(mut self, known: impl FnOnce(&str) -> Option<TenantId>) -> TaskQuery {
        if let Some(name) = self.tenant_name.take() {
            self.tenant = Some(known(name.trim()).unwrap_or(NOBODY));
        }
        self
    }

    /// The question to the server.
    pub fn filter(&self, now: Scn) -> TaskFilter {
        let (since, until) = match self.time {
            Time::Any => (None, None),
            Time::Last(seconds) => (Some(now.minus_ns(seconds * NS_PER_SECOND)), None),
            Time::Between(from, to) => (from, to),
        };
        TaskFilter {
            since,
            until,
            states: self.states.clone(),
            tenant: self.tenant,
            kind: self.kind,
            source: self.source,
            set: self.set,
            text: self.text.clone(),
            ascending: self.ascending,
            page: self.page,
            size: self.size,
        }
    }

    /// The address of the file with everything that is chosen. `table` is a kind of tasks, `log` or `second_logs`.
    pub fn file(&self, cluster: &str, table: &str, now: Scn) -> String {
        let filter = self.filter(now);
        let states: Vec<&str> = filter.states.iter().map(|state| state.code()).collect();
        let pairs = [
            ("since", filter.since.map(|at| at.0.to_string())),
            ("until", filter.until.map(|at| at.0.to_string())),
            ("states", (!states.is_empty()).then(|| states.join("."))),
            ("tenant", filter.tenant.map(|id| id.to_string())),
            ("kind", filter.kind.map(|kind| kind.code().to_owned())),
            ("source", filter.source.map(|from| from.code().to_owned())),
            ("set", filter.set.map(|set| set.to_string())),
            ("text", filter.text),
            ("oldest", filter.ascending.then(|| "true".to_owned())),
        ];
        let chosen: Vec<String> = pairs
            .into_iter()
            .filter_map(|(key, value)| Some(format!("{key}={}", Url::escape(&value?))))
            .collect();
        let path = format!("/clusters/{cluster}/export/{table}");
        match chosen.is_empty() {
            true => path,
            false => format!("{path}?{}", chosen.join("&")),
        }
    }

    /// The states with `state` added, or without it; as the address writes them.
    pub fn toggled(&self, state: JobState) -> Option<String> {
        let codes: Vec<&str> = JobState::ALL
            .into_iter()
            .filter(|one| self.states.contains(one) != (*one == state))
            .map(JobState::code)
            .collect();
        (!codes.is_empty()).then(|| codes.join("."))
    }
}

/// The address with some keys of a table changed (`None` takes a key out). Choosing anything but a page leads to page 1.
pub fn href(params: &ParamsMap, prefix: &str, changes: &[(&str, Option<String>)]) -> String {
    let mut params = params.clone();
    params.remove(&key(prefix, "page"));
    for (name, value) in changes {
        let key = key(prefix, name);
        params.remove(&key);
        if let Some(value) = value {
            params.insert(key, value.clone());
        }
    }
    query_string(&params)
}

/// The address with every filter of a table taken out.
pub fn unfiltered(params: &ParamsMap, prefix: &str) -> String {
    let keys = [
        "time", "from", "to", "status", "tenant", "method", "source", "set", "text",
    ];
    href(params, prefix, &keys.map(|name| (name, None)))
}

/// The address with one key of the page changed.
pub fn with(params: &ParamsMap, key: &str, value: Option<&str>) -> String {
    let mut params = params.clone();
    params.remove(key);
    if let Some(value) = value {
        params.insert(key.to_owned(), value.to_owned());
    }
    query_string(&params)
}

fn query_string(params: &ParamsMap) -> String {
    let text = params.to_query_string();
    if text.is_empty() {
        "?".to_owned()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(pairs: &[(&str, &str)]) -> ParamsMap {
        pairs
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect()
    }

    #[test]
    fn a_tenant_can_be_named() {
        let read = |word: &str| {
            let pair = ("dataTenant".to_owned(), word.to_owned());
            TaskQuery::read(&[pair].into_iter().collect(), "data")
        };
        let known = |name: &str| (name == "orders").then_some(TenantId(7));
        assert_eq!(read("3").of_tenant(known).tenant, Some(TenantId(3)));
        assert_eq!(read(" orders ").of_tenant(known).tenant, Some(TenantId(7)));
        assert_eq!(read("no one").of_tenant(known).tenant, Some(NOBODY));
        assert!(read("no one").is_filtered() && !read(" ").is_filtered());
    }

    #[test]
    fn an_empty_address_asks_for_the_newest_ten() {
        let query = TaskQuery::read(&params(&[]), "data");
        assert!(!query.is_filtered() && query.takes_new());
        let filter = query.filter(Scn::from_ms(9));
        assert_eq!((filter.page, filter.size, filter.ascending), (1, 10, false));
        assert_eq!((filter.since, filter.until), (None, None));
    }

    #[test]
    fn choices_are_read_and_nonsense_is_not() {
        let query = TaskQuery::read(
            &params(&[
                ("dataStatus", "failed.running.bogus"),
                ("dataTime", "24h"),
                ("dataSize", "7000"),
                ("dataPage", "3"),
                ("logTenant", "4"),
            ]),
            "data",
        );
        assert_eq!(query.states, [JobState::Failed, JobState::Running]);
        assert_eq!((query.size, query.page, query.tenant), (10, 3, None));
        assert_eq!(query.tenant_name, None);
        let now = Scn::from_ms(86_400_000 + 5);
        assert_eq!(query.filter(now).since, Some(Scn::from_ms(5)));
        assert!(!query.takes_new());
    }

    #[test]
    fn a_choice_keeps_the_others_and_goes_to_page_one() {
        let params = params(&[("tab", "data"), ("dataPage", "3"), ("dataTime", "7d")]);
        let href = href(&params, "data", &[("status", Some("failed".to_owned()))]);
        assert!(
            href.contains("dataStatus=failed") && href.contains("dataTime=7d"),
            "{href}"
        );
        assert!(
            href.contains("tab=data") && !href.contains("dataPage"),
            "{href}"
        );
        let none = unfiltered(&params, "data");
        assert!(!none.contains("time"), "{none}");
    }

    #[test]
    fn the_file_is_asked_for_with_the_same_choice() {
        let query = TaskQuery::read(&params(&[]), "data");
        let now = Scn::from_ms(86_400_000 + 5);
        assert_eq!(query.file("a", "log", now), "/clusters/a/export/log");
        let chosen = params(&[
            ("dataStatus", "failed"),
            ("dataTime", "24h"),
            ("dataText", "a b&c"),
        ]);
        let query = TaskQuery::read(&chosen, "data");
        assert_eq!(
            query.file("a", "data_backup", now),
            "/clusters/a/export/data_backup?since=5000000&states=failed&text=a%20b%26c"
        );
    }

    #[test]
    fn states_are_added_and_taken_away_one_by_one() {
        let query = TaskQuery::read(&params(&[("dataStatus", "failed")]), "data");
        assert_eq!(query.toggled(JobState::Failed), None);
        assert_eq!(
            query.toggled(JobState::Queued).as_deref(),
            Some("queued.failed")
        );
    }
}
