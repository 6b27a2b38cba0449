//! Users and their roles.

use crate::{
    Change, Store,
    convert::{impossible, scn, scn_column, scn_opt, word, word_opt},
    entity::{account, account_grant, login},
    error::{During, Result},
};
use domain::{
    ClusterId, Scn, UserId,
    access::{Grants, Role},
    user::USERS_MAX,
};
use sea_orm::{
    ActiveValue::Set, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect,
};
use std::collections::BTreeMap;

/// Word of a user who may sign in.
const ACTIVE: &str = "active";
/// Word of a user who may not.
const DISABLED: &str = "disabled";
/// Most roles of one user in single clusters.
const GRANTS_MAX: u64 = 10_000;

/// A user. Not to be shown as it is: it holds what a password is checked against.
#[derive(Clone, PartialEq, Eq)]
pub struct User {
    /// Number.
    pub id: UserId,
    /// Name as it was written.
    pub name: String,
    /// What a password is checked against; nothing until one was chosen.
    pub password: Option<String>,
    /// What the user may do.
    pub grants: Grants,
    /// May not sign in.
    pub disabled: bool,
    /// Failures to sign in since the last success.
    pub failures: u32,
    /// Until when sign-in is locked.
    pub locked_until: Option<Scn>,
    /// Digest of the one-time link, and when it ends.
    pub link: Option<(String, Scn)>,
    /// When it was added.
    pub created: Scn,
    /// When it last signed in.
    pub signed_in: Option<Scn>,
}

impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("User")
            .field("id", &self.id)
            .field("name", &self.name)
            .field("grants", &self.grants)
            .field("disabled", &self.disabled)
            .finish_non_exhaustive()
    }
}

/// What changes in a user; what is `None` stays.
#[derive(Clone, Default)]
pub struct UserPatch {
    /// What a password is checked against.
    pub password: Option<Option<String>>,
    /// The role in every cluster.
    pub everywhere: Option<Option<Role>>,
    /// May not sign in.
    pub disabled: Option<bool>,
    /// Failures since the last success, and until when sign-in is locked.
    pub failures: Option<(u32, Option<Scn>)>,
    /// Digest of the one-time link, and when it ends.
    pub link: Option<Option<(String, Scn)>>,
    /// When it last signed in.
    pub signed_in: Option<Scn>,
}

/// The form of a name in which no two users may agree.
fn name_key(name: &str) -> String {
    name.to_ascii_lowercase()
}

impl Store {
    /// Every user, by name.
    pub async fn users(&self) -> Result<Vec<User>> {
        let rows = account::Entity::find()
            .order_by_asc(account::COLUMN.name_key)
            .limit(USERS_MAX as u64)
            .all(&self.db)
            .await
            .during("listing users")?;
        with_grants(&self.db, rows).await
    }

    /// The user of this number.
    pub async fn user(&self, id: UserId) -> Result<Option<User>> {
        user(&self.db, id).await
    }

    /// The user of this name, whatever the case of its letters.
    pub async fn user_named(&self, name: &str) -> Result<Option<User>> {
        named(&self.db, name).await
    }

    /// How many users there are.
    pub async fn user_count(&self) -> Result<u64> {
        user_count(&self.db).await
    }
}

impl Change {
    /// The user of this number.
    pub async fn user(&self, id: UserId) -> Result<Option<User>> {
        user(&self.tx, id).await
    }

    /// The user of this name, whatever the case of its letters.
    pub async fn user_named(&self, name: &str) -> Result<Option<User>> {
        named(&self.tx, name).await
    }

    /// The user whose one-time link has this digest.
    pub async fn user_by_link(&self, digest: &str) -> Result<Option<User>> {
        let rows = account::Entity::find()
            .filter(account::COLUMN.link.eq(digest))
            .limit(1)
            .all(&self.tx)
            .await
            .during("reading a user")?;
        Ok(with_grants(&self.tx, rows).await?.pop())
    }

    /// How many users there are.
    pub async fn user_count(&self) -> Result<u64> {
        user_count(&self.tx).await
    }

    /// How many others than this one may sign in and manage the console.
    pub async fn other_administrators(&self, than: UserId) -> Result<u64> {
        account::Entity::find()
            .filter(account::COLUMN.id.ne(than.0))
            .filter(account::COLUMN.state.eq(ACTIVE))
            .filter(account::COLUMN.everywhere.eq(Role::Admin.code()))
            .filter(account::COLUMN.password.is_not_null())
            .count(&self.tx)
            .await
            .during("counting administrators")
    }

    /// Adds a user who has no password yet.
    pub async fn add_user(
        &self,
        name: &str,
        everywhere: Option<Role>,
        created: Scn,
    ) -> Result<UserId> {
        self.touch();
        let row = account::ActiveModel {
            name: Set(name.to_owned()),
            name_key: Set(name_key(name)),
            password: Set(None),
            everywhere: Set(everywhere.map(|role| role.code().to_owned())),
            state: Set(ACTIVE.to_owned()),
            failures: Set(0),
            locked_until: Set(None),
            link: Set(None),
            link_until: Set(None),
            created: Set(scn_column(created)),
            signed_in: Set(None),
            ..Default::default()
        };
        let done = account::Entity::insert(row)
            .exec(&self.tx)
            .await
            .during("adding a user")?;
        Ok(UserId(done.last_insert_id))
    }

    /// Changes a user.
    pub async fn patch_user(&self, id: UserId, patch: &UserPatch) -> Result<()> {
        self.touch();
        let mut row = account::ActiveModel::default();
        if let Some(password) = &patch.password {
            row.password = Set(password.clone());
        }
        if let Some(everywhere) = patch.everywhere {
            row.everywhere = Set(everywhere.map(|role| role.code().to_owned()));
        }
        if let Some(disabled) = patch.disabled {
            row.state = Set(if disabled { DISABLED } else { ACTIVE }.to_owned());
        }
        if let Some((failures, until)) = patch.failures {
            row.failures = Set(i32::try_from(failures).unwrap_or(i32::MAX));
            row.locked_until = Set(until.map(scn_column));
        }
        if let Some(link) = &patch.link {
            row.link = Set(link.as_ref().map(|(digest, _)| digest.clone()));
            row.link_until = Set(link.as_ref().map(|(_, until)| scn_column(*until)));
        }
        if let Some(at) = patch.signed_in {
            row.signed_in = Set(Some(scn_column(at)));
        }
        account::Entity::update_many()
            .set(row)
            .filter(account::COLUMN.id.eq(id.0))
            .exec(&self.tx)
            .await
            .during("changing a user")?;
        Ok(())
    }

    /// Gives a user a role in a cluster, or takes it away.
    pub async fn grant(&self, user: UserId, cluster: ClusterId, role: Option<Role>) -> Result<()> {
        self.touch();
        account_grant::Entity::delete_many()
            .filter(account_grant::COLUMN.account_id.eq(user.0))
            .filter(account_grant::COLUMN.cluster_id.eq(cluster.0))
            .exec(&self.tx)
            .await
            .during("taking a role away")?;
        let Some(role) = role else { return Ok(()) };
        let row = account_grant::ActiveModel {
            account_id: Set(user.0),
            cluster_id: Set(cluster.0),
            role: Set(role.code().to_owned()),
        };
        account_grant::Entity::insert(row)
            .exec_without_returning(&self.tx)
            .await
            .during("giving a role")?;
        Ok(())
    }

    /// Removes a user, with roles and sessions.
    pub async fn delete_user(&self, id: UserId) -> Result<()> {
        self.touch();
        account_grant::Entity::delete_many()
            .filter(account_grant::COLUMN.account_id.eq(id.0))
            .exec(&self.tx)
            .await
            .during("removing a user's roles")?;
        login::Entity::delete_many()
            .filter(login::COLUMN.account_id.eq(id.0))
            .exec(&self.tx)
            .await
            .during("removing a user's sessions")?;
        account::Entity::delete_by_id(id.0)
            .exec(&self.tx)
            .await
            .during("removing a user")?;
        Ok(())
    }
}

async fn user_count(db: &impl ConnectionTrait) -> Result<u64> {
    account::Entity::find()
        .count(db)
        .await
        .during("counting users")
}

pub(crate) async fn user(db: &impl ConnectionTrait, id: UserId) -> Result<Option<User>> {
    let row = account::Entity::find_by_id(id.0)
        .one(db)
        .await
        .during("reading a user")?;
    Ok(with_grants(db, row.into_iter().collect()).await?.pop())
}

async fn named(db: &impl ConnectionTrait, name: &str) -> Result<Option<User>> {
    let row = account::Entity::find()
        .filter(account::COLUMN.name_key.eq(name_key(name)))
        .one(db)
        .await
        .during("reading a user")?;
    Ok(with_grants(db, row.into_iter().collect()).await?.pop())
}

/// The users of these rows, with their roles in single clusters.
async fn with_grants(db: &impl ConnectionTrait, rows: Vec<account::Model>) -> Result<Vec<User>> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let grants = account_grant::Entity::find()
        .filter(
            account_grant::COLUMN
                .account_id
                .is_in(rows.iter().map(|row| row.id)),
        )
        .limit(GRANTS_MAX)
        .all(db)
        .await
        .during("reading roles")?;
    let mut roles: BTreeMap<i64, BTreeMap<ClusterId, Role>> = BTreeMap::new();
    for grant in grants {
        let role = word("account_grant.role", &grant.role, Role::from_code)?;
        let of = roles.entry(grant.account_id).or_default();
        of.insert(ClusterId(grant.cluster_id), role);
    }
    rows.into_iter()
        .map(|row| {
            let clusters = roles.remove(&row.id).unwrap_or_default();
            of_row(row, clusters)
        })
        .collect()
}

fn of_row(row: account::Model, clusters: BTreeMap<ClusterId, Role>) -> Result<User> {
    let what = "account.everywhere";
    Ok(User {
        id: UserId(row.id),
        name: row.name,
        password: row.password,
        grants: Grants {
            everywhere: word_opt(what, row.everywhere.as_deref(), Role::from_code)?,
            clusters,
        },
        disabled: match row.state.as_str() {
            ACTIVE => false,
            DISABLED => true,
            other => return Err(impossible("account.state", other)),
        },
        failures: u32::try_from(row.failures)
            .map_err(|_| impossible("account.failures", row.failures))?,
        locked_until: scn_opt("account.locked_until", row.locked_until)?,
        link: match (row.link, row.link_until) {
            (Some(digest), Some(until)) => Some((digest, scn("account.link_until", until)?)),
            _ => None,
        },
        created: scn("account.created", row.created)?,
        signed_in: scn_opt("account.signed_in", row.signed_in)?,
    })
}
