//! The form that adds a channel or changes one. What is secret goes in and never comes out.

use crate::language::t;
use crate::{
    api,
    signal::RwSignal,
    ui::{Any, Button, Field, Notice, Toasts, Tone, follow},
};
use domain::{
    alert::Level,
    channel::{Channel, ChannelChange, ChannelKind, EVERY_MIN_DEFAULT, NewChannel},
};
use leptos::prelude::*;

/// What is typed.
#[derive(Clone, Copy)]
struct Draft {
    name: RwSignal<String>,
    kind: RwSignal<ChannelKind>,
    url: RwSignal<String>,
    secret: RwSignal<String>,
    every: RwSignal<String>,
    levels: RwSignal<Vec<Level>>,
}

impl Draft {
    fn of(channel: Option<&Channel>) -> Draft {
        let every = channel.and_then(|channel| channel.every_min);
        let mut levels = Level::ALL.to_vec();
        levels.retain(|level| *level != Level::Reminder);
        Draft {
            name: RwSignal::new(channel.map_or_else(String::new, |channel| channel.name.clone())),
            kind: RwSignal::new(channel.map_or(ChannelKind::Json, |channel| channel.kind)),
            url: RwSignal::new(String::new()),
            secret: RwSignal::new(String::new()),
            every: RwSignal::new(every.unwrap_or(EVERY_MIN_DEFAULT).to_string()),
            levels: RwSignal::new(channel.map_or(levels, |channel| channel.levels.clone())),
        }
    }

    fn secret(self) -> Option<String> {
        let secret = self.secret.get_untracked();
        (self.kind.get_untracked().signs() && !secret.is_empty()).then_some(secret)
    }

    /// Minutes between pings; what is no number is refused as too many.
    fn every(self) -> Option<u32> {
        let pings = self.kind.get_untracked() == ChannelKind::Ping;
        pings.then(|| {
            self.every
                .get_untracked()
                .trim()
                .parse()
                .unwrap_or(u32::MAX)
        })
    }

    fn new_channel(self) -> NewChannel {
        NewChannel {
            name: self.name.get_untracked().trim().to_owned(),
            kind: self.kind.get_untracked(),
            url: self.url.get_untracked().trim().to_owned(),
            secret: self.secret(),
            levels: self.levels.get_untracked(),
            clusters: Vec::new(),
            every_min: self.every(),
        }
    }

    fn change(self) -> ChannelChange {
        let url = self.url.get_untracked().trim().to_owned();
        ChannelChange {
            url: (!url.is_empty()).then_some(url),
            secret: self.secret(),
            levels: Some(self.levels.get_untracked()),
            clusters: None,
            every_min: self.every(),
        }
    }
}

/// The form, down to its buttons.
#[component]
pub fn ChannelForm(
    /// The channel that is changed; nothing for a new one.
    channel: Option<Channel>,
    /// Whether the dialog is open.
    open: RwSignal<bool>,
    /// Reads the channels again.
    again: Callback<()>,
) -> impl IntoView {
    let toasts = Toasts::current();
    let draft = Draft::of(channel.as_ref());
    let name = StoredValue::new(channel.map(|channel| channel.name));
    let is_new = name.with_value(Option::is_none);
    let error = RwSignal::new(None::<api::ApiError>);
    let save = Action::new(move |(): &()| async move {
        let done = match name.get_value() {
            None => api::channels::add(draft.new_channel()).await,
            Some(name) => api::channels::modify(name, draft.change()).await,
        };
        match done {
            Ok(channel) => {
                toasts.done(t("Channel saved"), format!("{}.", channel.name));
                open.set(false);
                again.run(());
            }
            Err(wrong) => error.set(Some(wrong)),
        }
    });
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        error.set(None);
        save.dispatch(());
    };
    let of = move |field: &'static str| {
        Signal::derive(move || {
            error
                .read()
                .as_ref()
                .and_then(|wrong| wrong.of_field(field))
        })
    };
    let rest = move || {
        let error = error.read();
        let wrong = error.as_ref()?;
        let told = ["Name", "URL", "Secret", "Every", "Levels"];
        let is_told = told.iter().any(|field| wrong.of_field(field).is_some());
        (!is_told).then(|| wrong.to_string())
    };
    view! {
        <form on:submit=submit novalidate>
            <div class="dialog-body">
                {is_new.then(|| view! { <Naming draft error=of("Name")/> }.any())}
                <Text
                    id="channel-url"
                    label=t("Address")
                    value=draft.url
                    secret=true
                    hint=match is_new {
                        true => t("The receiver's webhook address. It is sealed and never shown again."),
                        false => t("Leave it empty to keep the present one, which nobody can read again."),
                    }
                    error=of("URL")
                />
                {follow(move || draft.kind.get().signs().then(|| view! {
                    <Text
                        id="channel-secret"
                        label=t("Key for signatures")
                        value=draft.secret
                        secret=true
                        hint=t("Only if the receiver wants signed messages.")
                        error=of("Secret")
                    />
                }.any()))}
                {follow(move || match draft.kind.get() {
                    ChannelKind::Ping => view! {
                        <Text
                            id="channel-every"
                            label=t("Minutes between two pings")
                            value=draft.every
                            hint=t("1 to 1440. Whoever watches the address notices when pings stop.")
                            error=of("Every")
                        />
                    }.any(),
                    _ => view! { <Levels levels=draft.levels/> }.any(),
                })}
                {follow(move || rest().map(|text| {
                    view! { <Notice tone=Tone::Bad title=t("This was not done") text urgent=true/> }.any()
                }))}
            </div>
            <div class="dialog-foot">
                <Button variant="quiet" on_press=move |()| open.set(false)>{t("Cancel")}</Button>
                <Button variant="primary" submit=true busy=save.pending()>{t("Save")}</Button>
            </div>
        </form>
    }
    .any()
}

/// Name and kind, which stay as they are once the channel is there.
#[component]
fn Naming(draft: Draft, error: Signal<Option<String>>) -> impl IntoView {
    let kinds = ChannelKind::ALL
        .map(|kind| view! { <option value=kind.code()>{kind.label()}</option> }.any());
    view! {
        <Text
            id="channel-name"
            label=t("Name")
            value=draft.name
            hint=t("2 to 64 letters, digits and underscores, beginning with a letter.")
            error
        />
        <Field id="channel-kind" label=t("Kind")>
            <select
                class="select"
                id="channel-kind"
                on:change=move |event| {
                    let kind = ChannelKind::from_code(&event_target_value(&event));
                    draft.kind.set(kind.unwrap_or(ChannelKind::Json));
                }
            >
                {kinds.into_iter().collect_view()}
            </select>
        </Field>
    }
    .any()
}

#[component]
fn Text(
    id: &'static str,
    label: &'static str,
    value: RwSignal<String>,
    /// What is typed is not remembered by the browser.
    #[prop(optional)]
    secret: bool,
    hint: &'static str,
    error: Signal<Option<String>>,
) -> impl IntoView {
    view! {
        <Field id label hint=hint.to_owned() error>
            <input
                class="input"
                id=id
                autocomplete="off"
                spellcheck="false"
                data-secret=secret.then_some("")
                aria-describedby=format!("{id}-hint")
                aria-invalid=move || error.read().is_some().to_string()
                prop:value=move || value.get()
                on:input=move |event| value.set(event_target_value(&event))
            />
        </Field>
    }
    .any()
}

#[component]
fn Levels(levels: RwSignal<Vec<Level>>) -> impl IntoView {
    let each = Level::ALL.map(|level| {
        view! {
            <label class="check">
                <input
                    type="checkbox"
                    prop:checked=move || levels.read().contains(&level)
                    on:change=move |_| levels.update(|levels| {
                        match levels.contains(&level) {
                            true => levels.retain(|one| *one != level),
                            false => levels.push(level),
                        }
                    })
                />
                <span>{t(level.label())}</span>
            </label>
        }
        .any()
    });
    view! {
        <fieldset class="choice">
            <legend class="field-label">{t("Levels")}</legend>
            {each.into_iter().collect_view()}
        </fieldset>
    }
    .any()
}
