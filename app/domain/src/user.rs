//! Users as pages and commands show them: what they may do, and where they are signed in.

use crate::{Scn, UserId, access::Role};
use serde::{Deserialize, Serialize};

/// Most users of a console.
pub const USERS_MAX: usize = 500;

/// A role in one cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterRole {
    /// Name of the cluster.
    pub cluster: String,
    /// The role there.
    pub role: Role,
}

/// Whoever is signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Me {
    /// Name.
    pub name: String,
    /// The role in every cluster.
    pub everywhere: Option<Role>,
    /// The highest role anywhere.
    pub highest: Option<Role>,
}

impl Me {
    /// Whether users and clusters themselves may be changed.
    pub fn manages(&self) -> bool {
        self.everywhere == Some(Role::Admin)
    }

    /// Whether any cluster at all may be administered.
    pub fn administers(&self) -> bool {
        self.highest == Some(Role::Admin)
    }

    /// Whether there is anything in the audit that may be read.
    pub fn audits(&self) -> bool {
        self.administers()
    }
}

/// A user, for those who manage them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserRow {
    /// Number.
    pub id: UserId,
    /// Name.
    pub name: String,
    /// The role in every cluster.
    pub everywhere: Option<Role>,
    /// Roles in single clusters, by name.
    pub clusters: Vec<ClusterRole>,
    /// May not sign in.
    pub disabled: bool,
    /// Whether a password was chosen; without one it takes a one-time link.
    pub has_password: bool,
    /// Whether a one-time link waits to be used.
    pub has_link: bool,
    /// Until when sign-in is locked after too many failures.
    pub locked_until: Option<Scn>,
    /// When it was added.
    pub created: Scn,
    /// When it last signed in.
    pub signed_in: Option<Scn>,
}

/// A user to add.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct NewUser {
    /// Unique name, whatever the case of its letters.
    pub name: String,
    /// The role in every cluster.
    pub everywhere: Option<Role>,
    /// Roles in single clusters.
    pub clusters: Vec<ClusterRole>,
}

/// The way to a password of one's own: works once and not for long.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OneTimeLink {
    /// The address below the console's own, such as `/set-password?link=…`.
    pub path: String,
    /// When it ends.
    pub until: Scn,
}

impl std::fmt::Debug for OneTimeLink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "OneTimeLink {{ path: not shown, until: {} }}",
            self.until
        )
    }
}

/// A place where one is signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRow {
    /// Number.
    pub id: i64,
    /// Since when.
    pub created: Scn,
    /// When it was last used.
    pub seen: Scn,
    /// From which address it was last used.
    pub address: String,
    /// What the browser calls itself.
    pub agent: String,
    /// Whether it is the one that asks.
    pub current: bool,
}
