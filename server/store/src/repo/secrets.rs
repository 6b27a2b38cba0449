//! Sealed secrets. What they hold is unknown here: sealing and opening happen elsewhere.

use crate::{
    Change, Store,
    convert::scn_column,
    entity::secret,
    error::{During, Result},
};
use domain::Scn;
use sea_orm::{
    ActiveValue::Set, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};

/// Most secrets of a console; more cannot be sealed.
pub const SECRETS_MAX: u64 = 10_000;

/// Where a sealed secret lies. It tells nothing by itself and may be stored beside what the secret is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretRef(pub i64);

/// A sealed secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedSecret {
    /// Where it lies.
    pub id: SecretRef,
    /// What it is for: `notification channel`.
    pub purpose: String,
    /// Whose it is, in the words of its purpose.
    pub owner: String,
    /// Which key it was sealed with.
    pub key_id: String,
    /// The sealed bytes, in hexadecimal.
    pub sealed: String,
}

/// A secret sealed anew with another key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reseal {
    /// Which.
    pub id: SecretRef,
    /// The key now.
    pub key_id: String,
    /// The bytes now, in hexadecimal.
    pub sealed: String,
}

impl Store {
    /// A sealed secret.
    pub async fn secret(&self, id: SecretRef) -> Result<Option<SealedSecret>> {
        let row = secret::Entity::find_by_id(id.0)
            .one(&self.db)
            .await
            .during("reading a sealed secret")?;
        Ok(row.map(sealed))
    }

    /// Every sealed secret, oldest first.
    pub async fn secrets(&self) -> Result<Vec<SealedSecret>> {
        all(&self.db).await
    }
}

impl Change {
    /// Every sealed secret, oldest first.
    pub async fn secrets(&self) -> Result<Vec<SealedSecret>> {
        all(&self.tx).await
    }

    /// Keeps a sealed secret.
    pub async fn add_secret(
        &self,
        (purpose, owner): (&str, &str),
        (key_id, sealed): (&str, &str),
        at: Scn,
    ) -> Result<SecretRef> {
        self.touch();
        let row = secret::ActiveModel {
            purpose: Set(purpose.to_owned()),
            owner: Set(owner.to_owned()),
            key_id: Set(key_id.to_owned()),
            sealed: Set(sealed.to_owned()),
            created: Set(scn_column(at)),
            ..Default::default()
        };
        let done = secret::Entity::insert(row)
            .exec(&self.tx)
            .await
            .during("keeping a sealed secret")?;
        Ok(SecretRef(done.last_insert_id))
    }

    /// Replaces the sealed bytes of a secret.
    pub async fn reseal(&self, new: &Reseal) -> Result<()> {
        self.touch();
        secret::Entity::update_many()
            .set(secret::ActiveModel {
                key_id: Set(new.key_id.clone()),
                sealed: Set(new.sealed.clone()),
                ..Default::default()
            })
            .filter(secret::COLUMN.id.eq(new.id.0))
            .exec(&self.tx)
            .await
            .during("sealing a secret anew")?;
        Ok(())
    }

    /// Removes a secret that nothing needs any more.
    pub async fn remove_secret(&self, id: SecretRef) -> Result<()> {
        self.touch();
        secret::Entity::delete_by_id(id.0)
            .exec(&self.tx)
            .await
            .during("removing a secret")?;
        Ok(())
    }
}

async fn all(db: &impl ConnectionTrait) -> Result<Vec<SealedSecret>> {
    let rows = secret::Entity::find()
        .order_by_asc(secret::COLUMN.id)
        .limit(SECRETS_MAX + 1)
        .all(db)
        .await
        .during("reading sealed secrets")?;
    Ok(rows.into_iter().map(sealed).collect())
}

fn sealed(row: secret::Model) -> SealedSecret {
    SealedSecret {
        id: SecretRef(row.id),
        purpose: row.purpose,
        owner: row.owner,
        key_id: row.key_id,
        sealed: row.sealed,
    }
}
