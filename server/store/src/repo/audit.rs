//! The audit: who changed what, and when.

use crate::{
    Change, Store,
    convert::{scn, scn_column},
    entity::audit,
    error::{During, Result},
};
use domain::{ClusterId, Revision, Scn};
use sea_orm::{
    ActiveValue::Set, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};

/// Most entries one question answers.
const ENTRIES_MAX: u64 = 200;

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audit {
    /// When.
    pub at: Scn,
    /// Who.
    pub actor: String,
    /// What was done, as a noun: `data backup`, `recovery`.
    pub operation: String,
    /// In which cluster, if in one.
    pub cluster: Option<ClusterId>,
    /// To what: a tenant's name, a task's number.
    pub subject: String,
    /// More about it; never a secret, never the text of SQL.
    pub detail: String,
}

impl Change {
    /// Records `entry` with everything else of this change.
    pub async fn audit(&self, entry: &Audit) -> Result<Revision> {
        let rev = self.take_rev();
        let row = audit::ActiveModel {
            at: Set(scn_column(entry.at)),
            actor: Set(entry.actor.clone()),
            operation: Set(entry.operation.clone()),
            cluster_id: Set(entry.cluster.map(|id| id.0)),
            subject: Set(entry.subject.clone()),
            detail: Set(entry.detail.clone()),
            rev: Set(rev),
            ..Default::default()
        };
        audit::Entity::insert(row)
            .exec(&self.tx)
            .await
            .during("recording the audit")?;
        Ok(Revision(rev))
    }
}

impl Store {
    /// Whether `actor` has ever ordered `operation` on `subject` in a cluster.
    pub async fn was_ordered(
        &self,
        cluster: ClusterId,
        actor: &str,
        operation: &str,
        subject: &str,
    ) -> Result<bool> {
        let found = audit::Entity::find()
            .filter(audit::COLUMN.cluster_id.eq(cluster.0))
            .filter(audit::COLUMN.actor.eq(actor))
            .filter(audit::COLUMN.operation.eq(operation))
            .filter(audit::COLUMN.subject.eq(subject))
            .count(&self.db)
            .await
            .during("looking into the audit")?;
        Ok(found > 0)
    }

    /// The newest entries, newest first.
    pub async fn audits(&self) -> Result<Vec<Audit>> {
        let rows = audit::Entity::find()
            .order_by_desc(audit::COLUMN.id)
            .limit(ENTRIES_MAX)
            .all(&self.db)
            .await
            .during("reading the audit")?;
        rows.into_iter().map(entry).collect()
    }
}

pub(crate) fn entry(row: audit::Model) -> Result<Audit> {
    Ok(Audit {
        at: scn("audit.at", row.at)?,
        actor: row.actor,
        operation: row.operation,
        cluster: row.cluster_id.map(ClusterId),
        subject: row.subject,
        detail: row.detail,
    })
}
