//! The parameters that are known by name.

use crate::version::Version;

/// What is told of every parameter.
pub(crate) const INFO: &str = "a parameter of the simulated cluster";

/// A parameter the cluster knows.
pub(crate) struct Known {
    pub(crate) name: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) default: &'static str,
    pub(crate) tenant: bool,
    pub(crate) since: Version,
    pub(crate) section: &'static str,
}

/// One of the cluster, there in every version.
const fn cluster(kind: &'static str, name: &'static str, default: &'static str) -> Known {
    Known {
        name,
        kind,
        default,
        tenant: false,
        since: Version::V3_1_5,
        section: "OBSERVER",
    }
}

/// One about backups of the whole cluster.
const fn backup(kind: &'static str, name: &'static str, default: &'static str) -> Known {
    Known {
        section: "BACKUP",
        ..cluster(kind, name, default)
    }
}

/// One that each tenant has, since a version.
const fn tenant(
    kind: &'static str,
    name: &'static str,
    default: &'static str,
    since: Version,
) -> Known {
    Known {
        tenant: true,
        since,
        section: "TENANT",
        ..cluster(kind, name, default)
    }
}

/// Every parameter of every version.
pub(super) const KNOWN: [Known; 22] = [
    tenant("TIME", "archive_lag_target", "120s", Version::V4_2_0),
    tenant("INT", "log_archive_concurrency", "0", Version::V4_1_0),
    tenant("INT", "ha_low_thread_score", "0", Version::V4_0_0),
    tenant("INT", "ha_mid_thread_score", "0", Version::V4_0_0),
    tenant("INT", "ha_high_thread_score", "0", Version::V4_0_0),
    Known {
        section: "ROOT_SERVICE",
        ..tenant("STRING", "compatible", "", Version::V4_0_0)
    },
    cluster("STRING", "cluster", ""),
    cluster("INT", "cluster_id", "1"),
    backup("STRING", "backup_dest", ""),
    backup("STRING", "backup_dest_option", ""),
    backup("STRING", "backup_log_archive_option", "OPTIONAL"),
    backup("STRING", "backup_backup_dest", ""),
    backup("STRING", "backup_backup_dest_option", ""),
    backup("TIME", "backup_recovery_window", "0"),
    backup("BOOL", "auto_delete_expired_backup", "False"),
    backup("TIME", "log_archive_checkpoint_interval", "120s"),
    backup("INT", "backup_concurrency", "0"),
    backup("CAPACITY", "backup_net_limit", "0M"),
    Known {
        section: "RESTORE",
        ..cluster("INT", "restore_concurrency", "0")
    },
    backup("STRING", "backup_region", ""),
    backup("STRING", "backup_zone", ""),
    cluster("BOOL", "_ob_enable_prepared_statement", "False"),
];
