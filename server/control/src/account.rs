//! What a user may do with their own account, whatever their role.

use crate::{
    audit::plain,
    console::{Console, Inner},
    error::Error,
    sign_in::{CHANGE_PASSWORD, Checked},
};
use domain::{
    UserId,
    access::Actor,
    password,
    user::{Me, SessionRow},
};
use std::sync::Arc;
use store::UserPatch;

/// Label of the field with the password until now.
const PRESENT: &str = "Present password";
/// Label of the field with the new one.
const NEW: &str = "New password";

/// The own account of a user who is signed in.
#[derive(Clone)]
pub struct Account {
    console: Console,
    actor: Actor,
    user: UserId,
}

impl Console {
    /// The account of a user who is signed in; parts of the console itself have none.
    pub fn account(&self, actor: &Actor) -> Result<Account, Error> {
        let user = actor.user.ok_or_else(|| {
            let text = format!("{} is no user and has no account", actor.name);
            Error::Conflict(text)
        })?;
        Ok(Account {
            console: self.clone(),
            actor: actor.clone(),
            user,
        })
    }
}

impl Account {
    /// Name and roles.
    pub fn me(&self) -> Me {
        Me {
            name: self.actor.name.clone(),
            everywhere: self.actor.grants.everywhere,
            highest: self.actor.grants.highest(),
        }
    }

    /// Where one is signed in, the last used first.
    pub async fn sessions(&self) -> Result<Vec<SessionRow>, Error> {
        let sessions = self.inner().store.sessions_of(self.user).await?;
        let row = |one: store::Session| SessionRow {
            current: self.actor.session == Some(one.id),
            id: one.id,
            created: one.created,
            seen: one.seen,
            address: one.address,
            agent: one.agent,
        };
        Ok(sessions.into_iter().map(row).collect())
    }

    /// Ends one of the sessions.
    pub async fn end_session(&self, id: i64) -> Result<(), Error> {
        let inner = self.inner();
        inner
            .store
            .change(async |change| {
                if !change.end_session(self.user, id).await? {
                    return Err(Error::NotFound {
                        what: "session",
                        id: id.to_string(),
                    });
                }
                let entry = plain(inner, &self.actor, "end session", &id.to_string(), "");
                change.audit(&entry).await?;
                Ok(())
            })
            .await?;
        inner.forget_sessions();
        Ok(())
    }

    /// Ends all sessions, this one too; how many.
    pub async fn sign_out_everywhere(&self) -> Result<u64, Error> {
        let inner = self.inner();
        let ended = inner
            .store
            .change(async |change| {
                let ended = change.end_sessions(self.user, None).await?;
                let text = format!("{ended} sessions");
                let entry = plain(
                    inner,
                    &self.actor,
                    "sign out everywhere",
                    &self.actor.name,
                    &text,
                );
                change.audit(&entry).await?;
                Ok::<_, Error>(ended)
            })
            .await?;
        inner.forget_sessions();
        Ok(ended)
    }

    /// Changes the password, and ends all other sessions.
    pub async fn change_password(&self, present: &str, new: &str) -> Result<(), Error> {
        let inner = self.inner();
        match inner.check_present(&self.actor, self.user, present).await? {
            Checked::Right => {}
            Checked::Wait(seconds) => {
                let text =
                    format!("wait {seconds} s before the next try, after too many wrong ones");
                return Err(Error::invalid(PRESENT, "not shown", text));
            }
            Checked::Wrong => return Err(Error::invalid(PRESENT, "not shown", "this is not it")),
        }
        password::check(NEW, new, &self.actor.name).map_err(|wrong| Error::Invalid(vec![wrong]))?;
        if present == new {
            return Err(Error::invalid(
                NEW,
                "not shown",
                "use another one than until now",
            ));
        }
        let digest = inner.password_digest(new).await?;
        inner
            .store
            .change(async |change| {
                let patch = UserPatch {
                    password: Some(Some(digest)),
                    link: Some(None),
                    failures: Some((0, None)),
                    ..UserPatch::default()
                };
                change.patch_user(self.user, &patch).await?;
                change.end_sessions(self.user, self.actor.session).await?;
                let entry = plain(inner, &self.actor, CHANGE_PASSWORD, &self.actor.name, "");
                change.audit(&entry).await?;
                Ok::<_, Error>(())
            })
            .await?;
        inner.forget_sessions();
        Ok(())
    }

    fn inner(&self) -> &Arc<Inner> {
        &self.console.inner
    }
}
