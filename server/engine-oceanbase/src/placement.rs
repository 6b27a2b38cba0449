//! What a new tenant is placed on: units and pools like those of the tenant it is recovered from.

use crate::{
    session::{BadValue, Table},
    statement::Statement,
};

/// Units and pools for a new tenant.
#[derive(Debug, Clone, Default)]
pub(crate) struct Placed {
    /// For each pool: its unit, then itself.
    pub(crate) made: Vec<[Statement; 2]>,
}

impl Placed {
    /// Like the pools of the source tenant.
    pub(crate) fn like(pools: &Table, configs: &Table, name: &str) -> Result<Self, String> {
        let mut made = Vec::new();
        for (number, pool) in (1_u32..).zip(pools.iter()) {
            let wanted = pool.text("UNIT_CONFIG_ID");
            let config = configs
                .iter()
                .find(|row| row.text("UNIT_CONFIG_ID") == wanted);
            let config = config.ok_or("the size of its units is not known")?;
            let bad = |value: BadValue| value.to_string();
            let zones = pool.text_or_empty("ZONE_LIST");
            let unit = format!("tidemark_unit_{name}_{number}");
            made.push([
                Statement::CreateUnit {
                    name: unit.clone(),
                    max_cpu: config.text_or_empty("MAX_CPU"),
                    memory_bytes: config.unsigned("MEMORY_SIZE").map_err(bad)?,
                    log_disk_bytes: Some(config.unsigned("LOG_DISK_SIZE").map_err(bad)?)
                        .filter(|bytes| *bytes > 0),
                },
                Statement::CreatePool {
                    name: format!("tidemark_pool_{name}_{number}"),
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

    pub(crate) fn pools(&self) -> Vec<String> {
        let names = self.made.iter().flatten().filter_map(|order| match order {
            Statement::CreatePool { name, .. } => Some(name.clone()),
            _ => None,
        });
        names.collect()
    }

    /// What removes them again, pools before their units.
    pub(crate) fn undo(&self) -> Vec<Statement> {
        let orders = self.made.iter().flatten().rev();
        let undone = orders.filter_map(|order| match order {
            Statement::CreatePool { name, .. } => Some(Statement::DropPool { name: name.clone() }),
            Statement::CreateUnit { name, .. } => Some(Statement::DropUnit { name: name.clone() }),
            _ => None,
        });
        undone.collect()
    }
}
