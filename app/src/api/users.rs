//! Users and what they may do.

use super::ApiError;
use domain::{
    UserId,
    access::Role,
    user::{NewUser, OneTimeLink, UserRow},
};
use leptos::{prelude::*, server_fn::codec::Json};

#[cfg(feature = "ssr")]
use super::caller::global_admin;

/// Every user.
#[server(input = Json)]
pub async fn list() -> Result<Vec<UserRow>, ApiError> {
    Ok(global_admin()?.users().await?)
}

/// Adds a user; the link is their way to a password.
#[server(input = Json)]
pub async fn add(user: NewUser) -> Result<OneTimeLink, ApiError> {
    Ok(global_admin()?.add_user(&user).await?)
}

/// Takes a user's password and sessions away; the link is their way to a new password.
#[server(input = Json)]
pub async fn reset(id: UserId) -> Result<OneTimeLink, ApiError> {
    Ok(global_admin()?.reset_user(id).await?)
}

/// Keeps a user out, or lets them in again.
#[server(input = Json)]
pub async fn set_disabled(id: UserId, disabled: bool) -> Result<(), ApiError> {
    Ok(global_admin()?.set_disabled(id, disabled).await?)
}

/// Deletes a user.
#[server(input = Json)]
pub async fn delete(id: UserId) -> Result<(), ApiError> {
    Ok(global_admin()?.delete_user(id).await?)
}

/// Gives a user a role in a cluster, or everywhere where none is named; or takes it away.
#[server(input = Json)]
pub async fn grant(
    id: UserId,
    cluster: Option<String>,
    role: Option<Role>,
) -> Result<(), ApiError> {
    Ok(global_admin()?.grant(id, cluster.as_deref(), role).await?)
}
