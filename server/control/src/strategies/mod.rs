//! Backup strategies: what the page and the commands are told. Changing them is in the files beside.

mod apply;
mod ending;
pub(crate) mod keys;
pub(crate) mod places;
mod storages;
mod submit;

pub(crate) use storages::{ensure_own, own_storage};

use crate::{access::Viewer, console::Inner, error::Error, reports::known};
use domain::{
    backup::{BackupKind, BackupMethod},
    schedule::{self, PlannedRun},
    storage::StorageSettings,
    strategy::{
        CleanupSettings, Cycle, FIRST_TIME, PREVIEW_RUNS, RunKind, Schedule, Standing,
        StrategyForm, StrategyReport, StrategySettings, Thresholds, TimeOfDay, check, standing,
    },
    validate::Violation,
};
use store::{KnownCluster, KnownStrategy};

/// Days of retention that a new strategy proposes.
const RETENTION_FIRST: u32 = 7;
/// Time of day of cleanup that a new strategy proposes.
const CLEANUP_FIRST: TimeOfDay = TimeOfDay { hour: 5, minute: 0 };
/// Newest runs of a schedule that its status is made from; what is older decides nothing.
const RUNS_MAX: u64 = 50;

impl Viewer {
    /// The strategy of a cluster, if it has one.
    pub async fn strategy(&self, cluster: &str) -> Result<Option<StrategyReport>, Error> {
        let inner = &self.console.inner;
        let cluster = known(inner, &*self.handle(cluster)?).await?;
        let Some(present) = inner.store.strategy(cluster.cluster.id).await? else {
            return Ok(None);
        };
        let standing = standing_of(inner, Some(&present)).await?;
        Ok(Some(StrategyReport {
            drift: cluster.drift,
            ..report(inner, present, standing)?
        }))
    }

    /// What the form for a cluster's strategy begins with: the present one, or a proposal.
    pub async fn strategy_form(&self, cluster: &str) -> Result<StrategyForm, Error> {
        let inner = &self.console.inner;
        let cluster = known(inner, &*self.handle(cluster)?).await?;
        let present = inner.store.strategy(cluster.cluster.id).await?;
        let storages = self.storage_configs().await?;
        let rev = present.as_ref().map(|present| present.strategy.rev);
        let settings = match present {
            Some(present) => places::absolute_settings(inner, present.strategy.settings),
            None => {
                let place = places::present(inner, &cluster).await?;
                let directory = match place {
                    Some(place) => place.directory,
                    None => places::common_directory(inner, &cluster)
                        .await?
                        .unwrap_or_default(),
                };
                proposal(&cluster, directory, &storages)
            }
        };
        let able = cluster.cluster.capabilities;
        Ok(StrategyForm {
            settings,
            rev,
            methods: able.methods,
            incremental: able.incremental,
            second: able.second_backup,
            change_destination: able.change_destination,
            kinds: able.storages,
            expiry: able.expiry,
            storages,
            zones: schedule::zone_names().map(str::to_owned).collect(),
        })
    }

    /// The next runs of a schedule that need not be saved.
    pub async fn preview(&self, schedule: &Schedule) -> Result<Vec<PlannedRun>, Error> {
        let wrong = schedule::violations(schedule);
        if !wrong.is_empty() {
            return Err(Error::Invalid(wrong));
        }
        let now = self.console.inner.now();
        schedule::planned(schedule, now, PREVIEW_RUNS).map_err(one)
    }
}

fn one(wrong: Violation) -> Error {
    Error::Invalid(vec![wrong])
}

/// How scheduling stands.
pub(crate) async fn standing_of(
    inner: &Inner,
    known: Option<&KnownStrategy>,
) -> Result<Standing, Error> {
    let strategy = known.map(|known| &known.strategy);
    let runs = match strategy.filter(|strategy| !strategy.paused) {
        Some(strategy) => {
            let data = RunKind::DataBackup;
            inner.store.newest_runs(strategy.id, data, RUNS_MAX).await?
        }
        None => Vec::new(),
    };
    Ok(standing(strategy, &runs))
}

fn report(
    inner: &Inner,
    known: KnownStrategy,
    standing: Standing,
) -> Result<StrategyReport, Error> {
    let mut strategy = known.strategy;
    strategy.settings = places::absolute_settings(inner, strategy.settings);
    let next = match strategy.paused {
        true => Vec::new(),
        false => {
            let schedule = &strategy.settings.schedule;
            schedule::planned(schedule, inner.now(), PREVIEW_RUNS).map_err(one)?
        }
    };
    Ok(StrategyReport {
        next,
        warnings: check::warnings(&strategy.settings),
        modified_by: known.modified_by,
        paused_at: known.paused_at,
        status: standing.status,
        reason: standing.reason,
        drift: Vec::new(),
        strategy,
    })
}

/// What a new strategy proposes: every night, to where the cluster's backups go already.
fn proposal(
    cluster: &KnownCluster,
    directory: String,
    storages: &[domain::strategy::StorageUse],
) -> StrategySettings {
    let able = &cluster.cluster.capabilities;
    let configured = storages.iter().find(|each| {
        let settings = &each.config.settings;
        !directory.is_empty() && !settings.kind.is_object() && settings.directory == directory
    });
    let other_days = match able.incremental {
        true => BackupKind::Incremental,
        false => BackupKind::Full,
    };
    let mut days: std::collections::BTreeMap<u8, BackupKind> =
        (1..=6).map(|day| (day, other_days)).collect();
    days.insert(7, BackupKind::Full);
    StrategySettings {
        method: able
            .methods
            .first()
            .copied()
            .unwrap_or(BackupMethod::Physical),
        storage: configured.map_or_else(
            || StorageSettings {
                name: storages::proposed_name(&cluster.cluster.name, storages),
                ..places::directory(directory)
            },
            |each| each.config.settings.clone(),
        ),
        schedule: Schedule {
            cycle: Cycle::Week,
            days,
            at: FIRST_TIME,
            zone: "UTC".to_owned(),
        },
        start_log_backup: true,
        cleanup: CleanupSettings {
            enabled: false,
            retention_days: RETENTION_FIRST,
            at: CLEANUP_FIRST,
        },
        thresholds: Thresholds::default(),
        second: None,
    }
}
