//! What a cluster has for a new tenant: its zones and servers, unit specifications, and what the source is placed on.

use crate::{
    engine::OceanBaseEngine,
    failure::Call,
    placement::named,
    session::{BadValue, Row, Table},
    version::Version,
    views::View,
};
use ::engine::{EngineError, TenantKey};
use domain::placement::{
    PlacedZone, Placement, ReplicaType, Resources, ServerRoom, UnitChoice, UnitSize, UnitSpec,
    ZoneRoom, read_locality, read_priority,
};

/// Statements of one look at what there is, whatever the number of zones, pools and tenants.
pub const STATEMENTS: u64 = 5;

/// Rows about servers, units and pools, and the row of the source tenant.
pub(crate) struct Ground {
    zones: Table,
    servers: Table,
    pub(crate) configs: Table,
    pub(crate) pools: Table,
    /// No row once it is dropped.
    source: Table,
}

impl OceanBaseEngine {
    /// Looks at what there is.
    pub(crate) async fn ground(
        &self,
        call: Call<'_>,
        source: &TenantKey,
    ) -> Result<Ground, EngineError> {
        // A key that is no number belongs to no tenant: no row.
        let id: i64 = source.0.parse().unwrap_or_default();
        let of_it = format!("WHERE TENANT_ID = {id}");
        Ok(Ground {
            zones: self.rows(call, View::Zones, "ORDER BY ZONE").await?,
            servers: self.rows(call, View::Servers, "").await?,
            configs: self.rows(call, View::UnitConfigs, "ORDER BY NAME").await?,
            pools: self.rows(call, View::Pools, "").await?,
            source: self.rows(call, View::Tenants, &of_it).await?,
        })
    }

    /// What the cluster has for a tenant recovered from this one.
    pub(crate) async fn room(&self, tenant: &TenantKey) -> Result<Resources, EngineError> {
        let call = self.call("placement", &tenant.0);
        let ground = self.ground(call, tenant).await?;
        ground
            .resources(self.version)
            .map_err(|value| call.bad_value(&value))
    }
}

impl Ground {
    /// What the rows say.
    pub(crate) fn resources(&self, version: Version) -> Result<Resources, BadValue> {
        let units: Result<Vec<UnitSpec>, BadValue> = self.configs.iter().map(unit).collect();
        let zones: Result<Vec<ZoneRoom>, BadValue> =
            self.zones.iter().map(|row| self.zone(row)).collect();
        Ok(Resources {
            zones: zones?,
            units: units?,
            least: UnitSize::LEAST,
            replicas: match version.has_readers() {
                true => vec![ReplicaType::Full, ReplicaType::ReadOnly],
                false => vec![ReplicaType::Full],
            },
            suggested: self.suggested()?,
        })
    }

    fn zone(&self, row: Row<'_>) -> Result<ZoneRoom, BadValue> {
        let name = row.text_or_empty("ZONE");
        let here = self
            .servers
            .iter()
            .filter(|server| server.text("ZONE") == Some(name.as_str()));
        let servers: Result<Vec<ServerRoom>, BadValue> = here.map(server).collect();
        Ok(ZoneRoom {
            servers: servers?,
            region: row.text_or_empty("REGION"),
            active: row.text("STATUS") == Some("ACTIVE"),
            name,
        })
    }

    /// A placement like the source's; `None` where that has no pools any more.
    pub(crate) fn suggested(&self) -> Result<Option<Placement>, BadValue> {
        let Some(source) = self.source.first() else {
            return Ok(None);
        };
        let id = source.text("TENANT_ID");
        let own: Vec<Row<'_>> = self
            .pools
            .iter()
            .filter(|pool| pool.text("TENANT_ID") == id)
            .collect();
        let mut placement = Placement {
            zones: Vec::new(),
            unit_count: 1,
            priority: Vec::new(),
        };
        for (zone, replica) in read_locality(&source.text_or_empty("LOCALITY")) {
            let pool = own.iter().find(|pool| has_zone(**pool, &zone));
            let Some((unit, count)) = pool.and_then(|pool| self.unit_of(*pool)) else {
                continue;
            };
            placement.unit_count = placement.unit_count.max(count);
            placement.zones.push(PlacedZone {
                zone,
                replica,
                unit: UnitChoice::Existing(unit),
            });
        }
        let leads = |zone: &String| {
            let rows = placement.zones.iter();
            rows.filter(|row| row.replica == ReplicaType::Full)
                .any(|row| row.zone == *zone)
        };
        let mut priority = read_priority(&source.text_or_empty("PRIMARY_ZONE"));
        for group in &mut priority {
            group.retain(leads);
        }
        priority.retain(|group| !group.is_empty());
        placement.priority = priority;
        Ok(Some(placement).filter(|placement| !placement.zones.is_empty()))
    }

    /// The specification of a pool's units, and how many it has in each zone.
    fn unit_of(&self, pool: Row<'_>) -> Option<(String, u32)> {
        let wanted = pool.text("UNIT_CONFIG_ID");
        let mut configs = self.configs.iter();
        let config = configs.find(|row| row.text("UNIT_CONFIG_ID") == wanted)?;
        let count = pool.number("UNIT_COUNT").ok()?;
        Some((
            config.text_or_empty("NAME"),
            u32::try_from(count).unwrap_or(1).max(1),
        ))
    }

    /// The pools of a unit specification.
    pub(crate) fn pools_of<'a>(&'a self, unit: &str) -> impl Iterator<Item = Row<'a>> + use<'a> {
        let id = named(&self.configs, unit).and_then(|row| row.text("UNIT_CONFIG_ID"));
        self.pools
            .iter()
            .filter(move |pool| id.is_some() && pool.text("UNIT_CONFIG_ID") == id)
    }
}

/// Lists of zones are written `zone1;zone2`.
fn has_zone(pool: Row<'_>, zone: &str) -> bool {
    let list = pool.text("ZONE_LIST").unwrap_or_default();
    list.split(';').any(|it| it.trim() == zone)
}

fn unit(row: Row<'_>) -> Result<UnitSpec, BadValue> {
    Ok(UnitSpec {
        name: row.text_or_empty("NAME"),
        size: size_of(row)?,
    })
}

/// What one unit of a row of `DBA_OB_UNIT_CONFIGS` takes.
pub(crate) fn size_of(row: Row<'_>) -> Result<UnitSize, BadValue> {
    Ok(UnitSize {
        cpu_hundredths: row.hundredths("MAX_CPU")?,
        memory_bytes: row.unsigned("MEMORY_SIZE")?,
        log_disk_bytes: row.unsigned("LOG_DISK_SIZE")?,
    })
}

/// A row of `GV$OB_SERVERS`, which has one for each server that answers.
fn server(row: Row<'_>) -> Result<ServerRoom, BadValue> {
    let total = UnitSize {
        cpu_hundredths: row.hundredths("CPU_CAPACITY_MAX")?,
        memory_bytes: row.unsigned("MEM_CAPACITY")?,
        log_disk_bytes: row.unsigned("LOG_DISK_CAPACITY")?,
    };
    let assigned = UnitSize {
        cpu_hundredths: row.hundredths("CPU_ASSIGNED_MAX")?,
        memory_bytes: row.unsigned("MEM_ASSIGNED")?,
        log_disk_bytes: row.unsigned("LOG_DISK_ASSIGNED")?,
    };
    Ok(ServerRoom {
        total,
        free: total.less(assigned),
    })
}
