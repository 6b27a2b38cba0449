//! Alerts as pages and commands see them: lists, details, and masks.

use crate::{
    access::{Operator, Viewer, may_in},
    audit::plain,
    error::Error,
};
use domain::{
    AlertId, ClusterId, Scn,
    access::Role,
    alert::{Alert, AlertCounts, AlertDetails, AlertFilter, AlertStatus, Language, RuleId, text},
    page::Page,
    scn::{NS_PER_DAY, NS_PER_SECOND},
};
use store::{Audit, StoredAlert};

/// Longest mask, in days: what is masked for longer is forgotten.
const MASK_DAYS_MAX: u64 = 90;
/// Longest reason for a mask, in characters.
const REASON_MAX: usize = 200;
/// Longest text that is searched for, in characters.
const TEXT_MAX: usize = 200;

impl Viewer {
    /// A page of the alerts of a cluster and of the console itself, or with `None` of everything.
    pub async fn alerts(
        &self,
        cluster: Option<&str>,
        filter: &AlertFilter,
    ) -> Result<Page<Alert>, Error> {
        let inner = &self.console.inner;
        if let Some(text) = &filter.text
            && text.chars().count() > TEXT_MAX
        {
            let allowed = format!("use at most {TEXT_MAX} characters");
            return Err(Error::invalid("Text", text, allowed));
        }
        let id = self.alerts_of(cluster)?;
        Ok(inner.store.alerts(id, filter).await?)
    }

    /// How many of them are active, by level.
    pub async fn alert_counts(&self, cluster: Option<&str>) -> Result<AlertCounts, Error> {
        let inner = &self.console.inner;
        let id = self.alerts_of(cluster)?;
        Ok(inner.store.alert_counts(id).await?)
    }

    /// One alert with its history and what to do.
    pub async fn alert(&self, id: AlertId) -> Result<AlertDetails, Error> {
        let store = &self.console.inner.store;
        let found = store.alert(id).await?;
        let stored = found.filter(|stored| may_in(&self.actor, stored.alert.cluster, Role::Viewer));
        let stored = stored.ok_or_else(|| gone(id))?;
        let history = store.alert_history(&stored).await?;
        Ok(details(stored, history))
    }

    /// The cluster whose alerts are asked for; those of all are for whoever sees all clusters.
    fn alerts_of(&self, cluster: Option<&str>) -> Result<Option<ClusterId>, Error> {
        match cluster {
            Some(name) => Ok(Some(self.handle(name)?.id)),
            None if may_in(&self.actor, None, Role::Viewer) => Ok(None),
            None => Err(Error::Forbidden {
                actor: self.actor.name.clone(),
                needed: Role::Viewer,
            }),
        }
    }
}

impl Operator {
    /// Nobody is called about an alert that lasts until then. `reason` is shown with it.
    pub async fn mask(&self, id: AlertId, until: Scn, reason: &str) -> Result<(), Error> {
        let now = self.inner().now();
        let given = until.to_rfc3339();
        if until <= now {
            return Err(Error::invalid(
                "Until",
                &given,
                "use a moment in the future",
            ));
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
        self.set_mask(id, "mask alert", Some(until), &detail).await
    }

    /// The same for so many minutes from now.
    pub async fn mask_for(&self, id: AlertId, minutes: u32, reason: &str) -> Result<(), Error> {
        let ns = u64::from(minutes) * 60 * NS_PER_SECOND;
        self.mask(id, self.inner().now().plus_ns(ns), reason).await
    }

    /// Ends the mask of an alert.
    pub async fn unmask(&self, id: AlertId) -> Result<(), Error> {
        self.set_mask(id, "unmask alert", None, "").await
    }

    async fn set_mask(
        &self,
        id: AlertId,
        operation: &str,
        until: Option<Scn>,
        detail: &str,
    ) -> Result<(), Error> {
        let inner = self.inner();
        inner
            .store
            .change(async |change| {
                let stored = change.alert(id).await?;
                let seen = |cluster| may_in(&self.actor, cluster, Role::Viewer);
                let stored = stored.filter(|stored| seen(stored.alert.cluster));
                let stored = stored.ok_or_else(|| gone(id))?;
                if !may_in(&self.actor, stored.alert.cluster, Role::Operator) {
                    return Err(Error::Forbidden {
                        actor: self.actor.name.clone(),
                        needed: Role::Operator,
                    });
                }
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
                let subject = format!("alert {id}, {}", stored.alert.object);
                let entry = Audit {
                    cluster: stored.alert.cluster,
                    ..plain(inner, &self.actor, operation, &subject, detail)
                };
                change.audit(&entry).await?;
                Ok(())
            })
            .await
    }
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
