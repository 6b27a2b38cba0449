//! `tidemark ranges`.

use super::{Client, Output, output::columns};
use crate::{
    cli::{self, Common},
    http::shape::{self, Problem},
};
use domain::size;

/// Shows the moments a tenant can be recovered to.
pub(super) fn run(common: &Common, order: &cli::Ranges, output: &Output) -> Result<(), Problem> {
    let found: shape::Ranges =
        Client::connect(common)?.get(&["tenants", &order.tenant, "ranges"])?;
    output.show(&found, text)
}

fn text(found: &shape::Ranges) -> String {
    let mut rows = Vec::new();
    for range in &found.ranges {
        rows.push(vec![
            "recoverable".to_owned(),
            range.start.clone(),
            range.end.clone(),
        ]);
    }
    for gap in &found.gaps {
        let until = gap.until.clone().unwrap_or_else(|| "still".to_owned());
        let why = if gap.note.is_empty() {
            gap.cause.clone()
        } else {
            gap.note.clone()
        };
        rows.push(vec!["gap".to_owned(), gap.since.clone(), until, why]);
    }
    rows.sort_by(|a, b| a[1].cmp(&b[1]));
    let mut text = columns(&rows);
    if found.ranges.is_empty() {
        text.push_str(&format!(
            "Tenant {} cannot be recovered to any moment yet; take a data backup with `tidemark backup --tenant {}`\n",
            found.tenant, found.tenant,
        ));
    }
    match (&found.checkpoint, found.log_delay_ms) {
        (Some(checkpoint), Some(delay)) => text.push_str(&format!(
            "Log checkpoint {checkpoint}, log delay {}\n",
            size::duration_ms(delay)
        )),
        _ => text.push_str("Log backup has not begun\n"),
    }
    text
}
