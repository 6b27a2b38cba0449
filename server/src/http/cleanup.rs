//! The commands' side of cleanups: what one would do, and doing it.

use super::{
    cleanup_shape::{CleanupOrder, Cleanups, PlannedCleanup},
    commands::{Answer, actor},
    shape,
};
use axum::{
    Json,
    extract::{Path, State},
};
use control::Console;
use domain::{TenantId, second_backup::Place, tenant::Tenant};

/// Tells what a cleanup does, and begins it unless that was only asked.
pub(super) async fn clean_up(
    State(console): State<Console>,
    Path(cluster): Path<String>,
    Json(order): Json<CleanupOrder>,
) -> Answer<Cleanups> {
    let viewer = console.viewer(&actor())?;
    let tenants = viewer.tenants(&cluster).await?;
    let one = match &order.tenant {
        Some(name) => Some(shape::tenant_id(&tenants, &cluster, name)?),
        None => None,
    };
    let place = match order.second {
        true => Place::Second,
        false => Place::First,
    };
    let mut answer = Cleanups {
        plans: Vec::new(),
        tasks: Vec::new(),
        skipped: Vec::new(),
    };
    for tenant in chosen(&tenants, one) {
        let plan = viewer.plan_cleanup(&cluster, tenant.id, order.keep_days, place);
        answer
            .plans
            .push(PlannedCleanup::new(&tenant.name, &plan.await?));
    }
    if !order.dry_run {
        let admin = console.admin(&actor())?;
        let begun = admin.clean_up_now(&cluster, one, order.keep_days, place);
        let begun = begun.await?;
        answer.tasks = begun.tasks.into_iter().map(|task| task.0).collect();
        answer.skipped = begun.skipped;
    }
    Ok(Json(answer))
}

fn chosen(tenants: &[Tenant], one: Option<TenantId>) -> impl Iterator<Item = &Tenant> {
    tenants
        .iter()
        .filter(move |tenant| one.is_none_or(|one| tenant.id == one))
}
