//! Sessions of browsers: the cookie, whom it belongs to, and what is answered to those who have none.

use super::client::ClientAddress;
use app::{api::ApiError, paths::LANGUAGE};
use axum::{
    Json,
    extract::{Request, State},
    http::{Extensions, HeaderMap, HeaderValue, Method, StatusCode, Uri, header},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use control::{Began, Browser, Console};
use domain::access::Origin;
use std::sync::Arc;

/// The page of sign-in.
pub const SIGN_IN: &str = "/sign-in";
/// The page that makes the first administrator.
pub const FIRST_RUN: &str = "/first-run";
/// The page where a user chooses a password by a one-time link.
pub const SET_PASSWORD: &str = "/set-password";
/// Where a session is ended.
pub const SIGN_OUT: &str = "/sign-out";
/// The audit as a file, which takes a session though it looks like a file of the pages.
pub const AUDIT_FILE: &str = "/audit.csv";
/// Below it are the server functions.
const FUNCTIONS: &str = "/api/";
/// Longest way back that is kept through sign-in, in bytes.
const BACK_MAX: usize = 2_000;

/// What guards the pages.
#[derive(Clone)]
pub struct Gate {
    /// The use cases.
    pub console: Console,
    /// Name of the cookie where it is not bound to its host by TLS.
    plain_name: Arc<str>,
}

impl Gate {
    /// A gate of the server that listens on `port`: browsers share cookies among all ports of a host.
    pub fn new(console: Console, port: u16) -> Gate {
        Gate {
            console,
            plain_name: format!("tidemark-{port}").into(),
        }
    }

    /// Name of the cookie; under TLS browsers take it from this host only, and only over TLS.
    fn name(&self, secure: bool) -> &str {
        if secure {
            "__Host-tidemark"
        } else {
            &self.plain_name
        }
    }

    /// What the browser is told to keep when a session begins.
    pub fn begun(&self, client: ClientAddress, began: &Began) -> Option<HeaderValue> {
        self.cookie(client, &began.token, began.seconds)
    }

    /// What the browser is told when a session has ended.
    pub fn ended(&self, client: ClientAddress) -> Option<HeaderValue> {
        self.cookie(client, "", 0)
    }

    fn cookie(&self, client: ClientAddress, token: &str, seconds: u64) -> Option<HeaderValue> {
        let name = self.name(client.secure);
        let secure = if client.secure { "; Secure" } else { "" };
        let cookie =
            format!("{name}={token}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}");
        let mut value = HeaderValue::try_from(cookie).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    /// The token that a request shows.
    pub fn token(&self, client: ClientAddress, headers: &HeaderMap) -> Option<String> {
        let name = self.name(client.secure);
        let cookies = headers.get_all(header::COOKIE).into_iter();
        let mut pairs = cookies
            .filter_map(|value| value.to_str().ok())
            .flat_map(|text| text.split(';'))
            .filter_map(|pair| pair.trim().split_once('='));
        pairs
            .find(|(key, token)| *key == name && !token.is_empty())
            .map(|(_, token)| token.to_owned())
    }

    /// The browser that asks, as sign-in wants to know it.
    pub fn browser(&self, client: ClientAddress, headers: &HeaderMap) -> Browser {
        let agent = headers.get(header::USER_AGENT);
        Browser {
            origin: origin(client, None),
            agent: agent
                .and_then(|value| value.to_str().ok())
                .unwrap_or_default()
                .to_owned(),
            token: self.token(client, headers),
        }
    }
}

/// Where a request comes from.
pub fn origin(client: ClientAddress, path: Option<&str>) -> Origin {
    Origin {
        address: Some(client.ip.to_string()),
        request: path.map(|path| {
            let path = path.trim_start_matches(FUNCTIONS);
            path.trim_start_matches("app/api/").to_owned()
        }),
    }
}

/// Who asks, as [`super::client::recognise`] found out.
pub fn client(extensions: &Extensions) -> ClientAddress {
    let known = extensions.get::<ClientAddress>().copied();
    known.expect("invariant: every request passes the layer that recognises clients")
}

/// Puts who is signed in into the request, and sends everybody else to where they can sign in.
pub async fn identify(State(gate): State<Gate>, mut request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let place = Place::of(path);
    if place == Place::File {
        return next.run(request).await;
    }
    let client = client(request.extensions());
    let origin = origin(client, Some(path));
    let found = match gate.token(client, request.headers()) {
        Some(token) => gate.console.session(&token, &origin).await,
        None => Ok(None),
    };
    match found {
        Ok(Some(signed_in)) => {
            request.extensions_mut().insert(signed_in.actor);
            next.run(request).await
        }
        Ok(None) if place == Place::Open => next.run(request).await,
        Ok(None) => {
            let set_up = gate.console.needs_set_up().await;
            match set_up {
                Ok(first) => turned_away(place, first, &request),
                Err(error) => failed(place, &error),
            }
        }
        Err(error) => failed(place, &error),
    }
}

/// What an address is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// A file of the pages, the same for everybody.
    File,
    /// Where one signs in.
    Open,
    /// A server function.
    Function,
    /// A page, or a file made of what the console knows.
    Page,
}

impl Place {
    fn of(path: &str) -> Place {
        let last = path.rsplit('/').next().unwrap_or_default();
        match path {
            SIGN_IN | FIRST_RUN | SET_PASSWORD | SIGN_OUT | LANGUAGE => Place::Open,
            AUDIT_FILE => Place::Page,
            _ if path.starts_with(FUNCTIONS) => Place::Function,
            _ if last.contains('.') => Place::File,
            _ => Place::Page,
        }
    }
}

fn turned_away(place: Place, first: bool, request: &Request) -> Response {
    if place == Place::Function {
        return (StatusCode::UNAUTHORIZED, Json(ApiError::SignedOut)).into_response();
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return (StatusCode::UNAUTHORIZED, "sign in first\n").into_response();
    }
    if first {
        return Redirect::to(FIRST_RUN).into_response();
    }
    Redirect::to(&sign_in_and_back(request.uri())).into_response()
}

fn failed(place: Place, error: &control::Error) -> Response {
    tracing::error!(
        "a session could not be looked up: {}",
        control::chain(error)
    );
    let status = StatusCode::SERVICE_UNAVAILABLE;
    if place == Place::Function {
        return (status, Json(ApiError::Unavailable(error.to_string()))).into_response();
    }
    (status, format!("{error}\n")).into_response()
}

fn sign_in_and_back(uri: &Uri) -> String {
    let back = uri.path_and_query().map_or("/", |path| path.as_str());
    if back == "/" || back.len() > BACK_MAX {
        return SIGN_IN.to_owned();
    }
    let mut to = format!("{SIGN_IN}?to=");
    for byte in back.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte) {
            to.push(char::from(byte));
        } else {
            to.push_str(&format!("%{byte:02X}"));
        }
    }
    to
}

/// A way back that stays on this server; anything else leads to the first page.
pub fn local_way(to: Option<&str>) -> &str {
    let to = to.unwrap_or("/");
    let local = to.starts_with('/')
        && !to.starts_with("//")
        && to.len() <= BACK_MAX
        && to
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'\\')
        && Place::of(to.split(['?', '#']).next().unwrap_or(to)) == Place::Page;
    if local { to } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ways_within_this_server_are_gone_back() {
        for good in [
            "/",
            "/clusters",
            "/clusters/local/backup?tab=log&x=%20#a",
            "/audit.csv?text=a",
        ] {
            assert_eq!(local_way(Some(good)), good);
        }
        let long = format!("/{}", "a".repeat(BACK_MAX));
        for bad in [
            "",
            "clusters",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/a\nb",
            "/a b",
            "/sign-in",
            "/sign-out",
            "/api/app/api/users/add",
            "/pkg/tidemark.js",
            &long,
        ] {
            assert_eq!(local_way(Some(bad)), "/", "{bad}");
        }
        assert_eq!(local_way(None), "/");
    }

    #[test]
    fn the_way_back_is_one_value_of_the_address() {
        let way = |uri: &str| sign_in_and_back(&uri.parse().unwrap());
        assert_eq!(way("/"), "/sign-in");
        assert_eq!(
            way("/clusters/local/backup?tab=log&page=2"),
            "/sign-in?to=/clusters/local/backup%3Ftab%3Dlog%26page%3D2"
        );
    }

    #[test]
    fn addresses_are_told_apart() {
        for (path, place) in [
            ("/", Place::Page),
            ("/clusters/local/backup", Place::Page),
            ("/audit.csv", Place::Page),
            ("/pkg/tidemark.js", Place::File),
            ("/favicon.svg", Place::File),
            ("/api/app/api/feed/since", Place::Function),
            ("/api/app/api/feed/since.js", Place::Function),
            ("/sign-in", Place::Open),
            ("/sign-in/x", Place::Page),
        ] {
            assert_eq!(Place::of(path), place, "{path}");
        }
    }
}
