//! Commands about people: users with their roles, and the audit of what they did.

use clap::{Args, Subcommand};
use domain::access::Role;

/// Commands about users.
#[derive(Debug, Subcommand)]
pub enum User {
    /// List the users with their roles
    List,
    /// Add a user; prints the one-time link by which they choose a password
    Add {
        /// The name to sign in with
        name: String,
        /// What they may do
        #[arg(long, value_parser = role, value_name = "ROLE")]
        role: Option<Role>,
        /// Where
        #[command(flatten)]
        place: Everywhere,
    },
    /// Take a user's password and sessions away; prints a new one-time link
    Reset {
        /// The user
        name: String,
    },
    /// Keep a user out and end their sessions
    Disable {
        /// The user
        name: String,
    },
    /// Let a user in again
    Enable {
        /// The user
        name: String,
    },
    /// Delete a user; what they did stays in the audit
    Delete {
        /// The user
        name: String,
    },
    /// Give a user a role in the cluster
    Grant {
        /// The user
        name: String,
        /// What they may do: viewer, operator or admin
        #[arg(value_parser = role, value_name = "ROLE")]
        role: Role,
        /// Where
        #[command(flatten)]
        place: Everywhere,
    },
    /// Take a user's role in the cluster away
    Revoke {
        /// The user
        name: String,
        /// Where
        #[command(flatten)]
        place: Everywhere,
    },
}

/// Where a role holds.
#[derive(Debug, Clone, Args)]
pub struct Everywhere {
    /// In every cluster, instead of the one that --cluster names
    #[arg(long)]
    pub everywhere: bool,
}

fn role(text: &str) -> Result<Role, String> {
    Role::from_code(text).ok_or_else(|| "use viewer, operator or admin".to_owned())
}

/// Commands about the audit.
#[derive(Debug, Subcommand)]
pub enum Audit {
    /// List entries, newest first
    List(AuditList),
}

/// Options of `audit list`.
#[derive(Debug, Args)]
pub struct AuditList {
    /// Only entries at or after it, RFC 3339 with a zone
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// Only entries before it, RFC 3339 with a zone
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// Only entries of this actor
    #[arg(long, value_name = "NAME")]
    pub actor: Option<String>,
    /// Only entries of this operation, such as "data backup"
    #[arg(long, value_name = "WORDS")]
    pub operation: Option<String>,
    /// Only entries of this cluster
    #[arg(long, value_name = "NAME")]
    pub in_cluster: Option<String>,
    /// Only entries that ended so: ok, refused, failed or begun
    #[arg(long, value_name = "RESULT")]
    pub result: Option<String>,
    /// Only entries with this text
    #[arg(long, value_name = "TEXT")]
    pub text: Option<String>,
    /// Page number
    #[arg(long, default_value_t = 1)]
    pub page: u32,
    /// Entries of a page, at most 50
    #[arg(long, default_value_t = 20)]
    pub size: u32,
}
