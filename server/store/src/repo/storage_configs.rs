//! Storage configurations, and which storages passed a test.

use super::secrets::SecretRef;
use crate::{
    Change, Store,
    convert::{impossible, scn, scn_column, word},
    entity::{storage_config, storage_test, strategy},
    error::{During, Result},
};
use domain::{
    ClusterId, Scn, StorageId,
    storage::{ObjectAccess, StorageConfig, StorageKind, StorageSettings},
};
use sea_orm::{
    ActiveValue::Set, Condition, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect,
};

/// Most tests of one cluster that are looked at, the newest ones.
const TESTS_MAX: u64 = 200;

/// A test that a storage passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassedTest {
    /// The cluster that it was tested for.
    pub cluster: ClusterId,
    /// What is behind the storage.
    pub kind: StorageKind,
    /// Its directory, absolute.
    pub directory: String,
    /// Host of an object storage.
    pub endpoint: Option<String>,
    /// Whether nothing was there.
    pub empty: bool,
    /// Identity of the destination that was there.
    pub identity: Option<String>,
    /// When.
    pub at: Scn,
    /// By whom.
    pub actor: String,
}

impl Store {
    /// Every storage configuration, by name. Directories below the console's home are without it.
    pub async fn storage_configs(&self) -> Result<Vec<StorageConfig>> {
        configs(&self.db).await
    }

    /// Where the sealed key of an object storage lies.
    pub async fn storage_key(&self, id: StorageId) -> Result<Option<SecretRef>> {
        key(&self.db, id).await
    }

    /// The tests passed for a cluster since `since`, newest first.
    pub async fn passed_tests(&self, cluster: ClusterId, since: Scn) -> Result<Vec<PassedTest>> {
        let rows = storage_test::Entity::find()
            .filter(storage_test::COLUMN.cluster_id.eq(cluster.0))
            .filter(storage_test::COLUMN.at.gte(scn_column(since)))
            .order_by_desc(storage_test::COLUMN.at)
            .order_by_desc(storage_test::COLUMN.id)
            .limit(TESTS_MAX)
            .all(&self.db)
            .await
            .during("reading tests of storages")?;
        rows.into_iter().map(test).collect()
    }
}

impl Change {
    /// Every storage configuration, by name.
    pub async fn storage_configs(&self) -> Result<Vec<StorageConfig>> {
        configs(&self.tx).await
    }

    /// Adds a storage configuration.
    pub async fn add_storage(&self, settings: &StorageSettings, at: Scn) -> Result<StorageId> {
        let row = storage_config::ActiveModel {
            created: Set(scn_column(at)),
            ..row(settings, self.take_rev())
        };
        let done = storage_config::Entity::insert(row)
            .exec(&self.tx)
            .await
            .during("adding a storage configuration")?;
        Ok(StorageId(done.last_insert_id))
    }

    /// Writes a storage configuration anew; the strategies that use it are other versions from then on.
    pub async fn modify_storage(&self, id: StorageId, settings: &StorageSettings) -> Result<()> {
        let used = used(id);
        strategy::Entity::update_many()
            .set(strategy::ActiveModel {
                rev: Set(self.take_rev()),
                ..Default::default()
            })
            .filter(used)
            .exec(&self.tx)
            .await
            .during("changing the strategies of a storage configuration")?;
        storage_config::Entity::update_many()
            .set(row(settings, self.take_rev()))
            .filter(storage_config::COLUMN.id.eq(id.0))
            .exec(&self.tx)
            .await
            .during("changing a storage configuration")?;
        Ok(())
    }

    /// Where the sealed key of an object storage lies.
    pub async fn storage_key(&self, id: StorageId) -> Result<Option<SecretRef>> {
        key(&self.tx, id).await
    }

    /// Records where the sealed key of an object storage lies.
    pub async fn set_storage_key(&self, id: StorageId, key: SecretRef) -> Result<()> {
        let row = storage_config::ActiveModel {
            access_key: Set(Some(key.0)),
            rev: Set(self.take_rev()),
            ..Default::default()
        };
        storage_config::Entity::update_many()
            .set(row)
            .filter(storage_config::COLUMN.id.eq(id.0))
            .exec(&self.tx)
            .await
            .during("changing the key of a storage configuration")?;
        Ok(())
    }

    /// Removes a storage configuration; `false` when a strategy uses it, which is left alone.
    pub async fn remove_storage_config(&self, id: StorageId) -> Result<bool> {
        let users = strategy::Entity::find()
            .filter(used(id))
            .count(&self.tx)
            .await
            .during("looking for users of a storage configuration")?;
        if users > 0 {
            return Ok(false);
        }
        storage_config::Entity::delete_many()
            .filter(storage_config::COLUMN.id.eq(id.0))
            .exec(&self.tx)
            .await
            .during("removing a storage configuration")?;
        self.touch();
        Ok(true)
    }

    /// Records a passed test, and forgets those of the cluster before `forget`.
    pub async fn add_passed_test(&self, passed: &PassedTest, forget: Scn) -> Result<()> {
        self.touch();
        storage_test::Entity::delete_many()
            .filter(storage_test::COLUMN.cluster_id.eq(passed.cluster.0))
            .filter(storage_test::COLUMN.at.lt(scn_column(forget)))
            .exec(&self.tx)
            .await
            .during("forgetting old tests of storages")?;
        let row = storage_test::ActiveModel {
            cluster_id: Set(passed.cluster.0),
            kind: Set(passed.kind.code().to_owned()),
            directory: Set(passed.directory.clone()),
            endpoint: Set(passed.endpoint.clone()),
            empty: Set(i32::from(passed.empty)),
            identity: Set(passed.identity.clone()),
            at: Set(scn_column(passed.at)),
            actor: Set(passed.actor.clone()),
            ..Default::default()
        };
        storage_test::Entity::insert(row)
            .exec(&self.tx)
            .await
            .during("recording a test of a storage")?;
        Ok(())
    }
}

/// The strategies that use a storage configuration.
fn used(id: StorageId) -> Condition {
    Condition::any()
        .add(strategy::COLUMN.storage_id.eq(id.0))
        .add(strategy::COLUMN.second_storage_id.eq(id.0))
}

fn row(settings: &StorageSettings, rev: i64) -> storage_config::ActiveModel {
    let object = settings.object.as_ref();
    storage_config::ActiveModel {
        endpoint: Set(object.map(|it| it.endpoint.clone())),
        access_id: Set(object.map(|it| it.access_id.clone())),
        region: Set(object.map(|it| it.region.clone())),
        app_id: Set(object.map(|it| it.app_id.clone())),
        name: Set(settings.name.clone()),
        kind: Set(settings.kind.code().to_owned()),
        directory: Set(settings.directory.clone()),
        capacity_percent: Set(i32::from(settings.capacity_percent)),
        rev: Set(rev),
        ..Default::default()
    }
}

async fn configs(db: &impl ConnectionTrait) -> Result<Vec<StorageConfig>> {
    let rows = storage_config::Entity::find()
        .order_by_asc(storage_config::COLUMN.name)
        .all(db)
        .await
        .during("listing storage configurations")?;
    let each = |row: storage_config::Model| {
        Ok(StorageConfig {
            id: StorageId(row.id),
            settings: settings(&row)?,
        })
    };
    rows.into_iter().map(each).collect()
}

/// What a person gave for it.
pub(super) fn settings(row: &storage_config::Model) -> Result<StorageSettings> {
    let percent = row.capacity_percent;
    Ok(StorageSettings {
        name: row.name.clone(),
        kind: word("storage_config.kind", &row.kind, StorageKind::from_code)?,
        directory: row.directory.clone(),
        object: object(row),
        capacity_percent: u8::try_from(percent)
            .map_err(|_| impossible("storage_config.capacity_percent", percent))?,
    })
}

fn object(row: &storage_config::Model) -> Option<ObjectAccess> {
    let text = |column: &Option<String>| column.clone().unwrap_or_default();
    row.endpoint.as_ref().map(|endpoint| ObjectAccess {
        endpoint: endpoint.clone(),
        access_id: text(&row.access_id),
        region: text(&row.region),
        app_id: text(&row.app_id),
    })
}

async fn key(db: &impl ConnectionTrait, id: StorageId) -> Result<Option<SecretRef>> {
    let row = storage_config::Entity::find_by_id(id.0)
        .one(db)
        .await
        .during("reading a storage configuration")?;
    Ok(row.and_then(|row| row.access_key).map(SecretRef))
}

fn test(row: storage_test::Model) -> Result<PassedTest> {
    Ok(PassedTest {
        cluster: ClusterId(row.cluster_id),
        kind: word("storage_test.kind", &row.kind, StorageKind::from_code)?,
        directory: row.directory,
        endpoint: row.endpoint,
        empty: row.empty != 0,
        identity: row.identity,
        at: scn("storage_test.at", row.at)?,
        actor: row.actor,
    })
}
