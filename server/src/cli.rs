//! The command line: what can be typed. Meaning lives in `command` and `serve`.

use clap::{Args, Parser, Subcommand};
use domain::second_backup::Place;
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
    /// Remove expired backups; every moment of the days to keep stays recoverable
    Cleanup(Cleanup),
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
    /// The copy to read: first or second; the first that does, unless told
    #[arg(long, value_name = "COPY", value_parser = place)]
    pub from: Option<Place>,
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
    /// The copy to read: first or second
    #[arg(long, value_name = "COPY", default_value = "first", value_parser = place)]
    pub from: Place,
}

fn place(text: &str) -> Result<Place, String> {
    Place::from_code(text).ok_or_else(|| "give first or second".to_owned())
}

/// Options of `cleanup`.
#[derive(Debug, Args)]
pub struct Cleanup {
    /// Only this tenant
    #[arg(long)]
    pub tenant: Option<String>,
    /// Every moment of so many days that can be recovered to stays so
    #[arg(long, value_name = "N")]
    pub keep_days: u32,
    /// Clean up the second copies instead of the first
    #[arg(long)]
    pub second: bool,
    /// Only show what would go, what stays and why, and which moments could not be recovered to any more
    #[arg(long)]
    pub dry_run: bool,
}
