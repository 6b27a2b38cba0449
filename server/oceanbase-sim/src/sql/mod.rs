//! Statements: tokens, the administrative grammar, and what it gives.

mod cursor;
mod parse;
mod parse_backup;
mod parse_legacy;
mod parse_plumbing;
mod parse_restore;
mod parse_session;
pub(crate) mod statement;
pub(crate) mod tokens;

pub(crate) use parse::parse;
pub(crate) use statement::Statement;
