//! Backup strategies: the present one, the form and its preview, storages and their test, and every change.

use super::ApiError;
use domain::{
    Revision,
    schedule::PlannedRun,
    storage::{AccessKey, ProbeReport, StorageKeys, StorageSettings},
    strategy::{
        LogBackupEnd, Schedule, StorageUse, StrategyForm, StrategyReport, StrategySaved,
        StrategySettings, check::Warning,
    },
};
use leptos::{prelude::*, server_fn::codec::Json};

#[cfg(feature = "ssr")]
use super::caller::{admin, global_admin, operator, viewer};

/// The strategy of a cluster, if it has one.
#[server(input = Json)]
pub async fn show(cluster: String) -> Result<Option<StrategyReport>, ApiError> {
    Ok(viewer()?.strategy(&cluster).await?)
}

/// What the form begins with.
#[server(input = Json)]
pub async fn form(cluster: String) -> Result<StrategyForm, ApiError> {
    Ok(viewer()?.strategy_form(&cluster).await?)
}

/// The next runs of a schedule that is not saved.
#[server(input = Json)]
pub async fn preview(schedule: Schedule) -> Result<Vec<PlannedRun>, ApiError> {
    Ok(viewer()?.preview(&schedule).await?)
}

/// What is allowed and unwise about settings that are not saved.
#[server(input = Json)]
pub async fn advice(settings: StrategySettings) -> Result<Vec<Warning>, ApiError> {
    viewer()?;
    Ok(domain::strategy::check::warnings(&settings))
}

/// Storage configurations and who uses them.
#[server(input = Json)]
pub async fn storages() -> Result<Vec<StorageUse>, ApiError> {
    Ok(viewer()?.storage_configs().await?)
}

/// Tries a storage, step by step. Without a key an object storage is tried with the one that is known.
#[server(input = Json)]
pub async fn test_storage(
    cluster: String,
    storage: StorageSettings,
    key: Option<AccessKey>,
    must_be_empty: bool,
) -> Result<ProbeReport, ApiError> {
    let admin = admin()?;
    let report = admin.test_storage_with(&cluster, &storage, key.as_ref(), must_be_empty);
    Ok(report.await?)
}

/// Gives a storage configuration another name.
#[server(input = Json)]
pub async fn rename_storage(
    cluster: String,
    name: String,
    new_name: String,
) -> Result<(), ApiError> {
    Ok(admin()?.rename_storage(&cluster, &name, &new_name).await?)
}

/// Removes a storage configuration that nobody uses; what lies there stays.
#[server(input = Json)]
pub async fn remove_storage(name: String) -> Result<(), ApiError> {
    Ok(global_admin()?.remove_storage(&name).await?)
}

/// Makes a strategy, with the keys of its object storages.
#[server(input = Json)]
pub async fn create(
    cluster: String,
    settings: StrategySettings,
    keys: StorageKeys,
) -> Result<StrategySaved, ApiError> {
    let admin = admin()?;
    Ok(admin
        .create_strategy_with(&cluster, &settings, &keys)
        .await?)
}

/// Changes the strategy that was read at a version. Keys that are not given stay.
#[server(input = Json)]
pub async fn modify(
    cluster: String,
    rev: Revision,
    settings: StrategySettings,
    keys: StorageKeys,
) -> Result<StrategySaved, ApiError> {
    let admin = admin()?;
    Ok(admin
        .modify_strategy_with(&cluster, rev, &settings, &keys)
        .await?)
}

/// Sends a cluster what it lacks of its strategy's settings; the answer tells what could not be set.
#[server(input = Json)]
pub async fn apply(cluster: String) -> Result<Vec<String>, ApiError> {
    Ok(admin()?.apply_strategy(&cluster).await?)
}

/// Deletes the strategy that was read at a version; the answer tells what could not be stopped.
#[server(input = Json)]
pub async fn delete(
    cluster: String,
    rev: Revision,
    log: LogBackupEnd,
) -> Result<Vec<String>, ApiError> {
    Ok(admin()?.delete_strategy(&cluster, rev, log).await?)
}

/// Ends automatic runs for now.
#[server(input = Json)]
pub async fn pause(cluster: String) -> Result<(), ApiError> {
    Ok(operator()?.pause_strategy(&cluster).await?)
}

/// Takes automatic runs up again.
#[server(input = Json)]
pub async fn resume(cluster: String) -> Result<(), ApiError> {
    Ok(operator()?.resume_strategy(&cluster).await?)
}
