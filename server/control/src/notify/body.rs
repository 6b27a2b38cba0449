//! A message in the words of each kind of channel, and whether the receiver took it.

use super::{
    message::{Message, Told, Why},
    outbound::{Answer, Outgoing},
    sign,
    vault::Address,
};
use domain::{Scn, channel::ChannelKind};
use serde_json::{Value, json};

/// Longest text that WeCom takes, in bytes.
const WECOM_BYTES_MAX: usize = 4096;
/// Longest text that the other chats take, in bytes; theirs are at least 20,000.
const CHAT_BYTES_MAX: usize = 15_000;
/// How much of a receiver's words is passed on, in characters.
const WORDS_MAX: usize = 200;
/// Parts of an address that are shorter hide nothing.
const SECRET_PART_MIN: usize = 6;

/// A message as it is sent to an address.
pub(super) fn outgoing(
    kind: ChannelKind,
    address: &Address,
    (id, message): (i64, &Message),
    now: Scn,
) -> Outgoing {
    let (url, secret) = (address.url(), address.secret());
    let url = match (kind, secret) {
        (ChannelKind::DingTalk, Some(secret)) => sign::dingtalk(url, secret, now),
        _ => url.to_owned(),
    };
    let mut body = match kind {
        ChannelKind::Ping => return Outgoing { url, json: None },
        ChannelKind::Json => whole(id, message),
        ChannelKind::Slack => json!({ "text": slack(message) }),
        ChannelKind::DingTalk => json!({
            "msgtype": "markdown",
            "markdown": { "title": message.title(), "text": markdown(message, CHAT_BYTES_MAX) },
        }),
        ChannelKind::Feishu => json!({
            "msg_type": "text",
            "content": { "text": plain(message) },
        }),
        ChannelKind::WeCom => json!({
            "msgtype": "markdown",
            "markdown": { "content": markdown(message, WECOM_BYTES_MAX) },
        }),
    };
    if let (ChannelKind::Feishu, Some(secret)) = (kind, secret) {
        let (timestamp, sign) = sign::feishu(secret, now);
        body["timestamp"] = json!(timestamp);
        body["sign"] = json!(sign);
    }
    Outgoing {
        url,
        json: Some(body.to_string()),
    }
}

/// Why the receiver did not take it, if it did not.
pub(super) fn refusal(kind: ChannelKind, answer: &Answer) -> Option<String> {
    let status = answer.status;
    if (300..400).contains(&status) {
        return Some(format!(
            "the receiver answered with a redirect ({status}), which is not followed; use the address that \
             it leads to"
        ));
    }
    if !(200..300).contains(&status) {
        let what = match status {
            401 | 403 => "check the key in the address",
            404 | 410 => "the address is not known there any more; make a new one at the receiver",
            429 => "it is asked too often; the message is tried again later",
            _ => "see the receiver's own log",
        };
        return Some(format!(
            "the receiver answered with status {status}; {what}{}",
            words(&answer.text)
        ));
    }
    // These answer 200 to everything and say in the text what is wrong.
    let field = match kind {
        ChannelKind::DingTalk | ChannelKind::WeCom => "errcode",
        ChannelKind::Feishu => "code",
        ChannelKind::Json | ChannelKind::Slack | ChannelKind::Ping => return None,
    };
    let said: Value = serde_json::from_str(&answer.text).unwrap_or_default();
    let code = said.get(field).or_else(|| said.get("StatusCode"));
    match code.and_then(Value::as_i64) {
        Some(0) => None,
        Some(code) => Some(format!(
            "the receiver refused the message with code {code}; check its keywords, addresses and \
             signature{}",
            words(&answer.text)
        )),
        None => Some(format!(
            "the answer is not one of {}; check the address{}",
            kind.label(),
            words(&answer.text)
        )),
    }
}

/// A text without anything of a secret address or key in it.
pub(super) fn redacted(text: &str, url: &str, secret: Option<&str>) -> String {
    let after_host = url.splitn(4, '/').nth(3).unwrap_or_default();
    let mut parts: Vec<&str> = after_host
        .split(['/', '?', '&', '=', '#'])
        .chain([after_host, url])
        .chain(secret)
        .filter(|part| part.len() >= SECRET_PART_MIN)
        .collect();
    // The longest first, so that none is left with its end.
    parts.sort_by_key(|part| std::cmp::Reverse(part.len()));
    let mut text = text.to_owned();
    for part in parts {
        text = text.replace(part, "…");
    }
    text
}

fn words(text: &str) -> String {
    let line: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(WORDS_MAX)
        .collect();
    match line.trim() {
        "" => String::new(),
        line => format!(" (it says: {line})"),
    }
}

fn whole(id: i64, message: &Message) -> Value {
    json!({
        "source": "tidemark",
        "delivery": id,
        "title": message.title(),
        "written": message.written,
        "alerts": message.alerts,
        "more": message.more,
    })
}

/// Head and lines of one alert.
fn lines(told: &Told) -> (String, Vec<String>) {
    let head = format!(
        "[{}] {}: {}",
        told.level_name,
        told.name,
        told.event.words()
    );
    let mut lines = vec![told.object.clone(), told.summary.clone()];
    match told.event {
        Why::Recovered => {
            let since = &told.generated;
            let until = told.recovered.as_deref().unwrap_or_default();
            lines.push(format!("From {since} to {until}"));
        }
        Why::Test => {}
        Why::Raised | Why::Worsened | Why::MaskEnded => {
            lines.push(told.impact.clone());
            lines.extend(told.advice.first().map(|first| format!("First: {first}")));
            lines.push(format!("Since {}", told.generated));
        }
    }
    (head, lines)
}

fn more(message: &Message) -> Option<String> {
    (message.more > 0).then(|| format!("And {} more alerts; see the console.", message.more))
}

fn plain(message: &Message) -> String {
    let mut blocks = Vec::new();
    for told in &message.alerts {
        let (head, lines) = lines(told);
        blocks.push(format!("{head}\n{}", lines.join("\n")));
    }
    fitting(blocks, more(message), "\n\n", CHAT_BYTES_MAX)
}

fn slack(message: &Message) -> String {
    let escaped = |text: &str| {
        text.replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
    };
    let blocks = message.alerts.iter().map(|told| {
        let (head, lines) = lines(told);
        let lines = lines.join("\n");
        format!(
            "*{}*\n{}",
            escaped(&head).replace('*', "·"),
            escaped(&lines)
        )
    });
    fitting(blocks.collect(), more(message), "\n\n", CHAT_BYTES_MAX)
}

fn markdown(message: &Message, bytes_max: usize) -> String {
    let escaped = |text: &str| {
        let mut safe = String::with_capacity(text.len());
        for letter in text.chars() {
            if "\\`*_[]<>#|".contains(letter) {
                safe.push('\\');
            }
            safe.push(letter);
        }
        safe
    };
    let blocks = message.alerts.iter().map(|told| {
        let (head, lines) = lines(told);
        let lines: Vec<String> = lines.iter().map(|line| escaped(line)).collect();
        format!("**{}**\n\n{}", escaped(&head), lines.join("\n\n"))
    });
    fitting(blocks.collect(), more(message), "\n\n---\n\n", bytes_max)
}

/// As many blocks as fit, and how many do not.
fn fitting(blocks: Vec<String>, more: Option<String>, between: &str, bytes_max: usize) -> String {
    let all: Vec<String> = blocks.iter().cloned().chain(more).collect();
    let whole = all.join(between);
    if whole.len() <= bytes_max {
        return whole;
    }
    let rest = |count: usize| format!("{between}And {count} more alerts; see the console.");
    let room = bytes_max.saturating_sub(rest(usize::MAX).len());
    let mut text = String::new();
    let mut taken = 0;
    for block in &blocks {
        let gap = if text.is_empty() { "" } else { between };
        if text.len() + gap.len() + block.len() > room {
            break;
        }
        text.push_str(gap);
        text.push_str(block);
        taken += 1;
    }
    if taken == 0 {
        // Not even the first one: its beginning.
        text = cut(blocks.first().map_or("", String::as_str), room).to_owned();
        taken = 1;
    }
    if blocks.len() > taken {
        text.push_str(&rest(blocks.len() - taken));
    }
    text
}

/// The beginning of a text, at most so many bytes of it.
fn cut(text: &str, bytes_max: usize) -> &str {
    let mut end = bytes_max.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
#[path = "body_tests.rs"]
mod tests;
