//! What has expired: what a cleanup would remove, what it keeps and why, what would be lost; and removing it now.

use crate::language::{t, tf, told};
use crate::{
    api,
    feed::Feed,
    pages::words::count,
    signal::RwSignal,
    ui::{Any, Button, Field, Icon, Notice, Stamp, Toasts, Tone, follow},
};
use domain::{
    TenantId,
    access::Role,
    retention::{CleanupPlan, RETENTION_DAYS_MAX, RETENTION_DAYS_MIN, Stored},
    second_backup::Place,
    size::bytes,
};
use leptos::prelude::*;

/// Days that are proposed.
const DAYS: u32 = 7;
/// Most things of each list that are shown.
const SHOWN_MAX: usize = 100;

/// What is asked, down to its buttons.
#[component]
pub fn Form(
    /// Whether the dialog is open.
    open: RwSignal<bool>,
) -> impl IntoView {
    let (feed, toasts) = (Feed::current(), Toasts::current());
    let tenants = feed.period().with_untracked(|period| {
        let tenants = period.tenants.iter();
        tenants
            .map(|tenant| (tenant.tenant, tenant.name.clone()))
            .collect::<Vec<_>>()
    });
    let tenant = RwSignal::new(tenants.first().map(|(id, _)| *id));
    let place = RwSignal::new(Place::First);
    let days = RwSignal::new(DAYS.to_string());
    let days_error = RwSignal::new(None::<String>);
    let failed = RwSignal::new(None::<String>);
    let plan = RwSignal::new(None::<CleanupPlan>);
    let read = move || {
        let typed = days.get_untracked();
        let number = typed.trim().parse::<u32>().ok();
        let number = number.filter(|it| (RETENTION_DAYS_MIN..=RETENTION_DAYS_MAX).contains(it));
        if number.is_none() {
            days_error.set(Some(tf(
                "{typed} does not fit; {min} to {max} days.",
                &[
                    ("typed", &typed),
                    ("min", &RETENTION_DAYS_MIN),
                    ("max", &RETENTION_DAYS_MAX),
                ],
            )));
        }
        number
    };
    let look = Action::new(move |(of, days): &(TenantId, u32)| {
        let (of, days) = (*of, *days);
        async move {
            match api::cleanup::plan(feed.cluster(), of, days, place.get_untracked()).await {
                Ok(found) => plan.set(Some(found)),
                Err(error) => failed.set(Some(error.to_string())),
            }
        }
    });
    let remove = Action::new(move |(of, days): &(TenantId, u32)| {
        let (of, days) = (Some(*of), *days);
        async move {
            match api::cleanup::clean_up_now(feed.cluster(), of, days, place.get_untracked()).await
            {
                Ok(begun) => {
                    let ids: Vec<String> = begun.tasks.iter().map(ToString::to_string).collect();
                    toasts.done(
                        t("Cleanup started"),
                        tf("Task {id}.", &[("id", &ids.join(", "))]),
                    );
                    open.set(false);
                    feed.refresh();
                }
                Err(error) => failed.set(Some(error.to_string())),
            }
        }
    });
    let begin = move |action: Action<(TenantId, u32), ()>| {
        failed.set(None);
        if let (Some(of), Some(days)) = (tenant.get_untracked(), read()) {
            action.dispatch((of, days));
        }
    };
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        begin(look);
    };
    let off = Signal::derive(move || feed.disconnected_reason());
    view! {
        <form on:submit=submit novalidate>
            <div class="dialog-body">
                <p class="field-hint">
                    {t("The newest full set at or before the days to keep and everything after it always stay, and one usable full set stays however old it is.")}
                </p>
                <Field id="cleanup-of" label=t("Tenant")>
                    <select
                        class="select"
                        id="cleanup-of"
                        on:change=move |event| {
                            tenant.set(event_target_value(&event).parse().ok());
                            plan.set(None);
                        }
                    >
                        {tenants
                            .into_iter()
                            .map(|(id, name)| view! { <option value=id.to_string()>{name}</option> }.any())
                            .collect_view()}
                    </select>
                </Field>
                <Field id="cleanup-place" label=t("Copy")>
                    <select
                        class="select"
                        id="cleanup-place"
                        on:change=move |event| {
                            place.set(Place::from_code(&event_target_value(&event)).unwrap_or_default());
                            plan.set(None);
                        }
                    >
                        {[Place::First, Place::Second]
                            .map(|place| view! { <option value=place.code()>{t(place.label())}</option> }.any())
                            .into_iter()
                            .collect_view()}
                    </select>
                </Field>
                <Field id="cleanup-days" label=t("Days to keep") error=days_error>
                    <input
                        class="input"
                        id="cleanup-days"
                        inputmode="numeric"
                        aria-describedby="cleanup-days-hint"
                        aria-invalid=move || days_error.read().is_some().to_string()
                        prop:value=move || days.get()
                        on:input=move |event| {
                            days.set(event_target_value(&event));
                            days_error.set(None);
                            plan.set(None);
                        }
                    />
                </Field>
                {follow(move || plan.get().map(shown))}
                {follow(move || {
                    failed
                        .get()
                        .map(|text| {
                            view! { <Notice tone=Tone::Bad title=t("This was not done") text urgent=true/> }.any()
                        })
                })}
            </div>
            <div class="dialog-foot">
                <Button variant="quiet" on_press=move |()| open.set(false)>
                    {t("Close")}
                </Button>
                <Button submit=true busy=look.pending() off>
                    {t("Show what would go")}
                </Button>
                {follow(move || {
                    let expires = plan.read().as_ref().is_some_and(|plan| !plan.expired.is_empty());
                    (expires && feed.may(Role::Admin))
                        .then(|| {
                            view! {
                                <Button variant="danger" busy=remove.pending() off on_press=move |()| begin(remove)>
                                    {t("Remove it now")}
                                </Button>
                            }.any()
                        })
                })}
            </div>
        </form>
    }
    .any()
}

/// What a plan says.
fn shown(plan: CleanupPlan) -> AnyView {
    let freed = bytes(plan.expired_bytes());
    let things = count(plan.expired.len() as u64, "object");
    let sum = match plan.expired.len() {
        0 => t("Nothing has expired.").to_owned(),
        _ => tf(
            "{things} would go, {freed}.",
            &[("things", &things), ("freed", &freed)],
        ),
    };
    let lost = (!plan.lost.is_empty()).then(|| {
        let ranges = plan.lost.iter().map(|range| {
            view! {
                <li data-tone="warn">
                    <Icon name="s-warn"/>
                    <span>
                        <Stamp at=range.start/>" – "<Stamp at=range.end/>
                    </span>
                </li>
            }
            .any()
        });
        view! {
            <h3>{t("Could not be recovered to any more")}</h3>
            <ul class="effects">{ranges.collect_view()}</ul>
        }
        .any()
    });
    let expired = plan
        .expired
        .iter()
        .take(SHOWN_MAX)
        .map(|one| line(&one.what, one.bytes, None));
    let kept = plan.kept.iter().take(SHOWN_MAX).map(|one| {
        let why = told(&one.because.words());
        line(&one.what, one.bytes, Some(why))
    });
    view! {
        <section aria-live="polite">
            <p>
                <b>{sum}</b>
                " "
                {t("Every moment since this one stays recoverable:")}
                " "
                <Stamp at=plan.keep_from/>
            </p>
            {lost}
            <h3>{t("Would go")}</h3>
            <ol class="course">{expired.collect_view()}</ol>
            <h3>{t("Stays, and why")}</h3>
            <ol class="course">{kept.collect_view()}</ol>
        </section>
    }
    .any()
}

fn line(what: &Stored, size: u64, why: Option<String>) -> AnyView {
    let name = match what {
        Stored::Set(set) => tf("Set {set}", &[("set", set)]),
        Stored::Log { round, .. } => tf("Log of round {round}", &[("round", round)]),
    };
    let span = match what {
        Stored::Set(_) => None,
        Stored::Log { start, end, .. } => {
            Some(view! { <small><Stamp at=*start/>" – "<Stamp at=*end/></small> }.any())
        }
    };
    view! {
        <li>
            <span>{name} " " <small class="num">{bytes(size)}</small></span>
            <span>{span} {why.map(|why| view! { <small class="pair-note">{why}</small> }.any())}</span>
        </li>
    }
    .any()
}
