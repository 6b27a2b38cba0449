//! Backup strategies, one per cluster at most.

use super::{runs, storage_configs};
use crate::{
    Change, Store,
    convert::{impossible, scn, scn_column},
    entity::{audit, schedule_run, storage_config, strategy},
    error::{During, Result},
};
use domain::{
    ClusterId, Revision, Scn, StorageId, StrategyId,
    storage::StorageConfig,
    strategy::{BackupStrategy, RunKind, ScheduleRun, StrategySettings},
};
use sea_orm::{
    ActiveValue::Set, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};
use std::collections::HashMap;

/// Most things done to a strategy that are told to somebody whose version is old.
const CHANGES_MAX: u64 = 20;

/// A strategy with what only the console's own parts need to know of it.
///
/// Directories in it are as they are stored: those below the console's home without it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownStrategy {
    /// What the page may see.
    pub strategy: BackupStrategy,
    /// Its cluster.
    pub cluster: ClusterId,
    /// Its storage configuration.
    pub storage: StorageId,
    /// The storage configuration of its second backup.
    pub second_storage: Option<StorageId>,
    /// Since when it is paused.
    pub paused_at: Option<Scn>,
    /// Who changed it last.
    pub modified_by: String,
}

/// One thing that was done to a strategy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StrategyChange {
    /// When.
    pub at: Scn,
    /// By whom.
    pub actor: String,
    /// What, as the audit calls it.
    pub operation: String,
    /// Which fields, from what to what.
    pub detail: String,
}

/// A strategy to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewStrategy {
    /// Its cluster.
    pub cluster: ClusterId,
    /// What a person decided. What it says of storages is not written: their configurations are.
    pub settings: StrategySettings,
    /// Its storage configuration.
    pub storage: StorageId,
    /// The storage configuration of its second backup.
    pub second_storage: Option<StorageId>,
    /// When.
    pub at: Scn,
    /// By whom.
    pub by: String,
}

impl Store {
    /// Every strategy, also those that are paused, by cluster.
    pub async fn strategies(&self) -> Result<Vec<KnownStrategy>> {
        let rows = strategy::Entity::find()
            .order_by_asc(strategy::COLUMN.cluster_id)
            .all(&self.db)
            .await
            .during("listing strategies")?;
        known(&self.db, rows).await
    }

    /// The strategy of a cluster.
    pub async fn strategy(&self, cluster: ClusterId) -> Result<Option<KnownStrategy>> {
        of_cluster(&self.db, cluster).await
    }

    /// The newest runs of a strategy of one kind, newest first, without their tasks.
    pub async fn newest_runs(
        &self,
        strategy: StrategyId,
        kind: RunKind,
        limit: u64,
    ) -> Result<Vec<ScheduleRun>> {
        let rows = schedule_run::Entity::find()
            .filter(schedule_run::COLUMN.strategy_id.eq(strategy.0))
            .filter(schedule_run::COLUMN.kind.eq(kind.code()))
            .order_by_desc(schedule_run::COLUMN.due)
            .limit(limit)
            .all(&self.db)
            .await
            .during("reading the newest runs of a schedule")?;
        let each = |row| runs::read(row, Vec::new());
        rows.into_iter().map(each).collect()
    }

    /// Where second copies of a cluster go, as stored: directories below the console's home without it.
    pub async fn second_storage(&self, cluster: ClusterId) -> Result<Option<StorageConfig>> {
        let known = self.strategy(cluster).await?;
        Ok(known.and_then(|known| {
            Some(StorageConfig {
                id: known.second_storage?,
                settings: known.strategy.settings.second?.storage,
            })
        }))
    }
}

impl Change {
    /// Every strategy, also those that are paused, by cluster.
    pub async fn strategies(&self) -> Result<Vec<KnownStrategy>> {
        let rows = strategy::Entity::find()
            .order_by_asc(strategy::COLUMN.cluster_id)
            .all(&self.tx)
            .await
            .during("listing strategies")?;
        known(&self.tx, rows).await
    }

    /// The strategy of a cluster.
    pub async fn strategy(&self, cluster: ClusterId) -> Result<Option<KnownStrategy>> {
        of_cluster(&self.tx, cluster).await
    }

    /// What was done to the strategy of a cluster after the revision `since`, as the audit has it, oldest first.
    pub async fn strategy_changes(
        &self,
        cluster: ClusterId,
        operations: &[&str],
        since: Revision,
    ) -> Result<Vec<StrategyChange>> {
        let rows = audit::Entity::find()
            .filter(audit::COLUMN.cluster_id.eq(cluster.0))
            .filter(audit::COLUMN.operation.is_in(operations.iter().copied()))
            .filter(audit::COLUMN.rev.gt(since.0))
            .order_by_asc(audit::COLUMN.rev)
            .limit(CHANGES_MAX)
            .all(&self.tx)
            .await
            .during("reading what was done to a strategy")?;
        let each = |row: audit::Model| {
            Ok(StrategyChange {
                at: scn("audit.at", row.at)?,
                actor: row.actor,
                operation: row.operation,
                detail: row.detail,
            })
        };
        rows.into_iter().map(each).collect()
    }

    /// Adds the strategy of a cluster that has none.
    pub async fn add_strategy(&self, new: &NewStrategy) -> Result<StrategyId> {
        let row = strategy::ActiveModel {
            cluster_id: Set(new.cluster.0),
            paused_at: Set(None),
            created: Set(scn_column(new.at)),
            ..written(new, self.take_rev())?
        };
        let done = strategy::Entity::insert(row)
            .exec(&self.tx)
            .await
            .during("adding a strategy")?;
        self.cluster_changed(new.cluster).await?;
        Ok(StrategyId(done.last_insert_id))
    }

    /// Writes anew what a person decided.
    pub async fn modify_strategy(&self, id: StrategyId, new: &NewStrategy) -> Result<()> {
        let row = written(new, self.take_rev())?;
        self.update_strategy(id, row).await?;
        self.cluster_changed(new.cluster).await
    }

    /// Pauses a strategy, or with `None` takes it up again at `at`; what was due before is not made up for.
    pub async fn pause_strategy(
        &self,
        known: &KnownStrategy,
        paused_at: Option<Scn>,
        (at, by): (Scn, &str),
    ) -> Result<()> {
        let row = strategy::ActiveModel {
            paused_at: Set(paused_at.map(scn_column)),
            modified: Set(scn_column(at)),
            modified_by: Set(by.to_owned()),
            rev: Set(self.take_rev()),
            ..Default::default()
        };
        self.update_strategy(known.strategy.id, row).await?;
        self.cluster_changed(known.cluster).await
    }

    /// Removes a strategy. Its storage configurations stay.
    pub async fn remove_strategy(&self, known: &KnownStrategy) -> Result<()> {
        strategy::Entity::delete_by_id(known.strategy.id.0)
            .exec(&self.tx)
            .await
            .during("removing a strategy")?;
        self.cluster_changed(known.cluster).await
    }

    async fn update_strategy(&self, id: StrategyId, row: strategy::ActiveModel) -> Result<()> {
        strategy::Entity::update_many()
            .set(row)
            .filter(strategy::COLUMN.id.eq(id.0))
            .exec(&self.tx)
            .await
            .during("changing a strategy")?;
        Ok(())
    }
}

fn written(new: &NewStrategy, rev: i64) -> Result<strategy::ActiveModel> {
    let settings = serde_json::to_string(&new.settings)
        .map_err(|error| impossible("strategy.settings", error))?;
    Ok(strategy::ActiveModel {
        storage_id: Set(new.storage.0),
        second_storage_id: Set(new.second_storage.map(|id| id.0)),
        settings: Set(settings),
        modified: Set(scn_column(new.at)),
        modified_by: Set(new.by.clone()),
        rev: Set(rev),
        ..Default::default()
    })
}

async fn of_cluster(
    db: &impl ConnectionTrait,
    cluster: ClusterId,
) -> Result<Option<KnownStrategy>> {
    let rows = strategy::Entity::find()
        .filter(strategy::COLUMN.cluster_id.eq(cluster.0))
        .all(db)
        .await
        .during("reading a strategy")?;
    Ok(known(db, rows).await?.pop())
}

async fn known(
    db: &impl ConnectionTrait,
    rows: Vec<strategy::Model>,
) -> Result<Vec<KnownStrategy>> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let wanted = rows
        .iter()
        .flat_map(|row| [Some(row.storage_id), row.second_storage_id]);
    let storages = storage_config::Entity::find()
        .filter(storage_config::COLUMN.id.is_in(wanted.flatten()))
        .all(db)
        .await
        .during("reading the storages of strategies")?;
    let storages: HashMap<i64, storage_config::Model> =
        storages.into_iter().map(|row| (row.id, row)).collect();
    rows.into_iter().map(|row| read(row, &storages)).collect()
}

/// What a row says, with what its storage configurations say now.
fn read(
    row: strategy::Model,
    storages: &HashMap<i64, storage_config::Model>,
) -> Result<KnownStrategy> {
    let mut settings: StrategySettings = serde_json::from_str(&row.settings)
        .map_err(|error| impossible("strategy.settings", error))?;
    let storage = |id: i64| match storages.get(&id) {
        Some(row) => storage_configs::settings(row),
        None => Err(impossible("strategy.storage_id", id)),
    };
    settings.storage = storage(row.storage_id)?;
    if let Some(second) = &mut settings.second {
        let id = row.second_storage_id;
        let id = id.ok_or_else(|| impossible("strategy.second_storage_id", "nothing"))?;
        second.storage = storage(id)?;
    }
    let paused_at = row.paused_at.map(|at| scn("strategy.paused_at", at));
    Ok(KnownStrategy {
        strategy: BackupStrategy {
            id: StrategyId(row.id),
            settings,
            paused: row.paused_at.is_some(),
            created: scn("strategy.created", row.created)?,
            modified: scn("strategy.modified", row.modified)?,
            rev: Revision(row.rev),
        },
        cluster: ClusterId(row.cluster_id),
        storage: StorageId(row.storage_id),
        second_storage: row.second_storage_id.map(StorageId),
        paused_at: paused_at.transpose()?,
        modified_by: row.modified_by,
    })
}
