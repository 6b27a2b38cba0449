//! Tenants, servers, zones, units and parameters.

use super::{Row, Val, row};
use crate::world::World;
use crate::world::tenant::{Role, Status, Tenant};

pub(super) fn rows(world: &World, view: &str) -> Vec<Row> {
    match view {
        "DBA_OB_TENANTS" => tenants(world),
        "DBA_OB_SERVERS" => servers(world),
        "GV$OB_SERVERS" => server_capacity(world),
        "DBA_OB_ZONES" => zones(world),
        "DBA_OB_UNITS" | "GV$OB_UNITS" => units(world),
        "DBA_OB_UNIT_CONFIGS" => unit_configs(world),
        "DBA_OB_RESOURCE_POOLS" => pools(world),
        "GV$OB_PARAMETERS" => parameters(world, None),
        "DBA_OB_CLUSTER_EVENT_HISTORY" => events(world),
        _ => Vec::new(),
    }
}

fn tenants(world: &World) -> Vec<Row> {
    let since = world.setup.start_us;
    let mut rows = vec![plain_tenant(world, 1, "sys", "SYS", since, "FULL{1}@zone1")];
    for tenant in &world.tenants {
        let meta = format!("META${}", tenant.id);
        rows.push(plain_tenant(
            world,
            tenant.id - 1,
            &meta,
            "META",
            tenant.created_us,
            &tenant.locality,
        ));
        rows.push(user_tenant(world, tenant));
    }
    rows
}

fn plain_tenant(
    world: &World,
    id: i64,
    name: &str,
    kind: &str,
    created_us: i64,
    locality: &str,
) -> Row {
    row![
        "TENANT_ID" => id,
        "TENANT_NAME" => name,
        "TENANT_TYPE" => kind,
        "CREATE_TIME" => Val::Moment(created_us),
        "MODIFY_TIME" => Val::Moment(created_us),
        "PRIMARY_ZONE" => "RANDOM",
        "LOCALITY" => locality,
        "COMPATIBILITY_MODE" => "MYSQL",
        "STATUS" => "NORMAL",
        "IN_RECYCLEBIN" => "NO",
        "LOCKED" => "NO",
        "TENANT_ROLE" => "PRIMARY",
        "SWITCHOVER_STATUS" => "NORMAL",
        "SWITCHOVER_EPOCH" => 0,
        "LOG_MODE" => "NOARCHIVELOG",
        "ARBITRATION_SERVICE_STATUS" => "DISABLED",
        "UNIT_NUM" => 1,
        "COMPATIBLE" => world.version().full(),
        "MAX_LS_ID" => 1,
        "RESTORE_DATA_MODE" => "NORMAL",
    ]
}

fn user_tenant(world: &World, t: &Tenant) -> Row {
    let status = match t.status {
        Status::Normal => "NORMAL",
        Status::Restore => "RESTORE",
        Status::Dropping => "DROPPING",
    };
    let role = match t.role {
        Role::Primary => "PRIMARY",
        Role::Standby => "STANDBY",
        Role::Restore => "RESTORE",
    };
    let scn = t.restored_scn.unwrap_or(world.now_scn());
    let until = t.restored_scn.unwrap_or(4_611_686_018_427_387_903);
    row![
        "TENANT_ID" => t.id,
        "TENANT_NAME" => t.name.as_str(),
        "TENANT_TYPE" => "USER",
        "CREATE_TIME" => Val::Moment(t.created_us),
        "MODIFY_TIME" => Val::Moment(t.modified_us),
        "PRIMARY_ZONE" => t.primary_zone.as_str(),
        "LOCALITY" => t.locality.as_str(),
        "COMPATIBILITY_MODE" => "MYSQL",
        "STATUS" => status,
        "IN_RECYCLEBIN" => if t.in_recyclebin { "YES" } else { "NO" },
        "LOCKED" => "NO",
        "TENANT_ROLE" => role,
        "SWITCHOVER_STATUS" => "NORMAL",
        "SWITCHOVER_EPOCH" => 0,
        "SYNC_SCN" => scn,
        "REPLAYABLE_SCN" => scn,
        "READABLE_SCN" => scn,
        "RECOVERY_UNTIL_SCN" => until,
        "LOG_MODE" => if t.archivelog { "ARCHIVELOG" } else { "NOARCHIVELOG" },
        "ARBITRATION_SERVICE_STATUS" => "DISABLED",
        "UNIT_NUM" => units_of(world, t.id),
        "COMPATIBLE" => t.compatible.as_str(),
        "MAX_LS_ID" => 1001,
        "RESTORE_DATA_MODE" => "NORMAL",
    ]
}

/// Units of a tenant in each zone.
fn units_of(world: &World, tenant: i64) -> i64 {
    let pools = world.pools.iter().filter(|p| p.tenant == Some(tenant));
    pools.map(|p| p.unit_num).max().unwrap_or(1)
}

fn servers(world: &World) -> Vec<Row> {
    world
        .servers
        .iter()
        .map(|s| {
            row![
                "SVR_IP" => s.ip.as_str(),
                "SVR_PORT" => 2882,
                "ID" => s.id,
                "ZONE" => s.zone.as_str(),
                "SQL_PORT" => 2881,
                "WITH_ROOTSERVER" => if s.id == 1 { "YES" } else { "NO" },
                "STATUS" => "ACTIVE",
                "START_SERVICE_TIME" => Val::Moment(s.started_us),
                "CREATE_TIME" => Val::Moment(s.started_us),
                "MODIFY_TIME" => Val::Moment(s.started_us),
                "BUILD_VERSION" => s.version.as_str(),
            ]
        })
        .collect()
}

fn server_capacity(world: &World) -> Vec<Row> {
    world
        .servers
        .iter()
        .map(|s| {
            let (cpu, memory, log) = world.assigned(s.id);
            row![
                "SVR_IP" => s.ip.as_str(),
                "SVR_PORT" => 2882,
                "ZONE" => s.zone.as_str(),
                "SQL_PORT" => 2881,
                "CPU_CAPACITY" => s.cpu,
                "CPU_CAPACITY_MAX" => s.cpu as f64,
                "CPU_ASSIGNED" => cpu,
                "CPU_ASSIGNED_MAX" => cpu,
                "MEM_CAPACITY" => s.memory,
                "MEM_ASSIGNED" => memory,
                "LOG_DISK_CAPACITY" => s.log_disk,
                "LOG_DISK_ASSIGNED" => log,
                "LOG_DISK_IN_USE" => log / 3,
                "DATA_DISK_CAPACITY" => s.data_disk,
                "DATA_DISK_IN_USE" => s.data_disk / 8,
                "DATA_DISK_HEALTH_STATUS" => "NORMAL",
                "MEMORY_LIMIT" => s.memory + (4 << 30),
                "DATA_DISK_ALLOCATED" => s.data_disk,
            ]
        })
        .collect()
}

fn zones(world: &World) -> Vec<Row> {
    let since = world.setup.start_us;
    let row = |zone: String| {
        row![
            "ZONE" => zone,
            "CREATE_TIME" => Val::Moment(since),
            "MODIFY_TIME" => Val::Moment(since),
            "STATUS" => "ACTIVE",
            "IDC" => "",
            "REGION" => "sys_region",
            "TYPE" => "ReadWrite",
        ]
    };
    world.zone_names().into_iter().map(row).collect()
}

fn units(world: &World) -> Vec<Row> {
    let mut rows = Vec::new();
    for unit in &world.units {
        let pool = world.pools.iter().find(|p| p.id == unit.pool);
        let server = world.servers.iter().find(|s| s.id == unit.server);
        let (Some(pool), Some(server)) = (pool, server) else {
            continue;
        };
        let Some(config) = world.config(pool.config) else {
            continue;
        };
        rows.push(row![
            "UNIT_ID" => unit.id,
            "TENANT_ID" => pool.tenant,
            "STATUS" => "ACTIVE",
            "RESOURCE_POOL_ID" => pool.id,
            "UNIT_GROUP_ID" => unit.group,
            "CREATE_TIME" => Val::Moment(unit.created_us),
            "MODIFY_TIME" => Val::Moment(unit.created_us),
            "ZONE" => server.zone.as_str(),
            "ZONE_TYPE" => "ReadWrite",
            "REGION" => "sys_region",
            "SVR_IP" => server.ip.as_str(),
            "SVR_PORT" => 2882,
            "UNIT_CONFIG_ID" => config.id,
            "MAX_CPU" => config.max_cpu,
            "MIN_CPU" => config.min_cpu,
            "MEMORY_SIZE" => config.memory,
            "LOG_DISK_SIZE" => config.log_disk,
            "LOG_DISK_IN_USE" => config.log_disk / 3,
            "DATA_DISK_IN_USE" => 4_i64 << 30,
            "MAX_IOPS" => config.max_iops,
            "MIN_IOPS" => config.min_iops,
            "IOPS_WEIGHT" => config.iops_weight,
        ]);
    }
    rows
}

fn unit_configs(world: &World) -> Vec<Row> {
    world
        .configs
        .iter()
        .map(|c| {
            row![
                "UNIT_CONFIG_ID" => c.id,
                "NAME" => c.name.as_str(),
                "CREATE_TIME" => Val::Moment(c.created_us),
                "MODIFY_TIME" => Val::Moment(c.created_us),
                "MAX_CPU" => c.max_cpu,
                "MIN_CPU" => c.min_cpu,
                "MEMORY_SIZE" => c.memory,
                "LOG_DISK_SIZE" => c.log_disk,
                "MAX_IOPS" => c.max_iops,
                "MIN_IOPS" => c.min_iops,
                "IOPS_WEIGHT" => c.iops_weight,
            ]
        })
        .collect()
}

fn pools(world: &World) -> Vec<Row> {
    world
        .pools
        .iter()
        .map(|p| {
            row![
                "RESOURCE_POOL_ID" => p.id,
                "NAME" => p.name.as_str(),
                "TENANT_ID" => p.tenant,
                "CREATE_TIME" => Val::Moment(p.created_us),
                "MODIFY_TIME" => Val::Moment(p.created_us),
                "UNIT_COUNT" => p.unit_num,
                "UNIT_CONFIG_ID" => p.config,
                "ZONE_LIST" => p.zones.join(";"),
                "REPLICA_TYPE" => "FULL",
            ]
        })
        .collect()
}

/// The parameters on every server: of the cluster and one tenant, or of the cluster and all tenants.
pub(crate) fn parameters(world: &World, tenant: Option<i64>) -> Vec<Row> {
    let tenants: Vec<i64> = match tenant {
        Some(id) => vec![id],
        None => std::iter::once(1)
            .chain(world.tenants.iter().map(|t| t.id))
            .collect(),
    };
    let typed = world.version() >= crate::version::Version::V4_2_2;
    let mut rows = Vec::new();
    for server in &world.servers {
        for known in world.known_parameters() {
            let owners: Vec<Option<i64>> = if known.tenant {
                tenants.iter().copied().map(Some).collect()
            } else {
                vec![None]
            };
            for owner in owners {
                let value = world.parameter(owner, known);
                let default = value == known.default;
                rows.push(row![
                    "SVR_IP" => server.ip.as_str(),
                    "SVR_PORT" => 2882,
                    "SVR_TYPE" => "observer",
                    "ZONE" => server.zone.as_str(),
                    "SCOPE" => if known.tenant { "TENANT" } else { "CLUSTER" },
                    "TENANT_ID" => owner,
                    "NAME" => known.name,
                    "DATA_TYPE" => if typed { known.kind } else { "NULL" },
                    "VALUE" => value,
                    "INFO" => crate::world::known::INFO,
                    "SECTION" => known.section,
                    "SOURCE" => "DEFAULT",
                    "EDIT_LEVEL" => "DYNAMIC_EFFECTIVE",
                    "DEFAULT_VALUE" => known.default,
                    "ISDEFAULT" => if default { "1" } else { "0" },
                ]);
            }
        }
    }
    rows
}

fn events(world: &World) -> Vec<Row> {
    world
        .cluster_events
        .iter()
        .map(|e| {
            row![
                "TIMESTAMP" => Val::Moment(e.at_us),
                "MODULE" => "UPGRADE",
                "EVENT" => "UPGRADE_ALL",
                "NAME3" => "CURRENT_DATA_VERSION",
                "VALUE3" => e.version.as_str(),
                "NAME5" => "TENANT_ID",
                "VALUE5" => e.tenant.to_string(),
            ]
        })
        .collect()
}
