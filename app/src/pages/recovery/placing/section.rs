//! "Zones": one row per zone, then the number of units and the order of zones that lead.

use super::{Known, Placing, order::Order, zone::Zone};
use crate::language::t;
use crate::signal::{Memo, RwSignal};
use crate::ui::{Any, Icon, LinkButton, Notice, Skeleton, Tone, follow};
use domain::placement::{Resources, ZONES};
use leptos::prelude::*;

/// The section.
#[component]
pub fn Zones(
    /// The placement.
    placing: Placing,
    /// The new tenant's name, which new specifications are named after.
    name: Memo<String>,
    /// Asks for the plan and for what there is again.
    again: RwSignal<u32>,
) -> impl IntoView {
    let retry = move || again.update(|count| *count += 1);
    view! {
        <section class="form-section" id="zones">
            <header>
                <h2>{t("Zones")}</h2>
                <p>{t("It begins like the source tenant. Each zone gets a resource pool of its own.")}</p>
            </header>
            {follow(move || match placing.known.get() {
                Known::Asked => view! { <Skeleton rows=4/> }.any(),
                Known::Failed(error) => view! {
                    <Notice
                        tone=Tone::Warn
                        title=t("The zones and servers of the cluster could not be read").to_owned()
                        text=error.to_string()
                    >
                        <LinkButton on_press=move |()| retry()>{t("Try again")}</LinkButton>
                    </Notice>
                }.any(),
                Known::Read(resources) => view! { <Rows placing name resources/> }.any(),
            })}
        </section>
    }
    .any()
}

#[component]
fn Rows(placing: Placing, name: Memo<String>, resources: Resources) -> impl IntoView {
    let zones: Vec<usize> = (0..resources.zones.len()).collect();
    let resources = StoredValue::new(resources);
    let wrong = Memo::new(move |_| placing.problem(ZONES));
    view! {
        <ul class="zone-rows">
            {zones.into_iter().map(|at| view! { <Zone placing name resources at/> }.any()).collect_view()}
        </ul>
        <div aria-live="polite" class="field">
            {follow(move || wrong.get().map(|text| view! {
                <p class="field-error"><Icon name="s-bad"/><span>{text}</span></p>
            }.any()))}
        </div>
        <Order placing/>
    }
    .any()
}
