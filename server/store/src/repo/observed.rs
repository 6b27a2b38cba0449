//! Writing what was observed: tenants, their log archiving, sets and spans.

use super::picture::{ArchiveFacts, TenantFacts, method_code};
use crate::{
    Change,
    convert::{column, scn_column},
    entity::{backup_set, log_archive, log_span, tenant},
    error::{During, Result},
};
use domain::{BackupSetId, ClusterId, Revision, TenantId, backup::BackupSet, recoverable::LogSpan};
use sea_orm::{ActiveValue::Set, EntityTrait, QueryFilter};

impl Change {
    /// Adds a tenant that was not known.
    pub async fn add_tenant(
        &self,
        cluster: ClusterId,
        facts: &TenantFacts,
    ) -> Result<(TenantId, Revision)> {
        let rev = self.take_rev();
        let row = tenant::ActiveModel {
            cluster_id: Set(cluster.0),
            ..tenant_row(facts, rev)
        };
        let done = tenant::Entity::insert(row)
            .exec(&self.tx)
            .await
            .during("adding a tenant")?;
        Ok((TenantId(done.last_insert_id), Revision(rev)))
    }

    /// Replaces what is known of a tenant itself.
    pub async fn set_tenant(&self, id: TenantId, facts: &TenantFacts) -> Result<Revision> {
        let rev = self.take_rev();
        tenant::Entity::update_many()
            .set(tenant_row(facts, rev))
            .filter(tenant::COLUMN.id.eq(id.0))
            .exec(&self.tx)
            .await
            .during("changing a tenant")?;
        Ok(Revision(rev))
    }

    /// Replaces what is known of a tenant's log archiving.
    pub async fn set_archive(
        &self,
        cluster: ClusterId,
        tenant: TenantId,
        facts: &ArchiveFacts,
    ) -> Result<()> {
        let row = log_archive::ActiveModel {
            cluster_id: Set(cluster.0),
            method: Set(method_code(facts.method).to_owned()),
            host: Set(facts.host.clone()),
            checkpoint_scn: Set(facts.checkpoint.map(scn_column)),
            directory: Set(facts.directory.clone()),
            started: Set(facts.started.map(scn_column)),
            round: Set(facts.round),
            state: Set(facts.state.code().to_owned()),
            note: Set(facts.note.clone()),
            rev: Set(self.take_rev()),
            ..Default::default()
        };
        let done = log_archive::Entity::update_many()
            .set(row.clone())
            .filter(log_archive::COLUMN.tenant_id.eq(tenant.0))
            .exec(&self.tx)
            .await
            .during("changing log archiving")?;
        if done.rows_affected == 0 {
            let row = log_archive::ActiveModel {
                tenant_id: Set(tenant.0),
                ..row
            };
            log_archive::Entity::insert(row)
                .exec_without_returning(&self.tx)
                .await
                .during("adding log archiving")?;
        }
        Ok(())
    }

    /// Adds a set; it must not be known.
    pub async fn add_set(&self, tenant: TenantId, set: &BackupSet) -> Result<()> {
        self.touch();
        let row = backup_set::ActiveModel {
            tenant_id: Set(tenant.0),
            set_id: Set(set.id.0),
            kind: Set(set.kind.code().to_owned()),
            base: Set(set.base.map(|base| base.0)),
            round: Set(set.round),
            min_restore_scn: Set(scn_column(set.min_restore_scn)),
            started: Set(scn_column(set.started)),
            finished: Set(scn_column(set.finished)),
            stored_bytes: Set(column(set.stored_bytes)),
            raw_bytes: Set(column(set.raw_bytes)),
        };
        backup_set::Entity::insert(row)
            .exec_without_returning(&self.tx)
            .await
            .during("adding a backup set")?;
        Ok(())
    }

    /// Forgets a set that is no longer usable or no longer there.
    pub async fn remove_set(&self, tenant: TenantId, set: BackupSetId) -> Result<()> {
        self.touch();
        backup_set::Entity::delete_many()
            .filter(backup_set::COLUMN.tenant_id.eq(tenant.0))
            .filter(backup_set::COLUMN.set_id.eq(set.0))
            .exec(&self.tx)
            .await
            .during("removing a backup set")?;
        Ok(())
    }

    /// Adds or replaces a span, known by its round and start.
    pub async fn set_span(&self, tenant: TenantId, span: &LogSpan) -> Result<()> {
        self.touch();
        let row = log_span::ActiveModel {
            end_scn: Set(scn_column(span.end)),
            cause: Set(span.cause.code().to_owned()),
            note: Set(span.note.clone()),
            ..Default::default()
        };
        let done = log_span::Entity::update_many()
            .set(row.clone())
            .filter(log_span::COLUMN.tenant_id.eq(tenant.0))
            .filter(log_span::COLUMN.round.eq(span.round))
            .filter(log_span::COLUMN.start_scn.eq(scn_column(span.start)))
            .exec(&self.tx)
            .await
            .during("changing a log span")?;
        if done.rows_affected == 0 {
            let row = log_span::ActiveModel {
                tenant_id: Set(tenant.0),
                round: Set(span.round),
                start_scn: Set(scn_column(span.start)),
                ..row
            };
            log_span::Entity::insert(row)
                .exec_without_returning(&self.tx)
                .await
                .during("adding a log span")?;
        }
        Ok(())
    }

    /// Forgets a span that is no longer there.
    pub async fn remove_span(&self, tenant: TenantId, span: &LogSpan) -> Result<()> {
        self.touch();
        log_span::Entity::delete_many()
            .filter(log_span::COLUMN.tenant_id.eq(tenant.0))
            .filter(log_span::COLUMN.round.eq(span.round))
            .filter(log_span::COLUMN.start_scn.eq(scn_column(span.start)))
            .exec(&self.tx)
            .await
            .during("removing a log span")?;
        Ok(())
    }
}

fn tenant_row(facts: &TenantFacts, rev: i64) -> tenant::ActiveModel {
    tenant::ActiveModel {
        engine_key: Set(facts.engine_key.clone()),
        name: Set(facts.name.clone()),
        state: Set(facts.state.code().to_owned()),
        data_file: Set(facts.data_file.clone()),
        size_bytes: Set(column(facts.size_bytes)),
        note: Set(facts.note.clone()),
        data_bytes: Set(column(facts.data_bytes)),
        log_bytes: Set(column(facts.log_bytes)),
        rev: Set(rev),
        ..Default::default()
    }
}
