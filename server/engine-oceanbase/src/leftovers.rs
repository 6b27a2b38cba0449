//! What a recovery that failed or was canceled left in the cluster, and how it is removed: looked at before each step.

use crate::{
    backup::mark,
    engine::OceanBaseEngine,
    failure::Call,
    placement::{Placed, named, pool_names},
    resources::Ground,
    restore::Sent,
    statement::Statement,
    views::View,
};
use ::engine::{EngineError, EngineErrorKind, RecoverySpec};
use domain::recovery::{PlannedStep, StepKind};

/// A statement and what it is for.
pub(crate) type Step = (StepKind, Statement);

/// A step as it is shown.
pub(crate) fn shown((what, order): &Step) -> PlannedStep {
    PlannedStep {
        what: *what,
        statement: order.shown(),
    }
}

impl OceanBaseEngine {
    /// What would be removed.
    pub(crate) async fn left(&self, spec: &RecoverySpec) -> Result<Vec<Step>, EngineError> {
        let call = self.call("clean-up", &spec.new_name);
        if self.sent(&spec.token) == Some(Sent::Waiting) {
            return Err(call.rejected("the recovery is being sent; wait until it has ended"));
        }
        let into_it = call.is("RESTORE_TENANT_NAME", &spec.new_name)?;
        let running = self
            .rows(call, View::Restores, &format!("WHERE {into_it}"))
            .await?;
        if running.first().is_some() {
            return Err(call.rejected(
                "a recovery into this tenant runs; wait until it has ended, or cancel it",
            ));
        }
        let own = self.failed_tenant(call, spec).await?;
        let mut steps = self.tenant_left(call, spec, own.as_deref()).await?;
        let ground = self.ground(call, &spec.tenant).await?;
        steps.extend(resources_left(spec, &ground, own.as_deref()));
        Ok(steps)
    }

    /// The id of the tenant that this order made and did not complete; `None` where it made none.
    async fn failed_tenant(
        &self,
        call: Call<'_>,
        spec: &RecoverySpec,
    ) -> Result<Option<String>, EngineError> {
        if !self
            .columns
            .has_column(View::RestoreHistory, "RESTORE_TENANT_ID")
        {
            return Ok(None);
        }
        let of_it = call.is("DESCRIPTION", &mark(&spec.token))?;
        let of_driver = format!("WHERE TENANT_ID = 1 AND {of_it}");
        let history = self.rows(call, View::RestoreHistory, &of_driver).await?;
        let failed = history
            .iter()
            .find(|row| row.text("STATUS") != Some("SUCCESS"));
        Ok(failed.map(|row| row.text_or_empty("RESTORE_TENANT_ID")))
    }

    /// The half-made tenant: the one with that id, and only while it cannot be used.
    async fn tenant_left(
        &self,
        call: Call<'_>,
        spec: &RecoverySpec,
        own: Option<&str>,
    ) -> Result<Vec<Step>, EngineError> {
        let of_name = format!("WHERE {}", call.is("TENANT_NAME", &spec.new_name)?);
        let tenants = self.rows(call, View::Tenants, &of_name).await?;
        let is_left = tenants.first().is_some_and(|row| {
            let is_own = own.is_some() && row.text("TENANT_ID") == own;
            is_own && !matches!(row.text("STATUS"), Some("NORMAL" | "DROPPING"))
        });
        let order = || Statement::DropTenant {
            name: spec.new_name.clone(),
        };
        Ok(is_left
            .then(|| (StepKind::DropTenant, order()))
            .into_iter()
            .collect())
    }

    /// Removes what is left, each step only while it is still that.
    pub(crate) async fn remove_left(
        &self,
        spec: &RecoverySpec,
    ) -> Result<Vec<PlannedStep>, EngineError> {
        let call = self.call("clean-up", &spec.new_name);
        let mut done = Vec::new();
        for step in self.left(spec).await? {
            if !self.left(spec).await?.contains(&step) {
                continue;
            }
            self.must(call, &step.1).await?;
            done.push(shown(&step));
        }
        match self.left(spec).await?.first() {
            None => Ok(done),
            // Dropping a tenant may go on for a while after its statement.
            Some((_, order)) => {
                let why = format!("not all is gone yet; clean up again for: {}", order.shown());
                Err(call.error(EngineErrorKind::Unreachable, why))
            }
        }
    }
}

/// Pools of the order that no other tenant has, and unit specifications made for them that no other pool has.
fn resources_left(spec: &RecoverySpec, ground: &Ground, own: Option<&str>) -> Vec<Step> {
    let (prefix, suffix) = pool_names(spec);
    let is_named = |name: &str| name.starts_with(&prefix) && name.ends_with(&suffix);
    let mut pools: Vec<String> = Vec::new();
    for row in ground.pools.iter() {
        let name = row.text_or_empty("NAME");
        let holder = row.text("TENANT_ID");
        if is_named(&name) && (holder.is_none() || holder == own) {
            pools.push(name);
        }
    }
    let mut units: Vec<String> = Vec::new();
    if let Some(placement) = &spec.placement {
        for unit in Placed::of(spec, placement).units {
            let is_it = named(&ground.configs, &unit.name)
                .is_some_and(|row| unit.is_like(row).unwrap_or(false));
            let mut users = ground.pools_of(&unit.name);
            if is_it && users.all(|pool| pools.contains(&pool.text_or_empty("NAME"))) {
                units.push(unit.name);
            }
        }
    }
    let drop_pool = |name| (StepKind::DropPool, Statement::DropPool { name });
    let drop_unit = |name| (StepKind::DropUnit, Statement::DropUnit { name });
    let pools = pools.into_iter().map(drop_pool);
    pools.chain(units.into_iter().map(drop_unit)).collect()
}
