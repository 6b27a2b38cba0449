//! "Destination": where the new tenant is made, and its name.

use crate::language::{t, tf};
use crate::signal::{Memo, RwSignal};
use crate::ui::{Any, Icon, follow};
use leptos::prelude::*;

/// The section.
#[component]
pub fn Destination(
    /// The destination cluster's name.
    cluster: String,
    /// The typed name; absent while the suggestion stands.
    typed: RwSignal<Option<String>>,
    /// The name as it is.
    name: Memo<String>,
    /// What is wrong with it.
    problem: Signal<Option<String>>,
) -> impl IntoView {
    let free = tf("Free in {cluster}.", &[("cluster", &cluster)]);
    view! {
        <section class="form-section" id="destination">
            <header><h2>{t("Destination")}</h2></header>
            <div class="form-grid">
                <div class="field">
                    <label for="r-destination">{t("Destination cluster")}</label>
                    <input class="input" id="r-destination" value=cluster readonly=true aria-describedby="r-destination-hint"/>
                    <p class="field-hint" id="r-destination-hint">{t("The new tenant is made in the cluster of its source.")}</p>
                </div>
                <div class="field">
                    <label for="r-name">{t("New tenant name")}</label>
                    <input
                        class="input mono"
                        id="r-name"
                        name="new_name"
                        value=name.get_untracked()
                        prop:value=move || name.get()
                        spellcheck="false"
                        autocomplete="off"
                        autocapitalize="off"
                        aria-invalid=move || problem.get().is_some().to_string()
                        aria-describedby="r-name-state"
                        on:input=move |event| typed.set(Some(event_target_value(&event)))
                    />
                    <div id="r-name-state" aria-live="polite">
                        {follow(move || match problem.get() {
                            Some(text) => view! { <p class="field-error"><Icon name="s-bad"/><span>{text}</span></p> }.any(),
                            None => view! { <p class="field-ok"><Icon name="s-ok"/><span>{free.clone()}</span></p> }.any(),
                        })}
                    </div>
                </div>
            </div>
        </section>
    }.any()
}
