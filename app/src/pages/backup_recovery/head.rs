//! The head of the page: where one is, how old it is, and what can be done.

use super::back_up_now::BackUpNow;
use crate::language::{t, tf, told};
use crate::{
    feed::Feed,
    live::{document::hide_popover, time::Clock},
    pages::{
        strategy::actions::Question,
        words::{count, whole_seconds},
    },
    parts, paths,
    signal::{Memo, RwSignal},
    ui::{Any, Button, Dialog, Icon, IconButton, Notice, Tone, follow},
};
use domain::{Revision, access::Role, cluster::ScheduleStatus, validate::sentence};
use leptos::prelude::*;

/// The head.
#[component]
pub fn Head() -> impl IntoView {
    let feed = Feed::current();
    view! {
        <div class="page-head">
            <nav class="breadcrumb" aria-label=t("Breadcrumb")>
                <ol>
                    <li>
                        <a href=paths::CLUSTERS>{t("Clusters")}</a>
                    </li>
                    <li>
                        <a href=paths::cluster(&feed.cluster())>{feed.cluster()}</a>
                    </li>
                    <li aria-current="page">{t("Backup & Recovery")}</li>
                </ol>
            </nav>
            <div class="page-title">
                <h1>{t("Backup & Recovery")}</h1>
                <span class="row">
                    <IconButton
                        label=t("Refresh now")
                        icon="refresh"
                        size="sm"
                        key="r"
                        on_press=move |()| feed.refresh()
                    />
                    <Live/>
                </span>
            </div>
            <div class="page-actions">
                {feed
                    .may(Role::Operator)
                    .then(|| view! { <InitiateRecovery/> <BackUpNow/> }.into_any())}
                {feed.may(Role::Operator).then(|| view! { <Strategy/> }.into_any())}
            </div>
        </div>
        <nav class="tabs page-tabs" aria-label=t("Backup & Recovery")>
            <a href=paths::backup(&feed.cluster()) aria-current="page">{t("Details")}</a>
            <a href=paths::strategy(&feed.cluster())>{t("Backup Strategy")}</a>
        </nav>
    }
    .any()
}

/// How old the state shown is. Counts by itself; silent for screen readers.
#[component]
fn Live() -> impl IntoView {
    let feed = Feed::current();
    let text = move || match feed.age_ms() {
        Some(ms) => match (ms / 1000.0) as u64 {
            0 | 1 => t("Updated just now").to_owned(),
            seconds => tf("Updated {age} ago", &[("age", &whole_seconds(seconds))]),
        },
        None => tf(
            "State of {read_at} UTC",
            &[("read_at", &feed.read_at().display_seconds())],
        ),
    };
    let state = move || (!feed.is_connected()).then_some("stale");
    view! {
        <span class="live" data-state=state>
            {move || text()}
        </span>
    }
    .any()
}

/// The way to the form; off, with the reason, while there is nothing to recover from.
#[component]
fn InitiateRecovery() -> impl IntoView {
    let feed = Feed::current();
    let summary = feed.summary();
    let possible = Memo::new(move |_| summary.read().recoverable_until.is_some());
    let off = Signal::derive(|| {
        Some(t("No moment is recoverable yet. A data backup comes first.").to_owned())
    });
    follow(move || {
        if possible.get() {
            view! {
                <a
                    class="button"
                    data-variant="primary"
                    href=paths::new_recovery(&feed.cluster(), None, None)
                >
                    <Icon name="recovery"/>
                    {t("Initiate Recovery")}
                </a>
            }
            .any()
        } else {
            view! {
                <Button icon="recovery" off>
                    {t("Initiate Recovery")}
                </Button>
            }
            .any()
        }
    })
}

/// Id of the menu of the strategy.
const MENU: &str = "menu-strategy";

/// The way to a first strategy; or what can be done with the one there is.
#[component]
fn Strategy() -> impl IntoView {
    let feed = Feed::current();
    let summary = feed.summary();
    let standing = Memo::new(move |_| {
        let summary = summary.read();
        let rev = summary.strategy_rev?;
        Some((rev, summary.status == ScheduleStatus::Paused))
    });
    follow(move || match standing.get() {
        None if !feed.may(Role::Admin) => ().into_any(),
        None if unable(feed).is_some() => {
            let off = Signal::derive(move || unable(feed).map(|reason| told(&reason)));
            view! { <Button icon="plus" off>{t("New Backup Strategy")}</Button> }.any()
        }
        None => {
            let href = paths::edit_strategy(&feed.cluster());
            view! { <a class="button" href=href><Icon name="plus"/>{t("New Backup Strategy")}</a> }
                .any()
        }
        Some((rev, paused)) => view! { <StrategyActions rev paused/> }.any(),
    })
}

/// Pause or Start, and the menu with Modify and Delete.
#[component]
fn StrategyActions(rev: Revision, paused: bool) -> impl IntoView {
    let feed = Feed::current();
    let open = RwSignal::new(false);
    let about = RwSignal::new(Question::Pause);
    let off = Signal::derive(move || feed.disconnected_reason());
    let again = Callback::new(move |()| feed.refresh());
    let title = Signal::derive(move || about.get().title(&feed.cluster()));
    let ask = move |question: Question| {
        hide_popover(MENU);
        about.set(question);
        parts::open_with_content(open);
    };
    let turn = match paused {
        true => view! {
            <Button icon="play" off on_press=move |()| ask(Question::Start)>{t("Start")}</Button>
        }
        .any(),
        false => view! {
            <Button icon="pause" off on_press=move |()| ask(Question::Pause)>{t("Pause")}</Button>
        }
        .any(),
    };
    let more = feed.may(Role::Admin).then(|| {
        view! {
            <button
                class="icon-button"
                data-variant="outline"
                type="button"
                popovertarget=MENU
                aria-haspopup="dialog"
                aria-label=t("More actions")
                title=t("More actions")
            >
                <Icon name="more"/>
            </button>
            <div class="menu" id=MENU popover="">
                <a href=paths::edit_strategy(&feed.cluster())>{t("Modify Backup Strategy")}</a>
                <button type="button" on:click=move |_| ask(Question::Delete)>
                    {t("Delete Backup Strategy")}
                </button>
            </div>
        }
        .any()
    });
    view! {
        {turn}
        {more}
        <Dialog open title>
            {follow(move || {
                let asked = (feed.cluster(), about.get(), rev);
                parts::downloaded(move || parts::strategy_question(asked.clone(), open, again))
            })}
        </Dialog>
    }
    .any()
}

/// Why the cluster cannot be backed up at all; nothing when it can. Tracked.
pub fn unable(feed: Feed) -> Option<String> {
    let summary = feed.summary();
    let summary = summary.read();
    let reason = summary.cluster.capabilities.back_up.reason();
    reason.map(str::to_owned)
}

/// The gravest thing to know about the page, if there is one.
#[component]
pub fn PageNotice() -> impl IntoView {
    let feed = Feed::current();
    let clock = Clock::current();
    let connected = Memo::new(move |_| feed.is_connected());
    let drift = Memo::new(move |_| feed.summary().read().drift);
    let fault = Memo::new(move |_| feed.summary().read().cluster.fault.clone());
    let unable = Memo::new(move |_| unable(feed));
    let lost_title = Signal::derive(move || {
        let at = clock.civil(feed.read_at());
        tf(
            "Not connected. You see the state of {clock}.",
            &[("clock", &at.clock())],
        )
    });
    let lost_text = Signal::derive(move || {
        let seconds = u64::from(feed.poll().health().next_in_ms / 1000);
        let again = whole_seconds(seconds);
        tf(
            "Asking again every {again} or so. Buttons that change something are off until then.",
            &[("again", &again)],
        )
    });
    let signed_out = Memo::new(move |_| feed.is_signed_out());
    follow(move || match (connected.get(), fault.get()) {
        _ if signed_out.get() => {
            let text = t("Reload the page to sign in again. What you see is the state of before.");
            view! { <Notice tone=Tone::Warn title=t("Signed out") text urgent=true/> }.any()
        }
        (false, _) => view! {
            <Notice tone=Tone::Warn title=lost_title text=lost_text urgent=true>
                <Button size="sm" on_press=move |()| feed.refresh()>
                    {t("Try now")}
                </Button>
            </Notice>
        }
        .any(),
        (true, Some(fault)) => {
            let title = tf(
                "{cluster} could not be looked at",
                &[("cluster", &feed.cluster())],
            );
            let observed = feed.summary().read_untracked().cluster.observed;
            // A moment and not an age: the notice is read aloud whenever it changes.
            let seen = observed.map_or_else(String::new, |at| {
                tf(" Last seen {at} UTC.", &[("at", &at.display_seconds())])
            });
            view! { <Notice tone=Tone::Bad title text=format!("{}{seen}", told(&sentence(&fault))) urgent=true/> }.any()
        }
        (true, None) => match unable.get() {
            Some(reason) => {
                let title = tf(
                    "{cluster} cannot be backed up",
                    &[("cluster", &feed.cluster())],
                );
                view! { <Notice tone=Tone::Info title text=told(&reason)/> }.any()
            }
            None => drifted(feed, drift.get()),
        },
    })
}

/// Settings of the cluster that are not what the strategy says.
fn drifted(feed: Feed, settings: u32) -> AnyView {
    if settings == 0 {
        return ().into_any();
    }
    let title = tf(
        "{cluster} is not what its backup strategy says",
        &[("cluster", &feed.cluster())],
    );
    let text = tf(
        "{settings} in the cluster, changed by somebody or never made.",
        &[("settings", &count(settings.into(), "setting"))],
    );
    view! {
        <Notice tone=Tone::Warn title text>
            <a class="button" data-size="sm" href=paths::strategy(&feed.cluster())>
                {t("Look at the differences")}
            </a>
        </Notice>
    }
    .any()
}
