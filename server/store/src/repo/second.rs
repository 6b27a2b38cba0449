//! Second copies as observed: written, read with the picture, and listed.

use super::{filter::Slice, picture::TenantPicture, tasks};
use crate::{
    Change, Store,
    convert::{column, count, scn, scn_column, scn_opt, word},
    entity::{second_copy, second_set, second_span},
    error::{During, Result},
};
use domain::{
    BackupSetId, ClusterId, Revision, Scn, TenantId,
    backup::{BackupKind, BackupSet},
    page::{Page, TaskFilter},
    recoverable::{GapCause, LogSpan},
    second_backup::{SecondLog, SecondLogState},
};
use sea_orm::{
    ActiveValue::Set, Condition, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect,
};
use std::collections::HashMap;

/// What is observed of a tenant's second copies as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecondFacts {
    /// Whether they are kept, and can be looked at.
    pub state: SecondLogState,
    /// Bytes of its sets there.
    pub data_bytes: u64,
    /// Bytes of its log there.
    pub log_bytes: u64,
    /// Everything at or before it is there.
    pub checkpoint: Option<Scn>,
    /// Start of the round copied last.
    pub started: Option<Scn>,
    /// Directory of the log there.
    pub directory: String,
}

/// Everything observed of a tenant's second copies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecondPicture {
    /// As a whole.
    pub facts: SecondFacts,
    /// Usable sets there, ascending.
    pub sets: Vec<BackupSet>,
    /// Log there, ascending.
    pub spans: Vec<LogSpan>,
}

impl TenantPicture {
    /// Its usable sets at the second destination.
    pub fn second_sets(&self) -> &[BackupSet] {
        self.second.as_ref().map_or(&[], |second| &second.sets)
    }

    /// Its log at the second destination.
    pub fn second_spans(&self) -> &[LogSpan] {
        self.second.as_ref().map_or(&[], |second| &second.spans)
    }
}

impl Change {
    /// Replaces what is known of a tenant's second copies as a whole.
    pub async fn set_second(
        &self,
        cluster: ClusterId,
        tenant: TenantId,
        facts: &SecondFacts,
    ) -> Result<()> {
        let row = second_copy::ActiveModel {
            cluster_id: Set(cluster.0),
            state: Set(facts.state.code().to_owned()),
            data_bytes: Set(column(facts.data_bytes)),
            log_bytes: Set(column(facts.log_bytes)),
            checkpoint_scn: Set(facts.checkpoint.map(scn_column)),
            started: Set(facts.started.map(scn_column)),
            directory: Set(facts.directory.clone()),
            rev: Set(self.take_rev()),
            ..Default::default()
        };
        let done = second_copy::Entity::update_many()
            .set(row.clone())
            .filter(second_copy::COLUMN.tenant_id.eq(tenant.0))
            .exec(&self.tx)
            .await
            .during("changing second copies")?;
        if done.rows_affected == 0 {
            let row = second_copy::ActiveModel {
                tenant_id: Set(tenant.0),
                ..row
            };
            second_copy::Entity::insert(row)
                .exec_without_returning(&self.tx)
                .await
                .during("adding second copies")?;
        }
        Ok(())
    }

    /// Adds a set at the second destination; it must not be known there.
    pub async fn add_second_set(&self, tenant: TenantId, set: &BackupSet) -> Result<()> {
        self.touch();
        let row = second_set::ActiveModel {
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
        second_set::Entity::insert(row)
            .exec_without_returning(&self.tx)
            .await
            .during("adding a copied backup set")?;
        Ok(())
    }

    /// Forgets a set that is no longer usable or no longer there at the second destination.
    pub async fn remove_second_set(&self, tenant: TenantId, set: BackupSetId) -> Result<()> {
        self.touch();
        second_set::Entity::delete_many()
            .filter(second_set::COLUMN.tenant_id.eq(tenant.0))
            .filter(second_set::COLUMN.set_id.eq(set.0))
            .exec(&self.tx)
            .await
            .during("removing a copied backup set")?;
        Ok(())
    }

    /// Adds or replaces a span at the second destination, known by its round and start.
    pub async fn set_second_span(&self, tenant: TenantId, span: &LogSpan) -> Result<()> {
        self.touch();
        let row = second_span::ActiveModel {
            end_scn: Set(scn_column(span.end)),
            cause: Set(span.cause.code().to_owned()),
            note: Set(span.note.clone()),
            ..Default::default()
        };
        let done = second_span::Entity::update_many()
            .set(row.clone())
            .filter(span_key(tenant, span))
            .exec(&self.tx)
            .await
            .during("changing a copied log span")?;
        if done.rows_affected == 0 {
            let row = second_span::ActiveModel {
                tenant_id: Set(tenant.0),
                round: Set(span.round),
                start_scn: Set(scn_column(span.start)),
                ..row
            };
            second_span::Entity::insert(row)
                .exec_without_returning(&self.tx)
                .await
                .during("adding a copied log span")?;
        }
        Ok(())
    }

    /// Forgets a span that is no longer there at the second destination.
    pub async fn remove_second_span(&self, tenant: TenantId, span: &LogSpan) -> Result<()> {
        self.touch();
        second_span::Entity::delete_many()
            .filter(span_key(tenant, span))
            .exec(&self.tx)
            .await
            .during("removing a copied log span")?;
        Ok(())
    }
}

fn span_key(tenant: TenantId, span: &LogSpan) -> Condition {
    Condition::all()
        .add(second_span::COLUMN.tenant_id.eq(tenant.0))
        .add(second_span::COLUMN.round.eq(span.round))
        .add(second_span::COLUMN.start_scn.eq(scn_column(span.start)))
}

impl Store {
    /// Second copies of the tenants of a cluster, by tenant.
    pub(crate) async fn second_pictures(
        &self,
        cluster: ClusterId,
        tenants: &[i64],
    ) -> Result<HashMap<i64, SecondPicture>> {
        let rows = second_copy::Entity::find()
            .filter(second_copy::COLUMN.cluster_id.eq(cluster.0))
            .all(&self.db)
            .await
            .during("reading second copies")?;
        if rows.is_empty() {
            return Ok(HashMap::new());
        }
        let mut sets = self.second_sets(tenants).await?;
        let mut spans = self.second_spans(tenants).await?;
        rows.into_iter()
            .map(|row| {
                let id = row.tenant_id;
                let picture = SecondPicture {
                    facts: facts(row)?,
                    sets: sets.remove(&id).unwrap_or_default(),
                    spans: spans.remove(&id).unwrap_or_default(),
                };
                Ok((id, picture))
            })
            .collect()
    }

    async fn second_sets(&self, tenants: &[i64]) -> Result<HashMap<i64, Vec<BackupSet>>> {
        let rows = second_set::Entity::find()
            .filter(second_set::COLUMN.tenant_id.is_in(tenants.iter().copied()))
            .order_by_asc(second_set::COLUMN.set_id)
            .all(&self.db)
            .await
            .during("reading copied backup sets")?;
        let mut sets: HashMap<i64, Vec<BackupSet>> = HashMap::new();
        for row in rows {
            sets.entry(row.tenant_id).or_default().push(set(&row)?);
        }
        Ok(sets)
    }

    async fn second_spans(&self, tenants: &[i64]) -> Result<HashMap<i64, Vec<LogSpan>>> {
        let rows = second_span::Entity::find()
            .filter(second_span::COLUMN.tenant_id.is_in(tenants.iter().copied()))
            .order_by_asc(second_span::COLUMN.start_scn)
            .all(&self.db)
            .await
            .during("reading copied log spans")?;
        let mut spans: HashMap<i64, Vec<LogSpan>> = HashMap::new();
        for row in rows {
            spans.entry(row.tenant_id).or_default().push(span(row)?);
        }
        Ok(spans)
    }

    /// A page of second log backup tasks; there is one row per tenant that ever had second copies. Their
    /// time is the start of the round.
    pub async fn second_logs(
        &self,
        cluster: ClusterId,
        ask: &TaskFilter,
    ) -> Result<Page<SecondLog>> {
        let slice = Slice::of(ask);
        let matching = second_copy::Entity::find().filter(matching(cluster, ask));
        let total = matching.clone().count(&self.db).await;
        let all = second_copy::Entity::find().filter(second_copy::COLUMN.cluster_id.eq(cluster.0));
        let total_unfiltered = all.count(&self.db).await;
        let rows = matching
            .order_by(second_copy::COLUMN.started, tasks::direction(ask))
            .order_by_asc(second_copy::COLUMN.tenant_id)
            .offset(slice.offset())
            .limit(slice.limit())
            .all(&self.db)
            .await
            .during("listing second log backup tasks")?;
        Ok(slice.page(
            log_rows(&self.db, rows).await?,
            total.during("counting second log backup tasks")?,
            total_unfiltered.during("counting second log backup tasks")?,
        ))
    }
}

/// Rows of second log backup tasks, in the order given.
pub(crate) async fn log_rows(
    db: &impl ConnectionTrait,
    rows: Vec<second_copy::Model>,
) -> Result<Vec<SecondLog>> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let names = tasks::names(db, rows.iter().map(|row| row.tenant_id)).await?;
    let rows = rows.into_iter().map(|row| {
        let (tenant, rev) = (row.tenant_id, Revision(row.rev));
        let facts = facts(row)?;
        Ok(SecondLog {
            tenant: TenantId(tenant),
            tenant_name: tasks::name(&names, tenant)?,
            last_backed_up: facts.checkpoint,
            directory: facts.directory,
            started: facts.started,
            log_bytes: facts.log_bytes,
            state: facts.state,
            note: None,
            rev,
        })
    });
    rows.collect()
}

fn matching(cluster: ClusterId, ask: &TaskFilter) -> Condition {
    let started = second_copy::COLUMN.started;
    Condition::all()
        .add(second_copy::COLUMN.cluster_id.eq(cluster.0))
        .add_option(ask.since.map(|at| started.gte(scn_column(at))))
        .add_option(ask.until.map(|at| started.lt(scn_column(at))))
        .add_option(ask.tenant.map(|id| second_copy::COLUMN.tenant_id.eq(id.0)))
}

fn facts(row: second_copy::Model) -> Result<SecondFacts> {
    Ok(SecondFacts {
        state: word("second_copy.state", &row.state, SecondLogState::from_code)?,
        data_bytes: count("second_copy.data_bytes", row.data_bytes)?,
        log_bytes: count("second_copy.log_bytes", row.log_bytes)?,
        checkpoint: scn_opt("second_copy.checkpoint_scn", row.checkpoint_scn)?,
        started: scn_opt("second_copy.started", row.started)?,
        directory: row.directory,
    })
}

fn set(row: &second_set::Model) -> Result<BackupSet> {
    Ok(BackupSet {
        id: BackupSetId(row.set_id),
        kind: word("second_set.kind", &row.kind, BackupKind::from_code)?,
        base: row.base.map(BackupSetId),
        round: row.round,
        min_restore_scn: scn("second_set.min_restore_scn", row.min_restore_scn)?,
        started: scn("second_set.started", row.started)?,
        finished: scn("second_set.finished", row.finished)?,
        stored_bytes: count("second_set.stored_bytes", row.stored_bytes)?,
        raw_bytes: count("second_set.raw_bytes", row.raw_bytes)?,
    })
}

fn span(row: second_span::Model) -> Result<LogSpan> {
    Ok(LogSpan {
        round: row.round,
        start: scn("second_span.start_scn", row.start_scn)?,
        end: scn("second_span.end_scn", row.end_scn)?,
        cause: GapCause::from_code(&row.cause),
        note: row.note,
    })
}
