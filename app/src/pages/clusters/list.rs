//! The list of clusters. While there is none, it is the first run.

use super::first_run::NewClusterForm;
use crate::language::{t, tf};
use crate::{
    api,
    feed::{ACTIVE_MS, IDLE_MS},
    live::poll::use_poll,
    pages::{status, words::count},
    paths,
    shell::{ClusterList, Myself},
    signal::{Memo, RwSignal},
    ui::{
        Any, Badge, Cell, Column, Empty, ErrorNotice, Icon, NoValue, Skeleton, Stamp, Table,
        follow, waiting,
    },
};
use domain::{Scn, cluster::ClusterSummary, size::duration_ms};
use leptos::prelude::*;
use leptos_meta::Title;

/// The list of clusters.
#[component]
pub fn Clusters() -> impl IntoView {
    let (ClusterList(clusters), Myself(me)) = (expect_context(), expect_context());
    let retry = Callback::new(move |()| clusters.refetch());
    view! {
        <Title text=t("Clusters")/>
        {waiting(|| view! { <section class="panel"><Skeleton rows=3/></section> }.any(), move || async move {
                let manages = me.await.is_ok_and(|me| me.manages());
                match clusters.await {
                    Ok(list) if list.is_empty() && manages => view! { <NewClusterForm first=true/> }.any(),
                    Ok(list) if list.is_empty() => view! { <NoCluster/> }.any(),
                    Ok(list) => view! { <Listed list manages/> }.any(),
                    Err(error) => {
                        view! {
                            <section class="panel">
                                <ErrorNotice
                                    title=t("The clusters could not be loaded")
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
fn NoCluster() -> impl IntoView {
    let text = t(
        "An administrator of this console makes the first one, or gives you a role in one there is.",
    );
    view! {
        <section class="panel">
            <Empty title=t("No cluster yet") text sea=true/>
        </section>
    }
    .any()
}

#[component]
fn Listed(list: Vec<ClusterSummary>, manages: bool) -> impl IntoView {
    let ClusterList(clusters) = expect_context();
    let names: Vec<String> = list.iter().map(|one| one.cluster.name.clone()).collect();
    let live = RwSignal::new(list);
    let every_ms = Signal::derive(move || {
        let busy = live.read().iter().any(|one| one.tasks_active > 0);
        if busy { ACTIVE_MS } else { IDLE_MS }
    });
    use_poll(every_ms, move || async move {
        match api::clusters::list().await {
            Ok(list) if same_clusters(&list, &live.read_untracked()) => live.set(list),
            Ok(_) => clusters.refetch(),
            Err(_) => return false,
        }
        true
    });
    let rows = names
        .into_iter()
        .enumerate()
        .map(|(index, name)| {
            let summary = Memo::new(move |_| live.read().get(index).cloned());
            view! { <Line name summary/> }.any()
        })
        .collect_view();
    view! {
        <div class="page-head">
            <div class="page-title">
                <h1>{t("Clusters")}</h1>
            </div>
            <div class="page-actions">
                {manages
                    .then(|| {
                        view! {
                            <a class="button" href=paths::NEW_CLUSTER>
                                <Icon name="plus"/>
                                {t("Add cluster")}
                            </a>
                        }.any()
                    })}
            </div>
        </div>
        <section class="panel panel-table" aria-label=t("Clusters")>
            <Table caption=t("Clusters") columns=columns()>
                {rows}
            </Table>
        </section>
    }
    .any()
}

fn same_clusters(new: &[ClusterSummary], old: &[ClusterSummary]) -> bool {
    new.len() == old.len()
        && new
            .iter()
            .zip(old)
            .all(|(new, old)| new.cluster.name == old.cluster.name)
}

fn columns() -> Vec<Column> {
    [
        t("Name"),
        t("Status"),
        t("Engine"),
        t("Tenants"),
        t("Available Recovery Period"),
        t("Log Delay"),
        t("Destination"),
        t("Running tasks"),
    ]
    .map(Column::plain)
    .to_vec()
}

#[component]
fn Line(name: String, summary: Memo<Option<ClusterSummary>>) -> impl IntoView {
    let fact = move |of: fn(&ClusterSummary) -> String| {
        Memo::new(move |_| summary.read().as_ref().map(of).unwrap_or_default())
    };
    let engine = fact(|one| t(one.cluster.engine.label()).to_owned());
    let version = fact(|one| one.cluster.version.clone());
    let tenants = fact(|one| one.tenants.to_string());
    let place = fact(|one| one.cluster.destination.clone());
    let running = fact(|one| one.tasks_active.to_string());
    let fault = Memo::new(move |_| {
        summary
            .read()
            .as_ref()
            .and_then(|one| one.cluster.fault.clone())
    });
    let (href, backup) = (paths::cluster(&name), paths::backup(&name));
    view! {
        <tr role="row">
            <th scope="row" role="rowheader" class="cell-key" data-label=t("Name")>
                <a href=href>{name.clone()}</a>
                <a class="cell-sub" href=backup aria-label=tf("Backup & Recovery of {cluster}", &[("cluster", &name)])>
                    {t("Backup & Recovery")}
                </a>
            </th>
            <Cell label=t("Status") class="cell-status">
                {follow(move || summary.get().map(|one| view! { <Badge look=status::schedule(one.status)/> }.any()))}
                {follow(move || {
                    fault.get().map(|fault| {
                        view! {
                            <span class="tag" data-tone="warn" title=fault>
                                {t("out of reach")}
                            </span>
                        }.any()
                    })
                })}
            </Cell>
            <Cell label=t("Engine")>
                {move || engine.get()} <span class="cell-sub">{move || version.get()}</span>
            </Cell>
            <Cell label=t("Tenants")>{move || tenants.get()}</Cell>
            <Cell label=t("Available Recovery Period")>
                <PeriodOf summary/>
            </Cell>
            <Cell label=t("Log Delay")>
                <DelayOf summary/>
            </Cell>
            <Cell label=t("Destination") class="cell-clip cell-wide">
                <code title=move || place.get()>{move || place.get()}</code>
            </Cell>
            <Cell label=t("Running tasks")>{move || running.get()}</Cell>
        </tr>
    }.any()
}

/// From when to when something can be recovered.
#[component]
fn PeriodOf(summary: Memo<Option<ClusterSummary>>) -> impl IntoView {
    let from = Memo::new(move |_| summary.read().as_ref().and_then(|one| one.recoverable_from));
    let until = Memo::new(move |_| {
        summary
            .read()
            .as_ref()
            .and_then(|one| one.recoverable_until)
    });
    let possible = Memo::new(move |_| from.get().is_some() && until.get().is_some());
    let at = |moment: Memo<Option<Scn>>| Signal::derive(move || moment.get().unwrap_or(Scn::ZERO));
    follow(move || {
        if possible.get() {
            view! {
                <span class="period-of">
                    <Stamp at=at(from)/>
                    <span>{t("to")}</span>
                    <Stamp at=at(until)/>
                </span>
            }
            .any()
        } else {
            view! { <span class="muted">{t("Nothing recoverable yet")}</span> }.any()
        }
    })
}

/// How far the log at the destination is behind, as of the last look at the cluster.
#[component]
fn DelayOf(summary: Memo<Option<ClusterSummary>>) -> impl IntoView {
    let told = Memo::new(move |_| {
        let summary = summary.read();
        let summary = summary.as_ref()?;
        let (observed, checkpoint) = (summary.cluster.observed?, summary.log_checkpoint?);
        Some(duration_ms(observed.since_ns(checkpoint) / 1_000_000))
    });
    let stopped = Memo::new(move |_| summary.read().as_ref().map_or(0, |one| one.log_not_running));
    view! {
        {follow(move || match told.get() {
            Some(text) => text.into_any(),
            None => view! { <NoValue/> }.any(),
        })}
        {follow(move || {
            (stopped.get() > 0)
                .then(|| {
                    view! {
                        <span class="tag" data-tone="warn">
                            {tf("{tenant} without", &[("tenant", &count(stopped.get().into(), "tenant"))])}
                        </span>
                    }.any()
                })
        })}
    }
    .any()
}
