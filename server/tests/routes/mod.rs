//! The router with a real console on a temporary home, and who asks it.

#![allow(dead_code, reason = "each test file uses its own part of it")]

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Method, Request, StatusCode, header},
};
use control::{Browser, Console};
use domain::{
    access::{Actor, Role},
    user::NewUser,
};
use server::{
    compose,
    router::{Parts, router},
};
use std::collections::BTreeSet;
use tower::ServiceExt;

pub(crate) const HOST: &str = "127.0.0.1:3000";
pub(crate) const TOKEN: &str = "a-token-for-tests";
pub(crate) const JSON: (&str, &str) = ("content-type", "application/json");
pub(crate) const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
pub(crate) const OWN: (&str, &str) = ("origin", "http://127.0.0.1:3000");
/// In place of a cookie: asks without one.
pub(crate) const ANONYMOUS: (&str, &str) = ("cookie", "");
/// The password of every user.
pub(crate) const PASSWORD: &str = "vier Möwen am Kai";

pub(crate) type Answer = (StatusCode, HeaderMap, String);

pub(crate) struct Fixture {
    pub(crate) routes: Router,
    pub(crate) console: Console,
    /// The cookie that goes along with every request that shows none of its own.
    pub(crate) cookie: String,
    _home: tempfile::TempDir,
}

impl Fixture {
    /// A console with an administrator `maria`, who asks.
    pub(crate) async fn new() -> Fixture {
        let fixture = Fixture::without_users().await;
        let link = fixture.console.first_link().await.unwrap().unwrap();
        let link = link.path.split_once('=').unwrap().1;
        let began = fixture
            .console
            .set_up(link, "maria", PASSWORD, &Browser::default())
            .await
            .unwrap();
        Fixture {
            cookie: cookie(&began.token),
            ..fixture
        }
    }

    /// A console as at its first start.
    pub(crate) async fn without_users() -> Fixture {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(home.path().join("site/pkg")).unwrap();
        std::fs::write(home.path().join("site/pkg/tidemark.css"), "body{}").unwrap();
        let console = compose::console(home.path(), None).await.unwrap();
        let parts = Parts {
            console: console.clone(),
            token: TOKEN.into(),
            url: format!("http://{HOST}").into(),
        };
        let routes = router(parts, &home.path().join("site"), HOST.parse().unwrap());
        Fixture {
            routes,
            console,
            cookie: String::new(),
            _home: home,
        }
    }

    /// Adds a user; the cookie of their session.
    pub(crate) async fn user(&self, user: &NewUser) -> String {
        let actor = Actor::new("tester", Role::Admin);
        let admin = self.console.global_admin(&actor).unwrap();
        let link = admin.add_user(user).await.unwrap();
        let link = link.path.split_once('=').unwrap().1;
        let began = self
            .console
            .choose_password(link, PASSWORD, &Browser::default())
            .await
            .unwrap();
        cookie(&began.token)
    }

    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, HOST);
        if !headers.iter().any(|(name, _)| *name == "cookie") {
            request = request.header(header::COOKIE, &self.cookie);
        }
        for (name, value) in headers {
            if *name == "host" {
                request.headers_mut().unwrap().remove(header::HOST);
            }
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body.to_owned())).unwrap();
        let answer = self.routes.clone().oneshot(request).await.unwrap();
        let (parts, body) = answer.into_parts();
        let body = to_bytes(body, 1 << 24).await.unwrap();
        (
            parts.status,
            parts.headers,
            String::from_utf8_lossy(&body).into_owned(),
        )
    }

    /// Asks as a browser does that is led to an address.
    pub(crate) async fn open(&self, path: &str) -> Answer {
        let accept = [("accept", "text/html,*/*;q=0.8")];
        self.ask(Method::GET, path, &accept, "").await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, path, &[], "").await
    }

    /// Sends a form of one of the server's own pages.
    pub(crate) async fn send(&self, path: &str, cookie: &str, fields: &[(&str, &str)]) -> Answer {
        let pairs: Vec<String> = fields
            .iter()
            .map(|(name, value)| format!("{name}={}", escaped(value)))
            .collect();
        let headers = [FORM, OWN, ("cookie", cookie)];
        self.ask(Method::POST, path, &headers, &pairs.join("&"))
            .await
    }
}

fn escaped(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// The cookie of a session, as a browser sends it.
pub(crate) fn cookie(token: &str) -> String {
    format!("tidemark-3000={token}")
}

/// Paths of all server functions that the binary knows.
pub(crate) fn server_functions() -> BTreeSet<String> {
    leptos::server_fn::axum::server_fn_paths()
        .map(|(path, _)| path.to_owned())
        .collect()
}
