//! The audit as a CSV file: read and sent a few entries at a time, up to a limit.

use axum::{
    Extension, Router,
    body::{Body, Bytes},
    extract::{Query, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use control::{Admin, Console, ErrorKind};
use domain::{
    access::Actor,
    audit::{AuditFilter, AuditRow},
};
use futures_util::stream;
use std::io;

/// Most entries of one file; the newest ones.
const ROWS_MAX: usize = 100_000;
/// The heads of the columns.
const HEAD: &str =
    "id,time,actor,address,operation,cluster,subject,detail,result,cause,before,after\r\n";

/// The route.
pub fn routes(console: Console) -> Router {
    Router::new()
        .route(super::session::AUDIT_FILE, get(audit))
        .with_state(console)
}

/// Where the way through the entries is.
struct Way {
    admin: Admin,
    filter: AuditFilter,
    before: i64,
    left: usize,
}

async fn audit(
    State(console): State<Console>,
    Extension(actor): Extension<Actor>,
    Query(filter): Query<AuditFilter>,
) -> Response {
    let admin = match console.admin(&actor) {
        Ok(admin) => admin,
        Err(error) if error.kind() == ErrorKind::Forbidden => {
            let text = "the audit is read by administrators only\n";
            return (StatusCode::FORBIDDEN, text).into_response();
        }
        Err(error) => {
            return (StatusCode::SERVICE_UNAVAILABLE, format!("{error}\n")).into_response();
        }
    };
    let way = Way {
        admin,
        filter,
        before: i64::MAX,
        left: ROWS_MAX,
    };
    let head = stream::once(async { Ok(Bytes::from_static(HEAD.as_bytes())) });
    let rows = stream::try_unfold(way, next);
    let body = Body::from_stream(stream::StreamExt::chain(head, rows));
    let kind = HeaderValue::from_static("text/csv; charset=utf-8");
    let file = HeaderValue::from_static("attachment; filename=\"tidemark-audit.csv\"");
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_DISPOSITION, file),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (headers, body).into_response()
}

/// The next few lines; nothing after the last.
async fn next(mut way: Way) -> io::Result<Option<(Bytes, Way)>> {
    if way.left == 0 {
        return Ok(None);
    }
    let rows = way.admin.audit_before(&way.filter, way.before).await;
    let mut rows = rows.map_err(|error| {
        tracing::error!("the audit could not be sent: {}", control::chain(&error));
        io::Error::other(error)
    })?;
    rows.truncate(way.left);
    let Some(last) = rows.last() else {
        return Ok(None);
    };
    way.before = last.id;
    way.left -= rows.len();
    let text: String = rows.iter().map(line).collect();
    Ok(Some((text.into(), way)))
}

fn line(row: &AuditRow) -> String {
    let empty = String::new();
    let optional = |text: &Option<String>| cell(text.as_ref().unwrap_or(&empty));
    let cells = [
        row.id.to_string(),
        row.at.to_rfc3339(),
        cell(&row.actor),
        optional(&row.address),
        cell(&row.operation),
        optional(&row.cluster),
        cell(&row.subject),
        cell(&row.detail),
        row.result.code().to_owned(),
        optional(&row.cause),
        optional(&row.before),
        optional(&row.after),
    ];
    format!("{}\r\n", cells.join(","))
}

/// A text as a cell. What a spreadsheet would take for a formula is marked as text.
pub(super) fn cell(text: &str) -> String {
    let mark = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        "'"
    } else {
        ""
    };
    if mark.is_empty() && !text.contains(['"', ',', '\n', '\r']) {
        return text.to_owned();
    }
    format!("\"{mark}{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::cell;

    #[test]
    fn cells_are_quoted_and_never_formulas() {
        assert_eq!(cell("plain text"), "plain text");
        assert_eq!(cell("a,b"), "\"a,b\"");
        assert_eq!(cell("say \"no\""), "\"say \"\"no\"\"\"");
        assert_eq!(cell("two\nlines"), "\"two\nlines\"");
        assert_eq!(cell("=1+1"), "\"'=1+1\"");
        assert_eq!(cell("@x"), "\"'@x\"");
    }
}
