//! The form's state, and its fields.

use super::draft::Draft;
use crate::api::ApiError;
use crate::language::{t, told};
use crate::signal::{Memo, RwSignal};
use crate::ui::{Any, Field};
use domain::Revision;
use domain::capability::{Ability, Expiry};
use domain::storage::StorageKind;
use domain::strategy::{StorageUse, StrategyForm};
use domain::validate::Violation;
use leptos::prelude::*;

/// What all parts of the form share.
#[derive(Clone, Copy)]
pub struct State {
    /// Name of the cluster.
    pub cluster: StoredValue<String>,
    /// What is typed.
    pub draft: RwSignal<Draft>,
    /// Version of the strategy that it was made from; absent for a new one.
    pub rev: RwSignal<Option<Revision>>,
    /// What was wrong with it when it was sent.
    pub refused: RwSignal<Option<ApiError>>,
    /// It is being sent.
    pub sending: RwSignal<bool>,
    /// Grows when fields have to be shown anew because something else filled them in.
    pub filled: RwSignal<u32>,
    /// Storage configurations to choose from.
    pub storages: StoredValue<Vec<StorageUse>>,
    /// Whether the first directory can be another one.
    pub movable: StoredValue<Ability>,
    /// What the cluster's backups can be kept in.
    pub kinds: StoredValue<Vec<StorageKind>>,
    /// Who removes expired backups.
    pub expiry: Expiry,
    /// Whether incremental data backup exists.
    pub incremental: bool,
    /// Whether a second copy can be kept.
    pub can_second: bool,
}

impl State {
    /// The state of a form that was just read.
    pub fn start(cluster: String, form: &StrategyForm) -> State {
        State {
            cluster: StoredValue::new(cluster),
            draft: RwSignal::new(Draft::of(&form.settings)),
            rev: RwSignal::new(form.rev),
            refused: RwSignal::new(None),
            sending: RwSignal::new(false),
            filled: RwSignal::new(0),
            storages: StoredValue::new(form.storages.clone()),
            movable: StoredValue::new(form.change_destination.clone()),
            kinds: StoredValue::new(form.kinds.clone()),
            expiry: form.expiry,
            incremental: form.incremental,
            can_second: form.second,
        }
    }

    /// Changes what is typed.
    pub fn edit(&self, change: impl FnOnce(&mut Draft)) {
        let mut draft = self.draft.get_untracked();
        change(&mut draft);
        self.draft.set(draft);
    }

    /// Changes what is typed from elsewhere than its field.
    pub fn fill(&self, change: impl FnOnce(&mut Draft)) {
        self.edit(change);
        self.filled.set(self.filled.get_untracked() + 1);
    }

    /// What was wrong with the field of this label.
    pub fn error(self, label: String) -> Signal<Option<String>> {
        Signal::derive(move || {
            let refused = self.refused.read();
            refused.as_ref().and_then(|error| error.of_field(&label))
        })
    }

    /// Refuses fields before they are sent.
    pub fn refuse(&self, wrong: Vec<Violation>) {
        self.refused.set(Some(ApiError::Invalid(wrong)));
    }
}

/// What of the draft a field shows and changes.
pub type Part = fn(&mut Draft) -> &mut String;

/// A field of text. What is typed stays as it is.
#[component]
pub fn TextField(
    /// The form.
    state: State,
    /// Id of the control.
    id: &'static str,
    /// Its label.
    label: &'static str,
    /// What stands before its label in errors.
    #[prop(optional)]
    prefix: &'static str,
    /// What it shows and changes.
    part: Part,
    /// What is expected.
    #[prop(optional, into)]
    hint: Signal<String>,
    /// What is counted.
    #[prop(optional)]
    unit: &'static str,
    /// `text` unless it is said otherwise.
    #[prop(default = "text")]
    kind: &'static str,
    /// Id of a list of proposals.
    #[prop(optional)]
    list: Option<&'static str>,
    /// Cannot be changed.
    #[prop(optional)]
    fixed: bool,
) -> impl IntoView {
    let error = state.error(format!("{prefix}{label}"));
    let wrong = Memo::new(move |_| error.get().is_some());
    let value = part(&mut state.draft.get_untracked()).clone();
    let numeric = !unit.is_empty();
    view! {
        <Field id label=t(label) hint error>
            <span class="input-group">
                <input
                    class="input"
                    id=id
                    name=id
                    type=kind
                    inputmode=numeric.then_some("numeric")
                    data-width=numeric.then_some("sm")
                    list=list
                    value=value
                    readonly=fixed
                    spellcheck="false"
                    autocomplete="off"
                    autocapitalize="off"
                    aria-describedby=format!("{id}-hint")
                    aria-invalid=move || wrong.get().to_string()
                    on:input=move |event| {
                        let typed = event_target_value(&event);
                        state.edit(|draft| *part(draft) = typed);
                    }
                />
                {numeric.then(|| view! { <span class="unit">{told(unit)}</span> }.any())}
            </span>
        </Field>
    }
    .any()
}

/// A switch.
#[component]
pub fn Switch(
    /// The form.
    state: State,
    /// What it switches.
    label: &'static str,
    /// What it shows and changes.
    part: fn(&mut Draft) -> &mut bool,
    /// Why it cannot be changed; nothing while it can.
    #[prop(optional)]
    fixed: &'static str,
) -> impl IntoView {
    let checked = *part(&mut state.draft.get_untracked());
    let is_fixed = !fixed.is_empty();
    view! {
        <label class="check">
            <input
                type="checkbox"
                role="switch"
                checked=checked
                disabled=is_fixed
                on:change=move |event| {
                    let is_on = event_target_checked(&event);
                    state.edit(|draft| *part(draft) = is_on);
                }
            />
            <span>{t(label)}{is_fixed.then(|| view! { <small>{fixed}</small> }.any())}</span>
        </label>
    }
    .any()
}
