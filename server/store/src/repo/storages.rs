//! The destinations of clusters as last observed.

use crate::{
    Change, Store,
    convert::{column, count, scn_column, word},
    entity::{cluster, storage_state},
    error::{During, Result},
};
use domain::{ClusterId, Scn, second_backup::Place, storage::StorageState};
use sea_orm::{ActiveValue::Set, EntityTrait, QueryFilter, QueryOrder};

impl Store {
    /// The destinations of a cluster, the first one first.
    pub async fn storages(&self, cluster: ClusterId) -> Result<Vec<StorageState>> {
        let rows = storage_state::Entity::find()
            .filter(storage_state::COLUMN.cluster_id.eq(cluster.0))
            .order_by_asc(storage_state::COLUMN.place)
            .all(&self.db)
            .await
            .during("reading the destinations")?;
        rows.into_iter().map(state).collect()
    }
}

impl Change {
    /// Adds or replaces what is known of a destination, as told at `told`.
    pub async fn set_storage(
        &self,
        cluster: ClusterId,
        state: &StorageState,
        told: Scn,
    ) -> Result<()> {
        let row = storage_state::ActiveModel {
            location: Set(state.location.clone()),
            total_bytes: Set(state.total_bytes.map(column)),
            free_bytes: Set(state.free_bytes.map(column)),
            fault: Set(state.fault.clone()),
            identity_changed: Set(i32::from(state.identity_changed)),
            told: Set(scn_column(told)),
            rev: Set(self.take_rev()),
            ..Default::default()
        };
        let done = storage_state::Entity::update_many()
            .set(row.clone())
            .filter(storage_state::COLUMN.cluster_id.eq(cluster.0))
            .filter(storage_state::COLUMN.place.eq(state.place.code()))
            .exec(&self.tx)
            .await
            .during("changing a destination")?;
        if done.rows_affected == 0 {
            let row = storage_state::ActiveModel {
                cluster_id: Set(cluster.0),
                place: Set(state.place.code().to_owned()),
                ..row
            };
            storage_state::Entity::insert(row)
                .exec_without_returning(&self.tx)
                .await
                .during("adding a destination")?;
        }
        Ok(())
    }

    /// Forgets a destination that is not used any more.
    pub async fn remove_storage(&self, cluster: ClusterId, place: Place) -> Result<()> {
        self.touch();
        storage_state::Entity::delete_many()
            .filter(storage_state::COLUMN.cluster_id.eq(cluster.0))
            .filter(storage_state::COLUMN.place.eq(place.code()))
            .exec(&self.tx)
            .await
            .during("removing a destination")?;
        Ok(())
    }

    /// Records how far the clock was seen to be set back since the engine was opened, in ns.
    pub async fn cluster_clock_back(&self, id: ClusterId, back_ns: u64) -> Result<()> {
        self.update_cluster(
            id,
            cluster::ActiveModel {
                clock_back_ns: Set(Some(column(back_ns))),
                rev: Set(self.take_rev()),
                ..Default::default()
            },
        )
        .await
    }

    /// Records which cluster it is at its destinations. No two clusters are the same one.
    pub async fn cluster_identity(&self, id: ClusterId, identity: &str) -> Result<()> {
        self.update_cluster(
            id,
            cluster::ActiveModel {
                identity: Set(Some(identity.to_owned())),
                rev: Set(self.take_rev()),
                ..Default::default()
            },
        )
        .await
    }
}

fn state(row: storage_state::Model) -> Result<StorageState> {
    let size = |value: Option<i64>| value.map(|it| count("storage_state.bytes", it)).transpose();
    Ok(StorageState {
        place: word("storage_state.place", &row.place, Place::from_code)?,
        location: row.location,
        total_bytes: size(row.total_bytes)?,
        free_bytes: size(row.free_bytes)?,
        fault: row.fault,
        identity_changed: row.identity_changed != 0,
    })
}
