//! One of a few choices beside each other.

use super::Any;
use crate::language::t;
use leptos::prelude::*;

/// The choices, of which one is chosen.
#[component]
pub fn Segmented(
    /// Name of the group.
    name: &'static str,
    /// What it is called.
    label: &'static str,
    /// The choices.
    choices: Vec<&'static str>,
    /// Number of the one that is chosen.
    chosen: usize,
    /// Chooses another one.
    on_choose: Callback<usize>,
) -> impl IntoView {
    let each = move |(number, text): (usize, &'static str)| {
        view! {
            <label>
                <input
                    type="radio"
                    name=name
                    checked=number == chosen
                    on:change=move |_| on_choose.run(number)
                />
                {t(text)}
            </label>
        }
        .into_any()
    };
    view! {
        <span class="segmented" role="radiogroup" aria-label=t(label)>
            {choices.into_iter().enumerate().map(each).collect_view()}
        </span>
    }
    .any()
}
