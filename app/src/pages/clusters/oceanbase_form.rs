//! The form that takes in an OceanBase cluster.

use super::{
    connection::{Connection, ConnectionFields},
    typed::{Typed, TypedField},
};
use crate::{
    api::ApiError,
    language::{later, t},
    ui::Any,
};
use domain::{capability::EngineKind, cluster::NewCluster, validate};
use leptos::prelude::*;

const NAME: &str = later("Cluster name");

/// What is typed.
#[derive(Clone, Copy)]
pub struct Fields {
    name: Typed,
    connection: Connection,
}

impl Fields {
    /// Empty ones.
    pub fn empty() -> Fields {
        Fields {
            name: Typed::new(""),
            connection: Connection::unknown(),
        }
    }

    /// What is typed, if it can be sent; else what is wrong stands at its field.
    pub fn checked(self) -> Option<NewCluster> {
        let name = validate::name(NAME, &self.name.text());
        let access = self.connection.checked();
        match (name, access) {
            (Ok(name), Some(access)) => Some(NewCluster {
                name,
                engine: EngineKind::OceanBase,
                access: Some(access),
                ..NewCluster::default()
            }),
            (name, _) => {
                let wrong = name.err().map(|wrong| ApiError::Invalid(vec![wrong]));
                let wrong = wrong.and_then(|wrong| wrong.of_field(NAME));
                self.name.error.set(wrong);
                None
            }
        }
    }

    /// Puts the server's answer beside the fields it is about; whether it was about any.
    pub fn refuse(self, error: &ApiError) -> bool {
        let wrong = error.of_field(NAME);
        let is_name = wrong.is_some();
        self.name.error.set(wrong);
        self.connection.refuse(error) || is_name
    }
}

/// The fields.
#[component]
pub fn OceanBaseFields(
    /// What is typed.
    fields: Fields,
) -> impl IntoView {
    view! {
        <header>
            <h2>{t("OceanBase cluster")}</h2>
            <p>{t("The cluster makes its backups itself, ordered by its administrative SQL")}</p>
        </header>
        <TypedField
            id="cluster-name"
            label=t(NAME)
            typed=fields.name
            hint=t("How this console calls it: 2 to 64 letters, digits and underscores, a letter first.")
        />
        <ConnectionFields connection=fields.connection/>
    }
    .any()
}
