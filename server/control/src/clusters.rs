//! Clusters: adding one.

use crate::{
    access::GlobalAdmin, audit::Entry, error::Error, handle::ClusterHandle, servers, strategies,
    tasks::keep,
};
use domain::{
    ClusterId,
    cluster::NewCluster,
    validate::{self, Violation},
};
use engine::{Engine, EngineSettings, ServerAccess};
use std::{path::Path, sync::Arc};
use store::AddCluster;

/// What the audit calls it.
pub(crate) const CREATE_CLUSTER: &str = "create cluster";

impl GlobalAdmin {
    /// Adds a cluster and opens it: an embedded one with its first tenant if one is named, or a server elsewhere, which
    /// has to answer.
    pub async fn create_cluster(&self, new: &NewCluster) -> Result<ClusterId, Error> {
        let inner = &self.console.inner;
        check(new)?;
        let _adding = inner.adding.lock().await;
        let (home_dir, destination_dir) = self.directories(new).await?;
        let settings = EngineSettings {
            kind: new.engine,
            name: new.name.clone(),
            server: server(new)?,
            home: inner.home.join(&home_dir),
            destination: inner.home.join(&destination_dir),
            adopt: None,
        };
        let engine = keep::open(&*inner.opener, &settings).await?;
        let added = self.add(&settings, (home_dir, destination_dir), &*engine);
        let id = match added.await {
            Ok(id) => id,
            Err(error) => {
                engine.shut_down().await;
                return Err(error);
            }
        };
        let settings = EngineSettings {
            server: None,
            ..settings
        };
        let handle = Arc::new(ClusterHandle::new(id, settings, Some(engine)));
        inner.adopt(&handle);
        inner.first_try(&handle).await;
        if let Some(tenant) = &new.first_tenant {
            let operator = self.admin().operator();
            let made = operator.create_tenant(&new.name, tenant).await;
            made.map_err(|error| {
                Error::Conflict(format!(
                    "cluster {} was made, but not its first tenant: {error}; create the tenant \
                     by itself",
                    new.name
                ))
            })?;
        }
        Ok(id)
    }

    /// Writes an open cluster down.
    async fn add(
        &self,
        settings: &EngineSettings,
        (home_dir, destination_dir): (String, String),
        engine: &dyn Engine,
    ) -> Result<ClusterId, Error> {
        let inner = &self.console.inner;
        let identity = engine.identity();
        keep::known_as(inner, None, &settings.name, identity.as_deref()).await?;
        let add = AddCluster {
            name: settings.name.clone(),
            engine: settings.kind,
            opened: keep::opened(engine),
            home_dir,
            destination_dir,
            endpoint: settings.server.as_ref().map(|it| it.endpoint.clone()),
            created: inner.now(),
        };
        inner
            .store
            .change(async |change| {
                let id = change.add_cluster(&add).await?;
                match &settings.server {
                    Some(server) => {
                        servers::seal(inner, change, (id, None), &server.password).await?;
                    }
                    None => {
                        let place = (add.name.as_str(), add.destination_dir.as_str());
                        strategies::own_storage(change, inner, place, add.created).await?;
                    }
                }
                if let Some(identity) = &identity {
                    change.cluster_identity(id, identity).await?;
                }
                let entry = Entry {
                    operation: CREATE_CLUSTER,
                    cluster: id,
                    subject: &add.name,
                    detail: &add.opened.destination,
                };
                entry.write(change, inner, &self.actor).await?;
                Ok::<_, Error>(id)
            })
            .await
    }

    /// Its own directory and the one of its backups, if no known cluster collides with them.
    async fn directories(&self, new: &NewCluster) -> Result<(String, String), Error> {
        let inner = &self.console.inner;
        let remote = new.engine.is_remote();
        let home_dir = match remote {
            true => String::new(),
            false => format!("clusters/{}", new.name),
        };
        let destination_dir = match &new.destination {
            _ if remote => String::new(),
            Some(directory) => directory.clone(),
            None => format!("backup/{}", new.name),
        };
        for known in inner.store.clusters().await? {
            // Directories of clusters must differ on every file system, also where case does not count.
            if known.cluster.name.eq_ignore_ascii_case(&new.name) {
                return Err(Error::Conflict(format!(
                    "cluster {} exists already; choose another name",
                    known.cluster.name
                )));
            }
            let is_same =
                inner.home.join(&known.destination_dir) == inner.home.join(&destination_dir);
            if is_same && !remote && !known.cluster.engine.is_remote() {
                return Err(Error::Conflict(format!(
                    "cluster {} keeps its backups in {destination_dir}; choose another directory",
                    known.cluster.name
                )));
            }
        }
        Ok((home_dir, destination_dir))
    }
}

/// How a server elsewhere is reached.
fn server(new: &NewCluster) -> Result<Option<ServerAccess>, Error> {
    let Some(access) = new.access.as_ref().filter(|_| new.engine.is_remote()) else {
        return Ok(None);
    };
    Ok(Some(ServerAccess {
        endpoint: servers::checked(access)?,
        password: access.password.clone().unwrap_or_default(),
    }))
}

fn check(new: &NewCluster) -> Result<(), Error> {
    let mut found: Vec<Violation> = Vec::new();
    found.extend(validate::name("Cluster name", &new.name).err());
    if new.engine.is_remote() {
        found.extend(wrong_of_server(new));
    }
    if let Some(directory) = &new.destination
        && !Path::new(directory).is_absolute()
    {
        let allowed = "give the directory with its whole path, beginning with /";
        found.push(Violation::new("Backup destination", directory, allowed));
    }
    if let Some(tenant) = &new.first_tenant {
        found.extend(validate::name("Tenant name", tenant).err());
    }
    match found.is_empty() {
        true => Ok(()),
        false => Err(Error::Invalid(found)),
    }
}

/// What is wrong with a server to add.
fn wrong_of_server(new: &NewCluster) -> Vec<Violation> {
    let access = new.access.clone().unwrap_or_default();
    let mut found = access.checked().err().unwrap_or_default();
    let allowed = "leave it out: tenants and destinations of a server are its own";
    let own = [
        ("Backup destination", &new.destination),
        ("Tenant name", &new.first_tenant),
    ];
    for (field, given) in own {
        found.extend(
            given
                .as_ref()
                .map(|given| Violation::new(field, given, allowed)),
        );
    }
    found
}
