//! Parameters, and the destinations that are set like parameters.

use std::collections::BTreeMap;

use super::World;
use super::dest::{self, Kind};
use super::known::{KNOWN, Known};
use super::tenant::{ArchiveDest, DataDest};
use crate::SqlError;
use crate::calendar::{self, DAY_US};
use crate::error;
use crate::version::Version;

/// What was set, by tenant (`None` is the cluster) and name.
#[derive(Debug, Clone, Default)]
pub(crate) struct Parameters {
    values: BTreeMap<(Option<i64>, String), String>,
}

impl World {
    /// The parameters of this version.
    pub(crate) fn known_parameters(&self) -> impl Iterator<Item = &'static Known> {
        let version = self.version();
        KNOWN.iter().filter(move |k| {
            if version.is_legacy() {
                k.since == Version::V3_1_5
            } else {
                version >= k.since && !matches!(k.section, "BACKUP" | "RESTORE")
            }
        })
    }

    /// The value of a parameter.
    pub(crate) fn parameter(&self, tenant: Option<i64>, known: &Known) -> String {
        let scope = if known.tenant { tenant } else { None };
        if let Some(value) = self.parameters.values.get(&(scope, known.name.to_owned())) {
            return value.clone();
        }
        match known.name {
            "compatible" => tenant
                .and_then(|t| self.tenant(t))
                .map_or_else(|| self.version().full(), |t| t.compatible.clone()),
            "cluster" => self.setup.cluster_name.clone(),
            _ => known.default.to_owned(),
        }
    }

    /// The value of a cluster parameter that is known by name.
    pub(crate) fn cluster_parameter(&self, name: &str) -> String {
        KNOWN
            .iter()
            .find(|k| k.name == name)
            .map_or_else(String::new, |k| self.parameter(None, k))
    }

    /// Sets a parameter that is no destination; no tenants means the cluster.
    pub(crate) fn set_parameter(
        &mut self,
        tenants: &[i64],
        name: &str,
        value: &str,
    ) -> Result<(), SqlError> {
        let known = self
            .known_parameters()
            .find(|k| k.name == name)
            .ok_or_else(|| error::coded(5099, "System config unknown"))?;
        let wrong = || error::arguments(name);
        match known.kind {
            "INT" => {
                let number: i64 = value.parse().map_err(|_| wrong())?;
                if !(0..=100).contains(&number) {
                    return Err(wrong());
                }
            }
            "TIME" => {
                let us = calendar::interval(value).ok_or_else(wrong)?;
                if name == "archive_lag_target" && us > 7_200_000_000 {
                    return Err(wrong());
                }
            }
            _ => {}
        }
        if known.name == "archive_lag_target" {
            self.check_lag(tenants, value)?;
        }
        self.change += 1;
        if known.tenant {
            for tenant in tenants {
                self.parameters
                    .values
                    .insert((Some(*tenant), name.to_owned()), value.to_owned());
            }
        } else {
            self.parameters
                .values
                .insert((None, name.to_owned()), value.to_owned());
        }
        Ok(())
    }

    fn check_lag(&self, tenants: &[i64], value: &str) -> Result<(), SqlError> {
        let short = calendar::interval(value).is_some_and(|us| us < 60_000_000);
        for tenant in tenants {
            let s3 = self
                .tenant(*tenant)
                .and_then(|t| t.archive_dest.as_ref())
                .is_some_and(|d| d.path.starts_with("s3://"));
            if s3 && short {
                return Err(error::not_allowed(
                    "archive_lag_target is smaller than 60s, set log_archive_dest to S3 is",
                ));
            }
        }
        Ok(())
    }

    /// `LOG_ARCHIVE_DEST`.
    pub(crate) fn set_archive_dest(&mut self, tenant: i64, text: &str) -> Result<(), SqlError> {
        if self.round_of(tenant).is_some_and(|r| !r.is_stopped()) {
            return Err(error::not_supported(
                "change archive dest when archive is running is not supported",
            ));
        }
        if text.trim().is_empty() {
            if let Some(t) = self.tenant_mut(tenant) {
                t.archive_dest = None;
            }
            return Ok(());
        }
        let wanted = destination(text)?;
        let uri = dest::parse(&wanted.location, self.version())?;
        if uri.s3 {
            let known = KNOWN.iter().find(|k| k.name == "archive_lag_target");
            let lag = known.map_or_else(String::new, |k| self.parameter(Some(tenant), k));
            if calendar::interval(&lag).is_some_and(|us| us < 60_000_000) {
                return Err(error::not_allowed(
                    "archive_lag_target is smaller than 60s, set log_archive_dest to S3 is",
                ));
            }
        }
        let dest_id = self.claim(&uri, tenant, Kind::Archive)?;
        if let Some(t) = self.tenant_mut(tenant) {
            t.archive_dest = Some(ArchiveDest {
                path: uri.key(),
                shown: uri.shown,
                mandatory: wanted.mandatory,
                dest_id,
                interval: wanted.interval,
                interval_us: wanted.interval_us,
                enabled: true,
            });
        }
        self.wake_archive(tenant, 0);
        Ok(())
    }

    /// `LOG_ARCHIVE_DEST_STATE`.
    pub(crate) fn set_archive_state(&mut self, tenant: i64, text: &str) -> Result<(), SqlError> {
        let enabled = match text.to_ascii_uppercase().as_str() {
            "ENABLE" => true,
            "DEFER" => false,
            _ => return Err(error::arguments("log_archive_dest_state")),
        };
        let wait = self.shortened(1_000_000);
        let set = self
            .tenant_mut(tenant)
            .and_then(|t| t.archive_dest.as_mut())
            .map(|d| d.enabled = enabled);
        if set.is_none() {
            return Err(error::not_supported(
                "set archive dest state without archive dest is not supported",
            ));
        }
        self.wake_archive(tenant, wait);
        Ok(())
    }

    /// `DATA_BACKUP_DEST`.
    pub(crate) fn set_data_dest(&mut self, tenant: i64, text: &str) -> Result<(), SqlError> {
        if self.jobs.iter().any(|j| j.tenant == tenant && !j.is_over()) {
            return Err(error::in_progress());
        }
        let new = if text.trim().is_empty() {
            DataDest {
                path: String::new(),
                shown: String::new(),
                dest_id: 0,
            }
        } else {
            let uri = dest::parse(text.trim(), self.version())?;
            let dest_id = self.claim(&uri, tenant, Kind::Data)?;
            DataDest {
                path: uri.key(),
                shown: uri.shown,
                dest_id,
            }
        };
        if let Some(t) = self.tenant_mut(tenant) {
            t.data_dest = Some(new);
        }
        Ok(())
    }
}

struct Wanted {
    location: String,
    mandatory: bool,
    interval: String,
    interval_us: i64,
}

/// `LOCATION=... BINDING=... PIECE_SWITCH_INTERVAL=... COMPRESSION=...`.
fn destination(text: &str) -> Result<Wanted, SqlError> {
    let mut wanted = Wanted {
        location: String::new(),
        mandatory: false,
        interval: "1d".to_owned(),
        interval_us: DAY_US,
    };
    for part in text.split_whitespace() {
        let (key, value) = part
            .split_once('=')
            .ok_or_else(|| error::not_supported("set archive dest option is not supported"))?;
        match key.to_ascii_uppercase().as_str() {
            "LOCATION" => wanted.location = value.to_owned(),
            "BINDING" => {
                wanted.mandatory = match value.to_ascii_uppercase().as_str() {
                    "MANDATORY" => true,
                    "OPTIONAL" => false,
                    _ => return Err(error::not_supported("archive binding is not supported")),
                }
            }
            "PIECE_SWITCH_INTERVAL" => {
                wanted.interval_us = calendar::interval(value)
                    .filter(|us| (DAY_US..=7 * DAY_US).contains(us))
                    .ok_or_else(|| {
                        error::not_supported(
                            "invalid piece_switch_interval out of range [1d,7d] is not supported",
                        )
                    })?;
                value.clone_into(&mut wanted.interval);
            }
            "COMPRESSION"
                if matches!(value.to_ascii_lowercase().as_str(), "enable" | "disable") => {}
            _ => return Err(error::not_supported("archive dest option is not supported")),
        }
    }
    if wanted.location.is_empty() {
        return Err(error::not_supported(
            "set archive dest without location is not supported",
        ));
    }
    Ok(wanted)
}
