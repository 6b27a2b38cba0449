//! Notification channels. Addresses go in and never come out.

use super::ApiError;
use domain::channel::{Channel, ChannelChange, ChannelTest, NewChannel};
use leptos::{prelude::*, server_fn::codec::Json};

#[cfg(feature = "ssr")]
use super::caller::{global_admin, viewer};

/// Every channel, by name.
#[server(input = Json)]
pub async fn list() -> Result<Vec<Channel>, ApiError> {
    Ok(viewer()?.channels().await?)
}

/// Adds a channel.
#[server(input = Json)]
pub async fn add(channel: NewChannel) -> Result<Channel, ApiError> {
    Ok(global_admin()?.add_channel(&channel).await?)
}

/// Changes a channel; what is secret and not given stays.
#[server(input = Json)]
pub async fn modify(name: String, change: ChannelChange) -> Result<Channel, ApiError> {
    Ok(global_admin()?.modify_channel(&name, &change).await?)
}

/// Switches a channel off, which gives up what waits for it, or on again.
#[server(input = Json)]
pub async fn switch(name: String, on: bool) -> Result<(), ApiError> {
    Ok(global_admin()?.switch_channel(&name, on).await?)
}

/// Sends a message that says it is a test.
#[server(input = Json)]
pub async fn test(name: String) -> Result<ChannelTest, ApiError> {
    Ok(global_admin()?.test_channel(&name).await?)
}

/// Removes a channel; what still waits for it is not sent.
#[server(input = Json)]
pub async fn remove(name: String) -> Result<(), ApiError> {
    Ok(global_admin()?.remove_channel(&name).await?)
}
