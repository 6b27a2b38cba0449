//! Storage configurations: which there are and who uses them, their names, and the test.

use super::places;
use crate::{
    access::{Admin, GlobalAdmin, Viewer},
    audit::{Entry, plain},
    console::Inner,
    error::Error,
    handle::{ClusterHandle, answer},
    reports::known,
};
use domain::{
    ClusterId, Scn, StorageId,
    scn::NS_PER_DAY,
    storage::{
        self, AccessKey, ProbeReport, ProbeStep, STORAGE_NAME_MAX, StorageConfig, StorageSettings,
    },
    strategy::{StorageUse, check, label},
    validate::Violation,
};
use store::{Change, KnownCluster, PassedTest};

/// For how long a passed test counts.
pub(super) const TEST_VALID_NS: u64 = NS_PER_DAY;
/// Names that are tried for the configuration of a cluster's own destination.
const NAMES_MAX: usize = 1000;
/// What the audit calls it.
const TEST_STORAGE: &str = "test storage";
const REMOVE_STORAGE: &str = "remove storage configuration";
pub(super) const RENAME_STORAGE: &str = "rename storage configuration";

impl Viewer {
    /// The storage configurations of the clusters that the actor sees, and those that nobody uses, by name.
    pub async fn storage_configs(&self) -> Result<Vec<StorageUse>, Error> {
        let inner = &self.console.inner;
        let sees = |cluster: &String| {
            let handle = inner.any_cluster(cluster);
            handle.is_some_and(|handle| self.actor.grants.in_cluster(handle.id).is_some())
        };
        let mut all = uses(inner).await?;
        all.retain_mut(|each| {
            let unused = each.first_of.is_empty() && each.second_of.is_empty();
            each.first_of.retain(sees);
            each.second_of.retain(sees);
            unused || !each.first_of.is_empty() || !each.second_of.is_empty()
        });
        Ok(all)
    }
}

impl Admin {
    /// Tries what a cluster's backups need of a storage, step by step. What passes may be saved in a strategy
    /// of this cluster for a day. With `must_be_empty` files of something else make it fail.
    pub async fn test_storage(
        &self,
        cluster: &str,
        storage: &StorageSettings,
        must_be_empty: bool,
    ) -> Result<ProbeReport, Error> {
        self.test_storage_with(cluster, storage, None, must_be_empty)
            .await
    }

    /// The same with the key of an object storage; without one the key is used that is known of the place.
    pub async fn test_storage_with(
        &self,
        cluster: &str,
        storage: &StorageSettings,
        key: Option<&AccessKey>,
        must_be_empty: bool,
    ) -> Result<ProbeReport, Error> {
        let inner = &self.console.inner;
        let handle = self.handle(cluster)?;
        let known = known(inner, &handle).await?.cluster;
        let mut storage = storage.clone();
        places::tidy(&mut storage);
        let mut wrong: Vec<Violation> = Vec::new();
        wrong.extend(check::kind(&storage, "", &known.capabilities));
        wrong.extend(storage::violations(&storage, ""));
        if !wrong.is_empty() {
            return Err(Error::Invalid(wrong));
        }
        let key = self.key_of(&storage, key, "").await?;
        let target = places::target(inner, known.engine.is_remote(), &storage, key.as_ref());
        let directory = &storage.directory;
        let probe = handle.engine()?;
        let probe = probe.probe_storage(&target);
        let mut report = answer("test", directory, probe).await?;
        if must_be_empty && report.passed() && !may_be_second(report.empty, &report.identity) {
            report.steps.push(not_empty());
        }
        self.record_test(handle.id, &storage, &report).await?;
        Ok(report)
    }

    async fn record_test(
        &self,
        cluster: ClusterId,
        storage: &StorageSettings,
        report: &ProbeReport,
    ) -> Result<(), Error> {
        let inner = &self.console.inner;
        let failed = report.steps.iter().find(|step| step.failure.is_some());
        let detail = match failed {
            None => "passed".to_owned(),
            Some(step) => format!("failed at: {}", step.name),
        };
        let now = inner.now();
        let passed = PassedTest {
            cluster,
            kind: storage.kind,
            directory: storage.directory.clone(),
            endpoint: storage.object.as_ref().map(|it| it.endpoint.clone()),
            empty: report.empty,
            identity: report.identity.clone(),
            at: now,
            actor: self.actor.name.clone(),
        };
        let entry = Entry {
            operation: TEST_STORAGE,
            cluster,
            subject: &storage.directory,
            detail: &detail,
        };
        let change = async |change: &Change| {
            if report.passed() {
                let forget = now.minus_ns(TEST_VALID_NS);
                change.add_passed_test(&passed, forget).await?;
            }
            entry.write(change, inner, &self.actor).await
        };
        inner.store.change(change).await
    }

    /// Gives a storage configuration that a cluster uses another name.
    pub async fn rename_storage(
        &self,
        cluster: &str,
        name: &str,
        new_name: &str,
    ) -> Result<(), Error> {
        let inner = &self.console.inner;
        let id = self.handle(cluster)?.id;
        let new_name = new_name.trim();
        if let Some(wrong) = storage::name_violation(label::STORAGE_NAME, new_name) {
            return Err(Error::Invalid(vec![wrong]));
        }
        let used = uses(inner).await?;
        let found = used.iter().find(|each| each.config.settings.name == name);
        let is_of = |each: &&StorageUse| {
            let mut clusters = each.first_of.iter().chain(&each.second_of);
            clusters.any(|user| user == cluster)
        };
        let Some(found) = found.filter(is_of) else {
            return Err(Error::NotFound {
                what: "storage configuration of the cluster",
                id: name.to_owned(),
            });
        };
        if name == new_name {
            return Ok(());
        }
        let mut settings = found.config.settings.clone();
        settings.name = new_name.to_owned();
        let entry = Entry {
            operation: RENAME_STORAGE,
            cluster: id,
            subject: name,
            detail: new_name,
        };
        let change = async |change: &Change| {
            let all = change.storage_configs().await?;
            if let Some(taken) = all.iter().find(|each| each.settings.name == new_name) {
                return Err(taken_name(label::STORAGE_NAME, new_name, inner, taken));
            }
            entry.write(change, inner, &self.actor).await?;
            let settings = places::stored_storage(inner, settings);
            change.modify_storage(found.config.id, &settings).await?;
            for user in found.first_of.iter().chain(&found.second_of) {
                if let Some(user) = inner.any_cluster(user) {
                    change.cluster_changed(user.id).await?;
                }
            }
            Ok(())
        };
        inner.store.change(change).await
    }
}

impl GlobalAdmin {
    /// Removes a storage configuration that nobody uses. What lies in the storage stays.
    pub async fn remove_storage(&self, name: &str) -> Result<(), Error> {
        let inner = &self.console.inner;
        let used = uses(inner).await?;
        let found = used.iter().find(|each| each.config.settings.name == name);
        let found = found.ok_or_else(|| Error::NotFound {
            what: "storage configuration",
            id: name.to_owned(),
        })?;
        let in_use = |by: &str| {
            let why = format!(
                "storage configuration {name} is used by {by}; choose another storage there first"
            );
            Err(Error::Conflict(why))
        };
        let users: Vec<&str> = found
            .first_of
            .iter()
            .chain(&found.second_of)
            .map(|it| &**it)
            .collect();
        if !users.is_empty() {
            return in_use(&format!("cluster {}", users.join(", ")));
        }
        let change = async |change: &Change| {
            let key = change.storage_key(found.config.id).await?;
            if !change.remove_storage_config(found.config.id).await? {
                return in_use("a strategy");
            }
            if let Some(key) = key {
                change.remove_secret(key).await?;
            }
            let directory = &found.config.settings.directory;
            let entry = plain(inner, &self.actor, REMOVE_STORAGE, name, directory);
            change.audit(&entry).await?;
            Ok(())
        };
        inner.store.change(change).await
    }
}

/// Whether what was found may become a second storage, as far as a test can tell: nothing is there, or a
/// destination of which the engine will say whose it is.
pub(super) const fn may_be_second(empty: bool, identity: &Option<String>) -> bool {
    empty || identity.is_some()
}

fn not_empty() -> ProbeStep {
    ProbeStep {
        name: "Look for other files".to_owned(),
        failure: Some(
            "There are files in it that are not backups; choose an empty directory".to_owned(),
        ),
        took_ms: 0,
    }
}

/// The error for a name that another configuration has.
pub(super) fn taken_name(field: &str, name: &str, inner: &Inner, by: &StorageConfig) -> Error {
    let directory = places::absolute_storage(inner, by.settings.clone()).directory;
    let allowed = format!(
        "the configuration of {directory} has this name; choose another name, or that directory"
    );
    Error::invalid(field, name, allowed)
}

/// Every configuration with its users; directories are absolute.
pub(super) async fn uses(inner: &Inner) -> Result<Vec<StorageUse>, Error> {
    let clusters = inner.store.clusters().await?;
    let strategies = inner.store.strategies().await?;
    let configs = inner.store.storage_configs().await?;
    let name_of = |id: ClusterId| {
        let cluster = clusters.iter().find(|known| known.cluster.id == id);
        cluster.map(|known| known.cluster.name.clone())
    };
    let each = |mut config: StorageConfig| {
        config.settings = places::absolute_storage(inner, config.settings);
        let is_directory = !config.settings.kind.is_object();
        let goes_there = |known: &&KnownCluster| match known.cluster.engine.is_remote() {
            true => strategies
                .iter()
                .any(|it| it.cluster == known.cluster.id && it.storage == config.id),
            false => {
                is_directory && places::own_destination(inner, known) == config.settings.directory
            }
        };
        let second = strategies
            .iter()
            .filter(|each| each.second_storage == Some(config.id));
        StorageUse {
            first_of: clusters
                .iter()
                .filter(goes_there)
                .map(|known| known.cluster.name.clone())
                .collect(),
            second_of: second.filter_map(|each| name_of(each.cluster)).collect(),
            config,
        }
    };
    Ok(configs.into_iter().map(each).collect())
}

/// A name for the configuration of a cluster's own destination that no other one has.
pub(super) fn proposed_name(cluster: &str, others: &[StorageUse]) -> String {
    let taken = |name: &str| others.iter().any(|each| each.config.settings.name == name);
    free_name(cluster, taken)
}

fn free_name(cluster: &str, taken: impl Fn(&str) -> bool) -> String {
    let numbered = |number: usize| {
        let end = match number {
            1 => String::new(),
            number => format!("_{number}"),
        };
        let length = cluster.len().min(STORAGE_NAME_MAX - end.len());
        // Names of clusters are ASCII; what is not is left out.
        format!("{}{end}", cluster.get(..length).unwrap_or("storage"))
    };
    let mut names = (1..NAMES_MAX).map(numbered);
    names
        .find(|name| !taken(name))
        .unwrap_or_else(|| numbered(NAMES_MAX))
}

/// The configuration of a cluster's own destination, made when it is missing.
pub(crate) async fn own_storage(
    change: &Change,
    inner: &Inner,
    cluster: (&str, &str),
    at: Scn,
) -> Result<StorageId, Error> {
    let (name, destination_dir) = cluster;
    let directory = places::absolute(inner, destination_dir);
    let configs = change.storage_configs().await?;
    let there = configs
        .iter()
        .find(|config| is_directory(inner, config, &directory));
    if let Some(there) = there {
        return Ok(there.id);
    }
    let settings = StorageSettings {
        name: free_name(name, |name| {
            configs.iter().any(|each| each.settings.name == name)
        }),
        ..places::directory(places::stored(inner, &directory))
    };
    Ok(change.add_storage(&settings, at).await?)
}

fn is_directory(inner: &Inner, config: &StorageConfig, directory: &str) -> bool {
    let settings = &config.settings;
    !settings.kind.is_object() && places::absolute(inner, &settings.directory) == directory
}

/// Makes the configuration of a known cluster's own destination, if it is missing.
pub(crate) async fn ensure_own(inner: &Inner, handle: &ClusterHandle) -> Result<(), Error> {
    let (known, cluster) = (known(inner, handle).await?, handle.name.as_str());
    if known.cluster.engine.is_remote() {
        return Ok(());
    }
    let configs = inner.store.storage_configs().await?;
    let directory = places::own_destination(inner, &known);
    if configs
        .iter()
        .any(|config| is_directory(inner, config, &directory))
    {
        return Ok(());
    }
    let at = inner.now();
    let make = async |change: &Change| {
        own_storage(change, inner, (cluster, &known.destination_dir), at).await
    };
    inner.store.change(make).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_gives_its_name_to_its_storage_as_far_as_it_fits_and_is_free() {
        let long = "a".repeat(64);
        assert_eq!(free_name("local", |_| false), "local");
        assert_eq!(free_name(&long, |_| false), "a".repeat(32));
        assert_eq!(free_name("local", |name| name == "local"), "local_2");
        let second = free_name(&long, |name| !name.ends_with("_2"));
        assert_eq!((second.len(), &second[30..]), (32, "_2"));
        assert!(storage::name_violation("", &second).is_none());
    }
}
