//! Units, pools and tenants.

use super::cursor::Cursor;
use super::statement::Statement;
use crate::SqlError;

type Options = Vec<(String, String)>;

pub(crate) fn plumbing(c: &mut Cursor<'_>) -> Result<Statement, SqlError> {
    if c.accept("PURGE") {
        c.expect("TENANT")?;
        let name = c.name()?;
        return c.end(Statement::Purge(name));
    }
    if c.accept("FLASHBACK") {
        c.expect("TENANT")?;
        let name = c.name()?;
        c.expect("TO")?;
        c.expect("BEFORE")?;
        c.expect("DROP")?;
        let rename = if c.accept_all(&["RENAME", "TO"]) {
            Some(c.name()?)
        } else {
            None
        };
        return c.end(Statement::Flashback { name, rename });
    }
    if c.accept("DROP") {
        return drop_something(c);
    }
    c.expect("CREATE")?;
    c.expect("RESOURCE")?;
    let unit = c.accept("UNIT");
    if !unit {
        c.expect("POOL")?;
    }
    let if_not_exists = c.accept_all(&["IF", "NOT", "EXISTS"]);
    let name = c.name()?;
    let (options, zones) = options(c)?;
    c.end(if unit {
        Statement::CreateUnit {
            name,
            if_not_exists,
            options,
        }
    } else {
        Statement::CreatePool {
            name,
            if_not_exists,
            options,
            zones,
        }
    })
}

fn drop_something(c: &mut Cursor<'_>) -> Result<Statement, SqlError> {
    if c.accept("TENANT") {
        let if_exists = c.accept_all(&["IF", "EXISTS"]);
        let name = c.name()?;
        let force = c.accept("FORCE");
        return c.end(Statement::DropTenant {
            name,
            if_exists,
            force,
        });
    }
    c.expect("RESOURCE")?;
    let unit = c.accept("UNIT");
    if !unit {
        c.expect("POOL")?;
    }
    let if_exists = c.accept_all(&["IF", "EXISTS"]);
    let name = c.name()?;
    c.end(if unit {
        Statement::DropUnit { name, if_exists }
    } else {
        Statement::DropPool { name, if_exists }
    })
}

/// After `ALTER RESOURCE`.
pub(crate) fn alter_resource(c: &mut Cursor<'_>) -> Result<Statement, SqlError> {
    let unit = c.accept("UNIT");
    if !unit {
        c.expect("POOL")?;
    }
    let name = c.name()?;
    let (options, _) = options(c)?;
    c.end(if unit {
        Statement::AlterUnit { name, options }
    } else {
        Statement::AlterPool { name, options }
    })
}

/// `NAME = value, ...`; a list in parentheses is a zone list.
fn options(c: &mut Cursor<'_>) -> Result<(Options, Vec<String>), SqlError> {
    let mut options = Vec::new();
    let mut zones = Vec::new();
    loop {
        let name = c.name()?.to_ascii_uppercase();
        c.punct("=");
        if c.punct("(") {
            loop {
                zones.push(c.value()?);
                if !c.punct(",") {
                    break;
                }
            }
            c.expect_punct(")")?;
        } else {
            options.push((name, c.value()?));
        }
        if !c.punct(",") && c.at_end() {
            return Ok((options, zones));
        }
    }
}
