//! Sending a cluster what its strategy says of settings that it keeps by itself.

use super::submit::none;
use crate::{
    access::Admin,
    audit::{Asked, Ending, Entry},
    error::Error,
    handle::{ClusterHandle, answer_within},
    reports::known,
    tasks::{observe, wanted},
};
use domain::Scn;
use engine::Applied;
use std::time::Duration;
use store::Change;

/// What the audit calls it.
const APPLY: &str = "apply backup strategy";
/// What it calls what was set by it.
const SETTINGS: &str = "settings of the cluster";
/// How long a cluster may take for all of its tenants.
const APPLY_MAX: Duration = Duration::from_secs(300);
/// Most settings that a note or the audit names one by one.
const NAMED_MAX: usize = 20;

impl Admin {
    /// Sends a cluster what it lacks of its strategy's settings. The answer tells what could not be set, and why.
    pub async fn apply_strategy(&self, cluster: &str) -> Result<Vec<String>, Error> {
        let inner = &self.console.inner;
        let handle = self.handle(cluster)?;
        let able = known(inner, &handle).await?.cluster.capabilities;
        if !able.keeps_settings {
            return Err(Error::Conflict(format!(
                "cluster {cluster} keeps no settings of its own; there is nothing to send"
            )));
        }
        if inner.store.strategy(handle.id).await?.is_none() {
            return Err(none(cluster));
        }
        let notes = self.send_settings(&handle).await?;
        observe::look(inner, &handle).await?;
        Ok(notes)
    }

    /// The same right after the strategy was saved, which it is whatever becomes of this.
    pub(super) async fn send_after_saving(&self, handle: &ClusterHandle) -> Vec<String> {
        let inner = &self.console.inner;
        match self.send_settings(handle).await {
            Ok(notes) => {
                // The page that comes next shows what is now; a look that fails is tried again and told there.
                observe::look(inner, handle).await.ok();
                notes
            }
            Err(error) => vec![format!(
                "The settings could not be sent to the cluster: {error}. Apply them again on the page of the \
                 strategy."
            )],
        }
    }

    async fn send_settings(&self, handle: &ClusterHandle) -> Result<Vec<String>, Error> {
        let inner = &self.console.inner;
        let engine = handle.engine()?;
        handle.wanted.from(Scn::ZERO);
        wanted::keep_up(inner, handle).await;
        if let Some(fault) = handle.wanted.fault() {
            return Err(Error::Unavailable(fault));
        }
        let entry = Entry {
            operation: APPLY,
            cluster: handle.id,
            subject: &handle.name,
            detail: "",
        };
        let asked = Asked::begin(inner, &self.actor, &entry).await?;
        let apply = async {
            let apply = engine.apply_wanted();
            Ok(answer_within(APPLY_MAX, APPLY, &handle.name, apply).await?)
        };
        let applied = asked.end(apply, Ending::Told).await?;
        self.record(handle, &applied).await?;
        Ok(notes(&applied))
    }

    async fn record(&self, handle: &ClusterHandle, applied: &[Applied]) -> Result<(), Error> {
        if applied.is_empty() {
            return Ok(());
        }
        let inner = &self.console.inner;
        let detail = detail(applied);
        let entry = Entry {
            operation: SETTINGS,
            cluster: handle.id,
            subject: &handle.name,
            detail: &detail,
        };
        let write = async |change: &Change| entry.write(change, inner, &self.actor).await;
        inner.store.change(write).await
    }
}

/// What was set, for the audit.
fn detail(applied: &[Applied]) -> String {
    let one = |one: &Applied| {
        let (tenant, what) = (&one.tenant, one.what.label());
        let value = match one.value.as_str() {
            "" => "none",
            value => value,
        };
        match &one.failure {
            None => format!("{tenant}: {what} = {value}"),
            Some(why) => format!("{tenant}: {what} was not set: {why}"),
        }
    };
    let mut texts: Vec<String> = applied.iter().take(NAMED_MAX).map(one).collect();
    let more = applied.len().saturating_sub(NAMED_MAX);
    if more > 0 {
        texts.push(format!("and {more} more"));
    }
    texts.join("; ")
}

/// What a person should know of it.
fn notes(applied: &[Applied]) -> Vec<String> {
    let (failed, set): (Vec<_>, Vec<_>) = applied.iter().partition(|one| one.failure.is_some());
    let mut notes = Vec::new();
    match set.len() {
        0 if failed.is_empty() => {
            notes.push("The cluster has every setting of the strategy already.".to_owned());
        }
        0 => {}
        1 => notes.push("1 setting was made in the cluster.".to_owned()),
        number => notes.push(format!("{number} settings were made in the cluster.")),
    }
    let told = failed.iter().take(NAMED_MAX).map(|one| {
        let (what, tenant) = (one.what.label(), &one.tenant);
        let why = one.failure.as_deref().unwrap_or_default();
        format!("{what} of tenant {tenant} was not set: {why}")
    });
    notes.extend(told);
    let more = failed.len().saturating_sub(NAMED_MAX);
    if more > 0 {
        notes.push(format!("{more} more settings were not made."));
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::strategy::Setting;

    fn applied(number: usize, failure: Option<&str>) -> Applied {
        Applied {
            tenant: format!("t{number}"),
            what: Setting::DeletePolicy,
            value: String::new(),
            failure: failure.map(str::to_owned),
        }
    }

    #[test]
    fn what_was_not_set_is_told_one_by_one_up_to_a_limit() {
        let mut all: Vec<Applied> = (0..25).map(|number| applied(number, Some("no"))).collect();
        all.push(applied(25, None));
        let notes = notes(&all);
        assert_eq!(notes.len(), 1 + NAMED_MAX + 1);
        assert_eq!(notes[0], "1 setting was made in the cluster.");
        assert_eq!(notes[1], "Delete policy of tenant t0 was not set: no");
        assert_eq!(notes[21], "5 more settings were not made.");
        assert!(detail(&all).ends_with("and 6 more"));
        assert_eq!(detail(&all[25..]), "t25: Delete policy = none");
        assert_eq!(super::notes(&[]).len(), 1);
    }
}
