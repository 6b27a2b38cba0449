//! Sealing of addresses and keys, so that a copy of the control database gives none of them away.

use crate::{console::Inner, error::Error};
use store::SealedChannel;

/// Seals texts and opens them again.
pub trait Sealer: Send + Sync + 'static {
    /// Seals a text that belongs to `owner`.
    fn seal(&self, owner: &str, text: &str) -> Result<String, String>;

    /// Opens what was sealed for `owner`.
    fn open(&self, owner: &str, sealed: &str) -> Result<String, String>;
}

/// An address and a key in the open. Shown nowhere.
pub(super) struct Address {
    /// Where to.
    pub(super) url: String,
    /// The key for signatures.
    pub(super) secret: Option<String>,
}

/// Seals a text of a channel.
pub(super) fn seal(inner: &Inner, channel: &str, text: &str) -> Result<String, Error> {
    let sealed = inner.sealer.seal(&owner(channel), text);
    sealed.map_err(|why| {
        Error::Unavailable(format!(
            "the address of channel {channel} could not be sealed: {why}"
        ))
    })
}

/// Opens the address and the key of a channel.
pub(super) fn open(inner: &Inner, known: &SealedChannel) -> Result<Address, Error> {
    let name = &known.channel.name;
    let open = |sealed: &String| {
        let opened = inner.sealer.open(&owner(name), sealed);
        opened.map_err(|why| {
            Error::Unavailable(format!(
                "the address of channel {name} could not be opened: {why}; remove the channel and add it again"
            ))
        })
    };
    Ok(Address {
        url: open(&known.url)?,
        secret: known.secret.as_ref().map(open).transpose()?,
    })
}

fn owner(channel: &str) -> String {
    format!("channel {channel}")
}
