//! Keys of the keyboard: which presses are meant for the page, and the element that one presses.

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, KeyboardEvent};

/// Where the viewer's choice is kept.
const STORED: &str = "keys";

/// Whether single keys do something in this browser.
pub fn are_on() -> bool {
    let stored = window().local_storage().ok().flatten();
    stored
        .and_then(|stored| stored.get_item(STORED).ok().flatten())
        .as_deref()
        != Some("off")
}

/// Switches them on or off, and remembers it for this browser.
pub fn set_on(on: bool) {
    if let Ok(Some(stored)) = window().local_storage() {
        let _ = stored.set_item(STORED, if on { "on" } else { "off" });
    }
}

/// Whether a press is a single key for the page: not typed into a field, not part of a combination, not while
/// something is open above the page.
pub fn is_meant(event: &KeyboardEvent) -> bool {
    let combined = event.ctrl_key() || event.meta_key() || event.alt_key() || event.is_composing();
    let typed = event
        .target()
        .and_then(|target| target.dyn_into::<HtmlElement>().ok())
        .is_some_and(|element| {
            let name = element.tag_name();
            matches!(name.as_str(), "INPUT" | "TEXTAREA" | "SELECT")
                || element.is_content_editable()
        });
    let open = document()
        .query_selector("dialog[open]")
        .ok()
        .flatten()
        .is_some();
    !combined && !typed && !open && are_on()
}

/// Presses the first visible element whose `attribute` is this key; a field gets the focus instead. Whether there
/// was one.
pub fn press(attribute: &str, key: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/?[]".contains(c);
    if key.len() != 1 || !key.chars().all(plain) {
        return false;
    }
    let Ok(found) = document().query_selector_all(&format!("[{attribute}='{key}']")) else {
        return false;
    };
    for index in 0..found.length() {
        let element = found
            .item(index)
            .and_then(|node| node.dyn_into::<HtmlElement>().ok());
        let Some(element) = element.filter(|one| one.get_bounding_client_rect().width() > 0.0)
        else {
            continue;
        };
        match element.tag_name().as_str() {
            "INPUT" => {
                let _ = element.focus();
            }
            _ => element.click(),
        }
        return true;
    }
    false
}
