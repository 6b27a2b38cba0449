//! From OceanBase's SELECT to SQLite's, token by token; what needs no change keeps its text.

use crate::SqlError;
use crate::error;
use crate::sql::tokens::{Piece, Tok, Token};
use crate::variables::Variables;
use crate::views::Contract;

/// A translated statement.
#[derive(Debug)]
pub(crate) struct Translated {
    pub(crate) sql: String,
    /// Upper-case names of the views it reads.
    pub(crate) views: Vec<String>,
    /// Names after `AS`, which are expressions as far as types go.
    pub(crate) aliases: Vec<String>,
    /// What was written and what stands for it, for the names of result columns.
    pub(crate) replaced: Vec<(String, String)>,
}

/// Whether a tenant's sessions have a view.
pub(crate) fn visible(contract: &Contract, name: &str, tenant: i64) -> bool {
    let upper = name.to_ascii_uppercase();
    let sys_only = upper.starts_with("CDB_")
        || upper.starts_with("__ALL_")
        || matches!(
            upper.as_str(),
            "DBA_OB_UNITS"
                | "DBA_OB_UNIT_CONFIGS"
                | "DBA_OB_RESOURCE_POOLS"
                | "DBA_OB_TENANT_JOBS"
                | "DBA_OB_ROOTSERVICE_EVENT_HISTORY"
                | "DBA_OB_CLUSTER_EVENT_HISTORY"
                | "GV$TENANT"
                | "GV$UNIT"
        );
    contract.view(name).is_some() && !upper.starts_with("SHOW ") && (tenant == 1 || !sys_only)
}

/// Translates a SELECT for a session.
pub(crate) fn translate(
    piece: &Piece,
    contract: &Contract,
    variables: &Variables,
    database: Option<&str>,
    tenant: i64,
) -> Result<Translated, SqlError> {
    let mut work = Work {
        tokens: &piece.tokens,
        contract,
        variables,
        database,
        tenant,
        casts: Vec::new(),
        depth: 0,
        out: Translated {
            sql: String::new(),
            views: Vec::new(),
            aliases: Vec::new(),
            replaced: Vec::new(),
        },
    };
    for (at, token) in piece.tokens.iter().enumerate() {
        let gap = piece.tokens.get(at + 1).map_or(piece.text.len(), |t| t.at);
        let written = &piece.text[token.at..token.end];
        let stands = work.replacement(at)?;
        let out = &mut work.out;
        match stands {
            Some(text) => {
                out.sql.push_str(&text);
                if text != written && !text.is_empty() {
                    out.replaced.push((written.to_owned(), text));
                }
            }
            None => out.sql.push_str(written),
        }
        let blank = &piece.text[token.end..gap];
        out.sql
            .push_str(if blank.trim().is_empty() { blank } else { " " });
    }
    Ok(work.out)
}

struct Work<'a> {
    tokens: &'a [Token],
    contract: &'a Contract,
    variables: &'a Variables,
    database: Option<&'a str>,
    tenant: i64,
    /// Depths of the parentheses of open CASTs.
    casts: Vec<i32>,
    depth: i32,
    out: Translated,
}

impl Work<'_> {
    fn tok(&self, at: Option<usize>) -> Option<&Tok> {
        at.and_then(|at| self.tokens.get(at)).map(|t| &t.tok)
    }

    /// What stands for a token, when it does not stand for itself.
    fn replacement(&mut self, at: usize) -> Result<Option<String>, SqlError> {
        let before = self.tok(at.checked_sub(1));
        Ok(match &self.tokens[at].tok {
            Tok::Punct("(") => {
                let cast = is(before, "CAST");
                self.depth += 1;
                if cast {
                    self.casts.push(self.depth);
                }
                None
            }
            Tok::Punct(")") => {
                if self.casts.last() == Some(&self.depth) {
                    self.casts.pop();
                }
                self.depth -= 1;
                None
            }
            Tok::Punct("<=>") => Some("IS".to_owned()),
            Tok::Punct("&&") => Some("AND".to_owned()),
            Tok::Punct("||") => Some("OR".to_owned()),
            Tok::Param => Some("NULL".to_owned()),
            Tok::Str(value) => Some(quoted(value)),
            Tok::SysVar(name) => Some(literal(
                self.variables
                    .get(name)
                    .ok_or_else(|| error::unknown_variable(name))?,
            )),
            Tok::UserVar(name) => {
                let value = self.variables.get(&format!("@{name}"));
                Some(value.map_or_else(|| "NULL".to_owned(), literal))
            }
            Tok::Word(word) | Tok::Quoted(word) => self.name(at, &word.clone())?,
            _ => None,
        })
    }

    fn name(&mut self, at: usize, word: &str) -> Result<Option<String>, SqlError> {
        let before = self.tok(at.checked_sub(1));
        let dual = |from: &str, table: Option<&Tok>| {
            from.eq_ignore_ascii_case("FROM") && is(table, "DUAL")
        };
        let after_from = is(before, "FROM") && word.eq_ignore_ascii_case("DUAL");
        if after_from || dual(word, self.tok(Some(at + 1))) {
            return Ok(Some(String::new()));
        }
        if is(before, "AS") {
            if !self.casts.is_empty() {
                return Ok(cast_type(word));
            }
            self.out.aliases.push(word.to_ascii_uppercase());
            return Ok(None);
        }
        if let Some(name) = table_name(self.tokens, at, word, self.contract, self.database)? {
            if !visible(self.contract, &name, self.tenant) {
                return Err(error::unknown_table(&format!("oceanbase.{name}")));
            }
            let upper = name.to_ascii_uppercase();
            if !self.out.views.contains(&upper) {
                self.out.views.push(upper);
            }
        }
        Ok(None)
    }
}

/// The view that a name stands for when it is in the place of a table.
fn table_name(
    tokens: &[Token],
    at: usize,
    word: &str,
    contract: &Contract,
    database: Option<&str>,
) -> Result<Option<String>, SqlError> {
    let tok = |back: usize| {
        at.checked_sub(back)
            .and_then(|b| tokens.get(b))
            .map(|t| &t.tok)
    };
    if matches!(tok(1), Some(Tok::Punct("."))) {
        return match tok(2) {
            Some(Tok::Word(db) | Tok::Quoted(db)) if db.eq_ignore_ascii_case("oceanbase") => {
                Ok(Some(word.to_owned()))
            }
            Some(Tok::Word(db) | Tok::Quoted(db)) if is(tok(3), "FROM") || is(tok(3), "JOIN") => {
                Err(error::unknown_table(&format!("{db}.{word}")))
            }
            _ => Ok(None),
        };
    }
    let qualified = matches!(tokens.get(at + 1).map(|t| &t.tok), Some(Tok::Punct(".")));
    let place = is(tok(1), "FROM") || is(tok(1), "JOIN");
    if qualified || !place || word.eq_ignore_ascii_case("DUAL") {
        return Ok(None);
    }
    match database {
        Some(db) if db.eq_ignore_ascii_case("oceanbase") => Ok(Some(word.to_owned())),
        None => Err(error::no_database()),
        Some(db) if contract.view(word).is_some() => {
            Err(error::unknown_table(&format!("{db}.{word}")))
        }
        Some(_) => Ok(None),
    }
}

fn is(tok: Option<&Tok>, keyword: &str) -> bool {
    matches!(tok, Some(Tok::Word(w)) if w.eq_ignore_ascii_case(keyword))
}

fn cast_type(word: &str) -> Option<String> {
    match word.to_ascii_uppercase().as_str() {
        "CHAR" | "NCHAR" | "DATETIME" | "DATE" => Some("TEXT".to_owned()),
        "SIGNED" | "UNSIGNED" => Some("INTEGER".to_owned()),
        _ => None,
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A number stays a number.
fn literal(value: &str) -> String {
    if !value.is_empty() && value.len() < 19 && value.chars().all(|c| c.is_ascii_digit()) {
        value.to_owned()
    } else {
        quoted(value)
    }
}
