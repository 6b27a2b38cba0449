//! The fields of a storage, and its test.

use super::draft::{Draft, StorageDraft};
use super::fields::{Part, State, TextField};
use crate::api::{self, ApiError};
use crate::language::{t, tf, told};
use crate::signal::{Memo, RwSignal};
use crate::ui::{Any, Button, Field, Icon, Notice, Tone, follow};
use domain::capability::Ability;
use domain::second_backup::Place;
use domain::size::bytes;
use domain::storage::{ProbeReport, ProbeStep, StorageKind};
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

/// What the fields of a storage show and change.
#[derive(Clone, Copy)]
struct Parts {
    name: Part,
    directory: Part,
    capacity: Part,
    endpoint: Part,
    access_id: Part,
    key: Part,
    region: Part,
    app_id: Part,
}

/// Ids of its controls.
#[derive(Clone, Copy)]
struct Ids {
    kind: &'static str,
    name: &'static str,
    directory: &'static str,
    capacity: &'static str,
    endpoint: &'static str,
    access_id: &'static str,
    key: &'static str,
    region: &'static str,
    app_id: &'static str,
}

/// The same fields of both storages.
macro_rules! of {
    ($storage:ident) => {
        Parts {
            name: |draft| &mut draft.$storage.name,
            directory: |draft| &mut draft.$storage.directory,
            capacity: |draft| &mut draft.$storage.capacity,
            endpoint: |draft| &mut draft.$storage.endpoint,
            access_id: |draft| &mut draft.$storage.access_id,
            key: |draft| &mut draft.$storage.key,
            region: |draft| &mut draft.$storage.region,
            app_id: |draft| &mut draft.$storage.app_id,
        }
    };
}

const FIRST: Ids = Ids {
    kind: "s-kind",
    name: "s-name",
    directory: "s-directory",
    capacity: "s-capacity",
    endpoint: "s-endpoint",
    access_id: "s-access-id",
    key: "s-key",
    region: "s-region",
    app_id: "s-app-id",
};
const SECOND: Ids = Ids {
    kind: "c-kind",
    name: "c-name",
    directory: "c-directory",
    capacity: "c-capacity",
    endpoint: "c-endpoint",
    access_id: "c-access-id",
    key: "c-key",
    region: "c-region",
    app_id: "c-app-id",
};

/// Kind, name, place and threshold of a storage, and its test.
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
    let fixed = StoredValue::new(fixed);
    let (ids, prefix, part) = match place {
        Place::First => (FIRST, "", of!(storage)),
        Place::Second => (SECOND, label::SECOND_PREFIX, of!(second_storage)),
    };
    let name_hint = t("2 to 32 letters, digits and underscores.");
    let kind = Memo::new(move |_| typed(&state.draft.read(), place).kind);
    let hint = move || match (fixed.get_value(), kind.get().is_object()) {
        (Some(reason), _) => reason,
        (None, false) => t("With its whole path, beginning with /.").to_owned(),
        (None, true) => t("As bucket/prefix, without the protocol.").to_owned(),
    };
    let hint = Signal::derive(hint);
    view! {
        <div class="form-grid">
            {(!is_fixed).then(|| view! { <Existing state place/> }.any())}
            {follow(move || {
                state.filled.track();
                view! {
                    {(!is_fixed).then(|| view! { <Kinds state place/> }.any())}
                    <TextField state id=ids.name label=label::STORAGE_NAME prefix part=part.name hint=name_hint.to_owned()/>
                    <TextField state id=ids.directory label=label::DIRECTORY prefix part=part.directory hint fixed=is_fixed/>
                    <TextField state id=ids.capacity label=label::CAPACITY prefix part=part.capacity unit="%"/>
                }
            })}
            {follow(move || {
                state.filled.track();
                let kind = kind.get();
                kind.is_object().then(|| view! { <Object state ids part prefix kind/> }.any())
            })}
        </div>
        <Test state place/>
    }
    .any()
}

/// What is behind the storage, where the cluster leaves a choice.
#[component]
fn Kinds(state: State, place: Place) -> impl IntoView {
    let kinds = state.kinds.get_value();
    if kinds.len() < 2 {
        return ().into_any();
    }
    let (id, prefix) = match place {
        Place::First => (FIRST.kind, ""),
        Place::Second => (SECOND.kind, label::SECOND_PREFIX),
    };
    let now = typed(&state.draft.get_untracked(), place).kind;
    let option = |kind: StorageKind| {
        view! { <option value=kind.code() selected={kind == now}>{t(kind.label())}</option> }
            .into_any()
    };
    let options = kinds.into_iter().map(option).collect_view();
    let choose = move |event| {
        let Some(kind) = StorageKind::from_code(&event_target_value(&event)) else {
            return;
        };
        state.edit(|draft| match place {
            Place::First => draft.storage.kind = kind,
            Place::Second => draft.second_storage.kind = kind,
        });
    };
    let error = state.error(format!("{prefix}{}", label::STORAGE_KIND));
    view! {
        <Field id label=t(label::STORAGE_KIND) error>
            <select class="select" id=id name=id aria-describedby=format!("{id}-hint") on:change=choose>{options}</select>
        </Field>
    }
    .any()
}

/// How an object storage is reached.
#[component]
fn Object(
    state: State,
    ids: Ids,
    part: Parts,
    prefix: &'static str,
    kind: StorageKind,
) -> impl IntoView {
    let host = t("Host name of the service, such as oss-cn-hangzhou.aliyuncs.com.").to_owned();
    let keep = t("Leave it empty to keep the one that is known.").to_owned();
    let more = match kind {
        StorageKind::S3 => view! {
            <TextField state id=ids.region label=label::REGION prefix part=part.region/>
        }
        .any(),
        StorageKind::Cos => view! {
            <TextField state id=ids.app_id label=label::APP_ID prefix part=part.app_id/>
        }
        .any(),
        StorageKind::File | StorageKind::Oss => ().into_any(),
    };
    view! {
        <TextField state id=ids.endpoint label=label::ENDPOINT prefix part=part.endpoint hint=host/>
        <TextField state id=ids.access_id label=label::ACCESS_ID prefix part=part.access_id/>
        <TextField state id=ids.key label=label::ACCESS_KEY prefix part=part.key kind="password" hint=keep/>
        {more}
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
    let kinds = state.kinds.get_value();
    let can_be = |used: &&StorageUse| kinds.contains(&used.config.settings.kind);
    let options = state
        .storages
        .with_value(|all| all.iter().filter(can_be).map(option).collect_view());
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
        let draft = state.draft.get_untracked();
        let draft = typed(&draft, place);
        let (storage, key) = (draft.settings("", &mut wrong), draft.key());
        if !wrong.is_empty() {
            told.set(Told::Failed(ApiError::Invalid(wrong)));
            return;
        }
        told.set(Told::Asked);
        let cluster = state.cluster.get_value();
        spawn_local(async move {
            let directory = storage.directory.clone();
            let second = place == Place::Second;
            let answer = api::strategies::test_storage(cluster, storage, key, second).await;
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
