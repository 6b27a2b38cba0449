//! Notification channels. Addresses and keys lie sealed elsewhere.

use super::secrets::SecretRef;
use crate::{
    Change, Store,
    convert::{impossible, scn, scn_column, scn_opt, word},
    entity::{channel, delivery},
    error::{During, Result},
};
use domain::{
    ChannelId, ClusterId, Revision, Scn,
    alert::Level,
    channel::{Channel, ChannelKind},
};
use sea_orm::{
    ActiveValue::Set, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect,
};

/// Most channels.
pub const CHANNELS_MAX: u64 = 50;

/// A channel with what only the sender needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedChannel {
    /// What people may see.
    pub channel: Channel,
    /// Where its address lies, sealed.
    pub url: SecretRef,
    /// Where the key for signatures lies, sealed.
    pub secret: Option<SecretRef>,
}

impl Store {
    /// Every channel, by name.
    pub async fn channels(&self) -> Result<Vec<SealedChannel>> {
        all(&self.db).await
    }

    /// The channel of this name.
    pub async fn channel(&self, name: &str) -> Result<Option<SealedChannel>> {
        named(&self.db, name).await
    }
}

impl Change {
    /// Every channel, by name.
    pub async fn channels(&self) -> Result<Vec<SealedChannel>> {
        all(&self.tx).await
    }

    /// The channel of this name.
    pub async fn channel(&self, name: &str) -> Result<Option<SealedChannel>> {
        named(&self.tx, name).await
    }

    /// How many channels there are.
    pub async fn channel_count(&self) -> Result<u64> {
        channel::Entity::find()
            .count(&self.tx)
            .await
            .during("counting channels")
    }

    /// Adds a channel; its number and revision are given, whatever `new` says.
    pub async fn add_channel(&self, new: &SealedChannel) -> Result<ChannelId> {
        let shown = &new.channel;
        let row = channel::ActiveModel {
            name: Set(shown.name.clone()),
            kind: Set(shown.kind.code().to_owned()),
            created: Set(scn_column(shown.created)),
            ..self.settings_row(new)?
        };
        let done = channel::Entity::insert(row)
            .exec(&self.tx)
            .await
            .during("adding a channel")?;
        Ok(ChannelId(done.last_insert_id))
    }

    /// Writes what may change of a channel: everything but its name, its kind and how it went.
    pub async fn modify_channel(&self, known: &SealedChannel) -> Result<()> {
        let row = self.settings_row(known)?;
        self.update_channel(known.channel.id, row).await
    }

    fn settings_row(&self, of: &SealedChannel) -> Result<channel::ActiveModel> {
        let shown = &of.channel;
        let levels: String = shown
            .levels
            .iter()
            .map(|level| level.number().to_string())
            .collect();
        let clusters = shown.clusters.as_ref().map(serde_json::to_string);
        let clusters = clusters
            .transpose()
            .map_err(|error| impossible("channel.clusters", error))?;
        Ok(channel::ActiveModel {
            url: Set(of.url.0),
            secret: Set(of.secret.map(|secret| secret.0)),
            host: Set(shown.host.clone()),
            levels: Set(levels),
            clusters: Set(clusters),
            every_min: Set(shown.every_min.map(|every| every.cast_signed())),
            enabled: Set(i32::from(shown.enabled)),
            rev: Set(self.take_rev()),
            ..Default::default()
        })
    }

    /// Removes the messages that wait for a channel.
    pub async fn remove_deliveries(&self, id: ChannelId) -> Result<()> {
        delivery::Entity::delete_many()
            .filter(delivery::COLUMN.channel_id.eq(id.0))
            .exec(&self.tx)
            .await
            .during("removing the messages of a channel")?;
        Ok(())
    }

    /// Removes a channel with the messages that wait for it.
    pub async fn remove_channel(&self, id: ChannelId) -> Result<()> {
        self.remove_deliveries(id).await?;
        channel::Entity::delete_many()
            .filter(channel::COLUMN.id.eq(id.0))
            .exec(&self.tx)
            .await
            .during("removing a channel")?;
        self.touch();
        Ok(())
    }

    /// Records that something arrived.
    pub async fn channel_reached(&self, id: ChannelId, at: Scn) -> Result<()> {
        let row = channel::ActiveModel {
            last_sent: Set(Some(scn_column(at))),
            failing_since: Set(None),
            fault: Set(None),
            rev: Set(self.take_rev()),
            ..Default::default()
        };
        self.update_channel(id, row).await
    }

    /// Records that nothing arrives, and since when.
    pub async fn channel_failed(&self, id: ChannelId, since: Scn, fault: &str) -> Result<()> {
        let row = channel::ActiveModel {
            failing_since: Set(Some(scn_column(since))),
            fault: Set(Some(fault.to_owned())),
            rev: Set(self.take_rev()),
            ..Default::default()
        };
        self.update_channel(id, row).await
    }

    async fn update_channel(&self, id: ChannelId, row: channel::ActiveModel) -> Result<()> {
        channel::Entity::update_many()
            .set(row)
            .filter(channel::COLUMN.id.eq(id.0))
            .exec(&self.tx)
            .await
            .during("changing a channel")?;
        Ok(())
    }
}

async fn all(db: &impl ConnectionTrait) -> Result<Vec<SealedChannel>> {
    let rows = channel::Entity::find()
        .order_by_asc(channel::COLUMN.name)
        .limit(CHANNELS_MAX)
        .all(db)
        .await
        .during("listing channels")?;
    rows.into_iter().map(read).collect()
}

async fn named(db: &impl ConnectionTrait, name: &str) -> Result<Option<SealedChannel>> {
    let row = channel::Entity::find()
        .filter(channel::COLUMN.name.eq(name))
        .one(db)
        .await
        .during("reading a channel")?;
    row.map(read).transpose()
}

fn read(row: channel::Model) -> Result<SealedChannel> {
    let levels = row.levels.bytes().map(|digit| {
        let number = digit.wrapping_sub(b'0');
        Level::from_number(number).ok_or_else(|| impossible("channel.levels", &row.levels))
    });
    let clusters: Option<Vec<ClusterId>> = row
        .clusters
        .as_deref()
        .map(serde_json::from_str)
        .transpose()
        .map_err(|error| impossible("channel.clusters", error))?;
    Ok(SealedChannel {
        channel: Channel {
            id: ChannelId(row.id),
            kind: word("channel.kind", &row.kind, ChannelKind::from_code)?,
            signed: row.secret.is_some(),
            levels: levels.collect::<Result<_>>()?,
            name: row.name,
            host: row.host,
            clusters,
            every_min: row.every_min.map(i32::cast_unsigned),
            enabled: row.enabled != 0,
            created: scn("channel.created", row.created)?,
            last_sent: scn_opt("channel.last_sent", row.last_sent)?,
            failing_since: scn_opt("channel.failing_since", row.failing_since)?,
            fault: row.fault,
            rev: Revision(row.rev),
        },
        url: SecretRef(row.url),
        secret: row.secret.map(SecretRef),
    })
}
