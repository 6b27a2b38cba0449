//! The first administrator: made by whoever has the link that a start without users prints.

use super::{Browser, nobody, secret, sessions::Began};
use crate::{
    audit::plain,
    console::{Console, Inner},
    error::Error,
};
use domain::{
    Scn,
    access::{Actor, Role},
    password,
    scn::NS_PER_DAY,
    user::OneTimeLink,
    validate,
};
use std::sync::{MutexGuard, atomic::Ordering};
use store::UserPatch;

/// How long the link of a start works.
const LINK_NS: u64 = NS_PER_DAY;
/// What the audit calls it.
const SET_UP: &str = "set up";
/// Labels of the fields.
const NAME: &str = "Name";
/// Label of the password's field.
pub(crate) const PASSWORD: &str = "Password";

/// The link of this start; only the digest of its token.
pub(crate) struct FirstLink {
    digest: String,
    until: Scn,
}

impl Console {
    /// Whether there is no user yet, so that nobody can sign in.
    pub async fn needs_set_up(&self) -> Result<bool, Error> {
        let someone = &self.inner.sign_in.someone;
        if someone.load(Ordering::Relaxed) {
            return Ok(false);
        }
        let found = self.inner.store.user_count().await? > 0;
        someone.store(found, Ordering::Relaxed);
        Ok(!found)
    }

    /// A new link that makes the first administrator, if there is no user yet. Earlier ones end.
    pub async fn first_link(&self) -> Result<Option<OneTimeLink>, Error> {
        if !self.needs_set_up().await? {
            return Ok(None);
        }
        let token = secret::fresh()?;
        let until = self.inner.now().plus_ns(LINK_NS);
        *self.inner.first() = Some(FirstLink {
            digest: secret::digest(&token),
            until,
        });
        let path = format!("/first-run?link={token}");
        Ok(Some(OneTimeLink { path, until }))
    }

    /// Makes the first administrator and signs them in.
    pub async fn set_up(
        &self,
        link: &str,
        name: &str,
        password: &str,
        browser: &Browser,
    ) -> Result<Began, Error> {
        let inner = &self.inner;
        inner.check_first(link)?;
        let name = validate::user_name(NAME, name).map_err(|wrong| Error::Invalid(vec![wrong]))?;
        password::check(PASSWORD, password, &name).map_err(|wrong| Error::Invalid(vec![wrong]))?;
        let turn = inner.sign_in.passwords.turn().await?;
        let digest = inner.sign_in.passwords.digest(&turn, password).await?;
        let began = inner
            .store
            .change(async |change| {
                if change.user_count().await? > 0 {
                    return Err(ended());
                }
                let id = change
                    .add_user(&name, Some(Role::Admin), inner.now())
                    .await?;
                let patch = UserPatch {
                    password: Some(Some(digest)),
                    signed_in: Some(inner.now()),
                    ..UserPatch::default()
                };
                change.patch_user(id, &patch).await?;
                let actor = Actor {
                    name: name.clone(),
                    ..nobody(&browser.origin)
                };
                let text = "the first administrator";
                change
                    .audit(&plain(inner, &actor, SET_UP, &name, text))
                    .await?;
                inner.begin_session(change, id, browser).await
            })
            .await?;
        *inner.first() = None;
        inner.sign_in.someone.store(true, Ordering::Relaxed);
        Ok(began)
    }
}

impl Inner {
    fn check_first(&self, link: &str) -> Result<(), Error> {
        let digest = secret::digest(link);
        match &*self.first() {
            Some(first) if first.digest == digest && self.now() < first.until => Ok(()),
            _ => Err(ended()),
        }
    }

    fn first(&self) -> MutexGuard<'_, Option<FirstLink>> {
        self.sign_in
            .first
            .lock()
            .expect("invariant: nothing panics while it holds the first link")
    }
}

fn ended() -> Error {
    Error::Conflict(
        "this link does not work: it was used, it is older than a day, or the console was started again; \
         start the console again while it has no user, and open the link that it prints"
            .to_owned(),
    )
}
