//! What a strategy wants of each tenant: where its log and data go, that its log is archived, and how long backups are
//! kept. What differs is told with every look, and set when somebody asks for that.

use crate::{
    address::{Address, is_below},
    engine::OceanBaseEngine,
    failure::Call,
    observe::TenantFacts,
    session::SqlFailure,
    statement::{Statement, masked},
};
use ::engine::{Applied, EngineError, WantedSettings};
use domain::strategy::{Drift, Setting};

/// What the audit and errors call it.
const OPERATION: &str = "setting of the strategy";
/// Seconds of a day.
const S_PER_DAY: u64 = 86_400;

/// One setting of a tenant that is not what is wanted, and what would set it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Step {
    setting: Setting,
    /// Without keys.
    wanted: String,
    /// Without keys.
    found: String,
    /// Why it cannot be set as things are.
    blocked: Option<String>,
    orders: Vec<Statement>,
}

impl OceanBaseEngine {
    /// Remembers what the strategy says.
    pub(crate) fn remember(&self, settings: Option<WantedSettings>) {
        *self
            .wanted
            .lock()
            .expect("invariant: nothing panics while it holds what is wanted") = settings;
    }

    fn wanted(&self) -> Option<WantedSettings> {
        let wanted = self.wanted.lock();
        wanted
            .expect("invariant: nothing panics while it holds what is wanted")
            .clone()
    }

    /// An address with what opens it; `None` where only somebody else knows that. The cluster tells keys in a form of its
    /// own, which it does not take back.
    pub(crate) fn opened(&self, uri: &str) -> Option<String> {
        let address = Address::read(uri).filter(Address::is_object);
        let Some(address) = address else {
            return (!uri.contains('?')).then(|| uri.to_owned());
        };
        let wanted = self.wanted()?;
        let base = Address::read(&wanted.destination)?;
        address
            .is_below(&base)
            .then(|| address.with_parameters_of(&base))
    }

    /// Where a tenant is not what is wanted.
    pub(crate) fn drift(&self, facts: &TenantFacts) -> Vec<Drift> {
        let Some(wanted) = self.wanted() else {
            return Vec::new();
        };
        let steps = steps(facts, &wanted, self.number().unwrap_or_default());
        let drift = |step: Step| Drift {
            tenant: facts.name.clone(),
            setting: step.setting,
            wanted: step.wanted,
            found: step.found,
            blocked: step.blocked,
        };
        steps.into_iter().map(drift).collect()
    }

    /// The cluster's number, which tells its backups from those of others at the same destination.
    fn number(&self) -> Option<&str> {
        let number = self.identity.as_deref()?.rsplit(':').next();
        number.filter(|number| !number.is_empty())
    }

    /// Sets what differs, tenant by tenant. `Unreachable` when the cluster is lost on the way; what was set by then
    /// stays, and is not set again.
    pub(crate) async fn apply(&self) -> Result<Vec<Applied>, EngineError> {
        let call = self.call(OPERATION, &self.name);
        let Some(wanted) = self.wanted() else {
            return Ok(Vec::new());
        };
        let number = self.number().ok_or_else(|| {
            call.rejected(
                "the cluster does not tell its number (SHOW PARAMETERS LIKE 'cluster_id')",
            )
        })?;
        let _turn = self.applying.lock().await;
        let mut done = Vec::new();
        for facts in self.tenants(call).await?.values() {
            let mut log_is_set = true;
            for step in steps(facts, &wanted, number) {
                let failure = match step.setting {
                    Setting::LogMode if !log_is_set => {
                        Some("log is not archived before its destination is set".to_owned())
                    }
                    _ => self.set(facts.id, &step, &wanted, number).await?,
                };
                log_is_set &= step.setting != Setting::LogDestination || failure.is_none();
                done.push(Applied {
                    tenant: facts.name.clone(),
                    what: step.setting,
                    value: step.wanted,
                    failure,
                });
            }
        }
        if done.iter().any(|one| one.failure.is_none()) {
            self.look_again(call, &wanted, number, &mut done).await?;
        }
        Ok(done)
    }

    /// Sets one thing of a tenant; the answer is why it was not.
    async fn set(
        &self,
        tenant: i64,
        step: &Step,
        wanted: &WantedSettings,
        number: &str,
    ) -> Result<Option<String>, EngineError> {
        let call = self.call(OPERATION, &self.name);
        if step.blocked.is_some() {
            return Ok(step.blocked.clone());
        }
        for order in &step.orders {
            match self.send(call, order).await {
                Err(error) => return Ok(Some(error.message)),
                Ok(Ok(())) => {}
                Ok(Err(failure)) if failure.is_open() => {
                    // It may have been carried out: the cluster says whether.
                    let tenants = self.tenants(call).await?;
                    let left = tenants.get(&tenant).map(|it| steps(it, wanted, number));
                    let is_left = |it: &Step| it.setting == step.setting;
                    let is_set = left.is_some_and(|left| !left.iter().any(is_left));
                    return Ok((!is_set).then(|| format!("{failure}; apply it again")));
                }
                Ok(Err(failure @ SqlFailure::NotConnected(_))) => return Err(call.failed(&failure)),
                Ok(Err(failure)) => return Ok(Some(refused(call, &failure))),
            }
        }
        Ok(None)
    }

    /// From the tenant `sys`, what one tenant has against a statement is not told: the cluster has to show it.
    async fn look_again(
        &self,
        call: Call<'_>,
        wanted: &WantedSettings,
        number: &str,
        done: &mut [Applied],
    ) -> Result<(), EngineError> {
        for facts in self.tenants(call).await?.values() {
            for left in steps(facts, wanted, number) {
                let same = |it: &&mut Applied| it.tenant == facts.name && it.what == left.setting;
                let said = done.iter_mut().filter(same);
                for one in said.filter(|one| one.failure.is_none()) {
                    let why = "the cluster took it and does not show it; look at the tenant, then \
                               apply it again";
                    one.failure = Some(why.to_owned());
                }
            }
        }
        Ok(())
    }
}

/// A refusal in words for whoever asked for it: nothing is tried again by itself here.
fn refused(call: Call<'_>, failure: &SqlFailure) -> String {
    match failure.is_code(9036) {
        true => format!("{failure}; wait for the end of the data backup, then apply it again"),
        false => call.failed(failure).message,
    }
}

/// What of a tenant is not what is wanted, in the order in which it has to be set.
fn steps(facts: &TenantFacts, wanted: &WantedSettings, number: &str) -> Vec<Step> {
    // A standby follows another tenant, and one that is being recovered takes nothing.
    let is_primary = matches!(facts.role.as_str(), "" | "PRIMARY");
    let Some(base) = Address::read(&wanted.destination) else {
        return Vec::new();
    };
    if facts.status != "NORMAL" || !is_primary {
        return Vec::new();
    }
    let place = |what: &str| base.below(&format!("{number}/{}/{what}", facts.id));
    let lies_there = |uri: &str| is_below(uri, &wanted.destination);
    let mut steps = Vec::new();
    if !lies_there(&facts.log_destination) {
        steps.push(log_destination(facts, place("clog"), wanted.piece_days));
    }
    if !facts.archives() {
        steps.push(Step {
            setting: Setting::LogMode,
            wanted: "ARCHIVELOG".to_owned(),
            found: "NOARCHIVELOG".to_owned(),
            blocked: None,
            orders: vec![Statement::StartArchive {
                tenant: facts.name.clone(),
            }],
        });
    }
    if !lies_there(&facts.data_destination) {
        let uri = place("data");
        steps.push(Step {
            setting: Setting::DataDestination,
            wanted: masked(&uri),
            found: masked(&facts.data_destination),
            blocked: None,
            orders: vec![Statement::DataDestination {
                tenant: facts.name.clone(),
                uri,
            }],
        });
    }
    steps.extend(policy(facts, wanted.retention_days));
    steps
}

fn log_destination(facts: &TenantFacts, uri: String, piece_days: u8) -> Step {
    let stop = || {
        format!(
            "A round of log is not stopped, and its destination cannot change before. Stop log backup of \
             {}, then apply again; a gap begins.",
            facts.name
        )
    };
    Step {
        setting: Setting::LogDestination,
        wanted: masked(&uri),
        found: masked(&facts.log_destination),
        blocked: facts.has_open_round().then(stop),
        orders: vec![Statement::LogDestination {
            tenant: facts.name.clone(),
            uri,
            piece_days,
        }],
    }
}

/// Adding a policy beside another one is refused, so the old one goes first.
fn policy(facts: &TenantFacts, wanted_days: Option<u32>) -> Option<Step> {
    let wanted_s = wanted_days.map(|days| u64::from(days) * S_PER_DAY);
    let found_s = window_s(&facts.policy);
    let is_there = !facts.policy.is_empty();
    let agrees = match wanted_s {
        Some(_) => found_s == wanted_s,
        None => !is_there,
    };
    if agrees {
        return None;
    }
    let tenant = || facts.name.clone();
    let drop = is_there.then(|| Statement::DropPolicy { tenant: tenant() });
    let add = wanted_days.map(|window_days| Statement::AddPolicy {
        tenant: tenant(),
        window_days,
    });
    Some(Step {
        setting: Setting::DeletePolicy,
        wanted: wanted_days.map_or_else(String::new, |days| format!("{days}d")),
        found: facts.policy.clone(),
        blocked: None,
        orders: drop.into_iter().chain(add).collect(),
    })
}

/// Seconds of a window such as `7d`, `168h` or `10080m`; `None` for what is no such text.
fn window_s(text: &str) -> Option<u64> {
    let text = text.trim();
    let split = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(split);
    let unit_s = match unit.to_ascii_lowercase().as_str() {
        "d" => S_PER_DAY,
        "h" => 3600,
        "m" => 60,
        "s" => 1,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(unit_s)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(days: Option<u32>) -> WantedSettings {
        WantedSettings {
            destination: "file:///bk".to_owned(),
            piece_days: 1,
            retention_days: days,
        }
    }

    fn tenant() -> TenantFacts {
        TenantFacts::bare(1002, "t1")
    }

    #[test]
    fn a_bare_tenant_lacks_everything_in_the_order_it_is_set() {
        let steps = steps(&tenant(), &wanted(Some(7)), "3");
        let settings: Vec<Setting> = steps.iter().map(|step| step.setting).collect();
        assert_eq!(settings, Setting::ALL);
        assert_eq!(steps[0].wanted, "file:///bk/3/1002/clog");
        assert_eq!(steps[2].wanted, "file:///bk/3/1002/data");
        assert_eq!(steps[3].orders.len(), 1, "there is none to drop");
    }

    #[test]
    fn what_is_being_made_or_follows_another_tenant_is_left_alone() {
        for (status, role) in [("RESTORE", "RESTORE"), ("NORMAL", "STANDBY")] {
            let mut tenant = tenant();
            tenant.status = status.to_owned();
            tenant.role = role.to_owned();
            assert!(steps(&tenant, &wanted(Some(7)), "1").is_empty(), "{role}");
        }
    }

    #[test]
    fn windows_are_compared_as_times_and_not_as_texts() {
        let mut tenant = tenant();
        tenant.policy = "168h".to_owned();
        assert_eq!(policy(&tenant, Some(7)), None);
        let other = policy(&tenant, Some(8)).unwrap();
        assert_eq!((other.orders.len(), &*other.wanted), (2, "8d"));
        let none = policy(&tenant, None).unwrap();
        assert_eq!((none.orders.len(), &*none.wanted), (1, ""));
        tenant.policy = "for ever".to_owned();
        assert!(policy(&tenant, Some(7)).is_some());
        tenant.policy = String::new();
        assert_eq!(policy(&tenant, None), None);
    }
}
