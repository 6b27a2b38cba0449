//! Initiate Recovery: rebuild a tenant, under a new name, as of a moment.

use crate::language::{t, tf};
pub mod destination;
pub mod form;
pub mod model;
pub mod placing;
pub mod plan;
pub mod rail;
pub mod source;

use crate::api::{self, ApiError, asked};
use crate::routes::paths;
use crate::signal::Memo;
use crate::ui::{Any, ErrorNotice, Skeleton, waiting};
use form::RecoveryForm;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::{use_params_map, use_query_map};

/// The page that starts a recovery. The address may name the tenant (`tenant`, its name or number)
/// and the moment (`at`, RFC 3339).
#[component]
pub fn InitiateRecovery() -> impl IntoView {
    let params = use_params_map();
    let cluster = Memo::new(move |_| {
        params
            .with(|params| params.get("cluster"))
            .unwrap_or_default()
    });
    let overview = asked(move || cluster.get(), api::clusters::overview);
    let query = use_query_map();
    view! {
        <Title text=t("Initiate Recovery")/>
        {waiting(|| view! { <Head cluster=String::new()/> <div class="panel"><Skeleton rows=8/></div> }.any(), move || async move {
                let name = cluster.get_untracked();
                match overview.await {
                    Ok(overview) => {
                        let asked = query.with_untracked(|query| (query.get("tenant"), query.get("at")));
                        view! { <RecoveryForm cluster=name overview asked/> }.any()
                    }
                    Err(error) => view! { <Unread cluster=name error retry=Callback::new(move |()| overview.refetch())/> }.any(),
                }
            })}
    }.any()
}

/// Where one is, and the title.
#[component]
fn Head(cluster: String, #[prop(optional)] children: Option<Children>) -> impl IntoView {
    let backup = paths::backup(&cluster);
    view! {
        <div class="page-head">
            <nav class="breadcrumb" aria-label=t("Breadcrumb")>
                <ol>
                    <li><a href=paths::CLUSTERS>{t("Clusters")}</a></li>
                    <li>{cluster}</li>
                    <li><a href=backup>{t("Backup & Recovery")}</a></li>
                    <li aria-current="page">{t("Initiate Recovery")}</li>
                </ol>
            </nav>
            <div class="page-title"><h1>{t("Initiate Recovery")}</h1></div>
            {children.map(|children| children())}
        </div>
    }
    .any()
}

/// The cluster could not be read.
#[component]
fn Unread(cluster: String, error: ApiError, retry: Callback<()>) -> impl IntoView {
    let (title, again) = match error {
        ApiError::NotFound { .. } => (
            tf("There is no cluster {cluster}", &[("cluster", &cluster)]),
            None,
        ),
        _ => (
            t("The backups of this cluster could not be read").to_owned(),
            Some(retry),
        ),
    };
    view! {
        <Head cluster/>
        <div class="panel">
            {match again {
                Some(on_retry) => view! { <ErrorNotice title text=error.to_string() on_retry/> }.any(),
                None => view! { <ErrorNotice title text=error.to_string()/> }.any(),
            }}
        </div>
    }.any()
}
