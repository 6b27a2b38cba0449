//! Alerts of all clusters and of the console itself.

use super::{AGAIN_MS, counted_from};
use crate::language::{t, tf, told};
use crate::{
    api::{self, asked},
    live::timer::every,
    pages::{
        backup_recovery::{
            alerts::{
                filters::Filters,
                list::nothing,
                look,
                query::{AlertQuery, PREFIX},
            },
            cells::MomentCell,
            query::href,
        },
        paging::pager_of,
        words::matching,
    },
    paths,
    shell::ClusterList,
    signal::{Memo, RwSignal},
    ui::{Any, Badge, Cell, Column, ErrorNotice, Skeleton, Table, table::Sort, waiting},
};
use domain::{
    alert::Alert,
    cluster::ClusterSummary,
    page::{Page, TOTAL_MAX},
};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

/// The page.
#[component]
pub fn AllAlerts() -> impl IntoView {
    let ClusterList(clusters) = expect_context();
    let params = use_query_map();
    let query = Memo::new(move |_| AlertQuery::read(&params.read()));
    let total = RwSignal::new(None::<u64>);
    let page = asked(
        move || query.get(),
        |query| async move {
            let now = counted_from(&query.common).await?;
            api::alerts::everywhere(query.filter(now)).await
        },
    );
    every(AGAIN_MS, move || page.refetch());
    let retry = Callback::new(move |()| page.refetch());
    let end = matching(total, "alert");
    let view = move || async move {
        match (page.await, clusters.await) {
            (Ok(page), Ok(list)) => {
                total.set(Some(page.total));
                loaded(page, query, &list)
            }
            (Err(error), _) | (_, Err(error)) => {
                let title = t("Alerts could not be loaded").to_owned();
                view! { <ErrorNotice title text=error.to_string() on_retry=retry/> }.any()
            }
        }
    };
    view! {
        <Title text=t("Alerts")/>
        <div class="page-head">
            <div class="page-title">
                <h1>{t("Alerts")}</h1>
            </div>
        </div>
        <section class="panel panel-table" aria-label=t("Alerts")>
            <Filters query end/>
            {waiting(|| view! { <Skeleton rows=8/> }.any(), view)}
        </section>
    }
    .any()
}

fn loaded(page: Page<Alert>, query: Memo<AlertQuery>, clusters: &[ClusterSummary]) -> AnyView {
    if page.rows.is_empty() {
        return nothing(&query.read_untracked(), page.total_unfiltered);
    }
    let params = use_query_map();
    let sort = Sort {
        ascending: Signal::derive(move || query.read().common.ascending),
        href: Signal::derive(move || {
            let order = (!query.read().common.ascending).then(|| "oldest".to_owned());
            href(&params.read(), PREFIX, &[("order", order)])
        }),
    };
    let columns = vec![
        Column::plain(t("ID")),
        Column::plain(t("Cluster")),
        Column::plain(t("Alert Object")),
        Column::plain(t("Alert Type")),
        Column::sorted(t("Generated At"), sort),
        Column::plain(t("Recovered At")),
        Column::plain(t("Status")),
    ];
    let pager = pager_of(PREFIX, (page.page, page.size), page.total, TOTAL_MAX);
    let rows = page.rows.into_iter().map(|alert| row(alert, clusters));
    let rows = rows.collect_view();
    view! {
        <Table caption=t("Alerts") columns=columns>
            {rows}
        </Table>
        {pager}
    }
    .any()
}

fn row(alert: Alert, clusters: &[ClusterSummary]) -> AnyView {
    let of = clusters
        .iter()
        .find(|one| Some(one.cluster.id) == alert.cluster);
    // What is wrong with the console stands in the list of each cluster.
    let name = of.or(clusters.first().filter(|_| alert.cluster.is_none()));
    let name = name.map(|one| one.cluster.name.clone());
    let id = alert.id.to_string();
    let details = match &name {
        Some(name) => {
            let href = format!("{}?alertShown={id}#alerts", paths::backup(name));
            let label = tf("Alert {id}, details", &[("id", &id)]);
            view! { <a class="id" href=href aria-label=label>{id}</a> }.any()
        }
        None => id.into_any(),
    };
    let place = match alert.cluster.and(name) {
        Some(name) => view! { <a href=paths::cluster(&name)>{name.clone()}</a> }.any(),
        None => t("The console").into_any(),
    };
    view! {
        <tr role="row">
            <th scope="row" role="rowheader" class="cell-key" data-label="ID">
                {details}
            </th>
            <Cell label=t("Cluster")>{place}</Cell>
            <Cell label=t("Alert Object") class="cell-wide">
                <span class="id">{alert.object}</span>
            </Cell>
            <Cell label=t("Alert Type") class="cell-wide">
                <span class="row nowrap">
                    {look::shape(alert.level)}
                    <span class="visually-hidden">{format!("{}:", t(alert.level.label()))}</span>
                    {told(&alert.name)}
                </span>
                <span class="cell-sub">{told(&alert.summary)}</span>
            </Cell>
            <MomentCell label=t("Generated At") at=Some(alert.generated)/>
            <MomentCell label=t("Recovered At") at=alert.recovered/>
            <Cell label=t("Status") class="cell-status">
                <Badge look=look::status(alert.status)/>
            </Cell>
        </tr>
    }
    .any()
}
