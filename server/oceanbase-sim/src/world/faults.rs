//! Faults that tests bring about.

use std::collections::{BTreeMap, BTreeSet};

use super::World;
use crate::Delivery;

/// A fault. `nth` counts packets from now; 1 is the next one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The packet is carried out, its answer is lost and the connection closes.
    ReplyLost {
        /// Which packet.
        nth: u32,
    },
    /// The connection closes before the packet is carried out.
    DisconnectBefore {
        /// Which packet.
        nth: u32,
    },
    /// The answer takes longer.
    Slow {
        /// Which packet.
        nth: u32,
        /// How much longer.
        delay_ns: u64,
    },
    /// The answer never comes.
    Hang {
        /// Which packet.
        nth: u32,
    },
    /// The running round of a tenant is interrupted.
    ArchiveInterrupted {
        /// Name of the tenant.
        tenant: String,
    },
    /// The checkpoint of a tenant's round stands still.
    FrozenCheckpoint {
        /// Name of the tenant.
        tenant: String,
    },
    /// Destinations that begin so do not answer.
    StorageUnreachable {
        /// Beginning of the URI.
        prefix: String,
    },
    /// Destinations that begin so are full.
    StorageFull {
        /// Beginning of the URI.
        prefix: String,
    },
    /// Destinations that begin so cannot be written.
    StorageReadOnly {
        /// Beginning of the URI.
        prefix: String,
    },
    /// Backups of a tenant fail.
    BackupFails {
        /// Name of the tenant.
        tenant: String,
        /// Status text of the task at which they fail; any other text means soon.
        phase: String,
    },
    /// Restores into a tenant fail.
    RestoreFails {
        /// Name of the new tenant.
        tenant: String,
    },
    /// Incremental backups of a tenant become full ones.
    IncrementalBecomesFull {
        /// Name of the tenant.
        tenant: String,
    },
    /// Running tasks and rounds show a status nobody has heard of.
    UnknownStatus {
        /// The status.
        text: String,
    },
    /// One server runs another version.
    MixedServerVersions {
        /// That version.
        version: String,
    },
    /// A tenant is dropped and another one of its name created.
    TenantRecreated {
        /// Name of the tenant.
        tenant: String,
    },
}

/// The faults that are in force.
#[derive(Debug, Clone, Default)]
pub(crate) struct Faults {
    packet: u64,
    deliveries: BTreeMap<u64, Delivery>,
    delays: BTreeMap<u64, u64>,
    pub(crate) unreachable: BTreeSet<String>,
    pub(crate) full: BTreeSet<String>,
    pub(crate) read_only: BTreeSet<String>,
    pub(crate) backup_fails: BTreeMap<String, String>,
    pub(crate) restore_fails: BTreeSet<String>,
    pub(crate) becomes_full: BTreeSet<String>,
    pub(crate) unknown_status: Option<String>,
}

impl Faults {
    /// Counts a packet and tells what becomes of it.
    pub(crate) fn packet(&mut self) -> (Delivery, u64) {
        self.packet += 1;
        (
            self.deliveries
                .remove(&self.packet)
                .unwrap_or(Delivery::Whole),
            self.delays.remove(&self.packet).unwrap_or(0),
        )
    }
}

impl Fault {
    /// A fault by its name in SQL, such as `reply_lost`.
    pub(crate) fn named(name: &str, args: &[String]) -> Option<Fault> {
        let first = || args.first().cloned();
        let nth = || args.first().map_or(Some(1), |a| a.parse().ok());
        Some(match name.to_ascii_lowercase().as_str() {
            "reply_lost" => Fault::ReplyLost { nth: nth()? },
            "disconnect_before" => Fault::DisconnectBefore { nth: nth()? },
            "slow" => Fault::Slow {
                nth: nth()?,
                delay_ns: args.get(1)?.parse().ok()?,
            },
            "hang" => Fault::Hang { nth: nth()? },
            "archive_interrupted" => Fault::ArchiveInterrupted { tenant: first()? },
            "frozen_checkpoint" => Fault::FrozenCheckpoint { tenant: first()? },
            "storage_unreachable" => Fault::StorageUnreachable { prefix: first()? },
            "storage_full" => Fault::StorageFull { prefix: first()? },
            "storage_read_only" => Fault::StorageReadOnly { prefix: first()? },
            "backup_fails" => Fault::BackupFails {
                tenant: first()?,
                phase: args.get(1).cloned().unwrap_or_default(),
            },
            "restore_fails" => Fault::RestoreFails { tenant: first()? },
            "incremental_becomes_full" => Fault::IncrementalBecomesFull { tenant: first()? },
            "unknown_status" => Fault::UnknownStatus { text: first()? },
            "mixed_server_versions" => Fault::MixedServerVersions { version: first()? },
            "tenant_recreated" => Fault::TenantRecreated { tenant: first()? },
            _ => return None,
        })
    }
}

impl World {
    /// Brings a fault into force.
    pub(crate) fn inject(&mut self, fault: Fault) {
        self.settle_checkpoints();
        let packet = self.faults.packet;
        let at = |nth: u32| packet + u64::from(nth.max(1));
        let faults = &mut self.faults;
        match fault {
            Fault::ReplyLost { nth } => {
                faults.deliveries.insert(at(nth), Delivery::LostAfter);
            }
            Fault::DisconnectBefore { nth } => {
                faults.deliveries.insert(at(nth), Delivery::LostBefore);
            }
            Fault::Hang { nth } => {
                faults.deliveries.insert(at(nth), Delivery::Hangs);
            }
            Fault::Slow { nth, delay_ns } => {
                faults.delays.insert(at(nth), delay_ns);
            }
            Fault::StorageUnreachable { prefix } => {
                faults.unreachable.insert(prefix);
            }
            Fault::StorageFull { prefix } => {
                faults.full.insert(prefix);
            }
            Fault::StorageReadOnly { prefix } => {
                faults.read_only.insert(prefix);
            }
            Fault::BackupFails { tenant, phase } => {
                faults.backup_fails.insert(tenant, phase);
            }
            Fault::RestoreFails { tenant } => {
                faults.restore_fails.insert(tenant);
            }
            Fault::IncrementalBecomesFull { tenant } => {
                faults.becomes_full.insert(tenant);
            }
            Fault::UnknownStatus { text } => faults.unknown_status = Some(text),
            Fault::MixedServerVersions { version } => {
                if let Some(server) = self.servers.last_mut() {
                    server.version = version;
                }
            }
            Fault::ArchiveInterrupted { .. } if self.version().is_legacy() => {
                self.interrupt_legacy();
            }
            Fault::ArchiveInterrupted { tenant } => self.strike(&tenant, World::interrupt),
            Fault::FrozenCheckpoint { tenant } => self.strike(&tenant, |world, id| {
                if let Some(tenant) = world.tenant_mut(id) {
                    tenant.frozen = true;
                }
            }),
            Fault::TenantRecreated { tenant } => self.strike(&tenant, |world, id| {
                world.remove_tenant(id);
                world.create_tenant(&tenant, None);
            }),
        }
        self.change += 1;
    }

    fn strike(&mut self, name: &str, what: impl FnOnce(&mut World, i64)) {
        if let Ok(id) = self.tenant_id(name) {
            what(self, id);
        }
    }

    /// Ends every fault; what they did stays done.
    pub(crate) fn clear_faults(&mut self) {
        self.settle_checkpoints();
        let packet = self.faults.packet;
        self.faults = Faults {
            packet,
            ..Faults::default()
        };
        for tenant in &mut self.tenants {
            tenant.frozen = false;
        }
        let version = self.build_version();
        for server in &mut self.servers {
            server.version.clone_from(&version);
        }
        self.change += 1;
    }

    /// Whether every server runs the same version.
    pub(crate) fn one_version(&self) -> bool {
        self.servers
            .windows(2)
            .all(|w| w[0].version == w[1].version)
    }
}
