//! What the backups of each cluster take, how that went in a week, and when it will be too much.

use crate::language::t;
use crate::{
    api::{self, asked},
    pages::backup_recovery::trend::words::{forecast, grown},
    paths,
    ui::{Any, Cell, Column, Empty, ErrorNotice, NoValue, Skeleton, Table, waiting},
};
use domain::{
    size::bytes,
    trend::{StorageTrend, TrendPoint},
};
use leptos::prelude::*;
use std::fmt::Write;

/// Width and height of a line, in its own units.
const LINE: (u64, u64) = (120, 24);

/// The panel.
#[component]
pub fn Trends() -> impl IntoView {
    let trends = asked(|| (), |()| api::storage::trends());
    let retry = Callback::new(move |()| trends.refetch());
    let view = move || async move {
        match trends.await {
            Ok(trends) => loaded(trends),
            Err(error) => {
                let title = t("The trend could not be loaded").to_owned();
                view! { <ErrorNotice title text=error.to_string() on_retry=retry/> }.any()
            }
        }
    };
    view! {
        <section class="panel panel-table" aria-labelledby="overview-trends">
            <div class="panel-head">
                <h2 id="overview-trends">{t("Backup storage trends")}</h2>
                <span class="panel-note">{t("Second backup is not included")}</span>
            </div>
            {waiting(|| view! { <Skeleton rows=3/> }.any(), view)}
        </section>
    }
    .any()
}

fn loaded(trends: Vec<(String, StorageTrend)>) -> AnyView {
    if trends.iter().all(|(_, trend)| trend.points.is_empty()) {
        let text = t("Sizes are measured after each data backup, and every half hour.");
        return view! { <Empty title=t("No backup data yet") text/> }.any();
    }
    let columns = [
        t("Cluster"),
        t("Total Volume"),
        t("Data Backup"),
        t("Log Backup"),
        t("Last 7 days"),
        t("Outlook"),
    ];
    let rows = trends.into_iter().map(row).collect_view();
    view! {
        <Table caption=t("Backup storage trends") columns=columns.map(Column::plain).to_vec()>
            {rows}
        </Table>
    }
    .any()
}

fn row((cluster, trend): (String, StorageTrend)) -> AnyView {
    let last = trend.points.last().copied();
    let total = last.map(|point| point.total_bytes());
    let first = trend.points.first().map_or(0, TrendPoint::total_bytes);
    let change = grown(first, total.unwrap_or_default());
    let (data, log) = (
        last.map(|point| point.data_bytes),
        last.map(|point| point.log_bytes),
    );
    let path = line(&trend.points);
    let outlook = forecast(&trend.forecast);
    view! {
        <tr role="row">
            <th scope="row" role="rowheader" class="cell-key" data-label=t("Cluster")>
                <a href=format!("{}#trend", paths::backup(&cluster))>{cluster.clone()}</a>
            </th>
            <Cell label=t("Total Volume")>{size(total)}</Cell>
            <Cell label=t("Data Backup")>{size(data)}</Cell>
            <Cell label=t("Log Backup")>{size(log)}</Cell>
            <Cell label=t("Last 7 days")>
                <svg class="sparkline" viewBox=format!("0 -1 {} {}", LINE.0, LINE.1 + 2) aria-hidden="true">
                    <path d=path></path>
                </svg>
                <span class="cell-sub">{change}</span>
            </Cell>
            <Cell label=t("Outlook") class="cell-wide">{outlook}</Cell>
        </tr>
    }
    .any()
}

fn size(of: Option<u64>) -> AnyView {
    match of {
        Some(of) => bytes(of).into_any(),
        None => view! { <NoValue/> }.any(),
    }
}

/// The path of the total volume over time, from nothing at the bottom to its highest value at the top.
fn line(points: &[TrendPoint]) -> String {
    let (Some(first), Some(last)) = (points.first(), points.last()) else {
        return String::new();
    };
    let span = last.at.since_ns(first.at).max(1);
    let highest = points.iter().map(TrendPoint::total_bytes).max();
    let highest = highest.unwrap_or(1).max(1);
    let share = |part: u64, whole: u64, of: u64| {
        (u128::from(part) * u128::from(of) / u128::from(whole)) as u64
    };
    let mut path = String::new();
    for (nth, point) in points.iter().enumerate() {
        let x = share(point.at.since_ns(first.at), span, LINE.0);
        let y = LINE.1 - share(point.total_bytes(), highest, LINE.1);
        let _ = write!(path, "{}{x} {y}", if nth == 0 { 'M' } else { 'L' });
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Scn;

    fn point(at: u64, data: u64) -> TrendPoint {
        TrendPoint {
            at: Scn(at),
            data_bytes: data,
            log_bytes: 0,
            second_data_bytes: None,
            second_log_bytes: None,
            storage_total_bytes: None,
            storage_free_bytes: None,
        }
    }

    #[test]
    fn the_line_goes_from_edge_to_edge_and_is_high_where_much_is_used() {
        assert_eq!(line(&[]), "");
        assert_eq!(line(&[point(5, 0)]), "M0 24");
        let points = [point(0, 10), point(50, 20), point(100, 5)];
        assert_eq!(line(&points), "M0 12L60 0L120 18");
        assert_eq!(
            line(&[point(0, u64::MAX), point(u64::MAX, 0)]),
            "M0 0L120 24"
        );
    }
}
