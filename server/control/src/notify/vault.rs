//! Addresses and keys of channels: sealed, so that a copy of the control database gives none of them away.

use crate::{console::Inner, error::Error, secret::Secret};
use domain::channel::NewChannel;
use store::{Change, SealedChannel, SecretRef};

/// What sealed addresses are for.
const ADDRESS: &str = "address of channel";
/// What sealed keys are for.
const KEY: &str = "signature key of channel";

/// An address and a key in the open. Shown nowhere.
pub(super) struct Address {
    url: Secret,
    secret: Option<Secret>,
}

impl Address {
    /// Where to.
    pub(super) fn url(&self) -> &str {
        self.url.expose()
    }

    /// The key for signatures.
    pub(super) fn secret(&self) -> Option<&str> {
        self.secret.as_ref().map(Secret::expose)
    }
}

/// Seals the address and the key of a channel to add. A channel keeps its name as long as it exists.
pub(super) async fn seal(
    inner: &Inner,
    change: &Change,
    new: &NewChannel,
) -> Result<(SecretRef, Option<SecretRef>), Error> {
    let secrets = &inner.secrets;
    let url = secrets.seal(change, ADDRESS, &new.name, &new.url).await?;
    let secret = match &new.secret {
        Some(key) => Some(secrets.seal(change, KEY, &new.name, key).await?),
        None => None,
    };
    Ok((url, secret))
}

/// Seals a new address of a channel, in place of the one that there is.
pub(super) async fn replace_url(
    inner: &Inner,
    change: &Change,
    known: &mut SealedChannel,
    url: &str,
) -> Result<(), Error> {
    let name = &known.channel.name;
    let sealed = inner.secrets.seal(change, ADDRESS, name, url).await?;
    change
        .remove_secret(std::mem::replace(&mut known.url, sealed))
        .await?;
    Ok(())
}

/// Seals a new key of a channel, in place of the one that there may be.
pub(super) async fn replace_key(
    inner: &Inner,
    change: &Change,
    known: &mut SealedChannel,
    key: &str,
) -> Result<(), Error> {
    let name = &known.channel.name;
    let sealed = inner.secrets.seal(change, KEY, name, key).await?;
    if let Some(old) = known.secret.replace(sealed) {
        change.remove_secret(old).await?;
    }
    Ok(())
}

/// Opens the address and the key of a channel.
pub(super) async fn open(inner: &Inner, known: &SealedChannel) -> Result<Address, Error> {
    let name = &known.channel.name;
    let secrets = &inner.secrets;
    let url = secrets.open(ADDRESS, name, known.url).await?;
    let secret = match known.secret {
        Some(key) => Some(secrets.open(KEY, name, key).await?),
        None => None,
    };
    Ok(Address { url, secret })
}

/// Removes what is sealed of a channel.
pub(super) async fn remove(change: &Change, known: &SealedChannel) -> Result<(), Error> {
    change.remove_secret(known.url).await?;
    if let Some(key) = known.secret {
        change.remove_secret(key).await?;
    }
    Ok(())
}

#[cfg(test)]
impl Address {
    /// One that was never sealed.
    pub(super) fn test(url: &str, secret: Option<&str>) -> Address {
        Address {
            url: Secret::test(url),
            secret: secret.map(Secret::test),
        }
    }
}
