//! The document: the hydrated mark, the theme, dialogs, popovers, the clipboard of focus.

use leptos::prelude::*;
use wasm_bindgen::JsCast;

/// Sets `data-hydrated` on the body once the page answers to presses.
pub fn mark_hydrated() {
    if let Some(body) = document().body() {
        let _ = body.set_attribute("data-hydrated", "");
    }
}

/// Whether nobody can see the page now.
pub fn is_hidden() -> bool {
    document().visibility_state() == web_sys::VisibilityState::Hidden
}

/// Changes between light and dark, and remembers it for this browser.
pub fn toggle_theme() {
    let Some(root) = document().document_element() else {
        return;
    };
    let dark_now = match root.get_attribute("data-theme").as_deref() {
        Some("dark") => true,
        Some(_) => false,
        None => window()
            .match_media("(prefers-color-scheme: dark)")
            .ok()
            .flatten()
            .is_some_and(|query| query.matches()),
    };
    let theme = if dark_now { "light" } else { "dark" };
    let _ = root.set_attribute("data-theme", theme);
    if let Ok(Some(storage)) = window().local_storage() {
        let _ = storage.set_item("theme", theme);
    }
}

/// Opens or closes a native dialog. Opening remembers the focus, closing gives it back.
pub fn set_dialog_open(dialog: &web_sys::HtmlDialogElement, open: bool) {
    if open && !dialog.open() {
        let _ = dialog.show_modal();
    } else if !open && dialog.open() {
        dialog.close();
    }
}

/// Whether a press hit the dialog's backdrop rather than something inside it.
pub fn is_backdrop(event: &web_sys::MouseEvent) -> bool {
    event
        .target()
        .zip(event.current_target())
        .is_some_and(|(target, current)| {
            target == current
                && target
                    .dyn_ref::<web_sys::HtmlDialogElement>()
                    .is_some_and(|dialog| {
                        let area = dialog.get_bounding_client_rect();
                        let (x, y) = (f64::from(event.client_x()), f64::from(event.client_y()));
                        x < area.left() || x > area.right() || y < area.top() || y > area.bottom()
                    })
        })
}

/// Puts a text into the clipboard; `false` where the browser does not allow it.
pub fn copy_text(text: &str) -> bool {
    // Elsewhere there is no clipboard, and asking for it would end the page.
    if !window().is_secure_context() {
        return false;
    }
    let _ = window().navigator().clipboard().write_text(text);
    true
}

/// Closes the popover with this id.
pub fn hide_popover(id: &str) {
    if let Some(element) = document().get_element_by_id(id)
        && let Ok(element) = element.dyn_into::<web_sys::HtmlElement>()
    {
        let _ = element.hide_popover();
    }
}

/// Moves the focus to the element with this id.
pub fn focus(id: &str) {
    if let Some(element) = document().get_element_by_id(id)
        && let Ok(element) = element.dyn_into::<web_sys::HtmlElement>()
    {
        let _ = element.focus();
    }
}

/// Focuses and presses the element with this id.
pub fn press(id: &str) {
    if let Some(element) = document().get_element_by_id(id)
        && let Ok(element) = element.dyn_into::<web_sys::HtmlElement>()
    {
        let _ = element.focus();
        element.click();
    }
}
