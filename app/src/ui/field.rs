//! Form fields: label above, hint below; on error the hint gives way to the error.

use super::Icon;
use crate::ui::{Any, follow};
use leptos::prelude::*;

/// A labelled field around its control. The control has the id `id` and `aria-describedby` `{id}-hint`.
#[component]
pub fn Field(
    /// Id of the control inside.
    id: &'static str,
    /// Its label.
    label: &'static str,
    /// A few words beside the label.
    #[prop(optional, into)]
    aside: Signal<String>,
    /// What is expected.
    #[prop(optional, into)]
    hint: Signal<String>,
    /// What is wrong.
    #[prop(optional, into)]
    error: Signal<Option<String>>,
    /// The control.
    children: Children,
) -> impl IntoView {
    view! {
        <div class="field">
            <label for=id>
                {label}
                {follow(move || (!aside.read().is_empty()).then(|| view! { <small>{aside.get()}</small> }.any()))}
            </label>
            {children()}
            <div id=format!("{id}-hint") aria-live="polite">
                {follow(move || match error.get() {
                    Some(text) => {
                        view! {
                            <p class="field-error">
                                <Icon name="s-bad"/>
                                <span>{text}</span>
                            </p>
                        }.any()
                    }
                    None => view! { <p class="field-hint">{hint.get()}</p> }.any(),
                })}
            </div>
        </div>
    }.any()
}
