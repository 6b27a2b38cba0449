//! Between columns and the vocabulary; an impossible column value fails loudly.

use crate::error::{Result, StoreError};
use domain::Scn;

/// A count or an instant as a column. Instants beyond the year 2262 become the last one.
pub(crate) fn column(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// An instant as a column.
pub(crate) fn scn_column(scn: Scn) -> i64 {
    column(scn.0)
}

/// A column as a count.
pub(crate) fn count(what: &str, value: i64) -> Result<u64> {
    u64::try_from(value).map_err(|_| impossible(what, value))
}

/// A column as an instant.
pub(crate) fn scn(what: &str, value: i64) -> Result<Scn> {
    count(what, value).map(Scn)
}

/// A nullable column as an instant.
pub(crate) fn scn_opt(what: &str, value: Option<i64>) -> Result<Option<Scn>> {
    value.map(|value| scn(what, value)).transpose()
}

/// A word column as one of the vocabulary's words.
pub(crate) fn word<T>(what: &str, text: &str, read: impl FnOnce(&str) -> Option<T>) -> Result<T> {
    read(text).ok_or_else(|| impossible(what, text))
}

/// A nullable word column.
pub(crate) fn word_opt<T>(
    what: &str,
    text: Option<&str>,
    read: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>> {
    text.map(|text| word(what, text, read)).transpose()
}

/// The error for a value this program never writes.
pub(crate) fn impossible(what: &str, value: impl std::fmt::Display) -> StoreError {
    StoreError::Impossible {
        what: format!("{what} = {value}"),
    }
}
