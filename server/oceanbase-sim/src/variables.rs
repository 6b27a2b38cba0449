//! Session variables.

use std::collections::BTreeMap;

use crate::calendar;
use crate::setup::Setup;
use crate::version::Version;

/// The variables of a session by lower-case name; user variables begin with `@`.
#[derive(Debug, Clone)]
pub(crate) struct Variables {
    values: BTreeMap<String, String>,
}

const DEFAULTS: [(&str, &str); 26] = [
    ("autocommit", "1"),
    ("auto_increment_increment", "1"),
    ("character_set_client", "utf8mb4"),
    ("character_set_connection", "utf8mb4"),
    ("character_set_results", "utf8mb4"),
    ("character_set_server", "utf8mb4"),
    ("collation_connection", "utf8mb4_general_ci"),
    ("collation_server", "utf8mb4_general_ci"),
    ("foreign_key_checks", "1"),
    ("init_connect", ""),
    ("interactive_timeout", "28800"),
    ("license", ""),
    ("lower_case_table_names", "1"),
    ("max_allowed_packet", "16777216"),
    ("net_write_timeout", "60"),
    ("ob_query_timeout", "10000000"),
    ("ob_tcp_invited_nodes", "%"),
    ("ob_trx_timeout", "86400000000"),
    ("recyclebin", "0"),
    ("socket", "/tmp/obmysql.sock"),
    ("sql_mode", "STRICT_ALL_TABLES"),
    ("system_time_zone", "CST"),
    ("time_zone", "+08:00"),
    ("tx_isolation", "READ-COMMITTED"),
    ("transaction_isolation", "READ-COMMITTED"),
    ("wait_timeout", "28800"),
];

impl Variables {
    pub(crate) fn new(setup: &Setup) -> Variables {
        let version = setup.version.full();
        let mut values: BTreeMap<String, String> = DEFAULTS
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let comment = if setup.version.is_legacy() {
            values.insert("max_allowed_packet".to_owned(), "4194304".to_owned());
            values.insert("ob_trx_timeout".to_owned(), "100000000".to_owned());
            let edition = edition(setup.version);
            format!(
                "OceanBase {edition}{version} (r1-simulated) (Built Jan  1 2026 00:00:00) simulated"
            )
        } else {
            format!("OceanBase_CE {version} (r1-simulated) (Built Jan  1 2026 00:00:00) simulated")
        };
        values.insert("version_comment".to_owned(), comment);
        values.insert("version".to_owned(), version_text(setup));
        Variables { values }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.values.insert(name.to_owned(), value.to_owned());
    }

    pub(crate) fn reset(&mut self, name: &str) {
        if let Some((_, value)) = DEFAULTS.iter().find(|(n, _)| *n == name) {
            self.set(name, value);
        }
    }

    /// System variables in order.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&String, &String)> {
        self.values
            .iter()
            .filter(|(name, _)| !name.starts_with('@'))
    }

    /// Minutes east of UTC.
    pub(crate) fn offset(&self) -> i32 {
        self.get("time_zone")
            .and_then(calendar::offset)
            .unwrap_or(480)
    }

    pub(crate) fn backslash(&self) -> bool {
        !self
            .get("sql_mode")
            .is_some_and(|m| m.to_ascii_uppercase().contains("NO_BACKSLASH_ESCAPES"))
    }

    /// The query timeout, in us.
    pub(crate) fn timeout_us(&self) -> i64 {
        self.get("ob_query_timeout")
            .and_then(|v| v.parse().ok())
            .unwrap_or(10_000_000)
    }

    pub(crate) fn recyclebin(&self) -> bool {
        matches!(self.get("recyclebin"), Some("1" | "ON" | "on"))
    }
}

/// What `version()` gives.
pub(crate) fn version_text(setup: &Setup) -> String {
    if setup.version.is_legacy() {
        let full = setup.version.full();
        format!("{full}-OceanBase {}", edition(setup.version))
            .trim_end()
            .to_owned()
    } else {
        format!("5.7.25-OceanBase_CE-v{}", setup.version.full())
    }
}

/// How a version before 4.0 calls itself: 2.2.77 was never a community edition.
fn edition(version: Version) -> &'static str {
    match version {
        Version::V2_2_77 => "",
        _ => "CE ",
    }
}
