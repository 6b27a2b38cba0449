//! Sessions: where users are signed in. Only digests of their tokens are here.

use super::users::{User, user};
use crate::{
    Change, Store,
    convert::{scn, scn_column},
    entity::login,
    error::{During, Result},
};
use domain::{Scn, UserId};
use sea_orm::{ActiveValue::Set, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

/// Most sessions of one user; a further one ends the oldest.
pub const SESSIONS_MAX: usize = 20;
/// Longest name of a browser that is kept, in characters.
const AGENT_MAX: usize = 300;
/// Longest address that is kept, in characters; the width of its column.
const ADDRESS_MAX: usize = 64;

/// A session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Number; no secret.
    pub id: i64,
    /// Whose.
    pub user: UserId,
    /// Since when.
    pub created: Scn,
    /// When it was last used.
    pub seen: Scn,
    /// From where it was last used.
    pub address: String,
    /// What the browser calls itself.
    pub agent: String,
}

/// A session to begin.
#[derive(Clone, PartialEq, Eq)]
pub struct NewSession {
    /// Digest of its token.
    pub digest: String,
    /// Whose.
    pub user: UserId,
    /// Since when.
    pub created: Scn,
    /// From where.
    pub address: String,
    /// What the browser calls itself.
    pub agent: String,
}

impl Store {
    /// The session whose token has this digest, with its user.
    pub async fn session(&self, digest: &str) -> Result<Option<(Session, User)>> {
        let row = login::Entity::find()
            .filter(login::COLUMN.token.eq(digest))
            .one(&self.db)
            .await
            .during("reading a session")?;
        let Some(session) = row.map(of_row).transpose()? else {
            return Ok(None);
        };
        let user = user(&self.db, session.user).await?;
        Ok(user.map(|user| (session, user)))
    }

    /// The sessions of a user, the last used first.
    pub async fn sessions_of(&self, user: UserId) -> Result<Vec<Session>> {
        let rows = login::Entity::find()
            .filter(login::COLUMN.account_id.eq(user.0))
            .order_by_desc(login::COLUMN.seen)
            .limit(SESSIONS_MAX as u64)
            .all(&self.db)
            .await
            .during("listing sessions")?;
        rows.into_iter().map(of_row).collect()
    }

    /// Notes that a session was used. No page shows it by itself, so it is no change with a revision.
    pub async fn session_seen(&self, id: i64, at: Scn, address: &str) -> Result<()> {
        login::Entity::update_many()
            .set(login::ActiveModel {
                seen: Set(scn_column(at)),
                address: Set(cut(address, ADDRESS_MAX)),
                ..Default::default()
            })
            .filter(login::COLUMN.id.eq(id))
            .exec(&self.writer)
            .await
            .during("noting the use of a session")?;
        Ok(())
    }

    /// Removes sessions that began before `created` or were last used before `seen`; how many.
    pub async fn end_old_sessions(&self, created: Scn, seen: Scn) -> Result<u64> {
        let done = login::Entity::delete_many()
            .filter(
                Condition::any()
                    .add(login::COLUMN.created.lt(scn_column(created)))
                    .add(login::COLUMN.seen.lt(scn_column(seen))),
            )
            .exec(&self.writer)
            .await
            .during("removing old sessions")?;
        Ok(done.rows_affected)
    }
}

impl Change {
    /// Begins a session; where there are too many of the user's, the ones that were used last stay.
    pub async fn add_session(&self, new: &NewSession) -> Result<i64> {
        self.touch();
        let old = login::Entity::find()
            .filter(login::COLUMN.account_id.eq(new.user.0))
            .order_by_desc(login::COLUMN.seen)
            .order_by_desc(login::COLUMN.id)
            .all(&self.tx)
            .await
            .during("counting sessions")?;
        for row in old.iter().skip(SESSIONS_MAX - 1) {
            self.end_session(new.user, row.id).await?;
        }
        let row = login::ActiveModel {
            token: Set(new.digest.clone()),
            account_id: Set(new.user.0),
            created: Set(scn_column(new.created)),
            seen: Set(scn_column(new.created)),
            address: Set(cut(&new.address, ADDRESS_MAX)),
            agent: Set(cut(&new.agent, AGENT_MAX)),
            ..Default::default()
        };
        let done = login::Entity::insert(row)
            .exec(&self.tx)
            .await
            .during("beginning a session")?;
        Ok(done.last_insert_id)
    }

    /// Ends a session of a user; whether there was one.
    pub async fn end_session(&self, user: UserId, id: i64) -> Result<bool> {
        self.touch();
        let done = login::Entity::delete_many()
            .filter(login::COLUMN.id.eq(id))
            .filter(login::COLUMN.account_id.eq(user.0))
            .exec(&self.tx)
            .await
            .during("ending a session")?;
        Ok(done.rows_affected > 0)
    }

    /// Ends the session whose token has this digest, if there is one.
    pub async fn end_session_of_token(&self, digest: &str) -> Result<()> {
        self.touch();
        login::Entity::delete_many()
            .filter(login::COLUMN.token.eq(digest))
            .exec(&self.tx)
            .await
            .during("ending a session")?;
        Ok(())
    }

    /// Ends the sessions of a user, but for one if one is named; how many.
    pub async fn end_sessions(&self, user: UserId, but: Option<i64>) -> Result<u64> {
        self.touch();
        let done = login::Entity::delete_many()
            .filter(
                Condition::all()
                    .add(login::COLUMN.account_id.eq(user.0))
                    .add_option(but.map(|id| login::COLUMN.id.ne(id))),
            )
            .exec(&self.tx)
            .await
            .during("ending sessions")?;
        Ok(done.rows_affected)
    }
}

fn cut(text: &str, characters: usize) -> String {
    text.chars().take(characters).collect()
}

fn of_row(row: login::Model) -> Result<Session> {
    Ok(Session {
        id: row.id,
        user: UserId(row.account_id),
        created: scn("login.created", row.created)?,
        seen: scn("login.seen", row.seen)?,
        address: row.address,
        agent: row.agent,
    })
}
