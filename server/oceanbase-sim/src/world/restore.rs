//! Restore: what is checked before a job exists.

use super::select::Selection;
use super::tenant::{Role, Status};
use super::{Event, World, resources};
use crate::sql::statement::{Restore, Until};
use crate::version::Version;
use crate::{SqlError, calendar, error};

/// Where a restore stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Only 4.0 shows it: the tenant does not exist yet.
    Creating,
    Restoring,
    Upgrade,
    Success,
    Fail,
    /// In the history.
    Over,
}

/// A restore.
#[derive(Debug, Clone)]
pub(crate) struct RestoreJob {
    pub(crate) id: i64,
    pub(crate) tenant: i64,
    pub(crate) name: String,
    pub(crate) selection: Selection,
    pub(crate) dest: String,
    pub(crate) options: String,
    pub(crate) quick: bool,
    pub(crate) description: String,
    pub(crate) stage: Stage,
    pub(crate) failed: bool,
    pub(crate) started_us: i64,
    pub(crate) ended_us: Option<i64>,
    pub(crate) comment: String,
    pub(crate) until_us: i64,
    /// Whether the tenant got far enough to have a row of its own.
    pub(crate) tenant_row: bool,
}

/// The `&`-joined options of WITH.
#[derive(Debug, Clone, Default)]
pub(crate) struct Options {
    pub(crate) pools: Vec<String>,
    pub(crate) locality: Option<String>,
    pub(crate) primary_zone: Option<String>,
    pub(crate) quick: bool,
}

impl Options {
    pub(crate) fn parse(text: &str, version: Version) -> Result<Options, SqlError> {
        let mut options = Options::default();
        for pair in text.split('&').filter(|p| !p.trim().is_empty()) {
            let (key, value) = pair
                .split_once('=')
                .ok_or_else(|| error::arguments("restore option"))?;
            let value = value.trim();
            match key.trim().to_ascii_lowercase().as_str() {
                "pool_list" => {
                    options.pools = value
                        .split(',')
                        .map(|p| p.trim().to_owned())
                        .filter(|p| !p.is_empty())
                        .collect();
                }
                "locality" => options.locality = Some(value.to_owned()),
                "primary_zone" => options.primary_zone = Some(value.to_owned()),
                "concurrency" => {
                    if !value.parse::<i64>().is_ok_and(|n| (0..=100).contains(&n)) {
                        return Err(error::arguments("restore concurrency"));
                    }
                }
                "kms_encrypt" => {}
                "method" if version >= Version::V4_3_3 => {
                    options.quick = match value.to_ascii_lowercase().as_str() {
                        "full" => false,
                        "quick" => true,
                        _ => return Err(error::arguments("restore method")),
                    }
                }
                _ => return Err(error::arguments("restore option")),
            }
        }
        if options.pools.is_empty() {
            return Err(error::missing_argument("pool_list"));
        }
        Ok(options)
    }
}

impl World {
    /// The SCN of an UNTIL; the text of a time is in the backup's system time zone.
    pub(crate) fn until_scn(&self, until: Option<&Until>) -> Result<Option<i64>, SqlError> {
        match until {
            None => Ok(None),
            Some(Until::Scn(scn)) => match i64::try_from(*scn) {
                Ok(scn) if scn > 1 => Ok(Some(scn)),
                _ => Err(error::arguments("until scn, it should be positive integer")),
            },
            Some(Until::Time(text)) => calendar::parse(text, 480)
                .and_then(|us| us.checked_mul(1000))
                .map(Some)
                .ok_or_else(|| error::arguments("until timestamp")),
        }
    }

    /// Whether pools exist and are free; their ids.
    pub(crate) fn free_pools(&self, names: &[String]) -> Result<Vec<i64>, SqlError> {
        let mut ids = Vec::new();
        for name in names {
            let pool = self
                .pool_named(name)
                .ok_or_else(|| resources::no_pool(name))?;
            if pool.tenant.is_some() {
                return Err(resources::pool_granted(name));
            }
            ids.push(pool.id);
        }
        Ok(ids)
    }

    /// `ALTER SYSTEM RESTORE`; gives how long the statement takes, in us.
    pub(crate) fn start_restore(
        &mut self,
        restore: &Restore,
        source: &[String],
        passwords: &[String],
    ) -> Result<i64, SqlError> {
        if !self.one_version() {
            return Err(error::not_allowed("cluster is in upgrade mode, restore is"));
        }
        let from = self.restore_from(restore.from.clone(), source)?;
        let options = Options::parse(&restore.options, self.version())?;
        if self.tenant_named(&restore.name).is_some() {
            return Err(error::not_allowed(
                "restore tenant with existed tenant name is",
            ));
        }
        let until = self.until_scn(restore.until.as_ref())?;
        let selection = self.choose(&from, until, passwords)?;
        let pools = self.free_pools(&options.pools)?;
        self.add_restore(restore, options, selection, &pools);
        Ok(if self.version().has_roles() {
            self.shortened(10_000_000)
        } else {
            0
        })
    }

    /// The paths of a restore: of the statement or of the session, not of both.
    pub(crate) fn restore_from(
        &self,
        from: Option<String>,
        source: &[String],
    ) -> Result<String, SqlError> {
        match (from, source.is_empty()) {
            (Some(_), false) => Err(error::not_supported(
                "have backup_dest and restore_source at the same time",
            )),
            (Some(from), true) => Ok(from),
            (None, false) => Ok(roots(source)),
            (None, true) => Err(error::missing_argument("backup_dest")),
        }
    }

    pub(crate) fn add_restore(
        &mut self,
        restore: &Restore,
        options: Options,
        selection: Selection,
        pools: &[i64],
    ) -> i64 {
        let late = !self.version().has_roles();
        let id = self.ids.job;
        self.ids.job += 1;
        let tenant = self.next_tenant_id();
        for pool in self.pools.iter_mut().filter(|p| pools.contains(&p.id)) {
            pool.tenant = Some(tenant);
        }
        let data = selection.sets.last().map(|s| s.root.clone());
        let archive = selection.pieces.first().map(|p| p.root.clone());
        let dest: Vec<String> = data.into_iter().chain(archive).collect();
        self.restores.push(RestoreJob {
            id,
            tenant,
            name: restore.name.clone(),
            selection,
            dest: dest.join(","),
            options: restore.options.clone(),
            quick: options.quick,
            description: restore.description.clone(),
            stage: Stage::Creating,
            failed: false,
            started_us: self.now_us,
            ended_us: None,
            comment: String::new(),
            until_us: self.now_us + self.shortened(60_000_000),
            tenant_row: false,
        });
        self.change += 1;
        if late {
            let wait = self.shortened(5_000_000);
            self.later(wait, Event::Restore(id));
        } else {
            self.make_restored_tenant(id);
            let wait = self.shortened(30_000_000);
            self.later(wait, Event::Restore(id));
        }
        if let Some(tenant) = self.tenant_mut(tenant) {
            if let Some(locality) = options.locality {
                tenant.locality = locality;
            }
            if let Some(zone) = options.primary_zone {
                tenant.primary_zone = zone;
            }
        }
        id
    }

    /// The tenant of a restore comes into being.
    pub(crate) fn make_restored_tenant(&mut self, id: i64) {
        let Some(job) = self.restores.iter_mut().find(|j| j.id == id) else {
            return;
        };
        job.stage = Stage::Restoring;
        job.tenant_row = true;
        let (tenant, name) = (job.tenant, job.name.clone());
        let last = job.selection.sets.last();
        let compatible = last.map_or_else(String::new, |s| s.compatible.clone());
        let scn = last.map_or(0, |s| s.consistent_scn);
        self.create_tenant(&name, Some(tenant));
        if let Some(tenant) = self.tenant_mut(tenant) {
            tenant.status = Status::Restore;
            tenant.role = Role::Restore;
            tenant.compatible = compatible;
            tenant.restored_scn = Some(scn);
        }
    }

    /// `ACTIVATE STANDBY`.
    pub(crate) fn activate(&mut self, id: i64) -> Result<(), SqlError> {
        let Some(tenant) = self.tenant_mut(id) else {
            return Ok(());
        };
        if tenant.status != Status::Normal {
            return Err(error::not_allowed(
                "tenant status is not normal, failover to primary is",
            ));
        }
        if tenant.role == Role::Standby {
            tenant.role = Role::Primary;
            tenant.restored_scn = None;
        }
        Ok(())
    }
}

/// The roots of paths of single sets and pieces.
fn roots(source: &[String]) -> String {
    let mut roots: Vec<String> = Vec::new();
    for path in source {
        let (place, host) = path.split_once('?').unwrap_or((path, ""));
        let place = place.trim_end_matches('/');
        let last = place.rsplit('/').next().unwrap_or_default();
        let root = if last.starts_with("backup_set_") || last.starts_with("piece_d") {
            &place[..place.len() - last.len() - 1]
        } else {
            place
        };
        let root = if host.is_empty() {
            root.to_owned()
        } else {
            format!("{root}?{host}")
        };
        if !roots.contains(&root) {
            roots.push(root);
        }
    }
    roots.join(",")
}
