//! Properties of the storage trend: what thinning keeps, where gaps lie, and what a forecast may say.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use domain::{
    Scn,
    scn::{NS_PER_DAY, NS_PER_SECOND},
    trend::{
        FORECAST_DAYS_MIN, Forecast, KEPT_NS, SAMPLE_NS, TrendGap, TrendPoint, forecast, gaps,
        outline, superfluous,
    },
};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

const NOW: Scn = Scn(1_795_348_800_000_000_000 + 12_345_678_901);
const HOUR: u64 = 3600 * NS_PER_SECOND;

fn point(at: Scn, total: u64) -> TrendPoint {
    TrendPoint {
        at,
        data_bytes: total,
        ..TrendPoint::default()
    }
}

/// Samples at random distances, some of them long, up to now.
fn series() -> impl Strategy<Value = Vec<TrendPoint>> {
    let step = prop_oneof![
        20 => 60 * NS_PER_SECOND..2 * SAMPLE_NS,
        2 => SAMPLE_NS..5 * HOUR,
        1 => HOUR..30 * NS_PER_DAY,
    ];
    prop::collection::vec((step, 0u64..20), 0..600).prop_map(|steps| {
        let mut at = NOW;
        let mut points = Vec::new();
        for (step, total) in steps {
            points.push(point(at, total));
            at = at.minus_ns(step);
        }
        points.reverse();
        points
    })
}

/// The rule by brute force: for each bucket on its own, whatever the function does.
fn kept_by_rule(series: &[TrendPoint], now: Scn) -> BTreeSet<Scn> {
    let mut buckets: BTreeMap<(u64, u64), Vec<&TrendPoint>> = BTreeMap::new();
    for one in series {
        let old = |length: u64, days: u64| {
            let end = one.at.0 - one.at.0 % length + length;
            now.0 > end && now.0 - end > days * NS_PER_DAY
        };
        if old(24 * HOUR, KEPT_NS / NS_PER_DAY) {
            continue;
        }
        let length = match (old(24 * HOUR, 60), old(3 * HOUR, 7)) {
            (true, _) => 24 * HOUR,
            (false, true) => 3 * HOUR,
            (false, false) => SAMPLE_NS,
        };
        buckets
            .entry((length, one.at.0 / length))
            .or_default()
            .push(one);
    }
    let mut kept = BTreeSet::new();
    for bucket in buckets.values() {
        let most = bucket.iter().map(|one| one.total_bytes()).max().unwrap();
        let peak = bucket.iter().find(|one| one.total_bytes() == most).unwrap();
        kept.extend([bucket[0].at, peak.at, bucket[bucket.len() - 1].at]);
    }
    kept
}

fn thinned(series: &[TrendPoint], now: Scn) -> Vec<TrendPoint> {
    let gone: BTreeSet<Scn> = superfluous(series, now).into_iter().collect();
    series
        .iter()
        .filter(|one| !gone.contains(&one.at))
        .copied()
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn first_last_and_peak_of_every_bucket_are_kept_and_nothing_else(series in series()) {
        let kept: BTreeSet<Scn> = thinned(&series, NOW).iter().map(|one| one.at).collect();
        prop_assert_eq!(&kept, &kept_by_rule(&series, NOW));
        prop_assert_eq!(thinned(&thinned(&series, NOW), NOW), thinned(&series, NOW));
    }

    /// However often it was thinned out on the way, the result is that of doing it once.
    #[test]
    fn thinning_day_by_day_is_the_same_as_thinning_once(
        series in series(),
        days in prop::collection::vec(0u64..40, 1..12),
    ) {
        let mut stepwise = series.clone();
        let mut now = NOW;
        for days in days {
            now = now.plus_ns(days * NS_PER_DAY + 7 * HOUR / 2);
            stepwise = thinned(&stepwise, now);
        }
        prop_assert_eq!(stepwise, thinned(&series, now));
    }

    #[test]
    fn an_outline_is_bounded_and_keeps_ends_and_peak(series in series(), limit in 3usize..200) {
        let shown = outline(&series, limit);
        prop_assert!(shown.len() <= series.len().min(limit + 3));
        prop_assert_eq!(shown.first(), series.first());
        prop_assert_eq!(shown.last(), series.last());
        let most = |points: &[TrendPoint]| points.iter().map(TrendPoint::total_bytes).max();
        prop_assert_eq!(most(&shown), most(&series));
        prop_assert!(shown.windows(2).all(|pair| pair[0].at < pair[1].at));
    }

    /// Regular sampling never shows a gap, at whatever age and however often it was thinned out.
    #[test]
    fn regular_samples_have_no_gap(
        late in prop::collection::vec(0..10 * 60 * NS_PER_SECOND, 48 * 90),
    ) {
        let mut at = NOW.minus_ns(90 * NS_PER_DAY);
        let mut series = Vec::new();
        for (number, late) in late.iter().enumerate() {
            series.push(point(at.plus_ns(*late), number as u64 % 7));
            at = at.plus_ns(SAMPLE_NS);
        }
        prop_assert_eq!(gaps(&series, NOW), []);
        prop_assert_eq!(gaps(&thinned(&series, NOW), NOW), []);
    }

    /// With a steady growth and noise that is small beside it, the day is met within the noise.
    #[test]
    fn steady_growth_is_forecast(
        per_day in 1_000_000u64..1_000_000_000,
        noise in prop::collection::vec(0u64..100_000, 20),
        spike in 0usize..19,
    ) {
        let total = 1u64 << 42;
        let series: Vec<TrendPoint> = (0..20u64)
            .map(|day| {
                let at = NOW.minus_ns((19 - day) * NS_PER_DAY);
                let mut used = day * per_day + noise[day as usize];
                // One day with something huge that was gone the next day.
                if day as usize == spike {
                    used += 1 << 40;
                }
                TrendPoint {
                    storage_total_bytes: Some(total),
                    storage_free_bytes: Some(total - used),
                    ..point(at, used)
                }
            })
            .collect();
        let rate = match forecast(&series, NOW) {
            Forecast::Full { at, bytes_per_day } => {
                let free = series[19].storage_free_bytes.unwrap();
                let days = at.since_ns(NOW) / NS_PER_DAY;
                prop_assert!(days.abs_diff(free / bytes_per_day) <= 1);
                bytes_per_day
            }
            Forecast::Later { bytes_per_day } => bytes_per_day,
            other => return Err(TestCaseError::fail(format!("{other:?}"))),
        };
        prop_assert!(rate.abs_diff(per_day) <= 100_000, "{} {}", rate, per_day);
    }
}

fn used(day: u64, used: u64, total: u64) -> TrendPoint {
    let at = NOW.minus_ns(100 * NS_PER_DAY).plus_ns(day * NS_PER_DAY);
    TrendPoint {
        storage_total_bytes: Some(total),
        storage_free_bytes: Some(total - used),
        ..point(at, used)
    }
}

#[test]
fn a_forecast_says_what_it_does_not_know() {
    assert_eq!(forecast(&[], NOW), Forecast::NoCapacity);
    assert_eq!(forecast(&[point(NOW, 7)], NOW), Forecast::NoCapacity);
    let days = |count: u64, at: fn(u64) -> u64| -> Vec<TrendPoint> {
        (0..count)
            .map(|day| used(101 - count + day, at(day), 1000))
            .collect()
    };
    let few = forecast(&days(4, |day| day), NOW);
    let needed = FORECAST_DAYS_MIN;
    assert_eq!(few, Forecast::NotEnoughHistory { days: 4, needed });
    assert_eq!(forecast(&days(10, |_| 5), NOW), Forecast::NotGrowing);
    assert_eq!(
        forecast(&days(10, |day| 500 - day), NOW),
        Forecast::NotGrowing
    );
    let bytes_per_day = 10;
    let at = NOW.plus_ns(91 * NS_PER_DAY);
    assert_eq!(
        forecast(&days(10, |day| day * 10), NOW),
        Forecast::Full { at, bytes_per_day }
    );
    let far: Vec<TrendPoint> = (0..10).map(|day| used(91 + day, day, 1 << 40)).collect();
    let bytes_per_day = 1;
    assert_eq!(forecast(&far, NOW), Forecast::Later { bytes_per_day });
    // What was long ago decides nothing.
    let old: Vec<TrendPoint> = (0..40).map(|day| used(day, day * 10, 1000)).collect();
    assert_eq!(forecast(&old, NOW), Forecast::NoCapacity);
}

#[test]
fn time_without_samples_is_a_gap() {
    let at = |minutes: u64| NOW.minus_ns((1000 - minutes) * 60 * NS_PER_SECOND);
    let series: Vec<TrendPoint> = [0, 30, 60, 136, 166, 240]
        .into_iter()
        .map(|minutes| point(at(minutes), 1))
        .collect();
    let gap = TrendGap {
        since: at(60),
        until: at(136),
    };
    assert_eq!(gaps(&series, NOW), [gap]);
}

#[test]
fn a_year_of_samples_stays_small() {
    let mut series = Vec::new();
    let mut at = NOW.minus_ns(KEPT_NS + 10 * NS_PER_DAY);
    while at < NOW {
        series.push(point(at, at.0 % 1013));
        at = at.plus_ns(SAMPLE_NS);
    }
    let kept = thinned(&series, NOW);
    assert!(
        series.len() > 19_000 && kept.len() < 2_700,
        "{}",
        kept.len()
    );
    assert!(NOW.since_ns(kept[0].at) <= KEPT_NS + NS_PER_DAY);
}
