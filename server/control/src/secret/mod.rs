//! Secrets of others: sealed before they reach the control database, opened only for use, never shown again.
//!
//! The key is not in the database, so a copy of the database gives nothing away. Each secret carries the name of
//! its key and is bound to its purpose and owner. A key that is not here is told with what it keeps closed.

mod key;
mod rotate;
#[cfg(test)]
mod tests;

pub use key::{Key, KeyError};
pub use rotate::Rotated;

use crate::error::Error;
use domain::clock::Clock;
use key::Bound;
use std::{
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard},
};
use store::{Change, SECRETS_MAX, SealedSecret, SecretRef, Store};
use zeroize::Zeroizing;

/// Longest secret, in bytes.
const SECRET_BYTES_MAX: usize = 16 * 1024;
/// Most secrets that an error or a line of the log names.
const NAMED_MAX: usize = 20;

/// Where the key comes from.
#[derive(Debug)]
pub enum KeyPlace {
    /// A file, made at the first start. Beside it lies the next key while keys are being changed.
    File(PathBuf),
    /// Whoever starts the process gives it.
    Given {
        /// The key.
        key: Key,
        /// The one before, while keys are being changed.
        former: Option<Key>,
    },
}

/// A secret in the open. It wipes itself from memory and shows itself only when asked by name.
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// The text. Not for logs, addresses, errors, or anything that is sent to a browser.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret (not shown)")
    }
}

/// Seals and opens. One per console.
pub struct Secrets {
    store: Store,
    clock: Arc<dyn Clock>,
    /// The key file, when the key is in one.
    file: Option<PathBuf>,
    keys: Mutex<Keys>,
    /// Held while keys are changed.
    rotating: tokio::sync::Mutex<()>,
}

/// The keys that are here.
#[derive(Debug, Default)]
struct Keys {
    /// Seals; nothing when it is missing although secrets were sealed with it.
    current: Option<Arc<Key>>,
    /// Only opens.
    former: Vec<Arc<Key>>,
}

impl Keys {
    fn named(&self, id: &str) -> Option<Arc<Key>> {
        let mut all = self.current.iter().chain(&self.former);
        all.find(|key| key.id() == id).cloned()
    }
}

impl Secrets {
    /// Takes the key from its place, finishes a change of keys that was interrupted, and tells the log what
    /// cannot be opened. A key file is made only when no secret needs the one that is missing.
    pub(crate) async fn start(
        store: Store,
        clock: Arc<dyn Clock>,
        place: KeyPlace,
    ) -> Result<Secrets, Error> {
        let (file, keys) = match place {
            KeyPlace::File(path) => (Some(path), Keys::default()),
            KeyPlace::Given { key, former } => {
                let current = Some(Arc::new(key));
                let former = former.into_iter().map(Arc::new).collect();
                (None, Keys { current, former })
            }
        };
        let secrets = Secrets {
            store,
            clock,
            file,
            keys: Mutex::new(keys),
            rotating: tokio::sync::Mutex::default(),
        };
        secrets.settle(rotate::Former::Remove).await?;
        let closed = secrets.closed().await?;
        if !closed.is_empty() {
            tracing::error!("{}", secrets.why_closed(&closed));
        }
        Ok(secrets)
    }

    /// Seals `text` as a part of `change`. `purpose` says what it is for in a few words, `owner` whose it is, in
    /// words that never change: a number, not a name. Keep the answer beside the owner.
    pub async fn seal(
        &self,
        change: &Change,
        purpose: &str,
        owner: &str,
        text: &str,
    ) -> Result<SecretRef, Error> {
        if text.len() > SECRET_BYTES_MAX {
            let allowed = format!("at most {SECRET_BYTES_MAX} bytes");
            return Err(Error::invalid("Secret", "not shown", allowed));
        }
        let known = change.secrets().await?;
        if known.len() as u64 >= SECRETS_MAX {
            return Err(Error::Conflict(format!(
                "there are {SECRETS_MAX} secrets, and that is the limit; remove what is not needed any more"
            )));
        }
        let Some(key) = self.keys().current.clone() else {
            return Err(Error::Conflict(self.why_closed(&known)));
        };
        let sealed = key.seal(&Bound { purpose, owner }, text)?;
        let what = (purpose, owner);
        let at = self.clock.now();
        Ok(change.add_secret(what, (&key.id(), &sealed), at).await?)
    }

    /// Opens a secret that was sealed for this purpose and owner.
    pub async fn open(&self, purpose: &str, owner: &str, id: SecretRef) -> Result<Secret, Error> {
        let Some(found) = self.store.secret(id).await? else {
            return Err(Error::Conflict(format!(
                "the secret of {purpose} {owner} is not there any more; enter it again"
            )));
        };
        let Some(key) = self.keys().named(&found.key_id) else {
            return Err(Error::Conflict(self.why_closed(&[found])));
        };
        let open = key.open(&Bound { purpose, owner }, &found.sealed);
        open.map(Secret).ok_or_else(|| {
            Error::Conflict(format!(
                "the secret of {purpose} {owner} was changed since it was sealed, or belongs to something else, \
                 and is not used; enter it again"
            ))
        })
    }

    /// The secrets whose key is not here.
    async fn closed(&self) -> Result<Vec<SealedSecret>, Error> {
        let mut all = self.store.secrets().await?;
        let keys = self.keys();
        all.retain(|secret| keys.named(&secret.key_id).is_none());
        Ok(all)
    }

    /// Which secrets cannot be opened, with which key they could, and what to do.
    fn why_closed(&self, closed: &[SealedSecret]) -> String {
        let named: Vec<String> = closed
            .iter()
            .take(NAMED_MAX)
            .map(|secret| {
                format!(
                    "{} {} (key {})",
                    secret.purpose, secret.owner, secret.key_id
                )
            })
            .collect();
        let more = match closed.len().saturating_sub(NAMED_MAX) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let here = match &self.keys().current {
            Some(key) => format!("the key here is {}", key.id()),
            None => "no key is here".to_owned(),
        };
        let place = match &self.file {
            Some(path) => format!("put the former key file back to {}", path.display()),
            None => "give the former key in TIDEMARK_KEY, or in TIDEMARK_KEY_OLD beside a new one"
                .to_owned(),
        };
        format!(
            "secrets cannot be opened: {}{more}; {here}; {place} and start again, or remove them with \
             `tidemark admin rotate-key --forget` and enter them anew",
            named.join(", ")
        )
    }

    fn keys(&self) -> MutexGuard<'_, Keys> {
        self.keys
            .lock()
            .expect("invariant: nothing panics while it holds the keys")
    }
}

impl From<KeyError> for Error {
    fn from(error: KeyError) -> Self {
        Error::Unavailable(error.to_string())
    }
}
