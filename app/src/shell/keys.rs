//! Single keys: an element says by `data-key` which key presses it, or by `data-go` which one after `g`. Off inside
//! fields, while a dialog is open, and where the viewer has switched them off.

use crate::{
    language::t,
    live::keys,
    parts,
    signal::RwSignal,
    ui::{Any, Dialog, IconButton},
};
use leptos::{ev, prelude::*};

/// The key before one of [`crate::shell::side_nav`].
const GO: &str = "g";

/// Listens as long as the page is there.
pub fn listen() {
    let going = StoredValue::new(false);
    let handle = window_event_listener(ev::keydown, move |event| {
        if !keys::is_meant(&event) {
            going.set_value(false);
            return;
        }
        let key = event.key();
        let attribute = if going.get_value() {
            "data-go"
        } else {
            "data-key"
        };
        going.set_value(!going.get_value() && key == GO);
        if keys::press(attribute, &key) {
            event.prevent_default();
        }
    });
    on_cleanup(move || handle.remove());
}

/// The button that lists the keys.
#[component]
pub fn KeysHelp() -> impl IntoView {
    let open = RwSignal::new(false);
    view! {
        <span class="only-keys">
            <IconButton
                label=t("Keyboard shortcuts")
                icon="info"
                key="?"
                on_press=move |()| parts::open_with_content(open)
            />
        </span>
        <Dialog open title=t("Keyboard shortcuts")>
            {parts::downloaded(move || parts::keys_list(open))}
        </Dialog>
    }
    .any()
}

/// The list, and the switch.
#[component]
pub fn List(
    /// Whether the dialog is open.
    open: RwSignal<bool>,
) -> impl IntoView {
    let on = RwSignal::new(keys::are_on());
    let rows = [
        ("?", t("This list")),
        ("/", t("Search the tasks")),
        ("1 … 6", t("A tab of the tasks")),
        ("[ ]", t("The week before, the week after")),
        ("t", t("The latest moment")),
        ("r", t("Refresh now")),
        ("g o", t("Overview")),
        ("g c", t("Clusters")),
        ("g b", t("Backup & Recovery")),
        ("g r", t("Recovery")),
        (
            "← → ↑ ↓",
            t("In the calendar: a minute, a day; with Shift an hour, with Alt a second"),
        ),
        ("Esc", t("Close what is open")),
    ];
    let rows = rows.map(|(key, does)| {
        view! {
            <dt>
                <kbd>{key}</kbd>
            </dt>
            <dd>{does}</dd>
        }
        .any()
    });
    view! {
        <div class="dialog-body">
            <dl class="pairs">{rows.into_iter().collect_view()}</dl>
            <label class="check">
                <input
                    type="checkbox"
                    prop:checked=move || on.get()
                    on:change=move |_| {
                        on.update(|on| *on = !*on);
                        keys::set_on(on.get_untracked());
                    }
                />
                <span>{t("Single keys do something")}</span>
            </label>
        </div>
        <div class="dialog-foot">
            <crate::ui::Button on_press=move |()| open.set(false)>{t("Close")}</crate::ui::Button>
        </div>
    }
    .any()
}
