//! Backup storage trends: sizes over a time, what happened beside them, and when the storage will be full.
//!
//! Everything that is a word or a number is read by the server; the drawing is downloaded once it can be seen.

pub mod plot;
pub mod words;

use super::{
    filters::TenantFilter,
    query::{TaskQuery, with},
    task_list::resolved,
};
use crate::language::{t, tf};
use crate::{
    api::{self, asked},
    feed::Feed,
    parts,
    signal::{Memo, RwSignal},
    ui::{
        Any, Cell, Column, Empty, Entry, ErrorNotice, Skeleton, Stamp, Table, follow_list, waiting,
    },
};
use domain::{
    Scn,
    scn::{NS_PER_DAY, NS_PER_SECOND},
    size::bytes,
    trend::{StorageTrend, TrendPoint},
};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

/// Ranges: value in the address, label, days.
const RANGES: [(&str, &str, u64); 5] = [
    ("24h", crate::language::later("24 hours"), 1),
    ("7d", crate::language::later("7 days"), 7),
    ("30d", crate::language::later("30 days"), 30),
    ("90d", crate::language::later("90 days"), 90),
    ("1y", crate::language::later("1 year"), 365),
];
/// The range when nothing is chosen.
const RANGE: usize = 1;
/// Key of the range in the address.
const KEY: &str = "trend";
/// It is read anew as often as this, in ns of the server's clock.
const AGAIN_NS: u64 = 30 * NS_PER_SECOND;
/// The same while there is nothing yet.
const SOON_NS: u64 = 4 * NS_PER_SECOND;
/// Rows of the table.
const ROWS_MAX: usize = 20;

/// The panel.
#[component]
pub fn Trend() -> impl IntoView {
    let feed = Feed::current();
    let params = use_query_map();
    let range = Memo::new(move |_| {
        let asked = params.read().get(KEY);
        let known = RANGES
            .iter()
            .position(|(code, ..)| Some(*code) == asked.as_deref());
        known.unwrap_or(RANGE)
    });
    let nothing = RwSignal::new(false);
    let turn = Memo::new(move |_| {
        let last = feed.summary().read().last_data_backup;
        let every = if nothing.get() { SOON_NS } else { AGAIN_NS };
        (last, feed.read_at().0 / every)
    });
    let query = Memo::new(move |_| TaskQuery::read(&params.read(), KEY));
    let tenant = Memo::new(move |_| resolved(feed, query.get()).tenant);
    let trend = asked(
        move || (range.get(), tenant.get(), turn.get()),
        move |(range, tenant, _)| {
            let now = feed.read_at_untracked();
            let since = now.minus_ns(RANGES[range].2 * NS_PER_DAY);
            api::storage::trend(feed.cluster(), tenant, since, now.plus_ns(NS_PER_SECOND))
        },
    );
    let retry = Callback::new(move |()| trend.refetch());
    let view = move || async move {
        let found = trend.await;
        nothing.set(found.as_ref().is_ok_and(|found| found.points.is_empty()));
        match found {
            Ok(found) if found.points.is_empty() => {
                let text = t("Sizes are measured after each data backup, and every half hour.");
                view! { <Empty title=t("No backup data yet") text/> }.any()
            }
            Ok(found) => loaded(found, RANGES[range.get_untracked()]),
            Err(error) => {
                let title = t("The trend could not be loaded").to_owned();
                view! { <ErrorNotice title text=error.to_string() on_retry=retry/> }.any()
            }
        }
    };
    view! {
        <section class="panel" id="trend" aria-labelledby="trend-title">
            <div class="panel-head">
                <h2 id="trend-title">{t("Backup storage trends")}</h2>
                <span class="panel-note">{t("Second backup is not included")}</span>
                <div class="panel-tools">
                    <TenantFilter id="trend-tenant" prefix=KEY query/>
                    <nav class="segmented" data-size="sm" aria-label=t("Time range of the trend")>
                        {RANGES
                            .into_iter()
                            .enumerate()
                            .map(|(at, (code, label, _))| {
                                let code = (at != RANGE).then_some(code);
                                view! {
                                    <a
                                        href=move || with(&params.read(), KEY, code)
                                        data-noscroll=""
                                        aria-current=move || (range.get() == at).then_some("true")
                                    >
                                        {t(label)}
                                    </a>
                                }
                                .any()
                            })
                            .collect_view()}
                    </nav>
                </div>
            </div>
            {waiting(|| view! { <Skeleton rows=5/> }.any(), view)}
        </section>
    }
    .any()
}

fn loaded(trend: StorageTrend, (_, label, days): (&str, &'static str, u64)) -> AnyView {
    let (first, last) = (trend.points[0], trend.points[trend.points.len() - 1]);
    let grown = words::grown(first.total_bytes(), last.total_bytes());
    let outlook = words::forecast(&trend.forecast);
    let table = table(&trend.points);
    let until = trend.now;
    // A young history fills the drawing instead of a corner of it.
    let since = until.minus_ns(days * NS_PER_DAY).max(first.at);
    let text = tf(
        "{range}: the total volume went from {from} to {to}.",
        &[
            ("range", &t(label)),
            ("from", &bytes(first.total_bytes())),
            ("to", &bytes(last.total_bytes())),
        ],
    );
    view! {
        <div class="trend">
            <ul class="trend-key">
                <Key kind="total" label=t("Total Volume") size=last.total_bytes() note=grown/>
                <Key kind="data" label=t("Data Backup") size=last.data_bytes/>
                <Key kind="log" label=t("Log Backup") size=last.log_bytes/>
            </ul>
            {parts::downloaded_when_seen(move || parts::trend_plot((trend.clone(), (since, until), text.clone())))}
            <p class="trend-outlook">{outlook}</p>
            <details class="data-table">
                <summary>{t("Show as table")}</summary>
                {table}
            </details>
        </div>
    }
    .any()
}

#[component]
fn Key(
    kind: &'static str,
    label: &'static str,
    size: u64,
    #[prop(optional)] note: String,
) -> impl IntoView {
    view! {
        <li>
            <svg viewBox="0 0 12 12" aria-hidden="true">
                <path data-series=kind d="M0 6h12"/>
            </svg>
            <span>{label}</span>
            <b>{bytes(size)} " " <small>{note}</small></b>
        </li>
    }
    .any()
}

/// The samples at the ends of days, or the newest ones, newest first.
fn table(points: &[TrendPoint]) -> AnyView {
    let mut ends: Vec<TrendPoint> = points
        .chunk_by(|a, b| a.at.0 / NS_PER_DAY == b.at.0 / NS_PER_DAY)
        .filter_map(|day| day.last().copied())
        .collect();
    if ends.len() < 3 {
        ends = points.to_vec();
    }
    let shown = ends.split_off(ends.len().saturating_sub(ROWS_MAX));
    let row = |point: TrendPoint| {
        view! {
            <tr role="row">
                <th scope="row" role="rowheader" class="cell-key" data-label=t("Time")>
                    <Stamp at=point.at/>
                </th>
                <Cell label=t("Total Volume")>{bytes(point.total_bytes())}</Cell>
                <Cell label=t("Data Backup")>{bytes(point.data_bytes)}</Cell>
                <Cell label=t("Log Backup")>{bytes(point.log_bytes)}</Cell>
            </tr>
        }
        .any()
    };
    let columns = [
        t("Time"),
        t("Total Volume"),
        t("Data Backup"),
        t("Log Backup"),
    ];
    let entries = move || {
        let rows = shown.iter().rev().copied();
        rows.map(|point| Entry::new(point.at.0, move || row(point)))
            .collect()
    };
    view! {
        <Table caption=t("Backup storage over time") columns=columns.map(Column::plain).to_vec()>
            {follow_list(entries)}
        </Table>
    }
    .any()
}

/// Where a moment lies in a span, 0 to 1.
pub(crate) fn share(at: Scn, (since, until): (Scn, Scn)) -> f64 {
    let all = until.since_ns(since).max(1) as f64;
    (at.since_ns(since) as f64 / all).clamp(0.0, 1.0)
}
