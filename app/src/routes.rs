//! Which address shows which page, and the functions that build the addresses.

use crate::{
    pages::{backup_recovery::BackupRecovery, home::Home, not_found::NotFound},
    parts::{
        AccountRoute, AlertsRoute, AuditRoute, ClusterOverviewRoute, ClustersRoute,
        EditStrategyRoute, FirstRunRoute, OverviewRoute, RecoveriesRoute, RecoveryRoute,
        SettingsRoute, StrategyRoute, UsersRoute,
    },
};
use leptos::prelude::*;
use leptos_router::{
    Lazy, SsrMode,
    components::{FlatRoutes, Route},
    path,
};

/// The pages. Each is sent whole, so that it can be read without any script.
#[component]
pub fn Pages() -> impl IntoView {
    view! {
        <FlatRoutes fallback=|| view! { <NotFound/> }.into_any()>
            <Route path=path!("/") view=Home ssr=SsrMode::Async/>
            <Route path=path!("/clusters") view={Lazy::<ClustersRoute>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/clusters/new") view={Lazy::<FirstRunRoute>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/clusters/:cluster/backup") view=BackupRecovery ssr=SsrMode::Async/>
            <Route
                path=path!("/clusters/:cluster")
                view={Lazy::<ClusterOverviewRoute>::new()}
                ssr=SsrMode::Async
            />
            <Route path=path!("/overview") view={Lazy::<OverviewRoute>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/recovery") view={Lazy::<RecoveriesRoute>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/alerts") view={Lazy::<AlertsRoute>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/account") view={Lazy::<AccountRoute>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/settings") view={Lazy::<SettingsRoute>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/users") view={Lazy::<UsersRoute>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/audit") view={Lazy::<AuditRoute>::new()} ssr=SsrMode::Async/>
            <Route
                path=path!("/clusters/:cluster/strategy")
                view={Lazy::<StrategyRoute>::new()}
                ssr=SsrMode::Async
            />
            <Route
                path=path!("/clusters/:cluster/strategy/edit")
                view={Lazy::<EditStrategyRoute>::new()}
                ssr=SsrMode::Async
            />
            <Route
                path=path!("/clusters/:cluster/recovery/new")
                view={Lazy::<RecoveryRoute>::new()}
                ssr=SsrMode::Async
            />
        </FlatRoutes>
    }
}

/// Addresses of the pages.
pub mod paths {
    use crate::language::Language;
    use domain::{Scn, TenantId};
    use leptos_router::location::Url;

    /// Where the viewer's language is chosen.
    pub const LANGUAGE: &str = "/language";

    /// The page with this path and search in another language.
    pub fn in_language(language: Language, path: &str, search: &str) -> String {
        let back = match search.trim_start_matches('?') {
            "" => path.to_owned(),
            search => format!("{path}?{search}"),
        };
        format!(
            "{LANGUAGE}?to={}&back={}",
            language.code(),
            Url::escape(&back)
        )
    }

    /// The list of clusters.
    pub const CLUSTERS: &str = "/clusters";
    /// The form that adds a cluster.
    pub const NEW_CLUSTER: &str = "/clusters/new";

    /// One's own account.
    pub const ACCOUNT: &str = "/account";
    /// Settings of the console.
    pub const SETTINGS: &str = "/settings";
    /// Users and roles.
    pub const USERS: &str = "/users";
    /// The audit.
    pub const AUDIT: &str = "/audit";

    /// Overview of all clusters.
    pub const OVERVIEW: &str = "/overview";

    /// Recoveries of all clusters.
    pub const RECOVERY: &str = "/recovery";
    /// Alerts of all clusters.
    pub const ALERTS: &str = "/alerts";

    /// Overview of a cluster.
    pub fn cluster(cluster: &str) -> String {
        format!("/clusters/{cluster}")
    }

    /// Backup & Recovery of a cluster.
    pub fn backup(cluster: &str) -> String {
        format!("/clusters/{cluster}/backup")
    }

    /// Backup Strategy of a cluster.
    pub fn strategy(cluster: &str) -> String {
        format!("/clusters/{cluster}/strategy")
    }

    /// The form that makes or changes the strategy of a cluster.
    pub fn edit_strategy(cluster: &str) -> String {
        format!("/clusters/{cluster}/strategy/edit")
    }

    /// A tab of a cluster's Backup & Recovery page.
    pub fn tasks(cluster: &str, tab: &str) -> String {
        format!("/clusters/{cluster}/backup?tab={tab}")
    }

    /// Initiate Recovery of a cluster, for a tenant and a moment if they are chosen.
    pub fn new_recovery(cluster: &str, tenant: Option<TenantId>, at: Option<Scn>) -> String {
        let mut path = format!("/clusters/{cluster}/recovery/new");
        let mut separator = '?';
        if let Some(tenant) = tenant {
            path.push_str(&format!("{separator}tenant={tenant}"));
            separator = '&';
        }
        if let Some(at) = at {
            path.push_str(&format!("{separator}at={}", at.to_rfc3339()));
        }
        path
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn addresses_are_stable() {
            assert_eq!(cluster("local"), "/clusters/local");
            assert_eq!(backup("local"), "/clusters/local/backup");
            assert_eq!(strategy("local"), "/clusters/local/strategy");
            assert_eq!(edit_strategy("local"), "/clusters/local/strategy/edit");
            assert_eq!(tasks("local", "log"), "/clusters/local/backup?tab=log");
            assert_eq!(
                new_recovery("local", None, None),
                "/clusters/local/recovery/new"
            );
            assert_eq!(
                new_recovery("local", Some(TenantId(3)), Some(Scn(1_500_000_000))),
                "/clusters/local/recovery/new?tenant=3&at=1970-01-01T00:00:01.500000000Z"
            );
        }
    }
}
