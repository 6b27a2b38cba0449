//! Rebuild from storage: clusters that this console does not know are taken on from what they left at a
//! destination, with their sets, their log and the moments they can be recovered to.

use crate::{
    access::GlobalAdmin,
    audit::Entry,
    console::Inner,
    error::{Error, chain},
    handle::{ClusterHandle, answer_within},
    shown::ranges,
    tasks::keep,
};
use domain::{
    ClusterId, capability::EngineKind, recoverable::RecoverableRange, tenant::TenantState, validate,
};
use engine::{EngineSettings, FoundCluster};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use store::{AddCluster, KnownCluster};

/// What the audit calls it.
const REBUILD: &str = "rebuild from storage";
/// Label of the directory's field.
const DIRECTORY: &str = "Directory";
/// Label of the name's field.
const NAME: &str = "Cluster name";
/// How long the survey of a destination may take: a name may have to be looked for in every set.
const SURVEY_MAX: Duration = Duration::from_secs(600);

/// What to take on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rebuild {
    /// Absolute directory of the destination, be it a first or a second copy.
    pub from: String,
    /// Only the cluster of this name or identity; `None` takes on all that are there.
    pub cluster: Option<String>,
    /// What it is called here; `None` keeps its name. Only for one cluster.
    pub name: Option<String>,
    /// Only tell what is there and would be done.
    pub dry_run: bool,
}

/// What was found and done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rebuilt {
    /// The clusters found, by name.
    pub clusters: Vec<RebuiltCluster>,
}

/// One cluster that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RebuiltCluster {
    /// Its identity.
    pub identity: String,
    /// Its name there; empty where nothing there tells.
    pub found_as: String,
    /// What became of it.
    pub outcome: RebuildOutcome,
    /// Its tenants.
    pub tenants: Vec<RebuiltTenant>,
}

/// What became of a cluster that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RebuildOutcome {
    /// It would be taken on under this name.
    Possible(String),
    /// It is now managed under this name.
    Taken(String),
    /// This console manages it already, under this name; nothing was done.
    Managed(String),
    /// It was left alone: why, and what to do.
    Refused(String),
}

/// One tenant of a cluster that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RebuiltTenant {
    /// Its name.
    pub name: String,
    /// Whether it is in service; `None` while that was not looked at.
    pub state: Option<TenantState>,
    /// Its usable sets.
    pub sets: usize,
    /// The moments it can be recovered to.
    pub ranges: Vec<RecoverableRange>,
}

impl GlobalAdmin {
    /// Takes on clusters found at a destination. May be repeated: one that is managed already is left alone.
    pub async fn rebuild(&self, order: &Rebuild) -> Result<Rebuilt, Error> {
        let inner = &self.console.inner;
        check(order)?;
        let _adding = inner.adding.lock().await;
        let from = Path::new(&order.from);
        let survey = inner.opener.survey(EngineKind::Embedded, from);
        let found = answer_within(SURVEY_MAX, "survey", &order.from, survey).await?;
        let meant = meant(found, order)?;
        let mut clusters = Vec::with_capacity(meant.len());
        for found in meant {
            clusters.push(self.rebuild_one(order, found).await?);
        }
        Ok(Rebuilt { clusters })
    }

    async fn rebuild_one(
        &self,
        order: &Rebuild,
        found: FoundCluster,
    ) -> Result<RebuiltCluster, Error> {
        let inner = &self.console.inner;
        let (outcome, tenants) = match plan(order, &found, &inner.store.clusters().await?) {
            RebuildOutcome::Possible(name) if !order.dry_run => {
                match self.take_on(order, &found, &name).await {
                    Ok(id) => {
                        let tenants = tenants(inner, id).await?;
                        (RebuildOutcome::Taken(name), tenants)
                    }
                    // The others are taken on all the same; this one says why not.
                    Err(error @ Error::Engine(_)) => {
                        (RebuildOutcome::Refused(chain(&error)), unseen(&found))
                    }
                    Err(error) => return Err(error),
                }
            }
            outcome => (outcome, unseen(&found)),
        };
        Ok(RebuiltCluster {
            identity: found.identity,
            found_as: found.name,
            outcome,
            tenants,
        })
    }

    /// Opens the cluster with its old identity, writes it down, and waits until it was looked at once.
    async fn take_on(
        &self,
        order: &Rebuild,
        found: &FoundCluster,
        name: &str,
    ) -> Result<ClusterId, Error> {
        let inner = &self.console.inner;
        let home_dir = format!("clusters/{name}");
        let settings = EngineSettings {
            kind: EngineKind::Embedded,
            name: name.to_owned(),
            server: None,
            home: inner.home.join(&home_dir),
            destination: PathBuf::from(&order.from),
            adopt: Some(found.identity.clone()),
        };
        let engine = keep::open(&*inner.opener, &settings).await?;
        let add = AddCluster {
            name: name.to_owned(),
            engine: settings.kind,
            opened: keep::opened(&*engine),
            home_dir,
            destination_dir: stored(inner, &order.from),
            endpoint: None,
            created: inner.now(),
        };
        let detail = format!("cluster {} from {}", found.identity, order.from);
        let added = inner
            .store
            .change(async |change| {
                let id = change.add_cluster(&add).await?;
                change.cluster_identity(id, &found.identity).await?;
                let entry = Entry {
                    operation: REBUILD,
                    cluster: id,
                    subject: name,
                    detail: &detail,
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
        // It has its identity now, and is opened as it is from here on.
        let settings = EngineSettings {
            adopt: None,
            ..settings
        };
        let handle = Arc::new(ClusterHandle::new(id, settings, Some(engine)));
        inner.adopt(&handle);
        inner.first_try(&handle).await;
        Ok(id)
    }
}

/// Paths below the home are stored without it, so that the home can be moved.
fn stored(inner: &Inner, from: &str) -> String {
    let below = Path::new(from).strip_prefix(&inner.home).ok();
    let below = below.filter(|below| !below.as_os_str().is_empty());
    below.map_or_else(|| from.to_owned(), |below| below.display().to_string())
}

fn check(order: &Rebuild) -> Result<(), Error> {
    let mut wrong = Vec::new();
    if !Path::new(&order.from).is_absolute() {
        let allowed = "give the directory with its whole path, beginning with /";
        wrong.push(validate::Violation::new(DIRECTORY, &order.from, allowed));
    }
    if let Some(name) = &order.name {
        wrong.extend(validate::name(NAME, name).err());
    }
    match wrong.is_empty() {
        true => Ok(()),
        false => Err(Error::Invalid(wrong)),
    }
}

/// The clusters that are meant.
fn meant(found: Vec<FoundCluster>, order: &Rebuild) -> Result<Vec<FoundCluster>, Error> {
    let from = &order.from;
    if found.is_empty() {
        return Err(Error::Conflict(format!(
            "{from} is a destination without any cluster; give the directory that backups were written to"
        )));
    }
    let named = |one: &FoundCluster| match one.name.as_str() {
        "" => one.identity.clone(),
        name => format!("{name} ({})", one.identity),
    };
    let there: Vec<String> = found.iter().map(named).collect();
    let is_meant = |one: &FoundCluster| match &order.cluster {
        None => true,
        Some(wanted) => one.name == *wanted || one.identity == *wanted,
    };
    let meant: Vec<FoundCluster> = found.into_iter().filter(is_meant).collect();
    let several = order.cluster.is_some() || order.name.is_some();
    match (meant.len(), &order.cluster) {
        (0, wanted) => Err(Error::Conflict(format!(
            "{from} holds nothing of cluster \"{}\"; it holds: {}",
            wanted.as_deref().unwrap_or_default(),
            there.join(", ")
        ))),
        (2.., _) if several => Err(Error::Conflict(format!(
            "{from} holds more than one cluster that may be meant: {}; name one by its identity",
            there.join(", ")
        ))),
        _ => Ok(meant),
    }
}

/// What can be done with a cluster that was found, given those that are managed.
fn plan(order: &Rebuild, found: &FoundCluster, known: &[KnownCluster]) -> RebuildOutcome {
    let is_it = |known: &&KnownCluster| known.identity.as_deref() == Some(&found.identity);
    if let Some(known) = known.iter().find(is_it) {
        return RebuildOutcome::Managed(known.cluster.name.clone());
    }
    let name = order.name.as_ref().unwrap_or(&found.name);
    if name.is_empty() {
        return RebuildOutcome::Refused(
            "nothing there tells its name; give one with --as, and where its home is still there, \
             the name it had"
                .to_owned(),
        );
    }
    // Directories of clusters must differ on every file system, also where case does not count.
    let is_taken = |known: &&KnownCluster| known.cluster.name.eq_ignore_ascii_case(name);
    match known.iter().find(is_taken) {
        Some(known) => RebuildOutcome::Refused(format!(
            "this console manages another cluster of the name {}; take this one on under another \
             name with --as",
            known.cluster.name
        )),
        None => RebuildOutcome::Possible(name.clone()),
    }
}

fn unseen(found: &FoundCluster) -> Vec<RebuiltTenant> {
    let tenant = |name: &String| RebuiltTenant {
        name: name.clone(),
        state: None,
        sets: 0,
        ranges: Vec::new(),
    };
    found.tenants.iter().map(tenant).collect()
}

async fn tenants(inner: &Inner, cluster: ClusterId) -> Result<Vec<RebuiltTenant>, Error> {
    let picture = inner.store.picture(cluster).await?;
    let tenants = picture.iter().map(|tenant| RebuiltTenant {
        name: tenant.facts.name.clone(),
        state: Some(tenant.facts.state),
        sets: tenant.sets.len(),
        ranges: ranges(tenant),
    });
    Ok(tenants.collect())
}
