//! Signing in: by name and password into a session, which a browser keeps the token of.
//!
//! Users without a session are nobody: what is here is all that can be asked for without a role.

pub(crate) mod first;
pub(crate) mod links;
mod locks;
mod passwords;
mod secret;
mod sessions;

use crate::{
    audit::plain,
    console::{Console, Inner},
    error::Error,
};
use domain::{
    UserId,
    access::{Actor, Grants, Origin},
    audit::AuditResult,
    password,
};
use locks::{Locks, NAME_FREE, name_locked, seconds_left};
use passwords::Passwords;
use sessions::Remembered;
use std::sync::{Mutex, atomic::AtomicBool};
use store::{Audit, User, UserPatch};

pub use sessions::{Began, Browser, SignedIn};
pub(crate) use sessions::{IDLE_NS, WHOLE_NS};

/// What the audit calls it.
pub(crate) const SIGN_IN: &str = "sign in";
/// What the audit calls changing one's own password.
pub(crate) const CHANGE_PASSWORD: &str = "change password";
/// Who failed, where no user has the name. The name itself is not kept: it may be a password.
const UNKNOWN: &str = "unknown";

/// What signing in needs beside the control database.
#[derive(Default)]
pub(crate) struct SignIn {
    passwords: Passwords,
    locks: Locks,
    /// The link that makes the first administrator.
    first: Mutex<Option<first::FirstLink>>,
    /// Whether there is a user; never untrue again.
    someone: AtomicBool,
    remembered: Remembered,
}

/// How an attempt to sign in ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attempt {
    /// A session began.
    Began(Began),
    /// Name and password do not belong together.
    Wrong,
    /// The password is right, but the user may not sign in.
    Disabled,
    /// Too many failures: how many seconds to wait.
    Wait(u64),
}

impl Console {
    /// Tries to sign in.
    pub async fn sign_in(
        &self,
        name: &str,
        password: &str,
        browser: &Browser,
    ) -> Result<Attempt, Error> {
        let inner = &self.inner;
        let address = browser.origin.address.as_deref();
        if let Some(seconds) = inner.sign_in.locks.address_waits(address, inner.now()) {
            return Ok(Attempt::Wait(seconds));
        }
        // One after the other from here on, so that many tries at once count like as many in a row.
        let turn = inner.sign_in.passwords.turn().await?;
        let user = match password.len() <= password::BYTES_MAX {
            true => inner.store.user_named(name).await?,
            false => None,
        };
        let waits = match &user {
            Some(user) => seconds_left(user.locked_until, inner.now()),
            None => inner.sign_in.locks.name_waits(name, inner.now()),
        };
        if let Some(seconds) = waits {
            return Ok(Attempt::Wait(seconds));
        }
        let stored = user.as_ref().and_then(|user| user.password.as_deref());
        let fits = inner
            .sign_in
            .passwords
            .fits(&turn, password, stored)
            .await?;
        match user {
            Some(user) if fits => inner.enter(&user, browser).await,
            Some(user) => Ok(tried(inner.failed(&user, &browser.origin, SIGN_IN).await?)),
            None => Ok(tried(inner.failed_unknown(name, &browser.origin).await?)),
        }
    }
}

fn tried(waits: Option<u64>) -> Attempt {
    waits.map_or(Attempt::Wrong, Attempt::Wait)
}

/// What a check of the present password found.
pub(crate) enum Checked {
    /// It is the password.
    Right,
    /// It is not.
    Wrong,
    /// Too many failures: how many seconds to wait.
    Wait(u64),
}

impl Inner {
    /// Begins a session of a user whose password was right.
    async fn enter(&self, user: &User, browser: &Browser) -> Result<Attempt, Error> {
        let actor = actor_of(user, &browser.origin);
        if user.disabled {
            let entry = self.refused(&actor, SIGN_IN, "the user is disabled");
            self.write(&entry).await?;
            return Ok(Attempt::Disabled);
        }
        let began = self
            .store
            .change(async |change| {
                let patch = UserPatch {
                    failures: Some((0, None)),
                    signed_in: Some(self.now()),
                    ..UserPatch::default()
                };
                change.patch_user(user.id, &patch).await?;
                let entry = plain(self, &actor, SIGN_IN, &user.name, &browser.agent_short());
                change.audit(&entry).await?;
                self.begin_session(change, user.id, browser).await
            })
            .await?;
        self.sign_in.remembered.forget_all();
        Ok(Attempt::Began(began))
    }

    /// Whether this is the present password of a user who is signed in; failures count as at sign-in.
    pub(crate) async fn check_present(
        &self,
        actor: &Actor,
        user: UserId,
        password: &str,
    ) -> Result<Checked, Error> {
        let turn = self.sign_in.passwords.turn().await?;
        let Some(user) = self.store.user(user).await? else {
            return Ok(Checked::Wrong);
        };
        if let Some(seconds) = seconds_left(user.locked_until, self.now()) {
            return Ok(Checked::Wait(seconds));
        }
        let stored = user.password.as_deref();
        if self.sign_in.passwords.fits(&turn, password, stored).await? {
            return Ok(Checked::Right);
        }
        let waits = self.failed(&user, &actor.origin, CHANGE_PASSWORD).await?;
        Ok(waits.map_or(Checked::Wrong, Checked::Wait))
    }

    /// The digest of a new password.
    pub(crate) async fn password_digest(&self, password: &str) -> Result<String, Error> {
        let turn = self.sign_in.passwords.turn().await?;
        self.sign_in.passwords.digest(&turn, password).await
    }

    /// Counts a failure of a user; seconds to wait from now on.
    async fn failed(
        &self,
        user: &User,
        origin: &Origin,
        operation: &str,
    ) -> Result<Option<u64>, Error> {
        let now = self.now();
        let address = origin.address.as_deref();
        self.sign_in.locks.address_failed(address, now);
        let actor = actor_of(user, origin);
        self.store
            .change(async |change| {
                let Some(user) = change.user(user.id).await? else {
                    return Ok(None);
                };
                let failures = failures_now(&user, now).saturating_add(1);
                let until = name_locked(failures, now);
                let patch = UserPatch {
                    failures: Some((failures, until)),
                    ..UserPatch::default()
                };
                change.patch_user(user.id, &patch).await?;
                let waits = seconds_left(until, now);
                let entry = self.refused(&actor, operation, &wrong_password(waits));
                change.audit(&entry).await?;
                Ok(waits)
            })
            .await
    }

    /// Counts a failure of a name that no user has; answered as for a user.
    async fn failed_unknown(&self, name: &str, origin: &Origin) -> Result<Option<u64>, Error> {
        let now = self.now();
        let address = origin.address.as_deref();
        self.sign_in.locks.address_failed(address, now);
        let waits = self.sign_in.locks.name_failed(name, now);
        let entry = self.refused(&nobody(origin), SIGN_IN, "no user has this name");
        self.write(&entry).await?;
        Ok(waits)
    }

    fn refused(&self, actor: &Actor, operation: &str, cause: &str) -> Audit {
        Audit {
            result: AuditResult::Refused,
            cause: Some(cause.to_owned()),
            ..plain(self, actor, operation, &actor.name, "")
        }
    }

    async fn write(&self, entry: &Audit) -> Result<(), Error> {
        self.store
            .change(async |change| {
                change.audit(entry).await?;
                Ok(())
            })
            .await
    }
}

/// The failures that still count.
fn failures_now(user: &User, now: domain::Scn) -> u32 {
    match user.locked_until {
        Some(until) if now.since_ns(until) >= locks::FORGET_NS => 0,
        _ => user.failures,
    }
}

fn wrong_password(waits: Option<u64>) -> String {
    match waits {
        Some(seconds) => {
            format!("wrong password, {NAME_FREE} times or more in a row; locked for {seconds} s")
        }
        None => "wrong password".to_owned(),
    }
}

/// A user as an actor.
pub(crate) fn actor_of(user: &User, origin: &Origin) -> Actor {
    Actor {
        name: user.name.clone(),
        user: Some(user.id),
        session: None,
        grants: user.grants.clone(),
        origin: origin.clone(),
    }
}

/// Somebody who is not signed in.
fn nobody(origin: &Origin) -> Actor {
    Actor {
        name: UNKNOWN.to_owned(),
        user: None,
        session: None,
        grants: Grants::default(),
        origin: origin.clone(),
    }
}
