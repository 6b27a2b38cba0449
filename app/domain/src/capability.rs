//! What an engine can do for a cluster. Pages and use cases ask this; they never ask which engine it is.

use crate::{backup::BackupMethod, storage::StorageKind};
use serde::{Deserialize, Serialize};

/// What runs a cluster.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EngineKind {
    /// SQLite tenants in one home directory.
    #[default]
    Embedded,
    /// OceanBase, by its administrative SQL.
    OceanBase,
}

impl EngineKind {
    /// Every kind.
    pub const ALL: [EngineKind; 2] = [EngineKind::Embedded, EngineKind::OceanBase];

    /// What the page calls it.
    pub const fn label(self) -> &'static str {
        match self {
            EngineKind::Embedded => "Embedded cluster (SQLite)",
            EngineKind::OceanBase => "OceanBase",
        }
    }

    /// The stored and wire form.
    pub const fn code(self) -> &'static str {
        match self {
            EngineKind::Embedded => "embedded",
            EngineKind::OceanBase => "oceanbase",
        }
    }

    /// Whether it is a server elsewhere, which the console signs in to; else its files are the console's own.
    pub const fn is_remote(self) -> bool {
        matches!(self, EngineKind::OceanBase)
    }

    /// Reads [`EngineKind::code`].
    pub fn from_code(code: &str) -> Option<Self> {
        EngineKind::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

/// How far log archiving reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ArchiveScope {
    /// No log archiving.
    None,
    /// One switch for the whole cluster.
    Cluster,
    /// One switch per tenant.
    Tenant,
}

/// Which moments a recovery may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecoverTo {
    /// Any moment of a recoverable range.
    AnyInstant,
    /// Only the moments of backup sets.
    SetInstantsOnly,
}

/// Who removes expired backups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expiry {
    /// The engine, by its own policy.
    EngineByPolicy,
    /// The console deletes sets; then the Cleanup tab exists.
    ConsoleDeletesSets,
}

/// Whether something can be done, and if not, why.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ability {
    /// It can.
    Yes,
    /// It cannot; the reason in words for people, as a sentence.
    No(String),
}

impl Ability {
    /// Whether it can.
    pub const fn is_yes(&self) -> bool {
        matches!(self, Ability::Yes)
    }

    /// Of what was stored before there were clusters that cannot.
    const fn yes() -> Self {
        Ability::Yes
    }

    /// Why it cannot; nothing when it can.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Ability::Yes => None,
            Ability::No(reason) => Some(reason),
        }
    }

    /// Of what was stored before this ability was known about.
    fn unknown() -> Self {
        Ability::No("The cluster has not told yet whether it can.".to_owned())
    }
}

/// Of what was stored before other storages were known about.
fn file_only() -> Vec<StorageKind> {
    vec![StorageKind::File]
}

/// What an engine can do for one cluster.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Capabilities {
    /// Whether anything of it can be backed up at all.
    #[serde(default = "Ability::yes")]
    pub back_up: Ability,
    /// Kinds of data backup.
    pub methods: Vec<BackupMethod>,
    /// Whether incremental data backup exists.
    pub incremental: bool,
    /// How far log archiving reaches.
    pub log_archive: ArchiveScope,
    /// Which moments a recovery may name.
    pub recover_to: RecoverTo,
    /// Whether a running data backup can be canceled.
    pub cancel_backup: bool,
    /// Whether a running recovery can be canceled.
    pub cancel_recovery: bool,
    /// Who removes expired backups.
    pub expiry: Expiry,
    /// Whether a second copy can be kept.
    pub second_backup: bool,
    /// Whether a recovery places the tenant on zones and units.
    pub placement: bool,
    /// Whether the destination of its backups can be changed while it is in service.
    #[serde(default = "Ability::unknown")]
    pub change_destination: Ability,
    /// What its backups can be kept in.
    #[serde(default = "file_only")]
    pub storages: Vec<StorageKind>,
    /// Whether a cleanup can be tried without removing anything.
    #[serde(default = "Ability::unknown")]
    pub plan_cleanup: Ability,
    /// Whether the console can make tenants in it.
    #[serde(default = "Ability::unknown")]
    pub create_tenant: Ability,
    /// Whether all backups can be read back and checked.
    #[serde(default = "Ability::unknown")]
    pub verify: Ability,
    /// Whether the cluster keeps destinations, archive mode and retention by itself, so that a strategy is sent to it.
    #[serde(default)]
    pub keeps_settings: bool,
    /// Whether a new round of log gets its first full backup by itself. Where others order backups too, nothing
    /// begins that nobody ordered.
    #[serde(default)]
    pub backs_up_new_rounds: bool,
}
