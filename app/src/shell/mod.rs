//! The document around everything, and the frame of every page.

pub mod keys;
pub mod side_nav;
pub mod top_bar;

use crate::{
    api::{self, Asked, asked},
    language::{self, Language, t},
    live::time::Clock,
    routes::Pages,
    signal::Memo,
    ui::{Any, Toaster, Toasts},
};
use domain::{cluster::ClusterSummary, user::Me};
use leptos::prelude::*;
use leptos_meta::{MetaTags, Title, provide_meta_context};
use leptos_router::{components::Router, hooks::use_location};
use side_nav::SideNav;
use top_bar::TopBar;

/// Sets the remembered theme before anything is painted.
const THEME_FIRST: &str = "(()=>{try{const t=localStorage.getItem('theme');if(t==='dark'||t==='light')document.documentElement.dataset.theme=t}catch{}})()";

/// The icons, part of every document: they are there with the first paint and change without a request.
const ICONS: &str = include_str!("../../../public/icons.svg");

/// The HTML document. The server calls it for every page.
pub fn document(options: LeptosOptions) -> impl IntoView {
    view! {
        <!DOCTYPE html>
        <html lang=Language::current().tag()>
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="light dark"/>
                <link rel="icon" type="image/svg+xml" href="/favicon.svg"/>
                <link rel="stylesheet" id="leptos" href="/pkg/tidemark.css"/>
                <script nonce=leptos::nonce::use_nonce()>{THEME_FIRST}</script>
                <AutoReload options=options.clone()/>
                <HydrationScripts options/>
                <MetaTags/>
            </head>
            <body>
                <App/>
                <div class="visually-hidden" aria-hidden="true" inner_html=ICONS></div>
                {words()}
            </body>
        </html>
    }
    .any()
}

/// The list of texts, for a browser that takes over a page which is not in English.
fn words() -> Option<AnyView> {
    let list = language::list_for_document()?;
    let script =
        view! { <script type="application/json" id=language::LIST inner_html=list></script> };
    Some(script.any())
}

/// Every cluster, for the switcher and the list. A context of the whole page.
#[derive(Clone, Copy)]
pub struct ClusterList(pub Asked<Vec<ClusterSummary>>);

/// Whoever is signed in. A context of the whole page.
#[derive(Clone, Copy)]
pub struct Myself(pub Asked<Me>);

/// The name of the cluster that the address is about. A context of the whole page.
#[derive(Clone, Copy)]
pub struct CurrentCluster(pub Memo<Option<String>>);

/// The application: the frame, and the page inside it.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    Clock::provide();
    Toasts::provide();
    let title = |text: String| match text.as_str() {
        "" => "Tidemark".to_owned(),
        text => format!("{text} · Tidemark"),
    };
    view! {
        <Title formatter=title/>
        <Router>
            <Frame/>
        </Router>
    }
    .any()
}

#[component]
fn Frame() -> impl IntoView {
    provide_context(ClusterList(asked(|| (), |()| api::clusters::list())));
    provide_context(Myself(asked(|| (), |()| api::account::current())));
    Effect::new(|_| keys::listen());
    let location = use_location();
    let current = Memo::new(move |_| cluster_of(&location.pathname.read()));
    provide_context(CurrentCluster(current));
    view! {
        <a class="skip-link" href="#main">
            {t("Skip to content")}
        </a>
        <div class="shell">
            <TopBar/>
            <SideNav/>
            <main class="sheet" id="main">
                <div class="page">
                    <Pages/>
                </div>
            </main>
        </div>
        <Toaster/>
    }
    .any()
}

/// The cluster in an address such as `/clusters/local/backup`.
fn cluster_of(path: &str) -> Option<String> {
    let mut parts = path.trim_matches('/').split('/');
    match (parts.next(), parts.next(), parts.next()) {
        // The form that adds a cluster has the address of one.
        (Some("clusters"), Some("new"), None) => None,
        (Some("clusters"), Some(name), _) => Some(name.to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_current_cluster_is_read_from_the_address() {
        assert_eq!(
            cluster_of("/clusters/local/backup"),
            Some("local".to_owned())
        );
        assert_eq!(
            cluster_of("/clusters/local/recovery/new"),
            Some("local".to_owned())
        );
        assert_eq!(cluster_of("/clusters/local"), Some("local".to_owned()));
        assert_eq!(cluster_of("/clusters/new"), None);
        assert_eq!(cluster_of("/clusters"), None);
        assert_eq!(cluster_of("/"), None);
    }
}
