//! Every statement that changes something in a cluster before 4.0, and how it is shown without its secrets.
//!
//! Backups and log archiving are the whole cluster's there; only a recovery names a tenant.

use crate::{
    quote::{self, Unquotable},
    statement::masked,
};
use domain::backup::BackupKind;

/// One statement. What is secret in it is left out when it is shown.
#[derive(Clone, PartialEq, Eq)]
pub enum LegacyStatement {
    /// Where data and log of the whole cluster go.
    Destination {
        /// `file://`, `oss://` or `cos://`; may hold a key.
        uri: String,
    },
    /// How log is cut, and how long backups are kept.
    DestinationOption {
        /// Days that stay recoverable; 0 keeps everything.
        window_days: u32,
        /// Days of log in one piece; 0 switches pieces off.
        piece_days: u32,
    },
    /// Begins to archive the log of every tenant.
    StartArchive,
    /// Ends the round of every tenant.
    StopArchive,
    /// Begins a data backup of every tenant.
    Backup {
        /// Full or incremental.
        kind: BackupKind,
    },
    /// Asks the running data backup to stop.
    CancelBackup,
    /// Where second copies of the whole cluster go.
    SecondDestination {
        /// Like the first one's, without `cos://`.
        uri: String,
    },
    /// Copies one backup set of every tenant to the second destination.
    CopySet {
        /// `BS_KEY` of the set.
        set: i64,
    },
    /// Copies every backup set that is not there yet.
    CopyAllSets,
    /// Copies all log that is not there yet, also of the piece that is still written.
    CopyLog,
    /// Asks the running copy of sets to stop.
    CancelCopyOfSets,
    /// Asks the running copy of log to stop.
    CancelCopyOfLog,
    /// How many threads a recovery may use; with 0 the cluster refuses every recovery.
    RestoreConcurrency {
        /// Threads.
        threads: u32,
    },
    /// A size of units; before 4.0 every limit has to be named.
    CreateUnit {
        /// Its name.
        name: String,
        /// Limits as `MAX_CPU`, `2`, in the order in which they are written.
        limits: Vec<(&'static str, String)>,
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
    /// Recovers a tenant under a new name.
    Restore {
        /// The new name.
        name: String,
        /// Name of the tenant whose backups are read.
        source: String,
        /// The destination that is read; may hold a key.
        uri: String,
        /// The moment as `2026-01-01 08:00:00.000001`, in the cluster's zone.
        until: String,
        /// Name of the cluster that wrote the backups.
        cluster: String,
        /// Number of that cluster.
        cluster_id: String,
        /// Pools for the new tenant.
        pools: Vec<String>,
        /// As `F@zone1,F@zone2`; absent takes the backup's.
        locality: Option<String>,
    },
    /// Gives up a recovery: removes the tenant that it was making.
    DropTenant {
        /// Its name.
        name: String,
    },
}

impl LegacyStatement {
    /// The text to send.
    pub fn sql(&self) -> Result<String, Unquotable> {
        self.text(&|uri| uri.to_owned())
    }

    /// The text to show, log and record.
    pub fn shown(&self) -> String {
        let text = self.text(&masked);
        text.unwrap_or_else(|why| format!("(a statement that cannot be sent: {why})"))
    }

    /// The destination that it names, with what opens it.
    pub(super) fn uri(&self) -> Option<&str> {
        match self {
            LegacyStatement::Destination { uri }
            | LegacyStatement::SecondDestination { uri }
            | LegacyStatement::Restore { uri, .. } => Some(uri),
            _ => None,
        }
    }

    fn text(&self, uri_as: &dyn Fn(&str) -> String) -> Result<String, Unquotable> {
        use quote::literal;
        Ok(match self {
            LegacyStatement::Destination { uri } => {
                format!("ALTER SYSTEM SET backup_dest = {}", literal(&uri_as(uri))?)
            }
            LegacyStatement::DestinationOption {
                window_days,
                piece_days,
            } => {
                let deletes = *window_days > 0;
                format!(
                    "ALTER SYSTEM SET backup_dest_option = 'recovery_window={window_days}d&\
                     auto_delete_obsolete_backup={deletes}&log_archive_piece_switch_interval={piece_days}d'"
                )
            }
            LegacyStatement::StartArchive => "ALTER SYSTEM ARCHIVELOG".to_owned(),
            LegacyStatement::StopArchive => "ALTER SYSTEM NOARCHIVELOG".to_owned(),
            LegacyStatement::Backup { kind } => match kind {
                BackupKind::Full => "ALTER SYSTEM BACKUP DATABASE".to_owned(),
                BackupKind::Incremental => "ALTER SYSTEM BACKUP INCREMENTAL DATABASE".to_owned(),
            },
            LegacyStatement::CancelBackup => "ALTER SYSTEM CANCEL BACKUP".to_owned(),
            LegacyStatement::SecondDestination { uri } => {
                let uri = literal(&uri_as(uri))?;
                format!("ALTER SYSTEM SET backup_backup_dest = {uri}")
            }
            LegacyStatement::CopySet { set } => format!("ALTER SYSTEM BACKUP BACKUPSET {set}"),
            LegacyStatement::CopyAllSets => "ALTER SYSTEM BACKUP BACKUPSET ALL".to_owned(),
            LegacyStatement::CopyLog => {
                "ALTER SYSTEM BACKUP BACKUPPIECE ALL WITH ACTIVE".to_owned()
            }
            LegacyStatement::CancelCopyOfSets => "ALTER SYSTEM CANCEL BACKUP BACKUPSET".to_owned(),
            LegacyStatement::CancelCopyOfLog => "ALTER SYSTEM CANCEL BACKUP BACKUPPIECE".to_owned(),
            other => return other.recovery_text(uri_as),
        })
    }

    /// Statements about recovered tenants and what they are placed on.
    fn recovery_text(&self, uri_as: &dyn Fn(&str) -> String) -> Result<String, Unquotable> {
        use quote::{literal, name};
        Ok(match self {
            LegacyStatement::RestoreConcurrency { threads } => {
                format!("ALTER SYSTEM SET restore_concurrency = {threads}")
            }
            LegacyStatement::CreateUnit { name: unit, limits } => {
                let limits: Result<Vec<String>, Unquotable> = limits
                    .iter()
                    .map(|(key, value)| Ok(format!("{key} = {}", number(value)?)))
                    .collect();
                format!(
                    "CREATE RESOURCE UNIT IF NOT EXISTS {} {}",
                    name(unit)?,
                    limits?.join(", ")
                )
            }
            LegacyStatement::CreatePool {
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
            LegacyStatement::DropPool { name: pool } => {
                format!("DROP RESOURCE POOL IF EXISTS {}", name(pool)?)
            }
            LegacyStatement::DropUnit { name: unit } => {
                format!("DROP RESOURCE UNIT IF EXISTS {}", name(unit)?)
            }
            LegacyStatement::Restore { .. } => self.restore_text(uri_as)?,
            LegacyStatement::DropTenant { name: tenant } => {
                format!("DROP TENANT {} FORCE", name(tenant)?)
            }
            _ => unreachable!("invariant: every other statement is written above"),
        })
    }

    fn restore_text(&self, uri_as: &dyn Fn(&str) -> String) -> Result<String, Unquotable> {
        use quote::{literal, name};
        let LegacyStatement::Restore {
            name: new,
            source,
            uri,
            until,
            cluster,
            cluster_id,
            pools,
            locality,
        } = self
        else {
            unreachable!("invariant: only asked of a recovery")
        };
        let mut options = format!(
            "backup_cluster_name={cluster}&backup_cluster_id={cluster_id}&pool_list={}",
            pools.join(",")
        );
        if let Some(locality) = locality {
            options.push_str(&format!("&locality={locality}"));
        }
        Ok(format!(
            "ALTER SYSTEM RESTORE {} FROM {} AT {} UNTIL {} WITH {}",
            name(new)?,
            name(source)?,
            literal(&uri_as(uri))?,
            literal(until)?,
            literal(&options)?
        ))
    }
}

/// A limit as a number where it is one; anything else stays text.
fn number(value: &str) -> Result<String, Unquotable> {
    let is_digit = |c: char| c.is_ascii_digit() || c == '.';
    match !value.is_empty() && value.chars().all(is_digit) {
        true => Ok(value.to_owned()),
        false => quote::literal(value),
    }
}

impl std::fmt::Debug for LegacyStatement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.shown())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn restore(uri: &str) -> LegacyStatement {
        LegacyStatement::Restore {
            name: "nt".to_owned(),
            source: "t1".to_owned(),
            uri: uri.to_owned(),
            until: "2026-01-01 08:00:00.000001".to_owned(),
            cluster: "c1".to_owned(),
            cluster_id: "1".to_owned(),
            pools: vec!["p1".to_owned(), "p2".to_owned()],
            locality: Some("F@zone1".to_owned()),
        }
    }

    #[test]
    fn a_restore_names_everything_that_3_x_asks_for() {
        assert_eq!(
            restore("file:///bk").sql().unwrap(),
            "ALTER SYSTEM RESTORE `nt` FROM `t1` AT 'file:///bk' UNTIL '2026-01-01 08:00:00.000001' \
             WITH 'backup_cluster_name=c1&backup_cluster_id=1&pool_list=p1,p2&locality=F@zone1'"
        );
    }

    #[test]
    fn secrets_are_sent_and_not_shown() {
        let uri = "oss://b/p?host=h&access_id=me&access_key=s3cr3t";
        for order in [
            restore(uri),
            LegacyStatement::Destination {
                uri: uri.to_owned(),
            },
            LegacyStatement::SecondDestination {
                uri: uri.to_owned(),
            },
        ] {
            assert!(order.sql().unwrap().contains("access_key=s3cr3t"));
            assert!(!format!("{order:?}").contains("s3cr3t"), "{order:?}");
        }
    }

    #[test]
    fn hostile_names_stay_names() {
        let order = LegacyStatement::DropTenant {
            name: "t`; DROP TENANT x; --".to_owned(),
        };
        assert_eq!(
            order.sql().unwrap(),
            "DROP TENANT `t``; DROP TENANT x; --` FORCE"
        );
    }
}
