//! Where things stand on a lane: positions and the paths of the water.

use domain::Scn;
use domain::calendar::{Lane, Level};

/// Width of a lane's drawing: one unit per minute of a 24-hour day.
pub const WIDTH: f64 = 1440.0;
/// Height of the water's drawing.
pub const HEIGHT: f64 = 32.0;
/// Water narrower than this is drawn as a line of fixed width, so that it stays visible.
const SLIVER: f64 = 6.0;

/// The water of one lane as SVG path data in a box of [`WIDTH`] by [`HEIGHT`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Water {
    /// The area.
    pub fill: String,
    /// Its surface and its shores.
    pub line: String,
    /// Centre lines of areas too narrow to be seen otherwise.
    pub slivers: String,
}

/// How far into `start..end` a moment lies, from 0 to 1.
pub fn share(start: Scn, end: Scn, at: Scn) -> f64 {
    let length = end.since_ns(start);
    if length == 0 {
        return 0.0;
    }
    at.min(end).since_ns(start) as f64 / length as f64
}

/// The moment at a share of `start..end`.
pub fn at_share(start: Scn, end: Scn, share: f64) -> Scn {
    let length = end.since_ns(start) as f64;
    start.plus_ns((share.clamp(0.0, 1.0) * length) as u64)
}

/// A number with up to three decimals and no superfluous zeros.
pub fn number(value: f64) -> String {
    // By whole numbers: printing floating-point ones would be a part of its own in the download.
    let thousandths = (value * 1000.0).round() as i64;
    let sign = if thousandths < 0 { "-" } else { "" };
    let (whole, rest) = (thousandths.abs() / 1000, thousandths.abs() % 1000);
    let text = format!("{sign}{whole}.{rest:03}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A share as a percentage for an SVG attribute.
pub fn percent(share: f64) -> String {
    format!("{}%", number(share * 100.0))
}

/// The water between `start` and `end`: `tenants` is a full level. At `checkpoint` the water ends
/// without a shore, because it goes on there.
pub fn water(
    start: Scn,
    end: Scn,
    levels: &[Level],
    tenants: u32,
    checkpoint: Option<Scn>,
) -> Water {
    let mut water = Water::default();
    for run in levels.split(|level| level.tenants == 0) {
        let (Some(first), Some(last)) = (run.first(), run.last()) else {
            continue;
        };
        let x = |at: Scn| share(start, end, at) * WIDTH;
        let y = |level: &Level| {
            number(HEIGHT * (1.0 - f64::from(level.tenants) / f64::from(tenants.max(1))))
        };
        let (left, right) = (x(first.from), x(last.to));
        let mut surface = String::new();
        for (index, level) in run.iter().enumerate() {
            if index > 0 {
                surface.push_str(&format!("V{}", y(level)));
            }
            surface.push_str(&format!("H{}", number(x(level.to))));
        }
        let (left_text, top, bottom) = (number(left), y(first), number(HEIGHT));
        water
            .fill
            .push_str(&format!("M{left_text} {bottom}V{top}{surface}V{bottom}Z"));
        if first.from > start {
            water
                .line
                .push_str(&format!("M{left_text} {bottom}V{top}{surface}"));
        } else {
            water.line.push_str(&format!("M{left_text} {top}{surface}"));
        }
        let goes_on = last.to >= end || checkpoint.is_some_and(|checkpoint| last.to > checkpoint);
        if !goes_on {
            water.line.push_str(&format!("V{bottom}"));
        }
        if right - left < SLIVER {
            let highest = run
                .iter()
                .max_by_key(|level| level.tenants)
                .unwrap_or(first);
            let middle = number((left + right) / 2.0);
            water
                .slivers
                .push_str(&format!("M{middle} {bottom}V{}", y(highest)));
        }
    }
    water
}

/// [`water`] of a whole lane.
pub fn lane_water(lane: &Lane, tenants: u32, checkpoint: Option<Scn>) -> Water {
    water(lane.start, lane.end, &lane.levels, tenants, checkpoint)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minute(count: u64) -> Scn {
        Scn(count * 60_000_000_000)
    }

    fn level(from: u64, to: u64, tenants: u32) -> Level {
        Level {
            from: minute(from),
            to: minute(to),
            tenants,
        }
    }

    fn draw(levels: &[Level], checkpoint: Option<u64>) -> Water {
        water(minute(0), minute(1440), levels, 4, checkpoint.map(minute))
    }

    #[test]
    fn a_whole_day_is_one_full_block_without_shores() {
        let water = draw(&[level(0, 1440, 4)], None);
        assert_eq!(water.fill, "M0 32V0H1440V32Z");
        assert_eq!(water.line, "M0 0H1440");
        assert_eq!(water.slivers, "");
    }

    #[test]
    fn a_dip_steps_down_by_the_share_of_tenants() {
        let water = draw(&[level(0, 900, 4), level(900, 1440, 3)], None);
        assert_eq!(water.fill, "M0 32V0H900V8H1440V32Z");
        assert_eq!(water.line, "M0 0H900V8H1440");
    }

    #[test]
    fn an_outage_has_two_shores_and_the_checkpoint_has_none() {
        let levels = [
            level(0, 580, 4),
            level(580, 740, 0),
            level(740, 750, 1),
            level(750, 872, 4),
            level(872, 1440, 0),
        ];
        let water = draw(&levels, Some(871));
        assert_eq!(water.fill, "M0 32V0H580V32ZM740 32V24H750V0H872V32Z");
        assert_eq!(water.line, "M0 0H580V32M740 32V24H750V0H872");
    }

    #[test]
    fn two_minutes_of_water_are_still_seen() {
        let water = draw(
            &[level(0, 360, 0), level(360, 362, 4), level(362, 1440, 0)],
            Some(361),
        );
        assert_eq!(water.slivers, "M361 32V0");
        assert_eq!(water.fill, "M360 32V0H362V32Z");
        let single = Level {
            from: minute(10),
            to: minute(10).plus_ns(1),
            tenants: 2,
        };
        assert_eq!(draw(&[single], None).slivers, "M10 32V16");
    }

    #[test]
    fn positions_are_shares_and_stay_inside() {
        assert_eq!(share(minute(0), minute(1440), minute(360)), 0.25);
        assert_eq!(share(minute(0), minute(1440), minute(9999)), 1.0);
        assert_eq!(share(minute(10), minute(20), minute(0)), 0.0);
        assert_eq!(share(minute(5), minute(5), minute(5)), 0.0);
        assert_eq!(at_share(minute(0), minute(1440), 0.5), minute(720));
        assert_eq!(at_share(minute(0), minute(1440), 7.0), minute(1440));
        assert_eq!(percent(0.403_73), "40.373%");
        assert_eq!(percent(1.0), "100%");
        assert_eq!(number(-0.0001), "0");
    }
}
