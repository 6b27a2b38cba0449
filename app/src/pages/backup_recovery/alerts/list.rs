//! Filters, table and pager of the panel. It is read anew when the feed says that alerts changed.

use super::{
    details::AlertDrawer,
    filters::Filters,
    look,
    query::{AlertQuery, PREFIX, unfiltered},
    ring::ring,
};
use crate::language::{t, tf, told};
use crate::{
    api::{self, asked},
    feed::Feed,
    pages::{
        backup_recovery::{cells::MomentCell, query::href},
        paging::{no_match, pager_of},
        words::{count, matching},
    },
    parts,
    signal::{Memo, RwSignal},
    ui::{
        Any, Badge, Cell, Column, Empty, Entry, ErrorNotice, LinkButton, Skeleton, Table,
        follow_list, table::Sort, waiting,
    },
};
use domain::{AlertId, alert::Alert, page::Page};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

/// The panel.
#[component]
pub fn Alerts() -> impl IntoView {
    let feed = Feed::current();
    let params = use_query_map();
    let query = Memo::new(move |_| AlertQuery::read(&params.read()));
    let shown = RwSignal::new(None::<AlertId>);
    let open = RwSignal::new(false);
    let total = RwSignal::new(None::<u64>);
    let page = asked(
        move || (query.get(), feed.alerts_rev().get()),
        move |(query, _)| api::alerts::list(feed.cluster(), query.filter(feed.read_at_untracked())),
    );
    let retry = Callback::new(move |()| page.refetch());
    let show = Callback::new(move |id| {
        shown.set(Some(id));
        parts::open_with_content(open);
    });
    // The address may name the alert that is meant.
    Effect::new(move |before: Option<()>| {
        let named = params.with_untracked(|params| params.get("alertShown"));
        let id = named.and_then(|id| id.parse().ok()).map(AlertId);
        if let Some(id) = id.filter(|_| before.is_none()) {
            show.run(id);
        }
    });
    let end = matching(total, "alert");
    // What the ring counts does not depend on the page, the order or the level.
    let counted = Memo::new(move |_| {
        let query = query.read();
        (query.common.time, query.statuses.clone())
    });
    let levels = asked(
        move || (counted.get(), feed.alerts_rev().get()),
        move |_| {
            let filter = query.get_untracked().filter(feed.read_at_untracked());
            api::alerts::levels(feed.cluster(), filter)
        },
    );
    let ring = move || async move {
        match levels.await {
            Ok(counts) => ring(&counts, query),
            Err(error) => {
                let title = t("Alerts could not be counted").to_owned();
                view! { <ErrorNotice title text=error.to_string() on_retry=retry/> }.any()
            }
        }
    };
    let rows = move || async move {
        match page.await {
            Ok(page) => {
                total.set(Some(page.total));
                loaded(page, query.get_untracked(), show)
            }
            Err(error) => {
                let title = t("Alerts could not be loaded").to_owned();
                view! { <ErrorNotice title text=error.to_string() on_retry=retry/> }.any()
            }
        }
    };
    view! {
        <section class="panel" id="alerts" aria-labelledby="alerts-title">
            <div class="panel-head">
                <h2 id="alerts-title">{t("Alerts")}</h2>
            </div>
            <Filters query end/>
            <div class="alerts-grid">
                {waiting(|| view! { <Skeleton rows=4/> }.any(), ring)}
                <div>{waiting(|| view! { <Skeleton rows=4/> }.any(), rows)}</div>
            </div>
        </section>
        <AlertDrawer open shown/>
    }
    .any()
}

fn loaded(page: Page<Alert>, query: AlertQuery, show: Callback<AlertId>) -> AnyView {
    if page.rows.is_empty() {
        return nothing(&query, page.total_unfiltered);
    }
    let pager = pager_of(PREFIX, (page.page, page.size), page.total, u64::MAX);
    let rows = StoredValue::new(page.rows);
    let entries = move || {
        let rows = rows.get_value().into_iter();
        rows.map(|alert| {
            let key = format!("{} {}", alert.id, alert.rev);
            Entry::new(key, move || row(alert, show))
        })
        .collect()
    };
    view! {
        <Table caption=t("Alerts") columns=columns()>
            {follow_list(entries)}
        </Table>
        {pager}
    }
    .any()
}

fn columns() -> Vec<Column> {
    let params = use_query_map();
    let ascending = Signal::derive(move || AlertQuery::read(&params.read()).common.ascending);
    let href = Signal::derive(move || {
        let order = (!ascending.get()).then(|| "oldest".to_owned());
        href(&params.read(), PREFIX, &[("order", order)])
    });
    vec![
        Column::plain(t("ID")),
        Column::plain(t("Alert Object")),
        Column::plain(t("Alert Type")),
        Column::sorted(t("Generated At"), Sort { ascending, href }),
        Column::plain(t("Recovered At")),
        Column::plain(t("Last Generated At")),
        Column::plain(t("Status")),
    ]
}

fn row(alert: Alert, show: Callback<AlertId>) -> AnyView {
    let id = alert.id;
    let masked = alert.masked_until;
    let until = masked.map(|at| tf("until {at} UTC", &[("at", &at.display_seconds())]));
    view! {
        <tr role="row">
            <th scope="row" role="rowheader" class="cell-key" data-label="ID">
                <LinkButton
                    class="id"
                    label=tf("Alert {id}, details", &[("id", &id)])
                    on_press=move |()| show.run(id)
                >
                    {id.to_string()}
                </LinkButton>
            </th>
            <Cell label=t("Alert Object") class="cell-wide">
                <span class="id">{alert.object}</span>
            </Cell>
            <Cell label=t("Alert Type") class="cell-wide">
                <span class="row nowrap" title=told(&alert.summary)>
                    {look::shape(alert.level)}
                    <span class="visually-hidden">{format!("{}:", t(alert.level.label()))}</span>
                    {told(&alert.name)}
                </span>
            </Cell>
            <MomentCell label=t("Generated At") at=Some(alert.generated)/>
            <MomentCell label=t("Recovered At") at=alert.recovered/>
            <MomentCell label=t("Last Generated At") at=Some(alert.last_generated)/>
            <Cell label=t("Status") class="cell-status">
                <span title=until>
                    <Badge look=look::status(alert.status)/>
                </span>
            </Cell>
        </tr>
    }
    .any()
}

/// What stands in place of rows, where there is none.
pub fn nothing(query: &AlertQuery, unfiltered_total: u64) -> AnyView {
    if !query.is_filtered() || unfiltered_total == 0 {
        let title = t("No alert yet");
        let text = t("The rules are checked each minute; what they find stands here.");
        return view! { <Empty title text/> }.any();
    }
    let params = use_query_map();
    let text = tf(
        "{alert} without filters.",
        &[("alert", &count(unfiltered_total, "alert"))],
    );
    let all = unfiltered(&params.read_untracked());
    no_match(t("No alert matches these filters"), text, all)
}
