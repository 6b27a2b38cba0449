//! The plan of the recovery to be: asked of the server when the moment has come to rest.

use crate::api::{self, ApiError};
use crate::live;
use crate::signal::{Memo, RwSignal};
use domain::placement::Placement;
use domain::recovery::{RecoveryPlan, RecoveryRequest};
use domain::{Scn, TenantId};
use leptos::prelude::*;
use leptos::task::spawn_local;

/// How long the moment has to rest before the server is asked, in milliseconds.
const REST_MS: u32 = 350;

/// What is known of the plan.
#[derive(Debug, Clone, PartialEq)]
pub enum Plan {
    /// There is nothing to plan: no tenant, or a moment that cannot be recovered to.
    Nothing,
    /// The server is being asked.
    Asked,
    /// What it would read and reach.
    Made(RecoveryPlan),
    /// Why it cannot be made.
    Refused(ApiError),
}

/// The plan for `wanted`, kept up to date; `new` is a valid name of the new tenant, and where it is placed.
pub fn keep(
    cluster: String,
    wanted: Memo<Option<(TenantId, Scn)>>,
    new: (Memo<String>, Memo<Option<Placement>>),
    again: RwSignal<u32>,
) -> RwSignal<Plan> {
    let plan = RwSignal::new(Plan::Nothing);
    let turn = StoredValue::new(0u64);
    let cluster = StoredValue::new(cluster);
    Effect::new(move |_| {
        again.track();
        let asked = wanted.get();
        let (new_name, placement) = (new.0.get(), new.1.get());
        turn.update_value(|turn| *turn += 1);
        let mine = turn.get_value();
        let Some((tenant, until)) = asked else {
            plan.set(Plan::Nothing);
            return;
        };
        plan.set(Plan::Asked);
        // Only the answer to the last question counts, whichever order answers come in.
        let is_last = move || turn.try_get_value() == Some(mine);
        live::timer::after(REST_MS, move || {
            if !is_last() {
                return;
            }
            let request = RecoveryRequest {
                tenant,
                until,
                new_name,
                place: None,
                placement,
            };
            spawn_local(async move {
                let answer = api::recoveries::plan(cluster.get_value(), request).await;
                if is_last() {
                    plan.set(answer.map_or_else(Plan::Refused, Plan::Made));
                }
            });
        });
    });
    plan
}
