//! Whether this console can do its work now, check by check; for whoever starts, watches and stops it.

use crate::{console::Console, error::chain};
use domain::scn::NS_PER_SECOND;
use std::time::Duration;
use tokio::time::Instant;

/// A duty that went round longer ago than this is stuck.
const SILENT_MAX_NS: u64 = 300 * NS_PER_SECOND;
/// The database is tried at most this often, whoever asks.
const TRY_EVERY: Duration = Duration::from_secs(2);
/// How long it may take to answer.
const TRY_MAX: Duration = Duration::from_secs(5);

/// One thing that has to be so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What has to be so, as a few words.
    pub name: &'static str,
    /// Why it is not.
    pub failure: Option<String>,
}

/// The last try of the database.
#[derive(Debug, Default)]
pub(crate) struct Tried {
    at: Option<Instant>,
    failure: Option<String>,
}

impl Console {
    /// Every check, in a fixed order.
    pub async fn readiness(&self) -> Vec<Check> {
        let inner = &self.inner;
        let stopping = inner.is_stopping();
        let check = |name, failure| Check { name, failure };
        vec![
            check(
                "not shutting down",
                stopping.then(|| "the server is ending".to_owned()),
            ),
            check("database writable", self.database_failure().await),
            check("clusters tried", self.untried()),
            check("duties alive", self.silent()),
        ]
    }

    async fn database_failure(&self) -> Option<String> {
        let mut tried = self.inner.tried.lock().await;
        if tried.at.is_none_or(|at| at.elapsed() >= TRY_EVERY) {
            let probe = tokio::time::timeout(TRY_MAX, self.inner.store.probe()).await;
            tried.failure = match probe {
                Ok(Ok(())) => None,
                Ok(Err(error)) => Some(chain(&error)),
                Err(_) => Some(format!("no answer within {} s", TRY_MAX.as_secs())),
            };
            tried.at = Some(Instant::now());
        }
        tried.failure.clone()
    }

    fn untried(&self) -> Option<String> {
        let handles = self.inner.handles();
        let waiting: Vec<&str> = handles
            .iter()
            .filter(|handle| !handle.was_tried())
            .map(|handle| handle.name.as_str())
            .collect();
        (!waiting.is_empty()).then(|| format!("still opening: {}", waiting.join(", ")))
    }

    /// Duties of the console itself; those of a cluster may wait long for its engine, and its page tells that.
    fn silent(&self) -> Option<String> {
        let now = self.inner.now();
        let silent: Vec<&str> = self
            .duties()
            .into_iter()
            .filter(|duty| duty.cluster.is_none() && now.since_ns(duty.last) > SILENT_MAX_NS)
            .map(|duty| duty.name)
            .collect();
        (!silent.is_empty()).then(|| format!("no sign of life: {}", silent.join(", ")))
    }
}
