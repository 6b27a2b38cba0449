//! SELECT: the rows of the views go into SQLite, which answers.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, params_from_iter};

use crate::functions::{self, Known, Shared};
use crate::rows::{Row, Val};
use crate::translate::Translated;
use crate::views::{Contract, View};
use crate::{Answer, Column, ColumnType, SqlError, calendar, error};

/// What a filled table was made of.
type Stamp = (u64, i64, i32);

/// The SQLite side of a session.
pub(crate) struct Engine {
    db: Connection,
    shared: Shared,
    filled: BTreeMap<String, Stamp>,
}

fn internal(e: &rusqlite::Error) -> SqlError {
    error::coded(4016, format!("Internal error: {e}"))
}

impl Engine {
    pub(crate) fn new() -> Result<Engine, SqlError> {
        let shared = Arc::new(Mutex::new(Known::default()));
        let db = Connection::open_in_memory().map_err(|e| internal(&e))?;
        db.execute_batch("ATTACH ':memory:' AS oceanbase")
            .map_err(|e| internal(&e))?;
        functions::register(&db, &shared).map_err(|e| internal(&e))?;
        Ok(Engine {
            db,
            shared,
            filled: BTreeMap::new(),
        })
    }

    /// What functions shall know from now on.
    pub(crate) fn tell(&self, known: Known) {
        *self.shared.lock().unwrap_or_else(PoisonError::into_inner) = known;
    }

    /// Whether a table is still what the world shows.
    pub(crate) fn is_fresh(&self, view: &str, stamp: Stamp) -> bool {
        self.filled.get(view) == Some(&stamp)
    }

    /// Fills a view's table.
    pub(crate) fn fill(&mut self, view: &View, rows: &[Row], stamp: Stamp) -> Result<(), SqlError> {
        let key = view.name.to_ascii_uppercase();
        self.refill(view, rows, stamp.2, !self.filled.contains_key(&key))
            .map_err(|e| internal(&e))?;
        self.filled.insert(key, stamp);
        Ok(())
    }

    fn refill(
        &mut self,
        view: &View,
        rows: &[Row],
        offset: i32,
        create: bool,
    ) -> rusqlite::Result<()> {
        let tx = self.db.transaction()?;
        if create {
            let columns: Vec<String> = view
                .columns
                .iter()
                .map(|c| format!("`{}` {}", c.name, declared(c.kind)))
                .collect();
            tx.execute_batch(&format!(
                "CREATE TABLE oceanbase.`{}` ({})",
                view.name,
                columns.join(", ")
            ))?;
        } else {
            tx.execute_batch(&format!("DELETE FROM oceanbase.`{}`", view.name))?;
        }
        let marks = vec!["?"; view.columns.len()].join(", ");
        let mut insert = tx.prepare(&format!(
            "INSERT INTO oceanbase.`{}` VALUES ({marks})",
            view.name
        ))?;
        for row in rows {
            let values = picked(view, row)
                .into_iter()
                .map(|value| stored(value, offset));
            insert.execute(params_from_iter(values))?;
        }
        drop(insert);
        tx.commit()
    }

    /// Runs a translated SELECT.
    pub(crate) fn select(
        &self,
        contract: &Contract,
        translated: &Translated,
    ) -> Result<Answer, SqlError> {
        let mut statement = self
            .db
            .prepare(&translated.sql)
            .map_err(|e| refused(&e, &translated.sql))?;
        let names: Vec<String> = statement
            .column_names()
            .into_iter()
            .map(str::to_owned)
            .collect();
        let columns: Vec<Column> = names
            .iter()
            .map(|name| column(contract, translated, name))
            .collect();
        let mut rows = Vec::new();
        let mut found = statement
            .query([])
            .map_err(|e| refused(&e, &translated.sql))?;
        while let Some(row) = found.next().map_err(|e| refused(&e, &translated.sql))? {
            let mut values = Vec::with_capacity(columns.len());
            for (at, column) in columns.iter().enumerate() {
                let value = row.get_ref(at).map_err(|e| internal(&e))?;
                values.push(rendered(value, column.kind));
            }
            rows.push(values);
        }
        Ok(Answer::Rows { columns, rows })
    }

    /// Whether a translated SELECT would be understood.
    pub(crate) fn check(&self, translated: &Translated) -> Result<(), SqlError> {
        self.db
            .prepare(&translated.sql)
            .map(|_| ())
            .map_err(|e| refused(&e, &translated.sql))
    }
}

/// The values of a row in a view's order; what the row does not name is NULL, 0 or empty.
pub(crate) fn picked(view: &View, row: &Row) -> Vec<Val> {
    view.columns
        .iter()
        .map(|column| {
            row.iter()
                .find(|(name, _)| name.eq_ignore_ascii_case(&column.name))
                .map_or_else(
                    || match column.kind {
                        _ if column.nullable => Val::Null,
                        ColumnType::Varchar(_) | ColumnType::LongText => Val::Text(String::new()),
                        ColumnType::Timestamp | ColumnType::DateTime | ColumnType::Time => {
                            Val::Null
                        }
                        _ => Val::Int(0),
                    },
                    |(_, value)| value.clone(),
                )
        })
        .collect()
}

/// A value as the text protocol shows it.
pub(crate) fn shown(value: Val, kind: ColumnType, offset: i32) -> Option<String> {
    match value {
        Val::Null => None,
        Val::Int(n) => Some(n.to_string()),
        Val::Real(n) => Some(real(n, kind)),
        Val::Text(t) => Some(t),
        Val::Moment(us) => Some(calendar::text(us, offset)),
    }
}

fn stored(value: Val, offset: i32) -> Value {
    match value {
        Val::Null => Value::Null,
        Val::Int(n) => Value::Integer(n),
        Val::Real(n) => Value::Real(n),
        Val::Text(t) => Value::Text(t),
        Val::Moment(us) => Value::Text(calendar::text(us, offset)),
    }
}

fn declared(kind: ColumnType) -> &'static str {
    match kind {
        ColumnType::TinyInt | ColumnType::BigInt | ColumnType::UnsignedBigInt => "INTEGER",
        ColumnType::Double | ColumnType::Decimal { .. } => "REAL",
        _ => "TEXT COLLATE NOCASE",
    }
}

fn real(n: f64, kind: ColumnType) -> String {
    match kind {
        ColumnType::Decimal { scale, .. } => format!("{n:.*}", usize::from(scale)),
        _ => n.to_string(),
    }
}

fn rendered(value: ValueRef<'_>, kind: ColumnType) -> Option<String> {
    match value {
        ValueRef::Null => None,
        ValueRef::Integer(n) => match kind {
            ColumnType::Decimal { .. } => Some(real(n as f64, kind)),
            _ => Some(n.to_string()),
        },
        ValueRef::Real(n) => Some(real(n, kind)),
        ValueRef::Text(t) | ValueRef::Blob(t) => Some(String::from_utf8_lossy(t).into_owned()),
    }
}

/// The type of a result column: a view's, when the name is one of its columns and no alias.
fn column(contract: &Contract, translated: &Translated, name: &str) -> Column {
    let upper = name.to_ascii_uppercase();
    let known = translated
        .views
        .iter()
        .filter(|_| !translated.aliases.contains(&upper))
        .filter_map(|view| contract.view(view))
        .find_map(|view| {
            view.columns
                .iter()
                .find(|c| c.name.eq_ignore_ascii_case(name))
        });
    match known {
        Some(found) => Column {
            name: name.to_owned(),
            kind: found.kind,
            nullable: found.nullable,
        },
        None => {
            let mut shown = name.to_owned();
            for (written, stands) in &translated.replaced {
                shown = shown.replacen(stands.as_str(), written, 1);
            }
            Column {
                name: shown,
                kind: ColumnType::Varchar(65535),
                nullable: true,
            }
        }
    }
}

/// SQLite's refusal in OceanBase's words.
fn refused(e: &rusqlite::Error, sql: &str) -> SqlError {
    let text = match e {
        rusqlite::Error::SqliteFailure(_, Some(text)) => text.clone(),
        rusqlite::Error::SqlInputError { msg, .. } => msg.clone(),
        other => other.to_string(),
    };
    let after = |mark: &str| {
        text.split_once(mark)
            .map(|(_, rest)| rest.trim().trim_matches('"').to_owned())
    };
    if let Some(name) = after("no such column: ") {
        return error::unknown_column(name.split(' ').next().unwrap_or_default());
    }
    if let Some(name) = after("no such table: ") {
        return error::unknown_table(&name);
    }
    if let Some(name) = after("no such function: ") {
        return error::unknown_function(&name);
    }
    error::syntax(sql)
}
