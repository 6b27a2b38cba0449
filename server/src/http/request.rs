//! Around each request: its number, its span in the log, how it ended, and how long it took.

use super::counts::{Class, Counts};
use axum::{
    extract::{Request, State},
    http::{HeaderName, HeaderValue},
    middleware::Next,
    response::Response,
};
use std::sync::Arc;
use tokio::time::Instant;
use tracing::Instrument;
use uuid::Uuid;

/// The header that carries a request's number.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

tokio::task_local! {
    static CURRENT: Arc<str>;
}

/// The number of the request that is being answered, if one is.
pub fn current() -> Option<Arc<str>> {
    CURRENT.try_with(Arc::clone).ok()
}

/// Numbers a request, puts everything that is logged for it into one span, and counts it.
pub async fn follow(State(counts): State<Arc<Counts>>, request: Request, next: Next) -> Response {
    let id: Arc<str> = Uuid::now_v7().to_string().into();
    let class = Class::of(request.uri().path());
    // The path and nothing behind it: what is asked for may be private.
    let span = tracing::info_span!(
        "request",
        request.id = %id,
        method = %request.method(),
        path = request.uri().path(),
        client = tracing::field::Empty,
    );
    let begun = Instant::now();
    let answered = CURRENT
        .scope(Arc::clone(&id), next.run(request))
        .instrument(span.clone());
    let mut response = answered.await;
    let took = begun.elapsed();
    counts.add(class, response.status(), took);
    span.in_scope(|| {
        let status = response.status().as_u16();
        let duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        tracing::debug!(status, duration_ms, "answered");
    });
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}
