//! The drawing of the trend: lines by the chart library; marks, cross and read-out by the page, which knows the
//! viewer's zone and answers to the keyboard.

use super::{share, words};
use crate::language::{t, tf};
use crate::{
    live::{
        chart::{self, Frame},
        time::Clock,
    },
    signal::{Memo, RwSignal},
    ui::{Any, Stamp, follow},
};
use charming::{
    Chart,
    component::{Axis, Grid},
    datatype::CompositeValue,
    element::{
        AreaStyle, AxisLabel, AxisLine, AxisTick, AxisType, Color, ItemStyle, LineStyle, SplitLine,
        Symbol,
    },
    series::Line,
};
use domain::{
    Scn,
    job::JobKind,
    size::bytes,
    trend::{StorageTrend, TrendEvent, TrendEventKind, TrendPoint},
};
use leptos::{ev, html, prelude::*};

/// Height of the drawing, in px.
const HEIGHT: u32 = 200;
/// Lines across it.
const TICKS: u64 = 4;
/// Times under it.
const TIMES: u64 = 6;
/// Id of what the library draws into.
const PLACE: &str = "trend-plot";
/// How far before a moment an event counts as just before it: this share of the whole time.
const JUST_BEFORE: f64 = 0.04;

/// The drawing.
#[component]
pub fn Plot(
    /// What is drawn.
    trend: StorageTrend,
    /// The time that is shown.
    span: (Scn, Scn),
    /// What it shows, in words.
    text: String,
) -> impl IntoView {
    let most = trend.points.iter().map(TrendPoint::total_bytes).max();
    let step = step(most.unwrap_or(0));
    let drawn = lines(&trend, span, step * TICKS);
    let place = NodeRef::<html::Div>::new();
    let failed = RwSignal::new(false);
    Effect::new(move |_| {
        if place.get().is_some() {
            let frame = Frame {
                id: PLACE,
                height: HEIGHT,
            };
            chart::draw(frame, drawn.clone(), move || {
                failed.try_set(true);
            });
        }
    });
    let at = RwSignal::new(None::<usize>);
    let points = StoredValue::new(trend.points);
    let mut events = trend.events;
    events.retain(|event| span.0 <= event.at && event.at <= span.1);
    let events = StoredValue::new(events);
    let on_move = move |event: ev::PointerEvent| {
        if let Some(place) = place.get_untracked() {
            let area = place.get_bounding_client_rect();
            let share_of = (f64::from(event.client_x()) - area.left()) / area.width().max(1.0);
            at.set(points.with_value(|points| nearest(points, span, share_of)));
        }
    };
    let on_key = move |event: ev::KeyboardEvent| {
        let last = points.with_value(Vec::len) - 1;
        let here = at.get_untracked().unwrap_or(last);
        let there = match event.key().as_str() {
            "ArrowLeft" => here.saturating_sub(1),
            "ArrowRight" => (here + 1).min(last),
            "Home" => 0,
            "End" => last,
            _ => return,
        };
        event.prevent_default();
        at.set(Some(there));
    };
    let chosen = Memo::new(move |_| {
        at.get()
            .and_then(|at| points.with_value(|all| all.get(at).copied()))
    });
    let cross = follow(move || {
        chosen.get().map(|point| {
            let x = format!("{:.3}%", share(point.at, span) * 100.0);
            view! { <line class="trend-cross" x1=x.clone() x2=x y1="0" y2="100%"/> }.any()
        })
    });
    let marks =
        events.with_value(|events| events.iter().map(|event| mark(event, span)).collect_view());
    view! {
        <div class="trend-frame">
            <ol class="trend-y" aria-hidden="true">
                {(0..=TICKS).rev().map(|tick| view! { <li>{bytes(tick * step)}</li> }.any()).collect_view()}
            </ol>
            <div
                class="trend-plot"
                role="img"
                tabindex="0"
                aria-label=format!("{text} {}", t("Arrow keys read it out."))
                on:pointermove=on_move
                on:pointerleave=move |_| at.set(None)
                on:keydown=on_key
                on:blur=move |_| at.set(None)
            >
                <div class="trend-lines" id=PLACE node_ref=place></div>
                <svg class="trend-marks" aria-hidden="true">{marks} {cross}</svg>
                {follow(move || failed.get().then(|| view! { <p class="field-hint">{t("The drawing could not be loaded. The numbers stand in the table.")}</p> }.any()))}
            </div>
            <Times span/>
        </div>
        <div class="trend-read" aria-live="polite">
            {follow(move || match chosen.get() {
                None => view! { <span>{t("Point at the drawing, or use the arrow keys, to read it.")}</span> }.any(),
                Some(point) => events.with_value(|events| read_out(point, events, span)),
            })}
        </div>
    }
    .any()
}

#[component]
fn Times(span: (Scn, Scn)) -> impl IntoView {
    let clock = Clock::current();
    let (since, until) = span;
    let all = until.since_ns(since);
    let is_short = all <= 2 * domain::scn::NS_PER_DAY;
    let time = move |nth: u64| {
        let at = since.plus_ns(all / TIMES * nth);
        move || {
            let civil = clock.civil(at);
            match is_short {
                true => civil.clock()[..5].to_owned(),
                false => civil.date(),
            }
        }
    };
    view! {
        <ol class="trend-x" aria-hidden="true">
            {(0..=TIMES).map(|nth| view! { <li>{time(nth)}</li> }.any()).collect_view()}
        </ol>
    }
    .any()
}

/// What is there at a sample, and what happened just before it.
fn read_out(point: TrendPoint, events: &[TrendEvent], span: (Scn, Scn)) -> AnyView {
    let reach = (span.1.since_ns(span.0) as f64 * JUST_BEFORE) as u64;
    let before = events
        .iter()
        .rev()
        .find(|event| event.at <= point.at && point.at.since_ns(event.at) <= reach);
    let before = match before {
        None => t("Nothing happened just before.").to_owned(),
        Some(event) => tf("Just before: {event}", &[("event", &words::event(event))]),
    };
    let value = |label: &'static str, size: u64| {
        view! { <span>{label} " " <b class="num">{bytes(size)}</b></span> }.any()
    };
    view! {
        <b><Stamp at=point.at/></b>
        {value(t("Total Volume"), point.total_bytes())}
        {value(t("Data Backup"), point.data_bytes)}
        {value(t("Log Backup"), point.log_bytes)}
        <span>{before}</span>
    }
    .any()
}

/// A mark on the time axis.
fn mark(event: &TrendEvent, span: (Scn, Scn)) -> AnyView {
    let kind = match event.kind {
        TrendEventKind::Completed(JobKind::DataBackup) => "full",
        TrendEventKind::Failed(_) => "failed",
        TrendEventKind::Completed(JobKind::Cleanup) => "cleanup",
        TrendEventKind::LogStarted | TrendEventKind::LogStopped => "log",
        TrendEventKind::Completed(_) => return ().into_any(),
    };
    let x = format!("{:.3}%", share(event.at, span) * 100.0);
    view! {
        <svg x=x y="100%" overflow="visible">
            <path class="trend-event" data-kind=kind d="M0-4 4 0 0 4-4 0z"/>
        </svg>
    }
    .any()
}

/// The sample nearest to a place, 0 to 1 from the left.
fn nearest(points: &[TrendPoint], span: (Scn, Scn), at: f64) -> Option<usize> {
    let away = |point: &TrendPoint| (share(point.at, span) - at).abs();
    let all = points.iter().enumerate();
    all.min_by(|(_, a), (_, b)| away(a).total_cmp(&away(b)))
        .map(|(index, _)| index)
}

/// A round number of bytes, of which [`TICKS`] reach `most`.
fn step(most: u64) -> u64 {
    let least = most.div_ceil(TICKS).max(1);
    let mut power = 1_u64;
    while power.saturating_mul(10) <= least {
        power = power.saturating_mul(10);
    }
    [1, 2, 5, 10]
        .into_iter()
        .map(|times| power.saturating_mul(times))
        .find(|step| *step >= least)
        .unwrap_or(least)
}

/// What the library draws: the log below, data above it, the total as a line. A gap is a break in it.
fn lines(trend: &StorageTrend, (since, until): (Scn, Scn), top: u64) -> Chart {
    let breaks = trend.gaps.iter().map(|gap| gap.since);
    let breaks: Vec<Scn> = breaks.collect();
    let series = |name: &'static str, value: fn(&TrendPoint) -> u64| {
        let mut data: Vec<Vec<CompositeValue>> = Vec::new();
        for point in &trend.points {
            data.push(vec![ms(point.at).into(), (value(point) as f64).into()]);
            if breaks.contains(&point.at) {
                data.push(vec![(ms(point.at) + 1.0).into(), f64::NAN.into()]);
            }
        }
        Line::new().name(name).data(data).symbol(Symbol::None)
    };
    let area = |name, color: &'static str, fill: &'static str, value| {
        series(name, value)
            .line_style(
                LineStyle::new()
                    .color(Color::Value(color.to_owned()))
                    .width(1.5),
            )
            .item_style(ItemStyle::new().color(Color::Value(color.to_owned())))
            .area_style(
                AreaStyle::new()
                    .color(Color::Value(fill.to_owned()))
                    .opacity(1.0),
            )
    };
    let axis = || {
        Axis::new()
            .axis_label(AxisLabel::new().show(false))
            .axis_tick(AxisTick::new().show(false))
            .axis_line(AxisLine::new().show(false))
    };
    Chart::new()
        .animation(false)
        .grid(Grid::new().left(0).right(0).top(0).bottom(0))
        .x_axis(
            axis()
                .type_(AxisType::Time)
                .min(ms(since))
                .max(ms(until))
                .split_line(SplitLine::new().show(false)),
        )
        .y_axis(
            axis()
                .type_(AxisType::Value)
                .min(0)
                .max(top as f64)
                .interval(top as f64 / TICKS as f64)
                .split_line(SplitLine::new().line_style(
                    LineStyle::new().color(Color::Value("var(--chart-grid)".to_owned())),
                )),
        )
        .series(area(
            t("Data Backup"),
            "var(--chart-data)",
            "var(--chart-data-fill)",
            TrendPoint::total_bytes,
        ))
        .series(area(
            t("Log Backup"),
            "var(--chart-log)",
            "var(--chart-log-fill)",
            |point| point.log_bytes,
        ))
        .series(
            series(t("Total Volume"), TrendPoint::total_bytes).line_style(
                LineStyle::new()
                    .color(Color::Value("var(--chart-total)".to_owned()))
                    .width(1.75),
            ),
        )
}

fn ms(at: Scn) -> f64 {
    (at.0 / 1_000_000) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_round_and_reach_the_top() {
        for (most, wanted) in [
            (0, 1),
            (3, 1),
            (4, 1),
            (5, 2),
            (399, 100),
            (401, 200),
            (1_000_000, 500_000),
        ] {
            assert_eq!(step(most), wanted, "{most}");
            assert!(step(most) * TICKS >= most);
        }
    }

    #[test]
    fn the_nearest_sample_is_read() {
        let at = |ms| TrendPoint {
            at: Scn::from_ms(ms),
            ..TrendPoint::default()
        };
        let points = [at(1000), at(2000), at(5000)];
        let span = (Scn::from_ms(1000), Scn::from_ms(5000));
        assert_eq!(nearest(&points, span, 0.0), Some(0));
        assert_eq!(nearest(&points, span, 0.3), Some(1));
        assert_eq!(nearest(&points, span, 0.9), Some(2));
        assert_eq!(nearest(&[], span, 0.9), None);
    }

    #[test]
    fn what_is_drawn_has_three_lines_and_breaks_where_samples_are_missing() {
        let at = |ms| TrendPoint {
            at: Scn::from_ms(ms),
            data_bytes: 5,
            log_bytes: 2,
            ..TrendPoint::default()
        };
        let trend = StorageTrend {
            tenant: None,
            points: vec![at(1000), at(9000)],
            gaps: vec![domain::trend::TrendGap {
                since: Scn::from_ms(1000),
                until: Scn::from_ms(9000),
            }],
            events: Vec::new(),
            forecast: domain::trend::Forecast::NoCapacity,
            storages: Vec::new(),
            now: Scn::from_ms(9000),
        };
        let told: serde_json::Value = serde_json::from_str(
            &lines(&trend, (Scn::from_ms(1000), Scn::from_ms(9000)), 8).to_string(),
        )
        .unwrap();
        let series = told["series"].as_array().unwrap();
        assert_eq!(series.len(), 3);
        let data = series[0]["data"].as_array().unwrap();
        assert_eq!((data.len(), data[0][1].as_f64()), (3, Some(7.0)));
        assert!(data[1][1].is_null(), "{data:?}");
    }
}
