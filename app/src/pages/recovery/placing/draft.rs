//! What is typed of a placement, and the placement it means: plain functions.

use crate::language::{t, told};
use domain::placement::{
    PlacedZone, Placement, ReplicaType, Resources, UnitChoice, UnitSize, cores, gib,
};
use domain::validate::{Violation, sentence};

const GIB: u64 = 1 << 30;

/// What is typed of a unit specification to make.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NewUnit {
    /// Its name.
    pub name: String,
    /// Cores.
    pub cpu: String,
    /// GiB.
    pub memory: String,
    /// GiB; empty leaves it to the cluster.
    pub log_disk: String,
}

/// One zone of the cluster, chosen or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZoneDraft {
    /// Its name.
    pub zone: String,
    /// Whether the tenant gets replicas there.
    pub chosen: bool,
    /// Their type.
    pub replica: ReplicaType,
    /// The unit specification; `None` makes a new one.
    pub unit: Option<String>,
    /// The new one.
    pub new: NewUnit,
    /// Its place in the order of zones that lead, from 1; 0 is none.
    pub rank: usize,
}

/// What is typed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Draft {
    /// All zones of the cluster.
    pub zones: Vec<ZoneDraft>,
    /// Units in each zone.
    pub count: String,
}

impl Draft {
    /// Like the source tenant; where that is gone, all zones that are in service.
    pub fn like(resources: &Resources) -> Draft {
        let like = resources.suggested.as_ref();
        let first = resources.units.first().map(|unit| unit.name.clone());
        let zones = resources.zones.iter().map(|zone| {
            let row = like.and_then(|like| like.zones.iter().find(|row| row.zone == zone.name));
            let unit = row.map(|row| row.unit.name().to_owned());
            ZoneDraft {
                zone: zone.name.clone(),
                chosen: like.map_or(zone.active, |_| row.is_some()),
                replica: row.map_or(ReplicaType::Full, |row| row.replica),
                unit: unit.or_else(|| first.clone()),
                new: NewUnit::default(),
                rank: like.and_then(|like| like.rank(&zone.name)).unwrap_or(0),
            }
        });
        Draft {
            zones: zones.collect(),
            count: like.map_or(1, |like| like.unit_count).to_string(),
        }
    }

    /// What it means. A number that cannot be read is one that no cluster takes.
    pub fn placement(&self) -> Placement {
        let chosen = || self.zones.iter().filter(|zone| zone.chosen);
        let last = chosen().map(|zone| zone.rank).max().unwrap_or(0);
        let at = |rank: usize| {
            let zones = chosen().filter(|zone| zone.rank == rank);
            zones.map(|zone| zone.zone.clone()).collect()
        };
        let groups = (1..=last).map(at);
        Placement {
            zones: chosen().map(ZoneDraft::placed).collect(),
            unit_count: self.count.trim().parse().unwrap_or(0),
            priority: groups
                .filter(|group: &Vec<String>| !group.is_empty())
                .collect(),
        }
    }

    /// The new specification that a zone begins with: what another zone has typed, else one named after the tenant.
    pub fn new_unit(&self, tenant: &str) -> NewUnit {
        let typed = self
            .zones
            .iter()
            .find(|zone| zone.chosen && zone.unit.is_none() && !zone.new.name.is_empty());
        typed.map_or_else(
            || NewUnit {
                name: format!("unit_{tenant}").chars().take(64).collect(),
                cpu: "1".to_owned(),
                memory: "4".to_owned(),
                log_disk: String::new(),
            },
            |zone| zone.new.clone(),
        )
    }
}

impl ZoneDraft {
    fn placed(&self) -> PlacedZone {
        let unit = match &self.unit {
            Some(name) => UnitChoice::Existing(name.clone()),
            None => UnitChoice::New {
                name: self.new.name.trim().to_owned(),
                size: UnitSize {
                    cpu_hundredths: hundredths(&self.new.cpu).unwrap_or(0),
                    memory_bytes: bytes(&self.new.memory).unwrap_or(0),
                    log_disk_bytes: match self.new.log_disk.trim() {
                        "" => 0,
                        // Less than any cluster takes, so that it is told as wrong.
                        text => bytes(text).unwrap_or(1).max(1),
                    },
                },
            },
        };
        PlacedZone {
            zone: self.zone.clone(),
            replica: self.replica,
            unit,
        }
    }
}

/// A number with at most two digits behind the point, in hundredths.
pub fn hundredths(text: &str) -> Option<u64> {
    let (whole, rest) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    let is_plain = |text: &str| text.bytes().all(|it| it.is_ascii_digit());
    if whole.is_empty() || rest.len() > 2 || !is_plain(whole) || !is_plain(rest) {
        return None;
    }
    let rest: u64 = match rest.len() {
        0 => 0,
        1 => rest.parse::<u64>().ok()? * 10,
        _ => rest.parse().ok()?,
    };
    whole
        .parse::<u64>()
        .ok()?
        .checked_mul(100)?
        .checked_add(rest)
}

/// GiB in bytes.
fn bytes(text: &str) -> Option<u64> {
    let bytes = u128::from(hundredths(text)?) * u128::from(GIB) / 100;
    u64::try_from(bytes).ok()
}

/// `small (2 CPU, 8 GiB, 24 GiB)`, as an option.
pub fn size_text(size: UnitSize) -> String {
    format!(
        "{} CPU, {}, {}",
        cores(size.cpu_hundredths),
        gib(size.memory_bytes),
        gib(size.log_disk_bytes)
    )
}

/// What is wrong with one field.
pub fn problem(found: &[Violation], field: &str) -> Option<String> {
    let of_field = found.iter().filter(|it| it.field == field);
    let texts: Vec<String> = of_field.map(|it| told(&sentence(&it.allowed))).collect();
    (!texts.is_empty()).then(|| texts.join(" "))
}

/// The order of zones that lead, as the cluster writes it.
pub fn order_text(draft: &Draft) -> String {
    let text = draft.placement().priority_text();
    text.unwrap_or_else(|| t("left to the cluster").to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::placement::{ServerRoom, UnitSpec, ZoneRoom, violations};

    fn resources() -> Resources {
        let size = UnitSize {
            cpu_hundredths: 200,
            memory_bytes: 8 * GIB,
            log_disk_bytes: 24 * GIB,
        };
        let zone = |name: &str| ZoneRoom {
            name: name.to_owned(),
            region: "here".to_owned(),
            active: name != "zone3",
            servers: vec![ServerRoom {
                total: size,
                free: size,
            }],
        };
        Resources {
            zones: ["zone1", "zone2", "zone3"].map(zone).to_vec(),
            units: vec![UnitSpec {
                name: "small".to_owned(),
                size,
            }],
            least: UnitSize::LEAST,
            replicas: vec![ReplicaType::Full],
            suggested: None,
        }
    }

    #[test]
    fn it_begins_like_the_source_and_means_the_same() {
        let mut resources = resources();
        let all = Draft::like(&resources).placement();
        let zones: Vec<&str> = all.zones.iter().map(|row| row.zone.as_str()).collect();
        assert_eq!(zones, ["zone1", "zone2"], "zones in service");
        assert_eq!(violations(&all, &resources), []);
        let like = Placement {
            zones: vec![all.zones[1].clone()],
            unit_count: 2,
            priority: vec![vec!["zone2".to_owned()]],
        };
        resources.suggested = Some(like.clone());
        assert_eq!(Draft::like(&resources).placement(), like);
    }

    #[test]
    fn ranks_become_groups_and_gaps_between_them_do_not_matter() {
        let mut draft = Draft::like(&resources());
        draft.zones[2].chosen = true;
        for (zone, rank) in draft.zones.iter_mut().zip([3, 1, 3]) {
            zone.rank = rank;
        }
        assert_eq!(order_text(&draft), "zone2;zone1,zone3");
        draft.zones[1].chosen = false;
        assert_eq!(order_text(&draft), "zone1,zone3");
        for zone in &mut draft.zones {
            zone.rank = 0;
        }
        assert_eq!(draft.placement().priority_text(), None);
    }

    #[test]
    fn numbers_are_read_exactly_and_unreadable_ones_are_told() {
        assert_eq!(hundredths("1.5"), Some(150));
        assert_eq!(hundredths(" 2 "), Some(200));
        assert_eq!(hundredths("0.25"), Some(25));
        for bad in ["", ".", "1,5", "-1", "1.234", "x", "+1"] {
            assert_eq!(hundredths(bad), None, "{bad}");
        }
        let resources = resources();
        let mut draft = Draft::like(&resources);
        draft.zones[0].unit = None;
        draft.zones[0].new = draft.new_unit("nt");
        draft.zones[0].new.memory = "1.5".to_owned();
        assert_eq!(violations(&draft.placement(), &resources), []);
        draft.zones[1].unit = None;
        draft.zones[1].new = draft.new_unit("nt");
        assert_eq!(
            draft.zones[1].new, draft.zones[0].new,
            "what was typed is taken over"
        );
        assert_eq!(violations(&draft.placement(), &resources), []);
        draft.zones[1].unit = Some("small".to_owned());
        draft.zones[0].new.log_disk = "x".to_owned();
        draft.count = "many".to_owned();
        let found = violations(&draft.placement(), &resources);
        let field = domain::placement::unit_field("zone1");
        assert!(problem(&found, &field).unwrap().contains("log disk"));
        assert!(problem(&found, domain::placement::COUNT).is_some());
        assert_eq!(problem(&found, domain::placement::PRIORITY), None);
    }
}
