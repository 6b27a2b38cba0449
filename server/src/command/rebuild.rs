//! `tidemark admin rebuild`.

use super::{Client, FAILED, Output};
use crate::{
    cli::{self, Common},
    http::{
        shape::Problem,
        storage_shape::{RebuildOrder, Rebuilt, RebuiltCluster, RebuiltTenant},
    },
};

/// Stands in addresses of commands where the name of a cluster stands otherwise; no cluster can have it.
const NO_CLUSTER: &str = "-";

/// Takes on the clusters found at a destination; fails when one that is meant was refused.
pub(super) fn run(common: &Common, order: &cli::Rebuild, output: &Output) -> Result<(), Problem> {
    let from = std::path::absolute(&order.from)
        .map_err(|error| Problem::new(FAILED, format!("{}: {error}", order.from.display())))?;
    let request = RebuildOrder {
        from: from.display().to_string(),
        cluster: common.cluster_is_named.then(|| common.cluster.clone()),
        name: order.name.clone(),
        dry_run: order.dry_run,
    };
    let nowhere = Common {
        cluster: NO_CLUSTER.to_owned(),
        ..common.clone()
    };
    let rebuilt: Rebuilt = Client::connect(&nowhere)?.post(&["admin", "rebuild"], &request)?;
    output.show(&rebuilt, text)?;
    let is_refused = |one: &&RebuiltCluster| one.reason.is_some();
    match rebuilt.clusters.iter().filter(is_refused).count() {
        0 => Ok(()),
        count => Err(Problem::new(
            FAILED,
            format!("{count} clusters were not taken on; the result says of each why"),
        )),
    }
}

fn text(rebuilt: &Rebuilt) -> String {
    let mut text = String::new();
    for cluster in &rebuilt.clusters {
        text.push_str(&headline(cluster));
        for tenant in &cluster.tenants {
            text.push_str(&line(tenant));
        }
    }
    text
}

fn headline(cluster: &RebuiltCluster) -> String {
    let identity = &cluster.identity;
    let found = match cluster.name.as_str() {
        "" => format!("Cluster {identity}"),
        name => format!("Cluster {name} ({identity})"),
    };
    let here = cluster.managed_as.as_deref().unwrap_or_default();
    match cluster.outcome.as_str() {
        "possible" => format!("{found} can be taken on as {here}:\n"),
        "taken" => format!("{found} was taken on as {here}:\n"),
        "managed" => {
            format!("{found} is managed by this console already, as {here}; nothing was done:\n")
        }
        _ => {
            let reason = cluster.reason.as_deref().unwrap_or_default();
            format!("{found} was not taken on: {reason}\n")
        }
    }
}

fn line(tenant: &RebuiltTenant) -> String {
    let Some(state) = &tenant.state else {
        return format!("  {}\n", tenant.name);
    };
    let period = match (tenant.ranges.first(), tenant.ranges.last()) {
        (Some(first), Some(last)) => {
            let gaps = tenant.ranges.len() - 1;
            format!(
                "recoverable from {} to {} with {gaps} gaps",
                first.start, last.end
            )
        }
        _ => "not recoverable to any moment".to_owned(),
    };
    format!(
        "  {}  {state}, {} sets, {period}\n",
        tenant.name, tenant.sets
    )
}
