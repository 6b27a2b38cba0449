//! Clusters: adding one.

use crate::{
    access::GlobalAdmin, audit::Entry, error::Error, handle::ClusterHandle, strategies, tasks::keep,
};
use domain::{
    ClusterId,
    capability::EngineKind,
    cluster::NewCluster,
    validate::{self, Violation},
};
use engine::EngineSettings;
use std::{path::Path, sync::Arc};
use store::AddCluster;

/// What the audit calls it.
pub(crate) const CREATE_CLUSTER: &str = "create cluster";

impl GlobalAdmin {
    /// Makes a cluster, opens it, and makes its first tenant if one is named.
    pub async fn create_cluster(&self, new: &NewCluster) -> Result<ClusterId, Error> {
        let inner = &self.console.inner;
        check(new)?;
        let _adding = inner.adding.lock().await;
        let (home_dir, destination_dir) = self.directories(new).await?;
        let settings = EngineSettings {
            kind: EngineKind::Embedded,
            name: new.name.clone(),
            home: inner.home.join(&home_dir),
            destination: inner.home.join(&destination_dir),
            adopt: None,
        };
        let engine = keep::open(&*inner.opener, &settings).await?;
        let identity = engine.identity();
        if let Err(error) = keep::known_as(inner, None, &new.name, identity.as_deref()).await {
            engine.shut_down().await;
            return Err(error);
        }
        let add = AddCluster {
            name: new.name.clone(),
            engine: settings.kind,
            opened: keep::opened(&*engine),
            home_dir,
            destination_dir,
            created: inner.now(),
        };
        let added = inner
            .store
            .change(async |change| {
                let id = change.add_cluster(&add).await?;
                let place = (add.name.as_str(), add.destination_dir.as_str());
                strategies::own_storage(change, inner, place, add.created).await?;
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
            .await;
        let id = match added {
            Ok(id) => id,
            Err(error) => {
                engine.shut_down().await;
                return Err(error);
            }
        };
        let handle = Arc::new(ClusterHandle::new(id, settings, Some(engine)));
        inner.adopt(&handle);
        inner.first_try(&handle).await;
        if let Some(tenant) = &new.first_tenant {
            let made = self
                .admin()
                .operator()
                .create_tenant(&new.name, tenant)
                .await;
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

    /// Its own directory and the one of its backups, if no known cluster collides with them.
    async fn directories(&self, new: &NewCluster) -> Result<(String, String), Error> {
        let inner = &self.console.inner;
        let home_dir = format!("clusters/{}", new.name);
        let destination_dir = match &new.destination {
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
            if inner.home.join(&known.destination_dir) == inner.home.join(&destination_dir) {
                return Err(Error::Conflict(format!(
                    "cluster {} keeps its backups in {destination_dir}; choose another directory",
                    known.cluster.name
                )));
            }
        }
        Ok((home_dir, destination_dir))
    }
}

fn check(new: &NewCluster) -> Result<(), Error> {
    let mut found: Vec<Violation> = Vec::new();
    found.extend(validate::name("Cluster name", &new.name).err());
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
