//! Commands about tasks, scheduling histories and the backup strategy that they come from.

use clap::{Args, Subcommand};
use std::path::PathBuf;

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
