//! The recovery calendar: seven lanes, the moment chosen on them, and the side panel.
//!
//! Everything that is computed lives in plain functions (`time`, `week`, `geometry`, `gaps`,
//! `markers`, `moment`, `view`); the components only draw it.

pub mod gaps;
pub mod geometry;
pub mod lane;
pub mod lanes;
pub mod loupe;
pub mod markers;
pub mod moment;
pub mod picker;
pub mod pop;
pub mod strip;
pub mod time;
pub mod view;
pub mod week;

use crate::live;
use crate::signal::{Memo, RwSignal};
use domain::Scn;
use domain::page::Period;
use domain::recoverable::RecoverableRange;
use domain::scn::NS_PER_SECOND;
use leptos::prelude::*;
use time::{Day, Unreadable, Zone};
use view::WeekView;
use week::Week;

/// How many pixels beside a period a press still means the period.
const REACH_PX: f64 = 5.0;

/// A short list in order: an entry stands before those that it `precedes` or equals. Entries that are
/// equal stay in their order. A sort of the standard library would be downloaded for each kind of entry.
fn ordered<T>(list: Vec<T>, precedes: impl Fn(&T, &T) -> bool) -> Vec<T> {
    let mut ordered: Vec<T> = Vec::with_capacity(list.len());
    for entry in list {
        let place = ordered.partition_point(|other| !precedes(&entry, other));
        ordered.insert(place, entry);
    }
    ordered
}

/// The zone moments are shown in: UTC until the page answers, then the viewer's.
pub fn viewer_zone() -> Signal<Zone> {
    let clock = live::time::Clock::current();
    Signal::derive(move || {
        if clock.is_local() {
            Zone::new(live::calendar::offset_minutes)
        } else {
            Zone::UTC
        }
    })
}

/// A calendar on a page: what it shows and the moment chosen on it. Copied into all of its parts.
#[derive(Clone, Copy)]
pub struct Calendar {
    /// Ranges, gaps and data backups.
    pub period: Signal<Period>,
    /// The server's now.
    pub now: Signal<Scn>,
    /// The viewer's zone.
    pub zone: Signal<Zone>,
    /// Name of the one tenant that is shown; absent for all.
    pub tenant: Signal<Option<String>>,
    /// Today in the viewer's zone.
    pub today: Memo<Day>,
    /// The seven days shown.
    pub week: Memo<Week>,
    /// What is drawn.
    pub view: Memo<WeekView>,
    /// The moment a person chose; absent while the latest one is followed.
    pub chosen: RwSignal<Option<Scn>>,
    /// The chosen moment, or the latest one.
    pub moment: Memo<Option<Scn>>,
    /// Why what is being typed is no moment; nothing is recovered to the old one meanwhile.
    pub unreadable: RwSignal<Option<Unreadable>>,
    /// Whether it was left like that, and is called wrong.
    pub called_wrong: RwSignal<bool>,
    /// Shows the week that ends with a day.
    pub show: Callback<(Day,)>,
    /// Goes on with the chosen moment.
    pub proceed: Callback<()>,
}

impl Calendar {
    /// A calendar of the tenant named by `tenant`, of the week whose last day `last` names.
    pub fn new(
        period: Signal<Period>,
        now: Signal<Scn>,
        tenant: Signal<Option<String>>,
        last: Signal<Option<String>>,
        show: Callback<(Day,)>,
        proceed: Callback<()>,
    ) -> Calendar {
        let zone = viewer_zone();
        let today = Memo::new(move |_| zone.get().day(now.get()));
        let week = Memo::new(move |_| Week::asked(last.get().as_deref(), today.get(), zone.get()));
        let minute = Memo::new(move |_| {
            let ns = 60 * NS_PER_SECOND;
            Scn(now.get().0 / ns * ns)
        });
        let view = Memo::new(move |_| {
            let (week, today) = (week.get(), today.get());
            period.with(|period| {
                let chosen = tenant.get();
                view::week(
                    period,
                    chosen.as_deref(),
                    &week,
                    today,
                    minute.get(),
                    zone.get(),
                )
            })
        });
        let chosen = RwSignal::new(None);
        let moment = Memo::new(move |_| {
            chosen.get().or_else(|| {
                tenant.with(|name| {
                    period.with(|period| moment::latest(&view::shown(period, name.as_deref())))
                })
            })
        });
        Calendar {
            period,
            now,
            zone,
            tenant,
            today,
            week,
            view,
            chosen,
            moment,
            unreadable: RwSignal::new(None),
            called_wrong: RwSignal::new(false),
            show,
            proceed,
        }
    }

    /// Whether the newest days are shown. Tracked.
    pub fn is_newest(&self) -> bool {
        // What the week derives from is read before it: an effect that reads a memo first misses a
        // change of the memo's own source that leaves the memo as it was.
        let today = self.today.get();
        self.week.get().last >= today
    }

    /// The moments to which any of the tenants shown can be recovered. Tracked.
    pub fn ranges(&self) -> Vec<RecoverableRange> {
        self.tenant.with(|name| {
            self.period
                .with(|period| moment::any_of(&view::shown(period, name.as_deref())))
        })
    }

    /// The moment to recover to: the chosen or latest one, unless something else is being typed. Tracked.
    pub fn meant(&self) -> Option<Scn> {
        if self.unreadable.read().is_some() {
            return None;
        }
        self.moment.get()
    }

    /// Chooses a moment, and shows its week.
    pub fn choose(&self, at: Scn) {
        self.chosen.set(Some(at));
        self.unreadable.set(None);
        self.called_wrong.set(false);
        let day = self.zone.get_untracked().day(at);
        let shown = self.week.get_untracked();
        if shown.lane_of(at).is_none() {
            let today = self.today.get_untracked();
            let last = if day > shown.last { day } else { day.plus(6) };
            self.show.run((last.min(today),));
        }
    }

    /// Chooses the moment pointed at between `start` and `end`, or the period just beside it.
    pub fn point(&self, start: Scn, end: Scn, pointer: live::calendar::Pointer) {
        let at = geometry::at_share(start, end, pointer.share);
        // A press means no finer moment than the drawing shows.
        let pixel_ns = (end.since_ns(start) as f64 * pointer.pixel) as u64;
        let grain = if pixel_ns > 10 * NS_PER_SECOND { 60 } else { 1 } * NS_PER_SECOND;
        let at = Scn((at.0 + grain / 2) / grain * grain).min(self.now.get_untracked());
        let ranges = untrack(|| self.ranges());
        self.choose(moment::pointed(
            &ranges,
            at,
            (pixel_ns as f64 * REACH_PX) as u64,
        ));
    }
}
