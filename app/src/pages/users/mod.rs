//! Users and roles: who may sign in, and what they may do where.

use crate::language::{t, tf};
mod row;

use crate::{
    api::{self, asked},
    pages::account::failure,
    shell::ClusterList,
    signal::RwSignal,
    ui::{Any, Button, Column, ErrorNotice, Field, Notice, Skeleton, Table, Tone, follow, waiting},
};
use domain::{
    access::Role,
    user::{ClusterRole, NewUser, OneTimeLink, UserRow},
};
use leptos::prelude::*;
use leptos_meta::Title;

/// The value of a choice that stands for every cluster.
const EVERYWHERE: &str = "";

/// What the parts of the page share.
#[derive(Clone, Copy)]
struct Desk {
    /// The link that was made last, and for whom.
    link: RwSignal<Option<(String, String)>>,
    /// Reads the users again.
    again: Callback<()>,
}

impl Desk {
    fn show(self, name: &str, link: &OneTimeLink) {
        let origin = window().location().origin().unwrap_or_default();
        self.link
            .set(Some((name.to_owned(), format!("{origin}{}", link.path))));
        self.again.run(());
    }
}

/// The page.
#[component]
pub fn Users() -> impl IntoView {
    let users = asked(|| (), |()| api::users::list());
    let again = Callback::new(move |()| users.refetch());
    let desk = Desk {
        link: RwSignal::new(None),
        again,
    };
    let ClusterList(clusters) = expect_context();
    view! {
        <Title text=t("Users and roles")/>
        <div class="page-head">
            <div class="page-title">
                <h1>{t("Users and roles")}</h1>
            </div>
        </div>
        <div class="stack">
            {made(desk.link)}
            {waiting(|| view! { <section class="panel"><Skeleton rows=4/></section> }.any(), move || async move {
                let names: Vec<String> = clusters
                    .await
                    .unwrap_or_default()
                    .into_iter()
                    .map(|one| one.cluster.name)
                    .collect();
                match users.await {
                    Ok(list) => view! { <Listed list names desk/> }.any(),
                    Err(error) => {
                        let title = t("The users could not be loaded");
                        view! {
                            <section class="panel">
                                <ErrorNotice title text=error.to_string() on_retry=again/>
                            </section>
                        }.any()
                    }
                }
            })}
        </div>
    }
    .any()
}

/// The link that was made last.
fn made(link: RwSignal<Option<(String, String)>>) -> AnyView {
    follow(move || {
        let (name, address) = link.get()?;
        let title = tf("One-time link of {name}", &[("name", &name)]);
        let text = t("It works once, for a day. It is shown only now; send it to nobody else.");
        Some(
            view! {
                <Notice tone=Tone::Info title text/>
                <input
                    class="input mono"
                    readonly
                    aria-label=t("One-time link")
                    value=address
                    on:focus=move |event| select_all(&event)
                />
            }
            .into_any(),
        )
    })
}

fn select_all(event: &web_sys::FocusEvent) {
    event_target::<web_sys::HtmlInputElement>(event).select();
}

#[component]
fn Listed(list: Vec<UserRow>, names: Vec<String>, desk: Desk) -> impl IntoView {
    let columns = [
        t("Name"),
        t("State"),
        t("Roles"),
        t("Last sign-in"),
        t("Actions"),
    ];
    let places = StoredValue::new(names);
    let rows = list
        .into_iter()
        .map(|user| row::row(user, places, desk))
        .collect_view();
    view! {
        <section class="panel panel-table" aria-label=t("Users")>
            <Table caption=t("Users") columns=columns.map(Column::plain).to_vec()>
                {rows}
            </Table>
        </section>
        <Add places desk/>
    }
    .any()
}

/// The choice of a role.
fn roles(id: &'static str, value: RwSignal<String>) -> AnyView {
    let options = Role::ALL
        .map(|role| view! { <option value=role.code()>{t(role.label())}</option> }.any())
        .collect_view();
    view! {
        <select
            class="select"
            id=(!id.is_empty()).then_some(id)
            aria-label=t("Role")
            on:change=move |event| value.set(event_target_value(&event))
        >
            {options}
        </select>
    }
    .any()
}

/// The choice of a cluster, or of all.
fn place(id: &'static str, places: StoredValue<Vec<String>>, value: RwSignal<String>) -> AnyView {
    let options = places.with_value(|names| {
        let one =
            |name: &String| view! { <option value=name.clone()>{name.clone()}</option> }.any();
        names.iter().map(one).collect_view()
    });
    view! {
        <select
            class="select"
            id=(!id.is_empty()).then_some(id)
            aria-label=t("Cluster")
            on:change=move |event| value.set(event_target_value(&event))
        >
            <option value=EVERYWHERE>{t("Every cluster")}</option>
            {options}
        </select>
    }
    .any()
}

#[component]
fn Add(places: StoredValue<Vec<String>>, desk: Desk) -> impl IntoView {
    let name = RwSignal::new(String::new());
    let role = RwSignal::new(Role::Viewer.code().to_owned());
    let cluster = RwSignal::new(EVERYWHERE.to_owned());
    let wrong = RwSignal::new(None::<String>);
    let failed = RwSignal::new(None::<String>);
    let action = Action::new(move |(): &()| {
        let name = name.get_untracked().trim().to_owned();
        let role = Role::from_code(&role.get_untracked());
        let cluster = cluster.get_untracked();
        let mut user = NewUser {
            name: name.clone(),
            ..NewUser::default()
        };
        match role {
            Some(role) if cluster != EVERYWHERE => {
                user.clusters.push(ClusterRole { cluster, role });
            }
            role => user.everywhere = role,
        }
        async move {
            match api::users::add(user).await {
                Ok(link) => desk.show(&name, &link),
                Err(error) => {
                    let told = error.of_field("Name");
                    failed.set(told.is_none().then(|| error.to_string()));
                    wrong.set(told);
                }
            }
        }
    });
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        wrong.set(None);
        failed.set(None);
        action.dispatch(());
    };
    view! {
        <form class="panel first-run" on:submit=submit novalidate>
            <div class="form-section">
                <header>
                    <h2>{t("Add user")}</h2>
                    <p>{t("They choose a password by a one-time link")}</p>
                </header>
                <Field id="user-name" label=t("Name") error=wrong>
                    <input
                        class="input"
                        id="user-name"
                        autocomplete="off"
                        spellcheck="false"
                        aria-describedby="user-name-hint"
                        aria-invalid=move || wrong.read().is_some().to_string()
                        prop:value=move || name.get()
                        on:input=move |event| name.set(event_target_value(&event))
                    />
                </Field>
                <div class="row">{roles("user-role", role)} {place("user-place", places, cluster)}</div>
                {failure(failed, t("The user was not added"))}
            </div>
            <div class="dialog-foot">
                <Button variant="primary" submit=true busy=action.pending()>
                    {t("Add user")}
                </Button>
            </div>
        </form>
    }
    .any()
}
