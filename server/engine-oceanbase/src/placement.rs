//! The units and pools that a recovery makes for its tenant, and how they are found again by name.

use crate::{
    resources::size_of,
    session::{BadValue, Row, Table},
    statement::Statement,
};
use ::engine::RecoverySpec;
use domain::placement::{Placement, ReplicaType, UnitChoice, UnitSize, cores};

/// Most characters of a zone in the name of a pool, so that the whole stays below 128.
const ZONE_CHARS: usize = 32;

/// What a recovery makes for its tenant, and the options of its statement.
#[derive(Debug, Clone, Default)]
pub(crate) struct Placed {
    /// Units to make, each once.
    pub(crate) units: Vec<MadeUnit>,
    /// One pool a zone.
    pub(crate) pools: Vec<MadePool>,
    /// As `F@zone1,R@zone2`.
    pub(crate) locality: String,
    /// As `zone1;zone2,zone3`; `None` leaves it to the cluster.
    pub(crate) primary_zone: Option<String>,
}

/// A unit specification to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MadeUnit {
    pub(crate) name: String,
    /// No log disk leaves that to the cluster.
    pub(crate) size: UnitSize,
}

/// A pool to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MadePool {
    pub(crate) name: String,
    unit: String,
    count: u32,
    zone: String,
}

impl Placed {
    /// What a placement needs. Names follow from the order alone, so that they are the same in the plan, in the
    /// recovery, and when somebody looks for them after a restart.
    pub(crate) fn of(spec: &RecoverySpec, placement: &Placement) -> Self {
        let mut placed = Placed {
            primary_zone: placement.priority_text(),
            ..Placed::default()
        };
        let mut replicas: Vec<String> = Vec::new();
        for row in &placement.zones {
            if let UnitChoice::New { name, size } = &row.unit {
                let (name, size) = (name.clone(), *size);
                let unit = MadeUnit { name, size };
                if !placed.units.contains(&unit) {
                    placed.units.push(unit);
                }
            }
            placed.pools.push(MadePool {
                name: placed.free_name(spec, &row.zone),
                unit: row.unit.name().to_owned(),
                count: placement.unit_count,
                zone: row.zone.clone(),
            });
            replicas.push(format!("{}@{}", letter(row.replica), row.zone));
        }
        placed.locality = replicas.join(",");
        placed
    }

    /// Zones whose names differ only in what a pool's name leaves out get a number.
    fn free_name(&self, spec: &RecoverySpec, zone: &str) -> String {
        let plain = |letter: char| match letter.is_ascii_alphanumeric() {
            true => letter,
            false => '_',
        };
        let zone: String = zone.chars().take(ZONE_CHARS).map(plain).collect();
        let (prefix, suffix) = pool_names(spec);
        let name = |number: usize| match number {
            1 => format!("{prefix}{zone}{suffix}"),
            number => format!("{prefix}{zone}_{number}{suffix}"),
        };
        let is_free = |name: &String| self.pools.iter().all(|pool| pool.name != *name);
        let mut names = (1..).map(name);
        names.find(is_free).unwrap_or_default()
    }

    /// The names of its pools.
    pub(crate) fn pool_names(&self) -> Vec<String> {
        self.pools.iter().map(|pool| pool.name.clone()).collect()
    }

    /// The statements that make what is not there yet, units before pools. `Err` says what is in the way.
    pub(crate) fn missing(&self, configs: &Table, pools: &Table) -> Result<Vec<Statement>, String> {
        let bad = |value: BadValue| value.to_string();
        let mut orders = Vec::new();
        for unit in &self.units {
            match named(configs, &unit.name) {
                None => orders.push(unit.order()),
                Some(row) if unit.is_like(row).map_err(bad)? => {}
                Some(_) => {
                    return Err(format!(
                        "a unit specification {} of another size exists; choose it, or another name",
                        unit.name
                    ));
                }
            }
        }
        for pool in &self.pools {
            match named(pools, &pool.name) {
                None => orders.push(pool.order()),
                Some(row) if row.text("TENANT_ID").is_none() && pool.is_like(row, configs) => {}
                Some(_) => {
                    return Err(format!(
                        "a resource pool {} of an earlier recovery is there and is taken or differs; clean \
                         up what that left, or choose another name for the tenant",
                        pool.name
                    ));
                }
            }
        }
        Ok(orders)
    }

    /// What removes it again, pools before their units.
    pub(crate) fn undo(&self) -> Vec<Statement> {
        let pools = self.pools.iter().map(|pool| Statement::DropPool {
            name: pool.name.clone(),
        });
        let units = self.units.iter().map(|unit| Statement::DropUnit {
            name: unit.name.clone(),
        });
        pools.chain(units).collect()
    }
}

impl MadeUnit {
    fn order(&self) -> Statement {
        Statement::CreateUnit {
            name: self.name.clone(),
            max_cpu: cores(self.size.cpu_hundredths),
            memory_bytes: self.size.memory_bytes,
            log_disk_bytes: Some(self.size.log_disk_bytes).filter(|bytes| *bytes > 0),
        }
    }

    /// Whether a row of `DBA_OB_UNIT_CONFIGS` is what this would make.
    pub(crate) fn is_like(&self, row: Row<'_>) -> Result<bool, BadValue> {
        Ok(size_of(row)? == self.size.given())
    }
}

impl MadePool {
    fn order(&self) -> Statement {
        Statement::CreatePool {
            name: self.name.clone(),
            unit: self.unit.clone(),
            count: self.count,
            zones: vec![self.zone.clone()],
        }
    }

    fn is_like(&self, row: Row<'_>, configs: &Table) -> bool {
        let unit = named(configs, &self.unit).and_then(|unit| unit.text("UNIT_CONFIG_ID"));
        row.text("UNIT_CONFIG_ID") == unit
            && row.text("UNIT_COUNT") == Some(self.count.to_string().as_str())
            && row.text("ZONE_LIST") == Some(self.zone.as_str())
    }
}

/// What the names of the pools of an order begin and end with.
pub(crate) fn pool_names(spec: &RecoverySpec) -> (String, String) {
    let order = format!("{}\n{}\n{}", spec.tenant, spec.until.0, spec.new_name);
    let digest = fnv1a(order.as_bytes()) & 0xff_ffff;
    (format!("pool_{}_", spec.new_name), format!("_{digest:06x}"))
}

/// FNV-1a: the same for ever, whatever the program that computes it.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// The row of this name.
pub(crate) fn named<'a>(table: &'a Table, name: &str) -> Option<Row<'a>> {
    table.iter().find(|row| row.text("NAME") == Some(name))
}

const fn letter(replica: ReplicaType) -> char {
    match replica {
        ReplicaType::Full => 'F',
        ReplicaType::ReadOnly => 'R',
        ReplicaType::LogOnly => 'L',
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::engine::TenantKey;
    use domain::{Scn, placement::PlacedZone};

    fn spec(until: u64) -> RecoverySpec {
        RecoverySpec {
            token: "any".to_owned(),
            tenant: TenantKey("1002".to_owned()),
            until: Scn(until),
            new_name: "nt".to_owned(),
            place: None,
            placement: None,
        }
    }

    fn placement(zones: &[&str]) -> Placement {
        let size = UnitSize {
            cpu_hundredths: 150,
            memory_bytes: 2 << 30,
            log_disk_bytes: 0,
        };
        let row = |zone: &&str| PlacedZone {
            zone: (*zone).to_owned(),
            replica: ReplicaType::Full,
            unit: UnitChoice::New {
                name: "u1".to_owned(),
                size,
            },
        };
        Placement {
            zones: zones.iter().map(row).collect(),
            unit_count: 1,
            priority: vec![vec![zones[0].to_owned()]],
        }
    }

    #[test]
    fn names_follow_from_the_order_and_nothing_else() {
        let placed = Placed::of(&spec(7), &placement(&["zone1", "z-2", "z_2"]));
        let names = placed.pool_names();
        let mut again = spec(7);
        again.token = "another".to_owned();
        assert_eq!(
            names,
            Placed::of(&again, &placement(&["zone1", "z-2", "z_2"])).pool_names()
        );
        assert_ne!(
            names,
            Placed::of(&spec(8), &placement(&["zone1", "z-2", "z_2"])).pool_names()
        );
        let (prefix, suffix) = pool_names(&spec(7));
        assert_eq!(names[0], format!("{prefix}zone1{suffix}"));
        assert_eq!(
            names[2],
            format!("{prefix}z_2_2{suffix}"),
            "names never collide"
        );
        assert_eq!(
            placed.units.len(),
            1,
            "a specification of several zones is made once"
        );
        assert_eq!(placed.locality, "F@zone1,F@z-2,F@z_2");
        assert_eq!(placed.primary_zone.as_deref(), Some("zone1"));
    }

    #[test]
    fn units_and_pools_are_made_in_order_and_removed_in_the_other() {
        let placed = Placed::of(&spec(7), &placement(&["zone1"]));
        let orders = placed
            .missing(&Table::default(), &Table::default())
            .unwrap();
        let shown: Vec<String> = orders.iter().map(Statement::shown).collect();
        let pool = &placed.pools[0].name;
        assert_eq!(
            shown,
            [
                "CREATE RESOURCE UNIT IF NOT EXISTS `u1` MAX_CPU = 1.5, MEMORY_SIZE = 2147483648"
                    .to_owned(),
                format!(
                    "CREATE RESOURCE POOL IF NOT EXISTS `{pool}` UNIT = 'u1', UNIT_NUM = 1, ZONE_LIST = ('zone1')"
                ),
            ]
        );
        let undone: Vec<String> = placed.undo().iter().map(Statement::shown).collect();
        assert!(
            undone[0].starts_with("DROP RESOURCE POOL")
                && undone[1].starts_with("DROP RESOURCE UNIT")
        );
    }
}
