//! Commands about alerts and the channels that tell people about them.

use clap::Subcommand;

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
