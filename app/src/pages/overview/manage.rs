//! What an administrator of the console does with a cluster itself: change how it is reached, and remove it.

use crate::{
    api,
    language::{t, tf},
    pages::clusters::connection::{Connection, ConnectionFields},
    paths,
    shell::{ClusterList, Myself},
    signal::RwSignal,
    ui::{Any, Button, Dialog, Icon, Notice, Toasts, Tone, follow, waiting},
};
use domain::{cluster::Cluster, endpoint::Endpoint};
use leptos::prelude::*;
use leptos_router::hooks::use_navigate;

/// The buttons, for whoever may use them.
#[component]
pub fn Manage(
    /// The cluster.
    cluster: Cluster,
    /// Reads the page again.
    again: Callback<()>,
) -> impl IntoView {
    let Myself(me) = expect_context();
    let (modifying, removing) = (RwSignal::new(false), RwSignal::new(false));
    let name = StoredValue::new(cluster.name);
    let endpoint = StoredValue::new(cluster.endpoint);
    let view = move || async move {
        if !me.await.is_ok_and(|me| me.manages()) {
            return ().into_any();
        }
        let modify = endpoint.with_value(Option::is_some).then(|| {
            let open = move |()| modifying.set(true);
            view! { <Button on_press=open>{t("Modify connection")}</Button> }.any()
        });
        view! {
            {modify}
            <Button on_press=move |()| removing.set(true)>{t("Remove cluster")}</Button>
        }
        .any()
    };
    let title = move |text: &'static str| {
        Signal::derive(move || tf(text, &[("cluster", &name.get_value())]))
    };
    view! {
        {waiting(|| ().into_any(), view)}
        <Dialog open=modifying title=title("Modify the connection of {cluster}")>
            {endpoint.get_value().map(|endpoint| {
                view! { <Modify name=name.get_value() endpoint open=modifying again/> }.any()
            })}
        </Dialog>
        <Dialog open=removing title=title("Remove {cluster} from this console?")>
            <Remove name=name.get_value() open=removing/>
        </Dialog>
    }
    .any()
}

#[component]
fn Modify(
    name: String,
    endpoint: Endpoint,
    open: RwSignal<bool>,
    again: Callback<()>,
) -> impl IntoView {
    let toasts = Toasts::current();
    let connection = Connection::known(&name, &endpoint);
    let failed = RwSignal::new(None::<String>);
    let save = Action::new(move |access: &domain::endpoint::Access| {
        let (access, name) = (access.clone(), name.clone());
        async move {
            match api::clusters::modify(name.clone(), access).await {
                Ok(()) => {
                    toasts.done(t("Connection changed"), format!("{name}."));
                    open.set(false);
                    again.run(());
                }
                Err(error) if connection.refuse(&error) => {}
                Err(error) => failed.set(Some(error.to_string())),
            }
        }
    });
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        failed.set(None);
        if let Some(access) = connection.checked() {
            save.dispatch(access);
        }
    };
    view! {
        <form on:submit=submit novalidate>
            <div class="dialog-body stack">
                <ConnectionFields connection/>
                {refusal(failed)}
            </div>
            <div class="dialog-foot">
                <Button variant="quiet" on_press=move |()| open.set(false)>{t("Cancel")}</Button>
                <Button variant="primary" submit=true busy=save.pending()>{t("Save")}</Button>
            </div>
        </form>
    }
    .any()
}

#[component]
fn Remove(name: String, open: RwSignal<bool>) -> impl IntoView {
    let toasts = Toasts::current();
    let ClusterList(clusters) = expect_context();
    let navigate = use_navigate();
    let failed = RwSignal::new(None::<String>);
    let remove = Action::new(move |(): &()| {
        let (name, navigate) = (name.clone(), navigate.clone());
        async move {
            match api::clusters::remove(name.clone()).await {
                Ok(()) => {
                    clusters.refetch();
                    toasts.done(t("Cluster removed"), format!("{name}."));
                    open.set(false);
                    navigate(paths::CLUSTERS, Default::default());
                }
                Err(error) => failed.set(Some(error.to_string())),
            }
        }
    });
    let effects = [
        (
            Tone::Ok,
            "s-ok",
            t(
                "Its tenants and its backups stay as they are; log backup that the cluster does itself goes on.",
            ),
        ),
        (
            Tone::Warn,
            "s-warn",
            t(
                "This console forgets its strategy, tasks, alerts and sizes; nothing is backed up from here any more.",
            ),
        ),
        (
            Tone::Ok,
            "s-ok",
            t("Added again, it shows what can be recovered as before."),
        ),
    ];
    let effect = |(tone, icon, text): (Tone, &'static str, &'static str)| {
        view! { <li data-tone=tone.code()><Icon name=icon/><span>{text}</span></li> }.any()
    };
    view! {
        <div class="dialog-body">
            <ul class="effects">{effects.map(effect).collect_view()}</ul>
            {refusal(failed)}
        </div>
        <div class="dialog-foot">
            <Button variant="quiet" focused=true on_press=move |()| open.set(false)>{t("Cancel")}</Button>
            <Button
                variant="danger"
                busy=remove.pending()
                on_press=move |()| {
                    failed.set(None);
                    remove.dispatch(());
                }
            >
                {t("Remove cluster")}
            </Button>
        </div>
    }
    .any()
}

fn refusal(failed: RwSignal<Option<String>>) -> AnyView {
    follow(move || {
        failed.get().map(|text| {
            view! { <Notice tone=Tone::Bad title=t("This was not done") text urgent=true/> }.any()
        })
    })
}
