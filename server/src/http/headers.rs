//! Headers that every answer carries, and the content security policy of pages.

use super::client::ClientAddress;
use axum::{
    extract::Request,
    http::{HeaderName, HeaderValue, header},
    middleware::Next,
    response::Response,
};

const ALWAYS: [(HeaderName, HeaderValue); 6] = [
    (
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    ),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (
        header::REFERRER_POLICY,
        HeaderValue::from_static("same-origin"),
    ),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    ),
    (
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static("camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    ),
];

/// For a year, browsers that came by HTTPS come by nothing else.
const ONLY_HTTPS: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// For answers that are no page: nothing in them may run or load.
const NOTHING_RUNS: HeaderValue =
    HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
/// Files may be kept but are asked about each time: their names do not change with their content.
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("no-cache");
/// State of backups is never kept.
const KEEP_NOTHING: HeaderValue = HeaderValue::from_static("no-store");

/// The content security policy of a page whose own inline scripts carry `nonce`.
pub fn page_policy(nonce: &str) -> Option<HeaderValue> {
    // cargo-leptos reloads the page over a socket while developing.
    let reload = if std::env::var_os("LEPTOS_WATCH").is_some() {
        " ws:"
    } else {
        ""
    };
    HeaderValue::try_from(format!(
        "default-src 'self'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; style-src 'self'; \
         style-src-attr 'unsafe-inline'; img-src 'self' data:; connect-src 'self'{reload}; \
         object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ))
    .ok()
}

/// Adds what holds only for clients that speak TLS.
pub async fn add_secure(request: Request, next: Next) -> Response {
    let client = request.extensions().get::<ClientAddress>();
    let secure = client.is_some_and(|client| client.secure);
    let mut response = next.run(request).await;
    if secure {
        let headers = response.headers_mut();
        headers.insert(header::STRICT_TRANSPORT_SECURITY, ONLY_HTTPS);
    }
    response
}

/// Adds the headers to whatever answers.
pub async fn add(request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let is_file = path
        .rsplit('/')
        .next()
        .is_some_and(|name| name.contains('.'));
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.extend(ALWAYS);
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(if is_file { ASK_AGAIN } else { KEEP_NOTHING });
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(NOTHING_RUNS);
    response
}
