//! The command line: what can be typed. Meaning lives in `command` and `serve`.

mod alerts;
mod people;
mod tasks;

pub use alerts::{Alert, Channel};
pub use people::{Audit, AuditList, Everywhere, User};
pub use tasks::{History, Strategy, Task};

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
    /// Whether it was named, and not only meant by default
    #[arg(skip)]
    pub cluster_is_named: bool,
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
    /// Remove expired backups; every moment of the days to keep stays recoverable
    Cleanup(Cleanup),
    /// List alerts, show one, or mask one until a time
    #[command(subcommand)]
    Alert(Alert),
    /// List, add, change, try or remove the channels that tell people about alerts
    #[command(subcommand)]
    Channel(Channel),
    /// List tasks, show what one did, cancel one, or try one again
    #[command(subcommand)]
    Task(Task),
    /// Show the runs of the backup strategy's schedule
    History(History),
    /// Show or change the backup strategy of a cluster, and test storages for it
    #[command(subcommand)]
    Strategy(Strategy),
    /// Show the storages of a cluster, the sizes there, and when the first one will be full
    Storage(Storage),
    /// Look after the console itself: its own database, its key, and taking on clusters after a loss
    #[command(subcommand)]
    Admin(Admin),
}

/// Options of `admin rebuild`. `--cluster` names the only one to take on, by name or identity.
#[derive(Debug, Args)]
pub struct Rebuild {
    /// Directory of the destination, be it the first or the second copy
    #[arg(long, value_name = "DIR")]
    pub from: PathBuf,
    /// What the cluster is called here; its own name when absent
    #[arg(long = "as", value_name = "NAME")]
    pub name: Option<String>,
    /// Only tell what is there and would be done
    #[arg(long)]
    pub dry_run: bool,
}

/// Options of `storage`.
#[derive(Debug, Args)]
pub struct Storage {
    /// Only the sizes of this tenant
    #[arg(long)]
    pub tenant: Option<String>,
    /// Sizes of so many days until now, 1 to 400
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=400))]
    pub days: u64,
}

/// Options of `serve`.
#[derive(Debug, Clone, Args)]
pub struct Serve {
    /// Address to listen on; beyond this machine only with a certificate, behind a proxy, or with --insecure-http
    #[arg(long, default_value = "127.0.0.1:3000", value_name = "ADDR")]
    pub listen: String,
    /// Certificate for HTTPS, a PEM file; read again on SIGHUP
    #[arg(long, env = "TIDEMARK_TLS_CERT", value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,
    /// Private key of the certificate, a PEM file
    #[arg(long, env = "TIDEMARK_TLS_KEY", value_name = "FILE")]
    pub tls_key: Option<PathBuf>,
    /// Where people open the console, such as https://backup.example.org
    #[arg(long, env = "TIDEMARK_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<String>,
    /// Further names that the console may be opened by
    #[arg(long, value_delimiter = ',', value_name = "NAME,…")]
    pub host_name: Vec<String>,
    /// Proxies whose X-Forwarded-For, -Proto and -Host are believed
    #[arg(long, value_delimiter = ',', value_name = "ADDR/NET,…")]
    pub trusted_proxy: Vec<String>,
    /// Let other machines in without encryption, in a network where nobody reads along
    #[arg(long)]
    pub insecure_http: bool,
    /// Key that seals secrets; made when it is missing. TIDEMARK_KEY gives the key itself instead
    #[arg(long, env = "TIDEMARK_KEY_FILE", value_name = "FILE")]
    pub key_file: Option<PathBuf>,
    /// File with the token that /metrics wants to see from other machines
    #[arg(long, env = "TIDEMARK_METRICS_TOKEN_FILE", value_name = "FILE")]
    pub metrics_token_file: Option<PathBuf>,
    /// How log lines are written
    #[arg(long, env = "TIDEMARK_LOG_FORMAT", value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
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

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON document per line, for programs.
    Json,
}

/// Commands about the console itself.
#[derive(Debug, Subcommand)]
pub enum Admin {
    /// Take on the clusters whose backups are at a destination, after the console's database or whole home was lost
    Rebuild(Rebuild),
    /// Seal every secret with a new key
    RotateKey {
        /// Remove secrets whose key is lost; they have to be entered again
        #[arg(long)]
        forget: bool,
    },
    /// Copy the console's own database, while the server runs or not
    BackupSelf {
        /// The copy; its manifest lies beside it
        file: PathBuf,
    },
    /// Put a copy of the console's own database in its place; the server must not run
    RestoreSelf {
        /// The copy
        file: PathBuf,
    },
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
    /// Wait until the tenant can be backed up, then show progress until it has ended; fail when it did
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
