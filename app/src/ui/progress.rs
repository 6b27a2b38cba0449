//! A thin bar that only moves forward.

use crate::signal::Memo;
use crate::ui::Any;
use leptos::prelude::*;

/// How far something is.
#[component]
pub fn Progress(
    /// Whole percent; nothing while it cannot be told.
    #[prop(into)]
    percent: Signal<Option<u8>>,
    /// What it is the progress of, for those who cannot see it.
    #[prop(into)]
    label: String,
) -> impl IntoView {
    // A later answer may estimate a larger total; the bar does not go back for it.
    let furthest = Memo::new(move |before: Option<&u8>| {
        percent.get().unwrap_or(0).max(before.copied().unwrap_or(0))
    });
    view! {
        <svg
            class="meter"
            data-tone="info"
            role="progressbar"
            aria-valuemin="0"
            aria-valuemax="100"
            aria-valuenow=move || percent.get().map(|_| furthest.get())
            aria-label=label
        >
            <rect width=move || format!("{}%", furthest.get()) height="4"></rect>
        </svg>
    }
    .any()
}
