//! Data backups on a lane: which stand together as one marker, and what is said of them.

use super::time::Zone;
use super::{geometry, ordered};
use crate::language::{t, tf};
use domain::page::{Marker, MarkerKind};
use domain::{BackupSetId, Scn};

/// Markers nearer than this share of a lane become one: 14 px of a lane 760 px wide.
const NEAR: f64 = 14.0 / 760.0;
/// How far a marker steps aside for one of another sort, in pixels.
const STEP_ASIDE: u32 = 22;
/// Most lines of hover text; the rest is counted.
const LINES_MAX: usize = 6;

/// One drawn marker: one data backup, or several near each other.
#[derive(Debug, Clone, PartialEq)]
pub struct Mark {
    /// How it is drawn: a full set wins over incremental ones.
    pub kind: MarkerKind,
    /// The moment of the data backup that gives it its place.
    pub at: Scn,
    /// Where, as a share of the lane.
    pub x: f64,
    /// Pixels it steps aside, so that a failure next to a set is seen.
    pub aside: u32,
    /// How many it stands for.
    pub count: usize,
    /// Hover text, one line for each data backup.
    pub lines: Vec<String>,
}

impl Mark {
    /// The value of `data-kind`.
    pub const fn code(&self) -> &'static str {
        match self.kind {
            MarkerKind::Full => "full",
            MarkerKind::Incremental => "inc",
            MarkerKind::Failed => "failed",
            MarkerKind::Running => "running",
        }
    }
}

/// Failures and running tasks never disappear in a marker of sets.
const fn sort(kind: MarkerKind) -> u8 {
    match kind {
        MarkerKind::Full | MarkerKind::Incremental => 0,
        MarkerKind::Failed => 1,
        MarkerKind::Running => 2,
    }
}

/// The markers of a lane. `markers` are ascending and those of the tenants shown; the tenant's name
/// is told when `several` are shown.
pub fn marks(start: Scn, end: Scn, markers: &[&Marker], several: bool, zone: Zone) -> Vec<Mark> {
    let mut found: Vec<(u8, f64, Vec<&Marker>)> = Vec::new();
    let inside = markers.iter().filter(|m| start <= m.at && m.at < end);
    for marker in inside {
        let x = geometry::share(start, end, marker.at);
        let near = found
            .iter_mut()
            .find(|(of, last, _)| *of == sort(marker.kind) && x - *last < NEAR);
        match near {
            Some((_, last, members)) => {
                *last = x;
                members.push(marker);
            }
            None => found.push((sort(marker.kind), x, vec![marker])),
        }
    }
    let marks: Vec<Mark> = found
        .into_iter()
        .map(|(_, _, members)| mark(start, end, &members, several, zone))
        .collect();
    let mut marks = ordered(marks, |a, b| a.x < b.x);
    for index in 1..marks.len() {
        let (before, rest) = marks.split_at_mut(index);
        let (last, this) = (&before[index - 1], &mut rest[0]);
        if this.x - last.x < NEAR {
            this.aside = last.aside + STEP_ASIDE;
        }
    }
    marks
}

fn mark(start: Scn, end: Scn, members: &[&Marker], several: bool, zone: Zone) -> Mark {
    let kind = members
        .iter()
        .map(|marker| marker.kind)
        .find(|kind| *kind == MarkerKind::Full)
        .unwrap_or(members[0].kind);
    let lead = members
        .iter()
        .find(|marker| marker.kind == kind)
        .unwrap_or(&members[0]);
    let mut lines: Vec<String> = members
        .iter()
        .take(LINES_MAX)
        .map(|marker| line(marker, several, zone))
        .collect();
    if members.len() > LINES_MAX {
        lines.push(tf(
            "and {more} more",
            &[("more", &(members.len() - LINES_MAX))],
        ));
    }
    Mark {
        kind,
        at: lead.at,
        x: geometry::share(start, end, lead.at),
        aside: 0,
        count: members.len(),
        lines,
    }
}

/// `orders: Incremental, set 45, of full set 40, 02:38:41.118204`.
fn line(marker: &Marker, several: bool, zone: Zone) -> String {
    let whose = if several {
        format!("{}: ", marker.tenant_name)
    } else {
        String::new()
    };
    let time = format!(
        "{}{}",
        zone.time(marker.at),
        super::time::fraction(marker.at)
    );
    let set =
        |id: Option<BackupSetId>, word| id.map_or(String::new(), |id| format!(", {word} {id}"));
    match marker.kind {
        MarkerKind::Full => tf(
            "{whose}Full{set}, {time}",
            &[
                ("whose", &whose),
                ("set", &set(marker.set, "set")),
                ("time", &time),
            ],
        ),
        MarkerKind::Incremental => tf(
            "{whose}Incremental{set}{set_2}, {time}",
            &[
                ("whose", &whose),
                ("set", &set(marker.set, "set")),
                ("set_2", &set(marker.full_set, t("of full set"))),
                ("time", &time),
            ],
        ),
        MarkerKind::Failed => tf(
            "{whose}Data backup failed, {time}",
            &[("whose", &whose), ("time", &time)],
        ),
        MarkerKind::Running => tf(
            "{whose}Data backup running since {time}",
            &[("whose", &whose), ("time", &time)],
        ),
    }
}

/// `2 full data backups at 06:00, 1 failed at 07:12.` for a lane; empty without any.
pub fn sentence(start: Scn, end: Scn, markers: &[&Marker], zone: Zone) -> String {
    let inside: Vec<_> = markers
        .iter()
        .filter(|m| start <= m.at && m.at < end)
        .collect();
    let words = [
        (MarkerKind::Full, t("full data backup")),
        (MarkerKind::Incremental, t("incremental data backup")),
        (MarkerKind::Failed, t("failed data backup")),
        (MarkerKind::Running, t("running data backup")),
    ];
    let parts: Vec<String> = words
        .into_iter()
        .filter_map(|(kind, word)| {
            let mut of_kind = inside.iter().filter(|m| m.kind == kind);
            let first = of_kind.next()?;
            let count = 1 + of_kind.count();
            let plural = if count == 1 { "" } else { "s" };
            let from = if count == 1 { "at" } else { "from" };
            Some(format!(
                "{count} {word}{plural} {from} {}",
                zone.hour_minute(first.at)
            ))
        })
        .collect();
    if parts.is_empty() {
        String::new()
    } else {
        format!("{}.", parts.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::TenantId;

    const MINUTE: u64 = 60_000_000_000;
    const DAY: Scn = Scn(1440 * MINUTE);

    fn marker(minute: u64, kind: MarkerKind, tenant: &str, set: i64) -> Marker {
        Marker {
            tenant: TenantId(1),
            tenant_name: tenant.to_owned(),
            kind,
            at: Scn(minute * MINUTE),
            set: Some(BackupSetId(set)),
            full_set: Some(BackupSetId(40)),
        }
    }

    fn draw(markers: &[Marker]) -> Vec<Mark> {
        marks(
            Scn(0),
            DAY,
            &markers.iter().collect::<Vec<_>>(),
            true,
            Zone::UTC,
        )
    }

    #[test]
    fn one_run_over_several_tenants_is_one_marker_with_a_count() {
        let run = ["a", "b", "c"].map(|name| marker(120, MarkerKind::Incremental, name, 45));
        let marks = draw(&run);
        assert_eq!(marks.len(), 1);
        assert_eq!((marks[0].count, marks[0].code()), (3, "inc"));
        assert_eq!(
            marks[0].lines[1],
            "b: Incremental, set 45, of full set 40, 02:00:00.000000"
        );
    }

    #[test]
    fn a_full_set_gives_the_marker_its_shape_and_place() {
        let marks = draw(&[
            marker(100, MarkerKind::Incremental, "a", 1),
            marker(110, MarkerKind::Full, "a", 2),
        ]);
        assert_eq!(marks.len(), 1);
        assert_eq!(marks[0].kind, MarkerKind::Full);
        assert!((marks[0].x - 110.0 / 1440.0).abs() < 1e-9);
        assert_eq!(marks[0].lines[1], "a: Full, set 2, 01:50:00.000000");
    }

    #[test]
    fn a_failure_beside_a_set_stays_visible() {
        let marks = draw(&[
            marker(100, MarkerKind::Full, "a", 1),
            marker(101, MarkerKind::Failed, "b", 2),
            marker(300, MarkerKind::Running, "b", 3),
        ]);
        let drawn: Vec<_> = marks.iter().map(|m| (m.code(), m.aside)).collect();
        assert_eq!(drawn, [("full", 0), ("failed", STEP_ASIDE), ("running", 0)]);
    }

    #[test]
    fn nothing_outside_the_lane_is_drawn_and_many_lines_are_counted() {
        let outside = [marker(1440, MarkerKind::Full, "a", 1)];
        assert!(draw(&outside).is_empty());
        let many: Vec<_> = (0..9)
            .map(|set| marker(5, MarkerKind::Full, "a", set))
            .collect();
        assert_eq!(
            draw(&many)[0].lines.last().map(String::as_str),
            Some("and 3 more")
        );
    }

    #[test]
    fn the_sentence_counts_by_kind() {
        let day = [
            marker(120, MarkerKind::Full, "a", 1),
            marker(121, MarkerKind::Full, "b", 1),
            marker(432, MarkerKind::Failed, "b", 2),
        ];
        let all: Vec<_> = day.iter().collect();
        assert_eq!(
            sentence(Scn(0), DAY, &all, Zone::UTC),
            "2 full data backups from 02:00, 1 failed data backup at 07:12."
        );
        assert_eq!(sentence(Scn(0), DAY, &[], Zone::UTC), "");
    }
}
