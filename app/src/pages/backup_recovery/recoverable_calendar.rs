//! The Available Recovery Period: the week, the chosen moment, and the gaps as a list.

use super::calendar::{
    Calendar,
    gaps::{self, GapStory},
    lanes::{Lanes, Legend},
    picker::{self, MomentPicker},
    pop::GapFacts,
    strip::Strip,
    time::Day,
    view::{self, Headline},
    viewer_zone,
};
use crate::language::{t, tf, tv};
use crate::live;
use crate::signal::{Memo, RwSignal};
use crate::ui::{Any, Empty, Icon, follow};
use domain::{Scn, page::Period, page::TenantPeriod, size, tenant::TenantState};
use leptos::prelude::*;
use leptos_router::{
    NavigateOptions,
    hooks::{use_location, use_navigate, use_query_map},
    params::ParamsMap,
};

/// The id of the popover that asks for a date.
const GO_TO_DATE: &str = "calendar-date";

/// The moments to which tenants can be recovered, one lane per day.
#[component]
pub fn RecoverableCalendar(
    /// Name of the cluster.
    cluster: String,
    /// Recoverable ranges, gaps and data backups; live.
    period: Signal<Period>,
    /// The server's now; ticks every second.
    now: Signal<Scn>,
) -> impl IntoView {
    let query = use_query_map();
    let address = Address {
        query,
        path: use_location().pathname,
    };
    let tenant = Signal::derive(move || {
        let name = query.with(|query| query.get("tenant"))?;
        period.with(|period| view::find(period, &name).map(|tenant| view::key_of(period, tenant)))
    });
    let last = Signal::derive(move || query.with(|query| query.get("week")));
    let navigate = use_navigate();
    let stay = || NavigateOptions {
        scroll: false,
        replace: true,
        ..NavigateOptions::default()
    };
    let show = {
        let navigate = navigate.clone();
        let zone = viewer_zone();
        Callback::new(move |(day,): (Day,)| {
            let to = untrack(|| {
                // The newest week has no date of its own: it moves on with the days.
                let older = day < zone.get().day(now.get());
                address.with("week", older.then(|| day.to_string()))
            });
            navigate(&to, stay());
        })
    };
    let choose_tenant = {
        let navigate = navigate.clone();
        Callback::new(move |(name,): (Option<String>,)| {
            navigate(&untrack(|| address.with("tenant", name)), stay());
        })
    };
    let picked = RwSignal::new(None);
    let way_on = RwSignal::new(None::<Memo<Option<String>>>);
    let proceed = Callback::new(move |(): ()| {
        if let Some(path) = way_on.get_untracked().and_then(|way| way.get_untracked()) {
            navigate(&path, NavigateOptions::default());
        }
    });
    let calendar = Calendar::new(period, now, tenant, last, show, proceed);
    let way = Memo::new(move |_| {
        let at = calendar.meant()?;
        let chosen = tenant.get();
        let (_, name) = period
            .with(|period| picker::to_recover(period, chosen.as_deref(), picked.get(), at))?;
        Some(recovery_address(&cluster, &name, at))
    });
    way_on.set(Some(way));
    let week_of = move |day: Day| {
        // The newest week has no date of its own: it moves on with the days.
        let value = (day < calendar.today.get()).then(|| day.to_string());
        address.with("week", value)
    };
    let empty = Memo::new(move |_| {
        period.with(|period| period.tenants.iter().all(|tenant| tenant.ranges.is_empty()))
    });
    view! {
        <section class="panel recovery-period" aria-labelledby="period">
            <div class="panel-head">
                <h2 id="period">{t("Available Recovery Period")}</h2>
                <TenantSelect period tenant choose=choose_tenant/>
                <div class="panel-tools"><WeekNav calendar address/></div>
            </div>
            {follow(move || if empty.get() {
                view! { <NoPeriod period/> }.any()
            } else {
                view! {
                    <div class="recovery-grid">
                        <div class="calendar">
                            <Newest calendar/>
                            <Lanes calendar/>
                            <Legend several=Signal::derive(move || calendar.view.with(|view| view.tenants > 1))/>
                            <Summary calendar/>
                            <Strip calendar to=week_of/>
                        </div>
                        <MomentPicker calendar picked way_on=way/>
                    </div>
                    <GapList calendar/>
                }.any()
            })}
        </section>
    }.any()
}

/// The address of Initiate Recovery for a tenant and a moment.
pub fn recovery_address(cluster: &str, tenant: &str, at: Scn) -> String {
    format!(
        "/clusters/{cluster}/recovery/new?tenant={tenant}&at={}",
        at.to_rfc3339()
    )
}

/// The page's address, of which this panel owns two parameters.
#[derive(Clone, Copy)]
struct Address {
    query: leptos::prelude::Memo<ParamsMap>,
    path: leptos::prelude::Memo<String>,
}

impl Address {
    /// The address with one parameter changed and all others kept. Tracked.
    fn with(&self, key: &'static str, value: Option<String>) -> String {
        self.of(self.query.get(), key, value)
    }

    fn of(&self, mut query: ParamsMap, key: &'static str, value: Option<String>) -> String {
        match value {
            Some(value) => query.replace(key, value),
            None => drop(query.remove(key)),
        }
        format!("{}{}", self.path.get(), query.to_query_string())
    }
}

/// The drop-down of tenants.
#[component]
fn TenantSelect(
    period: Signal<Period>,
    tenant: Signal<Option<String>>,
    choose: Callback<(Option<String>,)>,
) -> impl IntoView {
    let options = Memo::new(move |_| {
        period.with(|period| {
            let all = view::shown(period, None).len();
            let mut options = vec![(String::new(), tf("All tenants ({all})", &[("all", &all)]))];
            options.extend(
                period
                    .tenants
                    .iter()
                    .map(|tenant| (view::key_of(period, tenant), tagged(tenant))),
            );
            options
        })
    });
    let chosen = move || tenant.get().unwrap_or_default();
    view! {
        <span class="field-inline">
            <label for="period-tenant" class="visually-hidden">{t("Tenant")}</label>
            <select
                class="select"
                data-size="sm"
                id="period-tenant"
                prop:value=chosen
                on:change=move |event| {
                    let name = event_target_value(&event);
                    choose.run(((!name.is_empty()).then_some(name),));
                }
            >
                {follow(move || options.get().into_iter().map(|(name, text)| {
                    let selected = untrack(chosen) == name;
                    view! { <option value=name selected=selected>{text}</option> }.any()
                }).collect_view())}
            </select>
        </span>
    }
    .any()
}

/// A tenant's name with the state it is in, unless that is the usual one.
fn tagged(tenant: &TenantPeriod) -> String {
    match tenant.state {
        TenantState::Online => tenant.name.clone(),
        TenantState::Offline => tf("{name} (offline)", &[("name", &tenant.name)]),
        TenantState::Faulty => tf("{name} (faulty)", &[("name", &tenant.name)]),
    }
}

/// The week's title, seven days back and forth, and the way to a date.
#[component]
fn WeekNav(calendar: Calendar, address: Address) -> impl IntoView {
    let at_end = move || calendar.is_newest();
    let to = move |days: i64| {
        // The address first: see `Calendar::is_newest`.
        let (query, today) = (address.query.get(), calendar.today.get());
        let last = calendar.week.get().last.plus(days);
        // The newest week has no date of its own: it moves on with the days.
        let value = (last < today).then(|| last.to_string());
        address.of(query, "week", value)
    };
    let typed = RwSignal::new(None::<Day>);
    view! {
        <span class="week-nav">
            <output aria-live="polite">{move || calendar.week.get().title()}</output>
            <span class="button-group">
                <a class="icon-button" data-size="sm" data-key="[" aria-label=t("Previous 7 days") href=move || to(-7) data-noscroll="">
                    <Icon name="chevron-left" size="sm"/>
                </a>
                <a
                    class="icon-button"
                    data-size="sm"
                    data-key="]"
                    role="link"
                    tabindex="0"
                    aria-label=move || if at_end() { t("Next 7 days: these are the latest") } else { t("Next 7 days") }
                    aria-disabled=move || at_end().then_some("true")
                    href=move || (!at_end()).then(|| to(7))
                    data-noscroll=""
                >
                    <Icon name="chevron-right" size="sm"/>
                </a>
            </span>
        </span>
        <button class="button" data-size="sm" type="button" popovertarget=GO_TO_DATE>
            <Icon name="calendar" size="sm"/>
            {t("Go to date")}
        </button>
        <form
            class="popover date-popover"
            id=GO_TO_DATE
            popover="auto"
            on:submit=move |event| {
                event.prevent_default();
                if let Some(day) = typed.get_untracked() {
                    calendar.show.run((day.plus(3).min(calendar.today.get_untracked()),));
                }
                live::document::hide_popover(GO_TO_DATE);
            }
        >
            <label for="calendar-date-input">{t("Date")}</label>
            <input
                class="input"
                id="calendar-date-input"
                type="date"
                max=move || calendar.today.get().to_string()
                on:input=move |event| typed.set(Day::parse(&event_target_value(&event)))
            />
            <button class="button" data-variant="primary" type="submit">{t("Show")}</button>
        </form>
    }.any()
}

/// From when to when everything is recoverable, and whether that grows.
#[component]
fn Newest(calendar: Calendar) -> impl IntoView {
    let told = Memo::new(move |_| {
        let now = calendar.now.get();
        calendar.tenant.with(|name| {
            calendar
                .period
                .with(|period| view::headline(period, name.as_deref(), now))
        })
    });
    follow(move || {
        let Headline {
            whom,
            from,
            until,
            growing,
            growing_tenants,
        } = told.get();
        let zone = calendar.zone.get();
        let Some(from) = from else {
            let text = tf(
                "{whom} has no recovery period yet. Press Back up Now.",
                &[("whom", &whom)],
            );
            return view! { <p class="calendar-newest">{text}</p> }.any();
        };
        let length = size::duration_ms(until.since_ns(from) / 1_000_000);
        let end = if zone.day(until) == zone.day(from) {
            zone.time(until)
        } else {
            zone.seconds(until)
        };
        let state = match (growing, growing_tenants) {
            (true, _) => view! { <span class="live">{t("growing")}</span> }.any(),
            (false, (some, all)) if some > 0 => {
                let text = tf(
                    "{some} of {all} tenants go on",
                    &[("some", &some), ("all", &all)],
                );
                view! { <span class="badge" data-tone="warn">{text}</span> }.any()
            }
            (false, _) => {
                let age = calendar.now.get_untracked().since_ns(until) / 1_000_000;
                let text = tf("ended {age} ago", &[("age", &size::duration_ms(age))]);
                view! { <span class="badge" data-tone="warn">{text}</span> }.any()
            }
        };
        view! {
            <p class="calendar-newest">
                <span>
                    {tv(
                        "{whom} recoverable from {from} to {to}, {length}",
                        vec![
                            ("whom", whom.into_any()),
                            ("from", view! { <b>{zone.seconds(from)}</b> }.any()),
                            ("to", view! { <b>{end}</b> }.any()),
                            ("length", length.into_any()),
                        ],
                    )}
                </span>
                {state}
            </p>
        }
        .any()
    })
}

/// The share of the week, and the oldest moment.
#[component]
fn Summary(calendar: Calendar) -> impl IntoView {
    let words = move || {
        let name = calendar.tenant.get();
        let (full, tenants) = calendar.view.with(|view| (view.full, view.tenants));
        let Some(full) = full else {
            return ().into_any();
        };
        let whom = match name {
            Some(name) => name,
            None if tenants == 1 => t("The tenant").to_owned(),
            None => tf("All {tenants} tenants", &[("tenants", &tenants)]),
        };
        let span = full.since.map_or(t("this week").to_owned(), |since| {
            tf(
                "the time since {since}",
                &[("since", &calendar.zone.get().seconds(since))],
            )
        });
        let share = view! { <b>{view::permille(full.permille)}</b> }.any();
        tv(
            "{whom} recoverable for {share} of {span}. ",
            vec![
                ("whom", whom.into_any()),
                ("share", share),
                ("span", span.into_any()),
            ],
        )
    };
    let oldest = Memo::new(move |_| {
        calendar.tenant.with(|name| {
            calendar
                .period
                .with(|period| view::oldest(period, name.as_deref()))
        })
    });
    view! {
        <p class="calendar-sum">
            {follow(words)}
            {follow(move || oldest.get().map(|at| {
                let at = view! { <b>{calendar.zone.get().seconds(at)}</b> }.any();
                tv("Oldest recoverable moment {at}.", vec![("at", at)])
            }))}
        </p>
    }
    .any()
}

/// The gaps of the week, each with its facts on demand.
#[component]
fn GapList(calendar: Calendar) -> impl IntoView {
    let stories = Memo::new(move |_| {
        calendar
            .view
            .with(|view| (view.stories.clone(), view.tenants))
    });
    follow(move || {
        let (stories, shown) = stories.get();
        let zone = calendar.zone.get();
        (!stories.is_empty()).then(|| view! {
            <ul class="gap-list" aria-label=t("Gaps in this week")>
                {stories.into_iter().map(|story| view! { <GapEntry story shown zone/> }.any()).collect_view()}
            </ul>
        }.any())
    })
}

#[component]
fn GapEntry(story: GapStory, shown: usize, zone: super::calendar::time::Zone) -> impl IntoView {
    let text = format!("{}. {}", story.whom(shown), gaps::why(story.cause));
    let span = story.span(zone);
    view! {
        <li>
            <details>
                <summary>
                    <Icon name="s-warn" size="sm"/>
                    <b>{span}</b>
                    <span>{text}</span>
                    <span class="link-button" aria-hidden="true">{t("Details")}</span>
                </summary>
                <GapFacts story shown zone/>
            </details>
        </li>
    }
    .any()
}

/// Before the first period: what is at risk, and what to do.
#[component]
fn NoPeriod(period: Signal<Period>) -> impl IntoView {
    let running = Memo::new(move |_| {
        period.with(|period| {
            period
                .markers
                .iter()
                .any(|marker| marker.kind == domain::page::MarkerKind::Running)
        })
    });
    let tenants = Memo::new(move |_| period.with(|period| period.tenants.len()));
    let words = move || match (tenants.get(), running.get()) {
        (0, _) => (
            t("No tenant yet"),
            t(
                "A recovery period belongs to a tenant. Make one first: its first data backup starts by itself.",
            ),
        ),
        (_, true) => (
            t("The first data backup is running"),
            t(
                "The period begins when it is complete, and grows with log backup from then on. Until then nothing can be recovered.",
            ),
        ),
        _ => (
            t("No recovery period yet"),
            t(
                "Nothing can be recovered until a data backup is complete. Press Back up Now; the period then grows with log backup.",
            ),
        ),
    };
    follow(move || {
        let (title, text) = words();
        view! { <div class="calendar-empty"><Empty title text sea=true/></div> }.any()
    })
}
