//! One's own account: who is signed in, where, and the password.

use super::ApiError;
use domain::user::{Me, SessionRow};
use leptos::{prelude::*, server_fn::codec::Json};

#[cfg(feature = "ssr")]
use super::caller::account;

/// Whoever is signed in.
#[server(input = Json)]
pub async fn current() -> Result<Me, ApiError> {
    Ok(account()?.me())
}

/// Where one is signed in.
#[server(input = Json)]
pub async fn sessions() -> Result<Vec<SessionRow>, ApiError> {
    Ok(account()?.sessions().await?)
}

/// Ends one of the sessions.
#[server(input = Json)]
pub async fn end_session(id: i64) -> Result<(), ApiError> {
    Ok(account()?.end_session(id).await?)
}

/// Changes one's password and ends all other sessions.
#[server(input = Json)]
pub async fn change_password(present: String, new: String) -> Result<(), ApiError> {
    Ok(account()?.change_password(&present, &new).await?)
}
