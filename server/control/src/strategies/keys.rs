//! Keys of object storages: sealed when they are given, opened for engines only, never shown again.

use crate::{access::Admin, console::Inner, error::Error};
use domain::{
    StorageId,
    storage::{AccessKey, StorageSettings, same_place},
    strategy::label,
    validate::Violation,
};
use store::Change;

/// What sealed keys are for.
const KEY: &str = "access key of storage";

/// The key of a storage configuration, if it has one.
pub(crate) async fn open(inner: &Inner, id: StorageId) -> Result<Option<AccessKey>, Error> {
    let Some(sealed) = inner.store.storage_key(id).await? else {
        return Ok(None);
    };
    let opened = inner.secrets.open(KEY, &id.to_string(), sealed).await?;
    Ok(Some(AccessKey(opened.expose().to_owned())))
}

/// Seals a key that was given, in place of the one that there may be.
pub(super) async fn put(
    inner: &Inner,
    change: &Change,
    id: StorageId,
    key: Option<&AccessKey>,
) -> Result<(), Error> {
    let Some(key) = key else {
        return Ok(());
    };
    let former = change.storage_key(id).await?;
    let owner = id.to_string();
    let sealed = inner.secrets.seal(change, KEY, &owner, &key.0).await?;
    change.set_storage_key(id, sealed).await?;
    if let Some(former) = former {
        change.remove_secret(former).await?;
    }
    Ok(())
}

impl Admin {
    /// The key that a storage is reached with: the one that was given, or the one that is known of the same place and
    /// the same access id, where the actor may see that configuration. Nothing for directories.
    pub(super) async fn key_of(
        &self,
        storage: &StorageSettings,
        given: Option<&AccessKey>,
        prefix: &str,
    ) -> Result<Option<AccessKey>, Error> {
        if !storage.kind.is_object() {
            return Ok(None);
        }
        if let Some(key) = given {
            return match key.violation(prefix) {
                None => Ok(Some(key.clone())),
                Some(wrong) => Err(Error::Invalid(vec![wrong])),
            };
        }
        let id = |of: &StorageSettings| of.object.as_ref().map(|it| it.access_id.clone());
        for known in self.operator().viewer().storage_configs().await? {
            let known = known.config;
            let is_it = same_place(&known.settings, storage) && id(&known.settings) == id(storage);
            if is_it && let Some(key) = open(&self.console.inner, known.id).await? {
                return Ok(Some(key));
            }
        }
        let field = format!("{prefix}{}", label::ACCESS_KEY);
        let allowed = "give the key that belongs to the access id";
        Err(Error::Invalid(vec![Violation::new(&field, "", allowed)]))
    }
}
