//! The fields of a storage, and its test.

use super::draft::{Draft, StorageDraft};
use super::fields::{Part, State, TextField};
use crate::api::{self, ApiError};
use crate::language::{t, tf, told};
use crate::signal::{Memo, RwSignal};
use crate::ui::{Any, Button, Icon, Notice, Tone, follow};
use domain::capability::Ability;
use domain::second_backup::Place;
use domain::size::bytes;
use domain::storage::{ProbeReport, ProbeStep};
use domain::strategy::{StorageUse, label};
use leptos::prelude::*;
use leptos::task::spawn_local;

/// What the test of a storage told, and of which directory.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Told {
    Nothing,
    Asked,
    Report(String, ProbeReport),
    Failed(ApiError),
}

fn typed(draft: &Draft, place: Place) -> &StorageDraft {
    match place {
        Place::First => &draft.storage,
        Place::Second => &draft.second_storage,
    }
}

/// What a storage's fields show and change: name, directory, threshold.
fn parts(place: Place) -> [Part; 3] {
    match place {
        Place::First => [
            |draft| &mut draft.storage.name,
            |draft| &mut draft.storage.directory,
            |draft| &mut draft.storage.capacity,
        ],
        Place::Second => [
            |draft| &mut draft.second_storage.name,
            |draft| &mut draft.second_storage.directory,
            |draft| &mut draft.second_storage.capacity,
        ],
    }
}

/// Name, directory and threshold of a storage, and its test.
#[component]
pub fn Storage(
    /// The form.
    state: State,
    /// Which copy goes there.
    place: Place,
) -> impl IntoView {
    let fixed = match (place, state.movable.get_value()) {
        (Place::First, Ability::No(reason)) => Some(told(&reason)),
        _ => None,
    };
    let is_fixed = fixed.is_some();
    let hint = fixed.unwrap_or_else(|| t("With its whole path, beginning with /.").to_owned());
    let hint = StoredValue::new(hint);
    let (ids, prefix) = match place {
        Place::First => (["s-name", "s-directory", "s-capacity"], ""),
        Place::Second => (
            ["c-name", "c-directory", "c-capacity"],
            label::SECOND_PREFIX,
        ),
    };
    let [name, directory, capacity] = parts(place);
    let name_hint = t("2 to 32 letters, digits and underscores.");
    view! {
        <div class="form-grid">
            {(!is_fixed).then(|| view! { <Existing state place/> }.any())}
            {follow(move || {
                state.filled.track();
                let hint = hint.get_value();
                view! {
                    <TextField state id=ids[0] label=label::STORAGE_NAME prefix part=name hint=name_hint.to_owned()/>
                    <TextField state id=ids[1] label=label::DIRECTORY prefix part=directory hint fixed=is_fixed/>
                    <TextField state id=ids[2] label=label::CAPACITY prefix part=capacity unit="%"/>
                }
            })}
        </div>
        <Test state place/>
    }
    .any()
}

/// Chooses a configuration that exists.
#[component]
fn Existing(state: State, place: Place) -> impl IntoView {
    let option = |used: &StorageUse| {
        let settings = &used.config.settings;
        let text = format!(
            "{}, {}, {}",
            settings.name,
            t(settings.kind.label()),
            settings.directory
        );
        view! { <option value=settings.name.clone()>{text}</option> }.into_any()
    };
    let options = state
        .storages
        .with_value(|all| all.iter().map(option).collect_view());
    let id = match place {
        Place::First => "s-existing",
        Place::Second => "c-existing",
    };
    let choose = move |event| {
        let name = event_target_value(&event);
        let found = state.storages.with_value(|storages| {
            let mut all = storages.iter().map(|used| &used.config.settings);
            all.find(|settings| settings.name == name)
                .map(StorageDraft::of)
        });
        let Some(filled) = found else {
            return;
        };
        state.fill(|draft| match place {
            Place::First => draft.storage = filled,
            Place::Second => draft.second_storage = filled,
        });
    };
    view! {
        <div class="field" data-span="all">
            <label for=id>{t("Select existing configuration")}</label>
            <select class="select" id=id on:change=choose>
                <option value="">{t("As typed below")}</option>
                {options}
            </select>
        </div>
    }
    .any()
}

#[component]
fn Test(state: State, place: Place) -> impl IntoView {
    let told = RwSignal::new(Told::Nothing);
    let busy = Memo::new(move |_| *told.read() == Told::Asked);
    let press = Callback::new(move |()| {
        let mut wrong = Vec::new();
        let storage = typed(&state.draft.get_untracked(), place).settings("", &mut wrong);
        if !wrong.is_empty() {
            told.set(Told::Failed(ApiError::Invalid(wrong)));
            return;
        }
        told.set(Told::Asked);
        let cluster = state.cluster.get_value();
        spawn_local(async move {
            let directory = storage.directory.clone();
            let second = place == Place::Second;
            let answer = api::strategies::test_storage(cluster, storage, second).await;
            told.try_set(match answer {
                Ok(report) => Told::Report(directory, report),
                Err(error) => Told::Failed(error),
            });
        });
    });
    let current = Memo::new(move |_| {
        typed(&state.draft.read(), place)
            .directory
            .trim()
            .to_owned()
    });
    view! {
        <div class="row">
            <Button icon="bolt" busy=Signal::derive(move || busy.get()) on_press=press>{t("Test")}</Button>
            <span class="field-hint">{t("Needed before saving when the storage is new to this cluster.")}</span>
        </div>
        <div aria-live="polite">
            {follow(move || match told.get() {
                Told::Nothing | Told::Asked => ().into_any(),
                Told::Failed(error) => {
                    view! { <Notice tone=Tone::Bad title=t("The storage could not be tested") text=error.to_string()/> }.any()
                }
                Told::Report(directory, report) => {
                    let old = directory != current.get();
                    view! { <Report directory report old/> }.any()
                }
            })}
        </div>
    }
    .any()
}

#[component]
fn Report(directory: String, report: ProbeReport, old: bool) -> impl IntoView {
    let (tone, title) = match (old, report.passed()) {
        (true, _) => (
            Tone::Warn,
            tf(
                "The test was of {directory}; test again",
                &[("directory", &directory)],
            ),
        ),
        (false, true) => (
            Tone::Ok,
            tf("{directory} passed", &[("directory", &directory)]),
        ),
        (false, false) => (
            Tone::Bad,
            tf("{directory} did not pass", &[("directory", &directory)]),
        ),
    };
    let space = match (report.free_bytes, report.total_bytes) {
        (Some(free), Some(total)) => tf(
            "{free} of {total} are free.",
            &[("free", &bytes(free)), ("total", &bytes(total))],
        ),
        _ => String::new(),
    };
    view! {
        <Notice tone title text=space/>
        <ul class="check-list">{report.steps.into_iter().map(step).collect_view()}</ul>
    }
    .any()
}

fn step(step: ProbeStep) -> impl IntoView {
    let (tone, icon) = match step.failure {
        None => (Tone::Ok, "s-ok"),
        Some(_) => (Tone::Bad, "s-bad"),
    };
    let took = tf("{took_ms} ms", &[("took_ms", &step.took_ms)]);
    view! {
        <li data-tone=tone.code()>
            <Icon name=icon/>
            <span>{told(&step.name)}</span>
            <span>{took}</span>
            {step.failure.map(|why| view! { <small>{told(&why)}</small> }.any())}
        </li>
    }
    .any()
}
