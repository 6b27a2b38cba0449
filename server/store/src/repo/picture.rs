//! The picture of a cluster: everything observed of its tenants, read as a whole.

use super::second::SecondPicture;
use crate::{
    Store,
    convert::{count, scn, scn_opt, word},
    entity::{backup_set, log_archive, log_span, tenant},
    error::{During, Result},
};
use domain::{
    BackupSetId, ClusterId, Revision, Scn, TenantId,
    archive::ArchiveState,
    backup::{BackupKind, BackupMethod, BackupSet},
    recoverable::{GapCause, LogSpan},
    tenant::{Tenant, TenantState},
};
use sea_orm::{EntityTrait, QueryFilter, QueryOrder};
use std::collections::HashMap;

/// Tenants whose sets or log are read by one question. Few, as the memory for their rows is not given back afterwards.
const TENANTS_AT_ONCE: usize = 10;

/// What is observed of a tenant itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantFacts {
    /// The engine's identity of it.
    pub engine_key: String,
    /// Name.
    pub name: String,
    /// Whether it is there.
    pub state: TenantState,
    /// Its data file, for engines whose tenants are files.
    pub data_file: Option<String>,
    /// Bytes of its data.
    pub size_bytes: u64,
    /// Something a person should know about it.
    pub note: Option<String>,
    /// Bytes of its sets at the destination.
    pub data_bytes: u64,
    /// Bytes of its log at the destination.
    pub log_bytes: u64,
}

/// What is observed of a tenant's log archiving.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveFacts {
    /// Physical or logical.
    pub method: BackupMethod,
    /// Host that archives.
    pub host: String,
    /// Everything at or before it is durable at the destination.
    pub checkpoint: Option<Scn>,
    /// Directory at the destination.
    pub directory: String,
    /// Start of the current or last round.
    pub started: Option<Scn>,
    /// Number of that round; 0 before the first.
    pub round: i64,
    /// State.
    pub state: ArchiveState,
    /// Why it is interrupted or who stopped it.
    pub note: Option<String>,
}

/// Everything observed of one tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantPicture {
    /// Its number.
    pub id: TenantId,
    /// Version of the tenant's row.
    pub rev: Revision,
    /// The tenant itself.
    pub facts: TenantFacts,
    /// Its log archiving.
    pub archive: Option<ArchiveFacts>,
    /// Its usable sets, ascending.
    pub sets: Vec<BackupSet>,
    /// Its log, ascending.
    pub spans: Vec<LogSpan>,
    /// Its second copies; absent where there never were any.
    pub second: Option<SecondPicture>,
}

impl TenantPicture {
    /// The tenant as pages see it.
    pub fn tenant(&self) -> Tenant {
        let facts = self.facts.clone();
        Tenant {
            id: self.id,
            engine_key: facts.engine_key,
            name: facts.name,
            state: facts.state,
            data_file: facts.data_file,
            size_bytes: facts.size_bytes,
            note: facts.note,
            rev: self.rev,
        }
    }
}

impl Store {
    /// The tenants of a cluster with everything observed of them, by name.
    pub async fn picture(&self, cluster: ClusterId) -> Result<Vec<TenantPicture>> {
        let tenants = tenant::Entity::find()
            .filter(tenant::COLUMN.cluster_id.eq(cluster.0))
            .order_by_asc(tenant::COLUMN.name)
            .order_by_asc(tenant::COLUMN.id)
            .all(&self.db)
            .await
            .during("reading tenants")?;
        let ids: Vec<i64> = tenants.iter().map(|tenant| tenant.id).collect();
        let mut archives = self.archive_facts(cluster).await?;
        let mut sets = self.sets(&ids).await?;
        let mut spans = self.spans(&ids).await?;
        let mut seconds = self.second_pictures(cluster, &ids).await?;
        tenants
            .into_iter()
            .map(|row| {
                Ok(TenantPicture {
                    id: TenantId(row.id),
                    rev: Revision(row.rev),
                    archive: archives.remove(&row.id),
                    sets: sets.remove(&row.id).unwrap_or_default(),
                    spans: spans.remove(&row.id).unwrap_or_default(),
                    second: seconds.remove(&row.id),
                    facts: tenant_facts(row)?,
                })
            })
            .collect()
    }

    /// The tenants of a cluster, by name, without what is observed of their backups.
    pub async fn tenants(&self, cluster: ClusterId) -> Result<Vec<Tenant>> {
        let rows = tenant::Entity::find()
            .filter(tenant::COLUMN.cluster_id.eq(cluster.0))
            .order_by_asc(tenant::COLUMN.name)
            .order_by_asc(tenant::COLUMN.id)
            .all(&self.db)
            .await
            .during("listing tenants")?;
        rows.into_iter().map(page_tenant).collect()
    }

    /// One tenant of a cluster.
    pub async fn tenant(&self, cluster: ClusterId, id: TenantId) -> Result<Option<Tenant>> {
        let row = tenant::Entity::find_by_id(id.0)
            .filter(tenant::COLUMN.cluster_id.eq(cluster.0))
            .one(&self.db)
            .await
            .during("reading a tenant")?;
        row.map(page_tenant).transpose()
    }

    async fn archive_facts(&self, cluster: ClusterId) -> Result<HashMap<i64, ArchiveFacts>> {
        let rows = log_archive::Entity::find()
            .filter(log_archive::COLUMN.cluster_id.eq(cluster.0))
            .all(&self.db)
            .await
            .during("reading log archiving")?;
        rows.into_iter()
            .map(|row| Ok((row.tenant_id, archive_facts(row)?)))
            .collect()
    }

    /// In parts, so that the rows of all tenants are never in memory at once.
    async fn sets(&self, tenants: &[i64]) -> Result<HashMap<i64, Vec<BackupSet>>> {
        let mut sets: HashMap<i64, Vec<BackupSet>> = HashMap::with_capacity(tenants.len());
        for part in tenants.chunks(TENANTS_AT_ONCE) {
            let rows = backup_set::Entity::find()
                .filter(backup_set::COLUMN.tenant_id.is_in(part.iter().copied()))
                .order_by_asc(backup_set::COLUMN.tenant_id)
                .order_by_asc(backup_set::COLUMN.set_id)
                .all(&self.db)
                .await
                .during("reading backup sets")?;
            for row in rows {
                sets.entry(row.tenant_id).or_default().push(set(&row)?);
            }
        }
        Ok(sets)
    }

    /// In parts too.
    async fn spans(&self, tenants: &[i64]) -> Result<HashMap<i64, Vec<LogSpan>>> {
        let mut spans: HashMap<i64, Vec<LogSpan>> = HashMap::with_capacity(tenants.len());
        for part in tenants.chunks(TENANTS_AT_ONCE) {
            let rows = log_span::Entity::find()
                .filter(log_span::COLUMN.tenant_id.is_in(part.iter().copied()))
                .order_by_asc(log_span::COLUMN.start_scn)
                .all(&self.db)
                .await
                .during("reading log spans")?;
            for row in rows {
                spans.entry(row.tenant_id).or_default().push(span(row)?);
            }
        }
        Ok(spans)
    }
}

fn page_tenant(row: tenant::Model) -> Result<Tenant> {
    let picture = TenantPicture {
        id: TenantId(row.id),
        rev: Revision(row.rev),
        archive: None,
        sets: Vec::new(),
        spans: Vec::new(),
        second: None,
        facts: tenant_facts(row)?,
    };
    Ok(picture.tenant())
}

fn tenant_facts(row: tenant::Model) -> Result<TenantFacts> {
    Ok(TenantFacts {
        engine_key: row.engine_key,
        name: row.name,
        state: word("tenant.state", &row.state, TenantState::from_code)?,
        data_file: row.data_file,
        size_bytes: count("tenant.size_bytes", row.size_bytes)?,
        note: row.note,
        data_bytes: count("tenant.data_bytes", row.data_bytes)?,
        log_bytes: count("tenant.log_bytes", row.log_bytes)?,
    })
}

fn archive_facts(row: log_archive::Model) -> Result<ArchiveFacts> {
    Ok(ArchiveFacts {
        method: word("log_archive.method", &row.method, method_from_code)?,
        host: row.host,
        checkpoint: scn_opt("log_archive.checkpoint_scn", row.checkpoint_scn)?,
        directory: row.directory,
        started: scn_opt("log_archive.started", row.started)?,
        round: row.round,
        state: ArchiveState::from_code(&row.state),
        note: row.note,
    })
}

fn set(row: &backup_set::Model) -> Result<BackupSet> {
    Ok(BackupSet {
        id: BackupSetId(row.set_id),
        kind: word("backup_set.kind", &row.kind, BackupKind::from_code)?,
        base: row.base.map(BackupSetId),
        round: row.round,
        min_restore_scn: scn("backup_set.min_restore_scn", row.min_restore_scn)?,
        started: scn("backup_set.started", row.started)?,
        finished: scn("backup_set.finished", row.finished)?,
        stored_bytes: count("backup_set.stored_bytes", row.stored_bytes)?,
        raw_bytes: count("backup_set.raw_bytes", row.raw_bytes)?,
    })
}

fn span(row: log_span::Model) -> Result<LogSpan> {
    Ok(LogSpan {
        round: row.round,
        start: scn("log_span.start_scn", row.start_scn)?,
        end: scn("log_span.end_scn", row.end_scn)?,
        cause: GapCause::from_code(&row.cause),
        note: row.note,
    })
}

/// The stored form of a method.
pub(crate) const fn method_code(method: BackupMethod) -> &'static str {
    match method {
        BackupMethod::Physical => "physical",
        BackupMethod::Logical => "logical",
    }
}

/// Reads [`method_code`].
pub(crate) fn method_from_code(code: &str) -> Option<BackupMethod> {
    [BackupMethod::Physical, BackupMethod::Logical]
        .into_iter()
        .find(|method| method_code(*method) == code)
}
