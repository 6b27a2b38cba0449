//! Restore, standby and table recovery.

use super::cursor::Cursor;
use super::statement::{RecoverTable, Restore, Statement, Until};
use crate::SqlError;

fn until(c: &mut Cursor<'_>) -> Result<Option<Until>, SqlError> {
    if !c.accept("UNTIL") {
        return Ok(None);
    }
    if c.accept("TIME") {
        c.expect_punct("=")?;
        return c.string().map(|t| Some(Until::Time(t)));
    }
    c.expect("SCN")?;
    c.expect_punct("=")?;
    c.integer().map(|n| Some(Until::Scn(n)))
}

/// `[WITH KEY FROM 'uri' ENCRYPTED BY 'pwd']`, which means nothing without TDE.
fn key(c: &mut Cursor<'_>) -> Result<(), SqlError> {
    if c.accept_all(&["WITH", "KEY", "FROM"]) {
        c.string()?;
        c.expect("ENCRYPTED")?;
        c.expect("BY")?;
        c.string()?;
    }
    Ok(())
}

pub(crate) fn restore(c: &mut Cursor<'_>) -> Result<Statement, SqlError> {
    c.expect("RESTORE")?;
    if c.accept("FROM") {
        let from = Some(c.string()?);
        return short_preview(c, from);
    }
    if c.is("UNTIL") || c.is("PREVIEW") {
        return short_preview(c, None);
    }
    let name = c.name()?;
    let from = if c.accept("FROM") {
        Some(c.string()?)
    } else {
        None
    };
    let until = until(c)?;
    c.expect("WITH")?;
    let options = c.string()?;
    if c.accept_all(&["ENCRYPTED", "BY"]) {
        c.string()?;
    }
    key(c)?;
    let description = c.description()?;
    let preview = !c.version.short_preview() && c.accept("PREVIEW");
    c.end(Statement::Restore(Restore {
        name,
        from,
        until,
        options,
        description,
        preview,
    }))
}

fn short_preview(c: &mut Cursor<'_>, from: Option<String>) -> Result<Statement, SqlError> {
    if !c.version.short_preview() {
        return Err(c.refuse());
    }
    let until = until(c)?;
    c.expect("PREVIEW")?;
    c.end(Statement::Preview { from, until })
}

pub(crate) fn activate(c: &mut Cursor<'_>) -> Result<Statement, SqlError> {
    if !c.version.has_roles() {
        return Err(c.refuse());
    }
    c.expect("ACTIVATE")?;
    c.expect("STANDBY")?;
    let tenant = c.one_tenant()?;
    let verify = c.accept("VERIFY");
    c.end(Statement::Activate { tenant, verify })
}

pub(crate) fn recover(c: &mut Cursor<'_>) -> Result<Statement, SqlError> {
    c.expect("RECOVER")?;
    if c.version.has_roles() && c.accept("STANDBY") {
        let tenant = c.one_tenant()?;
        if !c.accept("CANCEL") && !c.accept_all(&["UNTIL", "UNLIMITED"]) {
            until(c)?;
        }
        return c.end(Statement::RecoverStandby(tenant));
    }
    if !c.version.short_preview() {
        return Err(c.refuse());
    }
    c.expect("TABLE")?;
    let mut tables = vec![table(c)?];
    while c.punct(",") {
        tables.push(table(c)?);
    }
    let target = if c.accept("TO") {
        if c.accept("TENANT") {
            c.punct("=");
        }
        Some(c.name()?)
    } else {
        None
    };
    c.expect("FROM")?;
    let from = c.string()?;
    let until = until(c)?.ok_or_else(|| c.refuse())?;
    c.expect("WITH")?;
    let options = c.string()?;
    key(c)?;
    let remap = remaps(c)?;
    let description = c.description()?;
    c.end(Statement::RecoverTable(Box::new(RecoverTable {
        tables,
        target,
        from,
        until,
        options,
        remap,
        description,
    })))
}

fn table(c: &mut Cursor<'_>) -> Result<(String, String), SqlError> {
    let database = c.name()?;
    c.expect_punct(".")?;
    if c.punct("*") {
        return Ok((database, "*".to_owned()));
    }
    Ok((database, c.name()?))
}

fn remaps(c: &mut Cursor<'_>) -> Result<Vec<(String, String)>, SqlError> {
    let mut remap = Vec::new();
    while c.accept("REMAP") {
        let tables = c.accept("TABLE");
        if !tables && !c.accept("TABLEGROUP") {
            c.expect("TABLESPACE")?;
        }
        loop {
            let pair = if tables {
                let (db, t) = table(c)?;
                c.expect_punct(":")?;
                let mut to = c.name()?;
                if c.punct(".") {
                    to = format!("{to}.{}", c.name()?);
                }
                (format!("{db}.{t}"), to)
            } else {
                let from = c.name()?;
                c.expect_punct(":")?;
                (from, c.name()?)
            };
            remap.push(pair);
            if !c.punct(",") {
                break;
            }
        }
    }
    Ok(remap)
}
