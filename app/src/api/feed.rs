//! What changed since a revision; asked every few seconds by an open page.

use super::ApiError;
use domain::{Revision, feed::Delta};
use leptos::{prelude::*, server_fn::codec::Json};

#[cfg(feature = "ssr")]
use super::caller::viewer;

/// Changes of a cluster after `rev`.
#[server(input = Json)]
pub async fn since(cluster: String, rev: Revision) -> Result<Delta, ApiError> {
    Ok(viewer()?.feed(&cluster, rev).await?)
}
