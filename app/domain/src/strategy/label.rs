//! Labels of the form's fields, which its errors name.

/// What a person chooses for a label.
macro_rules! labels {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)+) => {
        $($(#[$doc])* pub const $name: &str = $text;)+
    };
}

labels! {
    /// Physical or logical.
    METHOD = "Backup Method";
    /// Name of a storage configuration.
    STORAGE_NAME = "Configuration name";
    /// What is behind a storage.
    STORAGE_KIND = "Storage type";
    /// Directory of a storage.
    DIRECTORY = "Storage directory";
    /// Host of an object storage.
    ENDPOINT = "Endpoint";
    /// Name of the key of an object storage.
    ACCESS_ID = "Access ID";
    /// Key of an object storage.
    ACCESS_KEY = "Access key";
    /// Region of an S3 bucket.
    REGION = "Region";
    /// Number of a COS account.
    APP_ID = "APPID";
    /// Percent of a storage that may be used.
    CAPACITY = "Capacity alert threshold";
    /// What the days count in.
    CYCLE = "Scheduling cycle";
    /// Days of the schedule.
    DAYS = "Scheduling days";
    /// Time of day of the schedule.
    TIME = "Scheduling time";
    /// Zone of the schedule.
    ZONE = "Time zone";
    /// Whether log backup is started too.
    LOG_BACKUP = "Start log backup";
    /// Whether expired backups are removed.
    CLEANUP = "Cleanup of expired backups";
    /// Days that stay recoverable.
    RETENTION = "Keep backups for";
    /// Time of day of the cleanup.
    CLEANUP_TIME = "Cleanup time";
    /// Minutes that a data backup may run.
    TIMEOUT = "Data backup timeout";
    /// Seconds that log backup may be behind.
    LOG_DELAY = "Log backup delay";
    /// Days without a successful data backup.
    NO_SUCCESS = "No successful data backup";
    /// Whether a second copy is kept.
    SECOND = "Second backup";
    /// In front of the labels of the second storage's fields.
    SECOND_PREFIX = "Second storage: ";
    /// Whether each data backup is copied.
    SECOND_DATA = "Second data backup";
    /// How often log is copied.
    SECOND_LOG = "Second log backup";
    /// Days that stay recoverable from the copy.
    SECOND_RETENTION = "Keep second backups for";
    /// Most bytes per second that copying reads.
    SECOND_LIMIT = "Speed limit of copying";
}
