//! Directories: as people see them, absolute, and as they are stored, below the console's home without it,
//! so that the home can be moved.

use crate::console::Inner;
use domain::{storage::plain_directory, strategy::StrategySettings};
use std::path::{Path, PathBuf};
use store::KnownCluster;

/// A stored directory as people see it.
pub(super) fn absolute(inner: &Inner, stored: &str) -> String {
    let path = whole(inner.home.join(stored));
    plain_directory(&path.display().to_string())
}

/// A directory that people gave as it is stored.
pub(super) fn stored(inner: &Inner, directory: &str) -> String {
    let home = whole(inner.home.clone());
    let below = Path::new(directory).strip_prefix(&home).ok();
    let below = below
        .and_then(Path::to_str)
        .filter(|below| !below.is_empty());
    below.unwrap_or(directory).to_owned()
}

/// A path from the root; what cannot be told from where is left as it is.
fn whole(path: PathBuf) -> PathBuf {
    std::path::absolute(&path).unwrap_or(path)
}

/// Where a cluster's backups go.
pub(super) fn own_destination(inner: &Inner, cluster: &KnownCluster) -> String {
    absolute(inner, &cluster.destination_dir)
}

/// Stored settings as people see them.
pub(super) fn absolute_settings(inner: &Inner, mut settings: StrategySettings) -> StrategySettings {
    settings.storage.directory = absolute(inner, &settings.storage.directory);
    if let Some(second) = &mut settings.second {
        second.storage.directory = absolute(inner, &second.storage.directory);
    }
    settings
}

/// What a person gave in the form in which equal settings are equal values.
pub(super) fn tidied(mut settings: StrategySettings) -> StrategySettings {
    settings.schedule.zone = settings.schedule.zone.trim().to_owned();
    tidy(&mut settings.storage);
    if let Some(second) = &mut settings.second {
        tidy(&mut second.storage);
    }
    settings
}

/// The same for a storage alone.
pub(super) fn tidy(storage: &mut domain::storage::StorageSettings) {
    storage.name = storage.name.trim().to_owned();
    storage.directory = plain_directory(storage.directory.trim());
}
