//! `tidemark tenant list|create`.

use super::{Client, Failure, Output, output::columns};
use crate::{
    cli::{Common, Tenant},
    http::shape::{self, Problem},
};
use domain::{size, validate};

/// Lists tenants, or creates one.
pub(super) fn run(common: &Common, order: &Tenant, output: &Output) -> Result<(), Problem> {
    match order {
        Tenant::List => {
            let tenants: shape::Tenants = Client::connect(common)?.get(&["tenants"])?;
            output.show(&tenants, |tenants| list(&tenants.tenants))
        }
        Tenant::Create { name } => {
            validate::name("NAME", name).map_err(|wrong| Failure::usage(wrong.to_string()))?;
            let order = shape::TenantOrder { name: name.clone() };
            let made: shape::Tenant = Client::connect(common)?.post(&["tenants"], &order)?;
            output.show(&made, |made| {
                let file = made.data_file.as_deref().unwrap_or("its engine");
                format!("Created tenant {}; its data are in {file}", made.name)
            })
        }
    }
}

fn list(tenants: &[shape::Tenant]) -> String {
    if tenants.is_empty() {
        return "No tenant yet; create one with `tidemark tenant create NAME`".to_owned();
    }
    let mut rows = vec![
        ["NAME", "STATE", "SIZE", "DATA FILE"]
            .map(str::to_owned)
            .to_vec(),
    ];
    for tenant in tenants {
        rows.push(vec![
            tenant.name.clone(),
            tenant.state.clone(),
            size::bytes(tenant.size_bytes),
            tenant.data_file.clone().unwrap_or_default(),
        ]);
    }
    columns(&rows)
}
