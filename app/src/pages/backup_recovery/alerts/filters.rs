//! The filter pills of the panel.

use super::{
    look,
    query::{AlertQuery, PREFIX},
};
use crate::language::{t, tf};
use crate::{
    feed::Feed,
    pages::backup_recovery::{
        filters::{Search, TimeFilter},
        query::href,
    },
    signal::Memo,
    ui::{Any, Filter, FilterBar, FilterOption},
};
use domain::alert::{AlertStatus, Level};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

/// Time, status and level.
#[component]
pub fn Filters(
    /// What is chosen.
    query: Memo<AlertQuery>,
    /// What stands at the end.
    end: Signal<String>,
) -> impl IntoView {
    // On the page of a cluster the key belongs to the tasks.
    let by_key = use_context::<Feed>().is_none();
    let common = Memo::new(move |_| query.read().common.clone());
    view! {
        <FilterBar end>
            <TimeFilter id="alert-time" prefix=PREFIX query=common/>
            <StatusFilter query/>
            <LevelFilter query/>
            <Search prefix=PREFIX query=common by_key/>
        </FilterBar>
    }
    .any()
}

/// The address with one key changed. Tracked.
fn changed(
    key: &'static str,
    value: impl Fn() -> Option<String> + Send + Sync + 'static,
) -> Signal<String> {
    let params = use_query_map();
    Signal::derive(move || href(&params.read(), PREFIX, &[(key, value())]))
}

fn chosen(words: &[&'static str]) -> Option<String> {
    match words {
        [] => None,
        [one] => Some((*one).to_owned()),
        more => Some(tf("{len} chosen", &[("len", &more.len())])),
    }
}

#[component]
fn StatusFilter(query: Memo<AlertQuery>) -> impl IntoView {
    let value = Signal::derive(move || {
        let query = query.read();
        let words: Vec<&str> = query.statuses.iter().map(|one| t(one.label())).collect();
        chosen(&words)
    });
    let options = AlertStatus::ALL.map(|status| {
        let to = changed("status", move || query.read().with_status(status));
        let chosen = Signal::derive(move || query.read().statuses.contains(&status));
        view! {
            <FilterOption href=to chosen>
                {t(status.label())}
            </FilterOption>
        }
        .any()
    });
    view! {
        <Filter id="alert-status" label=t("Status") value clear=changed("status", || None)>
            {options}
        </Filter>
    }
    .any()
}

#[component]
fn LevelFilter(query: Memo<AlertQuery>) -> impl IntoView {
    let value = Signal::derive(move || {
        let query = query.read();
        let words: Vec<&str> = query.levels.iter().map(|one| t(one.label())).collect();
        chosen(&words)
    });
    let options = Level::ALL.map(|level| {
        let to = changed("level", move || query.read().with_level(level));
        let chosen = Signal::derive(move || query.read().levels.contains(&level));
        view! {
            <FilterOption href=to chosen>
                {look::shape(level)}
                {t(level.label())}
            </FilterOption>
        }
        .any()
    });
    view! {
        <Filter id="alert-level" label=t("Level") value clear=changed("level", || None)>
            {options}
        </Filter>
    }
    .any()
}
