//! Clusters found by what they left at a destination: who they are, and what they are called there.

use crate::{
    history::History,
    keys::{self, TenantKeys},
    registry::Inner,
    survey::name_at,
};
use engine::FoundCluster;
use serde::{Deserialize, Serialize};
use std::path::Path;
use storage::{Dest, StorageError};
use uuid::Uuid;

/// Most clusters of a destination, and most tenants of each, that are told about.
const FOUND_MAX: usize = 1000;

/// `cluster.json` at a destination: what the cluster is called, for people and for rebuilding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Named {
    format: u32,
    uuid: Uuid,
    name: String,
}

/// Writes the cluster's name to a destination, unless it is there already.
pub(crate) fn write_name(dest: &Dest, cluster: Uuid, name: &str) -> Result<(), StorageError> {
    let named = Named {
        format: 1,
        uuid: cluster,
        name: name.to_owned(),
    };
    let key = keys::cluster_identity(cluster);
    match dest.get_manifest::<Named>(&key) {
        Ok(found) if found == named => Ok(()),
        Ok(_) | Err(StorageError::NotFound { .. } | StorageError::Corrupt { .. }) => {
            dest.replace_manifest(&key, &named)
        }
        Err(error) => Err(error),
    }
}

/// Writes the cluster's name to its destination, once it can be written.
pub(crate) fn name_cluster(inner: &Inner) -> Result<(), StorageError> {
    if inner.is_named() {
        return Ok(());
    }
    write_name(&inner.destination.get()?, inner.cluster(), &inner.name)?;
    inner.set_named();
    Ok(())
}

/// The clusters with something at the destination in `dir`, by name. Nothing is changed there.
pub(crate) fn survey(dir: &Path) -> Result<Vec<FoundCluster>, StorageError> {
    let dest = Dest::open_existing(dir)?;
    let mut found = Vec::new();
    for cluster in uuids(dest.list_dirs("")?) {
        found.push(look(&dest, cluster)?);
    }
    // A disk that went away during the look leaves an empty directory, which says nothing.
    dest.check()?;
    found.sort_by(|a, b| (&a.name, &a.identity).cmp(&(&b.name, &b.identity)));
    Ok(found)
}

/// Whether something of this cluster is there.
pub(crate) fn is_at(dest: &Dest, cluster: Uuid) -> Result<bool, StorageError> {
    Ok(uuids(dest.list_dirs("")?).contains(&cluster))
}

fn uuids(directories: Vec<String>) -> Vec<Uuid> {
    let parsed = directories.iter().filter_map(|it| Uuid::parse_str(it).ok());
    parsed.take(FOUND_MAX).collect()
}

fn look(dest: &Dest, cluster: Uuid) -> Result<FoundCluster, StorageError> {
    let mut name = match dest.get_manifest::<Named>(&keys::cluster_identity(cluster)) {
        Ok(named) => Some(named.name),
        Err(StorageError::NotFound { .. } | StorageError::Corrupt { .. }) => None,
        Err(error) => return Err(error),
    };
    let mut tenants = Vec::new();
    for tenant in uuids(dest.list_dirs(&cluster.to_string())?) {
        let keys = TenantKeys::new(cluster, tenant);
        let mut history = History::default();
        // Sets say it too; they are read only where what should say it does not.
        if name.is_none() || name_at(dest, &keys, &history).is_none() {
            history = History::load(dest, &keys)?;
        }
        let by_set = || Some(history.sets.values().next_back()?.cluster.clone());
        name = name.or_else(by_set);
        tenants.push(name_at(dest, &keys, &history).unwrap_or_else(|| tenant.to_string()));
    }
    tenants.sort();
    let name = name.and_then(|name| domain::validate::name("cluster", &name).ok());
    Ok(FoundCluster {
        identity: cluster.to_string(),
        name: name.unwrap_or_default(),
        tenants,
    })
}
