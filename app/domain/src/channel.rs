//! Notification channels: where messages about alerts go. Addresses hold secrets and are never shown again.

use crate::{ChannelId, ClusterId, Revision, Scn, alert::Level, validate::Violation};
use serde::{Deserialize, Serialize};

/// Longest address, in bytes.
pub const URL_BYTES_MAX: usize = 2000;
/// Longest secret, in bytes.
pub const SECRET_BYTES_MAX: usize = 500;
/// Least and most minutes between two pings.
pub const EVERY_MIN: std::ops::RangeInclusive<u32> = 1..=1440;
/// Minutes between two pings when nothing is said.
pub const EVERY_MIN_DEFAULT: u32 = 5;

/// What is sent, and in whose words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChannelKind {
    /// A JSON document with every field.
    Json,
    /// Slack's incoming webhook.
    Slack,
    /// DingTalk's group robot.
    DingTalk,
    /// Feishu's (Lark's) group bot.
    Feishu,
    /// WeCom's group robot.
    WeCom,
    /// No message: the address is asked for again and again while all is well, so that whoever watches it
    /// notices when the console is gone.
    Ping,
}

impl ChannelKind {
    /// Every kind.
    pub const ALL: [ChannelKind; 6] = [
        ChannelKind::Json,
        ChannelKind::Slack,
        ChannelKind::DingTalk,
        ChannelKind::Feishu,
        ChannelKind::WeCom,
        ChannelKind::Ping,
    ];

    /// The form's label.
    pub const fn label(self) -> &'static str {
        match self {
            ChannelKind::Json => "JSON",
            ChannelKind::Slack => "Slack",
            ChannelKind::DingTalk => "DingTalk",
            ChannelKind::Feishu => "Feishu",
            ChannelKind::WeCom => "WeCom",
            ChannelKind::Ping => "Ping",
        }
    }

    /// The stored and wire form.
    pub const fn code(self) -> &'static str {
        match self {
            ChannelKind::Json => "json",
            ChannelKind::Slack => "slack",
            ChannelKind::DingTalk => "dingtalk",
            ChannelKind::Feishu => "feishu",
            ChannelKind::WeCom => "wecom",
            ChannelKind::Ping => "ping",
        }
    }

    /// Reads [`ChannelKind::code`].
    pub fn from_code(code: &str) -> Option<Self> {
        ChannelKind::ALL
            .into_iter()
            .find(|kind| kind.code() == code)
    }

    /// Whether messages of this kind can be signed with a secret.
    pub const fn signs(self) -> bool {
        matches!(self, ChannelKind::DingTalk | ChannelKind::Feishu)
    }
}

/// A channel as people may see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Channel {
    /// Number.
    pub id: ChannelId,
    /// Its own name, unique among channels.
    pub name: String,
    /// What is sent.
    pub kind: ChannelKind,
    /// Scheme and host of the address; the rest is secret.
    pub host: String,
    /// Whether messages are signed.
    pub signed: bool,
    /// Levels that are sent.
    pub levels: Vec<Level>,
    /// Clusters that are sent; absent means all, and the console itself.
    pub clusters: Option<Vec<ClusterId>>,
    /// Minutes between two pings.
    pub every_min: Option<u32>,
    /// Whether anything is sent.
    pub enabled: bool,
    /// When it was added.
    pub created: Scn,
    /// When something arrived last.
    pub last_sent: Option<Scn>,
    /// Since when nothing arrives.
    pub failing_since: Option<Scn>,
    /// Why the newest message did not arrive.
    pub fault: Option<String>,
    /// Version of this row.
    pub rev: Revision,
}

/// A channel to add.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewChannel {
    /// Its own name.
    pub name: String,
    /// What is sent.
    pub kind: ChannelKind,
    /// Where to.
    pub url: String,
    /// The key for signatures, where the receiver wants them.
    pub secret: Option<String>,
    /// Levels that are sent; empty means all but reminders.
    pub levels: Vec<Level>,
    /// Names of the clusters that are sent; empty means all, and the console itself.
    pub clusters: Vec<String>,
    /// Minutes between two pings.
    pub every_min: Option<u32>,
}

impl std::fmt::Debug for NewChannel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewChannel")
            .field("name", &self.name)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// What changes of a channel. Its name and kind stay as they are.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ChannelChange {
    /// Where to; absent keeps the address, which nobody can read again.
    pub url: Option<String>,
    /// The key for signatures; absent keeps the one that there is.
    pub secret: Option<String>,
    /// Levels that are sent, empty for all but reminders; absent keeps them.
    pub levels: Option<Vec<Level>>,
    /// Names of the clusters that are sent, empty for all and the console itself; absent keeps them.
    pub clusters: Option<Vec<String>>,
    /// Minutes between two pings; absent keeps them.
    pub every_min: Option<u32>,
}

impl std::fmt::Debug for ChannelChange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ChannelChange").finish_non_exhaustive()
    }
}

/// What came of a test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelTest {
    /// Why it did not arrive, and what to do; absent when it did.
    pub failure: Option<String>,
    /// Milliseconds it took.
    pub took_ms: u64,
}

/// Scheme and host of an address that may be used: `http` or `https`, no user or password in it. What is
/// wrong never quotes the address.
pub fn host(url: &str) -> Result<String, Violation> {
    let wrong = |allowed: &str| Violation::new("URL", "(hidden)", allowed);
    let form = "use an address such as https://hooks.example.com/services/key";
    if url.len() > URL_BYTES_MAX {
        return Err(wrong("use at most 2000 bytes"));
    }
    if !url.bytes().all(|byte| byte.is_ascii_graphic()) || url.contains(['\\', '"', '<', '>']) {
        return Err(wrong(
            "use printable ASCII characters only, without spaces; escape others with %",
        ));
    }
    let (scheme, rest) = url.split_once("://").ok_or_else(|| wrong(form))?;
    let scheme = scheme.to_ascii_lowercase();
    if scheme != "http" && scheme != "https" {
        return Err(wrong("use http or https"));
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return Err(wrong(
            "leave the user and password out of the address; use a key in its path instead",
        ));
    }
    let (name, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (address, port) = rest.split_once(']').ok_or_else(|| wrong(form))?;
            let hexadecimal = |c: char| c.is_ascii_hexdigit() || c == ':' || c == '.';
            if !address.chars().all(hexadecimal) {
                return Err(wrong(form));
            }
            (address, port.strip_prefix(':').map_or(port, |port| port))
        }
        None => authority.split_once(':').unwrap_or((authority, "")),
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._:".contains(c);
    if name.is_empty() || !name.chars().all(plain) {
        return Err(wrong(form));
    }
    if !port.is_empty() && port.parse::<u16>().is_err() {
        return Err(wrong("use a port from 1 to 65535"));
    }
    Ok(format!("{scheme}://{authority}"))
}

/// Everything that is wrong with a channel to add, except its name and clusters.
pub fn check(new: &NewChannel) -> Vec<Violation> {
    let parts = (Some(new.url.as_str()), new.secret.as_deref(), new.every_min);
    check_parts(new.kind, parts)
}

/// Everything that is wrong with a change of a channel of this kind, except its clusters.
pub fn check_change(kind: ChannelKind, change: &ChannelChange) -> Vec<Violation> {
    let parts = (
        change.url.as_deref(),
        change.secret.as_deref(),
        change.every_min,
    );
    check_parts(kind, parts)
}

fn check_parts(
    kind: ChannelKind,
    (url, secret, every): (Option<&str>, Option<&str>, Option<u32>),
) -> Vec<Violation> {
    let mut wrong = Vec::new();
    wrong.extend(url.and_then(|url| host(url).err()));
    let hidden = |allowed: &str| Violation::new("Secret", "(hidden)", allowed);
    match secret {
        Some(_) if !kind.signs() => wrong.push(hidden(
            "leave it out: only DingTalk and Feishu messages are signed",
        )),
        Some(secret) if secret.is_empty() || secret.len() > SECRET_BYTES_MAX => {
            wrong.push(hidden("use 1 to 500 bytes, or leave it out"));
        }
        _ => {}
    }
    if let Some(every) = every {
        let given = every.to_string();
        if kind != ChannelKind::Ping {
            let allowed = "leave it out: only a channel of the kind ping has it";
            wrong.push(Violation::new("Every", &given, allowed));
        } else if !EVERY_MIN.contains(&every) {
            wrong.push(Violation::new("Every", &given, "use 1 to 1440 minutes"));
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_shown_by_their_host_and_wrong_ones_are_not_quoted() {
        for (url, shown) in [
            (
                "https://hooks.slack.com/services/T/B/secret",
                "https://hooks.slack.com",
            ),
            ("HTTP://127.0.0.1:8080?key=secret", "http://127.0.0.1:8080"),
            ("http://[::1]:9/secret", "http://[::1]:9"),
        ] {
            assert_eq!(host(url).as_deref(), Ok(shown));
        }
        for bad in [
            "",
            "hooks.example.com/secret",
            "ftp://host/secret",
            "file:///secret",
            "https://user:secret@host/",
            "https://secret@host",
            "https:///secret",
            "https://host:99999/secret",
            "https://host:x/secret",
            "https://ho st/secret",
            "https://host/secret\r\nX: y",
            "https://host\\@other/secret",
            "https://[::1/secret",
            "https://größe/secret",
        ] {
            let wrong = host(bad).unwrap_err();
            assert!(!wrong.to_string().contains("secret"), "{wrong}");
        }
    }

    #[test]
    fn what_does_not_fit_the_kind_is_refused_and_nothing_secret_is_debugged() {
        let new = NewChannel {
            name: "ops".to_owned(),
            kind: ChannelKind::Slack,
            url: "https://host/topsecret".to_owned(),
            secret: Some("topsecret".to_owned()),
            levels: Vec::new(),
            clusters: Vec::new(),
            every_min: Some(5),
        };
        let fields: Vec<String> = check(&new).into_iter().map(|wrong| wrong.field).collect();
        assert_eq!(fields, ["Secret", "Every"]);
        assert!(!format!("{new:?}").contains("topsecret"));
        let ping = NewChannel {
            kind: ChannelKind::Ping,
            secret: None,
            every_min: Some(0),
            ..new
        };
        assert_eq!(check(&ping).len(), 1);
    }
}
