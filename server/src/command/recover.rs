//! `tidemark recover`.

use super::{Client, Failure, Output, wait};
use crate::{
    cli::{Common, Recover},
    http::shape::{self, Problem, Task},
};
use domain::{Scn, validate};

/// Orders a recovery and, with `--wait`, sees it through.
pub(super) fn run(common: &Common, order: &Recover, output: &Output) -> Result<(), Problem> {
    let at = Scn::parse_rfc3339(&order.at).map_err(|bad| Failure::usage(format!("--at {bad}")))?;
    let new_name = validate::name("--as", &order.new_name)
        .map_err(|wrong| Failure::usage(wrong.to_string()))?;
    let client = Client::connect(common)?;
    let request = shape::RecoveryOrder {
        tenant: order.tenant.clone(),
        at: at.to_rfc3339(),
        new_name,
        from: order.from,
    };
    let mut task: Task = client.post(&["recoveries"], &request)?;
    if order.wait {
        task = wait::until_final(&client, "recoveries", task)?;
    }
    output.show(&task, text)?;
    if task.is_final() && !task.is_completed() {
        return Err(wait::problem(&task));
    }
    Ok(())
}

fn text(task: &Task) -> String {
    let Some(result) = &task.recovery else {
        return format!("Recovery {}: {}", task.id, task.state);
    };
    let (id, tenant, new, until) = (task.id, &task.tenant, &result.new_tenant, &result.until);
    if !task.is_completed() {
        return format!(
            "Recovery {id} of tenant {tenant} to {until} as {new}: {}",
            task.state
        );
    }
    let mut text = format!("Recovery {id} is complete: tenant {new} is {tenant} as of {until}\n");
    if let Some(proof) = &result.proof {
        let equal = if proof.expected_digest == proof.computed_digest {
            "equal"
        } else {
            "NOT equal"
        };
        text.push_str(&format!(
            "Proof: state digests of {} pages are {equal} ({}); SQLite's check: {}; last commit {}\n",
            proof.pages, proof.computed_digest, proof.quick_check, proof.target_scn,
        ));
    }
    if let Some(file) = &result.data_file {
        text.push_str(&format!("Data file: {file}\n"));
    }
    text
}
