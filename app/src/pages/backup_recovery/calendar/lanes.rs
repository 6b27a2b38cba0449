//! The seven lanes with their axis, and the legend.

use super::Calendar;
use super::lane::LaneRow;
use super::pop::{GapCard, Pops, TipView};
use crate::language::{t, tf};
use crate::ui::Any;
use domain::calendar::DAYS;
use leptos::prelude::*;

/// Hours written on the axis.
const HOURS: [&str; 9] = [
    "00:00", "03:00", "06:00", "09:00", "12:00", "15:00", "18:00", "21:00", "24:00",
];

/// The seven lanes, the oldest day on top.
#[component]
pub fn Lanes(
    /// What they show.
    calendar: Calendar,
) -> impl IntoView {
    let pops = Pops::default();
    let label = move || {
        let zone = calendar.zone.get();
        let of = calendar
            .tenant
            .get()
            .map_or(String::new(), |name| tf(" of {name}", &[("name", &name)]));
        let zone = zone.name(calendar.week.get().bounds[DAYS]);
        tf(
            "Recoverable moments{of}, one row per day, midnight to midnight, {zone}",
            &[("of", &of), ("zone", &zone)],
        )
    };
    view! {
        <TideDefs/>
        <div class="lanes" on:keydown=move |event| if event.key() == "Escape" { pops.close() }>
            <div class="calendar-axis" aria-hidden="true">
                {HOURS.map(|hour| view! { <span>{hour}</span> }.any()).collect_view()}
            </div>
            <div role="grid" aria-label=label aria-describedby="calendar-keys">
                {(0..DAYS).map(|index| view! { <LaneRow calendar pops index/> }.any()).collect_view()}
            </div>
            <p class="visually-hidden" id="calendar-keys">
                {t("Left and right move the chosen moment by a minute, with Shift by an hour, with Alt by a second. Up and down move it by a day. Home and End go to the start and the end of the period. Enter goes on to the recovery.")}
            </p>
            <TipView pops/>
            <GapCard calendar pops/>
        </div>
    }.any()
}

/// The paints of water and gaps. Once on a page.
#[component]
fn TideDefs() -> impl IntoView {
    view! {
        <svg class="visually-hidden" aria-hidden="true">
            <defs>
                <pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
                    <rect class="hatch-back" width="6" height="6"/>
                    <line class="hatch-line" x1="0" y1="0" x2="0" y2="6"/>
                </pattern>
                <linearGradient id="water" x2="0" y2="1">
                    <stop class="water-top"/>
                    <stop class="water-deep" offset="1"/>
                </linearGradient>
            </defs>
        </svg>
    }.any()
}

/// What the signs mean.
#[component]
pub fn Legend(
    /// Whether the level is a share of several tenants.
    #[prop(into)]
    several: Signal<bool>,
) -> impl IntoView {
    let water = move || {
        if several.get() {
            t("Recoverable, water level = share of tenants")
        } else {
            t("Recoverable")
        }
    };
    view! {
        <ul class="calendar-legend">
            <li>
                <svg width="22" height="12" aria-hidden="true"><rect class="tide-fill" y="2" width="22" height="10"/><line class="tide-line" x2="22" y1="2" y2="2"/></svg>
                {move || water().to_owned()}
            </li>
            <li><svg width="22" height="12" aria-hidden="true"><rect class="gap" width="22" height="12"/></svg>{t("Gap, with its cause")}</li>
            <li><svg width="11" height="12" aria-hidden="true"><g class="mark" data-kind="full" transform="translate(5.5 6)"><path d="M0-5.2 5.2 0 0 5.2-5.2 0z"/></g></svg>{t("Full")}</li>
            <li><svg width="10" height="12" aria-hidden="true"><g class="mark" data-kind="inc" transform="translate(5 6)"><path d="M0-4.4 4.4 0 0 4.4-4.4 0z"/></g></svg>{t("Incremental")}</li>
            <li><svg width="9" height="12" aria-hidden="true"><g class="mark" data-kind="failed" transform="translate(4.5 6)"><path d="M-3.6-3.6 3.6 3.6M3.6-3.6-3.6 3.6"/></g></svg>{t("Failed")}</li>
            <li><svg width="14" height="12" aria-hidden="true"><g class="mark" data-kind="running" transform="translate(7 6)"><circle class="mark-pulse" r="6"/><circle r="3"/></g></svg>{t("Running")}</li>
        </ul>
    }.any()
}
