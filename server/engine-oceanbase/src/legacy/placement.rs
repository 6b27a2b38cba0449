//! What a new tenant is placed on: units and pools like those of the tenant it is recovered from.
//!
//! Their names hold the order's mark: it is the only trace of who asked for a recovery that a cluster before 4.0 keeps.

use super::statement::LegacyStatement;
use crate::session::{BadValue, Table};

/// Limits of a unit, all of which have to be named, with the columns they come from.
const LIMITS: [&str; 8] = [
    "MAX_CPU",
    "MIN_CPU",
    "MAX_MEMORY",
    "MIN_MEMORY",
    "MAX_IOPS",
    "MIN_IOPS",
    "MAX_DISK_SIZE",
    "MAX_SESSION_NUM",
];

/// Units and pools for a new tenant.
#[derive(Debug, Clone, Default)]
pub(super) struct Placed {
    /// For each pool: its unit, then itself.
    pub(super) made: Vec<[LegacyStatement; 2]>,
}

/// The name of a pool made for an order; `number` begins with 1.
pub(super) fn pool_name(token: &str, number: u32) -> String {
    format!("tidemark_pool_{}_{number}", plain(token))
}

/// A token as part of a name that needs no quoting inside of a list of pools.
fn plain(token: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    token.chars().map(plain).collect()
}

impl Placed {
    /// Like the pools of the source tenant.
    pub(super) fn like(pools: &Table, configs: &Table, token: &str) -> Result<Self, String> {
        let mut made = Vec::new();
        for (number, pool) in (1_u32..).zip(pools.iter()) {
            let wanted = pool.text("UNIT_CONFIG_ID");
            let config = configs
                .iter()
                .find(|row| row.text("UNIT_CONFIG_ID") == wanted);
            let config = config.ok_or("the size of its units is not known")?;
            let bad = |value: BadValue| value.to_string();
            let zones = pool.text_or_empty("ZONE_LIST");
            let unit = format!("tidemark_unit_{}_{number}", plain(token));
            let limits = LIMITS.map(|limit| (limit, config.text_or_empty(limit)));
            made.push([
                LegacyStatement::CreateUnit {
                    name: unit.clone(),
                    limits: limits.into(),
                },
                LegacyStatement::CreatePool {
                    name: pool_name(token, number),
                    unit,
                    count: u32::try_from(pool.number("UNIT_COUNT").map_err(bad)?).unwrap_or(1),
                    zones: zones.split(';').map(str::to_owned).collect(),
                },
            ]);
        }
        match made.is_empty() {
            true => {
                Err("the tenant has no resource pools that the new one's could be like".to_owned())
            }
            false => Ok(Placed { made }),
        }
    }

    pub(super) fn pools(&self) -> Vec<String> {
        let names = self.made.iter().flatten().filter_map(|order| match order {
            LegacyStatement::CreatePool { name, .. } => Some(name.clone()),
            _ => None,
        });
        names.collect()
    }

    /// What removes them again, pools before their units.
    pub(super) fn undo(&self) -> Vec<LegacyStatement> {
        let orders = self.made.iter().flatten().rev();
        let undone = orders.filter_map(|order| match order {
            LegacyStatement::CreatePool { name, .. } => {
                Some(LegacyStatement::DropPool { name: name.clone() })
            }
            LegacyStatement::CreateUnit { name, .. } => {
                Some(LegacyStatement::DropUnit { name: name.clone() })
            }
            _ => None,
        });
        undone.collect()
    }
}
