//! The audit.

use super::ApiError;
use domain::{
    audit::{AuditFilter, AuditRow},
    page::Page,
};
use leptos::{prelude::*, server_fn::codec::Json};

#[cfg(feature = "ssr")]
use super::caller::admin;

/// One page of the audit: of everything, or of the clusters where one is administrator.
#[server(input = Json)]
pub async fn list(filter: AuditFilter) -> Result<Page<AuditRow>, ApiError> {
    Ok(admin()?.audit(&filter).await?)
}
