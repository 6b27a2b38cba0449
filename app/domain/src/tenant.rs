//! Tenants, the unit of backup and recovery.

use crate::{Revision, TenantId};
use serde::{Deserialize, Serialize};

/// Whether a tenant is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TenantState {
    /// In service.
    Online,
    /// Gone from the cluster; its backups may still be there.
    Offline,
    /// There, but its data cannot be used; the note says why.
    Faulty,
}

impl TenantState {
    /// The stored and wire form.
    pub const fn code(self) -> &'static str {
        match self {
            TenantState::Online => "online",
            TenantState::Offline => "offline",
            TenantState::Faulty => "faulty",
        }
    }

    /// Reads [`TenantState::code`].
    pub fn from_code(code: &str) -> Option<Self> {
        [
            TenantState::Online,
            TenantState::Offline,
            TenantState::Faulty,
        ]
        .into_iter()
        .find(|state| state.code() == code)
    }
}

/// A tenant as last observed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tenant {
    /// Number in the control database.
    pub id: TenantId,
    /// The engine's own identity of it; survives a rename, differs after re-creation.
    pub engine_key: String,
    /// Name, unique among the tenants online.
    pub name: String,
    /// Whether it is there.
    pub state: TenantState,
    /// Its data file, for engines whose tenants are files.
    pub data_file: Option<String>,
    /// Bytes of its data.
    pub size_bytes: u64,
    /// Something a person should know about it.
    pub note: Option<String>,
    /// Version of this row.
    pub rev: Revision,
}
