//! What is wrong with a placement in a cluster: the same rules in the form and on the server.

use super::{
    PlacedZone, Placement, ReplicaType, Resources, UnitChoice, UnitSize, ZoneRoom, cores, gib,
};
use crate::validate::{self, Violation};

/// Label of all zones together.
pub const ZONES: &str = "Zones";
/// Label of the number of units in each zone.
pub const COUNT: &str = "Unit count";
/// Label of the order of zones that lead.
pub const PRIORITY: &str = "Zone priority";

/// The field that a zone of a placement is.
pub fn zone_field(zone: &str) -> String {
    format!("In zone {zone}")
}

/// The field of a zone's unit specification.
pub fn unit_field(zone: &str) -> String {
    format!("Unit specification of {zone}")
}

/// What is wrong, each with the field, its value and what is allowed; empty where the cluster would take it.
pub fn violations(placement: &Placement, resources: &Resources) -> Vec<Violation> {
    let mut found = Vec::new();
    replicas(placement, &mut found);
    let mut seen: Vec<&str> = Vec::new();
    for row in &placement.zones {
        if seen.contains(&row.zone.as_str()) {
            let allowed = "take each zone once";
            found.push(Violation::new(&zone_field(&row.zone), &row.zone, allowed));
            continue;
        }
        seen.push(&row.zone);
        zone(placement, row, resources, &mut found);
    }
    count(placement, resources, &mut found);
    priority(placement, &mut found);
    found
}

/// A tenant needs zones, and most of them full.
fn replicas(placement: &Placement, found: &mut Vec<Violation>) {
    let (all, full) = (placement.zones.len(), full(placement).count());
    if all == 0 {
        found.push(Violation::new(ZONES, "", "choose at least one zone"));
    } else if full * 2 <= all {
        let allowed = format!(
            "make the replicas of more than half of the zones full: at least {} of {all}",
            all / 2 + 1
        );
        found.push(Violation::new(ZONES, &format!("{full} full"), allowed));
    }
}

fn full(placement: &Placement) -> impl Iterator<Item = &PlacedZone> {
    let zones = placement.zones.iter();
    zones.filter(|row| row.replica == ReplicaType::Full)
}

fn zone(
    placement: &Placement,
    row: &PlacedZone,
    resources: &Resources,
    found: &mut Vec<Violation>,
) {
    let field = zone_field(&row.zone);
    let mut refuse = |value: &str, allowed: String| {
        found.push(Violation::new(&field, value, allowed));
    };
    if !resources.replicas.contains(&row.replica) {
        let known: Vec<&str> = resources.replicas.iter().map(|it| it.label()).collect();
        let allowed = format!("this cluster has these types: {}", known.join(", "));
        refuse(row.replica.label(), allowed);
    }
    let Some(room) = resources.zone(&row.zone) else {
        let known: Vec<&str> = resources.zones.iter().map(|it| it.name.as_str()).collect();
        let allowed = format!("this cluster has these zones: {}", known.join(", "));
        refuse(&row.zone, allowed);
        return;
    };
    if !room.active {
        refuse(
            &row.zone,
            "the zone is not in service; start it or leave it out".to_owned(),
        );
    }
    let wrong = unit(placement, row, resources);
    let is_wrong = !wrong.is_empty();
    found.extend(wrong);
    if let Some(size) = resources.size_of(&row.unit).filter(|_| !is_wrong) {
        found.extend(crowded(room, size, placement.unit_count));
    }
}

/// What is wrong with the specification of a zone.
fn unit(placement: &Placement, row: &PlacedZone, resources: &Resources) -> Vec<Violation> {
    let field = unit_field(&row.zone);
    let refused = |value: &str, allowed: &str| Violation::new(&field, value, allowed);
    let (name, size) = match &row.unit {
        UnitChoice::Existing(name) if resources.unit(name).is_some() => return Vec::new(),
        UnitChoice::Existing(name) => {
            let allowed = "choose a unit specification that exists, or make a new one";
            return vec![refused(name, allowed)];
        }
        UnitChoice::New { name, size } => (name, *size),
    };
    let mut found = Vec::new();
    if let Err(violation) = validate::name(&field, name) {
        found.push(violation);
    } else if resources.unit(name).is_some() {
        let allowed = "a unit specification of this name exists; choose it, or another name";
        found.push(refused(name, allowed));
    }
    let differs = |other: &PlacedZone| match &other.unit {
        UnitChoice::New {
            name: its,
            size: of,
        } => its == name && *of != size,
        UnitChoice::Existing(_) => false,
    };
    if placement.zones.iter().any(differs) {
        let allowed =
            "another zone makes a specification of this name with other sizes; use another name";
        found.push(refused(name, allowed));
    }
    found.extend(too_small(&field, size, resources.least));
    found
}

fn too_small(field: &str, size: UnitSize, least: UnitSize) -> Vec<Violation> {
    let mut found = Vec::new();
    if size.cpu_hundredths < least.cpu_hundredths {
        let allowed = format!("a unit has at least {} CPU", cores(least.cpu_hundredths));
        let value = format!("{} CPU", cores(size.cpu_hundredths));
        found.push(Violation::new(field, &value, allowed));
    }
    if size.memory_bytes < least.memory_bytes {
        let allowed = format!("a unit has at least {} of memory", gib(least.memory_bytes));
        found.push(Violation::new(field, &gib(size.memory_bytes), allowed));
    }
    // Where nothing was said the cluster gives as much as it needs.
    if size.log_disk_bytes > 0 && size.log_disk_bytes < least.log_disk_bytes {
        let allowed = format!(
            "a unit has at least {} of log disk",
            gib(least.log_disk_bytes)
        );
        found.push(Violation::new(field, &gib(size.log_disk_bytes), allowed));
    }
    found
}

/// What a zone lacks for `count` units, each on a server of its own.
fn crowded(room: &ZoneRoom, size: UnitSize, count: u32) -> Vec<Violation> {
    let field = zone_field(&room.name);
    let needed = usize::try_from(count.max(1)).unwrap_or(usize::MAX);
    // Too few servers are told with the number of units.
    if room.servers.len() < needed {
        return Vec::new();
    }
    let fits = room.servers.iter().filter(|it| it.free.holds(size));
    if fits.count() >= needed {
        return Vec::new();
    }
    let where_to = match needed {
        1 => "on one server".to_owned(),
        many => format!("on each of {many} servers"),
    };
    // The most that this many servers all have free.
    let free = |of: fn(UnitSize) -> u64| {
        let mut each: Vec<u64> = room.servers.iter().map(|it| of(it.free)).collect();
        each.sort_unstable_by(|one, other| other.cmp(one));
        each.get(needed - 1).copied().unwrap_or_default()
    };
    let kinds: [Kind; 3] = [
        (
            "CPU",
            |size| size.cpu_hundredths,
            |it| format!("{} CPU", cores(it)),
        ),
        (
            "memory",
            |size| size.memory_bytes,
            |it| format!("{} of memory", gib(it)),
        ),
        (
            "log disk",
            |size| size.log_disk_bytes,
            |it| format!("{} of log disk", gib(it)),
        ),
    ];
    let mut found = Vec::new();
    for (name, of, shown) in kinds {
        let (need, free) = (of(size), free(of));
        if free < need {
            let allowed = format!(
                "not enough {name}: {} needed {where_to}, {} free",
                shown(need),
                shown(free)
            );
            found.push(Violation::new(&field, &room.name, allowed));
        }
    }
    if found.is_empty() {
        let allowed = format!(
            "no room {where_to} for a unit of {} CPU, {} of memory and {} of log disk at once",
            cores(size.cpu_hundredths),
            gib(size.memory_bytes),
            gib(size.log_disk_bytes)
        );
        found.push(Violation::new(&field, &room.name, allowed));
    }
    found
}

/// A resource: its name, how much of it a size has, and how that is written.
type Kind = (&'static str, fn(UnitSize) -> u64, fn(u64) -> String);

fn count(placement: &Placement, resources: &Resources, found: &mut Vec<Violation>) {
    let rooms = placement
        .zones
        .iter()
        .filter_map(|row| resources.zone(&row.zone));
    let fewest = rooms.min_by_key(|room| room.servers.len());
    let most = fewest.map_or(u32::MAX, |room| {
        u32::try_from(room.servers.len()).unwrap_or(u32::MAX)
    });
    let value = placement.unit_count.to_string();
    if placement.unit_count == 0 {
        found.push(Violation::new(COUNT, &value, "at least 1"));
    } else if let Some(room) = fewest
        && placement.unit_count > most
    {
        let allowed = match most {
            0 => format!("zone {} has no server that answers", room.name),
            most => format!(
                "at most {most}, the number of servers of zone {}",
                room.name
            ),
        };
        found.push(Violation::new(COUNT, &value, allowed));
    }
}

fn priority(placement: &Placement, found: &mut Vec<Violation>) {
    let mut seen: Vec<&str> = Vec::new();
    for zone in placement.priority.iter().flatten() {
        let chosen = placement.zones.iter().find(|row| row.zone == *zone);
        let allowed = match chosen {
            None => "name only zones that are chosen",
            Some(row) if row.replica != ReplicaType::Full => "only full replicas can lead",
            Some(_) if seen.contains(&zone.as_str()) => "name each zone once",
            Some(_) => {
                seen.push(zone);
                continue;
            }
        };
        found.push(Violation::new(PRIORITY, zone, allowed));
    }
}
