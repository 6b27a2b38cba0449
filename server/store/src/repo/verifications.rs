//! When backups were read back, and what was found.

use crate::{
    Change, Store,
    convert::{column, count, scn, scn_column},
    entity::verification,
    error::{During, Result},
};
use domain::{ClusterId, Scn, TenantId, alert::Verified};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

/// Entries of a tenant that are kept; older ones are removed.
const KEPT: u64 = 100;

/// That the backups of a tenant were read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// The cluster.
    pub cluster: ClusterId,
    /// The tenant.
    pub tenant: TenantId,
    /// When it ended.
    pub at: Scn,
    /// Who asked for it.
    pub actor: String,
    /// Backup sets read.
    pub sets: u64,
    /// Log files read.
    pub log_files: u64,
    /// Bytes read.
    pub bytes: u64,
    /// Faults found.
    pub faults: u64,
    /// The first of them.
    pub first_fault: Option<String>,
}

impl Store {
    /// The newest verification of each tenant of a cluster that has one.
    pub async fn verifications(&self, cluster: ClusterId) -> Result<Vec<(TenantId, Verified)>> {
        let newest: Vec<i64> = verification::Entity::find()
            .select_only()
            .column_as(verification::Column::Id.max(), "newest")
            .filter(verification::COLUMN.cluster_id.eq(cluster.0))
            .group_by(verification::Column::TenantId)
            .into_tuple()
            .all(&self.db)
            .await
            .during("looking for verifications")?;
        let rows = verification::Entity::find()
            .filter(verification::COLUMN.id.is_in(newest))
            .all(&self.db)
            .await
            .during("reading verifications")?;
        rows.into_iter()
            .map(|row| {
                let verified = Verified {
                    at: scn("verification.at", row.at)?,
                    faults: count("verification.faults", row.faults)?,
                    first_fault: row.first_fault,
                };
                Ok((TenantId(row.tenant_id), verified))
            })
            .collect()
    }
}

impl Change {
    /// Records that backups were read back.
    pub async fn verified(&self, new: &Verification) -> Result<()> {
        let row = verification::ActiveModel {
            cluster_id: Set(new.cluster.0),
            tenant_id: Set(new.tenant.0),
            at: Set(scn_column(new.at)),
            actor: Set(new.actor.clone()),
            sets: Set(column(new.sets)),
            log_files: Set(column(new.log_files)),
            bytes: Set(column(new.bytes)),
            faults: Set(column(new.faults)),
            first_fault: Set(new.first_fault.clone()),
            ..Default::default()
        };
        verification::Entity::insert(row)
            .exec(&self.tx)
            .await
            .during("recording a verification")?;
        self.touch();
        self.forget_old(new.tenant).await
    }

    async fn forget_old(&self, tenant: TenantId) -> Result<()> {
        let oldest_kept: Option<i64> = verification::Entity::find()
            .select_only()
            .column(verification::Column::Id)
            .filter(verification::COLUMN.tenant_id.eq(tenant.0))
            .order_by_desc(verification::COLUMN.id)
            .offset(KEPT)
            .limit(1)
            .into_tuple()
            .one(&self.tx)
            .await
            .during("looking for old verifications")?;
        let Some(last_to_go) = oldest_kept else {
            return Ok(());
        };
        verification::Entity::delete_many()
            .filter(verification::COLUMN.tenant_id.eq(tenant.0))
            .filter(verification::COLUMN.id.lte(last_to_go))
            .exec(&self.tx)
            .await
            .during("removing old verifications")?;
        Ok(())
    }
}
