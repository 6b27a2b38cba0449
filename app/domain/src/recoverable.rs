//! Recoverable ranges: the moments to which a tenant can be recovered in fact.
//!
//! A moment `t` is recoverable when some usable backup set lies inside an unbroken span of log and
//! not after `t`, and the span reaches `t`. Sets of one span give one range from the earliest of
//! them to the span's end; the union over all spans and rounds is what the page shows. A set that
//! lies in no span gives a single instant.

use crate::{BackupSetId, Scn};
use serde::{Deserialize, Serialize};

/// A usable backup set: complete, and with every set it builds on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetPoint {
    /// Number of the set.
    pub id: BackupSetId,
    /// The log round it was taken in.
    pub round: i64,
    /// The earliest moment it can be recovered to.
    pub min_restore_scn: Scn,
}

/// Why a span of log does not continue what came before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GapCause {
    /// Log backup began here for the first time.
    FirstStart,
    /// A person stopped log backup and later started it again.
    StoppedByPerson,
    /// Others wrote while the engine was away, and the log of it is gone.
    LogLost,
    /// The data file was replaced by another one.
    FileReplaced,
    /// The log in front of the data file was damaged.
    LogDamaged,
    /// The destination stayed out of reach longer than the log could wait.
    DestinationLost,
    /// A log file is missing or damaged at the destination.
    LogMissing,
    /// Log is there, but no data backup lies in front of it.
    NoDataBackup,
    /// What was here had expired, and a cleanup removed it.
    Expired,
    /// Not known.
    Unknown,
}

impl GapCause {
    /// Every cause.
    pub const ALL: [GapCause; 10] = [
        GapCause::FirstStart,
        GapCause::StoppedByPerson,
        GapCause::LogLost,
        GapCause::FileReplaced,
        GapCause::LogDamaged,
        GapCause::DestinationLost,
        GapCause::LogMissing,
        GapCause::NoDataBackup,
        GapCause::Expired,
        GapCause::Unknown,
    ];

    /// The stored form.
    pub const fn code(self) -> &'static str {
        match self {
            GapCause::FirstStart => "first_start",
            GapCause::StoppedByPerson => "stopped_by_person",
            GapCause::LogLost => "log_lost",
            GapCause::FileReplaced => "file_replaced",
            GapCause::LogDamaged => "log_damaged",
            GapCause::DestinationLost => "destination_lost",
            GapCause::LogMissing => "log_missing",
            GapCause::NoDataBackup => "no_data_backup",
            GapCause::Expired => "expired",
            GapCause::Unknown => "unknown",
        }
    }

    /// Reads [`GapCause::code`]; what it does not know is `Unknown`.
    pub fn from_code(code: &str) -> Self {
        GapCause::ALL
            .into_iter()
            .find(|cause| cause.code() == code)
            .unwrap_or(GapCause::Unknown)
    }
}

/// A stretch of log with every commit of `[start, end]` on the destination and nothing missing inside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogSpan {
    /// The round it is part of.
    pub round: i64,
    /// First moment it covers.
    pub start: Scn,
    /// Last moment it covers: the checkpoint, or the last moment before something missing.
    pub end: Scn,
    /// Why it does not continue an earlier span.
    pub cause: GapCause,
    /// The cause in words for people; may be empty.
    pub note: String,
}

/// Moments `start..=end`, each of them recoverable. A single instant has `start == end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecoverableRange {
    /// First recoverable moment.
    pub start: Scn,
    /// Last recoverable moment.
    pub end: Scn,
}

/// Time between two recoverable ranges, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// The last recoverable moment before it.
    pub since: Scn,
    /// The first recoverable moment after it; absent while it lasts.
    pub until: Option<Scn>,
    /// Why.
    pub cause: GapCause,
    /// The cause in words for people; may be empty.
    pub note: String,
}

/// The answer for one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Recoverable, inside this range.
    Recoverable(RecoverableRange),
    /// Not recoverable; the nearest moments that are, on each side.
    Impossible {
        /// The last recoverable moment before.
        before: Option<Scn>,
        /// The first recoverable moment after.
        after: Option<Scn>,
    },
}

/// The recoverable ranges of one tenant, ascending, none touching another.
pub fn ranges(sets: &[SetPoint], spans: &[LogSpan]) -> Vec<RecoverableRange> {
    let mut parts: Vec<RecoverableRange> = Vec::with_capacity(sets.len());
    for set in sets {
        let start = set.min_restore_scn;
        let span = spans
            .iter()
            .filter(|span| span.round == set.round && span.start <= start && start <= span.end)
            .max_by_key(|span| span.end);
        parts.push(RecoverableRange {
            start,
            end: span.map_or(start, |span| span.end),
        });
    }
    union(parts)
}

/// The union of ranges, ascending; ranges that overlap or touch become one.
pub fn union(mut parts: Vec<RecoverableRange>) -> Vec<RecoverableRange> {
    parts.sort_unstable_by_key(|range| (range.start, range.end));
    let mut merged: Vec<RecoverableRange> = Vec::with_capacity(parts.len());
    for range in parts {
        match merged.last_mut() {
            Some(last) if range.start.0 <= last.end.0.saturating_add(1) => {
                last.end = last.end.max(range.end);
            }
            _ => merged.push(range),
        }
    }
    merged
}

/// Whether `moment` is recoverable, given ranges as [`ranges`] makes them.
pub fn verdict(ranges: &[RecoverableRange], moment: Scn) -> Verdict {
    let mut before = None;
    for range in ranges {
        if moment < range.start {
            return Verdict::Impossible {
                before,
                after: Some(range.start),
            };
        }
        if moment <= range.end {
            return Verdict::Recoverable(*range);
        }
        before = Some(range.end);
    }
    Verdict::Impossible {
        before,
        after: None,
    }
}

/// The nearest recoverable moments, as the end of a sentence about a moment that is not.
pub fn nearest(before: Option<Scn>, after: Option<Scn>) -> String {
    match (before, after) {
        (Some(before), Some(after)) => {
            format!("; the nearest moments that can are {before} before it and {after} after it")
        }
        (Some(before), None) => format!("; the nearest moment that can is {before} before it"),
        (None, Some(after)) => format!("; the nearest moment that can is {after} after it"),
        (None, None) => "; this tenant has no recoverable moment yet".to_owned(),
    }
}

/// The gaps between (and, while the newest log has no data backup, after) recoverable ranges.
pub fn gaps(ranges: &[RecoverableRange], spans: &[LogSpan]) -> Vec<Gap> {
    let mut gaps: Vec<Gap> = ranges
        .windows(2)
        .map(|pair| {
            let (since, until) = (pair[0].end, pair[1].start);
            let (cause, note) = cause_between(spans, since, until);
            Gap {
                since,
                until: Some(until),
                cause,
                note,
            }
        })
        .collect();
    if let (Some(last), Some(newest)) = (ranges.last(), spans.iter().max_by_key(|span| span.end))
        && newest.end > last.end
    {
        let (cause, note) = cause_between(spans, last.end, newest.end);
        gaps.push(Gap {
            since: last.end,
            until: None,
            cause,
            note,
        });
    }
    gaps
}

/// The first span that begins inside `(since, until]` says why log is not continuous there.
fn cause_between(spans: &[LogSpan], since: Scn, until: Scn) -> (GapCause, String) {
    spans
        .iter()
        .filter(|span| since < span.start && span.start <= until)
        .min_by_key(|span| span.start)
        .map_or((GapCause::NoDataBackup, String::new()), |span| {
            (span.cause, span.note.clone())
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn set(round: i64, scn: u64) -> SetPoint {
        SetPoint {
            id: BackupSetId(1),
            round,
            min_restore_scn: Scn(scn),
        }
    }

    fn span(round: i64, start: u64, end: u64) -> LogSpan {
        LogSpan {
            round,
            start: Scn(start),
            end: Scn(end),
            cause: GapCause::LogLost,
            note: String::new(),
        }
    }

    fn range(start: u64, end: u64) -> RecoverableRange {
        RecoverableRange {
            start: Scn(start),
            end: Scn(end),
        }
    }

    #[test]
    fn rounds_stay_apart_until_a_set_lies_in_the_new_one() {
        // The kernel documentation's own example.
        let sets = [set(1, 300), set(2, 900)];
        let spans = [span(1, 100, 500), span(2, 600, 1500)];
        assert_eq!(ranges(&sets, &spans), [range(300, 500), range(900, 1500)]);
        let gap = &gaps(&ranges(&sets, &spans), &spans)[0];
        assert_eq!(
            (gap.since, gap.until, gap.cause),
            (Scn(500), Some(Scn(900)), GapCause::LogLost)
        );
    }

    #[test]
    fn an_open_gap_is_told_while_new_log_has_no_set() {
        let sets = [set(1, 300)];
        let spans = [span(1, 100, 500), span(2, 600, 1500)];
        let gaps = gaps(&ranges(&sets, &spans), &spans);
        assert_eq!(gaps.len(), 1);
        assert_eq!((gaps[0].since, gaps[0].until), (Scn(500), None));
    }

    #[test]
    fn a_set_outside_all_log_is_a_single_instant() {
        assert_eq!(ranges(&[set(1, 42)], &[]), [range(42, 42)]);
        assert_eq!(ranges(&[set(1, 42)], &[span(2, 0, 100)]), [range(42, 42)]);
    }

    #[test]
    fn the_nearest_moments_are_named_on_both_sides() {
        let ranges = [range(300, 500), range(900, 1500)];
        assert_eq!(
            verdict(&ranges, Scn(500)),
            Verdict::Recoverable(range(300, 500))
        );
        let impossible = |before, after| Verdict::Impossible { before, after };
        assert_eq!(verdict(&ranges, Scn(299)), impossible(None, Some(Scn(300))));
        assert_eq!(
            verdict(&ranges, Scn(501)),
            impossible(Some(Scn(500)), Some(Scn(900)))
        );
        assert_eq!(
            verdict(&ranges, Scn(1501)),
            impossible(Some(Scn(1500)), None)
        );
        assert_eq!(verdict(&[], Scn(1)), impossible(None, None));
    }

    /// The definition, moment by moment, without any cleverness.
    fn oracle(sets: &[SetPoint], spans: &[LogSpan], moment: u64) -> bool {
        let t = Scn(moment);
        sets.iter().any(|s| {
            s.min_restore_scn == t
                || spans.iter().any(|r| {
                    r.round == s.round
                        && r.start <= s.min_restore_scn
                        && s.min_restore_scn <= t
                        && t <= r.end
                })
        })
    }

    proptest! {
        #[test]
        fn ranges_equal_the_definition_at_every_moment(
            sets in proptest::collection::vec((0i64..4, 0u64..60), 0..8),
            spans in proptest::collection::vec((0i64..4, 0u64..60, 0u64..20), 0..8),
        ) {
            let sets: Vec<_> = sets.into_iter().map(|(r, s)| set(r, s)).collect();
            let spans: Vec<_> = spans.into_iter().map(|(r, s, l)| span(r, s, s + l)).collect();
            let found = ranges(&sets, &spans);
            for pair in found.windows(2) {
                prop_assert!(pair[0].end.0 + 1 < pair[1].start.0, "not merged: {pair:?}");
            }
            for moment in 0..90 {
                let recoverable = matches!(verdict(&found, Scn(moment)), Verdict::Recoverable(_));
                prop_assert_eq!(recoverable, oracle(&sets, &spans, moment), "moment {}", moment);
            }
        }

        #[test]
        fn the_named_neighbours_are_recoverable_and_nearest(
            parts in proptest::collection::vec((0u64..60, 0u64..8), 0..6), moment in 0u64..80,
        ) {
            let parts = parts.into_iter().map(|(s, l)| range(s, s + l)).collect();
            let found = union(parts);
            if let Verdict::Impossible { before, after } = verdict(&found, Scn(moment)) {
                let lower = before.map_or(0, |scn| scn.0 + 1);
                let upper = after.map_or(80, |scn| scn.0);
                for between in lower..upper {
                    let verdict = verdict(&found, Scn(between));
                    let impossible = matches!(verdict, Verdict::Impossible { .. });
                    prop_assert!(impossible, "{} is nearer to {}", between, moment);
                }
                for end in [before, after].into_iter().flatten() {
                    let recoverable = matches!(verdict(&found, end), Verdict::Recoverable(_));
                    prop_assert!(recoverable);
                }
            }
        }
    }
}
