//! One-time links of users: the way to a password that only the user knows.

use super::{Browser, actor_of, first::PASSWORD, secret, sessions::Began};
use crate::{
    audit::plain,
    console::{Console, Inner},
    error::Error,
};
use domain::{Scn, UserId, password, scn::NS_PER_DAY, user::OneTimeLink};
use store::{Change, User, UserPatch};

/// How long a link works.
const LINK_NS: u64 = NS_PER_DAY;
/// What the audit calls it.
const CHOOSE_PASSWORD: &str = "choose password";

impl Console {
    /// The name of the user whose link this is, if it works.
    pub async fn link_user(&self, link: &str) -> Result<String, Error> {
        let inner = &self.inner;
        let digest = secret::digest(link);
        let found = inner
            .store
            .change(async |change| inner.user_of_link(change, &digest).await)
            .await?;
        Ok(found.name)
    }

    /// Gives the user of a link the password that they chose, ends their sessions and signs them in.
    pub async fn choose_password(
        &self,
        link: &str,
        password: &str,
        browser: &Browser,
    ) -> Result<Began, Error> {
        let inner = &self.inner;
        let name = self.link_user(link).await?;
        password::check(PASSWORD, password, &name).map_err(|wrong| Error::Invalid(vec![wrong]))?;
        let turn = inner.sign_in.passwords.turn().await?;
        let new = inner.sign_in.passwords.digest(&turn, password).await?;
        let digest = secret::digest(link);
        let began = inner
            .store
            .change(async |change| {
                let user = inner.user_of_link(change, &digest).await?;
                let patch = UserPatch {
                    password: Some(Some(new)),
                    link: Some(None),
                    failures: Some((0, None)),
                    signed_in: Some(inner.now()),
                    ..UserPatch::default()
                };
                change.patch_user(user.id, &patch).await?;
                change.end_sessions(user.id, None).await?;
                let actor = actor_of(&user, &browser.origin);
                let entry = plain(
                    inner,
                    &actor,
                    CHOOSE_PASSWORD,
                    &user.name,
                    "by one-time link",
                );
                change.audit(&entry).await?;
                inner.begin_session(change, user.id, browser).await
            })
            .await?;
        inner.forget_sessions();
        Ok(began)
    }
}

impl Inner {
    async fn user_of_link(&self, change: &Change, digest: &str) -> Result<User, Error> {
        let user = change.user_by_link(digest).await?;
        let works = |user: &User| {
            let until = user.link.as_ref().map_or(Scn::ZERO, |(_, until)| *until);
            self.now() < until && !user.disabled
        };
        user.filter(works).ok_or_else(|| {
            Error::Conflict(
                "this link does not work: it was used, it is older than a day, or a newer one was made; \
                 ask an administrator of this console for a new one"
                    .to_owned(),
            )
        })
    }

    /// Gives a user a new link, which takes the place of an earlier one.
    pub(crate) async fn new_link(
        &self,
        change: &Change,
        user: UserId,
        patch: UserPatch,
    ) -> Result<OneTimeLink, Error> {
        let token = secret::fresh()?;
        let until = self.now().plus_ns(LINK_NS);
        let patch = UserPatch {
            link: Some(Some((secret::digest(&token), until))),
            ..patch
        };
        change.patch_user(user, &patch).await?;
        let path = format!("/set-password?link={token}");
        Ok(OneTimeLink { path, until })
    }
}
