//! Tabs: links, so that each has an address; arrow keys go from one to the next.

use crate::live::document::press;
use crate::ui::{Any, follow};
use leptos::prelude::*;

/// One tab.
#[derive(Clone)]
pub struct Tab {
    /// Its name in the address and in ids.
    pub id: &'static str,
    /// Its label.
    pub label: &'static str,
    /// How many things go on behind it.
    pub active: Signal<usize>,
    /// Its address.
    pub href: Signal<String>,
}

/// A list of tabs. The panel of a tab has the id `panel-{id}`, and `aria-labelledby` `tab-{id}`.
#[component]
pub fn Tabs(
    /// What they are the tabs of.
    label: &'static str,
    /// The tabs.
    tabs: Vec<Tab>,
    /// Id of the tab that is chosen.
    #[prop(into)]
    selected: Signal<&'static str>,
) -> impl IntoView {
    let ids: Vec<&'static str> = tabs.iter().map(|tab| tab.id).collect();
    let on_key = move |event: leptos::ev::KeyboardEvent| {
        let here = ids.iter().position(|id| *id == selected.get_untracked());
        let here = here.unwrap_or(0);
        let there = match event.key().as_str() {
            "ArrowRight" => (here + 1) % ids.len(),
            "ArrowLeft" => (here + ids.len() - 1) % ids.len(),
            "Home" => 0,
            "End" => ids.len() - 1,
            _ => return,
        };
        event.prevent_default();
        press(&format!("tab-{}", ids[there]));
    };
    view! {
        <div class="tabs" role="tablist" aria-label=label on:keydown=on_key>
            {tabs
                .into_iter()
                .enumerate()
                .map(|(at, tab)| {
                    let is_selected = move || selected.get() == tab.id;
                    view! {
                        <a
                            role="tab"
                            id=format!("tab-{}", tab.id)
                            href=move || tab.href.get()
                            data-noscroll=""
                            data-key=(at + 1).to_string()
                            aria-controls=format!("panel-{}", tab.id)
                            aria-selected=move || is_selected().to_string()
                            tabindex=move || if is_selected() { "0" } else { "-1" }
                        >
                            {tab.label}
                            {follow(move || {
                                let active = tab.active.get();
                                (active > 0)
                                    .then(|| {
                                        view! {
                                            <span class="count">
                                                {active}<span class="visually-hidden">" running"</span>
                                            </span>
                                        }.any()
                                    })
                            })}
                        </a>
                    }.any()
                })
                .collect_view()}
        </div>
    }.any()
}
