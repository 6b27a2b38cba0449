//! Placements against clusters: each rule by itself, and all of them against a definition by brute force.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use super::*;
use proptest::prelude::*;

const GIB: u64 = 1 << 30;

fn size(cpu: u64, memory: u64, log: u64) -> UnitSize {
    UnitSize {
        cpu_hundredths: cpu * 100,
        memory_bytes: memory * GIB,
        log_disk_bytes: log * GIB,
    }
}

fn zone(name: &str, free: &[UnitSize]) -> ZoneRoom {
    let server = |free: &UnitSize| ServerRoom {
        total: size(16, 64, 192),
        free: *free,
    };
    ZoneRoom {
        name: name.to_owned(),
        region: "here".to_owned(),
        active: true,
        servers: free.iter().map(server).collect(),
    }
}

fn cluster() -> Resources {
    Resources {
        zones: vec![
            zone("zone1", &[size(8, 32, 96), size(8, 32, 96)]),
            zone("zone2", &[size(8, 32, 96), size(4, 32, 96)]),
            zone("zone3", &[size(8, 32, 96)]),
        ],
        units: vec![UnitSpec {
            name: "small".to_owned(),
            size: size(2, 8, 24),
        }],
        least: UnitSize::LEAST,
        replicas: vec![ReplicaType::Full, ReplicaType::ReadOnly],
        suggested: None,
    }
}

fn row(zone: &str) -> PlacedZone {
    PlacedZone {
        zone: zone.to_owned(),
        replica: ReplicaType::Full,
        unit: UnitChoice::Existing("small".to_owned()),
    }
}

fn made(name: &str, size: UnitSize) -> UnitChoice {
    UnitChoice::New {
        name: name.to_owned(),
        size,
    }
}

fn placed(zones: &[&str]) -> Placement {
    Placement {
        zones: zones.iter().map(|zone| row(zone)).collect(),
        unit_count: 1,
        priority: Vec::new(),
    }
}

/// What is told, as people read it.
fn told(placement: &Placement, resources: &Resources) -> Vec<String> {
    let found = violations(placement, resources);
    let texts = found.iter().map(|it| it.to_string().replace('\u{a0}', " "));
    texts.collect()
}

#[test]
fn what_fits_is_taken() {
    let mut placement = placed(&["zone1", "zone2", "zone3"]);
    placement.priority = read_priority("zone1;zone2,zone3");
    assert_eq!(told(&placement, &cluster()), [""; 0]);
    assert_eq!(
        placement.priority_text().as_deref(),
        Some("zone1;zone2,zone3")
    );
    assert_eq!(placement.rank("zone3"), Some(2));
    placement.zones[2].replica = ReplicaType::ReadOnly;
    placement.priority = read_priority("zone1,zone2");
    assert_eq!(told(&placement, &cluster()), [""; 0]);
}

#[test]
fn zones_are_there_chosen_once_and_mostly_full() {
    let with = |zones: &[&str]| told(&placed(zones), &cluster());
    assert_eq!(with(&[]), [r#"Zones "": choose at least one zone"#]);
    assert_eq!(
        with(&["zone1", "zone9"]),
        [r#"In zone zone9 "zone9": this cluster has these zones: zone1, zone2, zone3"#]
    );
    assert_eq!(
        with(&["zone1", "zone1"]),
        [r#"In zone zone1 "zone1": take each zone once"#]
    );
    let mut half = placed(&["zone1", "zone2"]);
    half.zones[1].replica = ReplicaType::ReadOnly;
    assert_eq!(
        told(&half, &cluster()),
        [
            r#"Zones "1 full": make the replicas of more than half of the zones full: at least 2 of 2"#
        ]
    );
    let mut log = placed(&["zone1", "zone2", "zone3"]);
    log.zones[1].replica = ReplicaType::LogOnly;
    assert_eq!(
        told(&log, &cluster()),
        [
            r#"In zone zone2 "Log-only replica": this cluster has these types: Full replica, Read-only replica"#
        ]
    );
    let mut stopped = cluster();
    stopped.zones[2].active = false;
    assert_eq!(
        told(&placed(&["zone3"]), &stopped),
        [r#"In zone zone3 "zone3": the zone is not in service; start it or leave it out"#]
    );
}

#[test]
fn units_are_known_large_enough_and_named_once() {
    let with = |unit: UnitChoice| {
        let mut placement = placed(&["zone1", "zone2"]);
        placement.zones[0].unit = unit;
        told(&placement, &cluster())
    };
    assert_eq!(with(made("u1", size(2, 4, 0))), [""; 0]);
    assert_eq!(
        with(UnitChoice::Existing("large".to_owned())),
        [
            r#"Unit specification of zone1 "large": choose a unit specification that exists, or make a new one"#
        ]
    );
    assert_eq!(
        with(made("small", size(2, 4, 12))),
        [
            r#"Unit specification of zone1 "small": a unit specification of this name exists; choose it, or another name"#
        ]
    );
    assert!(with(made("a-b", size(2, 4, 12)))[0].contains("letters, digits and underscores"));
    let tiny = UnitSize {
        cpu_hundredths: 50,
        memory_bytes: GIB / 2,
        log_disk_bytes: GIB,
    };
    assert_eq!(
        with(made("tiny", tiny)),
        [
            r#"Unit specification of zone1 "0.5 CPU": a unit has at least 1 CPU"#,
            r#"Unit specification of zone1 "0.5 GiB": a unit has at least 1 GiB of memory"#,
            r#"Unit specification of zone1 "1 GiB": a unit has at least 2 GiB of log disk"#,
        ]
    );
    let mut two = placed(&["zone1", "zone2"]);
    two.zones[0].unit = made("u1", size(1, 2, 6));
    two.zones[1].unit = made("u1", size(1, 2, 6));
    assert_eq!(told(&two, &cluster()), [""; 0]);
    two.zones[1].unit = made("u1", size(1, 3, 6));
    assert_eq!(told(&two, &cluster()).len(), 2);
}

#[test]
fn room_is_told_with_what_is_needed_and_what_is_free() {
    let mut placement = placed(&["zone3"]);
    placement.zones[0].unit = made("u1", size(9, 33, 97));
    assert_eq!(
        told(&placement, &cluster()),
        [
            r#"In zone zone3 "zone3": not enough CPU: 9 CPU needed on one server, 8 CPU free"#,
            r#"In zone zone3 "zone3": not enough memory: 33 GiB of memory needed on one server, 32 GiB of memory free"#,
            r#"In zone zone3 "zone3": not enough log disk: 97 GiB of log disk needed on one server, 96 GiB of log disk free"#,
        ]
    );
    let mut two = placed(&["zone2"]);
    two.unit_count = 2;
    two.zones[0].unit = made("u1", size(5, 8, 24));
    assert_eq!(
        told(&two, &cluster()),
        [r#"In zone zone2 "zone2": not enough CPU: 5 CPU needed on each of 2 servers, 4 CPU free"#]
    );
    let mut apart = cluster();
    apart.zones[0].servers[0].free = size(8, 1, 96);
    apart.zones[0].servers[1].free = size(1, 32, 96);
    assert_eq!(
        told(&placed(&["zone1"]), &apart),
        [
            r#"In zone zone1 "zone1": no room on one server for a unit of 2 CPU, 8 GiB of memory and 24 GiB of log disk at once"#
        ]
    );
}

#[test]
fn counts_and_priorities_name_what_is_there() {
    let mut placement = placed(&["zone1", "zone3"]);
    placement.unit_count = 2;
    assert_eq!(
        told(&placement, &cluster()),
        [r#"Unit count "2": at most 1, the number of servers of zone zone3"#]
    );
    placement.unit_count = 0;
    assert_eq!(
        told(&placement, &cluster()),
        [r#"Unit count "0": at least 1"#]
    );
    placement.unit_count = 1;
    placement.priority = read_priority("zone1;zone1,zone2");
    assert_eq!(
        told(&placement, &cluster()),
        [
            r#"Zone priority "zone1": name each zone once"#,
            r#"Zone priority "zone2": name only zones that are chosen"#,
        ]
    );
    let mut reader = placed(&["zone1", "zone2", "zone3"]);
    reader.zones[0].replica = ReplicaType::ReadOnly;
    reader.priority = read_priority("zone1");
    assert_eq!(
        told(&reader, &cluster()),
        [r#"Zone priority "zone1": only full replicas can lead"#]
    );
}

#[test]
fn what_the_cluster_writes_is_read() {
    assert_eq!(
        read_locality("FULL{1}@zone1, READONLY{1}@zone2, L@z3, SOMETHING@z4"),
        [
            ("zone1".to_owned(), ReplicaType::Full),
            ("zone2".to_owned(), ReplicaType::ReadOnly),
            ("z3".to_owned(), ReplicaType::LogOnly),
        ]
    );
    assert!(read_priority("RANDOM").is_empty() && read_priority("").is_empty());
    assert_eq!(cores(150), "1.5");
    assert_eq!(cores(225), "2.25");
    assert_eq!(gib(GIB * 15 / 2), "7.5\u{a0}GiB");
    for replica in ReplicaType::ALL {
        assert_eq!(ReplicaType::from_code(replica.code()), Some(replica));
    }
}

fn sizes() -> impl Strategy<Value = UnitSize> {
    (0..6u64, 0..6u64, 0..6u64).prop_map(|(cpu, memory, log)| size(cpu, memory, log))
}

fn clusters() -> impl Strategy<Value = Resources> {
    let zone_of = prop::collection::vec(sizes(), 0..4);
    (prop::collection::vec(zone_of, 1..4), sizes()).prop_map(|(zones, unit)| {
        let mut resources = cluster();
        let named = |(number, free): (usize, &Vec<UnitSize>)| zone(&format!("zone{number}"), free);
        resources.zones = (1..).zip(&zones).map(named).collect();
        resources.units[0].size = unit;
        resources
    })
}

fn placements() -> impl Strategy<Value = Placement> {
    let unit = prop_oneof![
        Just(UnitChoice::Existing("small".to_owned())),
        sizes().prop_map(|size| made("u1", size)),
    ];
    let replica = prop_oneof![3 => Just(ReplicaType::Full), 1 => Just(ReplicaType::ReadOnly)];
    let row = (1..5u32, replica, unit).prop_map(|(number, replica, unit)| PlacedZone {
        zone: format!("zone{number}"),
        replica,
        unit,
    });
    let order = prop::collection::vec(prop::collection::vec(1..5u32, 0..3), 0..3);
    let rows = prop::collection::vec(row, 0..4);
    (rows, 0..4u32, order).prop_map(|(zones, unit_count, order)| {
        let name = |number: u32| format!("zone{number}");
        let group = |group: Vec<u32>| group.into_iter().map(name).collect();
        Placement {
            zones,
            unit_count,
            priority: order.into_iter().map(group).collect(),
        }
    })
}

/// Whether the cluster would take it, said in another way: by trying to put each unit somewhere.
fn is_taken(placement: &Placement, resources: &Resources) -> bool {
    let rows = &placement.zones;
    let full = rows.iter().filter(|row| row.replica == ReplicaType::Full);
    let mut names: Vec<&str> = rows.iter().map(|row| row.zone.as_str()).collect();
    names.sort_unstable();
    let all = names.len();
    names.dedup();
    let mut new: Vec<UnitSize> = Vec::new();
    let each_fits = rows.iter().all(|row| {
        let Some(room) = resources.zone(&row.zone) else {
            return false;
        };
        let size = match &row.unit {
            UnitChoice::Existing(_) => resources.units[0].size,
            UnitChoice::New { size, .. } => {
                new.push(*size);
                let log = if size.log_disk_bytes == 0 {
                    3 * size.memory_bytes
                } else {
                    size.log_disk_bytes
                };
                if size.cpu_hundredths < 100 || size.memory_bytes < GIB || log < 2 * GIB {
                    return false;
                }
                UnitSize {
                    log_disk_bytes: log,
                    ..*size
                }
            }
        };
        let mut left = placement.unit_count;
        for server in &room.servers {
            let free = server.free;
            let fits = free.cpu_hundredths >= size.cpu_hundredths
                && free.memory_bytes >= size.memory_bytes
                && free.log_disk_bytes >= size.log_disk_bytes;
            left = left.saturating_sub(u32::from(fits));
        }
        left == 0
    });
    let order: Vec<&String> = placement.priority.iter().flatten().collect();
    let leads = |zone: &&String| {
        rows.iter()
            .any(|row| row.zone == **zone && row.replica == ReplicaType::Full)
    };
    let once = order
        .iter()
        .all(|zone| order.iter().filter(|it| it == &zone).count() == 1);
    all > 0
        && all == names.len()
        && full.count() * 2 > all
        && placement.unit_count > 0
        && each_fits
        && new.windows(2).all(|pair| pair[0] == pair[1])
        && order.iter().all(leads)
        && once
}

proptest! {
    #[test]
    fn nothing_is_told_exactly_when_it_would_be_taken(
        placement in placements(), resources in clusters()
    ) {
        let found = violations(&placement, &resources);
        prop_assert_eq!(found.is_empty(), is_taken(&placement, &resources), "{:?}", found);
    }

    #[test]
    fn a_priority_reads_back(placement in placements()) {
        let text = placement.priority_text().unwrap_or_default();
        let kept: Vec<_> = placement.priority.iter().filter(|it| !it.is_empty()).cloned().collect();
        prop_assert_eq!(read_priority(&text), kept);
    }

    #[test]
    fn more_room_never_makes_it_wrong(placement in placements(), resources in clusters()) {
        let mut larger = resources.clone();
        for server in larger.zones.iter_mut().flat_map(|zone| &mut zone.servers) {
            server.free = [server.free, size(1, 1, 1)].into_iter().sum();
        }
        let before = violations(&placement, &resources).len();
        prop_assert!(before > 0 || violations(&placement, &larger).is_empty());
    }

    #[test]
    fn placements_are_stored_and_read_back(placement in placements()) {
        let text = serde_json::to_string(&placement).unwrap();
        prop_assert_eq!(serde_json::from_str::<Placement>(&text).unwrap(), placement);
    }
}
