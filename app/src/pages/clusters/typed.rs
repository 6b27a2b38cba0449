//! A text field of a form with what is wrong with it.

use crate::signal::RwSignal;
use crate::ui::{Any, Field};
use leptos::prelude::*;

/// What is typed, and what is wrong with it.
#[derive(Clone, Copy)]
pub struct Typed {
    /// The text.
    pub value: RwSignal<String>,
    /// What is wrong.
    pub error: RwSignal<Option<String>>,
}

impl Typed {
    /// A field that begins with this text.
    pub fn new(value: &str) -> Typed {
        Typed {
            value: RwSignal::new(value.to_owned()),
            error: RwSignal::new(None),
        }
    }

    /// The text without blanks around it.
    pub fn text(self) -> String {
        self.value.get_untracked().trim().to_owned()
    }

    /// The same, unless it is empty.
    pub fn filled(self) -> Option<String> {
        Some(self.text()).filter(|text| !text.is_empty())
    }
}

/// One field: checked on leaving, and again on every key once it was wrong.
#[component]
pub fn TypedField(
    /// Id and name of the input.
    id: &'static str,
    /// Its label.
    label: &'static str,
    /// What is typed.
    typed: Typed,
    /// What is expected.
    hint: &'static str,
    /// Whether it is code, an address or a path.
    #[prop(optional)]
    mono: bool,
    /// Whether nobody may read it over a shoulder.
    #[prop(optional)]
    secret: bool,
    /// A few words beside the label.
    #[prop(optional)]
    aside: &'static str,
    /// What stands there while nothing is typed.
    #[prop(optional, into)]
    placeholder: Signal<String>,
) -> impl IntoView {
    let input = move |event| {
        typed.value.set(event_target_value(&event));
        typed.error.set(None);
    };
    view! {
        <Field id label hint error=typed.error aside>
            <input
                class=if mono { "input mono" } else { "input" }
                id=id
                name=id
                type=if secret { "password" } else { "text" }
                autocomplete=if secret { "new-password" } else { "off" }
                spellcheck="false"
                placeholder=move || placeholder.get()
                aria-describedby=format!("{id}-hint")
                aria-invalid=move || typed.error.read().is_some().to_string()
                prop:value=move || typed.value.get()
                on:input=input
            />
        </Field>
    }
    .any()
}
