//! A page is rendered on one thread, from its beginning to its end.
//!
//! Several tasks read what a page is made of while it is rendered, and its reactive values do not bear two of them at
//! the same time: while one computes a value, the other finds none and gives up. On one thread they take turns.

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::Request,
    http::{Method, StatusCode, response::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use std::{sync::LazyLock, thread::available_parallelism};
use tokio_util::task::LocalPoolHandle;
use tracing::{Instrument, Span};

/// Most bytes of a page. The largest lists have 50 rows, the calendar of 500 tenants takes 1 MB.
const PAGE_BYTES_MAX: usize = 64 << 20;

/// The threads that pages are rendered on, each with a runtime of its own.
static THREADS: LazyLock<LocalPoolHandle> =
    LazyLock::new(|| LocalPoolHandle::new(available_parallelism().map_or(1, usize::from)));

/// The layer around pages. What changes something is not rendered and goes its way.
pub async fn render(request: Request, next: Next) -> Response {
    if request.method() != Method::GET {
        return next.run(request).await;
    }
    let path = request.uri().path().to_owned();
    let span = Span::current();
    let page = move || whole(request, next).instrument(span);
    match THREADS.spawn_pinned(page).await {
        Ok(Ok((parts, body))) => Response::from_parts(parts, Body::from(body)),
        Ok(Err(error)) => failed(&path, &error),
        Err(error) => failed(&path, &error),
    }
}

async fn whole(request: Request, next: Next) -> Result<(Parts, Bytes), axum::Error> {
    let (parts, body) = next.run(request).await.into_parts();
    Ok((parts, to_bytes(body, PAGE_BYTES_MAX).await?))
}

fn failed(path: &str, error: &dyn std::fmt::Display) -> Response {
    tracing::error!(path, "a page could not be rendered: {error}");
    let text = "The page could not be made. Load it again; if that does not help, look into the server's log.";
    (StatusCode::INTERNAL_SERVER_ERROR, text).into_response()
}
