//! Adding a cluster: the first run of a console, and the page behind "Add cluster".

use super::{
    embedded_form::{self, EmbeddedFields},
    oceanbase_form::{self, OceanBaseFields},
};
use crate::language::{later, t};
use crate::{
    api, paths,
    shell::ClusterList,
    signal::RwSignal,
    ui::{Any, Button, Notice, Segmented, Toasts, Tone, follow},
};
use domain::{capability::EngineKind, cluster::NewCluster};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_navigate;

/// The form that adds a cluster, as a page of its own.
#[component]
pub fn FirstRun() -> impl IntoView {
    view! {
        <Title text=t("Add cluster")/>
        <NewClusterForm first=false/>
    }
    .any()
}

/// The engines that can be chosen, as the choice calls them.
const ENGINES: [(EngineKind, &str); 2] = [
    (EngineKind::Embedded, later("Embedded (SQLite)")),
    (EngineKind::OceanBase, "OceanBase"),
];

/// The form. `first` when there is no cluster yet.
#[component]
pub fn NewClusterForm(
    /// Nothing is there yet.
    first: bool,
) -> impl IntoView {
    let engine = RwSignal::new(EngineKind::Embedded);
    let embedded = embedded_form::Fields::new(first);
    let oceanbase = oceanbase_form::Fields::empty();
    let failed = RwSignal::new(None::<String>);
    let (navigate, toasts) = (use_navigate(), Toasts::current());
    let ClusterList(clusters) = expect_context();
    let action = Action::new(move |new: &NewCluster| {
        let (new, navigate) = (new.clone(), navigate.clone());
        async move {
            let name = new.name.clone();
            match api::clusters::create(new).await {
                Ok(_) => {
                    clusters.refetch();
                    let title = match engine.get_untracked() {
                        EngineKind::Embedded => t("Cluster created"),
                        EngineKind::OceanBase => t("Cluster added"),
                    };
                    toasts.done(title, format!("{name}."));
                    navigate(&paths::backup(&name), Default::default());
                }
                Err(error) => {
                    let is_about_field = match engine.get_untracked() {
                        EngineKind::Embedded => embedded.refuse(&error),
                        EngineKind::OceanBase => oceanbase.refuse(&error),
                    };
                    failed.set((!is_about_field).then(|| error.to_string()));
                }
            }
        }
    });
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        failed.set(None);
        let new = match engine.get_untracked() {
            EngineKind::Embedded => embedded.checked(),
            EngineKind::OceanBase => oceanbase.checked(),
        };
        if let Some(new) = new {
            action.dispatch(new);
        }
    };
    let choose = Callback::new(move |number: usize| {
        failed.set(None);
        engine.set(ENGINES[number].0);
    });
    view! {
        <Intro first/>
        <form class="panel first-run" on:submit=submit novalidate>
            <div class="form-section">
                <Segmented
                    name="engine"
                    label=later("Engine")
                    choices=ENGINES.map(|(_, text)| text).to_vec()
                    chosen=0
                    on_choose=choose
                />
                {follow(move || match engine.get() {
                    EngineKind::Embedded => view! { <EmbeddedFields fields=embedded/> }.any(),
                    EngineKind::OceanBase => view! { <OceanBaseFields fields=oceanbase/> }.any(),
                })}
                {follow(move || {
                    let text = failed.get()?;
                    let title = match engine.get() {
                        EngineKind::Embedded => t("The cluster was not created"),
                        EngineKind::OceanBase => t("The cluster was not added"),
                    };
                    Some(view! { <Notice tone=Tone::Bad title text urgent=true/> }.any())
                })}
            </div>
            <div class="dialog-foot">
                {(!first)
                    .then(|| {
                        view! {
                            <a class="button" data-variant="quiet" href=paths::CLUSTERS>
                                {t("Cancel")}
                            </a>
                        }.any()
                    })}
                <Button variant="primary" submit=true busy=action.pending()>
                    {move || match engine.get() {
                        EngineKind::Embedded => t("Create cluster"),
                        EngineKind::OceanBase => t("Add cluster"),
                    }}
                </Button>
            </div>
        </form>
    }
    .any()
}

#[component]
fn Intro(first: bool) -> impl IntoView {
    let title = if first {
        t("Make your first cluster")
    } else {
        t("Add cluster")
    };
    view! {
        <div class="page-head">
            {(!first)
                .then(|| {
                    view! {
                        <nav class="breadcrumb" aria-label=t("Breadcrumb")>
                            <ol>
                                <li>
                                    <a href=paths::CLUSTERS>{t("Clusters")}</a>
                                </li>
                                <li aria-current="page">{t("Add cluster")}</li>
                            </ol>
                        </nav>
                    }.any()
                })}
            <div class="page-title">
                <h1>{title}</h1>
            </div>
        </div>
        {first
            .then(|| {
                view! {
                    <p class="first-run-lead">
                        "This console has no cluster yet, so nothing is backed up. A cluster needs a name \
                         and a directory for its backups. From then on every change in its tenants is \
                         archived, and a data backup makes every later moment recoverable."
                    </p>
                }.any()
            })}
    }.any()
}
