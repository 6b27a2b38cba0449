//! SHOW, USE and SET.

use super::cursor::Cursor;
use super::statement::{SetValue, Setting, Show, Statement};
use super::tokens::Tok;
use crate::SqlError;
use crate::error;

pub(crate) fn show(c: &mut Cursor<'_>) -> Result<Statement, SqlError> {
    if c.accept("USE") {
        let name = c.name()?;
        return c.end(Statement::Use(name));
    }
    if c.accept("DESC") || c.accept("DESCRIBE") {
        return columns(c);
    }
    c.expect("SHOW")?;
    c.accept("FULL");
    let scoped = c.accept("GLOBAL") || c.accept("SESSION");
    if c.accept("VARIABLES") {
        let like = if c.accept("LIKE") {
            Some(c.string()?)
        } else if c.accept("WHERE") {
            c.name()?;
            c.expect_punct("=")?;
            Some(c.string()?)
        } else {
            None
        };
        return c.end(Statement::Show(Show::Variables(like)));
    }
    if scoped {
        return Err(c.refuse());
    }
    if c.accept("COLUMNS") || c.accept("FIELDS") {
        if !c.accept("IN") {
            c.expect("FROM")?;
        }
        return columns(c);
    }
    if c.accept("PARAMETERS") {
        let like = if c.accept("LIKE") {
            Some(c.string()?)
        } else if c.accept("WHERE") {
            c.name()?;
            c.expect_punct("=")?;
            Some(c.string()?)
        } else {
            None
        };
        let tenant = c.one_tenant()?;
        return c.end(Statement::Show(Show::Parameters { like, tenant }));
    }
    let what = if c.accept_all(&["RESTORE", "PREVIEW"]) {
        Show::RestorePreview
    } else if c.accept("DATABASES") {
        Show::Databases
    } else if c.accept("TABLES") {
        Show::Tables
    } else if c.accept("WARNINGS") {
        Show::Warnings
    } else if c.accept("GRANTS") {
        while c.next().is_some() {}
        Show::Grants
    } else {
        return Err(c.refuse());
    };
    c.end(Statement::Show(what))
}

fn columns(c: &mut Cursor<'_>) -> Result<Statement, SqlError> {
    let mut name = c.name()?;
    if c.punct(".") {
        name = format!("{name}.{}", c.name()?);
    }
    c.end(Statement::Show(Show::Columns(name)))
}

pub(crate) fn set(c: &mut Cursor<'_>) -> Result<Statement, SqlError> {
    c.expect("SET")?;
    if c.accept("ENCRYPTION") {
        c.expect("ON")?;
        c.expect("IDENTIFIED")?;
        c.expect("BY")?;
        let password = c.string()?;
        c.expect("ONLY")?;
        return c.end(Statement::SetEncryption(password));
    }
    if c.accept("DECRYPTION") {
        c.expect("IDENTIFIED")?;
        c.expect("BY")?;
        let passwords = c.strings()?;
        return c.end(Statement::SetDecryption(passwords));
    }
    let alone = c.is("NAMES");
    let mut settings = vec![setting(c, alone)?];
    while c.punct(",") {
        if alone && !c.version.is_legacy() && !c.version.names_in_set_list() {
            return Err(c.refuse());
        }
        settings.push(setting(c, false)?);
    }
    c.end(Statement::Set(settings))
}

fn setting(c: &mut Cursor<'_>, first_names: bool) -> Result<Setting, SqlError> {
    if c.is("NAMES") {
        if !first_names && !c.version.is_legacy() && !c.version.names_in_set_list() {
            return Err(c.refuse());
        }
        c.expect("NAMES")?;
        c.value()?;
        if c.accept("COLLATE") {
            c.value()?;
        }
        return Ok(Setting::Names);
    }
    if c.accept("CHARACTER") {
        c.expect("SET")?;
        c.value()?;
        return Ok(Setting::Names);
    }
    let _ = c.accept("GLOBAL") || c.accept("SESSION") || c.accept("LOCAL");
    let name = match c.peek() {
        Some(Tok::SysVar(name)) => {
            c.next();
            name.clone()
        }
        Some(Tok::UserVar(name)) => {
            c.next();
            format!("@{name}")
        }
        _ => c.name()?.to_ascii_lowercase(),
    };
    if !c.punct("=") {
        c.expect_punct(":=")?;
    }
    Ok(Setting::Variable(name, value(c)?))
}

fn value(c: &mut Cursor<'_>) -> Result<SetValue, SqlError> {
    if c.accept("DEFAULT") {
        return Ok(SetValue::Default);
    }
    if !c.punct("(") {
        return if let Some(Tok::SysVar(name)) = c.peek() {
            c.next();
            Ok(SetValue::Appended(name.clone(), String::new()))
        } else {
            c.value().map(SetValue::Literal)
        };
    }
    let sub_query = c.is("SELECT");
    if sub_query && c.version.is_legacy() {
        return Err(error::not_supported(
            "subqueries or stored function calls here not supported",
        ));
    }
    if c.accept("SELECT")
        && c.accept("CONCAT")
        && c.punct("(")
        && let Some(Tok::SysVar(name)) = c.next()
        && c.punct(",")
    {
        let more = c.string()?;
        c.expect_punct(")")?;
        c.expect_punct(")")?;
        return Ok(SetValue::Appended(name.clone(), more));
    }
    let mut depth = 1;
    while depth > 0 {
        match c.next() {
            Some(Tok::Punct("(")) => depth += 1,
            Some(Tok::Punct(")")) => depth -= 1,
            Some(_) => {}
            None => return Err(c.refuse()),
        }
    }
    Ok(SetValue::SubQuery)
}
