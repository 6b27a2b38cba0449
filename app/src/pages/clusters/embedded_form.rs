//! The form that makes an embedded cluster.

use super::typed::{Typed, TypedField};
use crate::{
    api::ApiError,
    language::{later, t, tf},
    ui::Any,
};
use domain::{cluster::NewCluster, validate};
use leptos::prelude::*;

/// The fields. Their labels are also their names in the server's answer.
#[derive(Clone, Copy)]
pub struct Fields {
    name: Typed,
    destination: Typed,
    tenant: Typed,
}

impl Fields {
    /// Empty ones; the name is proposed for the `first` cluster.
    pub fn new(first: bool) -> Fields {
        Fields {
            name: Typed::new(if first { "local" } else { "" }),
            destination: Typed::new(""),
            tenant: Typed::new(""),
        }
    }

    /// What is typed, if it can be sent; else what is wrong stands at its field.
    pub fn checked(self) -> Option<NewCluster> {
        self.check().then(|| NewCluster {
            name: self.name.text(),
            destination: self.destination.filled(),
            first_tenant: self.tenant.filled(),
            ..NewCluster::default()
        })
    }

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
    pub fn refuse(self, error: &ApiError) -> bool {
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

/// The fields.
#[component]
pub fn EmbeddedFields(
    /// What is typed.
    fields: Fields,
) -> impl IntoView {
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
    }
    .any()
}
