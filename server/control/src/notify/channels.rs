//! Channels: listing, adding, trying and removing them.

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
    channel::{self, Channel, ChannelKind, ChannelTest, EVERY_MIN_DEFAULT, NewChannel},
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

/// A channel to add as people may see it, or everything that is wrong with it.
async fn checked(inner: &Inner, new: &NewChannel) -> Result<Channel, Error> {
    let mut wrong = channel::check(new);
    let name = validate::name("Name", &new.name).unwrap_or_else(|bad| {
        wrong.insert(0, bad);
        String::new()
    });
    let clusters = chosen(inner, new, &mut wrong).await?;
    let host = channel::host(&new.url).unwrap_or_default();
    if !wrong.is_empty() {
        return Err(Error::Invalid(wrong));
    }
    let is_ping = new.kind == ChannelKind::Ping;
    let every = new.every_min.unwrap_or(EVERY_MIN_DEFAULT);
    Ok(Channel {
        id: ChannelId::default(),
        kind: new.kind,
        host,
        signed: new.secret.is_some(),
        levels: levels(&new.levels),
        clusters,
        every_min: is_ping.then_some(every),
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
    new: &NewChannel,
    wrong: &mut Vec<Violation>,
) -> Result<Option<Vec<ClusterId>>, Error> {
    if new.clusters.is_empty() {
        return Ok(None);
    }
    let mut ids = Vec::new();
    for name in &new.clusters {
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
