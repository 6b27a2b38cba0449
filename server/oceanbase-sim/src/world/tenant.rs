//! Tenants: their state, creation and end.

use super::{Event, World};
use crate::SqlError;
use crate::error;

/// A tenant's STATUS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Normal,
    Restore,
    Dropping,
}

/// A tenant's TENANT_ROLE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Primary,
    Standby,
    Restore,
}

/// An archive destination as configured.
#[derive(Debug, Clone)]
pub(crate) struct ArchiveDest {
    pub(crate) path: String,
    pub(crate) shown: String,
    pub(crate) mandatory: bool,
    pub(crate) dest_id: i64,
    pub(crate) interval: String,
    pub(crate) interval_us: i64,
    pub(crate) enabled: bool,
}

/// A data destination as configured.
#[derive(Debug, Clone)]
pub(crate) struct DataDest {
    pub(crate) path: String,
    pub(crate) shown: String,
    pub(crate) dest_id: i64,
}

/// A user tenant.
#[derive(Debug, Clone)]
pub(crate) struct Tenant {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) status: Status,
    pub(crate) role: Role,
    pub(crate) created_us: i64,
    pub(crate) modified_us: i64,
    pub(crate) locality: String,
    pub(crate) primary_zone: String,
    pub(crate) compatible: String,
    pub(crate) archivelog: bool,
    pub(crate) in_recyclebin: bool,
    /// Name before the recycle bin gave it another.
    pub(crate) original: String,
    pub(crate) archive_dest: Option<ArchiveDest>,
    /// `None` when never set, an empty path after clearing.
    pub(crate) data_dest: Option<DataDest>,
    pub(crate) window: Option<String>,
    pub(crate) next_set: i64,
    /// SCN up to which a standby has the data.
    pub(crate) restored_scn: Option<i64>,
    pub(crate) password: String,
    /// Whether the archive checkpoint stands still by a fault.
    pub(crate) frozen: bool,
}

/// A row of the cluster's event history.
#[derive(Debug, Clone)]
pub(crate) struct ClusterEvent {
    pub(crate) at_us: i64,
    pub(crate) tenant: i64,
    pub(crate) version: String,
}

impl Tenant {
    /// The data destination when one is set.
    pub(crate) fn data(&self) -> Option<&DataDest> {
        self.data_dest.as_ref().filter(|d| !d.path.is_empty())
    }
}

impl World {
    pub(crate) fn tenant(&self, id: i64) -> Option<&Tenant> {
        self.tenants.iter().find(|t| t.id == id)
    }

    pub(crate) fn tenant_mut(&mut self, id: i64) -> Option<&mut Tenant> {
        self.change += 1;
        self.tenants.iter_mut().find(|t| t.id == id)
    }

    pub(crate) fn tenant_named(&self, name: &str) -> Option<&Tenant> {
        self.tenants
            .iter()
            .find(|t| t.name.eq_ignore_ascii_case(name))
    }

    /// The id of a user tenant, or 5157.
    pub(crate) fn tenant_id(&self, name: &str) -> Result<i64, SqlError> {
        self.tenant_named(name)
            .map(|t| t.id)
            .ok_or_else(|| error::unknown_tenant(name))
    }

    /// The tenants of the setup.
    pub(crate) fn found_tenants(&mut self) {
        for number in 1..=self.setup.tenants {
            let name = format!("t{number}");
            self.create_tenant(&name, None);
        }
    }

    /// A tenant; with the next id it also gets a pool of its own.
    pub(crate) fn create_tenant(&mut self, name: &str, id: Option<i64>) -> i64 {
        let own_pool = id.is_none();
        let id = id.unwrap_or_else(|| self.next_tenant_id());
        let zones = self.zone_names();
        let locality: Vec<String> = zones
            .iter()
            .map(|zone| format!("FULL{{1}}@{zone}"))
            .collect();
        self.change += 1;
        self.tenants.push(Tenant {
            id,
            name: name.to_owned(),
            status: Status::Normal,
            role: Role::Primary,
            created_us: self.now_us,
            modified_us: self.now_us,
            locality: locality.join(", "),
            primary_zone: "RANDOM".to_owned(),
            compatible: self.version().full(),
            archivelog: false,
            in_recyclebin: false,
            original: name.to_owned(),
            archive_dest: None,
            data_dest: None,
            window: None,
            next_set: 1,
            restored_scn: None,
            password: self.setup.root_password.clone(),
            frozen: false,
        });
        if own_pool {
            self.grant_own_pool(id, name);
        }
        id
    }

    pub(crate) fn next_tenant_id(&mut self) -> i64 {
        let id = self.ids.tenant;
        self.ids.tenant += 2;
        id
    }

    /// `DROP TENANT`.
    pub(crate) fn drop_tenant(
        &mut self,
        name: &str,
        force: bool,
        recyclebin: bool,
    ) -> Result<(), SqlError> {
        let tenant = self
            .tenant_named(name)
            .ok_or_else(|| error::unknown_tenant(name))?;
        let (id, status, role) = (tenant.id, tenant.status, tenant.role);
        if force {
            self.remove_tenant(id);
            return Ok(());
        }
        if status != Status::Normal {
            return Err(error::not_supported(
                "should drop tenant force, tenant is restoring, creating or dropping",
            ));
        }
        if role == Role::Standby {
            self.remove_tenant(id);
            return Ok(());
        }
        let wait = self.shortened(10_000_000);
        let renamed = format!("__recycle_$_{id}_{}", self.now_us);
        if let Some(tenant) = self.tenant_mut(id) {
            if recyclebin {
                tenant.in_recyclebin = true;
                tenant.name = renamed;
            } else {
                tenant.status = Status::Dropping;
                self.later(wait, Event::TenantGone(id));
            }
        }
        Ok(())
    }

    /// A tenant in the recycle bin, by its name there or its former one.
    pub(crate) fn recycled(&self, name: &str) -> Result<i64, SqlError> {
        self.tenants
            .iter()
            .rev()
            .find(|t| {
                t.in_recyclebin
                    && (t.name.eq_ignore_ascii_case(name) || t.original.eq_ignore_ascii_case(name))
            })
            .map(|t| t.id)
            .ok_or_else(|| error::unknown_tenant(name))
    }

    /// `FLASHBACK TENANT`.
    pub(crate) fn flashback(&mut self, name: &str, rename: Option<&str>) -> Result<(), SqlError> {
        let id = self.recycled(name)?;
        let original = self.tenant(id).map(|t| t.original.clone());
        let new = rename.map_or_else(|| original.unwrap_or_default(), str::to_owned);
        if self.tenant_named(&new).is_some() {
            return Err(error::coded(5156, format!("Tenant '{new}' already exists")));
        }
        if let Some(tenant) = self.tenant_mut(id) {
            tenant.in_recyclebin = false;
            tenant.original.clone_from(&new);
            tenant.name = new;
        }
        Ok(())
    }

    /// A tenant is gone; what it left on storage stays there.
    pub(crate) fn remove_tenant(&mut self, id: i64) {
        self.change += 1;
        self.cancel_restores_into(id);
        self.end_legacy_restores_into(id);
        let jobs: Vec<i64> = self
            .jobs
            .iter()
            .filter(|j| j.tenant == id)
            .map(|j| j.id)
            .collect();
        for job in jobs {
            self.forget(Event::Backup(job));
        }
        self.jobs.retain(|j| j.tenant != id);
        self.clean_jobs.retain(|j| j.tenant != id);
        self.forget(Event::Archive(id));
        self.end_rounds_of(id);
        for pool in self.pools.iter_mut().filter(|p| p.tenant == Some(id)) {
            pool.tenant = None;
        }
        self.tenants.retain(|t| t.id != id);
    }

    /// `RUN UPGRADE JOB`.
    pub(crate) fn run_upgrade(&mut self, tenant: Option<&str>) -> Result<(), SqlError> {
        let ids: Vec<i64> = match tenant {
            Some(name) => vec![self.tenant_id(name)?],
            None => self.tenants.iter().map(|t| t.id).collect(),
        };
        let wait = self.shortened(5_000_000);
        for id in ids {
            self.later(wait, Event::Upgraded(id));
        }
        Ok(())
    }

    pub(crate) fn upgraded(&mut self, id: i64) {
        let version = self.version().full();
        let at_us = self.now_us;
        if let Some(tenant) = self.tenant_mut(id) {
            tenant.compatible.clone_from(&version);
            self.cluster_events.push(ClusterEvent {
                at_us,
                tenant: id,
                version,
            });
        }
    }
}
