//! Role handles: whoever has one may call what it offers, and nothing else exists to be called.
//!
//! A handle is made for somebody who has its role somewhere. Whatever it does in a cluster begins with
//! `handle(cluster)`, which is the only way from a name to a cluster and looks whether the role holds there.
//! Names of clusters that somebody may not see are as unknown to them as those that are not there.

use crate::{
    audit::{Asked, Ending, Entry},
    console::{Console, Inner},
    error::Error,
    handle::ClusterHandle,
};
use domain::access::{Actor, Role};
use std::sync::Arc;

/// May look at the clusters it sees.
#[derive(Clone)]
pub struct Viewer {
    pub(crate) console: Console,
    pub(crate) actor: Actor,
}

/// May also back up, recover, and start and stop log backup.
#[derive(Clone)]
pub struct Operator {
    pub(crate) console: Console,
    pub(crate) actor: Actor,
}

/// May also change how a cluster is backed up, and read its audit.
#[derive(Clone)]
pub struct Admin {
    pub(crate) console: Console,
    pub(crate) actor: Actor,
}

/// An administrator everywhere: may also add clusters, and manage users and whatever else belongs to
/// no single cluster.
#[derive(Clone)]
pub struct GlobalAdmin {
    pub(crate) console: Console,
    pub(crate) actor: Actor,
}

impl Console {
    /// What everybody may do who may look at any cluster.
    pub fn viewer(&self, actor: &Actor) -> Result<Viewer, Error> {
        self.require(actor, Role::Viewer)?;
        Ok(Viewer::new(self.clone(), actor.clone()))
    }

    /// What an operator may do, in the clusters where it is one.
    pub fn operator(&self, actor: &Actor) -> Result<Operator, Error> {
        self.require(actor, Role::Operator)?;
        Ok(Operator::new(self.clone(), actor.clone()))
    }

    /// What an administrator may do, in the clusters where it is one.
    pub fn admin(&self, actor: &Actor) -> Result<Admin, Error> {
        self.require(actor, Role::Admin)?;
        Ok(Admin::new(self.clone(), actor.clone()))
    }

    /// What only an administrator of the whole console may do.
    pub fn global_admin(&self, actor: &Actor) -> Result<GlobalAdmin, Error> {
        if actor.grants.everywhere != Some(Role::Admin) {
            self.inner.refusals.note(actor, None, Role::Admin);
            return Err(forbidden(actor, Role::Admin));
        }
        Ok(GlobalAdmin {
            console: self.clone(),
            actor: actor.clone(),
        })
    }

    fn require(&self, actor: &Actor, needed: Role) -> Result<(), Error> {
        if actor.grants.highest() >= Some(needed) {
            return Ok(());
        }
        // Whoever may see nothing yet asks for lists all the same; that is no attempt at anything.
        if needed > Role::Viewer {
            self.inner.refusals.note(actor, None, needed);
        }
        Err(forbidden(actor, needed))
    }
}

fn forbidden(actor: &Actor, needed: Role) -> Error {
    Error::Forbidden {
        actor: actor.name.clone(),
        needed,
    }
}

/// The cluster of this name, if the actor has the role there.
fn reach(
    inner: &Inner,
    actor: &Actor,
    cluster: &str,
    needed: Role,
) -> Result<Arc<ClusterHandle>, Error> {
    let Some(handle) = inner.any_cluster(cluster) else {
        return Err(unknown(inner, actor, cluster));
    };
    match actor.grants.in_cluster(handle.id) {
        Some(role) if role >= needed => Ok(handle),
        role => {
            inner.refusals.note(actor, Some(handle.id), needed);
            match role {
                Some(_) => Err(forbidden(actor, needed)),
                None => Err(unknown(inner, actor, cluster)),
            }
        }
    }
}

/// There is no such cluster as far as the actor may know; the error names those that it sees.
fn unknown(inner: &Inner, actor: &Actor, name: &str) -> Error {
    let seen = |handle: &Arc<ClusterHandle>| actor.grants.in_cluster(handle.id).is_some();
    let handles = inner.handles().into_iter();
    Error::NoCluster {
        name: name.to_owned(),
        known: handles
            .filter(seen)
            .map(|handle| handle.name.clone())
            .collect(),
    }
}

impl Viewer {
    pub(crate) fn new(console: Console, actor: Actor) -> Self {
        Viewer { console, actor }
    }

    /// The cluster of this name, if the actor may look at it. Every method that names one begins here.
    pub(crate) fn handle(&self, cluster: &str) -> Result<Arc<ClusterHandle>, Error> {
        reach(&self.console.inner, &self.actor, cluster, Role::Viewer)
    }

    /// Whether the actor may look at every cluster, and so at what belongs to none.
    pub(crate) fn sees_all(&self) -> Result<(), Error> {
        match self.actor.grants.everywhere {
            Some(_) => Ok(()),
            None => Err(forbidden(&self.actor, Role::Viewer)),
        }
    }
}

impl Operator {
    pub(crate) fn new(console: Console, actor: Actor) -> Self {
        Operator { console, actor }
    }

    /// The same actor as a viewer.
    pub fn viewer(&self) -> Viewer {
        Viewer::new(self.console.clone(), self.actor.clone())
    }

    pub(crate) fn inner(&self) -> &Arc<Inner> {
        &self.console.inner
    }

    /// The cluster of this name, if the actor is an operator there. Every method that names one begins here.
    pub(crate) fn handle(&self, cluster: &str) -> Result<Arc<ClusterHandle>, Error> {
        reach(self.inner(), &self.actor, cluster, Role::Operator)
    }

    /// Records the order before it is carried out outside the control database, and its end after.
    pub(crate) async fn audited<T>(
        &self,
        entry: Entry<'_>,
        order: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        Asked::begin(self.inner(), &self.actor, &entry)
            .await?
            .end(order, Ending::Told)
            .await
    }

    /// The same for an order whose failure must not be kept in its own words: they may quote what was given.
    pub(crate) async fn audited_without_words<T>(
        &self,
        entry: Entry<'_>,
        order: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        Asked::begin(self.inner(), &self.actor, &entry)
            .await?
            .end(order, Ending::Untold)
            .await
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

    /// The cluster of this name, if the actor is an administrator there. Every method that names one
    /// begins here.
    pub(crate) fn handle(&self, cluster: &str) -> Result<Arc<ClusterHandle>, Error> {
        reach(&self.console.inner, &self.actor, cluster, Role::Admin)
    }
}

impl GlobalAdmin {
    /// The same actor as an administrator of every cluster.
    pub fn admin(&self) -> Admin {
        Admin::new(self.console.clone(), self.actor.clone())
    }
}
