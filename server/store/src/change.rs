//! Changes: a transaction in which every changed row gets its own revision.
//!
//! A change first raises the revision counter, which locks it until the end; so changes follow
//! one another, and a reader that sees revision N sees every row up to N.

use crate::{
    Store,
    entity::revision,
    error::{During, Result, StoreError},
};
use domain::Revision;
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, EntityTrait, ExprTrait, QueryFilter,
    SqliteTransactionMode, TransactionOptions, TransactionTrait, sea_query::Expr,
};
use std::sync::atomic::{AtomicI64, Ordering};

/// The counter's only row.
const COUNTER: i64 = 1;

/// An open change. It is made by [`Store::change`] and ends with it.
#[derive(Debug)]
pub struct Change {
    pub(crate) tx: DatabaseTransaction,
    first: i64,
    next: AtomicI64,
}

impl Change {
    /// The revision for one more changed row.
    pub(crate) fn take_rev(&self) -> i64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    /// Notes a change of rows that carry no revision; without it the change would count as empty.
    pub(crate) fn touch(&self) {
        self.next.fetch_max(self.first + 1, Ordering::Relaxed);
    }
}

impl Store {
    /// Runs `work` in one transaction: all of it happens, or nothing. `work` must use the change it is
    /// given and never the store: the store may have only one connection, and the change holds it.
    pub async fn change<T, E>(
        &self,
        work: impl AsyncFnOnce(&Change) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E>
    where
        E: From<StoreError>,
    {
        let change = self.begin().await?;
        let done = work(&change).await;
        let taken = change.next.load(Ordering::Relaxed) - change.first;
        if done.is_err() || taken == 0 {
            let undone = change.tx.rollback().await.during("undoing a change");
            // When both failed the first reason says more: on a full disk SQLite undoes by itself.
            return done.and_then(|value| undone.map(|()| value).map_err(E::from));
        }
        if taken > 1 {
            let last = Expr::value(change.first + taken - 1);
            set_counter(&change.tx, last).await?;
        }
        change.tx.commit().await.during("saving a change")?;
        done
    }

    async fn begin(&self) -> Result<Change> {
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        let tx = self
            .writer
            .begin_with_options(options)
            .await
            .during("beginning a change")?;
        set_counter(&tx, Expr::col(revision::Column::Value).add(1)).await?;
        let first = counter(&tx).await?;
        Ok(Change {
            tx,
            first,
            next: AtomicI64::new(first),
        })
    }

    /// The revision of the newest change.
    pub async fn revision(&self) -> Result<Revision> {
        counter(&self.db).await.map(Revision)
    }
}

pub(crate) async fn counter(db: &impl ConnectionTrait) -> Result<i64> {
    let row = revision::Entity::find_by_id(COUNTER)
        .one(db)
        .await
        .during("reading the revision")?;
    row.map(|row| row.value)
        .ok_or_else(|| StoreError::Impossible {
            what: "no revision counter".to_owned(),
        })
}

async fn set_counter(db: &impl ConnectionTrait, value: Expr) -> Result<()> {
    revision::Entity::update_many()
        .col_expr(revision::Column::Value, value)
        .filter(revision::COLUMN.id.eq(COUNTER))
        .exec(db)
        .await
        .during("raising the revision")?;
    Ok(())
}
