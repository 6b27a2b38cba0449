//! "Unit count" and "Zone priority".

use super::Placing;
use super::draft;
use crate::language::{t, tf};
use crate::signal::Memo;
use crate::ui::{Any, Field, Icon, follow};
use domain::placement::{COUNT, PRIORITY};
use leptos::prelude::*;

/// Both fields.
#[component]
pub fn Order(
    /// The placement.
    placing: Placing,
) -> impl IntoView {
    let begins = placing.draft.with_untracked(|draft| draft.count.clone());
    let wrong = Memo::new(move |_| placing.problem(COUNT));
    view! {
        <div class="form-grid">
            <Field id="r-count" label=t("Unit count") hint=t("Units in each zone, the same number for all.").to_owned() error=wrong>
                <input
                    class="input"
                    id="r-count"
                    type="number"
                    min="1"
                    value=begins
                    aria-describedby="r-count-hint"
                    aria-invalid=move || wrong.read().is_some().to_string()
                    on:input=move |event| {
                        placing.draft.update(|draft| draft.count = event_target_value(&event));
                        placing.refuse(Vec::new());
                    }
                />
            </Field>
            <Priority placing/>
        </div>
    }
    .any()
}

/// A rank for each chosen zone; zones of one rank lead alike.
#[component]
fn Priority(placing: Placing) -> impl IntoView {
    let wrong = Memo::new(move |_| placing.problem(PRIORITY));
    let text = Memo::new(move |_| placing.draft.with(draft::order_text));
    let chosen = Memo::new(move |_| {
        placing.draft.with(|draft| {
            let zones = draft.zones.iter().enumerate();
            let chosen = zones.filter(|(_, zone)| zone.chosen);
            chosen
                .map(|(at, zone)| (at, zone.zone.clone()))
                .collect::<Vec<_>>()
        })
    });
    view! {
        <fieldset class="field zone-order">
            <legend class="field-label">{t("Zone priority")}</legend>
            {follow(move || {
                let zones = chosen.get();
                let count = zones.len();
                zones.into_iter().map(|(at, zone)| view! { <Rank placing at zone count/> }.any()).collect_view()
            })}
            <p class="field-hint">{t("Leaders are placed here first:")}" "<code>{move || text.get()}</code></p>
            <div aria-live="polite">
                {follow(move || wrong.get().map(|text| view! {
                    <p class="field-error"><Icon name="s-bad"/><span>{text}</span></p>
                }.any()))}
            </div>
        </fieldset>
    }
    .any()
}

#[component]
fn Rank(placing: Placing, at: usize, zone: String, count: usize) -> impl IntoView {
    let rank = placing
        .draft
        .with_untracked(|draft| draft.zones.get(at).map_or(0, |zone| zone.rank));
    // A rank beyond the number of zones came from a source with more of them.
    let last = count.max(rank);
    view! {
        <label class="field-inline">
            <span>{zone.clone()}</span>
            <select
                class="select"
                data-size="sm"
                aria-label=tf("Priority of {zone}", &[("zone", &zone)])
                on:change=move |event| {
                    let rank = event_target_value(&event).parse().unwrap_or(0);
                    placing.draft.update(|draft| {
                        if let Some(zone) = draft.zones.get_mut(at) {
                            zone.rank = rank;
                        }
                    });
                    placing.refuse(Vec::new());
                }
            >
                <option value="0" selected=rank == 0>{t("None")}</option>
                {(1..=last).map(|number| view! {
                    <option value=number.to_string() selected=rank == number>{number.to_string()}</option>
                }.any()).collect_view()}
            </select>
        </label>
    }
    .any()
}
