//! Refusals with OceanBase's codes and texts.

use crate::SqlError;

/// A refusal with the state HY000.
pub(crate) fn coded(code: u16, message: impl Into<String>) -> SqlError {
    stated(code, "HY000", message.into())
}

fn stated(code: u16, state: &'static str, message: String) -> SqlError {
    SqlError {
        code,
        state,
        message,
    }
}

pub(crate) fn access_denied(user: &str) -> SqlError {
    stated(
        1045,
        "28000",
        format!("Access denied for user '{user}'@'127.0.0.1' (using password: YES)"),
    )
}

pub(crate) fn syntax(near: &str) -> SqlError {
    let near: String = near.chars().take(80).collect();
    stated(
        1064,
        "42000",
        format!(
            "You have an error in your SQL syntax; check the manual that corresponds to your \
             OceanBase version for the right syntax to use near '{near}' at line 1"
        ),
    )
}

pub(crate) fn unknown_column(name: &str) -> SqlError {
    stated(
        1054,
        "42S22",
        format!("Unknown column '{name}' in 'field list'"),
    )
}

pub(crate) fn unknown_table(name: &str) -> SqlError {
    stated(1146, "42S02", format!("Table '{name}' doesn't exist"))
}

pub(crate) fn no_database() -> SqlError {
    stated(1046, "3D000", "No database selected".to_owned())
}

pub(crate) fn unknown_database(name: &str) -> SqlError {
    stated(1049, "42000", format!("Unknown database '{name}'"))
}

pub(crate) fn unknown_function(name: &str) -> SqlError {
    stated(1305, "42000", format!("FUNCTION {name} does not exist"))
}

pub(crate) fn unknown_variable(name: &str) -> SqlError {
    coded(1193, format!("Unknown system variable '{name}'"))
}

pub(crate) fn duplicate(entry: &str) -> SqlError {
    stated(
        1062,
        "23000",
        format!("Duplicate entry '{entry}' for key 'PRIMARY'"),
    )
}

pub(crate) fn no_privilege() -> SqlError {
    coded(
        1227,
        "Access denied; you need (at least one of) the ALTER SYSTEM privilege(s) for this operation",
    )
}

pub(crate) fn arguments(what: &str) -> SqlError {
    coded(1210, format!("Incorrect arguments to {what}"))
}

pub(crate) fn missing_argument(what: &str) -> SqlError {
    coded(1210, format!("Miss argument for {what}"))
}

pub(crate) fn not_supported(message: impl Into<String>) -> SqlError {
    stated(1235, "0A000", message.into())
}

pub(crate) fn function_not_supported() -> SqlError {
    not_supported("function is not supported")
}

pub(crate) fn not_allowed(what: &str) -> SqlError {
    coded(4179, format!("{what} not allowed"))
}

pub(crate) fn unknown_tenant(name: &str) -> SqlError {
    coded(5157, format!("Unknown tenant '{name}'"))
}

pub(crate) fn in_progress() -> SqlError {
    coded(9036, "Backup is in progress")
}

pub(crate) fn cannot_start(why: impl AsRef<str>) -> SqlError {
    coded(
        9040,
        format!("backup can not start, because {}", why.as_ref()),
    )
}

pub(crate) fn not_enough_log() -> SqlError {
    coded(4018, "No enough log for restore")
}

pub(crate) fn timeout(limit_us: i64) -> SqlError {
    coded(
        4012,
        format!(
            "Timeout, query has reached the maximum query timeout: {limit_us}(us), maybe you can \
             adjust the session variable ob_query_timeout or query_timeout hint, and try again."
        ),
    )
}
