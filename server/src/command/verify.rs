//! `tidemark verify`.

use super::{Client, FAILED, Output};
use crate::{
    cli::{Common, Verify},
    http::shape::{self, Problem},
};
use domain::size;

/// Has every set and log file read back; fails when something is wrong.
pub(super) fn run(common: &Common, order: &Verify, output: &Output) -> Result<(), Problem> {
    let request = shape::VerifyOrder {
        tenant: order.tenant.clone(),
        from: order.from,
    };
    let found: shape::Verified = Client::connect(common)?.post(&["verify"], &request)?;
    output.show(&found, |found| {
        let mut text = format!(
            "Read {} backup sets and {} log files, {}: {}\n",
            found.sets,
            found.log_files,
            size::bytes(found.bytes),
            if found.faults.is_empty() {
                "sound"
            } else {
                "faults found"
            },
        );
        for fault in &found.faults {
            text.push_str(&format!("{fault}\n"));
        }
        text
    })?;
    match found.faults.len() {
        0 => Ok(()),
        count => Err(Problem::new(
            FAILED,
            format!("{count} faults found; each line above names a file and what to do"),
        )),
    }
}
