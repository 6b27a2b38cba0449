//! Notices inside a page.

use super::{Icon, Tone};
use crate::ui::Any;
use leptos::prelude::*;

/// A message with a title, a sentence, and perhaps something to press.
#[component]
pub fn Notice(
    /// Its tone.
    tone: Tone,
    /// What is so.
    #[prop(into)]
    title: Signal<String>,
    /// What follows from it.
    #[prop(optional, into)]
    text: Signal<String>,
    /// Said at once by screen readers; for failures.
    #[prop(optional)]
    urgent: bool,
    /// What can be pressed.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let icon = match tone {
        Tone::Ok => "s-ok",
        Tone::Warn => "s-warn",
        Tone::Bad => "s-bad",
        Tone::Info | Tone::Wait | Tone::Mute => "info",
    };
    view! {
        <div class="notice" data-tone=tone.code() role=if urgent { "alert" } else { "status" }>
            <Icon name=icon/>
            <div>
                <strong>{move || title.get()}</strong>
                <p>{move || text.get()}</p>
            </div>
            {children.map(|children| view! { <div class="notice-actions">{children()}</div> }.any())}
        </div>
    }.any()
}
