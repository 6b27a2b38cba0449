//! What the calendar shows, computed: lanes with their drawings and sentences, gaps, and the summary.

use super::gaps::{self, GapStory, Hatch};
use super::geometry::{self, Water};
use super::markers::{self, Mark};
use super::moment;
use super::time::Zone;
use super::week::Week;
use crate::language::{t, tf};
use domain::Scn;
use domain::calendar::{self, Lane, Level};
use domain::page::{Marker, Period, TenantPeriod};
use domain::recoverable::RecoverableRange;
use domain::scn::NS_PER_SECOND;
use domain::tenant::TenantState;
use domain::validate::sentence;

/// A part with fewer than all tenants gets its words drawn when it is wider than this share of a lane.
const LABEL_WIDTH: f64 = 0.2;
/// Behind this share of a lane the words of the water's end stand to its left.
pub const WORDS_TURN: f64 = 0.78;
/// Most parts of a day that its sentence tells one by one.
const PARTS_TOLD_MAX: usize = 6;
/// A period whose end is older than this does not grow, as far as anybody can see.
const GROWING_NS: u64 = 90 * NS_PER_SECOND;

/// The tenants drawn: the chosen one, or all that are still there.
pub fn shown<'a>(period: &'a Period, chosen: Option<&str>) -> Vec<&'a TenantPeriod> {
    if let Some(tenant) = chosen.and_then(|name| find(period, name)) {
        return vec![tenant];
    }
    let there: Vec<_> = period
        .tenants
        .iter()
        .filter(|tenant| tenant.state != TenantState::Offline)
        .collect();
    if there.is_empty() {
        period.tenants.iter().collect()
    } else {
        there
    }
}

/// The tenant of a name, or of a number, which no name can be. A name may come back after a tenant
/// was dropped; the one that is there wins.
pub fn find<'a>(period: &'a Period, key: &str) -> Option<&'a TenantPeriod> {
    let number = key.parse().ok();
    period
        .tenants
        .iter()
        .filter(|tenant| tenant.name == key || Some(tenant.tenant) == number)
        .min_by_key(|tenant| tenant.state == TenantState::Offline)
}

/// What [`find`] finds a tenant by: its name, or its number where another one has taken the name.
pub fn key_of(period: &Period, tenant: &TenantPeriod) -> String {
    match find(period, &tenant.name) {
        Some(found) if found.tenant == tenant.tenant => tenant.name.clone(),
        _ => tenant.tenant.to_string(),
    }
}

/// Words drawn under a part of a lane where some tenants are missing.
#[derive(Debug, Clone, PartialEq)]
pub struct LevelLabel {
    /// Its left edge as a share of the lane.
    pub x: f64,
    /// `3 of 4, without billing`.
    pub text: String,
}

/// The end of the water.
#[derive(Debug, Clone, PartialEq)]
pub struct WaterEnd {
    /// Where, as a share of the lane.
    pub x: f64,
    /// `checkpoint 14:32:01`.
    pub text: String,
}

/// One lane, ready to draw.
#[derive(Debug, Clone, PartialEq)]
pub struct LaneView {
    /// `Tue`.
    pub weekday: &'static str,
    /// Day of the month.
    pub day: u32,
    /// `23 h` or `25 h` where clocks change.
    pub odd_length: Option<String>,
    /// Whether it is today.
    pub today: bool,
    /// First moment.
    pub start: Scn,
    /// First moment of the next day.
    pub end: Scn,
    /// What it shows, for those who do not see it.
    pub sentence: String,
    /// The water.
    pub water: Water,
    /// The hatching.
    pub hatches: Vec<Hatch>,
    /// Words on parts with fewer than all tenants.
    pub labels: Vec<LevelLabel>,
    /// The markers.
    pub marks: Vec<Mark>,
    /// Where the water ends, if it does here.
    pub water_end: Option<WaterEnd>,
}

/// Seven lanes and what is told about them.
#[derive(Debug, Clone, PartialEq)]
pub struct WeekView {
    /// The lanes, the oldest first.
    pub lanes: Vec<LaneView>,
    /// Gaps that touch the week, newest first.
    pub stories: Vec<GapStory>,
    /// How many tenants a full level stands for.
    pub tenants: usize,
    /// How much of the week all of them are recoverable; absent while one has no period yet, and for
    /// weeks before that.
    pub full: Option<FullShare>,
}

/// How much of a time all tenants are recoverable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FullShare {
    /// In thousandths.
    pub permille: u32,
    /// From when it is counted, where that is later than the week's beginning.
    pub since: Option<Scn>,
}

/// Draws a week.
pub fn week(
    period: &Period,
    chosen: Option<&str>,
    week: &Week,
    today: super::time::Day,
    now: Scn,
    zone: Zone,
) -> WeekView {
    let tenants = shown(period, chosen);
    let count = u32::try_from(tenants.len()).unwrap_or(u32::MAX);
    let ranges: Vec<Vec<RecoverableRange>> =
        tenants.iter().map(|tenant| tenant.ranges.clone()).collect();
    let lanes = calendar::week(&week.bounds, &ranges);
    let mut stories = gaps::stories(&tenants);
    stories.retain(|story| {
        story.since() < week.bounds[7] && story.until().unwrap_or(now) > week.bounds[0]
    });
    let markers: Vec<&Marker> = period
        .markers
        .iter()
        .filter(|marker| tenants.iter().any(|tenant| tenant.tenant == marker.tenant))
        .collect();
    let end = ranges.iter().filter_map(|r| r.last()).map(|r| r.end).max();
    let draw = Draw {
        tenants: &tenants,
        stories: &stories,
        markers: &markers,
        count,
        end,
        now,
        zone,
    };
    let views = lanes
        .iter()
        .enumerate()
        .map(|(index, lane)| draw.lane(lane, week.day(index), today))
        .collect();
    WeekView {
        lanes: views,
        full: full_share(&lanes, &tenants, week.bounds[0], now),
        tenants: tenants.len(),
        stories,
    }
}

/// The share of the week in which all tenants are recoverable, from the moment on from which each of
/// them has a period. An end that grows is not counted as lost.
fn full_share(
    lanes: &[Lane],
    tenants: &[&TenantPeriod],
    week_start: Scn,
    now: Scn,
) -> Option<FullShare> {
    let firsts = tenants
        .iter()
        .map(|tenant| Some(tenant.ranges.first()?.start));
    let first = firsts.collect::<Option<Vec<_>>>()?.into_iter().max()?;
    let ends = tenants.iter().filter_map(|tenant| tenant.ranges.last());
    let until = ends
        .map(|range| {
            if now.since_ns(range.end) < GROWING_NS {
                range.end
            } else {
                now
            }
        })
        .min()?;
    let from = first.max(week_start);
    let clipped: Vec<Lane> = lanes
        .iter()
        .map(|lane| Lane {
            levels: lane
                .levels
                .iter()
                .filter(|level| level.to > from)
                .map(|level| Level {
                    from: level.from.max(from),
                    ..*level
                })
                .collect(),
            ..*lane
        })
        .collect();
    let told = clipped
        .iter()
        .flat_map(|lane| &lane.levels)
        .any(|level| level.from < until);
    let count = u32::try_from(tenants.len()).unwrap_or(u32::MAX);
    told.then(|| FullShare {
        permille: calendar::full_share_permille(&clipped, count, until),
        since: (first > week_start).then_some(first),
    })
}

/// What all lanes of a week are drawn from.
struct Draw<'a> {
    tenants: &'a [&'a TenantPeriod],
    stories: &'a [GapStory],
    markers: &'a [&'a Marker],
    count: u32,
    end: Option<Scn>,
    now: Scn,
    zone: Zone,
}

impl Draw<'_> {
    fn lane(&self, lane: &Lane, day: super::time::Day, today: super::time::Day) -> LaneView {
        let several = self.tenants.len() > 1;
        let end = self.end.filter(|end| lane.start <= *end && *end < lane.end);
        let hours = lane.end.since_ns(lane.start) / (3600 * NS_PER_SECOND);
        LaneView {
            weekday: day.weekday_short(),
            day: day.date().2,
            odd_length: (hours != 24).then(|| format!("{hours} h")),
            today: day == today,
            start: lane.start,
            end: lane.end,
            sentence: self.sentence(lane, day, today),
            water: geometry::lane_water(
                lane,
                self.count,
                self.goes_on().then_some(self.end).flatten(),
            ),
            hatches: gaps::hatches(lane, self.stories, self.count, self.now),
            labels: self.labels(lane, end),
            marks: markers::marks(lane.start, lane.end, self.markers, several, self.zone),
            water_end: end.map(|end| WaterEnd {
                x: geometry::share(lane.start, lane.end, end),
                text: tf("checkpoint {end}", &[("end", &self.zone.time(end))]),
            }),
        }
    }

    /// Whether the water's end is the checkpoint and not the beginning of an open gap.
    fn goes_on(&self) -> bool {
        !self
            .stories
            .iter()
            .any(|story| story.is_open() && story.parts.len() == self.tenants.len())
    }

    fn labels(&self, lane: &Lane, end: Option<Scn>) -> Vec<LevelLabel> {
        let words_end = end.map(|end| geometry::share(lane.start, lane.end, end));
        lane.levels
            .iter()
            .filter(|level| 0 < level.tenants && level.tenants < self.count)
            .filter_map(|level| {
                let x = geometry::share(lane.start, lane.end, level.from);
                let wide = geometry::share(lane.start, lane.end, level.to) - x;
                // The words of the checkpoint may stand to the left of the water's end.
                let taken =
                    words_end.is_some_and(|end| end > WORDS_TURN && x > end - 2.0 * LABEL_WIDTH);
                (wide >= LABEL_WIDTH && !taken).then(|| LevelLabel {
                    x,
                    text: self.level_words(level),
                })
            })
            .collect()
    }

    /// `3 of 4, without billing`; names only while they are few.
    fn level_words(&self, level: &Level) -> String {
        let missing: Vec<&str> = self
            .tenants
            .iter()
            .filter(|tenant| {
                !tenant
                    .ranges
                    .iter()
                    .any(|r| r.start <= level.from && level.from <= r.end)
            })
            .map(|tenant| tenant.name.as_str())
            .collect();
        let head = tf(
            "{tenants} of {count}",
            &[("tenants", &level.tenants), ("count", &self.count)],
        );
        match missing.as_slice() {
            [one] => tf("{head}, without {one}", &[("head", &head), ("one", &one)]),
            [one, two] => tf(
                "{head}, without {one} and {two}",
                &[("head", &head), ("one", &one), ("two", &two)],
            ),
            _ => head,
        }
    }

    fn sentence(&self, lane: &Lane, day: super::time::Day, today: super::time::Day) -> String {
        let (_, _, number) = day.date();
        let mut text = format!("{} {number} {}", day.weekday(), day.month());
        text.push_str(if day == today { ", today. " } else { ". " });
        text.push_str(&self.levels_in_words(lane));
        let told = markers::sentence(lane.start, lane.end, self.markers, self.zone);
        if !told.is_empty() {
            text.push(' ');
            text.push_str(&told);
        }
        let gaps = self.stories.iter().filter(|story| {
            story.since() < lane.end && story.until().unwrap_or(self.now) > lane.start
        });
        match gaps.count() {
            0 => {}
            1 => text.push_str(" 1 gap."),
            count => text.push_str(&tf(" {count} gaps.", &[("count", &count)])),
        }
        text
    }

    fn amount(&self, tenants: u32) -> String {
        match (tenants, self.count) {
            (0, _) => t("not recoverable").to_owned(),
            (1, 1) => "recoverable".to_owned(),
            (some, all) if some == all => tf("all {all} tenants recoverable", &[("all", &all)]),
            (some, all) => tf(
                "{some} of {all} tenants recoverable",
                &[("some", &some), ("all", &all)],
            ),
        }
    }

    fn levels_in_words(&self, lane: &Lane) -> String {
        if let [only] = lane.levels.as_slice() {
            return match only.tenants {
                0 => t("Not recoverable.").to_owned(),
                tenants => sentence(&tf(
                    "{tenants} all day",
                    &[("tenants", &self.amount(tenants))],
                )),
            };
        }
        let mut parts: Vec<String> = Vec::new();
        for level in lane.levels.iter().filter(|level| level.tenants > 0) {
            let to = if level.to == lane.end {
                "midnight".to_owned()
            } else if self.end.is_some_and(|end| level.to > end) {
                tf("the checkpoint {to}", &[("to", &self.zone.time(level.to))])
            } else {
                self.zone.time(level.to)
            };
            let from = self.zone.time(level.from);
            parts.push(tf(
                "{tenants} from {from} to {to}",
                &[
                    ("tenants", &self.amount(level.tenants)),
                    ("from", &from),
                    ("to", &to),
                ],
            ));
        }
        let rest = parts.len().saturating_sub(PARTS_TOLD_MAX);
        parts.truncate(PARTS_TOLD_MAX);
        if rest > 0 {
            parts.push(tf("and {rest} more parts", &[("rest", &rest)]));
        }
        sentence(&parts.join("; "))
    }
}

/// What is recoverable now, in one line: the first thing a person wants to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Headline {
    /// Whom it is said of: `All 2 tenants`, `orders`.
    pub whom: String,
    /// First moment of the newest unbroken period; absent while there is none.
    pub from: Option<Scn>,
    /// Its last moment.
    pub until: Scn,
    /// Whether its end moves on with the clock.
    pub growing: bool,
    /// How many of all tenants' periods grow.
    pub growing_tenants: (usize, usize),
}

/// The newest period shared by all tenants shown that have one; where they share none, the newest of
/// the tenant whose period ends last.
pub fn headline(period: &Period, chosen: Option<&str>, now: Scn) -> Headline {
    let tenants = shown(period, chosen);
    let grows = |range: &RecoverableRange| now.since_ns(range.end) < GROWING_NS;
    let with_period: Vec<&TenantPeriod> = tenants
        .iter()
        .copied()
        .filter(|tenant| !tenant.ranges.is_empty())
        .collect();
    let shared = moment::all_of(&with_period).last().copied();
    let (whom, range) = match (tenants.as_slice(), shared) {
        ([only], range) => (only.name.clone(), range),
        (all, Some(range)) if with_period.len() == all.len() => {
            (tf("All {len} tenants", &[("len", &all.len())]), Some(range))
        }
        (all, Some(range)) => (
            tf(
                "{len} of {len_2} tenants",
                &[("len", &with_period.len()), ("len_2", &all.len())],
            ),
            Some(range),
        ),
        (_, None) => with_period
            .iter()
            .filter_map(|tenant| Some((tenant.name.clone(), tenant.ranges.last().copied()?)))
            .max_by_key(|(_, range)| range.end)
            .map_or_else(
                || (t("No tenant").to_owned(), None),
                |(name, range)| (tf("Only {name}", &[("name", &name)]), Some(range)),
            ),
    };
    let growing = tenants
        .iter()
        .filter(|tenant| tenant.ranges.last().is_some_and(grows));
    Headline {
        whom,
        from: range.map(|range| range.start),
        until: range.map_or(Scn::ZERO, |range| range.end),
        growing: range.as_ref().is_some_and(grows),
        growing_tenants: (growing.count(), tenants.len()),
    }
}

/// The oldest moment any of the tenants shown can be recovered to.
pub fn oldest(period: &Period, chosen: Option<&str>) -> Option<Scn> {
    shown(period, chosen)
        .iter()
        .filter_map(|tenant| tenant.ranges.first())
        .map(|range| moment::offered_start(*range))
        .min()
}

/// `90.6 %`, never rounded up to a hundred.
pub fn permille(value: u32) -> String {
    if value >= 1000 {
        "100\u{a0}%".to_owned()
    } else {
        format!("{}.{}\u{a0}%", value / 10, value % 10)
    }
}

#[cfg(test)]
#[path = "view_tests.rs"]
mod tests;
