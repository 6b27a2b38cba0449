//! Putting messages on their way, in the transaction that changes the alerts they tell.

use super::message::Message;
pub(crate) use super::message::{News, Why};
use crate::error::Error;
use domain::{
    Scn,
    channel::{Channel, ChannelKind},
};
use store::Change;

/// Most messages of one channel that wait; beyond it the oldest are given up.
const WAITING_MAX: u64 = 100;

/// Puts one message for each channel that wants to hear any of it; whether there was one.
pub(crate) async fn put(change: &Change, news: &[News], now: Scn) -> Result<bool, Error> {
    if news.is_empty() {
        return Ok(false);
    }
    let mut any = false;
    for known in change.channels().await? {
        let channel = &known.channel;
        let wanted: Vec<&News> = news.iter().filter(|one| wants(channel, one)).collect();
        if wanted.is_empty() {
            continue;
        }
        let message = Message::new(&wanted, now);
        let text = message.to_text();
        let given_up = change.deliver(channel.id, &text, now, WAITING_MAX).await?;
        if given_up > 0 {
            tracing::error!(
                channel = channel.name,
                given_up,
                "{WAITING_MAX} messages wait for a channel; the oldest were given up"
            );
        }
        any = true;
    }
    Ok(any)
}

fn wants(channel: &Channel, news: &News) -> bool {
    let alert = &news.alert.alert;
    let cluster = match (&channel.clusters, alert.cluster) {
        (None, _) => true,
        (Some(chosen), Some(cluster)) => chosen.contains(&cluster),
        (Some(_), None) => false,
    };
    channel.enabled
        && channel.kind != ChannelKind::Ping
        && channel.levels.contains(&alert.level)
        && cluster
}
