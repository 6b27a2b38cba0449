//! Who may talk to the server at all: whoever uses one of its own names, pages of this server for changes, and
//! commands on this machine that show the token.

use super::{
    client::{Addressed, ClientAddress},
    shape::Problem,
};
use crate::listen::Rules;
use axum::{
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, Uri, header, uri::Authority},
    middleware::Next,
    response::{IntoResponse, Response},
};
use std::sync::Arc;

/// Refuses requests that address this server by a foreign name.
///
/// Without it a page from elsewhere could point its own name at this machine and read everything.
pub async fn own_name_only(
    State(rules): State<Arc<Rules>>,
    request: Request,
    next: Next,
) -> Response {
    match addressed(&request) {
        Some(authority) if rules.names.has(authority.host()) => next.run(request).await,
        _ => refuse(&format!(
            "this server answers only to {}; open it by one of them, or give it another name with --public-url",
            rules.names.told()
        )),
    }
}

/// Refuses changes that a page of another origin asks for. The commands' API has its token instead.
pub async fn own_pages_only(request: Request, next: Next) -> Response {
    let reads = matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS
    );
    let by_token = request.uri().path().starts_with("/cli/");
    if reads || by_token || from_own_page(request.headers(), addressed(&request)) {
        return next.run(request).await;
    }
    refuse("changes are taken only from this server's own pages; scripts use the tidemark command")
}

/// Refuses whoever does not show the token, and whoever is not on this machine: the token may everything.
pub async fn token_only(State(token): State<Arc<str>>, request: Request, next: Next) -> Response {
    let client = request.extensions().get::<ClientAddress>();
    if !client.is_some_and(|client| client.local) {
        let sentence = "commands are taken only from this machine, and not through a proxy";
        return Problem::new("forbidden", sentence).answer(StatusCode::FORBIDDEN);
    }
    let shown = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|value| value.as_bytes().strip_prefix(b"Bearer "))
        .unwrap_or_default();
    if same_bytes(shown, token.as_bytes()) {
        return next.run(request).await;
    }
    let sentence = "the token is missing or wrong; it is in the token file of the server's home";
    Problem::new("forbidden", sentence).answer(StatusCode::UNAUTHORIZED)
}

fn refuse(sentence: &str) -> Response {
    (StatusCode::FORBIDDEN, format!("{sentence}\n")).into_response()
}

fn addressed(request: &Request) -> Option<&Authority> {
    request.extensions().get::<Addressed>().map(|name| &name.0)
}

fn from_own_page(headers: &HeaderMap, addressed: Option<&Authority>) -> bool {
    let text = |name| {
        headers
            .get(name)
            .and_then(|value: &header::HeaderValue| value.to_str().ok())
    };
    if let Some(site) = text(header::HeaderName::from_static("sec-fetch-site")) {
        return matches!(site, "same-origin" | "none");
    }
    let origin: Option<Uri> = text(header::ORIGIN).and_then(|origin| origin.parse().ok());
    match (origin.as_ref().and_then(Uri::authority), addressed) {
        (Some(origin), Some(own)) => origin.as_str().eq_ignore_ascii_case(own.as_str()),
        _ => false,
    }
}

/// Compares without telling by its duration where the first difference is.
pub(super) fn same_bytes(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |differs, (x, y)| differs | (x ^ y)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_needs_an_origin_that_is_this_server() {
        let with = |pairs: &[(&'static str, &'static str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.insert(*name, header::HeaderValue::from_static(value));
            }
            let own = headers
                .get("host")
                .map(|own| own.to_str().unwrap().parse().unwrap());
            from_own_page(&headers, own.as_ref())
        };
        let host = ("host", "127.0.0.1:3000");
        assert!(with(&[host, ("origin", "http://127.0.0.1:3000")]));
        assert!(with(&[host, ("sec-fetch-site", "same-origin")]));
        assert!(!with(&[host]));
        assert!(!with(&[host, ("origin", "null")]));
        assert!(!with(&[host, ("origin", "http://127.0.0.1:3001")]));
        assert!(!with(&[host, ("origin", "http://example.org")]));
        assert!(!with(&[
            host,
            ("sec-fetch-site", "cross-site"),
            ("origin", "http://127.0.0.1:3000")
        ]));
        assert!(!with(&[host, ("sec-fetch-site", "same-site")]));
    }

    #[test]
    fn tokens_are_equal_only_when_every_byte_is() {
        assert!(same_bytes(b"abc", b"abc"));
        assert!(!same_bytes(b"abc", b"abd"));
        assert!(!same_bytes(b"", b"abd"));
        assert!(!same_bytes(b"abcd", b"abc"));
    }
}
