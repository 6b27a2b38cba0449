//! Questions that are no view, and their answers.

use super::memory::Number;
use crate::session::{BadValue, Row, Table};

/// Asks for a parameter of the cluster.
pub(super) fn parameter(name: &str) -> String {
    format!("SHOW PARAMETERS LIKE '{name}'")
}

/// The value of a parameter, which every server tells alike.
pub(super) fn value(table: &Table) -> String {
    let row = table.first();
    row.map(|row| row.text_or_empty("value"))
        .unwrap_or_default()
}

/// The row with a number: for [`Number::After`] the one with the lowest.
pub(super) fn numbered<'a>(
    table: &'a Table,
    column: &str,
    number: Number,
) -> Result<Option<(i64, Row<'a>)>, BadValue> {
    let mut found: Option<(i64, Row<'a>)> = None;
    for row in table.iter() {
        let is = row.number(column)?;
        let fits = match number {
            Number::Is(wanted) => is == wanted,
            Number::After(before) => is > before,
        };
        if fits && found.is_none_or(|(lowest, _)| is < lowest) {
            found = Some((is, row));
        }
    }
    Ok(found)
}
