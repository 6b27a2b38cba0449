//! Role handles: whoever has one may call what it offers, and nothing else exists to be called.

use crate::{
    console::{Console, Inner},
    error::Error,
    handle::ClusterHandle,
};
use domain::{ClusterId, access::Actor};
use std::sync::Arc;
use store::{Audit, Change};

/// May look.
#[derive(Clone)]
pub struct Viewer {
    pub(crate) console: Console,
}

/// May also back up, recover, and start and stop log backup.
#[derive(Clone)]
pub struct Operator {
    pub(crate) console: Console,
    pub(crate) actor: Actor,
}

/// May also add clusters.
#[derive(Clone)]
pub struct Admin {
    pub(crate) console: Console,
    pub(crate) actor: Actor,
}

impl Viewer {
    pub(crate) fn new(console: Console) -> Self {
        Viewer { console }
    }
}

impl Admin {
    pub(crate) fn new(console: Console, actor: Actor) -> Self {
        Admin { console, actor }
    }

    /// The same actor as an operator.
    pub fn operator(&self) -> Operator {
        Operator::new(self.console.clone(), self.actor.clone())
    }
}

impl Operator {
    pub(crate) fn new(console: Console, actor: Actor) -> Self {
        Operator { console, actor }
    }

    /// The same actor as a viewer.
    pub fn viewer(&self) -> Viewer {
        Viewer::new(self.console.clone())
    }

    pub(crate) fn inner(&self) -> &Arc<Inner> {
        &self.console.inner
    }

    pub(crate) fn handle(&self, cluster: &str) -> Result<Arc<ClusterHandle>, Error> {
        self.inner().handle(cluster)
    }

    /// Records the order before it is carried out outside the control database, and its failure after.
    pub(crate) async fn audited<T>(
        &self,
        entry: Entry<'_>,
        order: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let inner = self.inner();
        record(inner, &self.actor, &entry).await?;
        let done = order.await;
        if let Err(error) = &done {
            let failed = format!("failed: {error}");
            let entry = Entry {
                detail: &failed,
                ..entry
            };
            record(inner, &self.actor, &entry).await?;
        }
        done
    }
}

/// What is recorded about an order.
#[derive(Clone, Copy)]
pub(crate) struct Entry<'a> {
    /// A noun: `data backup`.
    pub(crate) operation: &'static str,
    /// In which cluster.
    pub(crate) cluster: ClusterId,
    /// To what.
    pub(crate) subject: &'a str,
    /// More about it; never secrets or the text of SQL.
    pub(crate) detail: &'a str,
}

impl Entry<'_> {
    /// Writes it with the other changes of `change`.
    pub(crate) async fn write(
        &self,
        change: &Change,
        inner: &Inner,
        actor: &Actor,
    ) -> Result<(), Error> {
        let entry = Audit {
            at: inner.now(),
            actor: actor.name.clone(),
            operation: self.operation.to_owned(),
            cluster: Some(self.cluster),
            subject: self.subject.to_owned(),
            detail: self.detail.to_owned(),
        };
        change.audit(&entry).await?;
        Ok(())
    }
}

async fn record(inner: &Inner, actor: &Actor, entry: &Entry<'_>) -> Result<(), Error> {
    inner
        .store
        .change(async |change| entry.write(change, inner, actor).await)
        .await
}
