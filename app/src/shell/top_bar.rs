//! The bar on top: wordmark, cluster switcher, clock of the viewer's zone, theme, account.

use super::{ClusterList, CurrentCluster, Myself, keys::KeysHelp};
use crate::{
    language::{Language, t},
    live::{
        document::{hide_popover, toggle_theme},
        time::Clock,
    },
    paths,
    ui::{Any, Icon, IconButton, follow, waiting},
};
use domain::{Scn, cluster::ClusterSummary, user::Me};
use leptos::prelude::*;
use leptos_router::hooks::use_location;

/// Id of the switcher's menu.
const MENU: &str = "menu-cluster";

/// The bar on top.
#[component]
pub fn TopBar() -> impl IntoView {
    let (ClusterList(clusters), Myself(me)) = (expect_context(), expect_context());
    view! {
        <header class="top-bar">
            <a class="top-bar-brand" href=paths::CLUSTERS>
                <Wordmark/>
            </a>
            {waiting(|| ().into_any(), move || async move {
                    let manages = me.await.is_ok_and(|me| me.manages());
                    clusters
                        .await
                        .ok()
                        .filter(|list| !list.is_empty())
                        .map(|list| view! { <Switcher list manages/> })
                        .into_any()
            })}
            <div class="top-bar-end">
                <ZoneClock/>
                <KeysHelp/>
                <OtherLanguage/>
                <IconButton
                    label=t("Switch between light and dark theme")
                    icon="theme"
                    on_press=|()| toggle_theme()
                />
                {waiting(|| ().into_any(), move || async move {
                    me.await.ok().map(|me| view! { <AccountMenu me/> }.any()).into_any()
                })}
            </div>
        </header>
    }
    .any()
}

/// The way to the same page in the other language.
#[component]
fn OtherLanguage() -> impl IntoView {
    let location = use_location();
    let other = match Language::current() {
        Language::English => Language::Chinese,
        Language::Chinese => Language::English,
    };
    let href = move || {
        let (path, search) = (location.pathname.read(), location.search.read());
        paths::in_language(other, &path, &search)
    };
    view! {
        <a class="language-switch" href=href rel="external" lang=other.tag() hreflang=other.tag()>
            {other.own_name()}
        </a>
    }
    .any()
}

/// Id of the account's menu.
const ACCOUNT_MENU: &str = "menu-account";

/// Who is signed in, and the way to what is theirs and the console's.
#[component]
fn AccountMenu(me: Me) -> impl IntoView {
    let entry = |href: &'static str, label: &'static str| {
        view! {
            <a href=href on:click=|_| hide_popover(ACCOUNT_MENU)>
                {label}
            </a>
        }
        .any()
    };
    let users = me
        .manages()
        .then(|| entry(paths::USERS, t("Users and roles")));
    let settings = me.audits().then(|| entry(paths::SETTINGS, t("Settings")));
    let audit = me.audits().then(|| entry(paths::AUDIT, t("Audit")));
    view! {
        <button
            class="account-switch"
            type="button"
            popovertarget=ACCOUNT_MENU
            aria-haspopup="dialog"
        >
            <span class="visually-hidden">{t("Signed in as")} " "</span>
            {me.name}
            <Icon name="chevron-down" size="xs"/>
        </button>
        <div class="menu" id=ACCOUNT_MENU popover="">
            {entry(paths::ACCOUNT, t("Your account"))} {settings} {users} {audit} <hr/>
            <form method="post" action="/sign-out">
                <button type="submit">{t("Sign out")}</button>
            </form>
        </div>
    }
    .any()
}

/// The current cluster, and the way to the others.
#[component]
fn Switcher(list: Vec<ClusterSummary>, manages: bool) -> impl IntoView {
    let CurrentCluster(current) = expect_context();
    let list = StoredValue::new(list);
    let label = move || {
        let name = current.get()?;
        list.with_value(|list| {
            let known = list.iter().find(|one| one.cluster.name == name)?;
            Some((
                known_tone(known),
                name.clone(),
                t(known.cluster.engine.label()),
            ))
        })
    };
    let entries = list.with_value(|list| list.iter().map(entry).collect_view());
    view! {
        <button
            class="cluster-switch"
            type="button"
            popovertarget=MENU
            aria-haspopup="dialog"
        >
            <span class="visually-hidden">{t("Cluster")} " "</span>
            {follow(move || match label() {
                Some((tone, name, engine)) => {
                    view! {
                        <span class="dot" data-tone=tone></span>
                        <strong>{name}</strong>
                        <span class="muted only-wide">{engine}</span>
                    }.any()
                }
                None => view! { <span class="muted">{t("Choose a cluster")}</span> }.any(),
            })}
            <Icon name="updown" size="sm"/>
        </button>
        <div class="menu" id=MENU popover="" data-side="start">
            <p class="menu-label">{t("Clusters")}</p>
            {entries}
            {manages
                .then(|| {
                    view! {
                        <hr/>
                        <a href=paths::NEW_CLUSTER on:click=|_| hide_popover(MENU)>
                            <Icon name="plus"/>
                            {t("Add cluster")}
                        </a>
                    }.into_any()
                })}
        </div>
    }
    .any()
}

fn entry(summary: &ClusterSummary) -> impl IntoView + use<> {
    let CurrentCluster(current) = expect_context();
    let name = summary.cluster.name.clone();
    let is_current = {
        let name = name.clone();
        move || (current.read().as_ref() == Some(&name)).then_some("true")
    };
    let href = paths::backup(&name);
    view! {
        <a href=href aria-current=is_current on:click=|_| hide_popover(MENU)>
            <span class="dot" data-tone=known_tone(summary)></span>
            {name}
            <small>{t(summary.cluster.engine.label())}</small>
        </a>
    }
    .any()
}

fn known_tone(summary: &ClusterSummary) -> &'static str {
    match (&summary.cluster.fault, summary.log_not_running) {
        (Some(_), _) => "bad",
        (None, 0) => "ok",
        (None, _) => "warn",
    }
}

/// The time where the viewer is. Appears once the page answers to presses.
#[component]
fn ZoneClock() -> impl IntoView {
    let clock = Clock::current();
    let now = move || clock.wall_ms().map(|ms| Scn::from_ms(ms.max(0.0) as u64));
    view! {
        <span class="clock">
            {follow(move || {
                now()
                    .map(|now| {
                        view! {
                            <span class="clock-time only-wide">{clock.civil(now).clock()}</span>
                            " "
                            <span>{clock.zone_label(now)}</span>
                        }.any()
                    })
            })}
        </span>
    }
    .any()
}

/// The wordmark.
#[component]
pub fn Wordmark() -> impl IntoView {
    view! {
        <svg
            class="wordmark"
            viewBox="0 0 106 22"
            role="img"
            aria-label="Tidemark"
            fill="none"
            stroke="currentColor"
            stroke-width="1.9"
        >
            <path class="wordmark-mark" d="M2 5.2h17" stroke-width="2.2"></path>
            <path
                class="wordmark-mark"
                d="M2 11.4c2.13 0 2.13-1.9 4.25-1.9s2.13 1.9 4.25 1.9 2.13-1.9 4.25-1.9S16.9 11.4 19 11.4"
            ></path>
            <path
                class="wordmark-mark"
                d="M2 16.6c2.13 0 2.13-1.9 4.25-1.9s2.13 1.9 4.25 1.9 2.13-1.9 4.25-1.9S16.9 16.6 19 16.6"
                opacity=".5"
            ></path>
            <path d="M30.2 5.2v8.6a2.5 2.5 0 0 0 2.5 2.5h.9M27.8 9h5.8M37 8.4v8.8M35.4 5.2h3.2"></path>
            <circle cx="44.6" cy="12.7" r="3.6"></circle>
            <path d="M48.2 4.2v13"></path>
            <path d="M51.6 12.5h7.1a3.6 3.6 0 1 0-1.3 3"></path>
            <path d="M62.2 8.1v9.1M62.2 11.8a2.75 2.75 0 0 1 5.5 0v5.4M67.7 11.8a2.75 2.75 0 0 1 5.5 0v5.4"></path>
            <circle cx="80" cy="12.7" r="3.6"></circle>
            <path d="M83.6 8.1v9.1"></path>
            <path d="M87.6 8.1v9.1M87.6 12a3 3 0 0 1 3-3h1"></path>
            <path d="M94.8 4.2v13M100.6 8.3l-5.8 5M97 11.6l4.2 5.4"></path>
        </svg>
    }.any()
}
