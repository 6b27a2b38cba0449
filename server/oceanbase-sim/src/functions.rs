//! The MySQL and OceanBase functions that SQLite has not, or has otherwise.

use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, Result};

use crate::calendar;

/// What functions know of their session.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known {
    pub(crate) now_us: i64,
    pub(crate) offset: i32,
    pub(crate) user: String,
    pub(crate) database: Option<String>,
    pub(crate) ob_version: String,
    pub(crate) version: String,
    pub(crate) connection: i64,
    pub(crate) tenant_name: String,
}

/// Shared with the functions.
pub(crate) type Shared = Arc<Mutex<Known>>;

fn known(shared: &Shared) -> Known {
    shared
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone()
}

/// Registers every function.
pub(crate) fn register(db: &Connection, shared: &Shared) -> Result<()> {
    let session = |name: &str, give: fn(&Known) -> Value| {
        let shared = Arc::clone(shared);
        db.create_scalar_function(name, -1, FunctionFlags::SQLITE_UTF8, move |_| {
            Ok(give(&known(&shared)))
        })
    };
    session("ob_version", |k| k.ob_version.clone().into())?;
    session("version", |k| k.version.clone().into())?;
    session("connection_id", |k| k.connection.into())?;
    session("database", |k| {
        k.database.clone().map_or(Value::Null, Value::Text)
    })?;
    session("schema", |k| {
        k.database.clone().map_or(Value::Null, Value::Text)
    })?;
    for name in ["current_user", "user", "session_user"] {
        session(name, |k| k.user.clone().into())?;
    }
    session("effective_tenant", |k| k.tenant_name.clone().into())?;
    let plain = |name: &str, give: fn(&Known, &Context<'_>) -> Option<Value>| {
        let shared = Arc::clone(shared);
        db.create_scalar_function(name, -1, FunctionFlags::SQLITE_UTF8, move |args| {
            Ok(give(&known(&shared), args).unwrap_or(Value::Null))
        })
    };
    for name in ["now", "sysdate", "current_timestamp_"] {
        plain(name, |k, args| {
            let text = calendar::text(k.now_us, k.offset);
            let digits = usize::try_from(number(args, 0).unwrap_or(0.0) as i64).unwrap_or(0);
            let length = if digits == 0 { 19 } else { 20 + digits.min(6) };
            Some(text[..length].to_owned().into())
        })?;
    }
    plain("time_to_usec", |k, args| {
        calendar::parse(&text(args, 0)?, k.offset).map(Value::Integer)
    })?;
    plain("usec_to_time", |k, args| {
        Some(calendar::text(number(args, 0)? as i64, k.offset).into())
    })?;
    plain("scn_to_timestamp", |k, args| {
        let scn: i64 = text(args, 0)?.parse().ok()?;
        Some(calendar::text(scn / 1000, k.offset).into())
    })?;
    plain("unix_timestamp", |k, args| {
        let us = if args.is_empty() {
            k.now_us
        } else {
            calendar::parse(&text(args, 0)?, k.offset)?
        };
        Some((us / 1_000_000).into())
    })?;
    plain("from_unixtime", |k, args| {
        let us = (number(args, 0)? * 1e6) as i64;
        Some(calendar::text(us, k.offset)[..19].to_owned().into())
    })?;
    plain("concat", |_, args| {
        let mut all = String::new();
        for at in 0..args.len() {
            all.push_str(&text(args, at)?);
        }
        Some(all.into())
    })?;
    plain("truncate", |_, args| {
        let factor = 10_f64.powf(number(args, 1)?);
        Some(((number(args, 0)? * factor).trunc() / factor).into())
    })?;
    Ok(())
}

fn text(args: &Context<'_>, at: usize) -> Option<String> {
    if at >= args.len() {
        return None;
    }
    match args.get_raw(at) {
        ValueRef::Null => None,
        ValueRef::Integer(n) => Some(n.to_string()),
        ValueRef::Real(n) => Some(n.to_string()),
        ValueRef::Text(t) | ValueRef::Blob(t) => Some(String::from_utf8_lossy(t).into_owned()),
    }
}

fn number(args: &Context<'_>, at: usize) -> Option<f64> {
    text(args, at)?.parse().ok()
}
