//! The drawer of an alert: what is wrong, what it means, what to do, and when it happened before.

use super::{look, mask::MaskForm};
use crate::language::{t, tf, told};
use crate::{
    api::{self, Asked, asked},
    feed::Feed,
    parts,
    signal::RwSignal,
    ui::{Any, Badge, Drawer, ErrorNotice, Icon, NoValue, Skeleton, Stamp, follow, waiting},
};
use domain::{
    AlertId, Scn,
    alert::{Alert, AlertDetails, AlertStatus},
};
use leptos::prelude::*;

/// The drawer, and what it asks for.
#[component]
pub fn AlertDrawer(
    /// Whether it is open.
    open: RwSignal<bool>,
    /// What it shows.
    shown: RwSignal<Option<AlertId>>,
) -> impl IntoView {
    let title = Signal::derive(move || match shown.get() {
        Some(id) => tf("Alert {id}", &[("id", &id)]),
        None => String::new(),
    });
    view! {
        <Drawer open title>
            <div class="drawer-body">
                {follow(move || {
                    shown.get().map(|id| parts::downloaded(move || parts::alert_details(id, shown)))
                })}
            </div>
        </Drawer>
    }
    .any()
}

/// Everything known about an alert.
#[component]
pub fn Body(
    /// Its number.
    id: AlertId,
    /// What the drawer shows; other times of the same fault are shown through it.
    shown: RwSignal<Option<AlertId>>,
) -> impl IntoView {
    let feed = Feed::current();
    let details = asked(
        move || feed.alerts_rev().get(),
        move |_| api::alerts::one(feed.cluster(), id),
    );
    let retry = Callback::new(move |()| details.refetch());
    let view = move || async move {
        match details.await {
            Ok(found) => all(found, details, shown),
            Err(error) => {
                let title = t("The alert could not be loaded").to_owned();
                view! { <ErrorNotice title text=error.to_string() on_retry=retry/> }.any()
            }
        }
    };
    waiting(|| view! { <Skeleton rows=6/> }.any(), view)
}

fn all(
    details: AlertDetails,
    again: Asked<AlertDetails>,
    shown: RwSignal<Option<AlertId>>,
) -> AnyView {
    let alert = details.alert;
    let lasts = alert.status != AlertStatus::Recovered;
    let more = [
        (t("Value"), details.value),
        (t("Threshold"), details.threshold),
    ];
    let more = more
        .into_iter()
        .filter_map(|(name, text)| Some((name.to_owned(), text?)));
    let facts: Vec<AnyView> = more
        .chain(details.labels)
        .map(|(name, text)| pair(told(&name), told(&text)))
        .collect();
    let masked = details.masked_by.filter(|_| alert.masked_until.is_some());
    view! {
        <p class="row">
            <Badge look=look::status(alert.status) soft=true/>
            {look::shape(alert.level)}
            <span>{format!("{}, {}", t(alert.level.label()), told(&alert.name))}</span>
        </p>
        <p>{told(&alert.summary)}</p>
        <dl class="pairs">
            {pair(t("Alert Object").to_owned(), alert.object.clone())}
            {pair(t("Alert Type").to_owned(), alert.rule.clone())}
            {moment(t("Generated At"), Some(alert.generated))}
            {moment(t("Last Generated At"), Some(alert.last_generated))}
            {moment(t("Recovered At"), alert.recovered)}
            {details.ended_because.map(|why| pair(t("Because").to_owned(), told(&why)))}
            {alert.masked_until.map(|at| moment(t("Masked until"), Some(at)))}
            {masked.map(|by| pair(t("Masked by").to_owned(), by))}
            {facts}
            {pair(t("Told when").to_owned(), told(&details.condition))}
            {pair(t("Recovers when").to_owned(), told(&details.recovers_when))}
        </dl>
        {section(t("What it means"), vec![details.impact], "info")}
        {section(t("Probable causes"), details.causes, "s-unknown")}
        {section(t("What to do"), details.advice, "arrow-right")}
        {lasts.then(|| view! { <MaskForm id=alert.id masked=alert.status == AlertStatus::Masked again/> }.any())}
        {history(details.history, shown)}
    }
    .any()
}

fn section(title: &'static str, lines: Vec<String>, icon: &'static str) -> AnyView {
    let lines = lines.into_iter().map(|line| {
        view! {
            <li>
                <Icon name=icon/>
                <span>{told(&line)}</span>
            </li>
        }
        .any()
    });
    view! {
        <section>
            <h3>{title}</h3>
            <ul class="effects">{lines.collect::<Vec<_>>()}</ul>
        </section>
    }
    .any()
}

fn pair(name: String, value: String) -> AnyView {
    view! {
        <dt>{name}</dt>
        <dd>{value}</dd>
    }
    .any()
}

fn moment(name: &'static str, at: Option<Scn>) -> AnyView {
    let value = match at {
        Some(at) => view! { <Stamp at/> }.any(),
        None => view! { <NoValue/> }.any(),
    };
    view! {
        <dt>{name}</dt>
        <dd>{value}</dd>
    }
    .any()
}

fn history(others: Vec<Alert>, shown: RwSignal<Option<AlertId>>) -> Option<AnyView> {
    if others.is_empty() {
        return None;
    }
    let rows = others.into_iter().map(|alert| {
        let id = alert.id;
        view! {
            <dt>
                <crate::ui::LinkButton
                    class="id"
                    label=tf("Alert {id}, details", &[("id", &id)])
                    on_press=move |()| shown.set(Some(id))
                >
                    {id.to_string()}
                </crate::ui::LinkButton>
            </dt>
            <dd>
                <Stamp at=alert.generated/>
                " – "
                {match alert.recovered {
                    Some(at) => view! { <Stamp at/> }.any(),
                    None => view! { <NoValue/> }.any(),
                }}
            </dd>
        }
        .any()
    });
    let rows: Vec<AnyView> = rows.collect();
    let section = view! {
        <section>
            <h3>{t("Other times")}</h3>
            <dl class="pairs">{rows}</dl>
        </section>
    };
    Some(section.any())
}
