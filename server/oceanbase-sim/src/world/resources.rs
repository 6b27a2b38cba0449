//! Servers, units and pools.

use super::World;
use super::unit_options::{UNSAID, apply};
use crate::SqlError;
use crate::error;

const GIB: i64 = 1 << 30;

/// A server; the RPC port is 2882 and the SQL port 2881.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    pub(crate) id: i64,
    pub(crate) ip: String,
    pub(crate) zone: String,
    pub(crate) version: String,
    pub(crate) started_us: i64,
    pub(crate) cpu: i64,
    pub(crate) memory: i64,
    pub(crate) log_disk: i64,
    pub(crate) data_disk: i64,
}

/// A resource unit.
#[derive(Debug, Clone)]
pub(crate) struct UnitConfig {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) max_cpu: f64,
    pub(crate) min_cpu: f64,
    pub(crate) memory: i64,
    pub(crate) log_disk: i64,
    pub(crate) max_iops: i64,
    pub(crate) min_iops: i64,
    pub(crate) iops_weight: i64,
    pub(crate) created_us: i64,
}

/// A resource pool.
#[derive(Debug, Clone)]
pub(crate) struct Pool {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) tenant: Option<i64>,
    pub(crate) config: i64,
    pub(crate) unit_num: i64,
    pub(crate) zones: Vec<String>,
    pub(crate) created_us: i64,
}

/// A unit on a server.
#[derive(Debug, Clone)]
pub(crate) struct Unit {
    pub(crate) id: i64,
    pub(crate) pool: i64,
    pub(crate) group: i64,
    pub(crate) server: i64,
    pub(crate) created_us: i64,
}

impl World {
    fn unit_config(&self, id: i64, name: &str, memory: i64) -> UnitConfig {
        UnitConfig {
            id,
            name: name.to_owned(),
            max_cpu: 2.0,
            min_cpu: 2.0,
            memory,
            log_disk: memory * 3,
            max_iops: 10_000,
            min_iops: 10_000,
            iops_weight: 0,
            created_us: self.now_us,
        }
    }

    /// Servers, the system unit and one unit for the tenants of the setup.
    pub(crate) fn found(&mut self) {
        let tenants = i64::from(self.setup.tenants);
        let zones = i64::from(self.setup.zones.max(1));
        // The first servers of all zones come first, so that theirs are the low numbers.
        for id in 1..=zones * i64::from(self.setup.servers_per_zone.max(1)) {
            let (row, zone) = ((id - 1) / zones, (id - 1) % zones + 1);
            self.servers.push(Server {
                id,
                ip: format!("10.0.{row}.{zone}"),
                zone: format!("zone{zone}"),
                version: self.build_version(),
                started_us: self.now_us,
                cpu: 2 + tenants * 2 + 10,
                memory: (4 + tenants * 8 + 40) * GIB,
                log_disk: (12 + tenants * 24 + 120) * GIB,
                data_disk: 1024 * GIB,
            });
        }
        self.configs
            .push(self.unit_config(1, "sys_unit_config", 4 * GIB));
        self.configs
            .push(self.unit_config(self.ids.config, "tenant_unit", 8 * GIB));
        self.ids.config += 1;
        let zones = self.zone_names();
        self.add_pool(Pool {
            id: 1,
            name: "sys_pool".to_owned(),
            tenant: Some(1),
            config: 1,
            unit_num: 1,
            zones,
            created_us: self.now_us,
        });
    }

    /// Zones, each once.
    pub(crate) fn zone_names(&self) -> Vec<String> {
        let mut zones: Vec<String> = Vec::new();
        for server in &self.servers {
            if !zones.contains(&server.zone) {
                zones.push(server.zone.clone());
            }
        }
        zones
    }

    /// `4.2.1.6_...` as servers report it.
    pub(crate) fn build_version(&self) -> String {
        format!(
            "{}_1-simulated(Jan  1 2026 00:00:00)",
            self.version().full()
        )
    }

    pub(crate) fn grant_own_pool(&mut self, tenant: i64, name: &str) {
        let name = format!("pool_{name}");
        if let Some(free) = self
            .pools
            .iter_mut()
            .find(|p| p.name == name && p.tenant.is_none())
        {
            free.tenant = Some(tenant);
            return;
        }
        let id = self.ids.pool;
        self.ids.pool += 1;
        let zones = self.zone_names();
        self.add_pool(Pool {
            id,
            name,
            tenant: Some(tenant),
            config: 1001,
            unit_num: 1,
            zones,
            created_us: self.now_us,
        });
    }

    fn add_pool(&mut self, pool: Pool) {
        self.change += 1;
        let size = self.config(pool.config).cloned();
        let count = usize::try_from(pool.unit_num).unwrap_or(usize::MAX);
        let mut servers: Vec<i64> = Vec::new();
        for zone in &pool.zones {
            let mut here = self.servers_of(zone);
            // Where there is room first; the tenants of the setup lie side by side whatever there is.
            here.sort_by_key(|id| !size.as_ref().is_some_and(|size| self.holds(*id, size)));
            servers.extend(here.into_iter().take(count));
        }
        for server in servers {
            let id = if pool.id == 1 {
                server
            } else {
                self.ids.unit += 1;
                self.ids.unit - 1
            };
            self.units.push(Unit {
                id,
                pool: pool.id,
                group: pool.id,
                server,
                created_us: self.now_us,
            });
        }
        self.pools.push(pool);
    }

    pub(crate) fn config(&self, id: i64) -> Option<&UnitConfig> {
        self.configs.iter().find(|c| c.id == id)
    }

    fn config_named(&self, name: &str) -> Option<&UnitConfig> {
        self.configs
            .iter()
            .find(|c| c.name.eq_ignore_ascii_case(name))
    }

    pub(crate) fn pool_named(&self, name: &str) -> Option<&Pool> {
        self.pools
            .iter()
            .find(|p| p.name.eq_ignore_ascii_case(name))
    }

    /// CPU, memory and log disk that the units of a server take.
    pub(crate) fn assigned(&self, server: i64) -> (f64, i64, i64) {
        let mut sum = (0.0, 0, 0);
        for unit in self.units.iter().filter(|u| u.server == server) {
            let pool = self.pools.iter().find(|p| p.id == unit.pool);
            if let Some(config) = pool.and_then(|p| self.config(p.config)) {
                sum.0 += config.max_cpu;
                sum.1 += config.memory;
                sum.2 += config.log_disk;
            }
        }
        sum
    }

    pub(crate) fn create_unit(
        &mut self,
        name: &str,
        if_not_exists: bool,
        options: &[(String, String)],
    ) -> Result<(), SqlError> {
        if self.config_named(name).is_some() {
            return if if_not_exists {
                Ok(())
            } else {
                Err(error::coded(
                    4649,
                    format!("resource unit '{name}' already exist"),
                ))
            };
        }
        let required: &[&str] = if self.version().is_legacy() {
            &[
                "MAX_CPU",
                "MAX_MEMORY",
                "MAX_IOPS",
                "MAX_DISK_SIZE",
                "MAX_SESSION_NUM",
            ]
        } else {
            &["MAX_CPU", "MEMORY_SIZE"]
        };
        for wanted in required {
            if !options.iter().any(|(n, _)| n == wanted) {
                return Err(error::missing_argument(wanted));
            }
        }
        let mut config = self.unit_config(self.ids.config, name, GIB);
        config.min_cpu = -1.0;
        config.log_disk = UNSAID;
        apply(&mut config, options)?;
        if config.min_cpu < 0.0 {
            config.min_cpu = config.max_cpu;
        }
        if config.log_disk == UNSAID {
            config.log_disk = config.memory * 3;
        }
        self.ids.config += 1;
        self.change += 1;
        self.configs.push(config);
        Ok(())
    }

    pub(crate) fn alter_unit(
        &mut self,
        name: &str,
        options: &[(String, String)],
    ) -> Result<(), SqlError> {
        self.change += 1;
        let config = self
            .configs
            .iter_mut()
            .find(|c| c.name.eq_ignore_ascii_case(name))
            .ok_or_else(|| no_unit(name))?;
        let mut changed = config.clone();
        apply(&mut changed, options)?;
        *config = changed;
        Ok(())
    }

    pub(crate) fn drop_unit(&mut self, name: &str, if_exists: bool) -> Result<(), SqlError> {
        let Some(config) = self.config_named(name) else {
            return if if_exists {
                Ok(())
            } else {
                Err(no_unit(name))
            };
        };
        let id = config.id;
        if self.pools.iter().any(|p| p.config == id) {
            return Err(error::coded(
                4634,
                format!("resource unit '{name}' is referenced by some resource pool"),
            ));
        }
        self.change += 1;
        self.configs.retain(|c| c.id != id);
        Ok(())
    }

    pub(crate) fn create_pool(
        &mut self,
        name: &str,
        if_not_exists: bool,
        options: &[(String, String)],
        zones: &[String],
    ) -> Result<(), SqlError> {
        if self.pool_named(name).is_some() {
            return if if_not_exists {
                Ok(())
            } else {
                Err(error::coded(
                    4651,
                    format!("resource pool '{name}' already exist"),
                ))
            };
        }
        let option = |key: &str| options.iter().find(|(n, _)| n == key).map(|(_, v)| v);
        let unit = option("UNIT").ok_or_else(|| error::missing_argument("unit"))?;
        let config = self
            .config_named(unit)
            .cloned()
            .ok_or_else(|| no_unit(unit))?;
        let unit_num: i64 = option("UNIT_NUM")
            .ok_or_else(|| error::missing_argument("unit_num"))?
            .parse()
            .ok()
            .filter(|n| *n >= 1)
            .ok_or_else(|| error::arguments("unit_num"))?;
        let zones = if zones.is_empty() {
            self.zone_names()
        } else {
            zones.to_vec()
        };
        for zone in &zones {
            self.has_room(zone, &config, unit_num)?;
        }
        let id = self.ids.pool;
        self.ids.pool += 1;
        self.add_pool(Pool {
            id,
            name: name.to_owned(),
            tenant: None,
            config: config.id,
            unit_num,
            zones,
            created_us: self.now_us,
        });
        Ok(())
    }

    fn servers_of(&self, zone: &str) -> Vec<i64> {
        let servers = self.servers.iter();
        let here = servers.filter(|s| s.zone.eq_ignore_ascii_case(zone));
        here.map(|s| s.id).collect()
    }

    /// Whether a server holds one more unit.
    fn holds(&self, server: i64, config: &UnitConfig) -> bool {
        let (cpu, memory, log) = self.assigned(server);
        self.servers.iter().any(|s| {
            s.id == server
                && cpu + config.max_cpu <= s.cpu as f64
                && memory + config.memory <= s.memory
                && log + config.log_disk <= s.log_disk
        })
    }

    /// Whether a zone holds that many more units, each on a server of its own.
    fn has_room(&self, zone: &str, config: &UnitConfig, unit_num: i64) -> Result<(), SqlError> {
        let here = self.servers_of(zone);
        if here.is_empty() {
            return Err(error::arguments("zone_list"));
        }
        let room = here.iter().filter(|id| self.holds(**id, config)).count();
        if i64::try_from(room).unwrap_or(0) < unit_num {
            return Err(error::coded(
                4624,
                format!("machine resource '{zone}' is not enough to hold a new unit"),
            ));
        }
        Ok(())
    }

    pub(crate) fn drop_pool(&mut self, name: &str, if_exists: bool) -> Result<(), SqlError> {
        let Some(pool) = self.pool_named(name) else {
            return if if_exists {
                Ok(())
            } else {
                Err(no_pool(name))
            };
        };
        if pool.tenant.is_some() {
            return Err(pool_granted(name));
        }
        let id = pool.id;
        self.change += 1;
        self.pools.retain(|p| p.id != id);
        self.units.retain(|u| u.pool != id);
        Ok(())
    }
}

fn no_unit(name: &str) -> SqlError {
    error::coded(4648, format!("resource unit '{name}' does not exist"))
}

pub(crate) fn no_pool(name: &str) -> SqlError {
    error::coded(4650, format!("resource pool '{name}' does not exist"))
}

pub(crate) fn pool_granted(name: &str) -> SqlError {
    error::coded(
        4626,
        format!("resource pool '{name}' has already been granted to a tenant"),
    )
}
