//! The sections of the form.

use super::days::Days;
use super::fields::{State, Switch, TextField};
use super::storage::Storage;
use crate::language::{t, tf};
use crate::signal::Memo;
use crate::ui::{Any, Notice, Segmented, Tone, follow};
use domain::capability::Expiry;
use domain::second_backup::{LogCycle, Place};
use domain::strategy::label;
use leptos::prelude::*;

/// Id of the list of zones.
const ZONES: &str = "zones";

#[component]
fn Section(title: &'static str, note: &'static str, children: Children) -> impl IntoView {
    view! {
        <section class="form-section">
            <header><h2>{t(title)}</h2><p>{t(note)}</p></header>
            {children()}
        </section>
    }
    .any()
}

/// What is backed up.
#[component]
pub fn Object(
    /// The form.
    state: State,
) -> impl IntoView {
    let method = t(state.draft.get_untracked().method.label());
    let hint =
        t("Data and logs are backed up together; log backup is started where it is stopped.");
    view! {
        <Section title=t("Backup object") note="">
            <div class="form-grid">
                <div class="field">
                    <label for="f-cluster">{t("Backup cluster")}</label>
                    <input class="input" id="f-cluster" value=state.cluster.get_value() readonly=true/>
                </div>
                <div class="field">
                    <label for="f-method">{t(label::METHOD)}</label>
                    <input class="input" id="f-method" value=method readonly=true aria-describedby="f-method-hint"/>
                    <p class="field-hint" id="f-method-hint">{hint}</p>
                </div>
            </div>
        </Section>
    }
    .any()
}

/// Where backups go.
#[component]
pub fn FirstStorage(
    /// The form.
    state: State,
) -> impl IntoView {
    view! {
        <Section title=t("Storage configuration") note=t("Where data and logs go first")>
            <Storage state place=Place::First/>
        </Section>
    }
    .any()
}

/// When data backups are made.
#[component]
pub fn Scheduling(
    /// The form.
    state: State,
    /// Names of zones.
    zones: Vec<String>,
) -> impl IntoView {
    let zone = |zone: String| view! { <option value=zone></option> }.into_any();
    let zones = zones.into_iter().map(zone).collect_view();
    let time_hint = t(
        "A time that the clocks leave out is due right after it; one that comes twice, the first time.",
    );
    view! {
        <Section title=t("Backup scheduling") note=t("At least one day; at least one full backup is advised")>
            <Days state/>
            <div class="form-grid">
                <TextField state id="f-time" label=label::TIME part=|draft| &mut draft.at kind="time" hint=time_hint.to_owned()/>
                {follow(move || {
                    state.filled.track();
                    let hint = t("Such as Europe/Berlin or UTC.").to_owned();
                    view! {
                        <TextField state id="f-zone" label=label::ZONE part=|draft| &mut draft.zone list=ZONES hint/>
                    }
                })}
            </div>
            <datalist id=ZONES>{zones}</datalist>
        </Section>
    }
    .any()
}

/// What becomes of old backups.
#[component]
pub fn Cleanup(
    /// The form.
    state: State,
) -> impl IntoView {
    let on = Memo::new(move |_| state.draft.read().cleanup);
    view! {
        <Section title=label::CLEANUP note="">
            <Switch state label=t("Remove expired backups") part=|draft| &mut draft.cleanup/>
            {follow(move || match on.get() {
                true => view! { <CleanupFields state/> }.any(),
                false => view! { <p class="field-hint">{t("Everything is kept. Watch the storage.")}</p> }.any(),
            })}
        </Section>
    }
    .any()
}

#[component]
fn CleanupFields(state: State) -> impl IntoView {
    let kept = Signal::derive(move || {
        let days = state.draft.read().retention.clone();
        tf(
            "Any moment of the last {days} days stays recoverable; the full backup before them is kept.",
            &[("days", &days)],
        )
    });
    let daily = t("Each day, in the zone of the schedule.").to_owned();
    let at = match state.expiry {
        Expiry::ConsoleDeletesSets => view! {
            <TextField state id="f-clean" label=label::CLEANUP_TIME part=|draft| &mut draft.cleanup_at kind="time" hint=daily/>
        }
        .any(),
        Expiry::EngineByPolicy => {
            let text = t("The cluster removes by its own policy, which it looks at every hour.");
            view! { <p class="field-hint">{text}</p> }.any()
        }
    };
    view! {
        <div class="form-grid">
            <TextField state id="f-keep" label=label::RETENTION part=|draft| &mut draft.retention unit="days" hint=kept/>
            {at}
        </div>
    }
    .any()
}

/// When a person is called.
#[component]
pub fn Thresholds(
    /// The form.
    state: State,
) -> impl IntoView {
    view! {
        <Section title=t("Alert thresholds") note=t("When a person is called")>
            <div class="form-grid" data-cols="3">
                <TextField state id="f-timeout" label=label::TIMEOUT part=|draft| &mut draft.timeout unit="minutes"/>
                <TextField state id="f-delay" label=label::LOG_DELAY part=|draft| &mut draft.log_delay unit="seconds"/>
                <TextField state id="f-success" label=label::NO_SUCCESS part=|draft| &mut draft.no_success unit="days"/>
            </div>
        </Section>
    }
    .any()
}

/// The copy at another place.
#[component]
pub fn Second(
    /// The form.
    state: State,
) -> impl IntoView {
    let on = Memo::new(move |_| state.draft.read().second);
    let error = state.error(label::SECOND.to_owned());
    let fixed = match state.can_second {
        true => "",
        false => t("This cluster cannot keep a second copy."),
    };
    view! {
        <Section title=label::SECOND note=t("Copies data backups and logs to another storage")>
            <Switch state label=t("Keep a second copy") part=|draft| &mut draft.second fixed/>
            {follow(move || {
                error.get().map(|text| view! { <Notice tone=Tone::Bad title=label::SECOND text/> }.any())
            })}
            {follow(move || on.get().then(|| view! { <SecondFields state/> }.any()))}
        </Section>
    }
    .any()
}

#[component]
fn SecondFields(state: State) -> impl IntoView {
    let cycles = [LogCycle::Hourly, LogCycle::Daily];
    let now = state.draft.get_untracked().log_cycle;
    let chosen = cycles.iter().position(|each| *each == now).unwrap_or(0);
    let on_choose = Callback::new(move |number: usize| {
        state.edit(|draft| draft.log_cycle = cycles[number.min(1)]);
    });
    let choices = cycles.map(LogCycle::label).to_vec();
    let (kept, fast) = (
        t("Empty: as long as the first copy."),
        t("Empty: as fast as it goes."),
    );
    view! {
        <Switch state label=t("Copy each completed data backup") part=|draft| &mut draft.second_data/>
        <div class="field">
            <span class="field-label">{label::SECOND_LOG}</span>
            <Segmented name="log-cycle" label=label::SECOND_LOG choices chosen on_choose/>
        </div>
        <Storage state place=Place::Second/>
        <div class="form-grid">
            <TextField state id="f-keep2" label=label::SECOND_RETENTION part=|draft| &mut draft.second_retention unit="days" hint=kept.to_owned()/>
            <TextField state id="f-limit" label=label::SECOND_LIMIT part=|draft| &mut draft.limit unit="MB/s" hint=fast.to_owned()/>
        </div>
    }
    .any()
}
