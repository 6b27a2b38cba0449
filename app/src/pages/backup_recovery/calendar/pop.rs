//! What pops up over the lanes: the hover text of markers and water, and the card of a gap.

use super::gaps::{self, GapStory};
use super::time::Zone;
use super::{Calendar, geometry};
use crate::language::{t, tf, told, tv};
use crate::live;
use crate::signal::{Memo, RwSignal};
use crate::ui::{Any, Icon, follow};
use domain::Scn;
use leptos::prelude::*;

/// How long a card stays when the pointer has left the gap, so that it can be reached.
const LINGER_MS: u32 = 300;

/// Where on the lanes something pops up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    /// The lane, 0 on top.
    pub lane: usize,
    /// Share of the lane's width.
    pub share: f64,
}

/// Hover text.
#[derive(Debug, Clone, PartialEq)]
pub struct Tip {
    /// Where.
    pub place: Place,
    /// Its lines.
    pub lines: Vec<String>,
    /// Whether it stands over the marker row, not over the water.
    pub on_marker: bool,
}

/// What is popped up over one calendar.
#[derive(Clone, Copy)]
pub struct Pops {
    /// The hover text.
    pub tip: RwSignal<Option<Tip>>,
    card: RwSignal<Option<(String, Place)>>,
    held: RwSignal<bool>,
}

impl Default for Pops {
    /// Nothing is popped up yet.
    fn default() -> Self {
        Pops {
            tip: RwSignal::new(None),
            card: RwSignal::new(None),
            held: RwSignal::new(false),
        }
    }
}

impl Pops {
    /// Opens the card of a gap.
    pub fn open(&self, key: String, place: Place) {
        self.held.set(true);
        self.tip.set(None);
        let next = Some((key, place));
        if self.card.with_untracked(|card| *card != next) {
            self.card.set(next);
        }
    }

    /// Whether the card of a gap is open. Tracked.
    pub fn is_open(&self, key: &str) -> bool {
        self.card
            .with(|card| card.as_ref().is_some_and(|(open, _)| open == key))
    }

    /// Closes the card at once.
    pub fn close(&self) {
        self.card.set(None);
    }

    /// The pointer or the focus left; the card closes unless one of them comes back soon.
    pub fn leave(&self) {
        let (held, card) = (self.held, self.card);
        held.set(false);
        live::timer::after(LINGER_MS, move || {
            if held.try_get_untracked() == Some(false) {
                card.try_set(None);
            }
        });
    }
}

fn style_at(place: Place) -> (String, String) {
    (geometry::number(place.share), place.lane.to_string())
}

/// The hover text over the lanes.
#[component]
pub fn TipView(
    /// What is popped up.
    pops: Pops,
) -> impl IntoView {
    follow(move || {
        pops.tip.get().map(|tip| {
            let (share, lane) = style_at(tip.place);
            view! {
                <div
                    class="lane-tip"
                    data-on={if tip.on_marker { "marker" } else { "water" }}
                    data-side={if tip.place.share > 0.6 { "start" } else { "end" }}
                    style=("--share", share)
                    style=("--lane", lane)
                    aria-hidden="true"
                >
                    {tip.lines.into_iter().map(|line| view! { <span>{line}</span> }.any()).collect_view()}
                </div>
            }.any()
        })
    })
}

/// The card of the gap that is open.
#[component]
pub fn GapCard(
    /// The calendar it lies over.
    calendar: Calendar,
    /// What is popped up.
    pops: Pops,
) -> impl IntoView {
    let open = Memo::new(move |_| {
        let (key, place) = pops.card.get()?;
        calendar.view.with(|view| {
            let story = view.stories.iter().find(|story| story.key() == key)?;
            Some((story.clone(), place, view.tenants))
        })
    });
    follow(move || {
        open.get().map(|(story, place, shown)| {
            let (share, lane) = style_at(place);
            let (zone, now) = (calendar.zone.get(), calendar.now.get_untracked());
            let whose = if story.parts.len() == shown { String::new() } else { story.whom(shown) };
            let title = match whose.as_str() {
                "" => t("Not recoverable").to_owned(),
                whose => tf("{whose} not recoverable", &[("whose", &whose)]),
            };
            let (label, length) = (tf("Gap of {zone}", &[("zone", &story.span(zone))]), story.length(now));
            view! {
                <div
                    class="hover-card"
                    role="dialog"
                    aria-label=label
                    style=("--share", share)
                    style=("--lane", lane)
                    on:pointerenter=move |_| pops.held.set(true)
                    on:pointerleave=move |_| pops.leave()
                >
                    <h3>
                        <Icon name="s-warn"/>
                        {title}<small>{length}</small>
                    </h3>
                    <GapFacts story shown zone/>
                    <button class="icon-button hover-card-close" data-size="sm" type="button" aria-label=t("Close") on:click=move |_| pops.close()>
                        <Icon name="close" size="sm"/>
                    </button>
                </div>
            }.any()
        })
    })
}

/// Why, Since, Until, What to do.
#[component]
pub fn GapFacts(
    /// The gap.
    story: GapStory,
    /// How many tenants are shown.
    shown: usize,
    /// The viewer's zone.
    zone: Zone,
) -> impl IntoView {
    let since = story.since();
    let until = match story.until() {
        None => t("It lasts.").into_any(),
        Some(_) if ends_differ(&story) => story
            .parts
            .iter()
            .filter_map(|part| Some(format!("{} {}", part.tenant, zone.named(part.until?))))
            .collect::<Vec<_>>()
            .join(", ")
            .into_any(),
        Some(until) => {
            let stamp = view! { <Stamp at=until zone/> }.any();
            tv(
                "{at}: first recoverable moment after it",
                vec![("at", stamp)],
            )
        }
    };
    let note = story.note.clone();
    view! {
        <dl class="gap-facts">
            <dt>{t("Why")}</dt>
            <dd><b>{gaps::why(story.cause)}</b>{(!note.is_empty()).then(|| format!(" {}", told(&note)))}</dd>
            <dt>{t("Since")}</dt>
            <dd><Stamp at=since zone/>{t(", last recoverable moment before it")}</dd>
            <dt>{t("Until")}</dt>
            <dd>{until}</dd>
            <dt>{t("What to do")}</dt>
            <dd>{story.what_to_do(shown)}</dd>
        </dl>
    }
    .any()
}

fn ends_differ(story: &GapStory) -> bool {
    story
        .parts
        .windows(2)
        .any(|pair| pair[0].until != pair[1].until)
}

/// A moment to the microsecond, in the viewer's zone.
#[component]
pub fn Stamp(
    /// The moment.
    at: Scn,
    /// The zone.
    zone: Zone,
) -> impl IntoView {
    view! {
        <time class="stamp" datetime=at.to_rfc3339()>
            <span class="stamp-date">{zone.day(at).to_string()}</span>" "{zone.time(at)}
            <span class="stamp-fraction">{super::time::fraction(at)}</span>
        </time>
    }
    .any()
}
