//! Directories: as people see them, absolute, and as they are stored, below the console's home without it,
//! so that the home can be moved. What an object storage has in their place stays as it is.

use crate::{console::Inner, error::Error};
use domain::{
    archive::ArchiveState,
    second_backup::Place,
    storage::{AccessKey, CAPACITY_PERCENT_DEFAULT, StorageKind, StorageSettings, plain_directory},
    strategy::StrategySettings,
};
use std::path::{Path, PathBuf};
use store::KnownCluster;

/// What the address of a directory begins with.
const FILE: &str = "file://";

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

/// Where the backups of a cluster go whose files are the console's own.
pub(super) fn own_destination(inner: &Inner, cluster: &KnownCluster) -> String {
    absolute(inner, &cluster.destination_dir)
}

/// Where a cluster's backups go, as far as the console knows: a server elsewhere has what its strategy says, and
/// what was observed where the console cannot change it.
pub(super) async fn present(
    inner: &Inner,
    cluster: &KnownCluster,
) -> Result<Option<StorageSettings>, Error> {
    let known = &cluster.cluster;
    if !known.engine.is_remote() {
        return Ok(Some(directory(own_destination(inner, cluster))));
    }
    if let Some(strategy) = inner.store.strategy(known.id).await? {
        let storage = strategy.strategy.settings.storage;
        return Ok(Some(absolute_storage(inner, storage)));
    }
    if known.capabilities.keeps_settings {
        return Ok(None);
    }
    let storages = inner.store.storages(known.id).await?;
    let mut first = storages.iter().filter(|it| it.place == Place::First);
    let location = first.find_map(|it| it.location.strip_prefix(FILE));
    Ok(location.map(|location| directory(plain_directory(location))))
}

/// A directory below which every tenant of a server elsewhere keeps its log already, so that a strategy can take it
/// over as it is.
pub(super) async fn common_directory(
    inner: &Inner,
    cluster: &KnownCluster,
) -> Result<Option<String>, Error> {
    let picture = inner.store.picture(cluster.cluster.id).await?;
    let logs = picture.iter().filter_map(|tenant| tenant.archive.as_ref());
    let running = logs.filter(|log| log.state != ArchiveState::Stop);
    let mut common: Option<Vec<&str>> = None;
    for log in running {
        let Some(place) = log.directory.strip_prefix(FILE) else {
            return Ok(None);
        };
        let mut parts: Vec<&str> = place.split('/').filter(|part| !part.is_empty()).collect();
        parts.pop();
        common = Some(match common {
            None => parts,
            Some(known) => {
                let same = known.iter().zip(&parts).take_while(|(a, b)| a == b).count();
                known[..same].to_vec()
            }
        });
    }
    let common = common.filter(|parts| !parts.is_empty());
    Ok(common.map(|parts| format!("/{}", parts.join("/"))))
}

/// A directory as a storage without a name.
pub(super) fn directory(directory: String) -> StorageSettings {
    StorageSettings {
        name: String::new(),
        kind: StorageKind::File,
        directory,
        object: None,
        capacity_percent: CAPACITY_PERCENT_DEFAULT,
    }
}

/// A stored storage as people see it.
pub(super) fn absolute_storage(inner: &Inner, mut storage: StorageSettings) -> StorageSettings {
    if !storage.kind.is_object() {
        storage.directory = absolute(inner, &storage.directory);
    }
    storage
}

/// A storage that people gave as it is stored.
pub(super) fn stored_storage(inner: &Inner, mut storage: StorageSettings) -> StorageSettings {
    if !storage.kind.is_object() {
        storage.directory = stored(inner, &storage.directory);
    }
    storage
}

/// What an engine is given for a storage: a directory, or where it is a server elsewhere an address, which may hold
/// a key.
pub(crate) fn target(
    inner: &Inner,
    is_remote: bool,
    storage: &StorageSettings,
    key: Option<&AccessKey>,
) -> PathBuf {
    let storage = absolute_storage(inner, storage.clone());
    match is_remote || storage.kind.is_object() {
        true => storage.address(key).into(),
        false => storage.directory.into(),
    }
}

/// Stored settings as people see them.
pub(super) fn absolute_settings(inner: &Inner, mut settings: StrategySettings) -> StrategySettings {
    settings.storage = absolute_storage(inner, settings.storage);
    if let Some(second) = &mut settings.second {
        second.storage = absolute_storage(inner, second.storage.clone());
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
pub(super) fn tidy(storage: &mut StorageSettings) {
    storage.name = storage.name.trim().to_owned();
    storage.directory = plain_directory(storage.directory.trim());
    if !storage.kind.is_object() {
        storage.object = None;
    }
    if let Some(object) = &mut storage.object {
        let texts = [
            &mut object.endpoint,
            &mut object.access_id,
            &mut object.region,
            &mut object.app_id,
        ];
        for text in texts {
            *text = text.trim().to_owned();
        }
    }
}
