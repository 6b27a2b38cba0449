//! "Source and moment": which tenant, from which of its moments.

use super::model;
use crate::language::{t, tf};
use crate::live;
use crate::pages::backup_recovery::calendar::{
    Calendar,
    lanes::{Lanes, Legend},
    loupe::Loupe,
    moment::{self, Standing},
    picker::{MomentInput, Nearest},
    view,
};
use crate::signal::{Memo, RwSignal};
use crate::ui::{Any, Icon, IconButton, follow};
use domain::scn::NS_PER_SECOND;
use domain::{Scn, TenantId};
use leptos::prelude::*;

/// The section.
#[component]
pub fn Source(
    /// The calendar of the source tenant.
    calendar: Calendar,
    /// The source cluster's name.
    cluster: String,
    /// The source tenant.
    tenant: RwSignal<Option<TenantId>>,
    /// What the server said about the moment.
    refused: Signal<Option<String>>,
) -> impl IntoView {
    view! {
        <section class="form-section" id="source">
            <header>
                <h2>{t("Source and moment")}</h2>
                <p>{t("A recovery always makes a new tenant. The source is not touched.")}</p>
            </header>
            <div class="form-grid">
                <div class="field">
                    <label for="r-cluster">{t("Source cluster")}</label>
                    <input class="input" id="r-cluster" value=cluster readonly=true/>
                </div>
                <TenantField calendar tenant/>
            </div>
            <div class="row recovery-week">
                <h3>{t("Available Recovery Period")}</h3>
                <Weeks calendar/>
            </div>
            <div class="calendar">
                <Lanes calendar/>
                <Legend several=Signal::stored(false)/>
            </div>
            <div class="moment-row">
                <div class="field">
                    <div class="moment-label">
                        <label for="r-moment">{t("Recover to")}</label>
                        <small>{move || zone_words(calendar)}</small>
                        <button class="link-button" type="button" on:click=move |_| to_latest(calendar)>{t("Latest")}</button>
                    </div>
                    <div class="stepper moment-input">
                        <MomentInput calendar id="r-moment" labelled=true/>
                        <span class="button-group">
                            <Nudge calendar seconds=-1 text="\u{2212}1 s" label=t("One second earlier")/>
                            <Nudge calendar seconds=1 text="+1 s" label=t("One second later")/>
                        </span>
                    </div>
                    <MomentVerdict calendar refused/>
                </div>
                <Loupe calendar/>
            </div>
        </section>
    }.any()
}

fn zone_words(calendar: Calendar) -> String {
    let at = calendar.moment.get().unwrap_or_else(|| calendar.now.get());
    tf(
        "{at}, to the microsecond",
        &[("at", &calendar.zone.get().name(at))],
    )
}

/// The newest recoverable moment as it is now. The form does not follow it: a plan belongs to one moment.
fn to_latest(calendar: Calendar) {
    let newest = untrack(|| {
        calendar.tenant.with(|name| {
            calendar
                .period
                .with(|period| moment::latest(&view::shown(period, name.as_deref())))
        })
    });
    if let Some(at) = newest {
        calendar.choose(at);
    }
}

#[component]
fn TenantField(calendar: Calendar, tenant: RwSignal<Option<TenantId>>) -> impl IntoView {
    let options = Memo::new(move |_| {
        calendar.period.with(|period| {
            let told = period
                .tenants
                .iter()
                .map(|one| (one.tenant, model::option_text(one)));
            told.collect::<Vec<_>>()
        })
    });
    let value = move || tenant.get().map_or(String::new(), |id| id.to_string());
    view! {
        <div class="field">
            <label for="r-tenant">{t("Source tenant")}</label>
            <select
                class="select"
                id="r-tenant"
                prop:value=value
                on:change=move |event| {
                    tenant.set(event_target_value(&event).parse().ok());
                    to_latest(calendar);
                }
            >
                {follow(move || options.get().into_iter().map(|(id, text)| {
                    let selected = tenant.get_untracked() == Some(id);
                    view! { <option value=id.to_string() selected=selected>{text}</option> }.any()
                }).collect_view())}
            </select>
        </div>
    }
    .any()
}

/// The week's title, and seven days back and forth.
#[component]
fn Weeks(calendar: Calendar) -> impl IntoView {
    let shift = move |days: i64| {
        let last = calendar.week.get_untracked().last.plus(days);
        calendar
            .show
            .run((last.min(calendar.today.get_untracked()),));
    };
    let off = Signal::derive(move || {
        calendar
            .is_newest()
            .then(|| t("These are the latest days.").to_owned())
    });
    view! {
        <span class="week-nav">
            <output aria-live="polite">{move || calendar.week.get().title()}</output>
            <span class="button-group">
                <IconButton label=t("Previous 7 days") icon="chevron-left" size="sm" on_press=move |()| shift(-7)/>
                <IconButton label=t("Next 7 days") icon="chevron-right" size="sm" off on_press=move |()| shift(7)/>
            </span>
        </span>
    }.any()
}

#[component]
fn Nudge(
    calendar: Calendar,
    seconds: i64,
    text: &'static str,
    label: &'static str,
) -> impl IntoView {
    let press = move |_| {
        let Some(at) = calendar.moment.get_untracked() else {
            return;
        };
        let ns = seconds.unsigned_abs() * NS_PER_SECOND;
        let moved = if seconds < 0 {
            at.minus_ns(ns)
        } else {
            at.plus_ns(ns)
        };
        calendar.choose(moved.min(calendar.now.get_untracked()));
    };
    view! {
        <button class="icon-button" data-variant="outline" type="button" on:click=press>
            <span class="visually-hidden">{label}</span>
            <span aria-hidden="true">{text}</span>
        </button>
    }
    .any()
}

/// Where the moment stands for the source tenant.
fn standing(calendar: Calendar) -> Option<(Scn, Standing)> {
    let at = calendar.moment.get()?;
    let (zone, now) = (calendar.zone.get(), calendar.now.get());
    calendar.tenant.with(|name| {
        calendar.period.with(|period| {
            let tenant = view::shown(period, name.as_deref()).first().copied()?;
            Some((at, moment::standing(tenant, at, now, zone)))
        })
    })
}

/// Whether the moment can be recovered to, and the bounds of its period.
#[component]
fn MomentVerdict(calendar: Calendar, refused: Signal<Option<String>>) -> impl IntoView {
    let told = Memo::new(move |_| standing(calendar));
    // How it is shown, and the sentence.
    let words = move || {
        let zone = calendar.zone.get();
        if let Some(refused) = refused.get() {
            return ("bad", refused);
        }
        if let Some(why) = calendar.unreadable.get() {
            let tone = if calendar.called_wrong.get() {
                "bad"
            } else {
                "mute"
            };
            return (tone, why.to_string());
        }
        match told.get() {
            None => ("bad", t("This tenant has no recoverable moment yet. Press Back up Now on its cluster first.").to_owned()),
            Some((_, Standing::Impossible(why))) => ("bad", tf("Not recoverable. {why}", &[("why", &why)])),
            Some((_, Standing::Recoverable(range))) => {
                let from = zone.exact(moment::offered_start(range));
                let to = zone.exact(moment::offered_end(range));
                ("ok", tf("Recoverable. This period runs from {from} to {to}.", &[("from", &from), ("to", &to)]))
            }
        }
    };
    view! {
        <div id="r-moment-state" role="status">
            {follow(move || match words() {
                ("ok", text) => view! { <p class="field-ok"><Icon name="s-ok"/><span>{text}</span></p> }.any(),
                ("bad", text) => view! { <p class="field-error"><Icon name="s-bad"/><span>{text}</span></p> }.any(),
                (_, text) => view! { <p class="field-hint">{text}</p> }.any(),
            })}
        </div>
        <Nearest calendar/>
    }.any()
}

/// Puts the focus where the form goes on after the moment.
pub fn leave_for_name() {
    live::document::focus("r-name");
}
