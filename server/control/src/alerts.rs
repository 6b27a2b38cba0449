//! Alerts as pages and commands see them: lists, details, and masks.

use crate::{
    access::{Operator, Viewer},
    audit::Entry,
    error::Error,
};
use domain::{
    AlertId, ClusterId, Scn,
    alert::{Alert, AlertCounts, AlertDetails, AlertFilter, AlertStatus, Language, RuleId, text},
    page::Page,
    scn::{NS_PER_DAY, NS_PER_SECOND},
};
use store::StoredAlert;

/// Longest mask, in days: what is masked for longer is forgotten.
const MASK_DAYS_MAX: u64 = 90;
/// Longest reason for a mask, in characters.
const REASON_MAX: usize = 200;
/// Longest text that is searched for, in characters.
const TEXT_MAX: usize = 200;

impl Viewer {
    /// A page of the alerts of a cluster and of the console itself.
    pub async fn alerts(&self, cluster: &str, filter: &AlertFilter) -> Result<Page<Alert>, Error> {
        let inner = &self.console.inner;
        check(filter)?;
        let id = self.handle(cluster)?.id;
        Ok(inner.store.alerts(Some(&[id]), filter).await?)
    }

    /// A page of the alerts of the console and of every cluster that the actor may look at.
    pub async fn all_alerts(&self, filter: &AlertFilter) -> Result<Page<Alert>, Error> {
        check(filter)?;
        let store = &self.console.inner.store;
        if self.sees_all().is_ok() {
            return Ok(store.alerts(None, filter).await?);
        }
        Ok(store.alerts(Some(&self.seen_ids().await?), filter).await?)
    }

    /// How many alerts of a cluster and of the console itself are active, by level.
    pub async fn alert_counts(&self, cluster: &str) -> Result<AlertCounts, Error> {
        let inner = &self.console.inner;
        let id = self.handle(cluster)?.id;
        Ok(inner.store.alert_counts(Some(id)).await?)
    }

    /// How many alerts match, whatever their level, by level: what the ring shows.
    pub async fn alert_levels(
        &self,
        cluster: &str,
        filter: &AlertFilter,
    ) -> Result<AlertCounts, Error> {
        check(filter)?;
        let id = self.handle(cluster)?.id;
        let any_level = AlertFilter {
            levels: Vec::new(),
            ..filter.clone()
        };
        let store = &self.console.inner.store;
        Ok(store.alert_levels(Some(id), &any_level).await?)
    }

    /// One alert of a cluster or of the console itself, with its history and what to do.
    pub async fn alert(&self, cluster: &str, id: AlertId) -> Result<AlertDetails, Error> {
        let inner = &self.console.inner;
        let of = self.handle(cluster)?.id;
        let stored = seen_from(of, id, inner.store.alert(id).await?)?;
        let history = inner.store.alert_history(&stored).await?;
        Ok(details(stored, history))
    }
}

impl Operator {
    /// Nobody is called about an alert that lasts until then. `reason` is shown with it.
    pub async fn mask(
        &self,
        cluster: &str,
        id: AlertId,
        until: Scn,
        reason: &str,
    ) -> Result<(), Error> {
        self.handle(cluster)?;
        let now = self.inner().now();
        let given = until.to_rfc3339();
        if until <= now {
            let allowed = "use a moment in the future";
            return Err(Error::invalid("Until", &given, allowed));
        }
        if until.since_ns(now) > MASK_DAYS_MAX * NS_PER_DAY {
            let allowed = format!("use a moment within {MASK_DAYS_MAX} days");
            return Err(Error::invalid("Until", &given, allowed));
        }
        let reason = reason.trim();
        if reason.is_empty() || reason.chars().count() > REASON_MAX {
            let allowed = format!("say why, in 1 to {REASON_MAX} characters");
            return Err(Error::invalid("Reason", reason, allowed));
        }
        let detail = format!("until {given}: {reason}");
        self.set_mask((cluster, id), Some(until), &detail).await
    }

    /// The same for so many minutes from now.
    pub async fn mask_for(
        &self,
        cluster: &str,
        id: AlertId,
        minutes: u32,
        reason: &str,
    ) -> Result<(), Error> {
        let ns = u64::from(minutes) * 60 * NS_PER_SECOND;
        let until = self.inner().now().plus_ns(ns);
        self.mask(cluster, id, until, reason).await
    }

    /// Ends the mask of an alert.
    pub async fn unmask(&self, cluster: &str, id: AlertId) -> Result<(), Error> {
        self.set_mask((cluster, id), None, "").await
    }

    async fn set_mask(
        &self,
        (cluster, id): (&str, AlertId),
        until: Option<Scn>,
        detail: &str,
    ) -> Result<(), Error> {
        let inner = self.inner();
        let handle = self.handle(cluster)?;
        inner
            .store
            .change(async |change| {
                let stored = seen_from(handle.id, id, change.alert(id).await?)?;
                match (stored.alert.status, until) {
                    (AlertStatus::Recovered, _) => {
                        return Err(Error::Conflict(format!(
                            "alert {id} is recovered; only one that lasts can be masked or unmasked"
                        )));
                    }
                    (AlertStatus::Active, None) => {
                        return Err(Error::Conflict(format!("alert {id} is not masked")));
                    }
                    _ => {}
                }
                let by = format!("{}: {detail}", self.actor.name);
                change.mask_alert(&stored, until, &by).await?;
                let entry = Entry {
                    operation: match until {
                        Some(_) => "mask alert",
                        None => "unmask alert",
                    },
                    cluster: handle.id,
                    subject: &format!("alert {id}, {}", stored.alert.object),
                    detail,
                };
                entry.write(change, inner, &self.actor).await
            })
            .await
    }
}

fn check(filter: &AlertFilter) -> Result<(), Error> {
    match &filter.text {
        Some(text) if text.chars().count() > TEXT_MAX => {
            let allowed = format!("use at most {TEXT_MAX} characters");
            Err(Error::invalid("Text", text, allowed))
        }
        _ => Ok(()),
    }
}

/// The alert, if it is one of this cluster or of the console itself.
fn seen_from(
    cluster: ClusterId,
    id: AlertId,
    found: Option<StoredAlert>,
) -> Result<StoredAlert, Error> {
    let here = |stored: &StoredAlert| stored.alert.cluster.is_none_or(|of| of == cluster);
    found.filter(here).ok_or_else(|| gone(id))
}

fn gone(id: AlertId) -> Error {
    Error::NotFound {
        what: "alert",
        id: id.to_string(),
    }
}

fn details(stored: StoredAlert, history: Vec<Alert>) -> AlertDetails {
    let owned = |lines: &[&str]| lines.iter().map(|&line| line.to_owned()).collect();
    let rule = RuleId::from_code(&stored.alert.rule);
    let words = rule.map(|rule| text(rule, Language::English));
    AlertDetails {
        recovers_when: rule.map_or_else(String::new, |rule| rule.rule().recovery.words()),
        condition: words.map_or_else(String::new, |words| words.condition.to_owned()),
        impact: words.map_or_else(String::new, |words| words.impact.to_owned()),
        causes: words.map_or_else(Vec::new, |words| owned(words.causes)),
        advice: words.map_or_else(Vec::new, |words| owned(words.advice)),
        value: stored.value,
        threshold: stored.threshold,
        labels: stored.labels,
        ended_because: stored.ended_because,
        masked_by: stored.masked_by,
        alert: stored.alert,
        history,
    }
}
