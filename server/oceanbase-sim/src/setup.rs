//! What a simulated cluster starts with.

use crate::version::{UnknownVersion, Version};

/// The starting state of a cluster.
#[derive(Debug, Clone)]
pub struct Setup {
    /// Version of every server.
    pub version: Version,
    /// Number of user tenants, named `t1`, `t2`, ...
    pub tenants: u32,
    /// Seed of everything that varies.
    pub seed: u64,
    /// Name of the cluster.
    pub cluster_name: String,
    /// Wall clock at creation, in us since the epoch.
    pub start_us: i64,
    /// How many times faster than the defaults everything goes.
    pub scale: f64,
    /// Password of `root` in every tenant.
    pub root_password: String,
    /// Number of zones.
    pub zones: u32,
    /// Servers in each zone.
    pub servers_per_zone: u32,
    /// Whether a week of rounds, sets and pieces exists.
    pub history: bool,
    /// Whether the cluster is reached through a proxy: users need `#cluster`.
    pub proxy: bool,
    /// Additional finished backup jobs per configured tenant, to make views large.
    pub history_rows: u32,
}

impl Setup {
    /// The defaults for a version: four tenants, three zones, no password, no history.
    pub fn new(version: &str) -> Result<Setup, UnknownVersion> {
        Ok(Setup {
            version: version.parse()?,
            tenants: 4,
            seed: 7,
            cluster_name: "c1".to_owned(),
            start_us: 1_767_225_600_000_000,
            scale: 1.0,
            root_password: String::new(),
            zones: 3,
            servers_per_zone: 1,
            history: false,
            proxy: false,
            history_rows: 0,
        })
    }
}
