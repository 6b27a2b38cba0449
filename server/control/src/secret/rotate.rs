//! Changing keys: every secret is sealed anew in one transaction, and the former key is kept until that is saved.
//!
//! With a key file: the next key is written beside it first, durable; then the transaction; then the key file moves
//! aside and the next one takes its place. Interrupted anywhere, the next start sees by the names of keys in the
//! database whether the transaction was saved, and finishes or takes back. The file that moved aside is removed
//! at the next start or change, when nothing is sealed with it: meanwhile somebody may have sealed with it still.

use super::{Bound, Key, Keys, Secrets, key};
use crate::{access::GlobalAdmin, error::Error};
use domain::audit::AuditResult;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};
use store::{Audit, Change, Reseal, SealedSecret};

/// Ends the name of the file of the next key, until the secrets are sealed with it.
const NEXT: &str = ".next";
/// Ends the name of the file of the former key, as long as something may be sealed with it.
const FORMER: &str = ".former";

/// What a change of keys did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotated {
    /// Name of the key from now on.
    pub key_id: String,
    /// Secrets sealed anew.
    pub resealed: usize,
    /// Secrets removed because their key is not here.
    pub forgotten: usize,
}

/// What to do with secrets whose key is not here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Closed {
    Refuse,
    Forget,
}

/// What to do with the former key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Former {
    Keep,
    Remove,
}

impl GlobalAdmin {
    /// Seals every secret with a new key. Secrets whose key is not here stop it, or are removed with `forget`.
    pub async fn rotate_key(&self, forget: bool) -> Result<Rotated, Error> {
        let closed = if forget {
            Closed::Forget
        } else {
            Closed::Refuse
        };
        self.console
            .inner
            .secrets
            .rotate(&self.actor.name, closed)
            .await
    }
}

impl Secrets {
    pub(super) async fn rotate(&self, actor: &str, closed: Closed) -> Result<Rotated, Error> {
        let _rotating = self.rotating.lock().await;
        self.settle(Former::Remove).await?;
        let next = match &self.file {
            Some(path) => {
                let next = Arc::new(Key::fresh()?);
                key::write_file(&beside(path, NEXT), &next)?;
                next
            }
            None => self.given()?,
        };
        // Whatever happens now, what was sealed with it can be opened.
        self.keys().former.push(Arc::clone(&next));
        let done = self
            .store
            .change(async |change| self.reseal(change, &next, actor, closed).await)
            .await;
        if let (Some(path), Ok(_)) = (&self.file, &done) {
            put_in_place(path)?;
        }
        // Also after a failure: only the database knows whether it was saved.
        let settled = self.settle(Former::Keep).await;
        let rotated = done?;
        settled?;
        tracing::info!(
            key = rotated.key_id,
            secrets = rotated.resealed,
            "secrets are sealed with another key"
        );
        Ok(rotated)
    }

    /// The key that whoever started the process wants to have from now on.
    fn given(&self) -> Result<Arc<Key>, Error> {
        let keys = self.keys();
        match &keys.current {
            Some(current) if !keys.former.is_empty() => Ok(Arc::clone(current)),
            _ => Err(Error::Conflict(
                "the key is given in TIDEMARK_KEY and so cannot be changed from here; start the server with the \
                 new key in TIDEMARK_KEY and the present one in TIDEMARK_KEY_OLD, and give this order again"
                    .to_owned(),
            )),
        }
    }

    async fn reseal(
        &self,
        change: &Change,
        next: &Key,
        actor: &str,
        closed: Closed,
    ) -> Result<Rotated, Error> {
        let mut rotated = Rotated {
            key_id: next.id(),
            resealed: 0,
            forgotten: 0,
        };
        let mut stuck = Vec::new();
        for secret in change.secrets().await? {
            if secret.key_id == rotated.key_id {
                continue;
            }
            match (self.anew(&secret, next)?, closed) {
                (Some(new), _) => {
                    change.reseal(&new).await?;
                    rotated.resealed += 1;
                }
                (None, Closed::Forget) => {
                    change.remove_secret(secret.id).await?;
                    rotated.forgotten += 1;
                }
                (None, Closed::Refuse) => stuck.push(secret),
            }
        }
        if !stuck.is_empty() {
            return Err(Error::Conflict(self.why_closed(&stuck)));
        }
        let entry = Audit {
            at: self.clock.now(),
            actor: actor.to_owned(),
            operation: "change secret key".to_owned(),
            cluster: None,
            subject: rotated.key_id.clone(),
            detail: format!(
                "{} secrets sealed anew, {} removed",
                rotated.resealed, rotated.forgotten
            ),
            address: None,
            result: AuditResult::Ok,
            cause: None,
            before: None,
            after: None,
        };
        change.audit(&entry).await?;
        Ok(rotated)
    }

    /// A secret sealed with another key; nothing when it cannot be opened.
    fn anew(&self, secret: &SealedSecret, next: &Key) -> Result<Option<Reseal>, Error> {
        let Some(key) = self.keys().named(&secret.key_id) else {
            return Ok(None);
        };
        let bound = Bound {
            purpose: &secret.purpose,
            owner: &secret.owner,
        };
        let Some(text) = key.open(&bound, &secret.sealed) else {
            return Ok(None);
        };
        Ok(Some(Reseal {
            id: secret.id,
            key_id: next.id(),
            sealed: next.seal(&bound, &text)?,
        }))
    }

    /// Makes the key files agree with the database, and the keys in memory with both.
    pub(super) async fn settle(&self, former: Former) -> Result<(), Error> {
        let Some(path) = &self.file else {
            return Ok(());
        };
        let secrets = self.store.secrets().await?;
        let sealed_with = |key: &Key| secrets.iter().any(|secret| secret.key_id == key.id());
        let waiting = beside(path, NEXT);
        match key::read_file(&waiting)? {
            Some(next) if sealed_with(&next) => put_in_place(path)?,
            Some(_) => key::remove_file(&waiting)?,
            None => {}
        }
        let mut current = key::read_file(path)?;
        if current.is_none() && secrets.is_empty() {
            let fresh = Key::fresh()?;
            key::write_file(path, &fresh)?;
            tracing::info!(
                file = %path.display(),
                "a key for secrets was made; keep a copy of it apart from copies of the database"
            );
            current = Some(fresh);
        }
        let aside = beside(path, FORMER);
        let mut before = key::read_file(&aside)?;
        if former == Former::Remove && before.as_ref().is_some_and(|key| !sealed_with(key)) {
            key::remove_file(&aside)?;
            before = None;
        }
        *self.keys() = Keys {
            current: current.map(Arc::new),
            former: before.into_iter().map(Arc::new).collect(),
        };
        Ok(())
    }
}

/// The next key becomes the key, and the key the former one.
fn put_in_place(path: &Path) -> Result<(), Error> {
    if path.exists() {
        key::replace_file(path, &beside(path, FORMER))?;
    }
    key::replace_file(&beside(path, NEXT), path)?;
    Ok(())
}

/// A file beside the key file.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}
