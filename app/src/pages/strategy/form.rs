//! The form: its sections, the next runs beside them, and sending it.

use super::advice::{Advice, RemovedToday};
use super::draft::Draft;
use super::fields::State;
use super::preview::Runs;
use super::sections::{Cleanup, FirstStorage, Object, Scheduling, Second, Thresholds};
use super::{Head, Unread, cluster_of_address};
use crate::api::{self, ApiError, asked};
use crate::language::{t, tf};
use crate::live::zone::zone_name;
use crate::routes::paths;
use crate::signal::Memo;
use crate::ui::{Any, Button, ErrorNotice, Notice, Skeleton, Toasts, Tone, follow, title, waiting};
use domain::capability::Expiry;
use domain::schedule::PlannedRun;
use domain::strategy::{Schedule, StrategyForm, StrategySaved};
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;

/// The page with the form.
#[component]
pub fn EditStrategy() -> impl IntoView {
    let cluster = cluster_of_address();
    let form = asked(move || cluster.get(), api::strategies::form);
    let again = Callback::new(move |()| form.refetch());
    view! {
        {title(move || tf("Backup Strategy, {cluster}", &[("cluster", &cluster.get())]))}
        {waiting(|| view! { <section class="panel"><Skeleton rows=8/></section> }.any(), move || async move {
            let cluster = cluster.get_untracked();
            match form.await {
                Ok(form) => view! { <Form cluster form/> }.any(),
                Err(error) => view! { <Unread cluster error again/> }.any(),
            }
        })}
    }
    .any()
}

#[component]
fn Form(cluster: String, form: StrategyForm) -> impl IntoView {
    let state = State::start(cluster.clone(), &form);
    let is_new = form.rev.is_none();
    let zones = form.zones.clone();
    Effect::new(move |before: Option<()>| {
        // A new strategy begins with the viewer's own zone, as soon as the page answers.
        let own = zone_name().filter(|zone| is_new && before.is_none() && zones.contains(zone));
        if let Some(zone) = own {
            state.fill(|draft| draft.zone = zone);
        }
    });
    let (toasts, navigate) = (Toasts::current(), use_navigate());
    let here = match is_new {
        true => t("New Backup Strategy"),
        false => t("Modify Backup Strategy"),
    };
    view! {
        <Head cluster here/>
        <form
            class="form-layout"
            novalidate
            on:submit=move |event| {
                event.prevent_default();
                send(state, toasts, navigate.clone());
            }
        >
            <div class="panel">
                <Object state/>
                <FirstStorage state/>
                <Scheduling state zones=form.zones/>
                <Cleanup state/>
                <Thresholds state/>
                <Second state/>
            </div>
            <Rail state/>
            <Foot state is_new/>
        </form>
    }
    .any()
}

async fn preview(schedule: Option<Schedule>) -> Result<Option<Vec<PlannedRun>>, ApiError> {
    match schedule {
        Some(schedule) => api::strategies::preview(schedule).await.map(Some),
        None => Ok(None),
    }
}

/// The next runs of the schedule as it is typed.
#[component]
fn Rail(state: State) -> impl IntoView {
    let schedule = Memo::new(move |_| state.draft.read().schedule());
    let planned = asked(move || schedule.get(), preview);
    let again = Callback::new(move |()| planned.refetch());
    let hint = |text: String| view! { <p class="field-hint">{text}</p> }.any();
    view! {
        <aside class="form-rail" aria-label=t("What follows from it")>
            <section class="panel">
                <div class="panel-head"><h2>{t("Next runs")}</h2></div>
                <div class="panel-body" aria-live="polite">
                    {waiting(|| view! { <Skeleton rows=5/> }.any(), move || async move {
                        match planned.await {
                            Ok(Some(runs)) => view! { <Runs runs/> }.any(),
                            Ok(None) => hint(t("Choose days, a time and a zone first.").to_owned()),
                            Err(error @ ApiError::Invalid(_)) => hint(error.to_string()),
                            Err(error) => {
                                let title = t("The next runs could not be computed");
                                view! { <ErrorNotice title text=error.to_string() on_retry=again/> }.any()
                            }
                        }
                    })}
                </div>
            </section>
            <Advice state/>
            {(state.expiry == Expiry::ConsoleDeletesSets).then(|| view! { <RemovedToday state/> }.any())}
        </aside>
    }
    .any()
}

/// Sends the form. What was typed stays whatever the answer is.
fn send(state: State, toasts: Toasts, navigate: impl Fn(&str, NavigateOptions) + 'static) {
    if state.sending.get_untracked() {
        return;
    }
    let settings = match state.draft.with_untracked(Draft::settings) {
        Ok(settings) => settings,
        Err(wrong) => return state.refuse(wrong),
    };
    let keys = state.draft.with_untracked(Draft::keys);
    state.sending.set(true);
    state.refused.set(None);
    let (cluster, rev) = (state.cluster.get_value(), state.rev.get_untracked());
    spawn_local(async move {
        let answer = match rev {
            None => api::strategies::create(cluster.clone(), settings, keys).await,
            Some(rev) => api::strategies::modify(cluster.clone(), rev, settings, keys).await,
        };
        if !state.sending.try_set(false) {
            return;
        }
        match answer {
            Ok(saved) => {
                toasts.done(t("Backup strategy saved"), told(&cluster, &saved));
                navigate(&paths::strategy(&cluster), NavigateOptions::default());
            }
            Err(error) => state.refused.set(Some(error)),
        }
    });
}

fn told(cluster: &str, saved: &StrategySaved) -> String {
    let mut text = match saved.changes.len() {
        0 => format!("{cluster}."),
        1 => tf("{cluster}, 1 field changed.", &[("cluster", &cluster)]),
        changes => tf(
            "{cluster}, {changes} fields changed.",
            &[("cluster", &cluster), ("changes", &changes)],
        ),
    };
    for note in &saved.notes {
        text.push(' ');
        text.push_str(&crate::language::told(note));
    }
    text
}

#[component]
fn Foot(state: State, is_new: bool) -> impl IntoView {
    let cluster = state.cluster.get_value();
    let (back, save) = match is_new {
        true => (paths::backup(&cluster), t("Create")),
        false => (paths::strategy(&cluster), t("Save changes")),
    };
    let sending = Signal::derive(move || state.sending.get());
    view! {
        <footer class="form-foot">
            {follow(move || state.refused.get().map(|error| view! { <Refused state error/> }.any()))}
            <span class="foot-note">{t("Tasks that run are not touched.")}</span>
            <a class="button" data-variant="quiet" href=back>{t("Cancel")}</a>
            <Button variant="primary" submit=true busy=sending>{save}</Button>
        </footer>
    }
    .any()
}

/// Why it was not saved. Somebody else's change can be taken as read, so that nothing typed is lost.
#[component]
fn Refused(state: State, error: ApiError) -> impl IntoView {
    let conflict = matches!(error, ApiError::Conflict(_));
    let text = match &error {
        ApiError::Invalid(wrong) => {
            let fields: Vec<&str> = wrong.iter().map(|wrong| wrong.field.as_str()).collect();
            tf("Look at: {fields}.", &[("fields", &fields.join(", "))])
        }
        other => other.to_string(),
    };
    let take = Callback::new(move |()| {
        let cluster = state.cluster.get_value();
        spawn_local(async move {
            match api::strategies::form(cluster).await {
                Ok(form) => {
                    state.rev.try_set(form.rev);
                    state.refused.try_set(None);
                }
                Err(error) => {
                    state.refused.try_set(Some(error));
                }
            }
        });
    });
    view! {
        <Notice tone=Tone::Bad title=t("The strategy was not saved") text urgent=true>
            {conflict.then(|| {
                view! { <Button size="sm" on_press=take>{t("I have seen it, keep my fields")}</Button> }.any()
            })}
        </Notice>
    }
    .any()
}
