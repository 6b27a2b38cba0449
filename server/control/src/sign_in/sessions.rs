//! Sessions: who a token belongs to, for how long, and where it was used.

use super::{actor_of, secret};
use crate::{
    audit::plain,
    console::{Console, Inner},
    error::{Error, chain},
};
use domain::{
    Scn, UserId,
    access::{Actor, Origin},
    scn::{NS_PER_DAY, NS_PER_SECOND},
};
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard},
};
use store::{Change, NewSession, Session, User};

/// A session that was not used for this long has ended.
pub(crate) const IDLE_NS: u64 = 12 * 3600 * NS_PER_SECOND;
/// A session ends this long after it began, however much it is used.
pub(crate) const WHOLE_NS: u64 = 7 * NS_PER_DAY;
/// The use of a session is noted this often at most.
const NOTE_NS: u64 = 60 * NS_PER_SECOND;
/// For how long the answer about a token is kept. What this process changes counts at once; what another
/// one on the same control database changes, after that.
const REMEMBER_NS: u64 = 5 * NS_PER_SECOND;
/// Most answers that are kept.
const REMEMBERED_MAX: usize = 5_000;
/// Longest token that is looked at.
const TOKEN_MAX: usize = 128;
/// Characters of a browser's name in the audit.
const AGENT_SHORT: usize = 120;
/// What the audit calls it.
const SIGN_OUT: &str = "sign out";

/// The browser that somebody signs in with.
#[derive(Clone, Default)]
pub struct Browser {
    /// Where it asks from.
    pub origin: Origin,
    /// What it calls itself.
    pub agent: String,
    /// The token it has, if any; that session ends when another begins.
    pub token: Option<String>,
}

impl Browser {
    pub(super) fn agent_short(&self) -> String {
        self.agent.chars().take(AGENT_SHORT).collect()
    }
}

/// A session that began. The token is for the browser and nobody else.
#[derive(Clone, PartialEq, Eq)]
pub struct Began {
    /// What the browser shows from now on.
    pub token: String,
    /// How long it may be kept, in seconds.
    pub seconds: u64,
}

impl std::fmt::Debug for Began {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Began {{ token: not shown, seconds: {} }}", self.seconds)
    }
}

/// Somebody with a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIn {
    /// Who acts.
    pub actor: Actor,
}

/// What was found out about tokens a moment ago, by their digests.
#[derive(Default)]
pub(super) struct Remembered {
    known: Mutex<HashMap<String, Known>>,
}

#[derive(Clone)]
struct Known {
    at: Scn,
    session: Session,
    user: User,
}

impl Remembered {
    /// Forgets everything: users, roles or sessions have changed.
    pub(super) fn forget_all(&self) {
        self.known().clear();
    }

    fn forget(&self, digest: &str) {
        self.known().remove(digest);
    }

    fn find(&self, digest: &str, now: Scn) -> Option<Known> {
        let known = self.known().get(digest).cloned()?;
        let age = now.0.checked_sub(known.at.0)?;
        (age < REMEMBER_NS).then_some(known)
    }

    fn keep(&self, digest: &str, one: &Known) {
        let mut known = self.known();
        if known.len() >= REMEMBERED_MAX {
            known.clear();
        }
        known.insert(digest.to_owned(), one.clone());
    }

    fn known(&self) -> MutexGuard<'_, HashMap<String, Known>> {
        self.known
            .lock()
            .expect("invariant: nothing panics while it holds what is remembered")
    }
}

impl Console {
    /// Who shows this token, if it belongs to a session that has not ended.
    pub async fn session(&self, token: &str, origin: &Origin) -> Result<Option<SignedIn>, Error> {
        let inner = &self.inner;
        if token.is_empty() || token.len() > TOKEN_MAX {
            return Ok(None);
        }
        let (digest, now) = (secret::digest(token), inner.now());
        let Some(known) = inner.known_session(&digest, now).await? else {
            return Ok(None);
        };
        let Known { session, user, .. } = known;
        let is_old = now.since_ns(session.created) >= WHOLE_NS
            || now.since_ns(session.seen) >= IDLE_NS
            || user.disabled;
        if is_old {
            return Ok(None);
        }
        if now.since_ns(session.seen) >= NOTE_NS {
            let address = origin.address.as_deref().unwrap_or_default();
            inner.note_use(&digest, &session, now, address).await;
        }
        let actor = Actor {
            session: Some(session.id),
            ..actor_of(&user, origin)
        };
        Ok(Some(SignedIn { actor }))
    }

    /// Ends the session of whoever shows this token.
    pub async fn sign_out(&self, token: &str, origin: &Origin) -> Result<(), Error> {
        let Some(SignedIn { actor }) = self.session(token, origin).await? else {
            return Ok(());
        };
        let (Some(user), Some(session)) = (actor.user, actor.session) else {
            return Ok(());
        };
        let inner = &self.inner;
        inner
            .store
            .change(async |change| {
                change.end_session(user, session).await?;
                let entry = plain(inner, &actor, SIGN_OUT, &actor.name, "");
                change.audit(&entry).await?;
                Ok::<_, Error>(())
            })
            .await?;
        inner.forget_sessions();
        Ok(())
    }
}

impl Inner {
    /// Has every token looked up anew.
    pub(crate) fn forget_sessions(&self) {
        self.sign_in.remembered.forget_all();
    }

    async fn known_session(&self, digest: &str, now: Scn) -> Result<Option<Known>, Error> {
        if let Some(known) = self.sign_in.remembered.find(digest, now) {
            return Ok(Some(known));
        }
        let Some((session, user)) = self.store.session(digest).await? else {
            return Ok(None);
        };
        let known = Known {
            at: now,
            session,
            user,
        };
        self.sign_in.remembered.keep(digest, &known);
        Ok(Some(known))
    }

    /// Notes that a session is used, and from where.
    async fn note_use(&self, digest: &str, session: &Session, now: Scn, address: &str) {
        if let Err(error) = self.store.session_seen(session.id, now, address).await {
            // It only ends earlier; nobody has to wait for that.
            tracing::warn!("the use of a session was not noted: {}", chain(&error));
        }
        self.sign_in.remembered.forget(digest);
    }

    /// Begins a session of a user, and ends the one that the browser had.
    pub(super) async fn begin_session(
        &self,
        change: &Change,
        user: UserId,
        browser: &Browser,
    ) -> Result<Began, Error> {
        if let Some(old) = &browser.token {
            change.end_session_of_token(&secret::digest(old)).await?;
        }
        let token = secret::fresh()?;
        let new = NewSession {
            digest: secret::digest(&token),
            user,
            created: self.now(),
            address: browser.origin.address.clone().unwrap_or_default(),
            agent: browser.agent.clone(),
        };
        change.add_session(&new).await?;
        Ok(Began {
            token,
            seconds: WHOLE_NS / NS_PER_SECOND,
        })
    }
}
