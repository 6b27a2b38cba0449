//! Filter pills: what is chosen stands in them; the choice is an address, so it works without any script.

use super::Icon;
use crate::language::{t, tf};
use crate::live::document::hide_popover;
use crate::ui::{Any, follow};
use leptos::prelude::*;

/// The bar above a table.
#[component]
pub fn FilterBar(
    /// What stands at its end.
    #[prop(into)]
    end: Signal<String>,
    /// Address of the file with all that matches.
    #[prop(optional, into)]
    csv: Option<Signal<String>>,
    /// The pills.
    children: Children,
) -> impl IntoView {
    view! {
        <div class="filter-bar" role="group" aria-label=t("Filters")>
            {children()}
            <span class="filter-end">
                <span role="status">{move || end.get()}</span>
                {csv
                    .map(|csv| {
                        view! {
                            <a href=move || csv.get() rel="external" download="" title=t("All that match, up to 10,000, as a file")>
                                {t("CSV")}
                            </a>
                        }
                        .any()
                    })}
            </span>
        </div>
    }
    .any()
}

/// A pill. Pressed, it shows its choices.
#[component]
pub fn Filter(
    /// Id of its choices, unique on the page.
    id: &'static str,
    /// Its label.
    label: &'static str,
    /// What is chosen.
    #[prop(into)]
    value: Signal<Option<String>>,
    /// The address without this choice.
    #[prop(into)]
    clear: Signal<String>,
    /// The choices.
    children: Children,
) -> impl IntoView {
    view! {
        <span class="filter" data-active=move || value.read().is_some().then_some("")>
            <button type="button" popovertarget=id aria-haspopup="dialog">
                {label}
                {follow(move || value.get().map(|value| view! { <b>{value}</b> }.any()))}
                {follow(move || value.read().is_none().then(|| view! { <Icon name="chevron-down" size="xs"/> }.any()))}
            </button>
            {follow(move || {
                value
                    .read()
                    .is_some()
                    .then(|| {
                        view! {
                            <a
                                class="filter-clear"
                                href=move || clear.get()
                                data-noscroll=""
                                aria-label=tf("Clear {label}", &[("label", &label)])
                            >
                                <Icon name="close" size="xs"/>
                            </a>
                        }.any()
                    })
            })}
        </span>
        <div class="menu" id=id popover="" data-side="start" role="group" aria-label=label>
            {children()}
        </div>
    }.any()
}

/// A choice of a pill.
#[component]
pub fn FilterOption(
    /// The address with this choice.
    #[prop(into)]
    href: Signal<String>,
    /// Whether it is chosen.
    #[prop(into)]
    chosen: Signal<bool>,
    /// Id of the choices, closed by pressing this; absent where several may be chosen.
    #[prop(optional)]
    closes: Option<&'static str>,
    /// Its text.
    children: Children,
) -> impl IntoView {
    view! {
        <a
            href=move || href.get()
            data-noscroll=""
            aria-current=move || chosen.get().then_some("true")
            on:click=move |_| {
                if let Some(id) = closes {
                    hide_popover(id);
                }
            }
        >
            <span class="menu-tick">
                {follow(move || chosen.get().then(|| view! { <Icon name="check" size="sm"/> }.any()))}
            </span>
            {children()}
        </a>
    }.any()
}
