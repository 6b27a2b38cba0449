//! Facts: label, value, and one line of context.

use crate::ui::Any;
use leptos::prelude::*;

/// A grid of facts.
#[component]
pub fn Facts(
    /// The facts.
    children: Children,
) -> impl IntoView {
    view! { <dl class="facts">{children()}</dl> }.any()
}

/// One fact.
#[component]
pub fn Fact(
    /// Its label.
    label: &'static str,
    /// One line of context.
    #[prop(optional, into)]
    context: Signal<String>,
    /// The context warns.
    #[prop(optional, into)]
    warns: Signal<bool>,
    /// The value.
    children: Children,
) -> impl IntoView {
    view! {
        <div>
            <dt>{label}</dt>
            <dd>{children()}</dd>
            <dd data-tone=move || warns.get().then_some("warn")>{move || context.get()}</dd>
        </div>
    }
    .any()
}
