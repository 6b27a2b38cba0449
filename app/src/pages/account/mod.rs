//! One's own account: roles, password, and where one is signed in.

use crate::language::{later, t, tf};
use crate::{
    api::{self, asked},
    shell::Myself,
    signal::RwSignal,
    ui::{
        Any, Button, Cell, Column, ErrorNotice, Field, LinkButton, Notice, Skeleton, Stamp, Table,
        Toasts, Tone, follow, waiting,
    },
};
use domain::user::{Me, SessionRow};
use leptos::prelude::*;
use leptos_meta::Title;

/// Labels of the fields; the server's answers name them.
const PRESENT: &str = later("Present password");
/// Label of the field with the new one.
const NEW: &str = later("New password");

/// The page.
#[component]
pub fn Account() -> impl IntoView {
    let Myself(me) = expect_context();
    view! {
        <Title text=t("Your account")/>
        <div class="page-head">
            <div class="page-title">
                <h1>{t("Your account")}</h1>
            </div>
        </div>
        <div class="stack">
            {waiting(|| ().into_any(), move || async move {
                match me.await {
                    Ok(me) => view! { <p>{who(&me)}</p> }.any(),
                    Err(error) => view! { <p>{error.to_string()}</p> }.any(),
                }
            })}
            <Password/>
            <Sessions/>
        </div>
    }
    .any()
}

fn who(me: &Me) -> String {
    let role = match (me.everywhere, me.highest) {
        (Some(role), _) => tf("{role} in every cluster", &[("role", &t(role.label()))]),
        (None, Some(role)) => tf(
            "at most {role} in single clusters",
            &[("role", &t(role.label()))],
        ),
        (None, None) => t("without any role; ask an administrator of this console").to_owned(),
    };
    tf(
        "You are signed in as {name}, {role}.",
        &[("name", &me.name), ("role", &role)],
    )
}

#[component]
fn Password() -> impl IntoView {
    let toasts = Toasts::current();
    let fields = [PRESENT, NEW].map(|_| RwSignal::new(String::new()));
    let errors = [PRESENT, NEW].map(|_| RwSignal::new(None::<String>));
    let failed = RwSignal::new(None::<String>);
    let action = Action::new(move |(): &()| {
        let [present, new] = fields.map(|field| field.get_untracked());
        async move {
            match api::account::change_password(present, new).await {
                Ok(()) => {
                    fields.iter().for_each(|field| field.set(String::new()));
                    toasts.done(t("Password changed"), t("All other sessions have ended."));
                }
                Err(error) => {
                    let told = [PRESENT, NEW].map(|label| error.of_field(label));
                    let about_field = told.iter().any(Option::is_some);
                    errors
                        .iter()
                        .zip(told)
                        .for_each(|(field, told)| field.set(told));
                    failed.set((!about_field).then(|| error.to_string()));
                }
            }
        }
    });
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        failed.set(None);
        errors.iter().for_each(|error| error.set(None));
        action.dispatch(());
    };
    let field = move |at: usize, id: &'static str, label: &'static str, fill: &'static str| {
        view! {
            <Field id label error=errors[at]>
                <input
                    class="input"
                    type="password"
                    id=id
                    autocomplete=fill
                    maxlength="256"
                    aria-describedby=format!("{id}-hint")
                    aria-invalid=move || errors[at].read().is_some().to_string()
                    prop:value=move || fields[at].get()
                    on:input=move |event| fields[at].set(event_target_value(&event))
                />
            </Field>
        }
        .any()
    };
    view! {
        <form class="panel first-run" on:submit=submit novalidate>
            <div class="form-section">
                <header>
                    <h2>{t("Password")}</h2>
                    <p>{tf("At least {length} characters", &[("length", &domain::password::LENGTH_MIN)])}</p>
                </header>
                {field(0, "present-password", t(PRESENT), "current-password")}
                {field(1, "new-password", t(NEW), "new-password")}
                {failure(failed, t("The password was not changed"))}
            </div>
            <div class="dialog-foot">
                <Button variant="primary" submit=true busy=action.pending()>
                    {t("Change password")}
                </Button>
            </div>
        </form>
    }
    .any()
}

/// What went wrong, once something did.
pub fn failure(failed: RwSignal<Option<String>>, title: &'static str) -> AnyView {
    follow(move || {
        let text = failed.get()?;
        Some(view! { <Notice tone=Tone::Bad title text urgent=true/> }.any())
    })
}

#[component]
fn Sessions() -> impl IntoView {
    let sessions = asked(|| (), |()| api::account::sessions());
    let retry = Callback::new(move |()| sessions.refetch());
    view! {
        <section class="panel panel-table" aria-labelledby="sessions">
            <div class="panel-head">
                <h2 id="sessions">{t("Where you are signed in")}</h2>
                <form class="panel-tools" method="post" action="/sign-out">
                    <input type="hidden" name="everywhere" value="true"/>
                    <button class="button" data-size="sm" type="submit">
                        {t("Sign out everywhere")}
                    </button>
                </form>
            </div>
            {waiting(|| view! { <Skeleton rows=2/> }.any(), move || async move {
                match sessions.await {
                    Ok(list) => {
                        let rows = list.into_iter().map(|one| session(one, retry)).collect_view();
                        let columns = [t("Browser"), t("Address"), t("Since"), t("Last used"), t("Actions")];
                        view! {
                            <Table caption=t("Sessions") columns=columns.map(Column::plain).to_vec()>
                                {rows}
                            </Table>
                        }.any()
                    }
                    Err(error) => {
                        let title = t("The sessions could not be loaded");
                        view! { <ErrorNotice title text=error.to_string() on_retry=retry/> }.any()
                    }
                }
            })}
        </section>
    }
    .any()
}

fn session(one: SessionRow, again: Callback<()>) -> AnyView {
    let toasts = Toasts::current();
    let id = one.id;
    let end = Action::new(move |(): &()| async move {
        match api::account::end_session(id).await {
            Ok(()) => again.run(()),
            Err(error) => toasts.failed(t("The session was not ended"), error.to_string()),
        }
    });
    view! {
        <tr role="row">
            <th scope="row" role="rowheader" class="cell-key" data-label=t("Browser")>{one.agent}</th>
            <Cell label=t("Address")>{one.address}</Cell>
            <Cell label=t("Since")><Stamp at=one.created/></Cell>
            <Cell label=t("Last used")><Stamp at=one.seen/></Cell>
            <Cell label=t("Actions") class="cell-actions">
                {if one.current {
                    view! { <span class="muted">{t("this one")}</span> }.any()
                } else {
                    view! {
                        <LinkButton label=tf("End session {id}", &[("id", &id)]) on_press=move |()| { end.dispatch(()); }>
                            {t("End")}
                        </LinkButton>
                    }.any()
                }}
            </Cell>
        </tr>
    }
    .any()
}
