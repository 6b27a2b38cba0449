//! What findings make of the alerts that are known: one row per continuing fault.
//!
//! `generated` never changes, `last_generated` moves while the fault is seen, and a row ends by evidence only:
//! what is not known ends nothing but an event, which has no opposite that could be seen.

use super::{
    Level,
    evaluate::{Finding, Hit, Verdict},
    rule::{Recovery, RuleId},
};
use crate::{AlertId, ClusterId, Scn};
use std::collections::BTreeMap;

/// An alert that matters for what comes next: one that continues, or a recovered one that is still masked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    /// Number.
    pub id: AlertId,
    /// The cluster; absent for the console itself.
    pub cluster: Option<ClusterId>,
    /// The rule.
    pub rule: RuleId,
    /// What tells the object from others of the cluster.
    pub key: String,
    /// How grave it was when it was seen last.
    pub level: Level,
    /// When it was seen last.
    pub last_generated: Scn,
    /// Since when it was seen to be over, or not seen, without a break.
    pub clear_since: Option<Scn>,
    /// Until when nobody is called about it.
    pub masked_until: Option<Scn>,
    /// Whether it is recovered.
    pub recovered: bool,
}

/// A change of the alerts. None is made where nothing changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AlertChange {
    /// A fault that was not there before: a new row.
    Raise {
        /// The rule.
        rule: RuleId,
        /// The cluster; absent for the console itself.
        cluster: Option<ClusterId>,
        /// What tells the object from others of the cluster.
        key: String,
        /// The object as people see it.
        object: String,
        /// How grave.
        level: Level,
        /// The facts.
        hit: Box<Hit>,
        /// It came back while its mask lasts.
        masked_until: Option<Scn>,
    },
    /// The fault continues.
    Again {
        /// Which row.
        id: AlertId,
        /// When it was seen.
        at: Scn,
        /// The object as people see it now.
        object: String,
        /// How grave now.
        level: Level,
        /// Whether that is graver than before.
        worsened: bool,
        /// The facts.
        hit: Box<Hit>,
    },
    /// The evidence that it is over began, or was interrupted.
    Clearing {
        /// Which row.
        id: AlertId,
        /// Since when.
        since: Option<Scn>,
    },
    /// It is over.
    Recover {
        /// Which row.
        id: AlertId,
        /// When that was proven.
        at: Scn,
        /// Why.
        because: String,
        /// Whether somebody is told: an event simply passes.
        told: bool,
    },
    /// Its mask has ended while the fault continues.
    MaskEnded {
        /// Which row.
        id: AlertId,
    },
}

/// What has to change in the alerts that are `known` after an evaluation.
///
/// An object that no finding speaks of counts as unknown.
pub fn fold(known: &[Open], findings: &[Finding], now: Scn) -> Vec<AlertChange> {
    let mut found: BTreeMap<Key<'_>, &Finding> = BTreeMap::new();
    for finding in findings {
        let key = (finding.cluster, finding.rule, finding.key.as_str());
        let kept = found.entry(key).or_insert(finding);
        if matches!(finding.verdict, Verdict::Hit(_)) {
            *kept = finding;
        }
    }
    let mut changes = Vec::new();
    let mut masks: BTreeMap<Key<'_>, Scn> = BTreeMap::new();
    for alert in known {
        let key = (alert.cluster, alert.rule, alert.key.as_str());
        if alert.recovered {
            if let Some(until) = alert.masked_until.filter(|until| *until > now) {
                let kept = masks.entry(key).or_insert(until);
                *kept = until.max(*kept);
            }
            continue;
        }
        // What is left in the map has no row.
        let finding = found.remove(&key);
        continuing(alert, finding, now, &mut changes);
    }
    for (key, finding) in found {
        if let Verdict::Hit(hit) = &finding.verdict {
            changes.push(AlertChange::Raise {
                rule: finding.rule,
                cluster: finding.cluster,
                key: finding.key.clone(),
                object: finding.object.clone(),
                level: hit.level.unwrap_or(finding.rule.rule().level),
                hit: hit.clone(),
                masked_until: masks.get(&key).copied(),
            });
        }
    }
    changes
}

type Key<'a> = (Option<ClusterId>, RuleId, &'a str);

fn continuing(alert: &Open, finding: Option<&Finding>, now: Scn, changes: &mut Vec<AlertChange>) {
    let recovery = alert.rule.rule().recovery;
    let unknown = Verdict::Unknown;
    let verdict = finding.map_or(&unknown, |finding| &finding.verdict);
    let recovered = |because: String| AlertChange::Recover {
        id: alert.id,
        at: now,
        because,
        told: !matches!(recovery, Recovery::Quiet(_)),
    };
    let over = match (verdict, recovery, finding) {
        (Verdict::Hit(hit), _, Some(finding)) => {
            let level = hit.level.unwrap_or(alert.rule.rule().level);
            changes.push(AlertChange::Again {
                id: alert.id,
                // A clock that was set back does not move it back.
                at: alert.last_generated.max(now),
                object: finding.object.clone(),
                level,
                worsened: level < alert.level,
                hit: hit.clone(),
            });
            None
        }
        (Verdict::Moot(why), ..) => Some(recovered(format!(
            "It does not matter any more, because {why}."
        ))),
        (Verdict::Clear, Recovery::Opposite, _) => {
            Some(recovered("The opposite was seen.".to_owned()))
        }
        (Verdict::Clear, Recovery::Below(ns), _) => {
            let seen = "Good values were seen without a break for the time it takes.";
            clearing(alert, ns, now, changes).then(|| recovered(seen.to_owned()))
        }
        (_, Recovery::Quiet(ns), _) => {
            let seen = "It did not happen again for the time it takes.";
            clearing(alert, ns, now, changes).then(|| recovered(seen.to_owned()))
        }
        _ => {
            if alert.clear_since.is_some() {
                changes.push(AlertChange::Clearing {
                    id: alert.id,
                    since: None,
                });
            }
            None
        }
    };
    match over {
        Some(over) => changes.push(over),
        None if alert.masked_until.is_some_and(|until| until <= now) => {
            changes.push(AlertChange::MaskEnded { id: alert.id });
        }
        None => {}
    }
}

/// Whether the evidence has lasted long enough; notes when it begins.
fn clearing(alert: &Open, ns: u64, now: Scn, changes: &mut Vec<AlertChange>) -> bool {
    match alert.clear_since {
        // A beginning in the future means that the clock was set back since.
        Some(since) if since <= now => now.since_ns(since) >= ns,
        _ => {
            changes.push(AlertChange::Clearing {
                id: alert.id,
                since: Some(now),
            });
            false
        }
    }
}
