//! Creating and modifying a strategy: everything is checked first, then written in one change.

use super::{ending, keys, places, storages};
use crate::{
    access::Admin,
    audit::Entry,
    console::Inner,
    error::Error,
    handle::ClusterHandle,
    reports::known,
    tasks::{keep, second, wanted},
};
use domain::{
    ClusterId, Revision, Scn, StorageId,
    archive::ArchiveState,
    capability::Ability,
    schedule,
    storage::{self, StorageConfig, StorageKeys, StorageSettings},
    strategy::{
        BackupStrategy, Difference, StrategySaved, StrategySettings, check, difference, label,
    },
    tenant::TenantState,
    validate::Violation,
};
use engine::EngineErrorKind;
use std::sync::Arc;
use store::{Change, KnownCluster, KnownStrategy, NewStrategy, PassedTest};

/// What the audit calls making a strategy.
pub(super) const CREATE: &str = "create backup strategy";
/// What the audit calls changing one.
pub(super) const MODIFY: &str = "modify backup strategy";

/// A strategy that may be written as far as could be told before.
struct Draft {
    handle: Arc<ClusterHandle>,
    /// Tidied; directories are absolute.
    settings: StrategySettings,
    /// Keys of its storages that were given.
    keys: StorageKeys,
    /// Whether the backups of a cluster of the console's own are to go elsewhere from now on.
    moves: bool,
    /// Whether the cluster is a server elsewhere.
    is_remote: bool,
    /// Whether it keeps settings by itself, which have to be sent.
    keeps_settings: bool,
    at: Scn,
}

/// What writing a strategy did.
enum Written {
    /// It is new, or changed.
    Changed(Vec<Difference>),
    /// It was there already, word for word: this was submitted twice.
    Already,
}

impl Admin {
    /// Makes the strategy of a cluster that has none, and starts log backup where it is stopped. The same
    /// settings once more change nothing.
    pub async fn create_strategy(
        &self,
        cluster: &str,
        settings: &StrategySettings,
    ) -> Result<StrategySaved, Error> {
        self.create_strategy_with(cluster, settings, &StorageKeys::default())
            .await
    }

    /// The same with keys of object storages.
    pub async fn create_strategy_with(
        &self,
        cluster: &str,
        settings: &StrategySettings,
        keys: &StorageKeys,
    ) -> Result<StrategySaved, Error> {
        let draft = self.draft(cluster, settings, keys).await?;
        let write = async |change: &Change| match change.strategy(draft.handle.id).await? {
            None => {
                let changes = self.write(change, &draft, None).await?;
                Ok((Written::Changed(changes), true))
            }
            Some(present) if self.says(&present, &draft.settings) => Ok((Written::Already, false)),
            Some(present) => Err(Error::Conflict(format!(
                "cluster {cluster} has a backup strategy already, last changed by {} at {} UTC; \
                 modify it instead",
                present.modified_by,
                present.strategy.modified.display_seconds()
            ))),
        };
        self.submit(&draft, write).await
    }

    /// Changes the strategy of a cluster that was read at version `rev`. When somebody else changed it
    /// meanwhile, the refusal tells what.
    pub async fn modify_strategy(
        &self,
        cluster: &str,
        rev: Revision,
        settings: &StrategySettings,
    ) -> Result<StrategySaved, Error> {
        self.modify_strategy_with(cluster, rev, settings, &StorageKeys::default())
            .await
    }

    /// The same with keys of object storages; those that are not given stay as they are known.
    pub async fn modify_strategy_with(
        &self,
        cluster: &str,
        rev: Revision,
        settings: &StrategySettings,
        keys: &StorageKeys,
    ) -> Result<StrategySaved, Error> {
        let draft = self.draft(cluster, settings, keys).await?;
        let write = async |change: &Change| {
            let Some(present) = change.strategy(draft.handle.id).await? else {
                return Err(none(cluster));
            };
            let no_keys = draft.keys == StorageKeys::default();
            let same = no_keys && self.says(&present, &draft.settings);
            match (present.strategy.rev == rev, same) {
                (false, true) => return Ok((Written::Already, false)),
                (false, false) => return Err(changed(change, &present, rev).await?),
                (true, true) => {
                    return Err(Error::Conflict(format!(
                        "nothing was changed in the backup strategy of cluster {cluster}"
                    )));
                }
                (true, false) => {}
            }
            let starts = !present.strategy.settings.start_log_backup;
            let changes = self.write(change, &draft, Some(&present)).await?;
            Ok((Written::Changed(changes), starts))
        };
        self.submit(&draft, write).await
    }

    /// Checks what can be checked without a change.
    async fn draft(
        &self,
        cluster: &str,
        settings: &StrategySettings,
        keys: &StorageKeys,
    ) -> Result<Draft, Error> {
        let inner = &self.console.inner;
        let handle = self.handle(cluster)?;
        let cluster = known(inner, &handle).await?;
        let settings = places::tidied(settings.clone());
        let mut wrong = check::violations(&settings, &cluster.cluster.capabilities);
        let zone = schedule::violations(&settings.schedule);
        wrong.extend(zone.into_iter().filter(|wrong| wrong.field == label::ZONE));
        let present = places::present(inner, &cluster).await?;
        let able = &cluster.cluster.capabilities;
        let moves = !present
            .as_ref()
            .is_some_and(|it| storage::same_place(it, &settings.storage));
        if moves && let Ability::No(reason) = &able.change_destination {
            let given = &settings.storage.directory;
            let allowed = match &present {
                Some(present) => format!("it has to stay {}: {reason}", present.directory),
                None => format!("give the cluster a destination by SQL first: {reason}"),
            };
            wrong.push(Violation::new(label::DIRECTORY, given, allowed));
        }
        if wrong.is_empty() {
            wrong = self.untested(&cluster, &settings, !moves).await?;
        }
        if !wrong.is_empty() {
            return Err(Error::Invalid(wrong));
        }
        self.check_keys(&settings, keys).await?;
        let is_remote = cluster.cluster.engine.is_remote();
        Ok(Draft {
            handle,
            settings,
            keys: keys.clone(),
            moves: moves && !is_remote,
            is_remote,
            keeps_settings: able.keeps_settings,
            at: inner.now(),
        })
    }

    /// Each object storage needs a key, given now or known.
    async fn check_keys(
        &self,
        settings: &StrategySettings,
        keys: &StorageKeys,
    ) -> Result<(), Error> {
        self.key_of(&settings.storage, keys.first.as_ref(), "")
            .await?;
        if let Some(second) = &settings.second {
            let given = keys.second.as_ref();
            self.key_of(&second.storage, given, label::SECOND_PREFIX)
                .await?;
        }
        Ok(())
    }

    /// The storages that are new to the cluster and have passed no test, or may not be used.
    async fn untested(
        &self,
        cluster: &KnownCluster,
        settings: &StrategySettings,
        stays: bool,
    ) -> Result<Vec<Violation>, Error> {
        let inner = &self.console.inner;
        let id = cluster.cluster.id;
        let since = inner.now().minus_ns(storages::TEST_VALID_NS);
        let tests = inner.store.passed_tests(id, since).await?;
        let mut wrong = Vec::new();
        if !stays && passed(&tests, &settings.storage).is_none() {
            wrong.push(not_tested("", &settings.storage));
        }
        let Some(second) = &settings.second else {
            return Ok(wrong);
        };
        if is_second(inner, id, &second.storage).await? {
            return Ok(wrong);
        }
        wrong.extend(elsewhere_used(inner, cluster, &second.storage).await?);
        match passed(&tests, &second.storage) {
            None => wrong.push(not_tested(label::SECOND_PREFIX, &second.storage)),
            Some(test) if !storages::may_be_second(test.empty, &test.identity) => {
                let field = format!("{}{}", label::SECOND_PREFIX, label::DIRECTORY);
                let allowed =
                    "there are files in it that are not backups; choose an empty directory";
                wrong.push(Violation::new(&field, &second.storage.directory, allowed));
            }
            Some(_) => {}
        }
        Ok(wrong)
    }

    /// Writes in one change, after the engine has taken the second storage, and begins what follows.
    async fn submit(
        &self,
        draft: &Draft,
        write: impl AsyncFnOnce(&Change) -> Result<(Written, bool), Error>,
    ) -> Result<StrategySaved, Error> {
        let inner = &self.console.inner;
        self.take_second(draft).await?;
        let written = inner.store.change(write).await;
        draft.handle.second.from(Scn::ZERO);
        let (written, starts) = match written {
            Ok(written) => written,
            Err(error) => {
                // What the engine took before is given back.
                second::keep_up(inner, &draft.handle).await;
                return Err(error);
            }
        };
        second::keep_up(inner, &draft.handle).await;
        inner.schedule.notify_one();
        if draft.moves {
            keep::moved(inner, &draft.handle, &draft.settings.storage.directory).await;
        }
        draft.handle.wanted.from(Scn::ZERO);
        wanted::keep_up(inner, &draft.handle).await;
        let notes = match (draft.keeps_settings, starts) {
            (true, _) => self.send_after_saving(&draft.handle).await,
            (false, true) if draft.settings.start_log_backup => self.start_logs(draft).await?,
            (false, _) => Vec::new(),
        };
        draft.handle.nudge(inner.now());
        let changes = match written {
            Written::Changed(changes) => changes,
            Written::Already => Vec::new(),
        };
        let strategy = self.present(&draft.handle).await?;
        Ok(StrategySaved {
            strategy,
            changes,
            notes,
        })
    }

    async fn present(&self, handle: &ClusterHandle) -> Result<BackupStrategy, Error> {
        let inner = &self.console.inner;
        let present = inner.store.strategy(handle.id).await?;
        let mut strategy = present.ok_or_else(|| none(&handle.name))?.strategy;
        strategy.settings = places::absolute_settings(inner, strategy.settings);
        Ok(strategy)
    }

    /// Whether a strategy says these settings already.
    fn says(&self, present: &KnownStrategy, settings: &StrategySettings) -> bool {
        let stored = present.strategy.settings.clone();
        places::absolute_settings(&self.console.inner, stored) == *settings
    }

    async fn write(
        &self,
        change: &Change,
        draft: &Draft,
        present: Option<&KnownStrategy>,
    ) -> Result<Vec<Difference>, Error> {
        let inner = &self.console.inner;
        let id = draft.handle.id;
        if draft.moves {
            refuse_while_working(change, draft).await?;
        }
        let before =
            present.map(|known| places::absolute_settings(inner, known.strategy.settings.clone()));
        let changes = before
            .as_ref()
            .map(|before| difference::differences(before, &draft.settings))
            .unwrap_or_default();
        // The audit goes first: whoever read this version of the strategy has seen its entry.
        let entry = Entry {
            operation: if present.is_some() { MODIFY } else { CREATE },
            cluster: id,
            subject: &draft.handle.name,
            detail: &match before {
                Some(_) => joined(&changes),
                None => described(&draft.settings),
            },
        };
        let after = Some(&draft.settings);
        entry
            .write_with(change, inner, &self.actor, before.as_ref(), after)
            .await?;
        let first = put_storage(change, inner, &draft.settings.storage, "", draft.at).await?;
        keys::put(inner, change, first, draft.keys.first.as_ref()).await?;
        let second = match &draft.settings.second {
            Some(second) => {
                let storage = &second.storage;
                let id =
                    put_storage(change, inner, storage, label::SECOND_PREFIX, draft.at).await?;
                keys::put(inner, change, id, draft.keys.second.as_ref()).await?;
                Some(id)
            }
            None => None,
        };
        if draft.moves {
            let directory = places::stored(inner, &draft.settings.storage.directory);
            change.cluster_moved(id, &directory).await?;
        }
        let new = NewStrategy {
            cluster: id,
            settings: draft.settings.clone(),
            storage: first,
            second_storage: second,
            at: draft.at,
            by: self.actor.name.clone(),
        };
        match present {
            Some(present) => change.modify_strategy(present.strategy.id, &new).await?,
            None => {
                change.add_strategy(&new).await?;
            }
        }
        Ok(changes)
    }

    /// Starts log backup of the tenants whose log backup is stopped; what could not be started is told.
    async fn start_logs(&self, draft: &Draft) -> Result<Vec<String>, Error> {
        let operator = self.operator();
        let mut notes = Vec::new();
        for tenant in self.console.inner.store.picture(draft.handle.id).await? {
            let stopped = tenant
                .archive
                .as_ref()
                .is_none_or(|log| log.state == ArchiveState::Stop);
            if tenant.facts.state != TenantState::Online || !stopped {
                continue;
            }
            let name = &tenant.facts.name;
            match operator
                .start_log_backup(&draft.handle.name, tenant.id)
                .await
            {
                Ok(()) => notes.push(format!("Log backup of tenant {name} was started.")),
                Err(error) => {
                    notes.push(format!(
                        "Log backup of tenant {name} could not be started: {error}"
                    ));
                }
            }
        }
        Ok(notes)
    }
}

/// There is no strategy.
pub(super) fn none(cluster: &str) -> Error {
    Error::NotFound {
        what: "backup strategy of cluster",
        id: cluster.to_owned(),
    }
}

/// The refusal for a version that is not the present one: what was done since.
pub(super) async fn changed(
    change: &Change,
    present: &KnownStrategy,
    rev: Revision,
) -> Result<Error, Error> {
    let operations = [
        CREATE,
        MODIFY,
        ending::PAUSE,
        ending::RESUME,
        storages::RENAME_STORAGE,
    ];
    let done = change
        .strategy_changes(present.cluster, &operations, rev)
        .await?;
    let told: Vec<String> = done
        .iter()
        .map(|each| {
            let (at, what) = (each.at.display_seconds(), &each.operation);
            match each.detail.is_empty() {
                true => format!("{what} by {} at {at} UTC", each.actor),
                false => format!("{what} by {} at {at} UTC ({})", each.actor, each.detail),
            }
        })
        .collect();
    let told = match told.is_empty() {
        true => format!(
            "last changed by {} at {} UTC",
            present.modified_by,
            present.strategy.modified.display_seconds()
        ),
        false => told.join("; "),
    };
    Ok(Error::Conflict(format!(
        "the backup strategy was changed after you read it: {told}. Nothing of yours was saved; look \
         at the present strategy and submit again"
    )))
}

async fn refuse_while_working(change: &Change, draft: &Draft) -> Result<(), Error> {
    let open = change.unfinished(draft.handle.id).await?;
    let Some(job) = open.first() else {
        return Ok(());
    };
    let allowed = format!(
        "it cannot change while {} task {} is not finished; wait for its end or cancel it",
        job.order.kind().label(),
        job.id
    );
    let given = &draft.settings.storage.directory;
    Err(Error::invalid(label::DIRECTORY, given, allowed))
}

impl Admin {
    /// Hands a second storage that is new to the engine, which knows best whose it is.
    async fn take_second(&self, draft: &Draft) -> Result<(), Error> {
        let inner = &self.console.inner;
        let Some(new) = draft.settings.second.as_ref() else {
            return Ok(());
        };
        if is_second(inner, draft.handle.id, &new.storage).await? {
            return Ok(());
        }
        let given = draft.keys.second.as_ref();
        let key = self
            .key_of(&new.storage, given, label::SECOND_PREFIX)
            .await?;
        let target = places::target(inner, draft.is_remote, &new.storage, key.as_ref());
        let engine = draft.handle.engine()?;
        match second::hand(&*engine, Some(&target)).await {
            Err(error) if error.kind == EngineErrorKind::Rejected => {
                let field = format!("{}{}", label::SECOND_PREFIX, label::DIRECTORY);
                let directory = &new.storage.directory;
                Err(Error::invalid(&field, directory, error.message))
            }
            other => Ok(other?),
        }
    }
}

/// Whether second copies of a cluster go to this storage already.
async fn is_second(
    inner: &Inner,
    cluster: ClusterId,
    storage: &StorageSettings,
) -> Result<bool, Error> {
    let present = inner.store.second_storage(cluster).await?;
    let present = present.map(|present| places::absolute_storage(inner, present.settings));
    Ok(present.is_some_and(|present| storage::same_place(&present, storage)))
}

/// The configuration of these settings, written anew where a person changed its name or its threshold.
async fn put_storage(
    change: &Change,
    inner: &Inner,
    settings: &StorageSettings,
    prefix: &str,
    at: Scn,
) -> Result<StorageId, Error> {
    let configs = change.storage_configs().await?;
    let same = |config: &&StorageConfig| {
        let known = places::absolute_storage(inner, config.settings.clone());
        storage::same_place(&known, settings)
    };
    let row = places::stored_storage(inner, settings.clone());
    let others = configs.iter().filter(|config| !same(config));
    if let Some(taken) = others
        .into_iter()
        .find(|config| config.settings.name == settings.name)
    {
        let field = format!("{prefix}{}", label::STORAGE_NAME);
        return Err(storages::taken_name(&field, &settings.name, inner, taken));
    }
    match configs.iter().find(same) {
        Some(there) if there.settings == row => Ok(there.id),
        Some(there) => {
            change.modify_storage(there.id, &row).await?;
            Ok(there.id)
        }
        None => Ok(change.add_storage(&row, at).await?),
    }
}

fn passed<'a>(tests: &'a [PassedTest], storage: &StorageSettings) -> Option<&'a PassedTest> {
    let endpoint = storage.object.as_ref().map(|it| &it.endpoint);
    tests.iter().find(|test| {
        test.kind == storage.kind
            && test.directory == storage.directory
            && test.endpoint.as_ref() == endpoint
    })
}

fn not_tested(prefix: &str, storage: &StorageSettings) -> Violation {
    let field = format!("{prefix}{}", label::DIRECTORY);
    let allowed = "test this storage first; the test has to pass within a day before saving";
    Violation::new(&field, &storage.directory, allowed)
}

/// A directory where another cluster keeps its backups or their copies is no place for second copies.
async fn elsewhere_used(
    inner: &Inner,
    cluster: &KnownCluster,
    second: &StorageSettings,
) -> Result<Option<Violation>, Error> {
    let directory = &second.directory;
    let meets = |other: &StorageSettings| {
        let other_directory = &other.directory;
        storage::same_service(second, other)
            && (storage::same_directory(directory, other_directory)
                || storage::is_within(directory, other_directory)
                || storage::is_within(other_directory, directory))
    };
    for known in inner.store.clusters().await? {
        let id = known.cluster.id;
        let mut taken: Vec<StorageSettings> =
            places::present(inner, &known).await?.into_iter().collect();
        if id != cluster.cluster.id {
            let second = inner.store.second_storage(id).await?;
            taken.extend(second.map(|it| places::absolute_storage(inner, it.settings)));
        }
        if taken.iter().any(meets) {
            let field = format!("{}{}", label::SECOND_PREFIX, label::DIRECTORY);
            let name = &known.cluster.name;
            let allowed = format!("cluster {name} keeps backups there; choose another place");
            return Ok(Some(Violation::new(&field, directory, allowed)));
        }
    }
    Ok(None)
}

fn joined(changes: &[Difference]) -> String {
    let texts: Vec<String> = changes.iter().map(Difference::to_string).collect();
    texts.join("; ")
}

fn described(settings: &StrategySettings) -> String {
    let fields = difference::fields(settings);
    let texts: Vec<String> = fields
        .iter()
        .map(|(field, value)| format!("{field}: {value}"))
        .collect();
    texts.join("; ")
}
