//! What the browser shows: rendered by the server, then hydrated.
//!
//! `api` is what a browser may ask for, `gate` the pages in front of sign-in, `pages` the pages, `language` what
//! they say in Chinese, `parts` what of them is downloaded later, `ui` what they are made of, `live` the browser's runtime, `feed` the live store between them.

#![recursion_limit = "256"]

#[expect(
    missing_docs,
    reason = "the fields of the structs that server functions expand to"
)]
pub mod api;
pub mod feed;
pub mod gate;
pub mod language;
pub mod live;
pub mod pages;
pub mod parts;
pub mod routes;
pub mod shell;
pub mod signal;
pub mod ui;

pub use routes::paths;
pub use shell::{App, document};

/// Takes over the page that the server rendered.
#[cfg(feature = "hydrate")]
pub async fn hydrate() {
    console_error_panic_hook::set_once();
    language::read_from_document();
    let body = leptos::prelude::document().body();
    let body = body.expect("invariant: a script runs in a document with a body");
    // Waits for the parts that the page shows and that are downloaded on their own.
    leptos::mount::hydrate_from_async(body, App).await.forget();
    live::document::mark_hydrated();
}
