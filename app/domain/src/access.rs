//! Who acts, what they may do, and in which clusters.

use crate::{ClusterId, UserId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What an actor may do; each includes the ones before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// May look.
    Viewer,
    /// May back up, recover, start and stop log backup.
    Operator,
    /// May change how a cluster is backed up; everywhere, also users and clusters themselves.
    Admin,
}

impl Role {
    /// Every role, the lowest first.
    pub const ALL: [Role; 3] = [Role::Viewer, Role::Operator, Role::Admin];

    /// The word in the control database, in addresses and on the command line.
    pub const fn code(self) -> &'static str {
        match self {
            Role::Viewer => "viewer",
            Role::Operator => "operator",
            Role::Admin => "admin",
        }
    }

    /// The role of this word.
    pub fn from_code(code: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|role| role.code() == code)
    }

    /// The word on the page.
    pub const fn label(self) -> &'static str {
        match self {
            Role::Viewer => "Viewer",
            Role::Operator => "Operator",
            Role::Admin => "Administrator",
        }
    }
}

/// What somebody may do: in every cluster, and in single ones.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Grants {
    /// In every cluster, also in those to come; an administrator everywhere also manages the console.
    pub everywhere: Option<Role>,
    /// In single clusters.
    pub clusters: BTreeMap<ClusterId, Role>,
}

impl Grants {
    /// The role in one cluster: the higher one of both grants, or none.
    pub fn in_cluster(&self, cluster: ClusterId) -> Option<Role> {
        self.everywhere.max(self.clusters.get(&cluster).copied())
    }

    /// The highest role anywhere.
    pub fn highest(&self) -> Option<Role> {
        self.everywhere.max(self.clusters.values().copied().max())
    }
}

/// Where a request came from and what it asked for; for the audit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Origin {
    /// The network address of whoever asked.
    pub address: Option<String>,
    /// What was asked for: `backups/back_up_now`.
    pub request: Option<String>,
}

/// Somebody or something that acts; every change is recorded under its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// Shown in the audit: the name of a user, `command line`, `scheduler`.
    pub name: String,
    /// The user who is signed in; nothing when a part of the console itself acts.
    pub user: Option<UserId>,
    /// The number of the session it acts in.
    pub session: Option<i64>,
    /// What it may do.
    pub grants: Grants,
    /// Where it asks from.
    pub origin: Origin,
}

impl Actor {
    /// A part of the console itself, or its command line, with a role in every cluster.
    pub fn new(name: &str, role: Role) -> Actor {
        Actor {
            name: name.to_owned(),
            user: None,
            session: None,
            grants: Grants {
                everywhere: Some(role),
                clusters: BTreeMap::new(),
            },
            origin: Origin::default(),
        }
    }

    /// The same, asking from there.
    pub fn from_origin(self, origin: Origin) -> Actor {
        Actor { origin, ..self }
    }
}

/// Names that parts of the console act under; no user may have one.
pub const RESERVED_NAMES: [&str; 8] = [
    "console",
    "demonstration",
    "health",
    "nobody",
    "scheduler",
    "system",
    "tidemark",
    "unknown",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_higher_one_of_two_grants_counts() {
        let mut grants = Grants::default();
        assert_eq!(
            (grants.in_cluster(ClusterId(1)), grants.highest()),
            (None, None)
        );
        grants.clusters.insert(ClusterId(1), Role::Operator);
        assert_eq!(grants.in_cluster(ClusterId(1)), Some(Role::Operator));
        assert_eq!(grants.in_cluster(ClusterId(2)), None);
        assert_eq!(grants.highest(), Some(Role::Operator));
        grants.everywhere = Some(Role::Viewer);
        assert_eq!(grants.in_cluster(ClusterId(1)), Some(Role::Operator));
        assert_eq!(grants.in_cluster(ClusterId(2)), Some(Role::Viewer));
        grants.everywhere = Some(Role::Admin);
        assert_eq!(grants.in_cluster(ClusterId(1)), Some(Role::Admin));
    }

    #[test]
    fn words_of_roles_are_read_back() {
        for role in Role::ALL {
            assert_eq!(Role::from_code(role.code()), Some(role));
        }
        assert_eq!(Role::from_code("root"), None);
    }
}
