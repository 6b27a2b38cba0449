//! Overview of all clusters: how many are protected, what is wrong anywhere, and what to do next.

use super::{cluster::delay, trends::Trends};
use crate::language::{t, tf, told};
use crate::{
    api::{self, asked},
    pages::{status, words::count},
    paths,
    shell::ClusterList,
    ui::{
        Any, Badge, Cell, Column, Empty, ErrorNotice, Fact, Facts, NoValue, Skeleton, Stamp, Table,
        waiting,
    },
};
use domain::{
    alert::{Alert, AlertFilter, AlertStatus},
    cluster::{ClusterSummary, ScheduleStatus},
    page::Page,
};
use leptos::prelude::*;
use leptos_meta::Title;

/// Log that is further behind counts as late, in ns: an hour.
const LATE_NS: u64 = 3_600_000_000_000;
/// Most alerts that are shown.
const ALERTS: u32 = 10;

/// The page.
#[component]
pub fn Overview() -> impl IntoView {
    let ClusterList(clusters) = expect_context();
    let alerts = asked(
        || (),
        |()| {
            let filter = AlertFilter {
                statuses: vec![AlertStatus::Active],
                page: 1,
                size: ALERTS,
                ..AlertFilter::default()
            };
            api::alerts::everywhere(filter)
        },
    );
    let retry = Callback::new(move |()| clusters.refetch());
    let view = move || async move {
        match clusters.await {
            Ok(list) => loaded(list),
            Err(error) => {
                let title = t("The clusters could not be loaded").to_owned();
                view! {
                    <section class="panel">
                        <ErrorNotice title text=error.to_string() on_retry=retry/>
                    </section>
                }
                .any()
            }
        }
    };
    let wrong = move || async move {
        match (alerts.await, clusters.await) {
            (Ok(page), Ok(list)) => alert_table(page, &list),
            (Err(error), _) | (_, Err(error)) => {
                let title = t("Alerts could not be loaded").to_owned();
                let again = Callback::new(move |()| alerts.refetch());
                view! { <ErrorNotice title text=error.to_string() on_retry=again/> }.any()
            }
        }
    };
    view! {
        <Title text=t("Overview")/>
        <div class="page-head">
            <div class="page-title">
                <h1>{t("Overview")}</h1>
            </div>
        </div>
        <div class="stack">
            {waiting(|| view! { <section class="panel"><Skeleton rows=6/></section> }.any(), view)}
            <section class="panel panel-table" aria-labelledby="overview-alerts">
                <div class="panel-head">
                    <h2 id="overview-alerts">{t("Active alerts")}</h2>
                </div>
                {waiting(|| view! { <Skeleton rows=4/> }.any(), wrong)}
            </section>
            <Trends/>
        </div>
    }
    .any()
}

fn loaded(list: Vec<ClusterSummary>) -> AnyView {
    let clusters = list.len();
    let planned = list
        .iter()
        .filter(|one| one.status != ScheduleStatus::None)
        .count();
    let troubled = list
        .iter()
        .filter(|one| one.status == ScheduleStatus::Abnormal)
        .count();
    let tenants: u32 = list.iter().map(|one| one.tenants).sum();
    let backed: u32 = list.iter().map(|one| one.tenants_backed_up).sum();
    let late = list.iter().filter(|one| is_late(one)).count();
    let running: u32 = list.iter().map(|one| one.tasks_active).sum();
    let (with, without): (Vec<_>, Vec<_>) = list
        .into_iter()
        .partition(|one| one.tenants_backed_up > 0 || one.recoverable_until.is_some());
    let of = |some: usize, all: usize| tf("{some} of {all}", &[("some", &some), ("all", &all)]);
    view! {
        <section class="panel" aria-labelledby="core">
            <div class="panel-head">
                <h2 id="core">{t("Core metrics")}</h2>
            </div>
            <Facts>
                <Fact
                    label=t("Clusters with a backup strategy")
                    context=tf("{number} with a scheduling exception", &[("number", &troubled)])
                    warns=Signal::stored(troubled > 0)
                >
                    {of(planned, clusters)}
                </Fact>
                <Fact
                    label=t("Tenants backed up")
                    context=tf("{number} without any data backup", &[("number", &tenants.saturating_sub(backed))])
                    warns=Signal::stored(backed < tenants)
                >
                    {of(backed as usize, tenants as usize)}
                </Fact>
                <Fact
                    label=t("Clusters with late log")
                    context=t("More than an hour behind, or without log backup").to_owned()
                    warns=Signal::stored(late > 0)
                >
                    {late.to_string()}
                </Fact>
                <Fact label=t("Running tasks") context=count(clusters as u64, "cluster")>
                    {running.to_string()}
                </Fact>
            </Facts>
        </section>
        <section class="panel panel-table" aria-labelledby="backed">
            <div class="panel-head">
                <h2 id="backed">{tf("Backed up ({number})", &[("number", &with.len())])}</h2>
            </div>
            {cluster_table(t("Backed up"), with, true)}
        </section>
        <section class="panel panel-table" aria-labelledby="not-backed">
            <div class="panel-head">
                <h2 id="not-backed">{tf("Not backed up ({number})", &[("number", &without.len())])}</h2>
            </div>
            {cluster_table(t("Not backed up"), without, false)}
        </section>
    }
    .any()
}

fn is_late(one: &ClusterSummary) -> bool {
    let behind = one
        .cluster
        .observed
        .zip(one.log_checkpoint)
        .is_some_and(|(observed, checkpoint)| observed.since_ns(checkpoint) > LATE_NS);
    behind || one.log_not_running > 0
}

fn cluster_table(caption: &'static str, list: Vec<ClusterSummary>, backed: bool) -> AnyView {
    if list.is_empty() {
        let (title, text) = match backed {
            true => (
                t("Nothing is backed up yet"),
                t("A backup strategy backs clusters up at its times; Back up Now does it at once."),
            ),
            false => (t("None"), t("Every cluster has backups.")),
        };
        return view! { <Empty title text/> }.any();
    }
    let columns = [
        t("Name"),
        t("Engine"),
        t("Last Data Backup Time"),
        t("Log Backup Checkpoint"),
        t("Log Delay"),
        t("Status"),
        t("Actions"),
    ];
    let rows = list.into_iter().map(|one| {
        let edge = |at: Option<domain::Scn>| match at {
            Some(at) => view! { <Stamp at/> }.any(),
            None => view! { <NoValue/> }.any(),
        };
        let name = one.cluster.name.clone();
        let (engine, version) = (t(one.cluster.engine.label()), one.cluster.version.clone());
        let behind = delay(&one).unwrap_or_else(|| "–".to_owned());
        let look = status::schedule(one.status);
        let action = match one.strategy_rev {
            None => {
                view! { <a href=paths::edit_strategy(&name)>{t("New Backup Strategy")}</a> }.any()
            }
            Some(_) => view! { <a href=paths::backup(&name)>{t("Backup & Recovery")}</a> }.any(),
        };
        let recover = one.recoverable_until.is_some().then(|| {
            let label = tf("Initiate Recovery from {cluster}", &[("cluster", &name)]);
            view! {
                <a href=paths::new_recovery(&name, None, None) aria-label=label>
                    {t("Initiate Recovery")}
                </a>
            }
            .any()
        });
        view! {
            <tr role="row">
                <th scope="row" role="rowheader" class="cell-key" data-label=t("Name")>
                    <a href=paths::cluster(&name)>{name.clone()}</a>
                </th>
                <Cell label=t("Engine")>
                    {engine} <span class="cell-sub">{version}</span>
                </Cell>
                <Cell label=t("Last Data Backup Time")>{edge(one.last_data_backup)}</Cell>
                <Cell label=t("Log Backup Checkpoint")>{edge(one.log_checkpoint)}</Cell>
                <Cell label=t("Log Delay")>{behind}</Cell>
                <Cell label=t("Status") class="cell-status">
                    <Badge look/>
                </Cell>
                <Cell label=t("Actions") class="cell-actions">
                    <span>{action} {recover}</span>
                </Cell>
            </tr>
        }
        .any()
    });
    let rows = rows.collect_view();
    view! {
        <Table caption columns=columns.map(Column::plain).to_vec()>
            {rows}
        </Table>
    }
    .any()
}

fn alert_table(page: Page<Alert>, clusters: &[ClusterSummary]) -> AnyView {
    if page.rows.is_empty() {
        let text = t("The rules are checked each minute; what they find stands here.");
        return view! { <Empty title=t("Nothing is wrong") text/> }.any();
    }
    let columns = [
        t("ID"),
        t("Cluster"),
        t("Alert Object"),
        t("Alert Type"),
        t("Generated At"),
    ];
    let rows = page.rows.into_iter().map(|alert| {
        let of = clusters.iter().find(|one| Some(one.cluster.id) == alert.cluster);
        let name = of.map(|one| one.cluster.name.clone());
        let place = match &name {
            Some(name) => view! { <a href=format!("{}#alerts", paths::backup(name))>{name.clone()}</a> }.any(),
            None => t("The console").into_any(),
        };
        view! {
            <tr role="row">
                <th scope="row" role="rowheader" class="cell-key" data-label="ID">
                    {alert.id.to_string()}
                </th>
                <Cell label=t("Cluster")>{place}</Cell>
                <Cell label=t("Alert Object") class="cell-wide">
                    <span class="id">{alert.object}</span>
                </Cell>
                <Cell label=t("Alert Type") class="cell-wide">
                    <span title=told(&alert.summary)>{format!("{}, {}", t(alert.level.label()), told(&alert.name))}</span>
                </Cell>
                <Cell label=t("Generated At")>
                    <Stamp at=alert.generated/>
                </Cell>
            </tr>
        }
        .any()
    });
    let rows = rows.collect_view();
    view! {
        <Table caption=t("Active alerts") columns=columns.map(Column::plain).to_vec()>
            {rows}
        </Table>
    }
    .any()
}
