//! The strip of weeks, for backups that are kept for longer than the seven days shown: how much of each day can be
//! recovered, and the way to its week. Absent while everything there is lies in the last seven days.

use super::{
    Calendar,
    time::{Day, Zone},
    view,
};
use crate::language::{t, tf};
use crate::signal::Memo;
use crate::ui::{Any, follow};
use domain::{
    Scn,
    calendar::{DAYS, share_permille},
    page::Period,
};
use leptos::prelude::*;

/// Weeks of the strip: a quarter of a year.
const WEEKS: usize = 13;

/// A week of the strip.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Cell {
    /// Its last day.
    last: Day,
    /// Thousandths of each day, of all tenants shown, that can be recovered; oldest first.
    days: [u32; DAYS],
}

impl Cell {
    /// Percent of the whole week.
    fn percent(&self) -> u32 {
        self.days.iter().sum::<u32>() / (10 * DAYS as u32)
    }
}

/// The weeks until today, oldest first; none where the last seven days have it all.
fn cells(period: &Period, tenant: Option<&str>, today: Day, zone: Zone, now: Scn) -> Vec<Cell> {
    let shown = view::shown(period, tenant);
    let oldest = shown
        .iter()
        .filter_map(|one| one.ranges.first())
        .map(|range| range.start);
    let week = zone.midnight(today.plus(1 - DAYS as i64));
    if oldest.min().is_none_or(|oldest| oldest >= week) {
        return Vec::new();
    }
    let ranges: Vec<_> = shown.iter().map(|one| one.ranges.as_slice()).collect();
    let day = |day: Day| {
        let end = zone.midnight(day.plus(1)).min(now);
        share_permille(&ranges, zone.midnight(day), end)
    };
    let cell = |back: usize| {
        let last = today.plus(-((back * DAYS) as i64));
        let first = last.plus(1 - DAYS as i64);
        Cell {
            last,
            days: std::array::from_fn(|nth| day(first.plus(nth as i64))),
        }
    };
    (0..WEEKS).rev().map(cell).collect()
}

/// The strip; `to` gives the address of the week that ends with a day.
#[component]
pub fn Strip<F>(
    /// The calendar that it belongs to.
    calendar: Calendar,
    /// The address of a week.
    to: F,
) -> impl IntoView
where
    F: Fn(Day) -> String + Copy + Send + Sync + 'static,
{
    let minute = Memo::new(move |_| calendar.now.get().0 / 60_000_000_000);
    let cells = Memo::new(move |_| {
        minute.get();
        let tenant = calendar.tenant.get();
        let (today, zone) = (calendar.today.get(), calendar.zone.get());
        let now = calendar.now.get_untracked();
        calendar
            .period
            .with(|period| cells(period, tenant.as_deref(), today, zone, now))
    });
    follow(move || {
        let cells = cells.get();
        (!cells.is_empty()).then(|| {
            let weeks = cells
                .into_iter()
                .map(|cell| one(calendar, cell, to))
                .collect_view();
            view! {
                <nav class="week-strip" aria-label=t("The last 13 weeks")>
                    <ol>{weeks}</ol>
                </nav>
            }
            .any()
        })
    })
}

fn one<F>(calendar: Calendar, cell: Cell, to: F) -> AnyView
where
    F: Fn(Day) -> String + Copy + Send + Sync + 'static,
{
    let last = cell.last;
    let label = tf(
        "Week until {day}: {percent} % recoverable",
        &[("day", &last.short()), ("percent", &cell.percent())],
    );
    let bars = cell.days.iter().enumerate().map(|(nth, permille)| {
        let height = permille * 20 / 1000;
        view! {
            <rect x=(nth * 4).to_string() y=(20 - height).to_string() width="3" height=height.to_string()/>
        }
        .any()
    });
    let bars = bars.collect_view();
    let current = move || (calendar.week.get().last == last).then_some("true");
    view! {
        <li>
            <a href=move || to(last) data-noscroll="" aria-label=label.clone() title=label.clone() aria-current=current>
                <svg viewBox="0 0 27 21" aria-hidden="true">
                    <path d="M0 20.5h27"/>
                    {bars}
                </svg>
                <span aria-hidden="true">{format!("{} {}", last.date().2, last.month_short())}</span>
            </a>
        </li>
    }
    .any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{
        TenantId, page::TenantPeriod, recoverable::RecoverableRange, tenant::TenantState,
    };

    fn period(from: &str, until: &str) -> Period {
        let at = |text: &str| Scn::parse_rfc3339(text).unwrap();
        Period {
            tenants: vec![TenantPeriod {
                tenant: TenantId(1),
                name: "orders".to_owned(),
                state: TenantState::Online,
                ranges: vec![RecoverableRange {
                    start: at(from),
                    end: at(until),
                }],
                gaps: Vec::new(),
                checkpoint: None,
            }],
            markers: Vec::new(),
        }
    }

    fn told(period: &Period) -> Vec<Cell> {
        let now = Scn::parse_rfc3339("2026-11-12T12:00:00Z").unwrap();
        let today = Day::parse("2026-11-12").unwrap();
        cells(period, None, today, Zone::UTC, now)
    }

    #[test]
    fn a_young_period_needs_no_strip() {
        let week = period("2026-11-06T00:00:00Z", "2026-11-12T12:00:00Z");
        assert_eq!(told(&week), []);
    }

    #[test]
    fn an_old_one_is_seen_day_by_day() {
        let cells = told(&period("2026-10-30T12:00:00Z", "2026-11-12T12:00:00Z"));
        assert_eq!(cells.len(), WEEKS);
        let (newest, before) = (&cells[WEEKS - 1], &cells[WEEKS - 2]);
        assert_eq!(newest.days, [1000; DAYS], "today counts until now");
        assert_eq!(before.last, Day::parse("2026-11-05").unwrap());
        assert_eq!(before.days, [500, 1000, 1000, 1000, 1000, 1000, 1000]);
        assert_eq!(cells[0].percent(), 0);
    }
}
