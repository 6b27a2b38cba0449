//! The cluster-level grammar of 3.x.

use super::cursor::Cursor;
use super::statement::{Legacy, Statement};
use crate::SqlError;

/// What 3.x has and 4.x has not, or has otherwise; `None` leaves the statement to the common grammar.
pub(crate) fn legacy(c: &mut Cursor<'_>) -> Result<Option<Statement>, SqlError> {
    let statement = if c.is("CANCEL") {
        return cancel(c);
    } else if c.accept("VALIDATE") {
        if c.accept("DATABASE") {
            Legacy::Validate(None)
        } else {
            c.expect("BACKUPSET")?;
            Legacy::Validate(Some(c.integer()?))
        }
    } else if c.is("DELETE") {
        delete(c)?
    } else if c.accept_all(&["BACKUP", "BACKUPSET"]) {
        second_set(c)?
    } else if c.accept_all(&["BACKUP", "BACKUPPIECE"]) {
        second_piece(c)?
    } else if c.accept_all(&["START", "BACKUP", "ARCHIVELOG"]) {
        Legacy::BackupArchivelog(true)
    } else if c.accept_all(&["STOP", "BACKUP", "ARCHIVELOG"]) {
        Legacy::BackupArchivelog(false)
    } else if c.accept("RESTORE") {
        restore(c)?
    } else {
        return Ok(None);
    };
    c.end(Some(Statement::Legacy(statement)))
}

fn cancel(c: &mut Cursor<'_>) -> Result<Option<Statement>, SqlError> {
    c.expect("CANCEL")?;
    let statement = if c.accept_all(&["ALL", "BACKUP", "FORCE"]) {
        Statement::Legacy(Legacy::CancelAllBackup)
    } else if c.accept("VALIDATE") {
        Statement::Legacy(Legacy::CancelValidate(c.integer()?))
    } else if c.accept_all(&["DELETE", "BACKUP"]) {
        Statement::CancelDelete(None)
    } else {
        c.expect("BACKUP")?;
        if c.accept("BACKUPSET") || c.accept("BACKUPPIECE") {
            Statement::Legacy(Legacy::CancelSecond)
        } else {
            Statement::CancelBackup(None)
        }
    };
    c.end(Some(statement))
}

fn delete(c: &mut Cursor<'_>) -> Result<Legacy, SqlError> {
    c.expect("DELETE")?;
    if c.accept_all(&["OBSOLETE", "BACKUP"]) {
        return Ok(Legacy::DeleteObsolete);
    }
    let statement = if c.accept("BACKUPSET") {
        Legacy::DeleteSet(c.integer()?)
    } else if c.accept("BACKUPPIECE") {
        Legacy::DeletePiece(c.integer()?)
    } else {
        c.expect("BACKUPROUND")?;
        Legacy::DeleteRound(c.integer()?)
    };
    if c.accept("COPY") {
        c.integer()?;
    }
    Ok(statement)
}

fn id(c: &mut Cursor<'_>) -> Result<Option<u64>, SqlError> {
    if c.accept("ALL") {
        Ok(None)
    } else {
        c.integer().map(Some)
    }
}

fn times(c: &mut Cursor<'_>) -> Result<Option<u64>, SqlError> {
    if !c.accept_all(&["NOT", "BACKED", "UP"]) {
        return Ok(None);
    }
    let n = c.integer()?;
    c.expect("TIMES")?;
    Ok(Some(n))
}

fn tail(c: &mut Cursor<'_>) -> Result<(bool, Option<String>), SqlError> {
    let tenant = c.tenants()?.is_some();
    let to = if c.accept("BACKUP_BACKUP_DEST") {
        c.punct("=");
        Some(c.string()?)
    } else {
        None
    };
    Ok((tenant, to))
}

fn second_set(c: &mut Cursor<'_>) -> Result<Legacy, SqlError> {
    let id = id(c)?;
    let times = times(c)?;
    let (tenant, to) = tail(c)?;
    Ok(Legacy::BackupSet {
        id,
        times,
        tenant,
        to,
    })
}

fn second_piece(c: &mut Cursor<'_>) -> Result<Legacy, SqlError> {
    let id = id(c)?;
    times(c)?;
    let with_active = c.accept_all(&["WITH", "ACTIVE"]);
    let (tenant, to) = tail(c)?;
    Ok(Legacy::BackupPiece {
        id,
        with_active,
        tenant,
        to,
    })
}

fn restore(c: &mut Cursor<'_>) -> Result<Legacy, SqlError> {
    let dest = c.name()?;
    c.expect("FROM")?;
    let source = c.name()?;
    c.expect("AT")?;
    let uri = c.string()?;
    c.expect("UNTIL")?;
    let until = c.string()?;
    c.expect("WITH")?;
    let options = c.string()?;
    let preview = c.accept("PREVIEW");
    Ok(Legacy::Restore {
        dest,
        source,
        uri,
        until,
        options,
        preview,
    })
}
