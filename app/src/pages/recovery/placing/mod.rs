//! Where the new tenant is placed: what the cluster has, what is typed, and what is wrong with it.

pub mod draft;
pub mod order;
pub mod section;
pub mod zone;

use crate::api::{self, ApiError};
use crate::signal::RwSignal;
use domain::TenantId;
use domain::placement::{Placement, Resources, violations};
use domain::validate::Violation;
use draft::Draft;
use leptos::prelude::*;
use leptos::task::spawn_local;

/// What is known of the cluster's resources.
#[derive(Debug, Clone, PartialEq)]
pub enum Known {
    /// They are being asked for.
    Asked,
    /// What there is.
    Read(Resources),
    /// Why they cannot be told.
    Failed(ApiError),
}

/// The placement in the form.
#[derive(Clone, Copy)]
pub struct Placing {
    /// Whether the cluster lets people place tenants.
    able: bool,
    known: RwSignal<Known>,
    draft: RwSignal<Draft>,
    /// What the server said of it.
    refused: RwSignal<Vec<Violation>>,
}

impl Placing {
    /// Asks what there is for tenants recovered from `tenant`, and again whenever that or `again` changes.
    pub fn start(
        cluster: String,
        able: bool,
        tenant: RwSignal<Option<TenantId>>,
        again: RwSignal<u32>,
    ) -> Placing {
        let placing = Placing {
            able,
            known: RwSignal::new(Known::Asked),
            draft: RwSignal::new(Draft::default()),
            refused: RwSignal::new(Vec::new()),
        };
        let cluster = StoredValue::new(cluster);
        let turn = StoredValue::new(0u64);
        Effect::new(move |before: Option<Option<TenantId>>| {
            again.track();
            let source = tenant.get();
            let (true, Some(id)) = (able, source) else {
                return source;
            };
            turn.update_value(|turn| *turn += 1);
            let mine = turn.get_value();
            // What was typed stays while the source does.
            let is_other = before != Some(source);
            if is_other {
                placing.known.set(Known::Asked);
            }
            spawn_local(async move {
                let answer = api::recoveries::room(cluster.get_value(), id).await;
                // Only the answer to the last question counts.
                if turn.try_get_value() == Some(mine) {
                    placing.learn(answer, is_other);
                }
            });
            source
        });
        placing
    }

    fn learn(&self, answer: Result<Resources, ApiError>, is_other: bool) {
        match answer {
            Ok(resources) => {
                if is_other || self.draft.with_untracked(|draft| draft.zones.is_empty()) {
                    self.draft.set(Draft::like(&resources));
                }
                self.known.set(Known::Read(resources));
            }
            Err(error) => self.known.set(Known::Failed(error)),
        }
    }

    /// The placement that is asked for; `None` leaves it to the cluster. Tracked.
    pub fn placement(&self) -> Option<Placement> {
        let read = self.known.with(|known| matches!(known, Known::Read(_)));
        (self.able && read).then(|| self.draft.with(Draft::placement))
    }

    /// What is wrong: by the rules, and by the server's answer to this very placement. Tracked.
    pub fn violations(&self) -> Vec<Violation> {
        let mut found = self.known.with(|known| match known {
            Known::Read(resources) if self.able => {
                violations(&self.draft.with(Draft::placement), resources)
            }
            _ => Vec::new(),
        });
        for told in self.refused.get() {
            if !found.contains(&told) {
                found.push(told);
            }
        }
        found
    }

    /// What is wrong with one field. Tracked.
    pub fn problem(&self, field: &str) -> Option<String> {
        draft::problem(&self.violations(), field)
    }

    /// Takes what the server said; forgets it where there is nothing.
    pub fn refuse(&self, told: Vec<Violation>) {
        self.refused.set(told);
    }

    /// Whether it is not known yet what there is. Tracked.
    pub fn is_waiting(&self) -> bool {
        self.able && self.known.with(|known| *known == Known::Asked)
    }

    /// Whether the cluster lets people place tenants.
    pub const fn is_able(&self) -> bool {
        self.able
    }
}
