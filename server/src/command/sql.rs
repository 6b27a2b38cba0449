//! `tidemark sql`.

use super::{Client, FAILED, Failure, Output};
use crate::{
    cli::{Common, Sql},
    http::{
        commands::SQL_BYTES_MAX,
        shape::{self, Problem},
    },
};
use std::io::Read;

/// Runs SQL from the command line or from standard input.
pub(super) fn run(common: &Common, order: &Sql, output: &Output) -> Result<(), Problem> {
    let sql = match &order.sql {
        Some(sql) => sql.clone(),
        None => read_input()?,
    };
    if sql.trim().is_empty() {
        return Err(Failure::usage(
            "there is no SQL; give it after the tenant or on standard input",
        ));
    }
    if sql.len() > SQL_BYTES_MAX {
        return Err(Failure::usage(format!(
            "the SQL has {} bytes; at most {SQL_BYTES_MAX} are taken at once, so split it, or use any SQLite program on the tenant's data file",
            sql.len()
        )));
    }
    let answers: shape::SqlAnswers = Client::connect(common)?
        .post(&["tenants", &order.tenant, "sql"], &shape::SqlOrder { sql })?;
    output.show(&answers, |answers| {
        answers.results.iter().map(text).collect()
    })
}

fn read_input() -> Result<String, Problem> {
    let mut text = String::new();
    let limit = u64::try_from(SQL_BYTES_MAX).unwrap_or(u64::MAX) + 1;
    std::io::stdin()
        .take(limit)
        .read_to_string(&mut text)
        .map_err(|error| {
            Problem::new(
                FAILED,
                format!("reading SQL from standard input failed: {error}"),
            )
        })?;
    Ok(text)
}

fn text(answer: &shape::SqlAnswer) -> String {
    if answer.columns.is_empty() {
        return answer
            .committed
            .as_ref()
            .map_or_else(String::new, |committed| {
                format!(
                    "{} rows changed, committed at {committed}\n",
                    answer.changes
                )
            });
    }
    let mut text = answer.columns.join("\t");
    text.push('\n');
    for row in &answer.rows {
        let cells: Vec<&str> = row
            .iter()
            .map(|cell| cell.as_deref().unwrap_or("NULL"))
            .collect();
        text.push_str(&cells.join("\t"));
        text.push('\n');
    }
    text
}
