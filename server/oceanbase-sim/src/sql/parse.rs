//! Where every statement begins.

use super::cursor::Cursor;
use super::statement::{Sim, Statement};
use super::tokens::{Piece, Tok};
use super::{parse_backup, parse_legacy, parse_plumbing, parse_restore, parse_session};
use crate::SqlError;
use crate::version::Version;

/// Reads one statement.
pub(crate) fn parse(piece: &Piece, version: Version) -> Result<Statement, SqlError> {
    let mut c = Cursor::new(piece, version);
    if c.is("SELECT") || c.is("WITH") || matches!(c.peek(), Some(Tok::Punct("("))) {
        return Ok(Statement::Select);
    }
    match word(&c)?.as_str() {
        "SHOW" | "DESC" | "DESCRIBE" | "USE" => parse_session::show(&mut c),
        "SET" => parse_session::set(&mut c),
        "BEGIN" | "START" | "COMMIT" | "ROLLBACK" => Ok(Statement::Nothing),
        "ALTER" => alter(&mut c),
        "CREATE" | "DROP" | "FLASHBACK" | "PURGE" => parse_plumbing::plumbing(&mut c),
        "SIM" => sim(&mut c),
        _ => Err(c.refuse()),
    }
}

fn word(c: &Cursor<'_>) -> Result<String, SqlError> {
    match c.peek() {
        Some(Tok::Word(w)) => Ok(w.to_ascii_uppercase()),
        _ => Err(c.refuse()),
    }
}

fn alter(c: &mut Cursor<'_>) -> Result<Statement, SqlError> {
    c.expect("ALTER")?;
    if c.accept("RESOURCE") {
        return parse_plumbing::alter_resource(c);
    }
    c.expect("SYSTEM")?;
    if c.version.is_legacy()
        && let Some(statement) = parse_legacy::legacy(c)?
    {
        return Ok(statement);
    }
    match word(c)?.as_str() {
        "SET" => parse_backup::parameters(c),
        "ARCHIVELOG" | "NOARCHIVELOG" => parse_backup::archive_mode(c),
        "BACKUP" => parse_backup::backup(c),
        "CANCEL" => cancel(c),
        "DELETE" => parse_backup::delete(c),
        "DROP" => parse_backup::drop_policy(c),
        "ADD" => {
            c.expect("ADD")?;
            if c.is("DELETE") {
                return parse_backup::add_policy(c);
            }
            c.expect("RESTORE")?;
            c.expect("SOURCE")?;
            let uri = c.string()?;
            c.end(Statement::AddSource(uri))
        }
        "CLEAR" => {
            c.expect("CLEAR")?;
            c.expect("RESTORE")?;
            c.expect("SOURCE")?;
            c.end(Statement::ClearSource)
        }
        "RESTORE" => parse_restore::restore(c),
        "ACTIVATE" => parse_restore::activate(c),
        "RECOVER" => parse_restore::recover(c),
        "RUN" => {
            c.expect("RUN")?;
            c.expect("UPGRADE")?;
            c.expect("JOB")?;
            c.string()?;
            let tenant = c.one_tenant()?;
            c.end(Statement::Upgrade(tenant))
        }
        "MAJOR" | "MINOR" => {
            c.next();
            c.expect("FREEZE")?;
            c.tenants()?;
            c.end(Statement::Nothing)
        }
        _ => Err(c.refuse()),
    }
}

fn cancel(c: &mut Cursor<'_>) -> Result<Statement, SqlError> {
    c.expect("CANCEL")?;
    if c.accept("BACKUP") {
        let tenants = c.tenants()?;
        return c.end(Statement::CancelBackup(tenants));
    }
    if c.accept_all(&["DELETE", "BACKUP"]) {
        let tenants = c.tenants()?;
        return c.end(Statement::CancelDelete(tenants));
    }
    if c.accept("RESTORE") {
        let name = c.name()?;
        return c.end(Statement::CancelRestore(name));
    }
    if c.version.short_preview() && c.accept_all(&["RECOVER", "TABLE"]) {
        c.accept("TENANT");
        c.punct("=");
        let name = c.name()?;
        return c.end(Statement::CancelRecoverTable(name));
    }
    Err(c.refuse())
}

fn sim(c: &mut Cursor<'_>) -> Result<Statement, SqlError> {
    c.expect("SIM")?;
    let statement = if c.accept("ADVANCE") {
        Sim::Advance(c.value()?)
    } else if c.accept("CLEAR") {
        Sim::Clear
    } else if c.accept("FILE") {
        Sim::File(c.string()?)
    } else {
        c.expect("FAULT")?;
        let name = c.name()?;
        let mut args = Vec::new();
        while !c.at_end() {
            args.push(c.value()?);
            c.punct(",");
        }
        Sim::Fault(name, args)
    };
    c.end(Statement::Sim(statement))
}
