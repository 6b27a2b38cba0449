//! The navigation: at the side, or at the bottom of a phone. Only entries that lead somewhere.

use super::{ClusterList, CurrentCluster};
use crate::{
    language::t,
    paths,
    ui::{Any, Icon, follow, waiting},
};
use leptos::prelude::*;
use leptos_router::hooks::use_location;

/// The navigation.
#[component]
pub fn SideNav() -> impl IntoView {
    let ClusterList(clusters) = expect_context();
    view! {
        <nav class="side-nav" aria-label=t("Main")>
            <ul>
                <Entry icon="storage" go="o" label=t("Overview") href=paths::OVERVIEW.to_owned()/>
                <Entry icon="clusters" go="c" label=t("Clusters") href=paths::CLUSTERS.to_owned()/>
                <Entry icon="s-warn" go="a" label=t("Alerts") href=paths::ALERTS.to_owned()/>
                <Entry icon="recovery" go="r" label=t("Recovery") href=paths::RECOVERY.to_owned()/>
                {waiting(|| ().into_any(), move || async move {
                        let first = clusters
                            .await
                            .ok()
                            .and_then(|list| list.first().map(|one| one.cluster.name.clone()));
                        view! { <OfCluster first/> }.any()
            })}
            </ul>
            <p class="side-nav-foot">{concat!("Tidemark ", env!("CARGO_PKG_VERSION"))}</p>
        </nav>
    }
    .any()
}

/// The entries that belong to one cluster: the current one, or the first.
#[component]
fn OfCluster(first: Option<String>) -> impl IntoView {
    let CurrentCluster(current) = expect_context();
    follow(move || {
        current.get().or_else(|| first.clone()).map(|cluster| {
            view! {
                <Entry icon="backup" go="b" label=t("Backup & Recovery") href=paths::backup(&cluster)/>
            }
            .any()
        })
    })
}

#[component]
fn Entry(
    icon: &'static str,
    /// The key that leads there after `g`.
    go: &'static str,
    label: &'static str,
    href: String,
) -> impl IntoView {
    let location = use_location();
    let target = href.clone();
    let current = move || (*location.pathname.read() == target).then_some("page");
    view! {
        <li>
            <a href=href data-go=go aria-current=current title=label>
                <Icon name=icon/>
                <span>{label}</span>
            </a>
        </li>
    }
    .any()
}
