//! Channels: listing, adding, changing, switching off, trying and removing them.

use super::{body, message::Message, send, vault};
use crate::{
    access::{GlobalAdmin, Viewer},
    audit::plain,
    console::Inner,
    error::Error,
};
use domain::{
    ChannelId, ClusterId, Revision,
    alert::Level,
    channel::{
        self, Channel, ChannelChange, ChannelKind, ChannelTest, EVERY_MIN_DEFAULT, NewChannel,
    },
    validate::{self, Violation},
};
use std::time::Duration;
use store::{CHANNELS_MAX, Change, SealedChannel};

/// How long a test waits for the receiver.
const TEST_MAX: Duration = Duration::from_secs(30);

impl Viewer {
    /// Every notification channel, by name, without its address; for whoever sees all clusters.
    pub async fn channels(&self) -> Result<Vec<Channel>, Error> {
        self.sees_all()?;
        let known = self.console.inner.store.channels().await?;
        Ok(known.into_iter().map(|known| known.channel).collect())
    }
}

impl GlobalAdmin {
    /// Adds a notification channel. Its address is never shown again.
    pub async fn add_channel(&self, new: &NewChannel) -> Result<Channel, Error> {
        let inner = &self.console.inner;
        let checked = checked(inner, new).await?;
        let name = &checked.name;
        inner
            .store
            .change(async |change| {
                if change.channel(name).await?.is_some() {
                    return Err(Error::Conflict(format!(
                        "channel {name} exists already; choose another name, or remove it first"
                    )));
                }
                if change.channel_count().await? >= CHANNELS_MAX {
                    return Err(Error::Conflict(format!(
                        "there are {CHANNELS_MAX} channels already; remove one that is not needed"
                    )));
                }
                let detail = format!("{} to {}", new.kind.code(), checked.host);
                let (url, secret) = vault::seal(inner, change, new).await?;
                let sealed = SealedChannel {
                    channel: checked.clone(),
                    url,
                    secret,
                };
                change.add_channel(&sealed).await?;
                self.note(change, "add channel", name, &detail).await
            })
            .await?;
        inner.outbox.notify_one();
        let added = inner.store.channel(name).await?;
        added.map(|known| known.channel).ok_or_else(|| gone(name))
    }

    /// Changes a channel. An address and a key that are not given stay as they are.
    pub async fn modify_channel(
        &self,
        name: &str,
        wanted: &ChannelChange,
    ) -> Result<Channel, Error> {
        let inner = &self.console.inner;
        let known = inner.store.channel(name).await?;
        let kind = known.ok_or_else(|| gone(name))?.channel.kind;
        let mut wrong = channel::check_change(kind, wanted);
        let clusters = match &wanted.clusters {
            Some(names) => Some(chosen(inner, names, &mut wrong).await?),
            None => None,
        };
        if !wrong.is_empty() {
            return Err(Error::Invalid(wrong));
        }
        let changed = inner
            .store
            .change(async |change| {
                let known = change.channel(name).await?;
                let mut known = known.ok_or_else(|| gone(name))?;
                let before = known.clone();
                let shown = &mut known.channel;
                if let Some(asked) = &wanted.levels {
                    shown.levels = levels(asked);
                }
                if let Some(chosen) = &clusters {
                    shown.clusters.clone_from(chosen);
                }
                shown.every_min = wanted.every_min.or(shown.every_min);
                if let Some(url) = &wanted.url {
                    shown.host = channel::host(url).unwrap_or_default();
                    vault::replace_url(inner, change, &mut known, url).await?;
                }
                if let Some(key) = &wanted.secret {
                    known.channel.signed = true;
                    vault::replace_key(inner, change, &mut known, key).await?;
                }
                if known == before {
                    return Err(Error::Conflict(format!(
                        "nothing of channel {name} would change"
                    )));
                }
                change.modify_channel(&known).await?;
                let detail = differences(&before, &known);
                self.note(change, "modify channel", name, &detail).await?;
                Ok(known.channel)
            })
            .await?;
        inner.outbox.notify_one();
        Ok(changed)
    }

    /// Switches a channel off, which gives up what waits for it, or on again.
    pub async fn switch_channel(&self, name: &str, on: bool) -> Result<(), Error> {
        let inner = &self.console.inner;
        let (operation, state) = match on {
            true => ("enable channel", "on"),
            false => ("disable channel", "off"),
        };
        inner
            .store
            .change(async |change| {
                let known = change.channel(name).await?;
                let mut known = known.ok_or_else(|| gone(name))?;
                if known.channel.enabled == on {
                    return Err(Error::Conflict(format!(
                        "channel {name} is {state} already"
                    )));
                }
                known.channel.enabled = on;
                change.modify_channel(&known).await?;
                if !on {
                    change.remove_deliveries(known.channel.id).await?;
                }
                self.note(change, operation, name, "").await
            })
            .await?;
        inner.outbox.notify_one();
        Ok(())
    }

    /// Sends a message that says it is a test, and waits for the answer.
    pub async fn test_channel(&self, name: &str) -> Result<ChannelTest, Error> {
        let inner = &self.console.inner;
        let known = inner.store.channel(name).await?;
        let known = known.ok_or_else(|| gone(name))?;
        inner
            .store
            .change(async |change| self.note(change, "test channel", name, "").await)
            .await?;
        let address = vault::open(inner, &known).await?;
        let now = inner.now();
        let message = Message::test(name, now);
        let kind = known.channel.kind;
        let outgoing = body::outgoing(kind, &address, (0, &message), now);
        let sent = send::exchange(inner, outgoing, TEST_MAX).await;
        let failure = send::failure(kind, &address, sent);
        Ok(ChannelTest {
            took_ms: inner.now().since_ns(now) / 1_000_000,
            failure,
        })
    }

    /// Removes a channel; what still waits for it is not sent.
    pub async fn remove_channel(&self, name: &str) -> Result<(), Error> {
        let inner = &self.console.inner;
        inner
            .store
            .change(async |change| {
                let known = change.channel(name).await?.ok_or_else(|| gone(name))?;
                change.remove_channel(known.channel.id).await?;
                vault::remove(change, &known).await?;
                self.note(change, "remove channel", name, "").await
            })
            .await
    }

    async fn note(
        &self,
        change: &Change,
        operation: &str,
        subject: &str,
        detail: &str,
    ) -> Result<(), Error> {
        let entry = plain(&self.console.inner, &self.actor, operation, subject, detail);
        change.audit(&entry).await?;
        Ok(())
    }
}

fn gone(name: &str) -> Error {
    Error::NotFound {
        what: "channel",
        id: name.to_owned(),
    }
}

/// What differs between two versions of a channel, in words; never what is secret.
fn differences(before: &SealedChannel, after: &SealedChannel) -> String {
    let (old, new) = (&before.channel, &after.channel);
    let numbers = |channel: &Channel| {
        let numbers: Vec<_> = channel
            .levels
            .iter()
            .map(|it| it.number().to_string())
            .collect();
        numbers.join(",")
    };
    let parts = [
        (before.url != after.url).then(|| format!("address at {}", new.host)),
        (before.secret != after.secret).then(|| "key".to_owned()),
        (old.levels != new.levels).then(|| format!("levels {} -> {}", numbers(old), numbers(new))),
        (old.clusters != new.clusters).then(|| "clusters".to_owned()),
        (old.every_min != new.every_min).then(|| "time between pings".to_owned()),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// Minutes between two pings of a channel of this kind.
fn every(kind: ChannelKind, asked: Option<u32>) -> Option<u32> {
    (kind == ChannelKind::Ping).then(|| asked.unwrap_or(EVERY_MIN_DEFAULT))
}

/// A channel to add as people may see it, or everything that is wrong with it.
async fn checked(inner: &Inner, new: &NewChannel) -> Result<Channel, Error> {
    let mut wrong = channel::check(new);
    let name = validate::name("Name", &new.name).unwrap_or_else(|bad| {
        wrong.insert(0, bad);
        String::new()
    });
    let clusters = chosen(inner, &new.clusters, &mut wrong).await?;
    let host = channel::host(&new.url).unwrap_or_default();
    if !wrong.is_empty() {
        return Err(Error::Invalid(wrong));
    }
    Ok(Channel {
        id: ChannelId::default(),
        kind: new.kind,
        host,
        signed: new.secret.is_some(),
        levels: levels(&new.levels),
        clusters,
        every_min: every(new.kind, new.every_min),
        enabled: true,
        created: inner.now(),
        last_sent: None,
        failing_since: None,
        fault: None,
        rev: Revision::default(),
        name,
    })
}

fn levels(asked: &[Level]) -> Vec<Level> {
    let all = Level::ALL.into_iter();
    match asked.is_empty() {
        true => all.filter(|level| *level != Level::Reminder).collect(),
        false => all.filter(|level| asked.contains(level)).collect(),
    }
}

async fn chosen(
    inner: &Inner,
    names: &[String],
    wrong: &mut Vec<Violation>,
) -> Result<Option<Vec<ClusterId>>, Error> {
    if names.is_empty() {
        return Ok(None);
    }
    let mut ids = Vec::new();
    for name in names {
        match inner.store.cluster(name).await? {
            Some(known) => ids.push(known.cluster.id),
            None => {
                let allowed = "use names of clusters of this console";
                wrong.push(Violation::new("Clusters", name, allowed));
            }
        }
    }
    Ok(Some(ids))
}
