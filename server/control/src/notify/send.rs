//! The sender: takes messages that wait, a channel's in order, and tries each until it arrives or is too old.
//!
//! A receiver that hangs holds up its own channel only: sending happens on threads of its own, and alerting does
//! not wait for it.

use super::{
    body,
    message::Message,
    outbound::{Answer, Outgoing},
    ping::Pings,
    vault::{self, Address},
};
use crate::{
    console::Inner,
    error::{Error, chain},
};
use domain::{
    ChannelId, Scn,
    channel::ChannelKind,
    scn::{NS_PER_DAY, NS_PER_SECOND},
};
use std::{collections::HashSet, sync::Arc, time::Duration};
use store::{DELIVERY_PAUSE_MAX_NS, Delivery, SealedChannel};
use tokio::task::JoinSet;

/// How often messages that may be tried again are looked for.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Most messages that are sent at the same time.
const SENDING_MAX: usize = 8;
/// How long a receiver may take.
const SEND_MAX: Duration = Duration::from_secs(30);
/// A message is held for so long; longer than sending takes.
const LEASE_NS: u64 = 90 * NS_PER_SECOND;
/// First pause after a failure; it doubles.
const PAUSE_NS: u64 = 10 * NS_PER_SECOND;
/// Longest pause.
const PAUSE_MAX_NS: u64 = 900 * NS_PER_SECOND;
/// A message that is older is given up.
const TOO_OLD_NS: u64 = NS_PER_DAY;
/// A message that was tried so often is given up, whatever the clock says.
const ATTEMPTS_MAX: u32 = 200;
/// How long what is being sent may take when the console ends.
const END_MAX: Duration = Duration::from_secs(5);

/// Sends until the console stops.
pub(crate) async fn run(inner: Arc<Inner>) {
    let mut sender = Sender {
        inner: Arc::clone(&inner),
        sending: JoinSet::new(),
        busy: HashSet::new(),
        pings: Pings::default(),
    };
    while !inner.is_stopping() {
        // Registered before looking, so that a message put meanwhile is not missed.
        let woken = inner.outbox.notified();
        if let Err(error) = sender.begin_due().await {
            tracing::error!("messages could not be looked for: {}", chain(&error));
        }
        tokio::select! {
            () = inner.stopped() => {}
            () = woken => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
            Some(ended) = sender.sending.join_next() => sender.ended(ended),
        }
    }
    // What has arrived is to be recorded, so that it is not sent again after the next start.
    let rest = async { while sender.sending.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(END_MAX, rest).await;
}

struct Sender {
    inner: Arc<Inner>,
    /// Gives the channel that is free again.
    sending: JoinSet<ChannelId>,
    busy: HashSet<ChannelId>,
    pings: Pings,
}

impl Sender {
    async fn begin_due(&mut self) -> Result<(), Error> {
        let now = self.inner.now();
        let channels = self.inner.store.channels().await?;
        if channels.is_empty() {
            return Ok(());
        }
        for delivery in self.inner.store.due_deliveries(now).await? {
            let known = channels
                .iter()
                .find(|known| known.channel.id == delivery.channel && known.channel.enabled);
            let Some(known) = known.filter(|known| self.is_free(known.channel.id)) else {
                continue;
            };
            let (inner, known) = (Arc::clone(&self.inner), known.clone());
            self.begin(known.channel.id, async move {
                deliver(&inner, &known, &delivery).await
            });
        }
        let due = self.pings.due(&self.inner, &channels, now).await?;
        for known in due {
            if self.is_free(known.channel.id) {
                let inner = Arc::clone(&self.inner);
                let id = known.channel.id;
                self.begin(id, async move { super::ping::send(&inner, &known).await });
            }
        }
        Ok(())
    }

    fn is_free(&self, channel: ChannelId) -> bool {
        self.sending.len() < SENDING_MAX && !self.busy.contains(&channel)
    }

    fn begin(
        &mut self,
        channel: ChannelId,
        work: impl Future<Output = Result<(), Error>> + Send + 'static,
    ) {
        self.busy.insert(channel);
        self.sending.spawn(async move {
            if let Err(error) = work.await {
                tracing::error!("sending a message failed: {}", chain(&error));
            }
            channel
        });
    }

    fn ended(&mut self, ended: Result<ChannelId, tokio::task::JoinError>) {
        match ended {
            Ok(channel) => {
                self.busy.remove(&channel);
            }
            Err(error) => {
                tracing::error!("sending a message stumbled; this is a defect: {error}");
                // Which channel it was is not known; leases keep the others from being sent twice.
                self.busy.clear();
            }
        }
    }
}

/// One attempt at a message.
async fn deliver(inner: &Inner, known: &SealedChannel, delivery: &Delivery) -> Result<(), Error> {
    let now = inner.now();
    let until = now.plus_ns(LEASE_NS);
    let claimed = inner
        .store
        .change(async |change| change.claim_delivery(delivery.id, now, until).await)
        .await?;
    if !claimed {
        return Ok(());
    }
    let failure = attempt(inner, known, delivery).await;
    let now = inner.now();
    let channel = &known.channel;
    let Some(failure) = failure else {
        return inner
            .store
            .change(async |change| {
                change.delivered(delivery.id, now).await?;
                change.channel_reached(channel.id, now).await?;
                Ok(())
            })
            .await;
    };
    let attempts = delivery.attempts + 1;
    let hopeless = attempts >= ATTEMPTS_MAX || now.since_ns(delivery.created) >= TOO_OLD_NS;
    let again = (!hopeless).then(|| now.plus_ns(pause_ns(attempts)));
    if hopeless {
        tracing::error!(
            channel = channel.name,
            attempts,
            "a message is given up: {failure}"
        );
    }
    let since = channel.failing_since.unwrap_or(now);
    inner
        .store
        .change(async |change| {
            change
                .not_delivered(delivery.id, attempts, &failure, now, again)
                .await?;
            change.channel_failed(channel.id, since, &failure).await?;
            Ok(())
        })
        .await
}

/// Why a message did not arrive, if it did not.
async fn attempt(inner: &Inner, known: &SealedChannel, delivery: &Delivery) -> Option<String> {
    let kind = known.channel.kind;
    let Some(message) = Message::from_text(&delivery.message) else {
        return Some("the message was written by another version and cannot be read".to_owned());
    };
    let address = match vault::open(inner, known).await {
        Ok(address) => address,
        Err(error) => return Some(error.to_string()),
    };
    let what = (delivery.id, &message);
    let outgoing = body::outgoing(kind, &address, what, inner.now());
    let sent = exchange(inner, outgoing, SEND_MAX).await;
    failure(kind, &address, sent)
}

/// Sends on a thread of its own and waits for the answer, but not for ever.
pub(super) async fn exchange(
    inner: &Inner,
    outgoing: Outgoing,
    limit: Duration,
) -> Result<Answer, String> {
    let outbound = Arc::clone(&inner.outbound);
    let work = tokio::task::spawn_blocking(move || outbound.send(&outgoing));
    match tokio::time::timeout(limit, work).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(_)) => Err("sending stumbled over a defect of this program".to_owned()),
        Err(_) => Err(format!(
            "the receiver did not answer within {} s",
            limit.as_secs()
        )),
    }
}

/// Why it did not arrive, if it did not, without anything secret.
pub(super) fn failure(
    kind: ChannelKind,
    address: &Address,
    sent: Result<Answer, String>,
) -> Option<String> {
    let why = match sent {
        Ok(answer) => body::refusal(kind, &answer)?,
        Err(why) => why,
    };
    Some(body::redacted(&why, address.url(), address.secret()))
}

fn pause_ns(attempts: u32) -> u64 {
    let doubled = PAUSE_NS << attempts.saturating_sub(1).min(16);
    doubled.min(PAUSE_MAX_NS)
}

const _: () = assert!(PAUSE_MAX_NS < DELIVERY_PAUSE_MAX_NS && LEASE_NS < DELIVERY_PAUSE_MAX_NS);

/// When it is known that a channel works or fails.
pub(super) async fn note(
    inner: &Inner,
    known: &SealedChannel,
    failure: Option<String>,
    now: Scn,
) -> Result<(), Error> {
    let channel = &known.channel;
    let since = channel.failing_since.unwrap_or(now);
    inner
        .store
        .change(async |change| {
            match &failure {
                None => change.channel_reached(channel.id, now).await?,
                Some(why) => change.channel_failed(channel.id, since, why).await?,
            }
            Ok(())
        })
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_quarter_of_an_hour() {
        let seconds: Vec<u64> = [1, 2, 3, 7, 8, 200]
            .map(|attempts| pause_ns(attempts) / NS_PER_SECOND)
            .to_vec();
        assert_eq!(seconds, [10, 20, 40, 640, 900, 900]);
    }
}
