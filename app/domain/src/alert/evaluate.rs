//! What the rules find in the facts: for each rule and each object it looks at, one finding.

use super::{
    Level,
    rule::{Applies, Look, Rule, RuleId},
    state::{ClusterFacts, State},
};
use crate::{ClusterId, Scn, scn::NS_PER_SECOND};

/// A look at a cluster that is older says nothing about now.
pub(super) const FRESH_NS: u64 = 180 * NS_PER_SECOND;

/// What a condition says about an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The fault is there.
    Hit(Box<Hit>),
    /// The opposite was seen.
    Clear,
    /// The question does not arise any more; why, as the end of a sentence that begins with "because".
    Moot(String),
    /// Nothing is known.
    Unknown,
}

/// A fault that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// How grave, where that depends on the value; else the rule's level.
    pub level: Option<Level>,
    /// What is wrong, in a sentence.
    pub summary: String,
    /// What was measured.
    pub value: Option<String>,
    /// What it was measured against.
    pub threshold: Option<String>,
    /// More facts: name and value.
    pub labels: Vec<(String, String)>,
}

impl Hit {
    /// A fault without more facts.
    pub(super) fn new(summary: String) -> Hit {
        Hit {
            level: None,
            summary,
            value: None,
            threshold: None,
            labels: Vec::new(),
        }
    }

    /// What was measured, and against what.
    pub(super) fn measured(mut self, value: String, threshold: String) -> Hit {
        self.value = Some(value);
        self.threshold = Some(threshold);
        self
    }

    /// One more fact.
    pub(super) fn with(mut self, name: &str, value: impl Into<String>) -> Hit {
        self.labels.push((name.to_owned(), value.into()));
        self
    }
}

impl From<Hit> for Verdict {
    fn from(hit: Hit) -> Self {
        Verdict::Hit(Box::new(hit))
    }
}

/// What a rule says about an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule.
    pub rule: RuleId,
    /// The cluster; absent for the console itself.
    pub cluster: Option<ClusterId>,
    /// What tells the object from others of the cluster; survives a change of its name.
    pub key: String,
    /// The object as people see it.
    pub object: String,
    /// What is true of it.
    pub verdict: Verdict,
}

/// What every rule finds, once for each object it looks at.
pub fn evaluate(rules: &[Rule], state: &State, now: Scn) -> Vec<Finding> {
    let mut findings = Vec::new();
    for rule in rules {
        match rule.look {
            Look::Console(condition) => findings.push(Finding {
                rule: rule.id,
                cluster: None,
                key: "console".to_owned(),
                object: "console".to_owned(),
                verdict: condition(&state.console, now),
            }),
            Look::Channel(condition) => {
                let channels = state.console.channels.iter();
                findings.extend(channels.map(|channel| Finding {
                    rule: rule.id,
                    cluster: None,
                    key: format!("channel={}", channel.id),
                    object: format!("channel={}", channel.name),
                    verdict: condition(channel, now),
                }));
            }
            Look::Cluster(_) | Look::Tenant(_) | Look::Storage(_) => {
                for cluster in &state.clusters {
                    of_cluster(rule, cluster, now, &mut findings);
                }
            }
        }
    }
    findings
}

/// Whether the last look at a cluster is young enough to say something about now.
pub(super) fn is_fresh(cluster: &ClusterFacts, now: Scn) -> bool {
    let age = cluster.observed.map(|at| now.since_ns(at));
    cluster.fault.is_none() && age.is_some_and(|age| age <= FRESH_NS)
}

fn of_cluster(rule: &Rule, cluster: &ClusterFacts, now: Scn, findings: &mut Vec<Finding>) {
    let given = match (rule.applies)(&cluster.capabilities) {
        Applies::No(why) => Some(Verdict::Moot(why.to_owned())),
        Applies::Yes if rule.observed && !is_fresh(cluster, now) => Some(Verdict::Unknown),
        Applies::Yes => None,
    };
    let name = &cluster.name;
    let mut add = |key: String, object: String, condition: &dyn Fn() -> Verdict| {
        findings.push(Finding {
            rule: rule.id,
            cluster: Some(cluster.id),
            key,
            object,
            verdict: given.clone().unwrap_or_else(condition),
        });
    };
    match rule.look {
        Look::Cluster(condition) => {
            let object = format!("cluster={name}");
            add("cluster".to_owned(), object, &|| condition(cluster, now));
        }
        Look::Tenant(condition) => {
            for tenant in &cluster.tenants {
                let key = format!("tenant={}", tenant.id);
                let object = format!("cluster={name}:tenant={}", tenant.name);
                add(key, object, &|| condition(cluster, tenant, now));
            }
        }
        Look::Storage(condition) => {
            for storage in cluster.storages.iter().flatten() {
                let key = format!("storage={}", storage.place.code());
                let object = format!("cluster={name}:storage={}", storage.location);
                add(key, object, &|| condition(cluster, storage, now));
            }
        }
        Look::Channel(_) | Look::Console(_) => {}
    }
}
