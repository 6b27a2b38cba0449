//! Destinations, archive mode, backups and retention.

use super::cursor::Cursor;
use super::statement::{Policy, Scope, Statement};
use crate::SqlError;

/// `SET name = value, ... [TENANT ...]`.
pub(crate) fn parameters(c: &mut Cursor<'_>) -> Result<Statement, SqlError> {
    c.expect("SET")?;
    let mut entries = Vec::new();
    loop {
        let name = c.name()?;
        c.punct("=");
        entries.push((name.to_ascii_lowercase(), c.value()?));
        if c.accept("COMMENT") {
            c.punct("=");
            c.string()?;
        }
        if c.accept("SCOPE") {
            c.punct("=");
            c.name()?;
        }
        if !c.punct(",") {
            break;
        }
    }
    let scope = scope(c)?;
    c.end(Statement::Parameters { entries, scope })
}

/// `[TENANT [=] name, ... | ALL | ALL_USER | ALL_META]`.
fn scope(c: &mut Cursor<'_>) -> Result<Scope, SqlError> {
    if !c.accept("TENANT") {
        return Ok(Scope::Own);
    }
    c.punct("=");
    Ok(if c.accept("ALL") {
        Scope::All
    } else if c.accept("ALL_USER") {
        Scope::AllUser
    } else if c.accept("ALL_META") {
        Scope::AllMeta
    } else {
        Scope::Named(c.names()?)
    })
}

pub(crate) fn archive_mode(c: &mut Cursor<'_>) -> Result<Statement, SqlError> {
    let on = c.accept("ARCHIVELOG");
    if !on {
        c.expect("NOARCHIVELOG")?;
    }
    if c.version.is_legacy() {
        return c.end(Statement::ArchiveMode {
            on,
            scope: Scope::Own,
        });
    }
    let scope = scope(c)?;
    c.description()?;
    c.end(Statement::ArchiveMode { on, scope })
}

pub(crate) fn backup(c: &mut Cursor<'_>) -> Result<Statement, SqlError> {
    c.expect("BACKUP")?;
    let incremental = c.accept("INCREMENTAL");
    let tenants = if c.accept("DATABASE") {
        None
    } else if c.is("TENANT") {
        c.tenants()?
    } else {
        return Err(c.refuse());
    };
    let to = c.accept("TO");
    if to {
        c.punct("=");
        c.string()?;
    }
    let plus = c.accept_all(&["PLUS", "ARCHIVELOG"]);
    let description = c.description()?;
    c.end(Statement::Backup {
        incremental,
        tenants,
        to,
        plus,
        description,
    })
}

/// After `ADD`.
pub(crate) fn add_policy(c: &mut Cursor<'_>) -> Result<Statement, SqlError> {
    c.expect("DELETE")?;
    c.expect("BACKUP")?;
    c.expect("POLICY")?;
    c.punct("=");
    let name = c.string()?;
    let mut policy = Policy {
        name,
        window: None,
        redundancy: None,
        tenant: None,
    };
    if c.accept("RECOVERY_WINDOW") {
        c.punct("=");
        policy.window = Some(c.string()?);
    }
    if c.accept("REDUNDANCY") {
        c.punct("=");
        policy.redundancy = Some(c.integer()?);
    }
    if c.accept("BACKUP_COPIES") {
        c.punct("=");
        c.integer()?;
    }
    policy.tenant = c.tenants()?;
    c.end(Statement::AddPolicy(policy))
}

pub(crate) fn drop_policy(c: &mut Cursor<'_>) -> Result<Statement, SqlError> {
    c.expect("DROP")?;
    c.expect("DELETE")?;
    c.expect("BACKUP")?;
    c.expect("POLICY")?;
    c.punct("=");
    let name = c.string()?;
    let tenant = c.tenants()?;
    c.end(Statement::DropPolicy { name, tenant })
}

pub(crate) fn delete(c: &mut Cursor<'_>) -> Result<Statement, SqlError> {
    c.expect("DELETE")?;
    if c.accept("BACKUPSET") || c.accept("BACKUPPIECE") || c.accept("ARCHIVELOG_PIECE") {
        c.integers()?;
    } else {
        c.expect("OBSOLETE")?;
        c.expect("BACKUP")?;
    }
    c.tenants()?;
    c.end(Statement::DeleteSomething)
}
