//! Who may talk to the server at all: this machine by its own name, pages of this server for
//! changes, and commands that show the token.

use super::shape::Problem;
use axum::{
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, Uri, header, uri::Authority},
    middleware::Next,
    response::{IntoResponse, Response},
};
use std::{net::IpAddr, sync::Arc};

/// Refuses requests that address this server by a foreign name.
///
/// Without it a page from elsewhere could point its own name at this machine and read everything.
pub async fn own_name_only(request: Request, next: Next) -> Response {
    match addressed_host(&request) {
        Some(host) if is_own_name(&host) => next.run(request).await,
        _ => refuse(
            "this server answers only to localhost and loopback addresses; open it by one of them",
        ),
    }
}

/// Refuses changes that a page of another origin asks for. The commands' API has its token instead.
pub async fn own_pages_only(request: Request, next: Next) -> Response {
    let reads = matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS
    );
    let by_token = request.uri().path().starts_with("/cli/");
    if reads || by_token || from_own_page(request.headers()) {
        return next.run(request).await;
    }
    refuse("changes are taken only from this server's own pages; scripts use the tidemark command")
}

/// Refuses whoever does not show the token.
pub async fn token_only(State(token): State<Arc<str>>, request: Request, next: Next) -> Response {
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

fn addressed_host(request: &Request) -> Option<String> {
    let host = request
        .headers()
        .get(header::HOST)
        .and_then(|value| value.to_str().ok());
    let authority: Authority = match (request.uri().authority(), host) {
        (Some(authority), _) => authority.clone(),
        (None, Some(host)) => host.parse().ok()?,
        (None, None) => return None,
    };
    Some(authority.host().to_owned())
}

fn is_own_name(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn from_own_page(headers: &HeaderMap) -> bool {
    let text = |name| {
        headers
            .get(name)
            .and_then(|value: &header::HeaderValue| value.to_str().ok())
    };
    if let Some(site) = text(header::HeaderName::from_static("sec-fetch-site")) {
        return matches!(site, "same-origin" | "none");
    }
    let origin: Option<Uri> = text(header::ORIGIN).and_then(|origin| origin.parse().ok());
    match (origin.as_ref().and_then(Uri::authority), text(header::HOST)) {
        (Some(origin), Some(host)) => origin.as_str().eq_ignore_ascii_case(host),
        _ => false,
    }
}

/// Compares without telling by its duration where the first difference is.
fn same_bytes(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |differs, (x, y)| differs | (x ^ y)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_names_are_own_names() {
        for own in ["localhost", "LocalHost", "127.0.0.1", "127.8.8.8", "[::1]"] {
            assert!(is_own_name(own), "{own}");
        }
        for foreign in [
            "example.org",
            "localhost.example.org",
            "10.0.0.1",
            "[::]",
            "",
        ] {
            assert!(!is_own_name(foreign), "{foreign}");
        }
    }

    #[test]
    fn a_change_needs_an_origin_that_is_this_server() {
        let with = |pairs: &[(&'static str, &'static str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.insert(*name, header::HeaderValue::from_static(value));
            }
            from_own_page(&headers)
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
