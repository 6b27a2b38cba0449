//! Storage trend: sizes over time, what is kept of them, where they are missing, and where they lead.

use crate::{
    Scn, TenantId,
    job::JobKind,
    scn::{NS_PER_DAY, NS_PER_SECOND},
    storage::StorageState,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

const NS_PER_MINUTE: u64 = 60 * NS_PER_SECOND;
const NS_PER_HOUR: u64 = 60 * NS_PER_MINUTE;

/// Sizes are sampled at least as often as this, in ns.
pub const SAMPLE_NS: u64 = 30 * NS_PER_MINUTE;
/// Samples are kept as long as this, in ns.
pub const KEPT_NS: u64 = 400 * NS_PER_DAY;
/// How far beyond its step the next sample may be late before it counts as missing, in ns.
const LATE_NS: u64 = 45 * NS_PER_MINUTE;

/// Up to which age samples are kept how densely: oldest first, each with its step.
const STEPS: [(u64, u64); 2] = [
    (60 * NS_PER_DAY, NS_PER_DAY),
    (7 * NS_PER_DAY, 3 * NS_PER_HOUR),
];

/// Days whose totals a forecast looks at.
pub const FORECAST_DAYS: u64 = 30;
/// Days with a total that a forecast needs at least.
pub const FORECAST_DAYS_MIN: u64 = 5;
/// A storage that is full later than in so many days is not said to be full on a day.
const FORECAST_REACH_DAYS: u64 = 3650;

/// Sizes at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TrendPoint {
    /// When.
    pub at: Scn,
    /// Bytes of backup sets at the first destination.
    pub data_bytes: u64,
    /// Bytes of log there.
    pub log_bytes: u64,
    /// Bytes of the sets' second copies; absent where none were kept or they were out of reach.
    pub second_data_bytes: Option<u64>,
    /// Bytes of the log's second copies.
    pub second_log_bytes: Option<u64>,
    /// Bytes of the whole first storage, where it told.
    pub storage_total_bytes: Option<u64>,
    /// Bytes that could still be written there.
    pub storage_free_bytes: Option<u64>,
}

impl TrendPoint {
    /// Data and log at the first destination. Second copies are not part of it.
    pub const fn total_bytes(&self) -> u64 {
        self.data_bytes.saturating_add(self.log_bytes)
    }
}

/// Time without samples: the console was down, or the destination out of reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrendGap {
    /// The last sample before it.
    pub since: Scn,
    /// The first one after it.
    pub until: Scn,
}

/// What happened beside the sizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrendEventKind {
    /// A task of this kind was completed.
    Completed(JobKind),
    /// A task of this kind failed.
    Failed(JobKind),
    /// Log backup was started.
    LogStarted,
    /// Log backup was stopped.
    LogStopped,
}

/// Something that happened beside the sizes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrendEvent {
    /// When.
    pub at: Scn,
    /// What.
    pub kind: TrendEventKind,
    /// Name of the tenant.
    pub tenant: String,
}

/// When the first storage will be full, as far as that can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Forecast {
    /// The storage does not tell how much room it has.
    NoCapacity,
    /// Too few days have a size.
    NotEnoughHistory {
        /// Days that have one.
        days: u64,
        /// Days that are needed.
        needed: u64,
    },
    /// What is used there does not grow.
    NotGrowing,
    /// It grows, but is not full within ten years.
    Later {
        /// Bytes a day.
        bytes_per_day: u64,
    },
    /// It will be full.
    Full {
        /// About when.
        at: Scn,
        /// Bytes a day.
        bytes_per_day: u64,
    },
}

/// Sizes of a cluster or tenant over a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StorageTrend {
    /// The tenant; `None` for the whole cluster.
    pub tenant: Option<TenantId>,
    /// The samples, ascending; a long time is thinned out.
    pub points: Vec<TrendPoint>,
    /// Where samples are missing.
    pub gaps: Vec<TrendGap>,
    /// What happened meanwhile, ascending; the newest.
    pub events: Vec<TrendEvent>,
    /// When the storage will be full.
    pub forecast: Forecast,
    /// The destinations now.
    pub storages: Vec<StorageState>,
    /// The server's now.
    pub now: Scn,
}

/// Every how many ns a sample of this age is kept.
fn step(age_ns: u64) -> u64 {
    let wide = STEPS.iter().find(|(older_than, _)| age_ns > *older_than);
    wide.map_or(SAMPLE_NS, |(_, step)| *step)
}

/// The samples that are not kept any more, given all of one series in ascending order.
///
/// Time is divided into buckets: of 30 minutes for 7 days, of 3 hours for 60 days, of a day for 400 days, each
/// beginning at a multiple of its length and counting as old as its end. Of each bucket the first, the last
/// and the (earliest) greatest sample by total are kept, until the day's whole bucket goes.
pub fn superfluous(series: &[TrendPoint], now: Scn) -> Vec<Scn> {
    let bucket = |point: &TrendPoint| bucket_of(point.at, now);
    let mut kept: BTreeSet<Scn> = BTreeSet::new();
    for samples in series.chunk_by(|a, b| bucket(a) == bucket(b)) {
        if bucket(&samples[0]).is_some() {
            kept.extend(landmarks(samples));
        }
    }
    let is_kept = |point: &&TrendPoint| !kept.contains(&point.at);
    series
        .iter()
        .filter(is_kept)
        .map(|point| point.at)
        .collect()
}

/// Length and begin of the bucket of a sample; `None` when nothing of it is kept.
fn bucket_of(at: Scn, now: Scn) -> Option<(u64, u64)> {
    let begin = |length: u64| at.0 - at.0 % length;
    let age = |length: u64| now.since_ns(Scn(begin(length).saturating_add(length)));
    if age(NS_PER_DAY) > KEPT_NS {
        return None;
    }
    let wide = STEPS
        .iter()
        .find(|(older_than, length)| age(*length) > *older_than);
    let length = wide.map_or(SAMPLE_NS, |(_, length)| *length);
    Some((length, begin(length)))
}

/// First, last and greatest of samples that are there.
fn landmarks(bucket: &[TrendPoint]) -> impl Iterator<Item = Scn> {
    let first = bucket.first();
    let last = bucket.last();
    let mut peak = first;
    for point in bucket {
        if peak.is_some_and(|peak| point.total_bytes() > peak.total_bytes()) {
            peak = Some(point);
        }
    }
    [first, peak, last]
        .into_iter()
        .flatten()
        .map(|point| point.at)
}

/// Where samples of a series are missing. Between two that are no farther apart than the step they are kept
/// with, and some lateness, nothing is missing.
pub fn gaps(series: &[TrendPoint], now: Scn) -> Vec<TrendGap> {
    let is_gap =
        |before: Scn, after: Scn| after.since_ns(before) > step(now.since_ns(before)) + LATE_NS;
    series
        .windows(2)
        .filter(|pair| is_gap(pair[0].at, pair[1].at))
        .map(|pair| TrendGap {
            since: pair[0].at,
            until: pair[1].at,
        })
        .collect()
}

/// At most about `limit` samples that show the same course: of equally long parts of the time the first, the
/// greatest and the last.
pub fn outline(series: &[TrendPoint], limit: usize) -> Vec<TrendPoint> {
    let (Some(first), Some(last)) = (series.first(), series.last()) else {
        return Vec::new();
    };
    if series.len() <= limit {
        return series.to_vec();
    }
    let parts = (limit as u64 / 3).max(1);
    let length = last.at.since_ns(first.at) / parts + 1;
    let part = |point: &TrendPoint| point.at.since_ns(first.at) / length;
    let mut shown = BTreeSet::new();
    for part in series.chunk_by(|a, b| part(a) == part(b)) {
        shown.extend(landmarks(part));
    }
    let is_shown = |point: &&TrendPoint| shown.contains(&point.at);
    series.iter().filter(is_shown).copied().collect()
}

/// When the storage will be full: what is used there at the end of each day, by the median of the slopes
/// between all pairs of days, so that neither a single large backup nor a single cleanup decides.
pub fn forecast(series: &[TrendPoint], now: Scn) -> Forecast {
    let since = now.minus_ns(FORECAST_DAYS * NS_PER_DAY);
    let mut days: BTreeMap<u64, i128> = BTreeMap::new();
    let mut newest = None;
    for point in series.iter().filter(|point| point.at >= since) {
        if let (Some(total), Some(free)) = (point.storage_total_bytes, point.storage_free_bytes) {
            let used = i128::from(total.saturating_sub(free));
            days.insert(point.at.0 / NS_PER_DAY, used);
            newest = Some((point.at, free));
        }
    }
    let Some((measured, free)) = newest else {
        return Forecast::NoCapacity;
    };
    let count = days.len() as u64;
    if count < FORECAST_DAYS_MIN {
        return Forecast::NotEnoughHistory {
            days: count,
            needed: FORECAST_DAYS_MIN,
        };
    }
    let slope = median_slope(&days);
    let Ok(bytes_per_day @ 1..) = u64::try_from(slope) else {
        return Forecast::NotGrowing;
    };
    if free / bytes_per_day > FORECAST_REACH_DAYS {
        return Forecast::Later { bytes_per_day };
    }
    let left = u128::from(free) * u128::from(NS_PER_DAY) / u128::from(bytes_per_day);
    Forecast::Full {
        at: measured.plus_ns(u64::try_from(left).unwrap_or(u64::MAX)),
        bytes_per_day,
    }
}

/// Bytes a day: the median over all pairs of days. There are at least two days.
fn median_slope(days: &BTreeMap<u64, i128>) -> i128 {
    let days: Vec<(i128, i128)> = days
        .iter()
        .map(|(day, used)| (i128::from(*day), *used))
        .collect();
    let mut slopes = Vec::with_capacity(days.len() * days.len() / 2);
    for (at, (day, used)) in days.iter().enumerate() {
        for (later, more) in &days[at + 1..] {
            slopes.push((more - used) / (later - day));
        }
    }
    slopes.sort_unstable();
    slopes.get(slopes.len() / 2).copied().unwrap_or(0)
}
