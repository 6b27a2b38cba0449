//! The audit: who did what, from where, when, and how it ended.

use super::filter::Slice;
use crate::{
    Change, Store,
    convert::{scn, scn_column, word},
    entity::{audit, cluster},
    error::{During, Result},
};
use domain::{
    ClusterId, Revision, Scn,
    audit::{AuditFilter, AuditResult, AuditRow, TEXT_MAX},
    page::Page,
};
use sea_orm::{
    ActiveValue::Set,
    Condition, ConnectionTrait, EntityTrait, ExprTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect,
    sea_query::{Expr, Func, LikeExpr},
};
use std::collections::{BTreeMap, BTreeSet};

/// Most entries one question answers.
const ENTRIES_MAX: u64 = 200;
/// Longest address that is kept, in characters; the width of its column.
const ADDRESS_MAX: usize = 64;
/// Longest of the other texts, in characters.
const WORDS_MAX: usize = 4000;

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audit {
    /// When.
    pub at: Scn,
    /// Who.
    pub actor: String,
    /// From which network address.
    pub address: Option<String>,
    /// What was done, as a noun: `data backup`, `recovery`.
    pub operation: String,
    /// In which cluster, if in one.
    pub cluster: Option<ClusterId>,
    /// To what: a tenant's name, a task's number.
    pub subject: String,
    /// More about it; never a secret, never the text of SQL.
    pub detail: String,
    /// How it ended.
    pub result: AuditResult,
    /// Why it was refused or failed.
    pub cause: Option<String>,
    /// What was before, as JSON without secrets.
    pub before: Option<String>,
    /// What was after, as JSON without secrets.
    pub after: Option<String>,
}

/// Whose entries may be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuditScope {
    /// All.
    Everything,
    /// Those of these clusters.
    Clusters(BTreeSet<ClusterId>),
}

impl Change {
    /// Records `entry` with everything else of this change.
    pub async fn audit(&self, entry: &Audit) -> Result<Revision> {
        self.audit_begun(entry).await.map(|(_, rev)| rev)
    }

    /// The same; the number tells the entry when its end is known.
    pub async fn audit_begun(&self, entry: &Audit) -> Result<(i64, Revision)> {
        let rev = self.take_rev();
        let words = |text: &Option<String>| text.as_deref().map(|text| cut(text, WORDS_MAX));
        let row = audit::ActiveModel {
            at: Set(scn_column(entry.at)),
            actor: Set(entry.actor.clone()),
            operation: Set(entry.operation.clone()),
            cluster_id: Set(entry.cluster.map(|id| id.0)),
            subject: Set(entry.subject.clone()),
            detail: Set(entry.detail.clone()),
            rev: Set(rev),
            address: Set(entry.address.as_deref().map(|text| cut(text, ADDRESS_MAX))),
            result: Set(entry.result.code().to_owned()),
            cause: Set(words(&entry.cause)),
            was: Set(words(&entry.before)),
            became: Set(words(&entry.after)),
            ..Default::default()
        };
        let done = audit::Entity::insert(row)
            .exec(&self.tx)
            .await
            .during("recording the audit")?;
        Ok((done.last_insert_id, Revision(rev)))
    }

    /// Records how something ended that an entry says was begun.
    pub async fn audit_ended(
        &self,
        id: i64,
        result: AuditResult,
        cause: Option<&str>,
    ) -> Result<()> {
        let row = audit::ActiveModel {
            result: Set(result.code().to_owned()),
            cause: Set(cause.map(|text| cut(text, WORDS_MAX))),
            rev: Set(self.take_rev()),
            ..Default::default()
        };
        audit::Entity::update_many()
            .set(row)
            .filter(audit::COLUMN.id.eq(id))
            .exec(&self.tx)
            .await
            .during("recording an end in the audit")?;
        Ok(())
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

    /// A page of entries, newest first.
    pub async fn audit_page(
        &self,
        scope: &AuditScope,
        filter: &AuditFilter,
    ) -> Result<Page<AuditRow>> {
        let slice = Slice::new(filter.page, filter.size);
        let names = self.cluster_names().await?;
        let matching = audit::Entity::find().filter(condition(scope, filter, &names));
        let all = audit::Entity::find().filter(condition(scope, &AuditFilter::default(), &names));
        let total = matching.clone().count(&self.db).await;
        let total_unfiltered = all.count(&self.db).await;
        let rows = matching
            .order_by_desc(audit::COLUMN.id)
            .offset(slice.offset())
            .limit(slice.limit())
            .all(&self.db)
            .await
            .during("listing the audit")?;
        Ok(slice.page(
            audit_rows(rows, &names)?,
            total.during("counting the audit")?,
            total_unfiltered.during("counting the audit")?,
        ))
    }

    /// Entries with a number below `before`, newest first, at most `limit`: the way through all of them
    /// that entries which come meanwhile do not disturb.
    pub async fn audit_before(
        &self,
        scope: &AuditScope,
        filter: &AuditFilter,
        before: i64,
        limit: u64,
    ) -> Result<Vec<AuditRow>> {
        let names = self.cluster_names().await?;
        let rows = audit::Entity::find()
            .filter(condition(scope, filter, &names))
            .filter(audit::COLUMN.id.lt(before))
            .order_by_desc(audit::COLUMN.id)
            .limit(limit)
            .all(&self.db)
            .await
            .during("reading the audit")?;
        audit_rows(rows, &names)
    }

    /// Removes at most `limit` of the oldest entries from before `at`, but none of the kinds in `kept`; how many.
    pub async fn forget_audits(&self, at: Scn, kept: &[&str], limit: u64) -> Result<u64> {
        let old: Vec<i64> = audit::Entity::find()
            .select_only()
            .column(audit::Column::Id)
            .filter(audit::COLUMN.at.lt(scn_column(at)))
            .filter(audit::COLUMN.operation.is_not_in(kept.iter().copied()))
            .order_by_asc(audit::COLUMN.id)
            .limit(limit)
            .into_tuple()
            .all(&self.db)
            .await
            .during("finding old entries of the audit")?;
        if old.is_empty() {
            return Ok(0);
        }
        let done = audit::Entity::delete_many()
            .filter(audit::COLUMN.id.is_in(old))
            .exec(&self.writer)
            .await
            .during("removing old entries of the audit")?;
        Ok(done.rows_affected)
    }

    async fn cluster_names(&self) -> Result<BTreeMap<i64, String>> {
        names(&self.db).await
    }
}

async fn names(db: &impl ConnectionTrait) -> Result<BTreeMap<i64, String>> {
    let rows: Vec<(i64, String)> = cluster::Entity::find()
        .select_only()
        .column(cluster::Column::Id)
        .column(cluster::Column::Name)
        .into_tuple()
        .all(db)
        .await
        .during("listing clusters")?;
    Ok(rows.into_iter().collect())
}

fn condition(scope: &AuditScope, filter: &AuditFilter, names: &BTreeMap<i64, String>) -> Condition {
    let scope = match scope {
        AuditScope::Everything => None,
        AuditScope::Clusters(ids) => {
            Some(audit::COLUMN.cluster_id.is_in(ids.iter().map(|id| id.0)))
        }
    };
    let cluster = filter.cluster.as_ref().map(|name| {
        // A cluster that is not there has no entries.
        let id = names.iter().find(|(_, known)| *known == name);
        audit::COLUMN.cluster_id.eq(id.map_or(-1, |(id, _)| *id))
    });
    Condition::all()
        .add_option(scope)
        .add_option(cluster)
        .add_option(filter.since.map(|at| audit::COLUMN.at.gte(scn_column(at))))
        .add_option(filter.until.map(|at| audit::COLUMN.at.lt(scn_column(at))))
        .add_option(
            filter
                .actor
                .as_ref()
                .map(|name| audit::COLUMN.actor.eq(name)),
        )
        .add_option(
            filter
                .operation
                .as_ref()
                .map(|name| audit::COLUMN.operation.eq(name)),
        )
        .add_option(
            filter
                .result
                .map(|result| audit::COLUMN.result.eq(result.code())),
        )
        .add_option(filter.text.as_deref().and_then(holds))
}

/// Entries with a text somewhere, whatever the case of its letters.
fn holds(text: &str) -> Option<Condition> {
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    let mut pattern = "%".to_owned();
    for character in text.chars().take(TEXT_MAX) {
        if "%_!".contains(character) {
            pattern.push('!');
        }
        pattern.extend(character.to_lowercase());
    }
    pattern.push('%');
    let places = [
        audit::Column::Actor,
        audit::Column::Operation,
        audit::Column::Subject,
        audit::Column::Detail,
        audit::Column::Cause,
    ];
    let like = |place: audit::Column| {
        Expr::expr(Func::lower(Expr::col(place))).like(LikeExpr::new(pattern.clone()).escape('!'))
    };
    Some(
        places
            .into_iter()
            .fold(Condition::any(), |any, place| any.add(like(place))),
    )
}

fn audit_rows(rows: Vec<audit::Model>, names: &BTreeMap<i64, String>) -> Result<Vec<AuditRow>> {
    rows.into_iter()
        .map(|row| {
            Ok(AuditRow {
                id: row.id,
                at: scn("audit.at", row.at)?,
                actor: row.actor,
                address: row.address,
                operation: row.operation,
                cluster: row.cluster_id.map(|id| match names.get(&id) {
                    Some(name) => name.clone(),
                    None => format!("number {id}"),
                }),
                subject: row.subject,
                detail: row.detail,
                result: word("audit.result", &row.result, AuditResult::from_code)?,
                cause: row.cause,
                before: row.was,
                after: row.became,
            })
        })
        .collect()
}

fn cut(text: &str, characters: usize) -> String {
    text.chars().take(characters).collect()
}

pub(crate) fn entry(row: audit::Model) -> Result<Audit> {
    Ok(Audit {
        at: scn("audit.at", row.at)?,
        actor: row.actor,
        address: row.address,
        operation: row.operation,
        cluster: row.cluster_id.map(ClusterId),
        subject: row.subject,
        detail: row.detail,
        result: word("audit.result", &row.result, AuditResult::from_code)?,
        cause: row.cause,
        before: row.was,
        after: row.became,
    })
}
