//! Tenants, servers, zones and units of 3.x.

use super::{Row, Val, row};
use crate::world::World;
use crate::world::tenant::Status;

pub(super) fn rows(world: &World, view: &str) -> Vec<Row> {
    match view {
        "__ALL_TENANT" | "GV$TENANT" => tenants(world),
        "__ALL_SERVER" => servers(world),
        "__ALL_ZONE" => zones(world),
        "__ALL_RESOURCE_POOL" => pools(world),
        "__ALL_UNIT" | "GV$UNIT" => units(world),
        "__ALL_UNIT_CONFIG" => world.configs.iter().map(config).collect(),
        _ => Vec::new(),
    }
}

fn tenants(world: &World) -> Vec<Row> {
    let zones = world.zone_names();
    let one = |id: i64, name: &str, status: &str, created: i64, locality: &str| {
        row![
            "GMT_CREATE" => Val::Moment(created),
            "GMT_MODIFIED" => Val::Moment(created),
            "TENANT_ID" => id,
            "TENANT_NAME" => name,
            "REPLICA_NUM" => -1,
            "ZONE_LIST" => zones.join(";"),
            "PRIMARY_ZONE" => "RANDOM",
            "COLLATION_TYPE" => 0,
            "INFO" => "",
            "LOCALITY" => locality,
            "COMPATIBILITY_MODE" => 0,
            "DROP_TENANT_TIME" => -1,
            "STATUS" => status,
            "IN_RECYCLEBIN" => 0,
        ]
    };
    let mut rows = vec![one(
        1,
        "sys",
        "TENANT_STATUS_NORMAL",
        world.setup.start_us,
        "FULL{1}@zone1",
    )];
    for t in &world.tenants {
        let status = match t.status {
            Status::Normal => "TENANT_STATUS_NORMAL",
            Status::Restore => "TENANT_STATUS_RESTORE",
            Status::Dropping => "TENANT_STATUS_DROPPING",
        };
        rows.push(one(t.id, &t.name, status, t.created_us, &t.locality));
    }
    rows
}

fn servers(world: &World) -> Vec<Row> {
    world
        .servers
        .iter()
        .map(|s| {
            row![
                "GMT_CREATE" => Val::Moment(s.started_us),
                "GMT_MODIFIED" => Val::Moment(s.started_us),
                "SVR_IP" => s.ip.as_str(),
                "SVR_PORT" => 2882,
                "ID" => s.id,
                "ZONE" => s.zone.as_str(),
                "INNER_PORT" => 2881,
                "WITH_ROOTSERVER" => if s.id == 1 { 1 } else { 0 },
                "STATUS" => "active",
                "BUILD_VERSION" => s.version.as_str(),
                "START_SERVICE_TIME" => s.started_us,
                "WITH_PARTITION" => 1,
            ]
        })
        .collect()
}

fn zones(world: &World) -> Vec<Row> {
    let mut rows = vec![row![
        "ZONE" => "",
        "NAME" => "cluster",
        "VALUE" => 0,
        "INFO" => world.setup.cluster_name.as_str(),
    ]];
    for s in &world.servers {
        for (name, value, info) in [
            ("status", 2, "ACTIVE"),
            ("region", 0, "sys_region"),
            ("idc", 0, ""),
            ("zone_type", 0, "ReadWrite"),
        ] {
            rows.push(row![
                "GMT_CREATE" => Val::Moment(s.started_us),
                "GMT_MODIFIED" => Val::Moment(s.started_us),
                "ZONE" => s.zone.as_str(),
                "NAME" => name,
                "VALUE" => value,
                "INFO" => info,
            ]);
        }
    }
    rows
}

fn pools(world: &World) -> Vec<Row> {
    world
        .pools
        .iter()
        .map(|p| {
            row![
                "GMT_CREATE" => Val::Moment(p.created_us),
                "GMT_MODIFIED" => Val::Moment(p.created_us),
                "RESOURCE_POOL_ID" => p.id,
                "NAME" => p.name.as_str(),
                "UNIT_COUNT" => p.unit_num,
                "UNIT_CONFIG_ID" => p.config,
                "ZONE_LIST" => p.zones.join(";"),
                "TENANT_ID" => p.tenant.unwrap_or(-1),
                "REPLICA_TYPE" => 0,
            ]
        })
        .collect()
}

fn config(c: &crate::world::resources::UnitConfig) -> Row {
    row![
        "GMT_CREATE" => Val::Moment(c.created_us),
        "GMT_MODIFIED" => Val::Moment(c.created_us),
        "UNIT_CONFIG_ID" => c.id,
        "UNIT_CONFIG_NAME" => c.name.as_str(),
        "NAME" => c.name.as_str(),
        "MAX_CPU" => c.max_cpu,
        "MIN_CPU" => c.min_cpu,
        "MAX_MEMORY" => c.memory,
        "MIN_MEMORY" => c.memory,
        "MAX_IOPS" => c.max_iops,
        "MIN_IOPS" => c.min_iops,
        "MAX_DISK_SIZE" => c.log_disk,
        "MAX_SESSION_NUM" => 1000,
    ]
}

fn units(world: &World) -> Vec<Row> {
    let mut rows = Vec::new();
    for unit in &world.units {
        let pool = world.pools.iter().find(|p| p.id == unit.pool);
        let server = world.servers.iter().find(|s| s.id == unit.server);
        let (Some(pool), Some(server)) = (pool, server) else {
            continue;
        };
        let tenant = pool.tenant.and_then(|t| world.tenant(t));
        let mut row = row![
            "UNIT_ID" => unit.id,
            "RESOURCE_POOL_ID" => pool.id,
            "RESOURCE_POOL_NAME" => pool.name.as_str(),
            "GROUP_ID" => unit.group,
            "ZONE" => server.zone.as_str(),
            "TENANT_ID" => pool.tenant.unwrap_or(-1),
            "TENANT_NAME" => tenant.map_or("sys", |t| t.name.as_str()),
            "SVR_IP" => server.ip.as_str(),
            "SVR_PORT" => 2882,
            "STATUS" => "ACTIVE",
            "REPLICA_TYPE" => 0,
        ];
        if let Some(found) = world.config(pool.config) {
            row.extend(config(found));
        }
        rows.push(row);
    }
    rows
}
