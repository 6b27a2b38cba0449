//! A page whose rendering does not come to its end is rendered again, instead of leaving the viewer waiting.
//!
//! Rendering waits for several answers at once on several threads. Very rarely (seen once in some hundred pages on a
//! machine under load) it is not woken by the last of them; the same page rendered anew is there at once.

use axum::{body::Body, extract::Request, http::Method, middleware::Next, response::Response};
use std::time::Duration;

/// How long rendering may take. A page is made from the control database in milliseconds.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often it is tried at most; the last one may take as long as it wants.
const TRIES: u32 = 3;

/// The layer around the pages.
pub async fn render(request: Request, next: Next) -> Response {
    render_within(PATIENCE, request, next).await
}

async fn render_within(patience: Duration, request: Request, next: Next) -> Response {
    // Only what asks for something can be asked again; it has no body.
    if request.method() != Method::GET {
        return next.run(request).await;
    }
    let (parts, _) = request.into_parts();
    let asked = || Request::from_parts(parts.clone(), Body::empty());
    for _ in 1..TRIES {
        let page = next.clone().run(asked());
        match tokio::time::timeout(patience, page).await {
            Ok(response) => return response,
            Err(_) => tracing::warn!(path = parts.uri.path(), "a page is rendered again"),
        }
    }
    next.run(asked()).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::{Router, middleware, routing::get};
    use std::{
        future::pending,
        sync::{
            Arc,
            atomic::{AtomicU32, Ordering},
        },
    };
    use tower::ServiceExt;

    /// Asks a page whose first `stuck` renderings never end; the answer, and how often it was rendered.
    async fn asked(stuck: u32, method: Method) -> (String, u32) {
        let times = Arc::new(AtomicU32::new(0));
        let count = Arc::clone(&times);
        let page = move || {
            let count = Arc::clone(&count);
            async move {
                let before = count.fetch_add(1, Ordering::Relaxed);
                if before < stuck {
                    pending::<()>().await;
                }
                "there"
            }
        };
        let routes = Router::new()
            .route("/", get(page.clone()).post(page))
            .layer(middleware::from_fn(|request, next| {
                render_within(Duration::from_millis(20), request, next)
            }));
        let request = Request::builder().method(method).uri("/");
        let answer = routes.oneshot(request.body(Body::empty()).unwrap()).await;
        let body = axum::body::to_bytes(answer.unwrap().into_body(), 100).await;
        let text = String::from_utf8(body.unwrap().to_vec()).unwrap();
        (text, times.load(Ordering::Relaxed))
    }

    #[tokio::test]
    async fn a_page_that_does_not_come_is_rendered_again() {
        assert_eq!(asked(0, Method::GET).await, ("there".to_owned(), 1));
        assert_eq!(asked(2, Method::GET).await, ("there".to_owned(), 3));
    }

    #[tokio::test]
    async fn what_changes_something_is_done_once() {
        assert_eq!(asked(0, Method::POST).await, ("there".to_owned(), 1));
    }
}
