//! The loupe: the hour, or the ten minutes, around the chosen moment, large enough to see a period
//! of seconds grow and to point at a second.

use super::Calendar;
use super::gaps::{self, Hatch};
use super::geometry::{self, Water, number, percent};
use super::moment;
use super::time::Zone;
use super::view;
use crate::language::{t, tf};
use crate::live;
use crate::signal::Memo;
use crate::ui::{Any, follow};
use domain::Scn;
use domain::calendar::{Lane, Level};
use domain::page::TenantPeriod;
use domain::recoverable::RecoverableRange;
use domain::scn::NS_PER_SECOND;
use leptos::ev;
use leptos::prelude::*;

/// Upper edge and height of the water, in pixels.
const WATER_TOP: f64 = 4.0;
const WATER_HEIGHT: f64 = 34.0;
const MINUTE: u64 = 60 * NS_PER_SECOND;

/// What the loupe shows.
#[derive(Debug, Clone, PartialEq)]
pub struct LoupeView {
    /// First moment.
    pub start: Scn,
    /// Last moment.
    pub end: Scn,
    /// `The hour around it`.
    pub title: &'static str,
    /// The water.
    pub water: Water,
    /// The hatching of gaps.
    pub hatches: Vec<Hatch>,
    /// Five times along the axis.
    pub ticks: [String; 5],
    /// Where the chosen moment is.
    pub needle: f64,
    /// In words, for those who do not see it.
    pub sentence: String,
}

/// The surroundings of `at`: ten minutes where the period around it is shorter, else an hour. The
/// window moves by steps, so that it stays still while the moment moves inside it.
pub fn around(tenants: &[&TenantPeriod], at: Scn, now: Scn, zone: Zone) -> LoupeView {
    let any = moment::any_of(tenants);
    let period = any
        .iter()
        .find(|range| range.start <= at && at <= range.end);
    let short = period.is_some_and(|range| range.end.since_ns(range.start) < 10 * MINUTE);
    let (span, step, title) = if short {
        (10 * MINUTE, MINUTE, t("The ten minutes around it"))
    } else {
        (60 * MINUTE, 5 * MINUTE, t("The hour around it"))
    };
    // Little of the window is left to the future, which is blank.
    let end = at.plus_ns(span / 2).min(now.plus_ns(span / 6)).max(at);
    let end = Scn(end.0.div_ceil(step) * step);
    let start = end.minus_ns(span);
    let ranges: Vec<Vec<RecoverableRange>> =
        tenants.iter().map(|tenant| tenant.ranges.clone()).collect();
    let levels = levels(start, end, &ranges);
    let count = u32::try_from(tenants.len()).unwrap_or(u32::MAX);
    let lane = Lane { start, end, levels };
    let hatches = gaps::hatches(&lane, &gaps::stories(tenants), count, now);
    let levels = lane.levels;
    let last = any.last().map(|range| range.end);
    // Quarters of ten minutes are no whole minutes.
    let tick = |index: u64| match index % 2 {
        1 if short => String::new(),
        _ => zone.hour_minute(start.plus_ns(span / 4 * index)),
    };
    LoupeView {
        title,
        water: geometry::water(start, end, &levels, count, last),
        hatches,
        ticks: std::array::from_fn(|index| tick(index as u64)),
        needle: geometry::share(start, end, at),
        sentence: tf(
            "{start} to {end}: {zone}",
            &[
                ("start", &zone.time(start)),
                ("end", &zone.time(end)),
                ("zone", &in_words(&levels, count, zone)),
            ],
        ),
        start,
        end,
    }
}

fn levels(start: Scn, end: Scn, tenants: &[Vec<RecoverableRange>]) -> Vec<Level> {
    // A week whose first day is the window and whose others are empty.
    let mut bounds = [end; 8];
    bounds[0] = start;
    domain::calendar::week(&bounds, tenants)
        .into_iter()
        .next()
        .map_or_else(Vec::new, |lane| lane.levels)
}

fn in_words(levels: &[Level], count: u32, zone: Zone) -> String {
    let wet: Vec<String> = levels
        .iter()
        .filter(|level| level.tenants > 0)
        .map(|level| {
            let (from, to) = (zone.time(level.from), zone.time(level.to));
            match (level.tenants, count) {
                (1, 1) => tf(
                    "recoverable from {from} to {to}",
                    &[("from", &from), ("to", &to)],
                ),
                (some, all) => tf(
                    "{some} of {all} tenants from {from} to {to}",
                    &[("some", &some), ("all", &all), ("from", &from), ("to", &to)],
                ),
            }
        })
        .collect();
    if wet.is_empty() {
        t("nothing recoverable.").to_owned()
    } else {
        format!("{}.", wet.join(", "))
    }
}

/// The loupe under the moment's input.
#[component]
pub fn Loupe(
    /// The calendar it belongs to.
    calendar: Calendar,
) -> impl IntoView {
    let shown = Memo::new(move |_| {
        let at = calendar.moment.get()?;
        let (zone, now) = (calendar.zone.get(), calendar.now.get());
        calendar.tenant.with(|name| {
            calendar
                .period
                .with(|period| Some(around(&view::shown(period, name.as_deref()), at, now, zone)))
        })
    });
    let point = move |event: ev::PointerEvent| {
        let Some(pointer) = live::calendar::pointer(&event).filter(|pointer| pointer.pressed)
        else {
            return;
        };
        if let Some((start, end)) = shown.with_untracked(|s| s.as_ref().map(|s| (s.start, s.end))) {
            calendar.point(start, end, pointer);
        }
    };
    let hatches =
        Memo::new(move |_| shown.with(|s| s.as_ref().map_or_else(Vec::new, |s| s.hatches.clone())));
    let of = move |read: fn(&LoupeView) -> String| shown.with(|s| s.as_ref().map(read));
    view! {
        <figure class="loupe" hidden=move || shown.with(Option::is_none)>
            <figcaption>
                <span>{move || shown.with(|s| s.as_ref().map_or(String::new(), |s| s.title.to_owned()))}</span>
                <span>{follow(move || of(|s| s.sentence.clone()).map(|text| view! { <span class="visually-hidden">{text}</span> }.any()))}</span>
            </figcaption>
            <div class="loupe-track" on:pointerdown=point on:pointermove=point>
                <svg aria-hidden="true">
                    <svg y="4" height="34" width="100%" viewBox="0 0 1440 32" preserveAspectRatio="none">
                        <path class="tide-fill" d=move || of(|s| s.water.fill.clone())/>
                        <path class="tide-line" d=move || of(|s| s.water.line.clone())/>
                        <path class="tide-sliver" d=move || of(|s| s.water.slivers.clone())/>
                    </svg>
                    {follow(move || hatches.get().into_iter().map(|hatch| view! {
                        <rect
                            class="gap"
                            x=percent(hatch.left)
                            width=percent(hatch.width)
                            y=number(WATER_TOP + hatch.top * WATER_HEIGHT)
                            height=number(hatch.height * WATER_HEIGHT)
                        />
                    }.any()).collect_view())}
                    <line class="loupe-axis" x1="0" x2="100%" y1="38.5" y2="38.5"/>
                    <svg class="needle" x=move || of(|s| percent(s.needle)) overflow="visible">
                        <line y1="0" y2="42"/>
                        <circle cy="38" r="3.5"/>
                    </svg>
                    {[("0%", "start"), ("25%", "middle"), ("50%", "middle"), ("75%", "middle"), ("100%", "end")]
                        .into_iter()
                        .enumerate()
                        .map(|(index, (x, anchor))| view! {
                            <text x=x y="54" text-anchor=anchor>
                                {move || shown.with(|s| s.as_ref().map(|s| s.ticks[index].clone()).unwrap_or_default())}
                            </text>
                        }.any())
                        .collect_view()}
                </svg>
            </div>
        </figure>
    }.any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::TenantId;
    use domain::tenant::TenantState;

    fn tenant(start: &str, end: &str) -> TenantPeriod {
        let at = |text: &str| Scn::parse_rfc3339(&format!("2026-11-12T{text}Z")).unwrap();
        TenantPeriod {
            tenant: TenantId(1),
            name: "orders".to_owned(),
            state: TenantState::Online,
            ranges: vec![RecoverableRange {
                start: at(start),
                end: at(end),
            }],
            gaps: Vec::new(),
            checkpoint: None,
        }
    }

    fn at(text: &str) -> Scn {
        Scn::parse_rfc3339(&format!("2026-11-12T{text}Z")).unwrap()
    }

    #[test]
    fn a_period_of_two_minutes_is_shown_in_ten_and_stands_near_the_right() {
        let one = tenant("14:00:21", "14:02:13");
        let end = one.ranges[0].end;
        let loupe = around(&[&one], end, end, Zone::UTC);
        assert_eq!(loupe.ticks, ["13:54", "", "13:59", "", "14:04"]);
        assert_eq!(loupe.water.slivers, "");
        assert!((0.8..0.9).contains(&loupe.needle), "{}", loupe.needle);
        assert!(
            loupe
                .sentence
                .ends_with("recoverable from 14:00:21 to 14:02:13.")
        );
    }

    #[test]
    fn the_window_stays_still_while_the_moment_moves_inside_it() {
        let one = tenant("01:00:00", "20:00:00");
        let window = |text: &str| around(&[&one], at(text), at("20:00:00"), Zone::UTC).start;
        assert_eq!(window("10:01:00"), window("10:05:00"));
        assert_ne!(window("10:05:00"), window("10:05:01"));
        let far = around(&[&one], at("00:20:00"), at("20:00:00"), Zone::UTC);
        assert_eq!(far.title, "The hour around it");
        assert!(far.sentence.ends_with("nothing recoverable."));
    }
}
