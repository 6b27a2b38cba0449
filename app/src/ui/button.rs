//! Buttons. One that is off stays reachable and says why.

use super::Icon;
use crate::ui::{Any, follow};
use leptos::prelude::*;

/// A button.
#[component]
pub fn Button(
    /// `primary`, `danger`, `quiet`, or nothing for the usual one.
    #[prop(optional)]
    variant: &'static str,
    /// `sm`, or nothing for the usual size.
    #[prop(optional)]
    size: &'static str,
    /// Name of an icon in front of the text.
    #[prop(optional)]
    icon: Option<&'static str>,
    /// Sends the form it stands in.
    #[prop(optional)]
    submit: bool,
    /// Gets the focus when its dialog opens.
    #[prop(optional)]
    focused: bool,
    /// Why it is off; nothing while it is on.
    #[prop(optional, into)]
    off: Signal<Option<String>>,
    /// Something it started is under way.
    #[prop(optional, into)]
    busy: Signal<bool>,
    /// What it does.
    #[prop(optional, into)]
    on_press: Option<Callback<()>>,
    /// Its text.
    children: Children,
) -> impl IntoView {
    let is_off = move || off.read().is_some();
    view! {
        <button
            class="button"
            type=if submit { "submit" } else { "button" }
            data-variant=variant
            data-size=size
            autofocus=focused
            aria-disabled=move || is_off().then_some("true")
            aria-busy=move || busy.get().then_some("true")
            aria-description=move || off.get()
            data-reason=move || off.get()
            on:click=move |event| {
                if is_off() || busy.get_untracked() {
                    event.prevent_default();
                } else if let Some(on_press) = on_press {
                    on_press.run(());
                }
            }
        >
            {follow(move || {
                let name = if busy.get() { Some("s-run") } else { icon };
                name.map(|name| view! { <Icon name/> }.any())
            })}
            {children()}
        </button>
    }
    .any()
}

/// A button that is only an icon, with its name for everybody who cannot see it.
#[component]
pub fn IconButton(
    /// Its name.
    #[prop(into)]
    label: Signal<String>,
    /// Its icon.
    icon: &'static str,
    /// `sm`, or nothing for the usual size.
    #[prop(optional)]
    size: &'static str,
    /// `outline`, or nothing.
    #[prop(optional)]
    variant: &'static str,
    /// Why it is off; nothing while it is on.
    #[prop(optional, into)]
    off: Signal<Option<String>>,
    /// The single key that presses it.
    #[prop(optional)]
    key: Option<&'static str>,
    /// What it does.
    #[prop(into)]
    on_press: Callback<()>,
) -> impl IntoView {
    view! {
        <button
            class="icon-button"
            type="button"
            data-key=key
            data-size=size
            data-variant=variant
            aria-label=move || label.get()
            title=move || off.get().unwrap_or_else(|| label.get())
            aria-disabled=move || off.read().is_some().then_some("true")
            aria-description=move || off.get()
            on:click=move |_| {
                if off.read_untracked().is_none() {
                    on_press.run(());
                }
            }
        >
            <Icon name=icon size/>
        </button>
    }
    .any()
}

/// A button that looks like a link: for actions inside rows.
#[component]
pub fn LinkButton(
    /// `bad`, or nothing.
    #[prop(optional)]
    tone: &'static str,
    /// Further classes.
    #[prop(optional)]
    class: &'static str,
    /// A name that says more than the text: `Cancel task 12`.
    #[prop(optional, into)]
    label: Option<String>,
    /// Why it is off; nothing while it is on.
    #[prop(optional, into)]
    off: Signal<Option<String>>,
    /// What it does.
    #[prop(into)]
    on_press: Callback<()>,
    /// Its text.
    children: Children,
) -> impl IntoView {
    view! {
        <button
            class=format!("link-button {class}").trim_end().to_owned()
            type="button"
            data-tone=tone
            aria-label=label
            aria-disabled=move || off.read().is_some().then_some("true")
            aria-description=move || off.get()
            data-reason=move || off.get()
            on:click=move |_| {
                if off.read_untracked().is_none() {
                    on_press.run(());
                }
            }
        >
            {children()}
        </button>
    }
    .any()
}
