//! Placeholders while something loads for the first time.

use crate::language::t;
use crate::ui::Any;
use leptos::prelude::*;

/// A panel of grey lines, as high as a table of `rows` rows.
#[component]
pub fn Skeleton(
    /// How many lines.
    #[prop(default = 4)]
    rows: usize,
) -> impl IntoView {
    view! {
        <div class="skeleton-rows" aria-busy="true">
            <span class="visually-hidden">{t("Loading")}</span>
            {(0..rows).map(|_| view! { <span class="skeleton" data-h="lane"></span> }.any()).collect_view()}
        </div>
    }.any()
}
