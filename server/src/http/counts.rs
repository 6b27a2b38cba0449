//! How many requests of which sort were answered how, and how fast; kept for `/metrics`.

use axum::http::StatusCode;
use control::measure::Histogram;
use std::{
    collections::BTreeMap,
    fmt::Write,
    sync::{Mutex, MutexGuard},
    time::Duration,
};

/// A sort of requests. There are few, so that whoever asks for odd addresses makes no new ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// A page.
    Page,
    /// A server function.
    Function,
    /// A command.
    Command,
    /// A file of the pages.
    File,
    /// Health, readiness, metrics.
    Operation,
}

impl Class {
    /// The sort of what is at this path.
    pub fn of(path: &str) -> Class {
        let last = path.rsplit('/').next().unwrap_or_default();
        match path {
            "/healthz" | "/readyz" | "/metrics" => Class::Operation,
            _ if path.starts_with("/api/") => Class::Function,
            _ if path.starts_with("/cli/") => Class::Command,
            _ if path.starts_with("/pkg/") || last.contains('.') => Class::File,
            _ => Class::Page,
        }
    }

    const fn code(self) -> &'static str {
        match self {
            Class::Page => "page",
            Class::Function => "function",
            Class::Command => "command",
            Class::File => "file",
            Class::Operation => "operation",
        }
    }
}

/// The counts of one server.
#[derive(Debug, Default)]
pub struct Counts {
    sums: Mutex<Sums>,
}

#[derive(Debug, Default)]
struct Sums {
    answers: BTreeMap<(Class, u16), u64>,
    times: BTreeMap<Class, Histogram>,
}

impl Counts {
    /// Counts an answer.
    pub fn add(&self, class: Class, status: StatusCode, took: Duration) {
        let mut sums = self.sums();
        *sums.answers.entry((class, status.as_u16())).or_default() += 1;
        sums.times.entry(class).or_default().add(took);
    }

    /// Writes them as Prometheus reads them.
    pub(super) fn write(&self, out: &mut String) {
        let sums = self.sums();
        out.push_str("# HELP tidemark_http_requests_total Requests answered.\n# TYPE tidemark_http_requests_total counter\n");
        for ((class, status), count) in &sums.answers {
            let class = class.code();
            let _ = writeln!(
                out,
                "tidemark_http_requests_total{{class=\"{class}\",status=\"{status}\"}} {count}"
            );
        }
        out.push_str("# HELP tidemark_http_seconds Time until an answer began.\n# TYPE tidemark_http_seconds histogram\n");
        for (class, times) in &sums.times {
            let label = format!("class=\"{}\"", class.code());
            super::metrics::histogram(out, "tidemark_http_seconds", &label, times);
        }
    }

    fn sums(&self) -> MutexGuard<'_, Sums> {
        self.sums
            .lock()
            .expect("invariant: nothing panics while it counts")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_belongs_to_one_of_few_sorts() {
        for (path, class) in [
            ("/", Class::Page),
            ("/clusters/local/backup", Class::Page),
            ("/api/app/api/clusters/list", Class::Function),
            ("/cli/v1/local/tenants", Class::Command),
            ("/pkg/tidemark.js", Class::File),
            ("/favicon.svg", Class::File),
            ("/metrics", Class::Operation),
            ("/metrics/x", Class::Page),
        ] {
            assert_eq!(Class::of(path), class, "{path}");
        }
    }
}
