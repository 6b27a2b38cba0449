//! Backup Strategy of a cluster: what it is, and the form that makes or changes it.

use crate::language::{t, tf};
pub mod actions;
pub mod advice;
pub mod card;
pub mod days;
pub mod draft;
pub mod drift;
pub mod fields;
pub mod form;
pub mod preview;
pub mod sections;
pub mod storage;

use crate::api::{self, ApiError, asked};
use crate::routes::paths;
use crate::shell::Myself;
use crate::signal::Memo;
use crate::ui::{Any, Empty, ErrorNotice, Icon, Skeleton, title, waiting};
use domain::strategy::StrategyReport;
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

/// Name of the cluster in the address.
fn cluster_of_address() -> Memo<String> {
    let params = use_params_map();
    Memo::new(move |_| params.read().get("cluster").unwrap_or_default())
}

/// The tab: everything that the strategy says.
#[component]
pub fn BackupStrategy() -> impl IntoView {
    let cluster = cluster_of_address();
    let report = asked(move || cluster.get(), api::strategies::show);
    let again = Callback::new(move |()| report.refetch());
    view! {
        {title(move || tf("Backup Strategy, {cluster}", &[("cluster", &cluster.get())]))}
        {waiting(|| view! { <section class="panel"><Skeleton rows=8/></section> }.any(), move || async move {
            let cluster = cluster.get_untracked();
            match report.await {
                Ok(report) => view! { <Loaded cluster report again/> }.any(),
                Err(error) => view! { <Unread cluster error again/> }.any(),
            }
        })}
    }
    .any()
}

#[component]
fn Loaded(cluster: String, report: Option<StrategyReport>, again: Callback<()>) -> impl IntoView {
    let edit = paths::edit_strategy(&cluster);
    let Myself(me) = expect_context();
    match report {
        Some(report) => {
            let (name, shown) = (cluster.clone(), report.clone());
            let (of, drift) = (cluster.clone(), report.drift.clone());
            view! {
                <Head cluster=cluster.clone() here=t("Backup Strategy")>
                    <actions::Actions cluster=name report again/>
                </Head>
                <Tabs cluster/>
                <div class="stack">
                    <drift::Differences cluster=of drift again/>
                    <card::Card report=shown/>
                </div>
            }
            .any()
        }
        None => view! {
            <Head cluster=cluster.clone() here=t("Backup Strategy")/>
            <Tabs cluster/>
            <div class="panel">
                <Empty
                    title=t("No backup strategy")
                    text=t("Data backups start by hand only, nothing expires, and no second copy is kept. A strategy does all of that at its times.")
                    sea=true
                >
                    {waiting(|| ().into_any(), move || {
                        let edit = edit.clone();
                        // Whoever administers nothing is not led to a form that would be refused.
                        async move {
                            let may = me.await.is_ok_and(|me| me.administers());
                            may.then(|| new_strategy(edit)).into_any()
                        }
                    })}
                </Empty>
            </div>
        }
        .any(),
    }
}

fn new_strategy(href: String) -> AnyView {
    view! {
        <a class="button" data-variant="primary" href=href>
            <Icon name="plus"/>
            {t("New Backup Strategy")}
        </a>
    }
    .any()
}

/// Where one is, the title, and what can be done.
#[component]
fn Head(
    cluster: String,
    /// The last part of the path.
    here: &'static str,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    let backup = paths::backup(&cluster);
    view! {
        <div class="page-head">
            <nav class="breadcrumb" aria-label=t("Breadcrumb")>
                <ol>
                    <li><a href=paths::CLUSTERS>{t("Clusters")}</a></li>
                    <li><a href=paths::cluster(&cluster)>{cluster.clone()}</a></li>
                    <li><a href=backup>{t("Backup & Recovery")}</a></li>
                    <li aria-current="page">{here}</li>
                </ol>
            </nav>
            <div class="page-title"><h1>{here}</h1></div>
            {children.map(|children| view! { <div class="page-actions">{children()}</div> }.any())}
        </div>
    }
    .any()
}

#[component]
fn Tabs(cluster: String) -> impl IntoView {
    view! {
        <nav class="tabs page-tabs" aria-label=t("Backup & Recovery")>
            <a href=paths::backup(&cluster)>{t("Details")}</a>
            <a href=paths::strategy(&cluster) aria-current="page">{t("Backup Strategy")}</a>
        </nav>
    }
    .any()
}

#[component]
fn Unread(cluster: String, error: ApiError, again: Callback<()>) -> impl IntoView {
    let title = match error {
        ApiError::NotFound { .. } => tf("There is no cluster {cluster}", &[("cluster", &cluster)]),
        _ => t("The backup strategy could not be read").to_owned(),
    };
    view! {
        <Head cluster here=t("Backup Strategy")/>
        <div class="panel">
            <ErrorNotice title text=error.to_string() on_retry=again/>
        </div>
    }
    .any()
}
