//! Overview of a cluster: what it is, its tenants and what can be recovered of each, and where its backups lie.

use super::manage::Manage;
use crate::language::{t, tf, told};
use crate::{
    api::{self, ApiError, asked},
    pages::{not_found::NotFound, status, words::count},
    paths,
    signal::Memo,
    ui::{
        Any, Badge, Cell, Column, Empty, ErrorNotice, Fact, Facts, Icon, NoValue, Skeleton, Stamp,
        Table, Tone, badge::Look, title, waiting,
    },
};
use domain::{
    page::{Overview, TenantPeriod},
    size::{bytes, duration_ms},
    storage::StorageState,
    tenant::{Tenant, TenantState},
};
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

/// The page.
#[component]
pub fn ClusterOverview() -> impl IntoView {
    let params = use_params_map();
    let cluster = Memo::new(move |_| params.read().get("cluster").unwrap_or_default());
    let overview = asked(move || cluster.get(), api::clusters::overview);
    let tenants = asked(move || cluster.get(), api::tenants::list);
    let storages = asked(move || cluster.get(), api::storage::states);
    let retry = Callback::new(move |()| overview.refetch());
    let view = move || async move {
        let name = cluster.get_untracked();
        match (overview.await, tenants.await, storages.await) {
            (Ok(overview), Ok(tenants), Ok(storages)) => {
                loaded(&overview, tenants, storages, retry)
            }
            (Err(ApiError::NotFound { .. }), ..) => {
                let what = tf("There is no cluster {cluster}.", &[("cluster", &name)]);
                view! { <NotFound what/> }.any()
            }
            (Err(error), ..) | (_, Err(error), _) | (.., Err(error)) => {
                let title = tf("{cluster} could not be loaded", &[("cluster", &name)]);
                view! {
                    <section class="panel">
                        <ErrorNotice title text=error.to_string() on_retry=retry/>
                    </section>
                }
                .any()
            }
        }
    };
    view! {
        {title(move || tf("Overview, {cluster}", &[("cluster", &cluster.get())]))}
        {waiting(|| view! { <section class="panel"><Skeleton rows=8/></section> }.any(), view)}
    }
    .any()
}

fn loaded(
    overview: &Overview,
    tenants: Vec<Tenant>,
    storages: Vec<StorageState>,
    again: Callback<()>,
) -> AnyView {
    let summary = &overview.summary;
    let name = summary.cluster.name.clone();
    let engine = t(summary.cluster.engine.label()).to_owned();
    let version = summary.cluster.version.clone();
    let address = summary.cluster.endpoint.as_ref();
    let address = address.map(|it| (it.to_string(), it.account.clone()));
    let look = status::schedule(summary.status);
    let status_note = summary.status_reason.clone().unwrap_or_default();
    let size = bytes(summary.backup_file_bytes);
    let place = summary.cluster.destination.clone();
    let of_tenants = count(summary.tenants.into(), "tenant");
    let backed = tf(
        "{number} backed up",
        &[("number", &summary.tenants_backed_up)],
    );
    let last = summary.last_data_backup;
    let period = overview.period.tenants.clone();
    view! {
        <div class="page-head">
            <nav class="breadcrumb" aria-label=t("Breadcrumb")>
                <ol>
                    <li>
                        <a href=paths::CLUSTERS>{t("Clusters")}</a>
                    </li>
                    <li aria-current="page">{name.clone()}</li>
                </ol>
            </nav>
            <div class="page-title">
                <h1>{name.clone()}</h1>
            </div>
            <div class="page-actions">
                <a class="button" data-variant="primary" href=paths::backup(&name)>
                    <Icon name="backup"/>
                    {t("Backup & Recovery")}
                </a>
                <a class="button" href=paths::strategy(&name)>{t("Backup Strategy")}</a>
                <Manage cluster=summary.cluster.clone() again/>
            </div>
        </div>
        <div class="stack">
            <section class="panel" aria-labelledby="overview-facts">
                <div class="panel-head">
                    <h2 id="overview-facts">{t("Basic information")}</h2>
                </div>
                <Facts>
                    <Fact label=t("Status") context=status_note>
                        <Badge look soft=true/>
                    </Fact>
                    <Fact label=t("Engine") context=version>{engine}</Fact>
                    {address.map(|(address, account)| {
                        view! {
                            <Fact label=t("Addresses") context=account>
                                <code>{address}</code>
                            </Fact>
                        }.any()
                    })}
                    <Fact label=t("Backup File") context=place>{size}</Fact>
                    <Fact label=t("Last Data Backup Time") context=format!("{of_tenants}, {backed}")>
                        {match last {
                            Some(at) => view! { <Stamp at/> }.any(),
                            None => view! { <NoValue/> }.any(),
                        }}
                    </Fact>
                </Facts>
            </section>
            <section class="panel panel-table" aria-labelledby="overview-tenants">
                <div class="panel-head">
                    <h2 id="overview-tenants">{t("Tenants")}</h2>
                </div>
                {tenant_table(&name, tenants, &period)}
            </section>
            <section class="panel panel-table" aria-labelledby="overview-storages">
                <div class="panel-head">
                    <h2 id="overview-storages">{t("Destinations")}</h2>
                </div>
                {storage_table(storages)}
            </section>
        </div>
    }
    .any()
}

fn tenant_table(cluster: &str, tenants: Vec<Tenant>, period: &[TenantPeriod]) -> AnyView {
    if tenants.is_empty() {
        let text = t("A cluster without tenants has nothing to back up.");
        return view! { <Empty title=t("There is no tenant yet") text/> }.any();
    }
    let columns = [
        t("Tenant"),
        t("Status"),
        t("Data"),
        t("Recoverable from"),
        t("Recoverable until"),
        t("Actions"),
    ];
    let rows = tenants.into_iter().map(|tenant| {
        let of = period.iter().find(|one| one.tenant == tenant.id);
        let ranges = of.map(|of| of.ranges.as_slice()).unwrap_or_default();
        let edge = |at: Option<domain::Scn>| match at {
            Some(at) => view! { <Stamp at/> }.any(),
            None => view! { <NoValue/> }.any(),
        };
        let from = edge(ranges.first().map(|range| range.start));
        let until = edge(ranges.last().map(|range| range.end));
        let recover = (!ranges.is_empty()).then(|| {
            let href = paths::new_recovery(cluster, Some(tenant.id), None);
            let label = tf("Recover {tenant}", &[("tenant", &tenant.name)]);
            view! { <a href=href aria-label=label>{t("Recover")}</a> }.any()
        });
        let page = format!("{}?tenant={}", paths::backup(cluster), tenant.name);
        view! {
            <tr role="row">
                <th scope="row" role="rowheader" class="cell-key" data-label=t("Tenant")>
                    <a href=page>{tenant.name.clone()}</a>
                </th>
                <Cell label=t("Status") class="cell-status">
                    <span title=tenant.note.as_deref().map(told)>
                        <Badge look=standing(tenant.state)/>
                    </span>
                </Cell>
                <Cell label=t("Data")>{bytes(tenant.size_bytes)}</Cell>
                <Cell label=t("Recoverable from")>{from}</Cell>
                <Cell label=t("Recoverable until")>{until}</Cell>
                <Cell label=t("Actions") class="cell-actions">{recover}</Cell>
            </tr>
        }
        .any()
    });
    let rows = rows.collect_view();
    view! {
        <Table caption=t("Tenants") columns=columns.map(Column::plain).to_vec()>
            {rows}
        </Table>
    }
    .any()
}

fn standing(state: TenantState) -> Look {
    let (text, tone, icon) = match state {
        TenantState::Online => (t("Online"), Tone::Ok, "s-ok"),
        TenantState::Offline => (t("Offline"), Tone::Mute, "s-stop"),
        TenantState::Faulty => (t("Faulty"), Tone::Bad, "s-bad"),
    };
    Look {
        text: text.to_owned(),
        tone,
        icon,
    }
}

fn storage_table(storages: Vec<StorageState>) -> AnyView {
    if storages.is_empty() {
        let text = t("They are looked at with the cluster.");
        return view! { <Empty title=t("No destination seen yet") text/> }.any();
    }
    let columns = [t("Copy"), t("Directory"), t("Used"), t("Free"), t("Status")];
    let rows = storages.into_iter().map(|storage| {
        let used = storage
            .used_percent()
            .map_or_else(|| "–".to_owned(), |percent| format!("{percent}\u{a0}%"));
        let free = storage.free_bytes.map_or_else(|| "–".to_owned(), bytes);
        let (text, tone, icon) = match (&storage.fault, storage.identity_changed) {
            (Some(_), _) => (t("Cannot be used"), Tone::Bad, "s-bad"),
            (None, true) => (t("Another destination"), Tone::Warn, "s-warn"),
            (None, false) => (t("Reached"), Tone::Ok, "s-ok"),
        };
        let look = Look {
            text: text.to_owned(),
            tone,
            icon,
        };
        view! {
            <tr role="row">
                <th scope="row" role="rowheader" class="cell-key" data-label=t("Copy")>
                    {t(storage.place.label())}
                </th>
                <Cell label=t("Directory") class="cell-clip cell-wide">
                    <code title=storage.location.clone()>{storage.location.clone()}</code>
                </Cell>
                <Cell label=t("Used")>{used}</Cell>
                <Cell label=t("Free")>{free}</Cell>
                <Cell label=t("Status") class="cell-status">
                    <Badge look/>
                    {storage.fault.map(|fault| view! { <span class="cell-sub">{fault}</span> }.any())}
                </Cell>
            </tr>
        }
        .any()
    });
    let rows = rows.collect_view();
    view! {
        <Table caption=t("Destinations") columns=columns.map(Column::plain).to_vec()>
            {rows}
        </Table>
    }
    .any()
}

/// How far log is behind, as of the last look at a cluster.
pub(super) fn delay(summary: &domain::cluster::ClusterSummary) -> Option<String> {
    let (observed, checkpoint) = (summary.cluster.observed?, summary.log_checkpoint?);
    Some(duration_ms(observed.since_ns(checkpoint) / 1_000_000))
}
