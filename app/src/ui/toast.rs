//! Toasts: a result told in the corner, never the only sign of it. Errors stay until closed.

use super::{Entry, Icon, IconButton, Tone, follow_list};
use crate::language::t;
use crate::live::timer::after;
use crate::signal::RwSignal;
use crate::ui::Any;
use leptos::prelude::*;

/// How long a toast stays, in milliseconds.
const STAYS_MS: u32 = 6_000;
/// Most toasts at once; the oldest gives way.
const TOASTS_MAX: usize = 4;

#[derive(Clone, PartialEq)]
struct Toast {
    id: u32,
    tone: Tone,
    title: String,
    text: String,
}

/// Where results are told. A context of the whole page.
#[derive(Clone, Copy)]
pub struct Toasts {
    list: RwSignal<Vec<Toast>>,
    next: StoredValue<u32>,
}

impl Toasts {
    /// Provides it to everything below.
    pub fn provide() -> Toasts {
        let toasts = Toasts {
            list: RwSignal::new(Vec::new()),
            next: StoredValue::new(0),
        };
        provide_context(toasts);
        toasts
    }

    /// The page's toasts.
    pub fn current() -> Toasts {
        expect_context::<Toasts>()
    }

    /// Tells that something was done or begun.
    pub fn done(&self, title: impl Into<String>, text: impl Into<String>) {
        let id = self.add(Tone::Ok, title.into(), text.into());
        let toasts = *self;
        after(STAYS_MS, move || toasts.close(id));
    }

    /// Tells that something failed. Stays.
    pub fn failed(&self, title: impl Into<String>, text: impl Into<String>) {
        self.add(Tone::Bad, title.into(), text.into());
    }

    fn add(&self, tone: Tone, title: String, text: String) -> u32 {
        let id = self.next.get_value();
        self.next.set_value(id.wrapping_add(1));
        self.list.update(|list| {
            if list.len() >= TOASTS_MAX {
                list.remove(0);
            }
            list.push(Toast {
                id,
                tone,
                title,
                text,
            });
        });
        id
    }

    fn close(&self, id: u32) {
        self.list.update(|list| list.retain(|toast| toast.id != id));
    }
}

/// Shows the toasts in the corner.
#[component]
pub fn Toaster() -> impl IntoView {
    let toasts = Toasts::current();
    view! {
        <div class="toasts" role="region" aria-label=t("Messages") aria-live="polite">
            {follow_list(move || {
                let list = toasts.list.get().into_iter();
                list.map(|toast| Entry::new(toast.id, move || message(toasts, toast))).collect()
            })}
        </div>
    }
    .any()
}

fn message(toasts: Toasts, toast: Toast) -> impl IntoView {
    view! {
        <div class="toast" data-tone=toast.tone.code()>
            <Icon name=if toast.tone == Tone::Bad { "s-bad" } else { "s-ok" }/>
            <div>
                <strong>{toast.title}</strong>
                <p>{toast.text}</p>
            </div>
            <IconButton
                label=t("Close this message")
                icon="close"
                size="sm"
                on_press=move |()| toasts.close(toast.id)
            />
        </div>
    }
    .any()
}
