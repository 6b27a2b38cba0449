//! The root address: leads to where the work is.

use crate::paths;
use crate::ui::Any;
use leptos::prelude::*;
use leptos_router::components::Redirect;

/// Leads to the list of clusters, which is the first-run page while there is none.
#[component]
pub fn Home() -> impl IntoView {
    view! { <Redirect path=paths::CLUSTERS/> }.any()
}
