//! Every statement that changes something in a cluster of version 4, and how it is shown without its secrets.

use crate::quote::{self, Unquotable};
use domain::{Scn, backup::BackupKind};

/// One statement. What is secret in it is left out when it is shown.
#[derive(Clone, PartialEq, Eq)]
pub enum Statement {
    /// Begins to archive the log of a tenant.
    StartArchive {
        /// Its name.
        tenant: String,
    },
    /// Ends the round.
    StopArchive {
        /// Its name.
        tenant: String,
    },
    /// Begins a data backup of one tenant.
    Backup {
        /// Its name.
        tenant: String,
        /// Full or incremental.
        kind: BackupKind,
        /// The console's mark, found again in the job's row.
        mark: String,
    },
    /// Asks the data backup of one tenant to stop.
    CancelBackup {
        /// Its name.
        tenant: String,
    },
    /// Where data backups of a tenant go.
    DataDestination {
        /// Its name.
        tenant: String,
        /// `file://`, `oss://`, `cos://` or `s3://`; may hold a key.
        uri: String,
    },
    /// Where the log of a tenant goes.
    LogDestination {
        /// Its name.
        tenant: String,
        /// Like the data's.
        uri: String,
        /// Days of log in one piece, 1 to 7.
        piece_days: u8,
    },
    /// How long backups of a tenant are kept.
    AddPolicy {
        /// Its name.
        tenant: String,
        /// Days.
        window_days: u32,
    },
    /// Ends the policy of a tenant.
    DropPolicy {
        /// Its name.
        tenant: String,
    },
    /// A size of units.
    CreateUnit {
        /// Its name.
        name: String,
        /// Cores.
        max_cpu: String,
        /// Bytes.
        memory_bytes: u64,
        /// Bytes; absent leaves it to the cluster.
        log_disk_bytes: Option<u64>,
    },
    /// Units of that size in zones.
    CreatePool {
        /// Its name.
        name: String,
        /// The size's name.
        unit: String,
        /// Units in each zone.
        count: u32,
        /// Zones.
        zones: Vec<String>,
    },
    /// Removes a pool that no tenant has.
    DropPool {
        /// Its name.
        name: String,
    },
    /// Removes a size that no pool has.
    DropUnit {
        /// Its name.
        name: String,
    },
    /// How long statements of the session may take.
    SetTimeout {
        /// In us.
        timeout_us: u64,
    },
    /// Removes a tenant at once, whatever it is doing.
    DropTenant {
        /// Its name.
        name: String,
    },
    /// Recovers a tenant under a new name.
    Restore {
        /// The new name.
        name: String,
        /// Where the data is.
        data_uri: String,
        /// Where the log is.
        log_uri: String,
        /// The moment.
        until: Scn,
        /// Pools for the new tenant.
        pools: Vec<String>,
        /// As `F@zone1,F@zone2`; absent takes the backup's.
        locality: Option<String>,
        /// As `zone1;zone2`; absent takes the backup's.
        primary_zone: Option<String>,
        /// The console's mark.
        mark: String,
    },
    /// Gives up a running recovery.
    CancelRestore {
        /// The new tenant's name.
        name: String,
    },
    /// Makes a recovered tenant writable.
    Activate {
        /// Its name.
        name: String,
    },
}

impl Statement {
    /// The text to send.
    pub fn sql(&self) -> Result<String, Unquotable> {
        self.text(&|uri| uri.to_owned())
    }

    /// The text to show, log and record.
    pub fn shown(&self) -> String {
        let text = self.text(&masked);
        text.unwrap_or_else(|why| format!("(a statement that cannot be sent: {why})"))
    }

    fn text(&self, uri_as: &dyn Fn(&str) -> String) -> Result<String, Unquotable> {
        use quote::{literal, name};
        Ok(match self {
            Statement::StartArchive { tenant } => {
                format!("ALTER SYSTEM ARCHIVELOG TENANT = {}", name(tenant)?)
            }
            Statement::StopArchive { tenant } => {
                format!("ALTER SYSTEM NOARCHIVELOG TENANT = {}", name(tenant)?)
            }
            Statement::Backup { tenant, kind, mark } => {
                let kind = match kind {
                    BackupKind::Full => "",
                    BackupKind::Incremental => "INCREMENTAL ",
                };
                let (tenant, mark) = (name(tenant)?, literal(mark)?);
                format!("ALTER SYSTEM BACKUP {kind}TENANT = {tenant} DESCRIPTION = {mark}")
            }
            Statement::CancelBackup { tenant } => {
                format!("ALTER SYSTEM CANCEL BACKUP TENANT = {}", name(tenant)?)
            }
            Statement::DataDestination { tenant, uri } => {
                let (uri, tenant) = (literal(&uri_as(uri))?, name(tenant)?);
                format!("ALTER SYSTEM SET DATA_BACKUP_DEST = {uri} TENANT = {tenant}")
            }
            Statement::LogDestination {
                tenant,
                uri,
                piece_days,
            } => {
                let uri = uri_as(uri);
                let value = format!("LOCATION={uri} PIECE_SWITCH_INTERVAL={piece_days}d");
                let (value, tenant) = (literal(&value)?, name(tenant)?);
                format!("ALTER SYSTEM SET LOG_ARCHIVE_DEST = {value} TENANT = {tenant}")
            }
            Statement::AddPolicy {
                tenant,
                window_days,
            } => format!(
                "ALTER SYSTEM ADD DELETE BACKUP POLICY 'default' RECOVERY_WINDOW '{window_days}d' \
                 TENANT = {}",
                name(tenant)?
            ),
            Statement::DropPolicy { tenant } => format!(
                "ALTER SYSTEM DROP DELETE BACKUP POLICY 'default' TENANT = {}",
                name(tenant)?
            ),
            other => return other.resource_text(uri_as),
        })
    }

    /// Statements about recovered tenants and what they are placed on.
    fn resource_text(&self, uri_as: &dyn Fn(&str) -> String) -> Result<String, Unquotable> {
        use quote::{literal, name};
        Ok(match self {
            Statement::CreateUnit {
                name: unit,
                max_cpu,
                memory_bytes,
                log_disk_bytes,
            } => {
                let disk = log_disk_bytes.map(|bytes| format!(", LOG_DISK_SIZE = {bytes}"));
                format!(
                    "CREATE RESOURCE UNIT IF NOT EXISTS {} MAX_CPU = {max_cpu}, MEMORY_SIZE = \
                     {memory_bytes}{}",
                    name(unit)?,
                    disk.unwrap_or_default()
                )
            }
            Statement::CreatePool {
                name: pool,
                unit,
                count,
                zones,
            } => {
                let zones: Result<Vec<String>, Unquotable> =
                    zones.iter().map(|zone| literal(zone)).collect();
                format!(
                    "CREATE RESOURCE POOL IF NOT EXISTS {} UNIT = {}, UNIT_NUM = {count}, \
                     ZONE_LIST = ({})",
                    name(pool)?,
                    literal(unit)?,
                    zones?.join(",")
                )
            }
            Statement::DropPool { name: pool } => {
                format!("DROP RESOURCE POOL IF EXISTS {}", name(pool)?)
            }
            Statement::DropUnit { name: unit } => {
                format!("DROP RESOURCE UNIT IF EXISTS {}", name(unit)?)
            }
            Statement::SetTimeout { timeout_us } => format!("SET ob_query_timeout = {timeout_us}"),
            Statement::DropTenant { name: tenant } => {
                format!("DROP TENANT IF EXISTS {} FORCE", name(tenant)?)
            }
            Statement::Restore {
                name: new,
                data_uri,
                log_uri,
                until,
                pools,
                locality,
                primary_zone,
                mark,
            } => {
                let from = format!("{},{}", uri_as(data_uri), uri_as(log_uri));
                let mut options = format!("pool_list={}", pools.join(","));
                for (key, value) in [("locality", locality), ("primary_zone", primary_zone)] {
                    if let Some(value) = value {
                        options.push_str(&format!("&{key}={value}"));
                    }
                }
                format!(
                    "ALTER SYSTEM RESTORE {} FROM {} UNTIL SCN = {} WITH {} DESCRIPTION = {}",
                    name(new)?,
                    literal(&from)?,
                    until.0,
                    literal(&options)?,
                    literal(mark)?
                )
            }
            Statement::CancelRestore { name: new } => {
                format!("ALTER SYSTEM CANCEL RESTORE {}", name(new)?)
            }
            Statement::Activate { name: new } => {
                format!("ALTER SYSTEM ACTIVATE STANDBY TENANT = {}", name(new)?)
            }
            _ => unreachable!("invariant: every other statement is written above"),
        })
    }
}

impl std::fmt::Debug for Statement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.shown())
    }
}

/// A destination without what opens it: keys, as they are sent or as the cluster stores them.
pub fn masked(uri: &str) -> String {
    const SECRET: [&str; 4] = ["access_key", "encrypt_key", "access_id", "external_id"];
    let Some((place, parameters)) = uri.split_once('?') else {
        return uri.to_owned();
    };
    let shown = parameters
        .split('&')
        .map(|pair| match pair.split_once('=') {
            Some((key, _)) if SECRET.iter().any(|it| key.eq_ignore_ascii_case(it)) => {
                format!("{key}=***")
            }
            _ => pair.to_owned(),
        });
    format!("{place}?{}", shown.collect::<Vec<_>>().join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_sent_and_not_shown() {
        let order = Statement::DataDestination {
            tenant: "t1".to_owned(),
            uri: "oss://b/p?host=h&access_id=me&access_key=s3cr3t".to_owned(),
        };
        assert!(order.sql().unwrap().contains("access_key=s3cr3t"));
        assert_eq!(
            format!("{order:?}"),
            "ALTER SYSTEM SET DATA_BACKUP_DEST = \
             'oss://b/p?host=h&access_id=***&access_key=***' TENANT = `t1`"
        );
        assert_eq!(masked("file:///bk/a"), "file:///bk/a");
        assert!(!masked("s3://b/p?x=1&ENCRYPT_KEY=abc").contains("abc"));
    }

    #[test]
    fn a_hostile_tenant_name_stays_a_name() {
        let order = Statement::StartArchive {
            tenant: "t`; DROP TENANT x; --".to_owned(),
        };
        assert_eq!(
            order.sql().unwrap(),
            "ALTER SYSTEM ARCHIVELOG TENANT = `t``; DROP TENANT x; --`"
        );
    }

    #[test]
    fn a_restore_names_its_moment_exactly() {
        let order = Statement::Restore {
            name: "nt".to_owned(),
            data_uri: "file:///b/data".to_owned(),
            log_uri: "file:///b/clog".to_owned(),
            until: Scn(1_700_000_000_000_000_001),
            pools: vec!["p_nt".to_owned()],
            locality: Some("F@zone1".to_owned()),
            primary_zone: None,
            mark: "tidemark 7".to_owned(),
        };
        assert_eq!(
            order.sql().unwrap(),
            "ALTER SYSTEM RESTORE `nt` FROM 'file:///b/data,file:///b/clog' UNTIL SCN = \
             1700000000000000001 WITH 'pool_list=p_nt&locality=F@zone1' DESCRIPTION = 'tidemark 7'"
        );
    }
}
