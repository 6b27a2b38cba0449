//! Storage configurations: named destinations, what is known of them, and the report of a test.

use crate::{StorageId, second_backup::Place, strategy::label, validate::Violation};
pub use object::{AccessKey, ObjectAccess, StorageKeys};
use serde::{Deserialize, Serialize};

mod object;

/// Alert when this many percent of a storage are used, unless told otherwise.
pub const CAPACITY_PERCENT_DEFAULT: u8 = 80;

/// What is behind a storage configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StorageKind {
    /// A directory of a file system, local or mounted.
    File,
    /// Alibaba Cloud OSS.
    Oss,
    /// Tencent Cloud COS.
    Cos,
    /// Amazon S3, and what speaks like it.
    S3,
}

impl StorageKind {
    /// Every kind.
    pub const ALL: [StorageKind; 4] = [
        StorageKind::File,
        StorageKind::Oss,
        StorageKind::Cos,
        StorageKind::S3,
    ];

    /// The form's label.
    pub const fn label(self) -> &'static str {
        match self {
            StorageKind::File => "File",
            StorageKind::Oss => "OSS",
            StorageKind::Cos => "COS",
            StorageKind::S3 => "S3",
        }
    }

    /// The stored and wire form; also what its addresses begin with.
    pub const fn code(self) -> &'static str {
        match self {
            StorageKind::File => "file",
            StorageKind::Oss => "oss",
            StorageKind::Cos => "cos",
            StorageKind::S3 => "s3",
        }
    }

    /// Whether it is a service with buckets, which is signed in to.
    pub const fn is_object(self) -> bool {
        !matches!(self, StorageKind::File)
    }

    /// Reads [`StorageKind::code`].
    pub fn from_code(code: &str) -> Option<Self> {
        StorageKind::ALL
            .into_iter()
            .find(|kind| kind.code() == code)
    }
}

/// What a person gives for a destination. Nothing in it is a secret: keys are given beside.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct StorageSettings {
    /// Its own name, unique among configurations.
    pub name: String,
    /// What is behind it.
    pub kind: StorageKind,
    /// Absolute directory; of an object storage the bucket and what object names begin with: `bucket/prefix`.
    pub directory: String,
    /// How an object storage is reached; absent for directories.
    #[serde(default)]
    pub object: Option<ObjectAccess>,
    /// Alert when this many percent of it are used, 1 to 100.
    pub capacity_percent: u8,
}

/// Longest directory, in bytes.
pub const DIRECTORY_BYTES_MAX: usize = 1024;
/// Longest name of a configuration, in characters.
pub const STORAGE_NAME_MAX: usize = 32;

/// Everything that is wrong with `settings`; the labels of its fields begin with `prefix`.
pub fn violations(settings: &StorageSettings, prefix: &str) -> Vec<Violation> {
    let field = |label: &str| format!("{prefix}{label}");
    let mut found = Vec::new();
    found.extend(name_violation(&field(label::STORAGE_NAME), &settings.name));
    found.extend(match settings.kind {
        StorageKind::File => directory_violation(&field(label::DIRECTORY), &settings.directory)
            .into_iter()
            .collect(),
        _ => object::violations(settings, prefix),
    });
    if !(1..=100).contains(&settings.capacity_percent) {
        let given = settings.capacity_percent.to_string();
        found.push(Violation::new(
            &field(label::CAPACITY),
            &given,
            "use 1 to 100 percent",
        ));
    }
    found
}

/// What is wrong with the name of a configuration.
pub fn name_violation(field: &str, name: &str) -> Option<Violation> {
    let mut letters = name.chars();
    let starts = letters.next().is_some_and(|c| c.is_ascii_alphabetic());
    let rest = letters.all(|c| c.is_ascii_alphanumeric() || c == '_');
    let right = starts && rest && (2..=STORAGE_NAME_MAX).contains(&name.len());
    (!right).then(|| {
        let allowed = "use 2 to 32 letters, digits and underscores, beginning with a letter";
        Violation::new(field, name, allowed)
    })
}

fn directory_violation(field: &str, directory: &str) -> Option<Violation> {
    let wrong = |allowed: &str| Some(Violation::new(field, directory, allowed));
    if !directory.starts_with('/') {
        return wrong("give the directory with its whole path, beginning with /");
    }
    if directory.len() > DIRECTORY_BYTES_MAX {
        return wrong("it is longer than 1024 bytes; use a shorter one");
    }
    if directory.bytes().any(|byte| byte.is_ascii_control()) {
        return wrong("leave out line breaks and other control characters");
    }
    let mut parts = parts(directory).peekable();
    if parts.peek().is_none() {
        return wrong("use a directory of its own below the root");
    }
    if parts.any(|part| part == "." || part == "..") {
        return wrong("write the directory without . and ..");
    }
    None
}

fn parts(directory: &str) -> impl Iterator<Item = &str> {
    directory.split('/').filter(|part| !part.is_empty())
}

/// The directory in the form in which equal ones are equal texts: no slash twice and none at the end.
pub fn plain_directory(directory: &str) -> String {
    let root = if directory.starts_with('/') { "/" } else { "" };
    format!(
        "{root}{}",
        parts(directory).collect::<Vec<&str>>().join("/")
    )
}

/// Whether two storages are in the same file system or service, as far as texts can tell.
pub fn same_service(a: &StorageSettings, b: &StorageSettings) -> bool {
    a.kind == b.kind && object::host(a) == object::host(b)
}

/// Whether two storages are the same place, whatever they are called.
pub fn same_place(a: &StorageSettings, b: &StorageSettings) -> bool {
    same_service(a, b) && same_directory(&a.directory, &b.directory)
}

/// Whether two texts name the same directory, as far as texts can tell.
pub fn same_directory(a: &str, b: &str) -> bool {
    plain_directory(a) == plain_directory(b)
}

/// Whether `inner` lies below `outer`, as far as texts can tell.
pub fn is_within(inner: &str, outer: &str) -> bool {
    let mut inner = parts(inner);
    parts(outer).all(|part| inner.next() == Some(part)) && inner.next().is_some()
}

/// A storage configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StorageConfig {
    /// Number.
    pub id: StorageId,
    /// What it is.
    pub settings: StorageSettings,
}

/// One step of a test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbeStep {
    /// What was tried, as a person reads it: `Write a probe object`.
    pub name: String,
    /// Why it failed and what to do; absent when it succeeded.
    pub failure: Option<String>,
    /// Milliseconds it took.
    pub took_ms: u64,
}

/// The report of a test. Steps after a failed one are not tried and not listed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ProbeReport {
    /// In order.
    pub steps: Vec<ProbeStep>,
    /// Whether nothing was there before, so that it may become a new destination.
    pub empty: bool,
    /// Identity of the destination that is there, if one is.
    pub identity: Option<String>,
    /// Bytes of the whole storage, where it tells.
    pub total_bytes: Option<u64>,
    /// Bytes that can still be written, where it tells.
    pub free_bytes: Option<u64>,
}

impl ProbeReport {
    /// Whether every step succeeded.
    pub fn passed(&self) -> bool {
        !self.steps.is_empty() && self.steps.iter().all(|step| step.failure.is_none())
    }
}

/// A destination as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StorageState {
    /// Which copy it holds.
    pub place: Place,
    /// Its directory or address, as people write it.
    pub location: String,
    /// Bytes of the whole storage; absent where it does not tell or is out of reach.
    pub total_bytes: Option<u64>,
    /// Bytes that can still be written.
    pub free_bytes: Option<u64>,
    /// Why it cannot be used now, and what to do.
    pub fault: Option<String>,
    /// Whether another destination was found at its address than the one used so far.
    pub identity_changed: bool,
}

impl StorageState {
    /// Whole percent used, 0 to 100, rounded up; `None` where it is not known.
    pub fn used_percent(&self) -> Option<u8> {
        let (total, free) = (self.total_bytes?, self.free_bytes?);
        if total == 0 {
            return None;
        }
        let used = u128::from(total.saturating_sub(free)) * 100;
        u8::try_from(used.div_ceil(u128::from(total)).min(100)).ok()
    }
}
