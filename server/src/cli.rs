//! The command line: what can be typed. Meaning lives in `command` and `serve`.

use clap::{Args, Parser, Subcommand};
use domain::access::Role;
use std::path::PathBuf;

/// Backup and recovery to a moment, with a console in the browser.
#[derive(Debug, Parser)]
#[command(name = "tidemark", version, max_term_width = 100)]
pub struct Cli {
    /// Options that every command takes.
    #[command(flatten)]
    pub common: Common,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Options that every command takes.
#[derive(Debug, Clone, Args)]
pub struct Common {
    /// Directory of the console's own files; also how other commands find the running server
    #[arg(
        long,
        global = true,
        env = "TIDEMARK_HOME",
        default_value = ".tidemark",
        value_name = "DIR"
    )]
    pub home: PathBuf,
    /// The cluster meant
    #[arg(long, global = true, default_value = "local", value_name = "NAME")]
    pub cluster: String,
    /// Answer with one JSON document instead of text
    #[arg(long, global = true)]
    pub json: bool,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the console until it gets SIGINT or SIGTERM
    Serve(Serve),
    /// Manage who may sign in, and what they may do
    #[command(subcommand)]
    User(User),
    /// Read who did what
    #[command(subcommand)]
    Audit(Audit),
    /// List or create tenants
    #[command(subcommand)]
    Tenant(Tenant),
    /// Take a data backup of a tenant
    Backup(Backup),
    /// Recover a tenant to a moment, into a new tenant
    Recover(Recover),
    /// Show the moments a tenant can be recovered to
    Ranges(Ranges),
    /// Run SQL in a tenant; without SQL it is read from standard input
    Sql(Sql),
    /// Read backup sets and logs back and check every checksum
    Verify(Verify),
}

/// Options of `serve`.
#[derive(Debug, Clone, Args)]
pub struct Serve {
    /// Address to listen on; only this machine can be served until there is sign-in
    #[arg(long, default_value = "127.0.0.1:3000", value_name = "ADDR")]
    pub listen: String,
    /// Begin with a cluster `local` and two tenants whose data change every second
    #[arg(long)]
    pub demo: bool,
    /// Directory of the pages' files; found beside the binary when absent
    #[arg(long, env = "TIDEMARK_SITE", value_name = "DIR")]
    pub site: Option<PathBuf>,
    /// Control database: sqlite, postgres or mysql URL; a SQLite file in the home when absent
    #[arg(
        long,
        env = "TIDEMARK_DATABASE",
        hide_env_values = true,
        value_name = "URL"
    )]
    pub database: Option<String>,
}

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
        place: Place,
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
        place: Place,
    },
    /// Take a user's role in the cluster away
    Revoke {
        /// The user
        name: String,
        /// Where
        #[command(flatten)]
        place: Place,
    },
}

/// Where a role holds.
#[derive(Debug, Clone, Args)]
pub struct Place {
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

/// Commands about tenants.
#[derive(Debug, Subcommand)]
pub enum Tenant {
    /// List the tenants with their data files
    List,
    /// Create an empty tenant; its log is archived from then on
    Create {
        /// Its name: 2 to 64 letters, digits and underscores, beginning with a letter
        name: String,
    },
}

/// Options of `backup`.
#[derive(Debug, Args)]
pub struct Backup {
    /// The tenant
    #[arg(long)]
    pub tenant: String,
    /// Everything, even where the engine could take only what changed
    #[arg(long)]
    pub full: bool,
    /// Show progress until it has ended; fail when it did
    #[arg(long)]
    pub wait: bool,
}

/// Options of `recover`.
#[derive(Debug, Args)]
pub struct Recover {
    /// The tenant whose backups are read
    #[arg(long)]
    pub tenant: String,
    /// The moment, RFC 3339 with a zone; every commit at or before it is in the result, none after it
    #[arg(long, value_name = "TIME")]
    pub at: String,
    /// Name of the tenant to make
    #[arg(long = "as", value_name = "NAME")]
    pub new_name: String,
    /// Show progress until it has ended; fail when it did
    #[arg(long)]
    pub wait: bool,
}

/// Options of `ranges`.
#[derive(Debug, Args)]
pub struct Ranges {
    /// The tenant
    #[arg(long)]
    pub tenant: String,
}

/// Options of `sql`.
#[derive(Debug, Args)]
pub struct Sql {
    /// The tenant
    pub tenant: String,
    /// One or more statements
    pub sql: Option<String>,
}

/// Options of `verify`.
#[derive(Debug, Args)]
pub struct Verify {
    /// Only this tenant
    #[arg(long)]
    pub tenant: Option<String>,
}
