//! The page: head, basic information, recovery period, tasks.

use super::{
    alerts::Alerts,
    filters::TenantNames,
    head::{Head, PageNotice},
    recoverable_calendar::RecoverableCalendar,
    summary::Summary,
    task_actions::{Ask, AskDialog},
    task_drawer::{Opened, TaskDrawer},
    tasks::Tasks,
    trend::Trend,
};
use crate::language::tf;
use crate::{
    api::{self, ApiError, asked},
    feed::Feed,
    pages::not_found::NotFound,
    signal::Memo,
    ui::{Any, ErrorNotice, Skeleton, title, waiting},
};
use domain::page::Overview;
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

/// Backup & Recovery of the cluster in the address.
#[component]
pub fn BackupRecovery() -> impl IntoView {
    let params = use_params_map();
    let cluster = Memo::new(move |_| params.read().get("cluster").unwrap_or_default());
    let overview = asked(move || cluster.get(), api::clusters::overview);
    let retry = Callback::new(move |()| overview.refetch());
    view! {
        {title(move || tf("Backup & Recovery, {cluster}", &[("cluster", &cluster.get())]))}
        {waiting(|| view! { <section class="panel"><Skeleton rows=8/></section> }.any(), move || async move {
                match overview.await {
                    Ok(overview) => {
                        let cluster = overview.summary.cluster.name.clone();
                        view! { <Loaded cluster overview/> }.any()
                    }
                    Err(ApiError::NotFound { .. }) => {
                        let what = tf("There is no cluster {cluster}.", &[("cluster", &cluster.get_untracked())]);
                        view! { <NotFound what/> }.any()
                    }
                    Err(error) => {
                        view! {
                            <section class="panel">
                                <ErrorNotice
                                    title=tf("{cluster} could not be loaded", &[("cluster", &cluster.get_untracked())])
                                    text=error.to_string()
                                    on_retry=retry
                                />
                            </section>
                        }.any()
                    }
                }
            })}
    }.any()
}

#[component]
fn Loaded(cluster: String, overview: Overview) -> impl IntoView {
    let feed = Feed::start(cluster.clone(), overview);
    Ask::provide();
    Opened::provide();
    view! {
        <Head/>
        <div class="stack">
            <PageNotice/>
            <Summary/>
            <TenantNames/>
            <RecoverableCalendar cluster period=feed.period() now=feed.now()/>
            <Alerts/>
            <Tasks/>
            <Trend/>
        </div>
        <p class="print-only">
            {move || {
                tf("Tidemark, {cluster}, state of {read_at} UTC", &[("cluster", &feed.cluster()), ("read_at", &feed.read_at().display_seconds())])
            }}
        </p>
        <AskDialog/>
        <TaskDrawer/>
    }.any()
}
