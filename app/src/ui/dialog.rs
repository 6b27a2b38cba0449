//! Dialogs and drawers on the native element: it traps the focus, gives it back, and closes on Escape.

use super::{IconButton, follow};
use crate::language::t;
use crate::live::document::{is_backdrop, set_dialog_open};
use crate::signal::{Memo, RwSignal};
use crate::ui::Any;
use leptos::{html, prelude::*};

/// A question in the middle of the page. Its content is made anew each time it opens.
#[component]
pub fn Dialog(
    /// Whether it is open.
    open: RwSignal<bool>,
    /// The question, with the name of what it is about.
    #[prop(into)]
    title: Signal<String>,
    /// `lg`, or nothing for the usual width.
    #[prop(optional)]
    size: &'static str,
    /// The content, from body to foot.
    children: ChildrenFn,
) -> impl IntoView {
    view! {
        <Modal open class="dialog" size title>
            <div class="dialog-head">
                <h2>{move || title.get()}</h2>
                <CloseButton open/>
            </div>
            {children()}
        </Modal>
    }
    .any()
}

/// A sheet from the side: details that are read beside the page.
#[component]
pub fn Drawer(
    /// Whether it is open.
    open: RwSignal<bool>,
    /// What it is about.
    #[prop(into)]
    title: Signal<String>,
    /// A line under the title.
    #[prop(optional, into)]
    note: Signal<String>,
    /// The content, from body to foot.
    children: ChildrenFn,
) -> impl IntoView {
    view! {
        <Modal open class="drawer" size="" title>
            <div class="drawer-head">
                <div>
                    <h2>{move || title.get()}</h2>
                    <p>{move || note.get()}</p>
                </div>
                <CloseButton open/>
            </div>
            {children()}
        </Modal>
    }
    .any()
}

#[component]
fn Modal(
    open: RwSignal<bool>,
    class: &'static str,
    size: &'static str,
    title: Signal<String>,
    children: ChildrenFn,
) -> impl IntoView {
    let dialog = NodeRef::<html::Dialog>::new();
    Effect::new(move |_| {
        let open = open.get();
        // After the content is there, so that the focus goes to its place inside. The page may be gone by then.
        request_animation_frame(move || {
            if let Some(dialog) = dialog.try_get_untracked().flatten() {
                set_dialog_open(&dialog, open);
            }
        });
    });
    let children = StoredValue::new(children);
    let is_open = Memo::new(move |_| open.get());
    view! {
        <dialog
            class=class
            data-size=size
            aria-label=move || title.get()
            node_ref=dialog
            on:close=move |_| open.set(false)
            on:click=move |event| {
                if is_backdrop(&event) {
                    open.set(false);
                }
            }
        >
            {follow(move || is_open.get().then(|| children.with_value(|children| children())))}
        </dialog>
    }
    .any()
}

#[component]
fn CloseButton(open: RwSignal<bool>) -> impl IntoView {
    view! { <IconButton label=t("Close") icon="close" size="sm" on_press=move |()| open.set(false)/> }
        .any()
}
