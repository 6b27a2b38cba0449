//! Who is calling, as the server put it into the context; and the handle of a role for them.

use super::ApiError;
use control::{Account, Admin, Console, GlobalAdmin, Operator, Viewer};
use domain::access::Actor;
use leptos::prelude::*;

/// The console and the actor of this request.
fn caller() -> Result<(Console, Actor), ApiError> {
    let missing = || ApiError::Internal("This request came without a console.".to_owned());
    let console = use_context::<Console>().ok_or_else(missing)?;
    let Some(actor) = use_context::<Actor>() else {
        super::error::set_signed_out();
        return Err(ApiError::SignedOut);
    };
    Ok((console, actor))
}

/// The caller's own account.
pub(super) fn account() -> Result<Account, ApiError> {
    let (console, actor) = caller()?;
    Ok(console.account(&actor)?)
}

/// The caller's handle for looking.
pub(super) fn viewer() -> Result<Viewer, ApiError> {
    let (console, actor) = caller()?;
    Ok(console.viewer(&actor)?)
}

/// The caller's handle for backing up and recovering.
pub(super) fn operator() -> Result<Operator, ApiError> {
    let (console, actor) = caller()?;
    Ok(console.operator(&actor)?)
}

/// The caller's handle for how a cluster is backed up, and for the audit.
pub(super) fn admin() -> Result<Admin, ApiError> {
    let (console, actor) = caller()?;
    Ok(console.admin(&actor)?)
}

/// The caller's handle for users and for adding clusters.
pub(super) fn global_admin() -> Result<GlobalAdmin, ApiError> {
    let (console, actor) = caller()?;
    Ok(console.global_admin(&actor)?)
}
