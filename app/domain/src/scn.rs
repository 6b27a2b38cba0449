//! `Scn`, the system change number: the one instant type of the product.

use chrono::{DateTime, Datelike, Timelike, Utc};
use serde::{Deserialize, Serialize};

/// A system change number: nanoseconds since 1970-01-01T00:00:00 UTC.
///
/// Within one tenant every commit has its own, and they strictly increase. The same type serves
/// for all other instants, so that a moment and a commit can be compared without conversion.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Scn(pub u64);

/// Nanoseconds in one second.
pub const NS_PER_SECOND: u64 = 1_000_000_000;
/// Nanoseconds in one day of 24 hours.
pub const NS_PER_DAY: u64 = 86_400 * NS_PER_SECOND;

/// Most digits of a fraction of a second.
const FRACTION_DIGITS_MAX: usize = 9;

/// A text that should be a moment and is not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"{text}\" is not a moment; write RFC 3339 with a zone and at most nine digits after the point, such as 2026-11-12T14:32:07Z or 2026-11-12T14:32:07.250+08:00"
)]
pub struct BadMoment {
    /// What was given.
    pub text: String,
}

impl Scn {
    /// The zero instant, 1970-01-01; used as "nothing yet".
    pub const ZERO: Scn = Scn(0);

    /// Reads RFC 3339 text with a zone. A fraction finer than a nanosecond is refused, not cut: the
    /// moment meant would be another one.
    pub fn parse_rfc3339(text: &str) -> Result<Scn, BadMoment> {
        let bad = || BadMoment {
            text: text.to_owned(),
        };
        if fraction_digits(text) > FRACTION_DIGITS_MAX {
            return Err(bad());
        }
        let moment = DateTime::parse_from_rfc3339(text.trim()).map_err(|_| bad())?;
        let ns = moment.timestamp_nanos_opt().ok_or_else(bad)?;
        u64::try_from(ns).map(Scn).map_err(|_| bad())
    }

    /// From whole milliseconds since the epoch, as browsers give them.
    pub const fn from_ms(ms: u64) -> Scn {
        Scn(ms * 1_000_000)
    }

    /// Whole milliseconds since the epoch, cut, never rounded up.
    pub const fn ms(self) -> u64 {
        self.0 / 1_000_000
    }

    /// This instant plus `ns` nanoseconds.
    pub const fn plus_ns(self, ns: u64) -> Scn {
        Scn(self.0.saturating_add(ns))
    }

    /// This instant minus `ns` nanoseconds, not before the epoch.
    pub const fn minus_ns(self, ns: u64) -> Scn {
        Scn(self.0.saturating_sub(ns))
    }

    /// Nanoseconds from `earlier` to this instant; zero when `earlier` is later.
    pub const fn since_ns(self, earlier: Scn) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    fn date_time(self) -> DateTime<Utc> {
        // u64 nanoseconds beyond i64 are in the year 2262 and later; the last one stands for them.
        DateTime::from_timestamp_nanos(i64::try_from(self.0).unwrap_or(i64::MAX))
    }

    /// RFC 3339 in UTC with nine digits: `2026-11-12T14:32:07.250000000Z`. Reads back to the same value.
    pub fn to_rfc3339(self) -> String {
        format!("{}.{:09}Z", self.second("T"), self.0 % NS_PER_SECOND)
    }

    /// `2026-11-12 14:32:07` in UTC, cut to the second.
    pub fn display_seconds(self) -> String {
        self.second(" ")
    }

    /// `2026-11-12 14:32:07.250000` in UTC, cut to the microsecond.
    pub fn display_micros(self) -> String {
        let micros = self.0 % NS_PER_SECOND / 1000;
        format!("{}.{micros:06}", self.second(" "))
    }

    /// By its fields: patterns would have to be downloaded with the code that reads them.
    fn second(self, between: &str) -> String {
        let at = self.date_time();
        let (year, month, day) = (at.year(), at.month(), at.day());
        let (hour, minute, second) = (at.hour(), at.minute(), at.second());
        format!("{year:04}-{month:02}-{day:02}{between}{hour:02}:{minute:02}:{second:02}")
    }

    /// Midnight UTC of this instant's day.
    pub const fn utc_midnight(self) -> Scn {
        Scn(self.0 - self.0 % NS_PER_DAY)
    }
}

fn fraction_digits(text: &str) -> usize {
    let fraction = text.split_once('.').map_or("", |(_, fraction)| fraction);
    fraction.bytes().take_while(u8::is_ascii_digit).count()
}

impl std::fmt::Display for Scn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.to_rfc3339())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_zones_and_prints_utc() {
        let scn = Scn::parse_rfc3339("2026-11-11T16:20:05.25+08:00").unwrap();
        assert_eq!(scn.to_rfc3339(), "2026-11-11T08:20:05.250000000Z");
        assert_eq!(Scn::parse_rfc3339(&scn.to_rfc3339()).unwrap(), scn);
        assert_eq!(scn.display_micros(), "2026-11-11 08:20:05.250000");
    }

    #[test]
    fn refuses_what_has_no_zone_or_no_meaning() {
        for text in [
            "",
            "yesterday",
            "2026-11-11 16:20:05",
            "2026-13-01T00:00:00Z",
            "1969-12-31T00:00:00Z",
        ] {
            let error = Scn::parse_rfc3339(text).unwrap_err();
            assert!(
                error.to_string().contains(&format!("\"{text}\"")),
                "{error}"
            );
        }
    }

    #[test]
    fn a_fraction_finer_than_a_nanosecond_is_refused_and_not_cut() {
        let nine = Scn::parse_rfc3339("2026-11-11T08:20:05.123456789Z").unwrap();
        assert_eq!(nine.0 % NS_PER_SECOND, 123_456_789);
        for text in [
            "2026-11-11T08:20:05.1234567891Z",
            "2026-11-11T16:20:05.1234567890+08:00",
        ] {
            let error = Scn::parse_rfc3339(text).unwrap_err().to_string();
            assert!(error.contains(text) && error.contains("nine"), "{error}");
        }
    }

    #[test]
    fn display_cuts_and_never_rounds_up() {
        let scn = Scn::parse_rfc3339("2026-11-11T08:20:05.999999999Z").unwrap();
        assert_eq!(scn.display_seconds(), "2026-11-11 08:20:05");
        assert_eq!(scn.display_micros(), "2026-11-11 08:20:05.999999");
    }
}
