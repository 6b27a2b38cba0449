//! Icons, drawn once in the document and coloured by their surroundings.

use crate::ui::Any;
use leptos::prelude::*;

/// An icon of the sprite. It is decoration: what it says stands beside it as text.
#[component]
pub fn Icon(
    /// Its name in the sprite.
    #[prop(into)]
    name: Signal<&'static str>,
    /// `sm`, `xs`, or nothing for the usual size.
    #[prop(optional)]
    size: &'static str,
) -> impl IntoView {
    view! {
        <svg class="icon" data-size=size viewBox="0 0 16 16" aria-hidden="true">
            <use href=move || format!("#i-{}", name.get())></use>
        </svg>
    }
    .any()
}
