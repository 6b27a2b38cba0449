//! The JSON of users and of the audit in the commands' API. Fields are added, never renamed.

use domain::{audit::AuditRow, user::UserRow};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Its name.
    pub name: String,
    /// Its role in every cluster: `viewer`, `operator`, `admin`.
    pub everywhere: Option<String>,
    /// Its roles in single clusters, by their names.
    pub clusters: BTreeMap<String, String>,
    /// `active`, `disabled`, `locked`, or `invited` before a password is chosen.
    pub state: String,
    /// When it was added.
    pub created: String,
    /// When it last signed in.
    pub signed_in: Option<String>,
}

impl From<UserRow> for User {
    fn from(row: UserRow) -> Self {
        let state = match (row.disabled, row.has_password, row.locked_until) {
            (true, ..) => "disabled",
            (false, false, _) => "invited",
            (false, true, Some(_)) => "locked",
            (false, true, None) => "active",
        };
        let clusters = row.clusters.into_iter();
        User {
            name: row.name,
            everywhere: row.everywhere.map(|role| role.code().to_owned()),
            clusters: clusters
                .map(|one| (one.cluster, one.role.code().to_owned()))
                .collect(),
            state: state.to_owned(),
            created: row.created.to_rfc3339(),
            signed_in: row.signed_in.map(|at| at.to_rfc3339()),
        }
    }
}

/// Every user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Users {
    /// By name.
    pub users: Vec<User>,
}

/// A user to add.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserOrder {
    /// Its name.
    pub name: String,
    /// Its role, if it gets one.
    pub role: Option<String>,
    /// The cluster of the role; in every cluster where none is named.
    pub cluster: Option<String>,
}

/// A role to give or, where none is named, to take away.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RoleOrder {
    /// The role.
    pub role: Option<String>,
    /// The cluster; every cluster where none is named.
    pub cluster: Option<String>,
}

/// A one-time link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// Whose.
    pub name: String,
    /// The address to open.
    pub url: String,
    /// When it ends.
    pub until: String,
}

/// A user that was changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed {
    /// Its name.
    pub name: String,
    /// Its new one-time link, if it got one.
    pub link: Option<Link>,
}

/// Entries of the audit, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntries {
    /// How many match in all.
    pub total: u64,
    /// Those of this page.
    pub entries: Vec<AuditEntry>,
}

/// An entry of the audit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// Its number.
    pub id: i64,
    /// When.
    pub at: String,
    /// Who.
    pub actor: String,
    /// From which address.
    pub address: Option<String>,
    /// What.
    pub operation: String,
    /// In which cluster.
    pub cluster: Option<String>,
    /// To what.
    pub subject: String,
    /// More about it.
    pub detail: String,
    /// `ok`, `refused`, `failed` or `begun`.
    pub result: String,
    /// Why it was refused or failed.
    pub cause: Option<String>,
    /// What was before, as JSON.
    pub before: Option<String>,
    /// What was after, as JSON.
    pub after: Option<String>,
}

impl From<AuditRow> for AuditEntry {
    fn from(row: AuditRow) -> Self {
        AuditEntry {
            id: row.id,
            at: row.at.to_rfc3339(),
            actor: row.actor,
            address: row.address,
            operation: row.operation,
            cluster: row.cluster,
            subject: row.subject,
            detail: row.detail,
            result: row.result.code().to_owned(),
            cause: row.cause,
            before: row.before,
            after: row.after,
        }
    }
}
