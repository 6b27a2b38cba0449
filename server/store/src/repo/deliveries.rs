//! Messages on their way: a queue that survives restarts, with leases, so that each is sent by one process.

use crate::{
    Change, Store,
    convert::{impossible, scn, scn_column},
    entity::delivery,
    error::{During, Result},
};
use domain::{ChannelId, Scn, scn::NS_PER_SECOND};
use sea_orm::{
    ActiveValue::Set, Condition, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};

/// Longest pause before a message is tried again. One that seems longer means that the clock was set back.
pub const DELIVERY_PAUSE_MAX_NS: u64 = 3600 * NS_PER_SECOND;
/// Most messages that are looked at at once.
const DUE_MAX: u64 = 100;
/// Most ended messages that are removed at once.
const REMOVED_MAX: u64 = 1_000;

const WAITING: &str = "waiting";
const SENT: &str = "sent";
const GIVEN_UP: &str = "given_up";

/// A message on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Number; the receiver may tell repetitions by it.
    pub id: i64,
    /// Where to.
    pub channel: ChannelId,
    /// What, as its writer wrote it.
    pub message: String,
    /// When it was written.
    pub created: Scn,
    /// How often it was tried.
    pub attempts: u32,
}

impl Store {
    /// The oldest message of each channel that waits: a channel's messages arrive in order. Those that may
    /// be tried now.
    pub async fn due_deliveries(&self, now: Scn) -> Result<Vec<Delivery>> {
        let first: Vec<i64> = delivery::Entity::find()
            .select_only()
            .column_as(sea_orm::ColumnTrait::min(&delivery::Column::Id), "first")
            .filter(delivery::COLUMN.state.eq(WAITING))
            .group_by(delivery::Column::ChannelId)
            .into_tuple()
            .all(&self.db)
            .await
            .during("looking for waiting messages")?;
        let rows = delivery::Entity::find()
            .filter(delivery::COLUMN.id.is_in(first))
            .filter(free(now))
            .order_by_asc(delivery::COLUMN.id)
            .limit(DUE_MAX)
            .all(&self.db)
            .await
            .during("reading waiting messages")?;
        rows.into_iter().map(read).collect()
    }

    /// How many messages of a channel wait.
    pub async fn waiting_deliveries(&self, channel: ChannelId) -> Result<u64> {
        delivery::Entity::find()
            .filter(delivery::COLUMN.channel_id.eq(channel.0))
            .filter(delivery::COLUMN.state.eq(WAITING))
            .count(&self.db)
            .await
            .during("counting waiting messages")
    }
}

impl Change {
    /// Puts a message on its way. Where `waiting_max` wait already, the oldest ones are given up; gives how many.
    pub async fn deliver(
        &self,
        channel: ChannelId,
        message: &str,
        now: Scn,
        waiting_max: u64,
    ) -> Result<u64> {
        let waiting: Vec<i64> = delivery::Entity::find()
            .select_only()
            .column(delivery::Column::Id)
            .filter(delivery::COLUMN.channel_id.eq(channel.0))
            .filter(delivery::COLUMN.state.eq(WAITING))
            .order_by_desc(delivery::COLUMN.id)
            .into_tuple()
            .all(&self.tx)
            .await
            .during("counting waiting messages")?;
        let kept = usize::try_from(waiting_max.saturating_sub(1)).unwrap_or(usize::MAX);
        let too_many: Vec<i64> = waiting.into_iter().skip(kept).collect();
        let given_up = u64::try_from(too_many.len()).unwrap_or(u64::MAX);
        if given_up > 0 {
            delivery::Entity::update_many()
                .set(ended(GIVEN_UP, now, Some("too many newer messages wait")))
                .filter(delivery::COLUMN.id.is_in(too_many))
                .exec(&self.tx)
                .await
                .during("giving messages up")?;
        }
        let row = delivery::ActiveModel {
            channel_id: Set(channel.0),
            state: Set(WAITING.to_owned()),
            message: Set(message.to_owned()),
            created: Set(scn_column(now)),
            attempts: Set(0),
            not_before: Set(0),
            ..Default::default()
        };
        delivery::Entity::insert(row)
            .exec(&self.tx)
            .await
            .during("putting a message on its way")?;
        self.touch();
        Ok(given_up)
    }

    /// Takes a message for one attempt until a moment; `false` when another process has it or it has ended.
    pub async fn claim_delivery(&self, id: i64, now: Scn, until: Scn) -> Result<bool> {
        let done = delivery::Entity::update_many()
            .set(delivery::ActiveModel {
                lease_until: Set(Some(scn_column(until))),
                ..Default::default()
            })
            .filter(delivery::COLUMN.id.eq(id))
            .filter(delivery::COLUMN.state.eq(WAITING))
            .filter(free(now))
            .exec(&self.tx)
            .await
            .during("claiming a message")?;
        self.touch();
        Ok(done.rows_affected == 1)
    }

    /// Records that a message arrived.
    pub async fn delivered(&self, id: i64, now: Scn) -> Result<()> {
        self.update_delivery(id, ended(SENT, now, None)).await
    }

    /// Records that a message did not arrive: it is tried again after `not_before`, or with `None` given up.
    pub async fn not_delivered(
        &self,
        id: i64,
        attempts: u32,
        failure: &str,
        now: Scn,
        not_before: Option<Scn>,
    ) -> Result<()> {
        let mut row = match not_before {
            Some(_) => delivery::ActiveModel {
                lease_until: Set(None),
                failure: Set(Some(failure.to_owned())),
                ..Default::default()
            },
            None => ended(GIVEN_UP, now, Some(failure)),
        };
        row.attempts = Set(i32::try_from(attempts).unwrap_or(i32::MAX));
        if let Some(at) = not_before {
            row.not_before = Set(scn_column(at));
        }
        self.update_delivery(id, row).await
    }

    /// Frees every message from its lease: for a process that knows that no other one uses this database.
    pub async fn free_deliveries(&self) -> Result<()> {
        delivery::Entity::update_many()
            .set(delivery::ActiveModel {
                lease_until: Set(None),
                ..Default::default()
            })
            .filter(delivery::COLUMN.lease_until.is_not_null())
            .exec(&self.tx)
            .await
            .during("freeing messages of an earlier process")?;
        self.touch();
        Ok(())
    }

    /// Removes messages that ended before a moment; at most [`REMOVED_MAX`] at once.
    pub async fn remove_old_deliveries(&self, before: Scn) -> Result<u64> {
        let old: Vec<i64> = delivery::Entity::find()
            .select_only()
            .column(delivery::Column::Id)
            .filter(delivery::COLUMN.ended.lt(scn_column(before)))
            .limit(REMOVED_MAX)
            .into_tuple()
            .all(&self.tx)
            .await
            .during("looking for old messages")?;
        if old.is_empty() {
            return Ok(0);
        }
        let done = delivery::Entity::delete_many()
            .filter(delivery::COLUMN.id.is_in(old))
            .exec(&self.tx)
            .await
            .during("removing old messages")?;
        self.touch();
        Ok(done.rows_affected)
    }

    async fn update_delivery(&self, id: i64, row: delivery::ActiveModel) -> Result<()> {
        delivery::Entity::update_many()
            .set(row)
            .filter(delivery::COLUMN.id.eq(id))
            .filter(delivery::COLUMN.state.eq(WAITING))
            .exec(&self.tx)
            .await
            .during("changing a message")?;
        self.touch();
        Ok(())
    }
}

fn ended(state: &str, now: Scn, failure: Option<&str>) -> delivery::ActiveModel {
    delivery::ActiveModel {
        state: Set(state.to_owned()),
        ended: Set(Some(scn_column(now))),
        lease_until: Set(None),
        failure: Set(failure.map(str::to_owned)),
        ..Default::default()
    }
}

/// Whether a message may be tried: its pause is over, or longer than any; and nobody holds it.
fn free(now: Scn) -> Condition {
    let late = scn_column(now.plus_ns(DELIVERY_PAUSE_MAX_NS));
    let now = scn_column(now);
    let due = Condition::any()
        .add(delivery::COLUMN.not_before.lte(now))
        .add(delivery::COLUMN.not_before.gt(late));
    let unheld = Condition::any()
        .add(delivery::COLUMN.lease_until.is_null())
        .add(delivery::COLUMN.lease_until.lte(now))
        .add(delivery::COLUMN.lease_until.gt(late));
    Condition::all().add(due).add(unheld)
}

fn read(row: delivery::Model) -> Result<Delivery> {
    Ok(Delivery {
        id: row.id,
        channel: ChannelId(row.channel_id),
        message: row.message,
        created: scn("delivery.created", row.created)?,
        attempts: u32::try_from(row.attempts)
            .map_err(|_| impossible("delivery.attempts", row.attempts))?,
    })
}
