//! Making an embedded cluster: the first run of a console, and the form behind "Add cluster".

use crate::language::{later, t, tf};
use crate::{
    api::{self, ApiError},
    paths,
    shell::ClusterList,
    signal::RwSignal,
    ui::{Any, Button, Field, Notice, Toasts, Tone, follow},
};
use domain::{cluster::NewCluster, validate};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_navigate;

/// The form that makes a cluster, as a page of its own.
#[component]
pub fn FirstRun() -> impl IntoView {
    view! {
        <Title text=t("Add cluster")/>
        <NewClusterForm first=false/>
    }
    .any()
}

/// What is typed, and what is wrong with it.
#[derive(Clone, Copy)]
struct Typed {
    value: RwSignal<String>,
    error: RwSignal<Option<String>>,
}

impl Typed {
    fn new(value: &str) -> Typed {
        Typed {
            value: RwSignal::new(value.to_owned()),
            error: RwSignal::new(None),
        }
    }

    fn text(self) -> String {
        self.value.get_untracked().trim().to_owned()
    }

    fn filled(self) -> Option<String> {
        Some(self.text()).filter(|text| !text.is_empty())
    }
}

/// The fields. Their labels are also their names in the server's answer.
#[derive(Clone, Copy)]
struct Fields {
    name: Typed,
    destination: Typed,
    tenant: Typed,
}

impl Fields {
    /// Checks what can be checked here; the server's answer counts.
    fn check(self) -> bool {
        let wrong = |result: Result<String, validate::Violation>| {
            result.err().map(|violation| {
                tf(
                    "Use {allowed}.",
                    &[("allowed", &violation.allowed.trim_start_matches("use "))],
                )
            })
        };
        self.name
            .error
            .set(wrong(validate::name(NAME, &self.name.text())));
        let tenant = self
            .tenant
            .filled()
            .map(|name| validate::name(TENANT, &name));
        self.tenant.error.set(tenant.and_then(wrong));
        let relative = self
            .destination
            .filled()
            .is_some_and(|path| !path.starts_with('/'));
        let whole = t("Give the directory with its whole path, beginning with /.");
        self.destination
            .error
            .set(relative.then(|| whole.to_owned()));
        [self.name, self.destination, self.tenant]
            .iter()
            .all(|field| field.error.read_untracked().is_none())
    }

    /// Puts the server's answer beside the fields it is about; whether it was about any.
    fn refuse(self, error: &ApiError) -> bool {
        let about = [
            (NAME, self.name),
            (DESTINATION, self.destination),
            (TENANT, self.tenant),
        ];
        about.into_iter().fold(false, |any, (label, field)| {
            let wrong = error.of_field(label);
            let any = any || wrong.is_some();
            field.error.set(wrong);
            any
        })
    }
}

const NAME: &str = later("Cluster name");
const DESTINATION: &str = later("Backup destination");
const TENANT: &str = later("Tenant name");

/// The form. `first` when there is no cluster yet.
#[component]
pub fn NewClusterForm(
    /// Nothing is there yet.
    first: bool,
) -> impl IntoView {
    let fields = Fields {
        name: Typed::new(if first { "local" } else { "" }),
        destination: Typed::new(""),
        tenant: Typed::new(""),
    };
    let failed = RwSignal::new(None::<String>);
    let (navigate, toasts) = (use_navigate(), Toasts::current());
    let ClusterList(clusters) = expect_context();
    let action = Action::new(move |(): &()| {
        let new = NewCluster {
            name: fields.name.text(),
            destination: fields.destination.filled(),
            first_tenant: fields.tenant.filled(),
        };
        let navigate = navigate.clone();
        async move {
            let name = new.name.clone();
            match api::clusters::create(new).await {
                Ok(_) => {
                    clusters.refetch();
                    toasts.done(t("Cluster created"), format!("{name}."));
                    navigate(&paths::backup(&name), Default::default());
                }
                Err(error) => {
                    let is_about_field = fields.refuse(&error);
                    failed.set((!is_about_field).then(|| error.to_string()));
                }
            }
        }
    });
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        failed.set(None);
        if fields.check() {
            action.dispatch(());
        }
    };
    let place = Signal::derive(move || {
        let name = fields.name.value.get();
        let name = if name.trim().is_empty() {
            "NAME"
        } else {
            name.trim()
        };
        tf("backup/{name} in the console's home", &[("name", &name)])
    });
    view! {
        <Intro first/>
        <form class="panel first-run" on:submit=submit novalidate>
            <div class="form-section">
                <header>
                    <h2>{t("Embedded cluster")}</h2>
                    <p>{t("Tenants are SQLite files that any program may read and write")}</p>
                </header>
                <TypedField
                    id="cluster-name"
                    label=t(NAME)
                    typed=fields.name
                    hint=t("2 to 64 letters, digits and underscores, a letter first.")
                />
                <TypedField
                    id="cluster-destination"
                    label=t(DESTINATION)
                    typed=fields.destination
                    mono=true
                    hint=t("A directory on another disk than the tenants survives the loss of this one.")
                    aside=t("optional")
                    placeholder=place
                />
                <TypedField
                    id="cluster-tenant"
                    label=t(TENANT)
                    typed=fields.tenant
                    aside=t("optional")
                    hint=t("An empty tenant to begin with. Its log is backed up from its first second.")
                />
                {follow(move || {
                    failed
                        .get()
                        .map(|text| {
                            view! {
                                <Notice
                                    tone=Tone::Bad
                                    title=t("The cluster was not created")
                                    text
                                    urgent=true
                                />
                            }.any()
                        })
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
                    {t("Create cluster")}
                </Button>
            </div>
        </form>
    }.any()
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

/// One field: checked on leaving, and again on every key once it was wrong.
#[component]
fn TypedField(
    id: &'static str,
    label: &'static str,
    typed: Typed,
    hint: &'static str,
    #[prop(optional)] mono: bool,
    #[prop(optional)] aside: &'static str,
    #[prop(optional, into)] placeholder: Signal<String>,
) -> impl IntoView {
    let input = move |event| {
        typed.value.set(event_target_value(&event));
        typed.error.set(None);
    };
    view! {
        <Field id label hint error=typed.error aside>
            <input
                class=if mono { "input mono" } else { "input" }
                id=id
                name=id
                autocomplete="off"
                spellcheck="false"
                placeholder=move || placeholder.get()
                aria-describedby=format!("{id}-hint")
                aria-invalid=move || typed.error.read().is_some().to_string()
                prop:value=move || typed.value.get()
                on:input=input
            />
        </Field>
    }
    .any()
}
