//! What stands where there is nothing yet: what that means, and what to do.

use crate::ui::Any;
use leptos::prelude::*;

/// A quiet notice in place of content.
#[component]
pub fn Empty(
    /// What is not there.
    #[prop(into)]
    title: String,
    /// What that means and what to do.
    #[prop(into)]
    text: String,
    /// With the picture of the sea: once per page, where everything is empty.
    #[prop(optional)]
    sea: bool,
    /// The ways forward.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    view! {
        <div class="empty" data-size=(!sea).then_some("sm")>
            {sea.then(|| view! { <Sea/> }.any())}
            <h3>{title}</h3>
            <p>{text}</p>
            {children.map(|children| view! { <div class="row">{children()}</div> }.any())}
        </div>
    }
    .any()
}

/// A tide gauge standing in calm water.
#[component]
fn Sea() -> impl IntoView {
    view! {
        <svg
            width="172"
            height="76"
            viewBox="0 0 172 76"
            fill="none"
            stroke="currentColor"
            stroke-width="1.5"
            aria-hidden="true"
        >
            <path d="M86 2v60M80 8h12M82 18h8M80 28h12M82 38h8M80 48h12" opacity=".55"></path>
            <path d="M8 28h62M102 28h62" stroke-dasharray="3 4" opacity=".55"></path>
            <path
                d="M2 60c14 0 14-6 28-6s14 6 28 6 14-6 28-6 14 6 28 6 14-6 28-6 14 6 28 6"
                stroke-width="2"
            ></path>
            <path
                d="M2 71c14 0 14-6 28-6s14 6 28 6 14-6 28-6 14 6 28 6 14-6 28-6 14 6 28 6"
                opacity=".45"
            ></path>
        </svg>
    }
    .any()
}
