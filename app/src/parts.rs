//! Parts of the application that are downloaded when they are first needed, so that the first page is quick.
//!
//! Each function below is a cut: what only it needs becomes a file of its own in the browser's build.
//! Functions that name the same file share it. On the server they are ordinary functions.

use crate::language::t;
use crate::live::seen::when_seen;
use crate::shell::keys::List as KeysList;
use crate::signal::RwSignal;
use crate::{
    pages::{
        account::Account,
        audit::Audit,
        backup_recovery::{
            alerts::details::Body, back_up_now, cleanup_form, task_actions, task_drawer,
            trend::plot::Plot,
        },
        clusters::{Clusters, FirstRun},
        overview::{AllAlerts, ClusterOverview, Overview, Recoveries},
        recovery::InitiateRecovery,
        settings::Settings,
        strategy::{
            BackupStrategy,
            actions::{Ask, Question},
            form::EditStrategy,
        },
        users::Users,
    },
    ui::{Any, ErrorNotice, Skeleton, follow, waiting},
};
use domain::{AlertId, Revision, Scn, trend::StorageTrend};
use leptos::{html, prelude::*};
use leptos_router::LazyRoute;
use std::future::Future;
use wasm_split_helpers::{SplitLoaderError, wasm_split};

/// A part could not be downloaded; asking again tries again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "This part of the page could not be downloaded. The console does not answer, or is a newer one: reload the page."
)]
pub struct NotDownloaded;

impl From<SplitLoaderError> for NotDownloaded {
    fn from(_: SplitLoaderError) -> Self {
        NotDownloaded
    }
}

/// What a part gives.
pub type Part = Result<AnyView, NotDownloaded>;

#[wasm_split(recovery, fallible)]
fn initiate_recovery() -> Part {
    Ok(view! { <InitiateRecovery/> }.any())
}

#[wasm_split(strategy, fallible)]
fn strategy() -> Part {
    Ok(view! { <BackupStrategy/> }.any())
}

#[wasm_split(strategy, fallible)]
fn edit_strategy() -> Part {
    Ok(view! { <EditStrategy/> }.any())
}

#[wasm_split(clusters, fallible)]
fn clusters() -> Part {
    Ok(view! { <Clusters/> }.any())
}

#[wasm_split(clusters, fallible)]
fn first_run() -> Part {
    Ok(view! { <FirstRun/> }.any())
}

#[wasm_split(overview, fallible)]
fn overview() -> Part {
    Ok(view! { <Overview/> }.any())
}

#[wasm_split(overview, fallible)]
fn recoveries() -> Part {
    Ok(view! { <Recoveries/> }.any())
}

#[wasm_split(overview, fallible)]
fn all_alerts() -> Part {
    Ok(view! { <AllAlerts/> }.any())
}

#[wasm_split(overview, fallible)]
fn cluster_overview() -> Part {
    Ok(view! { <ClusterOverview/> }.any())
}

#[wasm_split(people, fallible)]
fn account() -> Part {
    Ok(view! { <Account/> }.any())
}

#[wasm_split(people, fallible)]
fn users() -> Part {
    Ok(view! { <Users/> }.any())
}

#[wasm_split(settings, fallible)]
fn settings() -> Part {
    Ok(view! { <Settings/> }.any())
}

#[wasm_split(people, fallible)]
fn audit() -> Part {
    Ok(view! { <Audit/> }.any())
}

/// The form of Back up Now.
#[wasm_split(dialogs, fallible, preload(#[doc = "Downloads what dialogs show."] preload_dialogs))]
pub fn back_up_now_form(open: RwSignal<bool>) -> Part {
    Ok(view! { <back_up_now::Form open/> }.any())
}

/// The question before an action on a task.
#[wasm_split(dialogs, fallible)]
pub fn question(asked: task_actions::Asked) -> Part {
    Ok(view! { <task_actions::Question asked/> }.any())
}

/// The details of a task.
#[wasm_split(dialogs, fallible)]
pub fn task_details(shown: task_drawer::Shown) -> Part {
    Ok(view! { <task_drawer::Details shown/> }.any())
}

/// The question before scheduling is paused or started, or the strategy deleted.
#[wasm_split(dialogs, fallible)]
pub fn strategy_question(
    (cluster, about, rev): (String, Question, Revision),
    open: RwSignal<bool>,
    again: Callback<()>,
) -> Part {
    Ok(view! { <Ask cluster about rev open again/> }.any())
}

/// The list of keys.
#[wasm_split(dialogs, fallible)]
pub fn keys_list(open: RwSignal<bool>) -> Part {
    Ok(view! { <KeysList open/> }.any())
}

/// The form of What has expired.
#[wasm_split(dialogs, fallible)]
pub fn clean_up_form(open: RwSignal<bool>) -> Part {
    Ok(view! { <cleanup_form::Form open/> }.any())
}

/// The details of an alert.
#[wasm_split(dialogs, fallible)]
pub fn alert_details(id: AlertId, shown: RwSignal<Option<AlertId>>) -> Part {
    Ok(view! { <Body id shown/> }.any())
}

/// The drawing of the storage trend.
#[wasm_split(charts, fallible)]
pub fn trend_plot((trend, span, text): (StorageTrend, (Scn, Scn), String)) -> Part {
    Ok(view! { <Plot trend span text/> }.any())
}

/// Opens a dialog once its content is there, so that the focus goes to its place inside.
pub fn open_with_content(open: RwSignal<bool>) {
    leptos::task::spawn_local(async move {
        // Where it could not be downloaded, the dialog says so.
        let _ = preload_dialogs().await;
        open.set(true);
    });
}

/// Shows a part as soon as it is there.
pub fn downloaded<F>(part: impl Fn() -> F + Send + 'static) -> AnyView
where
    F: Future<Output = Part> + Send + 'static,
{
    let fallback = || view! { <Skeleton rows=4/> }.any();
    waiting(fallback, move || {
        let part = part();
        async move { part.await.unwrap_or_else(missing) }
    })
}

/// The same for what is further down on a page: it is downloaded once a person comes to it.
pub fn downloaded_when_seen<F>(part: impl Fn() -> F + Clone + Send + 'static) -> AnyView
where
    F: Future<Output = Part> + Send + 'static,
{
    let seen = RwSignal::new(false);
    let place = NodeRef::<html::Div>::new();
    Effect::new(move |_| {
        if let Some(place) = place.get() {
            when_seen(&place, move || {
                seen.try_set(true);
            });
        }
    });
    let content = follow(move || match seen.get() {
        true => downloaded(part.clone()),
        false => view! { <Skeleton rows=4/> }.any(),
    });
    view! { <div node_ref=place>{content}</div> }.any()
}

fn missing(error: NotDownloaded) -> AnyView {
    let title = t("Not downloaded").to_owned();
    view! { <ErrorNotice title text=error.to_string()/> }.any()
}

/// The route of Initiate Recovery.
pub struct RecoveryRoute;

impl LazyRoute for RecoveryRoute {
    fn data() -> Self {
        RecoveryRoute
    }

    async fn view(_: Self) -> AnyView {
        initiate_recovery().await.unwrap_or_else(missing)
    }
}

/// The route of a cluster's Backup Strategy.
pub struct StrategyRoute;

impl LazyRoute for StrategyRoute {
    fn data() -> Self {
        StrategyRoute
    }

    async fn view(_: Self) -> AnyView {
        strategy().await.unwrap_or_else(missing)
    }
}

/// The route of the form that makes or changes a strategy.
pub struct EditStrategyRoute;

impl LazyRoute for EditStrategyRoute {
    fn data() -> Self {
        EditStrategyRoute
    }

    async fn view(_: Self) -> AnyView {
        edit_strategy().await.unwrap_or_else(missing)
    }
}

/// The route of the list of clusters.
pub struct ClustersRoute;

impl LazyRoute for ClustersRoute {
    fn data() -> Self {
        ClustersRoute
    }

    async fn view(_: Self) -> AnyView {
        clusters().await.unwrap_or_else(missing)
    }
}

/// The route of the form that adds a cluster.
pub struct FirstRunRoute;

impl LazyRoute for FirstRunRoute {
    fn data() -> Self {
        FirstRunRoute
    }

    async fn view(_: Self) -> AnyView {
        first_run().await.unwrap_or_else(missing)
    }
}

/// The route of the overview of all clusters.
pub struct OverviewRoute;

impl LazyRoute for OverviewRoute {
    fn data() -> Self {
        OverviewRoute
    }

    async fn view(_: Self) -> AnyView {
        overview().await.unwrap_or_else(missing)
    }
}

/// The route of the overview of a cluster.
pub struct ClusterOverviewRoute;

impl LazyRoute for ClusterOverviewRoute {
    fn data() -> Self {
        ClusterOverviewRoute
    }

    async fn view(_: Self) -> AnyView {
        cluster_overview().await.unwrap_or_else(missing)
    }
}

/// The route of one's own account.
pub struct AccountRoute;

impl LazyRoute for AccountRoute {
    fn data() -> Self {
        AccountRoute
    }

    async fn view(_: Self) -> AnyView {
        account().await.unwrap_or_else(missing)
    }
}

/// The route of the settings.
pub struct SettingsRoute;

impl LazyRoute for SettingsRoute {
    fn data() -> Self {
        SettingsRoute
    }

    async fn view(_: Self) -> AnyView {
        settings().await.unwrap_or_else(missing)
    }
}

/// The route of users and roles.
pub struct UsersRoute;

impl LazyRoute for UsersRoute {
    fn data() -> Self {
        UsersRoute
    }

    async fn view(_: Self) -> AnyView {
        users().await.unwrap_or_else(missing)
    }
}

/// The route of the audit.
pub struct AuditRoute;

impl LazyRoute for AuditRoute {
    fn data() -> Self {
        AuditRoute
    }

    async fn view(_: Self) -> AnyView {
        audit().await.unwrap_or_else(missing)
    }
}

/// The route of the recoveries of all clusters.
pub struct RecoveriesRoute;

impl LazyRoute for RecoveriesRoute {
    fn data() -> Self {
        RecoveriesRoute
    }

    async fn view(_: Self) -> AnyView {
        recoveries().await.unwrap_or_else(missing)
    }
}

/// The route of the alerts of all clusters.
pub struct AlertsRoute;

impl LazyRoute for AlertsRoute {
    fn data() -> Self {
        AlertsRoute
    }

    async fn view(_: Self) -> AnyView {
        all_alerts().await.unwrap_or_else(missing)
    }
}
