//! What a statement gives back: rows as text, a count, or an error with OceanBase's code.

/// The type of a column, as the views tell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ColumnType {
    /// `tinyint(4)`.
    TinyInt,
    /// `bigint(20)`.
    BigInt,
    /// `bigint(20) unsigned`.
    UnsignedBigInt,
    /// `double`.
    Double,
    /// `decimal(precision,scale)`.
    Decimal {
        /// Digits in all.
        precision: u8,
        /// Digits after the point.
        scale: u8,
    },
    /// `varchar(n)`.
    Varchar(u32),
    /// `longtext`.
    LongText,
    /// `timestamp(6)`.
    Timestamp,
    /// `datetime(6)`.
    DateTime,
    /// `time(6)`.
    Time,
}

/// A column of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Name, as the statement or the view writes it.
    pub name: String,
    /// Type.
    pub kind: ColumnType,
    /// Whether NULL may occur.
    pub nullable: bool,
}

/// The answer to one statement that worked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Done, without rows.
    Done {
        /// Rows changed.
        affected_rows: u64,
    },
    /// Rows, every value as text the way the text protocol sends it; `None` is NULL.
    Rows {
        /// Columns.
        columns: Vec<Column>,
        /// One `Vec` a row, as long as `columns`.
        rows: Vec<Vec<Option<String>>>,
    },
}

/// A statement that was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("ERROR {code} ({state}): {message}")]
pub struct SqlError {
    /// The code on the wire, such as 9036.
    pub code: u16,
    /// SQLSTATE, five characters.
    pub state: &'static str,
    /// The text.
    pub message: String,
}

/// What becomes of a packet's answers on their way back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// They arrive.
    Whole,
    /// The statements were carried out, the connection closes without an answer.
    LostAfter,
    /// The connection closes and nothing was carried out.
    LostBefore,
    /// Nothing ever comes back and the connection stays open.
    Hangs,
}

/// What one packet of SQL text gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// One answer a statement in order; the first error is the last one.
    pub answers: Vec<Result<Answer, SqlError>>,
    /// What becomes of them.
    pub delivery: Delivery,
    /// How long the server takes before it answers, in ns of the world's clock.
    pub delay_ns: u64,
}
