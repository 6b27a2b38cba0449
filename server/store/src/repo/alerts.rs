//! Alerts: the rows of the list, and what an evaluation changes in them.

use super::filter::{Slice, contains};
use crate::{
    Change, Store,
    convert::{impossible, scn, scn_column, scn_opt, word},
    entity::{alert, alert_watch},
    error::{During, Result},
};
use domain::{
    AlertId, ClusterId, Revision, Scn,
    alert::{
        Alert, AlertChange, AlertCounts, AlertFilter, AlertStatus, Hit, Language, Level, Open,
        RuleId, text,
    },
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, EntityTrait, Order, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect,
};
use std::slice;

/// Most alerts that may be open at once; a fault beyond it is raised once others are over.
pub const OPEN_ALERTS_MAX: u64 = 10_000;
/// Most other times of the same fault that one alert shows.
const HISTORY_MAX: u64 = 50;
/// Most old alerts that are removed at once.
const REMOVED_MAX: u64 = 1_000;
/// The only row of the watch.
const WATCH: i64 = 1;

/// An alert with the texts that only its details show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAlert {
    /// The row of the list.
    pub alert: Alert,
    /// What tells its object from others of the cluster.
    pub key: String,
    /// What was measured.
    pub value: Option<String>,
    /// What it was measured against.
    pub threshold: Option<String>,
    /// More facts: name and value.
    pub labels: Vec<(String, String)>,
    /// Why it counts as over.
    pub ended_because: Option<String>,
    /// Who masked it, and why.
    pub masked_by: Option<String>,
}

impl Store {
    /// A page of the alerts of some clusters and of the console itself, or with `None` of everything.
    pub async fn alerts(
        &self,
        clusters: Option<&[ClusterId]>,
        ask: &AlertFilter,
    ) -> Result<domain::page::Page<Alert>> {
        let slice = Slice::new(ask.page, ask.size);
        let count = async |condition: Condition| {
            alert::Entity::find()
                .filter(condition)
                .count(&self.db)
                .await
                .during("counting alerts")
        };
        let order = if ask.ascending {
            Order::Asc
        } else {
            Order::Desc
        };
        let rows = alert::Entity::find()
            .filter(matching(clusters, ask))
            .order_by(alert::COLUMN.generated, order.clone())
            .order_by(alert::COLUMN.id, order)
            .offset(slice.offset())
            .limit(slice.limit())
            .all(&self.db)
            .await
            .during("listing alerts")?;
        let rows: Result<Vec<Alert>> = rows.iter().map(shown).collect();
        let total = count(matching(clusters, ask)).await?;
        Ok(slice.page(rows?, total, count(of(clusters)).await?))
    }

    /// One alert.
    pub async fn alert(&self, id: AlertId) -> Result<Option<StoredAlert>> {
        let row = alert::Entity::find_by_id(id.0)
            .one(&self.db)
            .await
            .during("reading an alert")?;
        row.map(stored).transpose()
    }

    /// Other times that the same was wrong with the same object, newest first.
    pub async fn alert_history(&self, of: &StoredAlert) -> Result<Vec<Alert>> {
        let rows = alert::Entity::find()
            .filter(same(of.alert.cluster, &of.alert.rule, &of.key))
            .filter(alert::COLUMN.id.ne(of.alert.id.0))
            .order_by_desc(alert::COLUMN.id)
            .limit(HISTORY_MAX)
            .all(&self.db)
            .await
            .during("reading earlier alerts")?;
        rows.iter().map(shown).collect()
    }

    /// How many alerts of a cluster and of the console itself (`None`: of everything) are active, by level.
    pub async fn alert_counts(&self, cluster: Option<ClusterId>) -> Result<AlertCounts> {
        let active = Condition::all()
            .add(of(cluster.as_ref().map(slice::from_ref)))
            .add(alert::COLUMN.status.eq(AlertStatus::Active.code()));
        self.by_level(active).await
    }

    /// How many alerts match, by level.
    pub async fn alert_levels(
        &self,
        cluster: Option<ClusterId>,
        ask: &AlertFilter,
    ) -> Result<AlertCounts> {
        let clusters = cluster.as_ref().map(slice::from_ref);
        self.by_level(matching(clusters, ask)).await
    }

    async fn by_level(&self, condition: Condition) -> Result<AlertCounts> {
        let rows: Vec<(i32, i64)> = alert::Entity::find()
            .select_only()
            .column(alert::Column::Level)
            .column_as(alert::Column::Id.count(), "total")
            .filter(condition)
            .group_by(alert::Column::Level)
            .into_tuple()
            .all(&self.db)
            .await
            .during("counting alerts by level")?;
        let mut counts = AlertCounts::default();
        for (number, total) in rows {
            let level = level(number)?;
            counts.0[level as usize] = u32::try_from(total).unwrap_or(u32::MAX);
        }
        Ok(counts)
    }

    /// Whether an alert of a cluster or of the console itself changed after `since`.
    pub async fn alerts_changed(&self, cluster: ClusterId, since: Revision) -> Result<bool> {
        let found = alert::Entity::find()
            .select_only()
            .column(alert::Column::Id)
            .filter(of(Some(&[cluster])))
            .filter(alert::COLUMN.rev.gt(since.0))
            .limit(1)
            .into_tuple::<i64>()
            .one(&self.db)
            .await
            .during("looking for changed alerts")?;
        Ok(found.is_some())
    }

    /// When alerts were evaluated last, if ever.
    pub async fn alerts_evaluated(&self) -> Result<Option<Scn>> {
        let row = alert_watch::Entity::find_by_id(WATCH)
            .one(&self.db)
            .await
            .during("asking for the last evaluation")?;
        row.map(|row| scn("alert_watch.evaluated", row.evaluated))
            .transpose()
    }
}

impl Change {
    /// The alerts that continue, and the recovered ones whose mask lasts longer than `now`.
    pub async fn open_alerts(&self, now: Scn) -> Result<Vec<Open>> {
        let masked = Condition::all()
            .add(alert::COLUMN.status.eq(AlertStatus::Recovered.code()))
            .add(alert::COLUMN.masked_until.gt(scn_column(now)));
        let open = alert::COLUMN
            .status
            .is_in([AlertStatus::Active.code(), AlertStatus::Masked.code()]);
        let rows = alert::Entity::find()
            .filter(Condition::any().add(open).add(masked))
            .order_by_asc(alert::COLUMN.id)
            .limit(OPEN_ALERTS_MAX)
            .all(&self.tx)
            .await
            .during("reading open alerts")?;
        // A rule that this version does not know any more is left as it is.
        let known = rows
            .into_iter()
            .filter_map(|row| Some((RuleId::from_code(&row.rule)?, row)));
        known.map(|(rule, row)| open_row(rule, row)).collect()
    }

    /// Carries out what an evaluation at `now` changes; gives the number of the row.
    pub async fn alert_change(&self, change: &AlertChange, now: Scn) -> Result<AlertId> {
        let mut row = alert::ActiveModel {
            rev: Set(self.take_rev()),
            ..Default::default()
        };
        let id = match change {
            AlertChange::Raise {
                rule,
                cluster,
                key,
                object,
                level,
                hit,
                masked_until,
            } => {
                let status = match masked_until {
                    Some(_) => AlertStatus::Masked,
                    None => AlertStatus::Active,
                };
                row.cluster_id = Set(cluster.map(|id| id.0));
                row.rule = Set(rule.code().to_owned());
                row.object_key = Set(key.clone());
                row.status = Set(status.code().to_owned());
                row.generated = Set(scn_column(now));
                row.masked_until = Set(masked_until.map(scn_column));
                set_hit(&mut row, object, *level, hit, now)?;
                let done = alert::Entity::insert(row)
                    .exec(&self.tx)
                    .await
                    .during("raising an alert")?;
                return Ok(AlertId(done.last_insert_id));
            }
            AlertChange::Again {
                id,
                at,
                object,
                level,
                hit,
                ..
            } => {
                set_hit(&mut row, object, *level, hit, *at)?;
                row.clear_since = Set(None);
                *id
            }
            AlertChange::Clearing { id, since } => {
                row.clear_since = Set(since.map(scn_column));
                *id
            }
            AlertChange::Recover {
                id, at, because, ..
            } => {
                row.status = Set(AlertStatus::Recovered.code().to_owned());
                row.recovered = Set(Some(scn_column(*at)));
                row.ended_because = Set(Some(because.clone()));
                *id
            }
            AlertChange::MaskEnded { id } => {
                row.status = Set(AlertStatus::Active.code().to_owned());
                row.masked_until = Set(None);
                *id
            }
        };
        self.update_alert(id, row).await
    }

    /// An alert as it is inside this change.
    pub async fn alert(&self, id: AlertId) -> Result<Option<StoredAlert>> {
        let row = alert::Entity::find_by_id(id.0)
            .one(&self.tx)
            .await
            .during("reading an alert")?;
        row.map(stored).transpose()
    }

    /// Masks an open alert until a moment, or with `None` ends its mask. No earlier alert of the same fault keeps
    /// a mask of its own.
    pub async fn mask_alert(&self, of: &StoredAlert, until: Option<Scn>, by: &str) -> Result<()> {
        alert::Entity::update_many()
            .set(alert::ActiveModel {
                masked_until: Set(None),
                rev: Set(self.take_rev()),
                ..Default::default()
            })
            .filter(same(of.alert.cluster, &of.alert.rule, &of.key))
            .filter(alert::COLUMN.masked_until.is_not_null())
            .filter(alert::COLUMN.id.ne(of.alert.id.0))
            .exec(&self.tx)
            .await
            .during("ending an earlier mask")?;
        let status = match until {
            Some(_) => AlertStatus::Masked,
            None => AlertStatus::Active,
        };
        let row = alert::ActiveModel {
            status: Set(status.code().to_owned()),
            masked_until: Set(until.map(scn_column)),
            masked_by: Set(until.map(|_| by.to_owned())),
            rev: Set(self.take_rev()),
            ..Default::default()
        };
        self.update_alert(of.alert.id, row).await.map(|_| ())
    }

    /// Records that alerts were evaluated.
    pub async fn alerts_evaluated(&self, at: Scn) -> Result<()> {
        let row = || alert_watch::ActiveModel {
            id: Set(WATCH),
            evaluated: Set(scn_column(at)),
        };
        // Inserted once: what is not there is not updated, and MySQL does not count an update to the same value.
        let known = alert_watch::Entity::find_by_id(WATCH)
            .one(&self.tx)
            .await
            .during("asking for the last evaluation")?;
        if known.is_none() {
            alert_watch::Entity::insert(row())
                .exec(&self.tx)
                .await
                .during("recording the first evaluation")?;
        } else {
            alert_watch::Entity::update_many()
                .set(row())
                .filter(alert_watch::COLUMN.id.eq(WATCH))
                .exec(&self.tx)
                .await
                .during("recording an evaluation")?;
        }
        self.touch();
        Ok(())
    }

    /// Removes alerts that were over before `before`; at most [`REMOVED_MAX`] at once. Gives how many.
    pub async fn remove_old_alerts(&self, before: Scn) -> Result<u64> {
        let old: Vec<i64> = alert::Entity::find()
            .select_only()
            .column(alert::Column::Id)
            .filter(alert::COLUMN.status.eq(AlertStatus::Recovered.code()))
            .filter(alert::COLUMN.recovered.lt(scn_column(before)))
            .limit(REMOVED_MAX)
            .into_tuple()
            .all(&self.tx)
            .await
            .during("looking for old alerts")?;
        if old.is_empty() {
            return Ok(0);
        }
        let done = alert::Entity::delete_many()
            .filter(alert::COLUMN.id.is_in(old))
            .exec(&self.tx)
            .await
            .during("removing old alerts")?;
        self.touch();
        Ok(done.rows_affected)
    }

    async fn update_alert(&self, id: AlertId, row: alert::ActiveModel) -> Result<AlertId> {
        alert::Entity::update_many()
            .set(row)
            .filter(alert::COLUMN.id.eq(id.0))
            .exec(&self.tx)
            .await
            .during("changing an alert")?;
        Ok(id)
    }
}

fn set_hit(
    row: &mut alert::ActiveModel,
    object: &str,
    level: Level,
    hit: &Hit,
    at: Scn,
) -> Result<()> {
    let labels =
        serde_json::to_string(&hit.labels).map_err(|error| impossible("alert.labels", error))?;
    row.object = Set(object.to_owned());
    row.level = Set(i32::from(level.number()));
    row.last_generated = Set(scn_column(at));
    row.summary = Set(hit.summary.clone());
    row.measured = Set(hit.value.clone());
    row.threshold = Set(hit.threshold.clone());
    row.labels = Set(labels);
    Ok(())
}

/// All alerts of some clusters and of the console itself, or with `None` everything.
fn of(clusters: Option<&[ClusterId]>) -> Condition {
    match clusters {
        None => Condition::all(),
        Some(clusters) => Condition::any()
            .add(
                alert::COLUMN
                    .cluster_id
                    .is_in(clusters.iter().map(|id| id.0)),
            )
            .add(alert::COLUMN.cluster_id.is_null()),
    }
}

fn same(cluster: Option<ClusterId>, rule: &str, key: &str) -> Condition {
    Condition::all()
        .add(match cluster {
            Some(id) => alert::COLUMN.cluster_id.eq(id.0),
            None => alert::COLUMN.cluster_id.is_null(),
        })
        .add(alert::COLUMN.rule.eq(rule))
        .add(alert::COLUMN.object_key.eq(key))
}

/// Of them, those that match: a time range takes every alert that was seen inside it.
fn matching(clusters: Option<&[ClusterId]>, ask: &AlertFilter) -> Condition {
    let statuses = (!ask.statuses.is_empty()).then(|| {
        let codes = ask.statuses.iter().map(|status| status.code());
        alert::COLUMN.status.is_in(codes)
    });
    let levels = (!ask.levels.is_empty()).then(|| {
        let numbers = ask.levels.iter().map(|level| i32::from(level.number()));
        alert::COLUMN.level.is_in(numbers)
    });
    let since = ask.since.map(scn_column);
    let until = ask.until.map(scn_column);
    let text = ask.text.as_deref().map(str::trim).unwrap_or_default();
    Condition::all()
        .add(of(clusters))
        .add_option(since.map(|at| alert::COLUMN.last_generated.gte(at)))
        .add_option(until.map(|at| alert::COLUMN.generated.lt(at)))
        .add_option(statuses)
        .add_option(levels)
        .add_option(ask.rule.as_deref().map(|rule| alert::COLUMN.rule.eq(rule)))
        .add_option((!text.is_empty()).then(|| {
            Condition::any()
                .add(contains(alert::Column::Object, text))
                .add(contains(alert::Column::Summary, text))
        }))
}

fn level(number: i32) -> Result<Level> {
    u8::try_from(number)
        .ok()
        .and_then(Level::from_number)
        .ok_or_else(|| impossible("alert.level", number))
}

fn open_row(rule: RuleId, row: alert::Model) -> Result<Open> {
    let status = word("alert.status", &row.status, AlertStatus::from_code)?;
    Ok(Open {
        id: AlertId(row.id),
        cluster: row.cluster_id.map(ClusterId),
        rule,
        key: row.object_key,
        level: level(row.level)?,
        last_generated: scn("alert.last_generated", row.last_generated)?,
        clear_since: scn_opt("alert.clear_since", row.clear_since)?,
        masked_until: scn_opt("alert.masked_until", row.masked_until)?,
        recovered: status == AlertStatus::Recovered,
    })
}

fn shown(row: &alert::Model) -> Result<Alert> {
    let name = RuleId::from_code(&row.rule).map_or_else(
        || row.rule.clone(),
        |rule| text(rule, Language::English).name.to_owned(),
    );
    Ok(Alert {
        id: AlertId(row.id),
        cluster: row.cluster_id.map(ClusterId),
        rule: row.rule.clone(),
        name,
        object: row.object.clone(),
        level: level(row.level)?,
        status: word("alert.status", &row.status, AlertStatus::from_code)?,
        generated: scn("alert.generated", row.generated)?,
        last_generated: scn("alert.last_generated", row.last_generated)?,
        recovered: scn_opt("alert.recovered", row.recovered)?,
        masked_until: scn_opt("alert.masked_until", row.masked_until)?,
        summary: row.summary.clone(),
        rev: Revision(row.rev),
    })
}

fn stored(row: alert::Model) -> Result<StoredAlert> {
    let labels =
        serde_json::from_str(&row.labels).map_err(|error| impossible("alert.labels", error))?;
    Ok(StoredAlert {
        alert: shown(&row)?,
        key: row.object_key,
        value: row.measured,
        threshold: row.threshold,
        labels,
        ended_because: row.ended_because,
        masked_by: row.masked_by,
    })
}
