//! The language of the pages: which one a request gets, and how a viewer chooses another.

use super::session::local_way;
use app::{
    language::{COOKIE, Language, of_request},
    paths,
};
use axum::{
    Router,
    extract::Query,
    http::{HeaderMap, HeaderName, header},
    response::{AppendHeaders, IntoResponse, Redirect},
    routing::get,
};
use serde::Deserialize;

/// A year: what a viewer chose is a lasting choice.
const REMEMBERED_S: u64 = 365 * 24 * 3600;

/// The route.
pub fn routes() -> Router {
    Router::new().route(paths::LANGUAGE, get(choose))
}

/// What stands in the address.
#[derive(Deserialize)]
struct Asked {
    to: String,
    back: Option<String>,
}

/// Remembers the choice in the browser, which is all that it changes, and goes back to the page.
async fn choose(Query(asked): Query<Asked>) -> impl IntoResponse {
    let language = Language::of_code(&asked.to).unwrap_or_default();
    let cookie = format!(
        "{COOKIE}={}; Path=/; SameSite=Lax; Max-Age={REMEMBERED_S}",
        language.code()
    );
    let back = Redirect::to(local_way(asked.back.as_deref()));
    (AppendHeaders([(header::SET_COOKIE, cookie)]), back)
}

/// The language that a request asks for.
pub fn asked(headers: &HeaderMap) -> Language {
    of_request(
        &joined(headers, &header::COOKIE, ';'),
        &joined(headers, &header::ACCEPT_LANGUAGE, ','),
    )
}

fn joined(headers: &HeaderMap, name: &HeaderName, separator: char) -> String {
    let values = headers.get_all(name).iter();
    let texts: Vec<&str> = values.filter_map(|value| value.to_str().ok()).collect();
    texts.join(&separator.to_string())
}
