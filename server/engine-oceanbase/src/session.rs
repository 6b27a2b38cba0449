//! A signed-in session of a cluster, as statements see it: text in, rows of text or an error code out.

use async_trait::async_trait;
use domain::Scn;
use std::{sync::Arc, time::Duration};

/// Rows of one statement; a statement without rows gives an empty table without columns.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Table {
    /// Names of columns, as the server wrote them.
    pub columns: Arc<[String]>,
    /// Values as text; `None` is NULL.
    pub rows: Vec<Vec<Option<String>>>,
}

/// One row of a [`Table`].
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    columns: &'a [String],
    values: &'a [Option<String>],
}

/// A value that is not what its column should hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("column {column} holds \"{value}\", which is no {wanted}")]
pub struct BadValue {
    /// The column.
    pub column: String,
    /// What it holds; `NULL` for nothing.
    pub value: String,
    /// What it should hold.
    pub wanted: &'static str,
}

/// A statement that did not give what it should.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SqlFailure {
    /// The server refused it.
    #[error("{message} (error {code})")]
    Refused {
        /// Its code, such as 9036.
        code: u16,
        /// Its text.
        message: String,
    },
    /// No session came about, so nothing was sent.
    #[error("{0}")]
    NotConnected(String),
    /// It was sent, and the answer never came: it may have been carried out.
    #[error("the connection ended before the answer came: {0}")]
    Unanswered(String),
    /// It was sent, and no answer came in time: it may have been carried out.
    #[error("no answer within {} s", .0.as_secs())]
    Silent(Duration),
}

impl SqlFailure {
    /// Whether the server refused with this code.
    pub fn is_code(&self, wanted: u16) -> bool {
        matches!(self, SqlFailure::Refused { code, .. } if *code == wanted)
    }

    /// Whether the session cannot be used any more.
    pub fn ends_session(&self) -> bool {
        !matches!(self, SqlFailure::Refused { .. })
    }

    /// Whether the statement may have been carried out though nobody said so.
    pub fn is_open(&self) -> bool {
        matches!(self, SqlFailure::Unanswered(_) | SqlFailure::Silent(_))
    }
}

/// A session. State made by statements (passwords of backups, restore sources) lives in it.
#[async_trait]
pub trait SqlSession: Send {
    /// Runs text of one or more statements and gives one table each. The first refusal ends it.
    async fn run(&mut self, sql: &str, limit: Duration) -> Result<Vec<Table>, SqlFailure>;
}

/// Makes sessions of one cluster.
#[async_trait]
pub trait Connector: Send + Sync + 'static {
    /// Signs in to the tenant `sys`.
    async fn connect(&self) -> Result<Box<dyn SqlSession>, SqlFailure>;

    /// Where it connects to, as people write it.
    fn address(&self) -> String;
}

impl Table {
    /// Its rows.
    pub fn iter(&self) -> impl Iterator<Item = Row<'_>> {
        self.rows.iter().map(|values| Row {
            columns: &self.columns,
            values,
        })
    }

    /// Its first row.
    pub fn first(&self) -> Option<Row<'_>> {
        self.iter().next()
    }
}

impl<'a> Row<'a> {
    /// The text of a column; `None` for NULL and for columns that this version lacks.
    pub fn text(&self, column: &str) -> Option<&'a str> {
        let is_it = |name: &String| name.eq_ignore_ascii_case(column);
        let at = self.columns.iter().position(is_it)?;
        self.values.get(at)?.as_deref()
    }

    /// A text that may be empty.
    pub fn text_or_empty(&self, column: &str) -> String {
        self.text(column).unwrap_or_default().to_owned()
    }

    /// A whole number; 0 for NULL and absent columns.
    pub fn number(&self, column: &str) -> Result<i64, BadValue> {
        self.parsed(column, "whole number")
            .map(Option::unwrap_or_default)
    }

    /// A count or size; 0 for NULL and absent columns.
    pub fn unsigned(&self, column: &str) -> Result<u64, BadValue> {
        self.parsed(column, "whole number of zero or more")
            .map(Option::unwrap_or_default)
    }

    /// Hundredths of a number that may have a fraction, such as cores; 0 for NULL and absent columns.
    pub fn hundredths(&self, column: &str) -> Result<u64, BadValue> {
        let number: Option<f64> = self.parsed(column, "number of zero or more")?;
        let hundredths = (number.unwrap_or_default() * 100.0).round();
        // Far below what a float holds exactly; a cast of a negative one would be silent.
        match (0.0..1e15).contains(&hundredths) {
            true => Ok(hundredths as u64),
            false => Err(BadValue {
                column: column.to_owned(),
                value: self.text_or_empty(column),
                wanted: "number of zero or more",
            }),
        }
    }

    /// A moment in ns since the epoch; `None` for 0, which means not set.
    pub fn scn(&self, column: &str) -> Result<Option<Scn>, BadValue> {
        Ok(Some(Scn(self.unsigned(column)?)).filter(|scn| *scn != Scn::ZERO))
    }

    /// A moment in us since the epoch, as `time_to_usec` gives it; `None` for 0 and NULL.
    pub fn micros(&self, column: &str) -> Result<Option<Scn>, BadValue> {
        let micros = self.unsigned(column)?;
        Ok(Some(Scn(micros.saturating_mul(1000))).filter(|scn| *scn != Scn::ZERO))
    }

    fn parsed<T: std::str::FromStr>(
        &self,
        column: &str,
        wanted: &'static str,
    ) -> Result<Option<T>, BadValue> {
        let Some(text) = self
            .text(column)
            .map(str::trim)
            .filter(|text| !text.is_empty())
        else {
            return Ok(None);
        };
        text.parse().map(Some).map_err(|_| BadValue {
            column: column.to_owned(),
            value: text.to_owned(),
            wanted,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        Table {
            columns: ["TENANT_ID", "CHECKPOINT_SCN", "COMMENT", "RATE"]
                .map(str::to_owned)
                .into(),
            rows: vec![vec![
                Some("1002".to_owned()),
                Some("1700000000000000001".to_owned()),
                None,
                Some("99.50".to_owned()),
            ]],
        }
    }

    #[test]
    fn values_are_read_by_name_whatever_its_case() {
        let table = table();
        let row = table.first().unwrap();
        assert_eq!(row.number("tenant_id"), Ok(1002));
        assert_eq!(
            row.scn("CHECKPOINT_SCN"),
            Ok(Some(Scn(1_700_000_000_000_000_001)))
        );
        assert_eq!(row.text("COMMENT"), None);
        assert_eq!(row.number("absent"), Ok(0));
        assert_eq!(row.hundredths("RATE"), Ok(9950));
        assert_eq!(row.hundredths("absent"), Ok(0));
        let bad = row.number("RATE").unwrap_err();
        assert_eq!(
            bad.to_string(),
            "column RATE holds \"99.50\", which is no whole number"
        );
    }
}
