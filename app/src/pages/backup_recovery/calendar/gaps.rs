//! Gaps: which of several tenants' gaps are one story, where they are hatched, and what is said of them.

use super::time::Zone;
use super::{geometry, ordered};
use crate::language::{t, tf};
use domain::Scn;
use domain::calendar::Lane;
use domain::page::TenantPeriod;
use domain::recoverable::GapCause;
use domain::size;

/// One tenant's part of a [`GapStory`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GapPart {
    /// The tenant's name.
    pub tenant: String,
    /// Its last recoverable moment before.
    pub since: Scn,
    /// Its first recoverable moment after; absent while the gap lasts.
    pub until: Option<Scn>,
}

/// Gaps of one cause that overlap in time, told as one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GapStory {
    /// Why.
    pub cause: GapCause,
    /// What the engine adds in words; may be empty.
    pub note: String,
    /// Whom it concerns, by name.
    pub parts: Vec<GapPart>,
}

impl GapStory {
    /// The earliest last moment before it.
    pub fn since(&self) -> Scn {
        self.parts
            .iter()
            .map(|part| part.since)
            .min()
            .unwrap_or_default()
    }

    /// The latest first moment after it; absent while it lasts for somebody.
    pub fn until(&self) -> Option<Scn> {
        self.parts
            .iter()
            .map(|part| part.until)
            .collect::<Option<Vec<_>>>()
            .and_then(|ends| ends.into_iter().max())
    }

    /// Whether it lasts.
    pub fn is_open(&self) -> bool {
        self.until().is_none()
    }

    /// What it is known by while the page lives: its beginning and its cause.
    pub fn key(&self) -> String {
        format!("{}-{}", self.since().0, self.cause.code())
    }

    /// `All tenants`, `billing`, `billing and ledger`, `3 of 5 tenants`.
    pub fn whom(&self, shown: usize) -> String {
        match self.parts.as_slice() {
            parts if parts.len() == shown && shown > 1 => t("All tenants").to_owned(),
            [only] => only.tenant.clone(),
            [first, second] => tf(
                "{tenant} and {tenant_2}",
                &[("tenant", &first.tenant), ("tenant_2", &second.tenant)],
            ),
            parts => tf(
                "{len} of {shown} tenants",
                &[("len", &parts.len()), ("shown", &shown)],
            ),
        }
    }

    /// `3 h 24 m, closed`.
    pub fn length(&self, now: Scn) -> String {
        let end = self.until().unwrap_or(now);
        let length = size::duration_ms(end.since_ns(self.since()) / 1_000_000);
        let state = if self.is_open() { "open" } else { "closed" };
        format!("{length}, {state}")
    }

    /// `Tue 10 Nov 09:41:22 – 13:05:10`, with the second day where it is another.
    pub fn span(&self, zone: Zone) -> String {
        let since = self.since();
        match self.until() {
            None => tf("{since} until now", &[("since", &zone.named(since))]),
            Some(until) if zone.day(until) == zone.day(since) => {
                format!("{} – {}", zone.named(since), zone.time(until))
            }
            Some(until) => format!("{} – {}", zone.named(since), zone.named(until)),
        }
    }

    /// What to do about it, for the tenants it concerns.
    pub fn what_to_do(&self, shown: usize) -> String {
        if self.is_open() {
            while_open(self.cause, &self.whom(shown))
        } else {
            tf(
                "Nothing, it is closed. {cause}",
                &[("cause", &once_closed(self.cause))],
            )
        }
    }
}

/// Why there is a gap, as a sentence.
pub fn why(cause: GapCause) -> &'static str {
    match cause {
        GapCause::FirstStart => t("Log backup began here for the first time."),
        GapCause::StoppedByPerson => t("Log backup was stopped by a person."),
        GapCause::LogLost => t("Programs wrote while log backup was away, and that log is gone."),
        GapCause::FileReplaced => t("The data file was replaced by another one."),
        GapCause::LogDamaged => t("The log in front of the data file was damaged."),
        GapCause::DestinationLost => {
            t("The backup destination was out of reach longer than the log could wait.")
        }
        GapCause::LogMissing => t("A log file is missing or damaged at the destination."),
        GapCause::NoDataBackup => t("Log is there, but no data backup lies in front of it."),
        GapCause::Expired => t("What was here had expired, and a cleanup removed it."),
        GapCause::Unknown => t("The cause is not known."),
    }
}

fn while_open(cause: GapCause, whom: &str) -> String {
    match cause {
        GapCause::StoppedByPerson => tf("Start log backup of {whom} again. The period goes on with the first data backup after it.", &[("whom", &whom)]),
        GapCause::DestinationLost => {
            t("Bring the destination back, then press Back up Now. The period goes on once that set is complete.")
                .to_owned()
        }
        GapCause::LogMissing => {
            t("Put the file back if a copy exists. Otherwise press Back up Now: the period goes on with the new set.")
                .to_owned()
        }
        _ => t("Press Back up Now. The period goes on once that set is complete.").to_owned(),
    }
}

fn once_closed(cause: GapCause) -> &'static str {
    match cause {
        GapCause::StoppedByPerson => {
            t("Moments while log backup is stopped can never be recovered.")
        }
        GapCause::LogLost => {
            t("To avoid the next one, keep Tidemark running while programs write to the tenant.")
        }
        GapCause::FileReplaced => {
            t("To avoid the next one, change data through SQL instead of exchanging the file.")
        }
        GapCause::DestinationLost => {
            t("To avoid the next one, watch Log Delay: it grows while the destination is away.")
        }
        GapCause::LogMissing | GapCause::LogDamaged => {
            t("Find out who changed the file: nothing but Tidemark should write there.")
        }
        GapCause::Expired => t("To keep more, raise the days of retention."),
        GapCause::FirstStart | GapCause::NoDataBackup | GapCause::Unknown => {
            t("To close the next one sooner, press Back up Now as soon as log backup runs again.")
        }
    }
}

/// The gaps of the tenants shown, newest first. Gaps of one cause that overlap are one story.
pub fn stories(tenants: &[&TenantPeriod]) -> Vec<GapStory> {
    let parts: Vec<(GapCause, &str, GapPart)> = tenants
        .iter()
        .flat_map(|tenant| {
            tenant.gaps.iter().map(|gap| {
                let part = GapPart {
                    tenant: tenant.name.clone(),
                    since: gap.since,
                    until: gap.until,
                };
                (gap.cause, gap.note.as_str(), part)
            })
        })
        .collect();
    let parts = ordered(parts, |a, b| {
        (a.2.since, &a.2.tenant) < (b.2.since, &b.2.tenant)
    });
    let mut stories: Vec<GapStory> = Vec::new();
    for (cause, note, part) in parts {
        let same = stories.iter_mut().find(|story| {
            story.cause == cause
                && story.until().is_none_or(|until| part.since < until)
                && story.parts.iter().all(|other| other.tenant != part.tenant)
        });
        match same {
            Some(story) => {
                if story.note.is_empty() {
                    note.clone_into(&mut story.note);
                }
                story.parts.push(part);
            }
            None => stories.push(GapStory {
                cause,
                note: note.to_owned(),
                parts: vec![part],
            }),
        }
    }
    for story in &mut stories {
        story.parts = ordered(std::mem::take(&mut story.parts), |a, b| a.tenant < b.tenant);
    }
    ordered(stories, |a, b| a.since() > b.since())
}

/// A hatched rectangle on a lane.
#[derive(Debug, Clone, PartialEq)]
pub struct Hatch {
    /// The story it belongs to, as an index.
    pub story: usize,
    /// Left edge as a share of the lane.
    pub left: f64,
    /// Width as a share of the lane.
    pub width: f64,
    /// Upper edge as a share of the water's height, from the top.
    pub top: f64,
    /// Height as a share of the water's height.
    pub height: f64,
}

/// The hatching of a lane: above the water, as high as the share of tenants that are in a gap.
/// An open gap reaches to `now`.
pub fn hatches(lane: &Lane, stories: &[GapStory], tenants: u32, now: Scn) -> Vec<Hatch> {
    let mut edges: Vec<Scn> = lane.levels.iter().map(|level| level.from).collect();
    edges.push(lane.end);
    for part in stories.iter().flat_map(|story| &story.parts) {
        edges.extend([part.since, part.until.unwrap_or(now)]);
    }
    edges.retain(|edge| lane.start <= *edge && *edge <= lane.end);
    let mut edges = ordered(edges, |a, b| a < b);
    edges.dedup();
    let unit = 1.0 / f64::from(tenants.max(1));
    let mut found: Vec<Hatch> = Vec::new();
    for pair in edges.windows(2) {
        let (from, to) = (pair[0], pair[1]);
        let wet = lane
            .levels
            .iter()
            .find(|level| level.from <= from && from < level.to)
            .map_or(0, |level| level.tenants);
        let mut base = 1.0 - f64::from(wet) * unit;
        for (story, told) in stories.iter().enumerate() {
            let inside = |part: &&GapPart| part.since <= from && to <= part.until.unwrap_or(now);
            let height = told.parts.iter().filter(inside).count() as f64 * unit;
            let height = height.min(base);
            if height <= 0.0 {
                continue;
            }
            let (left, right) = (
                geometry::share(lane.start, lane.end, from),
                geometry::share(lane.start, lane.end, to),
            );
            push(
                &mut found,
                Hatch {
                    story,
                    left,
                    width: right - left,
                    top: base - height,
                    height,
                },
            );
            base -= height;
        }
    }
    found
}

fn push(found: &mut Vec<Hatch>, next: Hatch) {
    let near = |a: f64, b: f64| (a - b).abs() < 1e-9;
    let same = found.iter_mut().rev().find(|last| {
        last.story == next.story
            && near(last.left + last.width, next.left)
            && near(last.top, next.top)
            && near(last.height, next.height)
    });
    match same {
        Some(last) => last.width += next.width,
        None => found.push(next),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::TenantId;
    use domain::calendar::Level;
    use domain::recoverable::Gap;
    use domain::tenant::TenantState;

    fn tenant(name: &str, gaps: &[(u64, Option<u64>, GapCause)]) -> TenantPeriod {
        TenantPeriod {
            tenant: TenantId(1),
            name: name.to_owned(),
            state: TenantState::Online,
            ranges: Vec::new(),
            gaps: gaps
                .iter()
                .map(|&(since, until, cause)| Gap {
                    since: Scn(since),
                    until: until.map(Scn),
                    cause,
                    note: String::new(),
                })
                .collect(),
            checkpoint: None,
        }
    }

    #[test]
    fn one_outage_of_three_tenants_is_one_story() {
        let lost = GapCause::DestinationLost;
        let a = tenant("a", &[(100, Some(200), lost)]);
        let b = tenant("b", &[(101, Some(230), lost)]);
        let c = tenant(
            "c",
            &[
                (150, Some(160), GapCause::StoppedByPerson),
                (500, None, lost),
            ],
        );
        let told = stories(&[&a, &b, &c]);
        let summary: Vec<_> = told
            .iter()
            .map(|s| (s.since().0, s.until().map(|u| u.0), s.whom(3)))
            .collect();
        assert_eq!(
            summary,
            [
                (500, None, "c".to_owned()),
                (150, Some(160), "c".to_owned()),
                (100, Some(230), "a and b".to_owned()),
            ]
        );
        assert!(told[0].what_to_do(3).contains("Back up Now"));
        assert!(told[2].what_to_do(3).starts_with("Nothing, it is closed."));
    }

    #[test]
    fn two_gaps_of_one_tenant_stay_two_even_when_another_tenants_gap_spans_both() {
        let cause = GapCause::LogLost;
        let a = tenant("a", &[(10, Some(90), cause)]);
        let b = tenant("b", &[(20, Some(30), cause), (40, Some(50), cause)]);
        let told = stories(&[&a, &b]);
        assert_eq!(told.len(), 2);
        assert!(
            told.iter()
                .all(|s| s.parts.iter().filter(|p| p.tenant == "b").count() == 1)
        );
    }

    #[test]
    fn hatching_stands_on_the_water_and_is_as_high_as_the_share_in_the_gap() {
        let lane = Lane {
            start: Scn(0),
            end: Scn(100),
            levels: vec![
                Level {
                    from: Scn(0),
                    to: Scn(40),
                    tenants: 2,
                },
                Level {
                    from: Scn(40),
                    to: Scn(60),
                    tenants: 0,
                },
                Level {
                    from: Scn(60),
                    to: Scn(70),
                    tenants: 1,
                },
                Level {
                    from: Scn(70),
                    to: Scn(80),
                    tenants: 2,
                },
                Level {
                    from: Scn(80),
                    to: Scn(100),
                    tenants: 0,
                },
            ],
        };
        let cause = GapCause::LogLost;
        let a = tenant("a", &[(40, Some(60), cause)]);
        let b = tenant("b", &[(40, Some(70), cause)]);
        let told = stories(&[&a, &b]);
        let hatch = |left, width, top, height| Hatch {
            story: 0,
            left,
            width,
            top,
            height,
        };
        let found = hatches(&lane, &told, 2, Scn(80));
        assert_eq!(found.len(), 2, "{found:?}");
        assert_eq!(found[0], hatch(0.4, found[0].width, 0.0, 1.0));
        assert!((found[0].width - 0.2).abs() < 1e-9);
        assert_eq!(found[1], hatch(0.6, found[1].width, 0.0, 0.5));
    }

    #[test]
    fn dry_time_that_is_no_gap_is_not_hatched_and_an_open_gap_ends_now() {
        let lane = Lane {
            start: Scn(0),
            end: Scn(100),
            levels: vec![
                Level {
                    from: Scn(0),
                    to: Scn(10),
                    tenants: 0,
                },
                Level {
                    from: Scn(10),
                    to: Scn(50),
                    tenants: 1,
                },
                Level {
                    from: Scn(50),
                    to: Scn(100),
                    tenants: 0,
                },
            ],
        };
        let a = tenant("a", &[(50, None, GapCause::StoppedByPerson)]);
        let told = stories(&[&a]);
        let found = hatches(&lane, &told, 1, Scn(60));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!((found[0].left - 0.5).abs() < 1e-9 && (found[0].width - 0.1).abs() < 1e-9);
        assert!(hatches(&lane, &[], 1, Scn(60)).is_empty());
    }

    #[test]
    fn spans_name_the_second_day_only_when_it_is_another() {
        let at = |text| Scn::parse_rfc3339(text).unwrap();
        let mut told = stories(&[&tenant("a", &[(0, None, GapCause::LogLost)])]);
        told[0].parts[0].since = at("2026-11-10T09:41:22.118Z");
        assert_eq!(told[0].span(Zone::UTC), "Tue 10 Nov 09:41:22 until now");
        told[0].parts[0].until = Some(at("2026-11-10T13:05:10Z"));
        assert_eq!(told[0].span(Zone::UTC), "Tue 10 Nov 09:41:22 – 13:05:10");
        told[0].parts[0].until = Some(at("2026-11-11T02:44:05Z"));
        assert_eq!(
            told[0].span(Zone::UTC),
            "Tue 10 Nov 09:41:22 – Wed 11 Nov 02:44:05"
        );
        assert_eq!(
            told[0].length(Scn(0)).replace('\u{a0}', " "),
            "17 h 2 m, closed"
        );
    }
}
