//! The command line: what can be typed. Meaning lives in `command` and `serve`.

use clap::{Args, Parser, Subcommand};
use domain::{access::Role, second_backup::Place};
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

/// Commands about alerts.
#[derive(Debug, Subcommand)]
pub enum Alert {
    /// List alerts, newest first: those that last, unless --status says otherwise
    List {
        /// active, masked, recovered or all
        #[arg(long)]
        status: Option<String>,
        /// Only those of this level, 1 (the gravest) to 5
        #[arg(long)]
        level: Option<u8>,
        /// Only those of the rule with this code, such as base_backup_fail
        #[arg(long)]
        rule: Option<String>,
        /// Only those whose object or summary contains it
        #[arg(long)]
        text: Option<String>,
        /// Of every cluster
        #[arg(long)]
        all: bool,
        /// Which page of 50
        #[arg(long, default_value_t = 1)]
        page: u32,
    },
    /// Show an alert with its causes, what to do, and its history
    Show {
        /// Its number
        id: i64,
    },
    /// Call nobody about an alert that lasts, until a time
    Mask {
        /// Its number
        id: i64,
        /// Until when, RFC 3339 with a zone
        #[arg(long, value_name = "TIME", conflicts_with = "minutes")]
        until: Option<String>,
        /// Or for how many minutes
        #[arg(long = "for", value_name = "MINUTES")]
        minutes: Option<u32>,
        /// Why; shown with the alert
        #[arg(long)]
        reason: String,
    },
    /// End the mask of an alert
    Unmask {
        /// Its number
        id: i64,
    },
}

/// Commands about notification channels.
#[derive(Debug, Subcommand)]
pub enum Channel {
    /// List the channels, without their addresses
    List,
    /// Add a channel; its address is read from standard input, a key for signatures from the second line
    Add {
        /// Its name: 2 to 64 letters, digits and underscores, beginning with a letter
        name: String,
        /// json, slack, dingtalk, feishu, wecom or ping
        #[arg(long)]
        kind: String,
        /// Levels that are sent, such as 1,2; 1 to 4 when absent
        #[arg(long, value_delimiter = ',')]
        levels: Vec<u8>,
        /// Clusters that are sent; all, and the console itself, when absent
        #[arg(long, value_delimiter = ',')]
        only: Vec<String>,
        /// Minutes between two pings, for the kind ping
        #[arg(long, value_name = "MINUTES")]
        every: Option<u32>,
    },
    /// Change a channel; what is not given stays as it is
    Modify {
        /// Its name
        name: String,
        /// Read a new address from standard input, and a new key for signatures from the second line
        #[arg(long)]
        address: bool,
        /// Levels that are sent, such as 1,2
        #[arg(long, value_delimiter = ',')]
        levels: Option<Vec<u8>>,
        /// Clusters that are sent; `all` for all, and the console itself
        #[arg(long, value_delimiter = ',')]
        only: Option<Vec<String>>,
        /// Minutes between two pings, for the kind ping
        #[arg(long, value_name = "MINUTES")]
        every: Option<u32>,
    },
    /// Switch a channel off; what waits for it is given up
    Disable {
        /// Its name
        name: String,
    },
    /// Switch a channel on again
    Enable {
        /// Its name
        name: String,
    },
    /// Send a message that says it is a test, and tell what the receiver answers
    Test {
        /// Its name
        name: String,
    },
    /// Remove a channel
    Remove {
        /// Its name
        name: String,
    },
}

/// Commands about tasks.
#[derive(Debug, Subcommand)]
pub enum Task {
    /// List tasks of one kind, newest first
    List {
        /// data_backup, recovery, second_data, second_log or cleanup
        #[arg(long, default_value = "data_backup")]
        kind: String,
        /// Only those in this state: queued, starting, running, canceling, completed, failed or canceled
        #[arg(long)]
        state: Option<String>,
        /// Only those of this tenant
        #[arg(long)]
        tenant: Option<String>,
        /// Which page of 50
        #[arg(long, default_value_t = 1)]
        page: u32,
    },
    /// Show a task and what it did, step by step
    Show {
        /// Its number
        id: i64,
    },
    /// Try a task again that failed or was canceled
    Retry {
        /// Its number
        id: i64,
    },
    /// Cancel a task that has not ended
    Cancel {
        /// Its number
        id: i64,
    },
}

/// Options of `history`.
#[derive(Debug, Args)]
pub struct History {
    /// data_backup, second_log or cleanup
    #[arg(long, default_value = "data_backup")]
    pub kind: String,
    /// Which page of 50
    #[arg(long, default_value_t = 1)]
    pub page: u32,
}

/// What to do with the backup strategy.
#[derive(Debug, Subcommand)]
pub enum Strategy {
    /// Show the strategy, how scheduling stands, and the next runs
    Show,
    /// Print a strategy as JSON to change and give to `set`: the present one, or a proposal
    Template,
    /// Make the strategy, or change it when the JSON has the `rev` that was read
    Set {
        /// File with the JSON; - for standard input
        #[arg(default_value = "-")]
        file: PathBuf,
        /// Test the storages first
        #[arg(long)]
        test: bool,
    },
    /// End automatic runs for now; tasks that run go on
    Pause,
    /// Take automatic runs up again; what was due meanwhile is not made up for
    Resume,
    /// Delete the strategy; backups and running tasks stay
    Delete {
        /// Only if it is still this version
        #[arg(long)]
        rev: Option<i64>,
        /// Stop log backup of all tenants too
        #[arg(long)]
        stop_log_backup: bool,
    },
    /// Show the next runs of the strategy, or of one that is not saved yet
    Preview {
        /// File with the JSON of a strategy; - for standard input
        file: Option<PathBuf>,
    },
    /// Try what backups need of a directory, step by step
    TestStorage {
        /// Absolute directory
        directory: String,
        /// For second copies: nothing else may be there
        #[arg(long)]
        second: bool,
    },
    /// List storage configurations and who uses them
    Storages,
    /// Give a storage configuration another name
    RenameStorage {
        /// Its name
        name: String,
        /// The other name
        new_name: String,
    },
    /// Remove a storage configuration that nobody uses; what lies there stays
    RemoveStorage {
        /// Its name
        name: String,
    },
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
