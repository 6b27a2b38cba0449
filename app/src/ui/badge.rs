//! Status badges: an icon, a word and a tone.

use super::Icon;
use crate::signal::Memo;
use crate::ui::Any;
use leptos::prelude::*;

/// The only colours a status may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tone {
    /// Fine.
    Ok,
    /// Going on.
    Info,
    /// About to go on, or to end.
    Wait,
    /// Somebody should look.
    Warn,
    /// Somebody has to act.
    Bad,
    /// Nothing to see.
    #[default]
    Mute,
}

impl Tone {
    /// The value of `data-tone`.
    pub const fn code(self) -> &'static str {
        match self {
            Tone::Ok => "ok",
            Tone::Info => "info",
            Tone::Wait => "wait",
            Tone::Warn => "warn",
            Tone::Bad => "bad",
            Tone::Mute => "mute",
        }
    }
}

/// What a badge shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// The word.
    pub text: String,
    /// Its tone.
    pub tone: Tone,
    /// Its icon; the shape differs for every meaning.
    pub icon: &'static str,
}

/// A status as icon, word and tone.
#[component]
pub fn Badge(
    /// What it shows.
    #[prop(into)]
    look: Signal<Look>,
    /// On a ground of its tone: for the one status that a page is about.
    #[prop(optional)]
    soft: bool,
) -> impl IntoView {
    let look = Memo::new(move |_| look.get());
    view! {
        <span
            class="badge"
            data-tone=move || look.read().tone.code()
            data-variant=soft.then_some("soft")
            data-spin=move || (look.read().icon == "s-run").then_some("")
        >
            <Icon name=Signal::derive(move || look.read().icon)/>
            {move || look.read().text.clone()}
        </span>
    }
    .any()
}
