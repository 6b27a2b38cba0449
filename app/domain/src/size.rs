//! How sizes, rates and durations are written for people.

/// `0 B`, `412 KB`, `3.42 TB`: powers of 1000, three significant digits, a no-break space.
pub fn bytes(count: u64) -> String {
    const UNITS: [&str; 6] = ["B", "KB", "MB", "GB", "TB", "PB"];
    // By whole numbers: printing floating-point ones would be a part of its own in the browser's download.
    let (mut one, mut unit) = (1u64, 0);
    while unit + 1 < UNITS.len() && rounded(count, one) >= 1000 {
        one *= 1000;
        unit += 1;
    }
    let name = UNITS[unit];
    if unit == 0 {
        return format!("{count}\u{a0}{name}");
    }
    let hundredths = rounded(count, one / 100);
    let tenths = rounded(count, one / 10);
    match (hundredths, tenths) {
        (0..1000, _) => format!("{}.{:02}\u{a0}{name}", hundredths / 100, hundredths % 100),
        (_, 0..1000) => format!("{}.{}\u{a0}{name}", tenths / 10, tenths % 10),
        _ => format!("{}\u{a0}{name}", rounded(count, one)),
    }
}

/// How often `part` goes into `count`, to the nearest.
const fn rounded(count: u64, part: u64) -> u64 {
    count / part + (count % part >= part.div_ceil(2)) as u64
}

/// `3.2 s`, `7 min`, `1 h 38 m`, `2 d 4 h` from milliseconds.
pub fn duration_ms(ms: u64) -> String {
    let seconds = ms / 1000;
    match seconds {
        0..10 => format!("{}.{}\u{a0}s", ms / 1000, ms % 1000 / 100),
        10..60 => format!("{seconds}\u{a0}s"),
        60..3600 => match (seconds / 60, seconds % 60) {
            (m, s) if m < 10 && s > 0 => format!("{m}\u{a0}m {s}\u{a0}s"),
            (m, _) => format!("{m}\u{a0}min"),
        },
        3600..86_400 => format!("{}\u{a0}h {}\u{a0}m", seconds / 3600, seconds % 3600 / 60),
        _ => format!(
            "{}\u{a0}d {}\u{a0}h",
            seconds / 86_400,
            seconds % 86_400 / 3600
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_three_digits_and_the_right_unit() {
        let cases = [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.00 KB"),
            (999_499, "999 KB"),
            (999_500, "1.00 MB"),
            (9_994_999, "9.99 MB"),
            (9_995_000, "10.0 MB"),
            (99_950_000, "100 MB"),
            (u64::MAX, "18447 PB"),
            (3_420_000_000_000, "3.42 TB"),
            (61_800_000_000, "61.8 GB"),
        ];
        for (count, text) in cases {
            assert_eq!(bytes(count).replace('\u{a0}', " "), text, "{count}");
        }
    }

    #[test]
    fn durations_change_unit() {
        let cases = [
            (0, "0.0 s"),
            (3_240, "3.2 s"),
            (59_999, "59 s"),
            (65_000, "1 m 5 s"),
            (720_000, "12 min"),
            (5_880_000, "1 h 38 m"),
        ];
        for (ms, text) in cases {
            assert_eq!(duration_ms(ms).replace('\u{a0}', " "), text, "{ms}");
        }
    }
}
