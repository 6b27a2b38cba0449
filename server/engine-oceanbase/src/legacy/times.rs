//! Moments as a cluster before 4.0 writes them: local text without a zone.

use crate::session::{BadValue, Row, Table};
use domain::Scn;

/// Nanoseconds of a microsecond.
const NS_PER_US: u64 = 1000;
/// Characters of `2026-01-01 08:00:00`.
const SECONDS_CHARS: usize = 19;

/// How far the cluster's local time is ahead of UTC now. Sessions keep the cluster's own zone, so texts that follow the
/// session and texts that follow the server say the same. Where that zone has a summer time, texts of the other half of
/// the year are read an hour wrong; only the inner edges of log pieces depend on that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Zone {
    ahead_ns: i64,
}

/// What asks for the cluster's now, as a number and in its own words.
pub(crate) const CLOCK: &str = "SELECT TIME_TO_USEC(NOW(6)) AS NOW_US, NOW(6) AS NOW_TEXT";

/// The cluster's now and its zone, from the answer to [`CLOCK`].
pub(crate) fn clock(table: &Table) -> Result<(Scn, Zone), BadValue> {
    let Some(row) = table.first() else {
        return Ok((Scn::ZERO, Zone::default()));
    };
    let now = row.micros("NOW_US")?.unwrap_or(Scn::ZERO);
    let local = Zone::default().moment(row, "NOW_TEXT")?.unwrap_or(now);
    let ahead = i128::from(local.0) - i128::from(now.0);
    let ahead_ns = i64::try_from(ahead).map_err(|_| bad("NOW_TEXT", &local.to_string()))?;
    Ok((now, Zone { ahead_ns }))
}

impl Zone {
    /// A moment of a column; `None` for NULL, nothing and `MAX`.
    pub(crate) fn moment(self, row: Row<'_>, column: &str) -> Result<Option<Scn>, BadValue> {
        let text = row.text(column).map(str::trim).unwrap_or_default();
        if text.is_empty() || text == "MAX" || text == "0" {
            return Ok(None);
        }
        let refused = || bad(column, text);
        if text.len() < SECONDS_CHARS || !text.is_ascii() {
            return Err(refused());
        }
        let utc = format!("{}Z", text.replacen(' ', "T", 1));
        let local = Scn::parse_rfc3339(&utc).map_err(|_| refused())?;
        let ns = local.0.checked_add_signed(-self.ahead_ns);
        ns.map(|ns| Some(Scn(ns))).ok_or_else(refused)
    }

    /// The zone in which a text stands for `meant`, where in this one the cluster takes it for `taken`.
    pub(crate) fn corrected(self, meant: Scn, taken: Scn) -> Zone {
        let behind = i128::from(meant.0) - i128::from(taken.0);
        let ahead_ns = i64::try_from(i128::from(self.ahead_ns) + behind);
        Zone {
            ahead_ns: ahead_ns.unwrap_or(self.ahead_ns),
        }
    }

    /// The text of a moment, cut to whole microseconds.
    pub(crate) fn text(self, moment: Scn) -> String {
        let local = Scn(moment.0.saturating_add_signed(self.ahead_ns)).to_rfc3339();
        let upto = (SECONDS_CHARS + ".000000".len()).min(local.len());
        local[..upto].replacen('T', " ", 1)
    }
}

/// Asks what the cluster takes a text for.
pub(crate) fn taken_for(text: &str) -> String {
    format!("SELECT TIME_TO_USEC('{text}') AS TAKEN_US")
}

/// A moment without what is finer than a microsecond.
pub(crate) fn whole_us(moment: Scn) -> Scn {
    Scn(moment.0 / NS_PER_US * NS_PER_US)
}

fn bad(column: &str, text: &str) -> BadValue {
    BadValue {
        column: column.to_owned(),
        value: text.to_owned(),
        wanted: "moment such as 2026-01-01 08:00:00.000000",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(us: &str, text: &str) -> Table {
        Table {
            columns: ["NOW_US", "NOW_TEXT"].map(str::to_owned).into(),
            rows: vec![vec![Some(us.to_owned()), Some(text.to_owned())]],
        }
    }

    #[test]
    fn local_texts_are_read_and_written_in_the_zone_of_the_cluster() {
        for (text, ahead) in [
            ("2026-01-01 08:00:00.000000", "+08:00"),
            ("2025-12-31 18:30:00.000000", "-05:30"),
            ("2026-01-01 00:00:00", "+00:00"),
        ] {
            let answer = table("1767225600000000", text);
            let (now, zone) = clock(&answer).unwrap();
            assert_eq!(now, Scn::parse_rfc3339("2026-01-01T00:00:00Z").unwrap());
            let row = answer.first().unwrap();
            assert_eq!(zone.moment(row, "NOW_TEXT"), Ok(Some(now)), "{ahead}");
            assert_eq!(zone.text(now.plus_ns(1_999))[..19], text[..19]);
            assert!(zone.text(now.plus_ns(1_999)).ends_with(".000001"));
            assert_eq!(whole_us(now.plus_ns(1_999)), now.plus_ns(1_000));
        }
    }

    #[test]
    fn a_text_of_the_other_half_of_the_year_is_corrected() {
        let moment = Scn::parse_rfc3339("2026-07-01T10:00:00Z").unwrap();
        let winter = Zone {
            ahead_ns: 3_600_000_000_000,
        };
        // In summer the cluster is two hours ahead, and takes the text for an hour earlier.
        let taken = moment.minus_ns(3_600_000_000_000);
        let summer = winter.corrected(moment, taken);
        assert_eq!(winter.text(moment), "2026-07-01 11:00:00.000000");
        assert_eq!(summer.text(moment), "2026-07-01 12:00:00.000000");
    }

    #[test]
    fn what_is_no_moment_is_told() {
        let zone = Zone::default();
        for (text, wanted) in [("", Ok(None)), ("MAX", Ok(None))] {
            let answer = table("1", text);
            assert_eq!(
                zone.moment(answer.first().unwrap(), "NOW_TEXT"),
                wanted,
                "{text}"
            );
        }
        for text in ["soon", "2026-13-01 00:00:00", "20260101"] {
            let answer = table("1", text);
            let error = zone
                .moment(answer.first().unwrap(), "NOW_TEXT")
                .unwrap_err();
            assert_eq!(error.value, text);
        }
    }
}
