//! The dead man's ping: an address is asked for while the console is well, and only then. Whoever watches it
//! from outside notices a console that is gone, stuck, or cannot write.

use super::{body, message::Message, send, vault};
use crate::{console::Inner, error::Error};
use domain::{
    ChannelId, Scn,
    channel::{ChannelKind, EVERY_MIN_DEFAULT},
    scn::NS_PER_SECOND,
};
use std::{collections::HashMap, sync::atomic::Ordering, time::Duration};
use store::SealedChannel;

/// Alerts have to have been evaluated within so long; that they were proves that the database can be written.
const EVALUATED_NS: u64 = 180 * NS_PER_SECOND;
/// Pause after a ping that was not answered.
const AGAIN_NS: u64 = 60 * NS_PER_SECOND;
/// How long the receiver may take.
const PING_MAX: Duration = Duration::from_secs(30);

/// When each address was asked for last.
#[derive(Debug, Default)]
pub(super) struct Pings {
    tried: HashMap<ChannelId, Scn>,
}

impl Pings {
    /// The channels whose address is to be asked for now.
    pub(super) async fn due(
        &mut self,
        inner: &Inner,
        channels: &[SealedChannel],
        now: Scn,
    ) -> Result<Vec<SealedChannel>, Error> {
        let mut due = Vec::new();
        for known in channels {
            let channel = &known.channel;
            if channel.kind != ChannelKind::Ping || !channel.enabled {
                continue;
            }
            let minutes = u64::from(channel.every_min.unwrap_or(EVERY_MIN_DEFAULT));
            let every_ns = minutes * 60 * NS_PER_SECOND;
            let tried = self.tried.get(&channel.id).copied();
            if passed(now, channel.last_sent, every_ns)
                && passed(now, tried, every_ns.min(AGAIN_NS))
            {
                due.push(known.clone());
            }
        }
        if due.is_empty() || !is_well(inner, now) {
            return Ok(Vec::new());
        }
        for known in &due {
            self.tried.insert(known.channel.id, now);
        }
        Ok(due)
    }
}

/// Whether so much time has passed; also when the clock was set back since.
fn passed(now: Scn, since: Option<Scn>, ns: u64) -> bool {
    since.is_none_or(|since| now < since || now.since_ns(since) >= ns)
}

fn is_well(inner: &Inner, now: Scn) -> bool {
    let evaluated = Scn(inner.evaluated.load(Ordering::Relaxed));
    evaluated > Scn::ZERO && now.since_ns(evaluated) <= EVALUATED_NS
}

/// Asks for an address once and records whether it answered.
pub(super) async fn send(inner: &Inner, known: &SealedChannel) -> Result<(), Error> {
    let kind = known.channel.kind;
    let now = inner.now();
    let failure = match vault::open(inner, known).await {
        Err(error) => Some(error.to_string()),
        Ok(address) => {
            let message = Message::test(&known.channel.name, now);
            let outgoing = body::outgoing(kind, &address, (0, &message), now);
            let sent = send::exchange(inner, outgoing, PING_MAX).await;
            send::failure(kind, &address, sent)
        }
    };
    send::note(inner, known, failure, now).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_time_when_it_never_was_when_it_has_passed_and_when_the_clock_was_set_back() {
        assert!(passed(Scn(10), None, 5));
        assert!(passed(Scn(10), Some(Scn(5)), 5));
        assert!(!passed(Scn(9), Some(Scn(5)), 5));
        assert!(passed(Scn(4), Some(Scn(5)), 5));
    }
}
