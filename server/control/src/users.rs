//! Users: adding them, what they may do, and keeping them out.

use crate::{
    access::GlobalAdmin,
    audit::{json, plain},
    console::Inner,
    error::Error,
};
use domain::{
    ClusterId, UserId,
    access::{Grants, Role},
    user::{ClusterRole, NewUser, OneTimeLink, USERS_MAX, UserRow},
    validate,
};
use serde::Serialize;
use std::{collections::BTreeMap, sync::Arc};
use store::{Change, User, UserPatch};

/// Label of the name's field.
const NAME: &str = "Name";

/// What the audit keeps of what a user may do.
#[derive(Serialize)]
struct Kept {
    everywhere: Option<Role>,
    clusters: BTreeMap<String, Role>,
    disabled: bool,
}

impl GlobalAdmin {
    /// Every user, by name.
    pub async fn users(&self) -> Result<Vec<UserRow>, Error> {
        let inner = self.inner();
        let users = inner.store.users().await?;
        Ok(users.into_iter().map(|user| row(inner, user)).collect())
    }

    /// The number of the user with this name.
    pub async fn user_named(&self, name: &str) -> Result<UserId, Error> {
        let found = self.inner().store.user_named(name).await?;
        let found = found.ok_or_else(|| not_found(name.to_owned()))?;
        Ok(found.id)
    }

    /// Adds a user; the link is their way to a password.
    pub async fn add_user(&self, new: &NewUser) -> Result<OneTimeLink, Error> {
        let inner = self.inner();
        let name =
            validate::user_name(NAME, &new.name).map_err(|wrong| Error::Invalid(vec![wrong]))?;
        let grants = self.grants(new)?;
        let kept = kept(inner, &grants, false);
        inner
            .store
            .change(async |change| {
                if change.user_named(&name).await?.is_some() {
                    let text = "choose another name; a user has this one, perhaps in other letters";
                    return Err(Error::invalid(NAME, &name, text));
                }
                if change.user_count().await? >= USERS_MAX as u64 {
                    return Err(Error::Conflict(format!(
                        "this console has {USERS_MAX} users and cannot have more; delete some first"
                    )));
                }
                let id = change
                    .add_user(&name, grants.everywhere, inner.now())
                    .await?;
                for (cluster, role) in &grants.clusters {
                    change.grant(id, *cluster, Some(*role)).await?;
                }
                self.record(change, "add user", &name, None, Some(&kept))
                    .await?;
                inner.new_link(change, id, UserPatch::default()).await
            })
            .await
    }

    /// Takes a user's password and sessions away; the link is their way to a new password.
    pub async fn reset_user(&self, id: UserId) -> Result<OneTimeLink, Error> {
        if self.actor.user == Some(id) {
            return Err(Error::Conflict(
                "nobody resets their own password; change it on the page of your account"
                    .to_owned(),
            ));
        }
        let inner = self.inner();
        let link = inner
            .store
            .change(async |change| {
                let user = known(change, id).await?;
                change.end_sessions(id, None).await?;
                self.record(change, "reset user", &user.name, None, None)
                    .await?;
                let patch = UserPatch {
                    password: Some(None),
                    failures: Some((0, None)),
                    ..UserPatch::default()
                };
                inner.new_link(change, id, patch).await
            })
            .await?;
        inner.forget_sessions();
        Ok(link)
    }

    /// Keeps a user out, or lets them in again. Kept out, their sessions end.
    pub async fn set_disabled(&self, id: UserId, disabled: bool) -> Result<(), Error> {
        let operation = if disabled {
            "disable user"
        } else {
            "enable user"
        };
        self.change_user(id, operation, async |change, user| {
            if disabled {
                last_administrator_stays(change, user, "disabled").await?;
                change.end_sessions(id, None).await?;
            }
            let patch = UserPatch {
                disabled: Some(disabled),
                ..UserPatch::default()
            };
            change.patch_user(id, &patch).await?;
            Ok(())
        })
        .await
    }

    /// Gives a user a role in a cluster, or everywhere where none is named; or takes it away.
    pub async fn grant(
        &self,
        id: UserId,
        cluster: Option<&str>,
        role: Option<Role>,
    ) -> Result<(), Error> {
        let cluster = cluster.map(|name| self.cluster(name)).transpose()?;
        self.change_user(id, "change roles", async |change, user| {
            if let Some(cluster) = cluster {
                change.grant(id, cluster, role).await?;
                return Ok(());
            }
            if role != Some(Role::Admin) {
                last_administrator_stays(change, user, "given a lower role").await?;
            }
            let patch = UserPatch {
                everywhere: Some(role),
                ..UserPatch::default()
            };
            change.patch_user(id, &patch).await?;
            Ok(())
        })
        .await
    }

    /// Deletes a user with their sessions. What they did stays in the audit.
    pub async fn delete_user(&self, id: UserId) -> Result<(), Error> {
        let inner = self.inner();
        inner
            .store
            .change(async |change| {
                let user = known(change, id).await?;
                last_administrator_stays(change, &user, "deleted").await?;
                change.delete_user(id).await?;
                let before = kept(inner, &user.grants, user.disabled);
                self.record(change, "delete user", &user.name, Some(&before), None)
                    .await
            })
            .await?;
        inner.forget_sessions();
        Ok(())
    }

    /// Changes a user and records what it was before and after.
    async fn change_user(
        &self,
        id: UserId,
        operation: &str,
        work: impl AsyncFnOnce(&Change, &User) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let inner = self.inner();
        inner
            .store
            .change(async |change| {
                let user = known(change, id).await?;
                work(change, &user).await?;
                let now = known(change, id).await?;
                let before = kept(inner, &user.grants, user.disabled);
                let after = kept(inner, &now.grants, now.disabled);
                self.record(change, operation, &user.name, Some(&before), Some(&after))
                    .await
            })
            .await?;
        inner.forget_sessions();
        Ok(())
    }

    async fn record(
        &self,
        change: &Change,
        operation: &str,
        name: &str,
        before: Option<&Kept>,
        after: Option<&Kept>,
    ) -> Result<(), Error> {
        let entry = store::Audit {
            before: before.map(json),
            after: after.map(json),
            ..plain(self.inner(), &self.actor, operation, name, "")
        };
        change.audit(&entry).await?;
        Ok(())
    }

    fn grants(&self, new: &NewUser) -> Result<Grants, Error> {
        let mut clusters = BTreeMap::new();
        for ClusterRole { cluster, role } in &new.clusters {
            clusters.insert(self.cluster(cluster)?, *role);
        }
        Ok(Grants {
            everywhere: new.everywhere,
            clusters,
        })
    }

    fn cluster(&self, name: &str) -> Result<ClusterId, Error> {
        Ok(self.admin().handle(name)?.id)
    }

    fn inner(&self) -> &Arc<Inner> {
        &self.console.inner
    }
}

async fn known(change: &Change, id: UserId) -> Result<User, Error> {
    let found = change.user(id).await?;
    found.ok_or_else(|| not_found(id.to_string()))
}

fn not_found(id: String) -> Error {
    Error::NotFound { what: "user", id }
}

/// Without an administrator nobody could make another one.
async fn last_administrator_stays(change: &Change, user: &User, what: &str) -> Result<(), Error> {
    if user.grants.everywhere == Some(Role::Admin)
        && change.other_administrators(user.id).await? == 0
    {
        return Err(Error::Conflict(format!(
            "{} is the only administrator of this console who can sign in and cannot be {what}; make \
             another user administrator first, who has chosen a password",
            user.name
        )));
    }
    Ok(())
}

fn row(inner: &Inner, user: User) -> UserRow {
    let now = inner.now();
    UserRow {
        id: user.id,
        everywhere: user.grants.everywhere,
        clusters: by_name(inner, &user.grants)
            .into_iter()
            .map(|(cluster, role)| ClusterRole { cluster, role })
            .collect(),
        disabled: user.disabled,
        has_link: user.link.is_some_and(|(_, until)| now < until),
        has_password: user.password.is_some(),
        locked_until: user.locked_until.filter(|until| *until > now),
        created: user.created,
        signed_in: user.signed_in,
        name: user.name,
    }
}

fn kept(inner: &Inner, grants: &Grants, disabled: bool) -> Kept {
    Kept {
        everywhere: grants.everywhere,
        clusters: by_name(inner, grants),
        disabled,
    }
}

fn by_name(inner: &Inner, grants: &Grants) -> BTreeMap<String, Role> {
    let handles = inner.handles().into_iter();
    handles
        .filter_map(|handle| Some((handle.name.clone(), *grants.clusters.get(&handle.id)?)))
        .collect()
}
