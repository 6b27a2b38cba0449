//! One lane: a day's water, its gaps and markers, and the chosen moment on it.

use super::Calendar;
use super::geometry::{self, percent};
use super::markers::Mark;
use super::moment::{self, Stride};
use super::pop::{Place, Pops, Tip};
use super::view::{LaneView, WORDS_TURN};
use crate::language::{t, tf};
use crate::live;
use crate::signal::Memo;
use crate::ui::{Any, Entry, follow, follow_list};
use domain::Scn;
use domain::recoverable::{Verdict, verdict};
use leptos::ev;
use leptos::prelude::*;

/// Upper edge of the water within a lane, in pixels.
const WATER_TOP: f64 = 14.0;
/// Height of the water, in pixels.
const WATER_HEIGHT: f64 = 32.0;
/// A gap wider than this share of a lane has its length written on it.
const LABEL_SHARE: f64 = 60.0 / 760.0;

/// A gap narrower than this share of a lane gets an outline, so that it stays visible.
const THIN_SHARE: f64 = 5.0 / 760.0;

/// One day.
#[component]
pub fn LaneRow(
    /// The calendar it is part of.
    calendar: Calendar,
    /// What is popped up over the lanes.
    pops: Pops,
    /// Which lane, 0 on top.
    index: usize,
) -> impl IntoView {
    let lane = Memo::new(move |_| calendar.view.with(|view| view.lanes[index].clone()));
    let needle = Memo::new(move |_| {
        let at = calendar.moment.get()?;
        lane.with(|lane| {
            let here = lane.start <= at && at < lane.end;
            here.then(|| {
                (
                    geometry::share(lane.start, lane.end, at),
                    calendar.zone.get().time(at),
                )
            })
        })
    });
    let follows = Signal::derive(move || calendar.chosen.get().is_none());
    let stop = move || {
        let at = calendar.moment.get();
        let of_moment = at.and_then(|at| calendar.week.get().lane_of(at));
        if of_moment.unwrap_or(6) == index {
            "0"
        } else {
            "-1"
        }
    };
    let sentence = move || {
        let told = lane.with(|lane| lane.sentence.clone());
        match needle.get() {
            Some((_, time)) => tf(
                "{told} Chosen moment {time}.",
                &[("told", &told), ("time", &time)],
            ),
            None => told,
        }
    };
    view! {
        <div class="lane" role="row" data-today=move || lane.with(|lane| lane.today.then_some(""))>
            <span class="lane-day" role="rowheader">
                <b>{move || lane.with(|lane| lane.weekday.to_string())}</b>
                {move || lane.with(|lane| lane.day.to_string())}
                {follow(move || lane.with(|lane| lane.odd_length.clone()).map(|hours| view! { <small>{hours}</small> }.any()))}
            </span>
            <div
                class="lane-track"
                role="gridcell"
                id=lane_id(index)
                tabindex=stop
                on:keydown=move |event| on_key(calendar, pops, &event)
                on:pointerdown=move |event| on_press(calendar, lane, pops, &event)
                on:pointermove=move |event| on_move(calendar, lane, pops, index, &event)
                on:pointerleave=move |_| pops.tip.set(None)
            >
                <span class="visually-hidden">{move || sentence()}</span>
                <svg>
                    <line class="lane-base" x1="0" x2="100%" y1="46" y2="46"/>
                    <svg y="14" height="32" width="100%" viewBox="0 0 1440 32" preserveAspectRatio="none" aria-hidden="true">
                        <path class="tide-fill" d=move || lane.with(|lane| lane.water.fill.clone())/>
                        <path class="tide-line" d=move || lane.with(|lane| lane.water.line.clone())/>
                        <path class="tide-sliver" d=move || lane.with(|lane| lane.water.slivers.clone())/>
                    </svg>
                    <Hatching calendar pops lane index/>
                    <Words lane/>
                    <Marks calendar lane pops index/>
                    {follow(move || needle.get().map(|(share, time)| view! { <Needle share time follows/> }.any()))}
                </svg>
            </div>
        </div>
    }.any()
}

/// The id of a lane, for the focus.
fn lane_id(index: usize) -> String {
    format!("lane-{index}")
}

fn on_key(calendar: Calendar, pops: Pops, event: &ev::KeyboardEvent) {
    let key = event.key();
    if key == "Escape" {
        pops.close();
        return;
    }
    if key == "Enter" {
        event.prevent_default();
        calendar.proceed.run(());
        return;
    }
    if event.ctrl_key() || event.meta_key() {
        return;
    }
    let Some(stride) = Stride::of_key(&key, event.shift_key(), event.alt_key()) else {
        return;
    };
    event.prevent_default();
    pops.tip.set(None);
    let ranges = untrack(|| calendar.ranges());
    let (zone, now) = (calendar.zone.get_untracked(), calendar.now.get_untracked());
    let from = calendar.moment.get_untracked().unwrap_or(now);
    calendar.choose(stride.from(from, &ranges, now, zone));
    // The focus goes with the moment, once the week it lies in is shown.
    live::timer::after(0, move || {
        let (at, week) = (
            calendar.moment.try_get_untracked(),
            calendar.week.try_get_untracked(),
        );
        if let (Some(Some(at)), Some(week)) = (at, week)
            && let Some(lane) = week.lane_of(at)
        {
            live::document::focus(&lane_id(lane));
        }
    });
}

fn on_press(calendar: Calendar, lane: Memo<LaneView>, pops: Pops, event: &ev::PointerEvent) {
    if let Some(pointer) = live::calendar::pointer(event).filter(|pointer| pointer.pressed) {
        pops.close();
        let (start, end) = lane.with_untracked(|lane| (lane.start, lane.end));
        calendar.point(start, end, pointer);
    }
}

fn on_move(
    calendar: Calendar,
    lane: Memo<LaneView>,
    pops: Pops,
    index: usize,
    event: &ev::PointerEvent,
) {
    let Some(pointer) = live::calendar::pointer(event) else {
        return;
    };
    let (start, end) = lane.with_untracked(|lane| (lane.start, lane.end));
    if pointer.pressed {
        calendar.point(start, end, pointer);
    }
    if pointer.finger || event.target() != event.current_target() && is_over_sign(event) {
        return;
    }
    let at = geometry::at_share(start, end, pointer.share);
    let lines = under_pointer(calendar, at);
    let tip = (at <= calendar.now.get_untracked()).then_some(Tip {
        place: Place {
            lane: index,
            share: pointer.share,
        },
        lines,
        on_marker: false,
    });
    pops.tip.set(tip);
}

/// Markers and gaps have words of their own.
fn is_over_sign(event: &ev::PointerEvent) -> bool {
    live::calendar::is_within(event, ".mark, .gap")
}

/// The time, and the period it lies in.
fn under_pointer(calendar: Calendar, at: Scn) -> Vec<String> {
    let zone = calendar.zone.get_untracked();
    let time = zone.hour_minute(at);
    match verdict(&untrack(|| calendar.ranges()), at) {
        Verdict::Recoverable(range) => {
            let from = if zone.day(range.start) == zone.day(at) {
                zone.time(range.start)
            } else {
                zone.named(range.start)
            };
            let to = if zone.day(range.end) == zone.day(at) {
                zone.time(range.end)
            } else {
                zone.named(range.end)
            };
            vec![
                time,
                tf("Recoverable {from} – {to}", &[("from", &from), ("to", &to)]),
            ]
        }
        Verdict::Impossible { .. } => vec![time, t("Not recoverable").to_owned()],
    }
}

#[component]
fn Hatching(calendar: Calendar, pops: Pops, lane: Memo<LaneView>, index: usize) -> impl IntoView {
    let keyed = Memo::new(move |_| {
        calendar.view.with(|view| {
            let lane = &view.lanes[index];
            let told = lane
                .hatches
                .iter()
                .enumerate()
                .filter_map(|(place, hatch)| {
                    let story = view.stories.get(hatch.story)?;
                    Some((place, story.key()))
                });
            told.collect::<Vec<_>>()
        })
    });
    follow_list(move || {
        let keyed = keyed.get().into_iter();
        keyed
            .map(|(place, key)| {
                Entry::new(format!("{place} {key}"), move || {
                    view! { <GapRect calendar pops lane index key place/> }
                })
            })
            .collect()
    })
}

#[component]
fn GapRect(
    calendar: Calendar,
    pops: Pops,
    lane: Memo<LaneView>,
    index: usize,
    key: String,
    place: usize,
) -> impl IntoView {
    let hatch = Memo::new(move |_| lane.with(|lane| lane.hatches.get(place).cloned()));
    let of =
        move |read: fn(&super::gaps::Hatch) -> f64| hatch.with(|h| h.as_ref().map_or(0.0, read));
    let story = {
        let key = key.clone();
        Memo::new(move |_| {
            calendar.view.with(|view| {
                let story = view.stories.iter().find(|story| story.key() == key)?;
                let zone = calendar.zone.get();
                let now = calendar.now.get_untracked();
                let label = tf(
                    "Gap of {tenants}, {zone}. Open for the cause.",
                    &[
                        ("tenants", &story.whom(view.tenants)),
                        ("zone", &story.span(zone)),
                    ],
                );
                Some((label, story.length(now)))
            })
        })
    };
    let key = StoredValue::new(key);
    let open = move || {
        let share = of(|h| h.left + h.width / 2.0);
        pops.open(key.get_value(), Place { lane: index, share });
    };
    let words = move || {
        let wide = of(|h| h.width) > LABEL_SHARE && of(|h| h.height) > 0.7;
        wide.then(|| {
            story
                .get()
                .map(|(_, length)| length.split(',').next().unwrap_or_default().to_owned())
        })
        .flatten()
    };
    view! {
        <rect
            class="gap"
            data-thin=move || (of(|h| h.width) < THIN_SHARE).then_some("")
            role="button"
            tabindex="0"
            aria-haspopup="dialog"
            aria-label=move || story.get().map(|(label, _)| label)
            aria-expanded=move || pops.is_open(&key.get_value()).to_string()
            x=move || percent(of(|h| h.left))
            width=move || percent(of(|h| h.width))
            y=move || geometry::number(WATER_TOP + of(|h| h.top) * WATER_HEIGHT)
            height=move || geometry::number(of(|h| h.height) * WATER_HEIGHT)
            on:pointerenter=move |_| open()
            on:pointerleave=move |_| pops.leave()
            on:focus=move |_| open()
            on:blur=move |_| pops.leave()
            on:pointerdown=move |event: ev::PointerEvent| { event.stop_propagation(); open(); }
            on:keydown=move |event: ev::KeyboardEvent| match event.key().as_str() {
                "Enter" | " " => { event.prevent_default(); event.stop_propagation(); open(); }
                "Escape" => { event.stop_propagation(); pops.close(); }
                _ => {}
            }
        />
        {follow(move || words().map(|length| view! {
            <text class="gap-label" aria-hidden="true" x=percent(of(|h| h.left + h.width / 2.0)) y="34">{length}</text>
        }.any()))}
    }.any()
}

/// Words on the water: parts with fewer than all tenants, and the checkpoint at its end.
#[component]
fn Words(lane: Memo<LaneView>) -> impl IntoView {
    let labels = Memo::new(move |_| lane.with(|lane| lane.labels.clone()));
    let end = Memo::new(move |_| lane.with(|lane| lane.water_end.clone()));
    view! {
        {follow(move || labels.get().into_iter().map(|label| view! {
            <text class="level-label" aria-hidden="true" x=percent(label.x) dx="6" y="41">{label.text}</text>
        }.any()).collect_view())}
        {follow(move || end.get().map(|end| {
            let left = end.x > WORDS_TURN;
            view! {
                <svg class="now" x=percent(end.x) y="0" overflow="visible" aria-hidden="true">
                    <line y1="2" y2="46"/>
                    <text x={if left { "-7" } else { "7" }} y="41" text-anchor={if left { "end" } else { "start" }}>{end.text}</text>
                </svg>
            }.any()
        }))}
    }.any()
}

#[component]
fn Marks(calendar: Calendar, lane: Memo<LaneView>, pops: Pops, index: usize) -> impl IntoView {
    let marks = Memo::new(move |_| lane.with(|lane| lane.marks.clone()));
    follow(move || {
        marks
            .get()
            .into_iter()
            .map(|mark| {
                let (label, kind, x) = (mark.lines.join("; "), mark.code(), percent(mark.x));
                let at = moment::nameable(mark.at);
                let tip = Tip {
                    place: Place {
                        lane: index,
                        share: mark.x,
                    },
                    lines: mark.lines.clone(),
                    on_marker: true,
                };
                view! {
                    <svg
                        class="mark"
                        data-kind=kind
                        x=x
                        y="6.5"
                        role="img"
                        aria-label=label
                        on:pointerenter=move |_| pops.tip.set(Some(tip.clone()))
                        on:pointerleave=move |_| pops.tip.set(None)
                        on:pointerdown=move |event: ev::PointerEvent| {
                            event.stop_propagation();
                            calendar.choose(at);
                        }
                    >
                        <Sign mark/>
                    </svg>
                }
                .any()
            })
            .collect_view()
    })
}

/// The sign of a marker, and how many it stands for.
#[component]
fn Sign(mark: Mark) -> impl IntoView {
    let x = mark.aside.to_string();
    view! {
        <svg x=x overflow="visible">
            <rect class="mark-hit" x="-9" y="-8" width="18" height="16"/>
            {match mark.code() {
                "full" => view! { <path d="M0-5.2 5.2 0 0 5.2-5.2 0z"/> }.any(),
                "inc" => view! { <path d="M0-4.4 4.4 0 0 4.4-4.4 0z"/> }.any(),
                "failed" => view! { <path d="M-3.6-3.6 3.6 3.6M3.6-3.6-3.6 3.6"/> }.any(),
                _ => view! { <circle class="mark-pulse" r="6.5"/><circle r="3"/> }.any(),
            }}
            {(mark.count > 1).then(|| view! { <text x="8" y="3.6" aria-hidden="true">{mark.count}</text> }.any())}
        </svg>
    }.any()
}

/// The chosen moment.
#[component]
fn Needle(share: f64, time: String, follows: Signal<bool>) -> impl IntoView {
    let shift = if share < 0.08 {
        24.0
    } else if share > 0.92 {
        -24.0
    } else {
        0.0
    };
    view! {
        <svg class="needle" data-follows=move || follows.get().then_some("") x=percent(share) y="0" overflow="visible" aria-hidden="true">
            <line y1="-2" y2="46"/>
            <rect x=geometry::number(shift - 29.0) y="-17" width="58" height="17" rx="3"/>
            <text x=geometry::number(shift) y="-4.5">{time}</text>
            <circle cy="46" r="3.5"/>
        </svg>
    }.any()
}
