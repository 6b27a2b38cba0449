//! Alerts: the list, one of them with what to do, how many are active, and masks.

use super::ApiError;
use domain::{
    AlertId, Scn,
    alert::{Alert, AlertCounts, AlertDetails, AlertFilter},
    page::Page,
};
use leptos::{prelude::*, server_fn::codec::Json};

#[cfg(feature = "ssr")]
use super::caller::{operator, viewer};

/// One page of the alerts of a cluster and of the console itself.
#[server(input = Json)]
pub async fn list(cluster: String, filter: AlertFilter) -> Result<Page<Alert>, ApiError> {
    Ok(viewer()?.alerts(&cluster, &filter).await?)
}

/// One page of the alerts of the console and of every cluster that the caller may look at.
#[server(input = Json)]
pub async fn everywhere(filter: AlertFilter) -> Result<Page<Alert>, ApiError> {
    Ok(viewer()?.all_alerts(&filter).await?)
}

/// How many of them are active, by level.
#[server(input = Json)]
pub async fn counts(cluster: String) -> Result<AlertCounts, ApiError> {
    Ok(viewer()?.alert_counts(&cluster).await?)
}

/// How many match, whatever their level, by level.
#[server(input = Json)]
pub async fn levels(cluster: String, filter: AlertFilter) -> Result<AlertCounts, ApiError> {
    Ok(viewer()?.alert_levels(&cluster, &filter).await?)
}

/// One alert with its history and what to do.
#[server(input = Json)]
pub async fn one(cluster: String, id: AlertId) -> Result<AlertDetails, ApiError> {
    Ok(viewer()?.alert(&cluster, id).await?)
}

/// Calls nobody about an alert that lasts, until a moment.
#[server(input = Json)]
pub async fn mask(
    cluster: String,
    id: AlertId,
    until: Scn,
    reason: String,
) -> Result<(), ApiError> {
    Ok(operator()?.mask(&cluster, id, until, &reason).await?)
}

/// Ends the mask of an alert.
#[server(input = Json)]
pub async fn unmask(cluster: String, id: AlertId) -> Result<(), ApiError> {
    Ok(operator()?.unmask(&cluster, id).await?)
}
