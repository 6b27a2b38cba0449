//! The router with a real console on a temporary home: guards, headers, health, the commands' API, pages.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod routes;

use axum::http::{Method, StatusCode, header};
use domain::{
    access::{Actor, Role},
    cluster::NewCluster,
};
use futures_util::future::join_all;
use routes::{Fixture, HOST, JSON, OWN, TOKEN, server_functions};
use server::router::{Parts, router};
use std::{
    collections::BTreeSet,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// Pages that are asked for at once, and how often.
const PAGES_AT_ONCE: usize = 12;

#[tokio::test(flavor = "multi_thread")]
async fn health_is_told() {
    let fixture = Fixture::new().await;
    let (status, _, body) = fixture.get("/healthz").await;
    assert_eq!(status, StatusCode::OK);
    assert!(
        body.contains("\"ok\"") && body.contains(env!("CARGO_PKG_VERSION")),
        "{body}"
    );
    fixture.console.shut_down().await;
}

/// The sources of a directive in a policy.
fn sources<'a>(policy: &'a str, directive: &str) -> Vec<&'a str> {
    let found = policy.split(';').find_map(|part| {
        let mut words = part.split_whitespace();
        (words.next() == Some(directive)).then(|| words.collect())
    });
    found.unwrap_or_else(|| panic!("no {directive} in {policy}"))
}

/// What stands between the brackets of each tag of this name.
fn tags<'a>(page: &'a str, name: &str) -> Vec<&'a str> {
    let begin = format!("<{name}");
    page.split(&begin)
        .skip(1)
        .filter(|rest| rest.starts_with([' ', '>']))
        .map(|rest| rest.split('>').next().unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_address_leads_to_a_page() {
    let fixture = Fixture::new().await;
    let (status, headers, _) = fixture.open("/").await;
    assert!(status.is_redirection(), "{status}");
    let place = headers[header::LOCATION].to_str().unwrap();
    assert!(place.starts_with("/clusters"), "{place}");
    let (status, _, body) = fixture.open(place).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    fixture.console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_come_while_other_routers_are_made() {
    let fixture = Fixture::new().await;
    let made = fixture.console.clone();
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = Arc::clone(&stop);
    let makes = std::thread::spawn(move || {
        let mut count = 0;
        while !stopped.load(Ordering::Relaxed) {
            let parts = Parts {
                console: made.clone(),
                token: TOKEN.into(),
                url: format!("http://{HOST}").into(),
            };
            drop(router(parts, Path::new("site"), HOST.parse().unwrap()));
            count += 1;
        }
        count
    });
    for _ in 0..50 {
        let page = fixture.open("/clusters/new");
        let answer = tokio::time::timeout(Duration::from_secs(20), page).await;
        assert_eq!(answer.expect("the page comes").0, StatusCode::OK);
    }
    stop.store(true, Ordering::Relaxed);
    assert!(makes.join().unwrap() > 1);
    fixture.console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_pages_at_once_are_all_whole() {
    let fixture = Fixture::new().await;
    let root = Actor::new("tester", Role::Admin);
    let admin = fixture.console.global_admin(&root).unwrap();
    let new = NewCluster {
        name: "local".to_owned(),
        first_tenant: Some("shop".to_owned()),
        ..NewCluster::default()
    };
    admin.create_cluster(&new).await.unwrap();
    for _ in 0..PAGES_AT_ONCE {
        let pages = (0..PAGES_AT_ONCE).map(|_| fixture.open("/clusters/local/backup"));
        let pages = tokio::time::timeout(Duration::from_secs(60), join_all(pages)).await;
        for (status, _, body) in pages.expect("the pages come") {
            assert_eq!(status, StatusCode::OK);
            assert!(
                body.contains("No recovery yet") || body.contains("No data backup task yet"),
                "{body}"
            );
        }
    }
    fixture.console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_rendered_and_only_their_own_scripts_run() {
    let fixture = Fixture::new().await;
    let mut nonces = BTreeSet::new();
    let pages = ["/clusters/new", "/clusters", "/clusters/new"];
    for path in pages {
        let (status, headers, body) = fixture.open(path).await;
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
        assert!(
            body.contains("<html") && body.contains("Tidemark") && body.contains("<main"),
            "{path}: {body}"
        );
        let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        let scripts = sources(policy, "script-src");
        let nonce = scripts
            .iter()
            .find_map(|source| source.strip_prefix("'nonce-")?.strip_suffix('\''))
            .unwrap_or_else(|| panic!("{policy}"));
        assert!(nonce.len() >= 16, "{policy}");
        let allowed = ["'self'", "'wasm-unsafe-eval'", &format!("'nonce-{nonce}'")];
        assert!(
            scripts.iter().all(|source| allowed.contains(source)),
            "{policy}"
        );
        for nothing in ["frame-ancestors", "object-src", "base-uri"] {
            assert_eq!(sources(policy, nothing), ["'none'"], "{policy}");
        }
        assert_eq!(sources(policy, "default-src"), ["'self'"], "{policy}");

        // So every script of the page carries the nonce: another one would not run.
        let inline = tags(&body, "script");
        assert!(!inline.is_empty(), "{path}: {body}");
        let shown = format!("nonce=\"{nonce}\"");
        for script in inline {
            assert!(script.contains(&shown), "{path}: <script{script}>");
        }
        for handler in [" onclick=", " onload=", " onerror=", "javascript:"] {
            assert!(!body.contains(handler), "{path}: {handler}");
        }
        nonces.insert(nonce.to_owned());
    }
    assert_eq!(nonces.len(), pages.len(), "a nonce is used once");
    fixture.console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_has_the_guarding_headers() {
    let fixture = Fixture::new().await;
    for path in [
        "/",
        "/healthz",
        "/pkg/tidemark.css",
        "/cli/v1/local/tenants",
        "/no/such/page",
        "/sign-in",
        "/audit.csv",
    ] {
        let (_, headers, _) = fixture.get(path).await;
        assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff", "{path}");
        assert_eq!(headers[header::X_FRAME_OPTIONS], "DENY", "{path}");
        assert!(
            headers.contains_key(header::CONTENT_SECURITY_POLICY),
            "{path}"
        );
        let kept = if path.ends_with(".css") {
            "no-cache"
        } else {
            "no-store"
        };
        assert_eq!(headers[header::CACHE_CONTROL], kept, "{path}");
    }
    let (status, _, body) = fixture.get("/pkg/tidemark.css").await;
    assert_eq!((status, body.as_str()), (StatusCode::OK, "body{}"));
    let (status, _, _) = fixture.get("/no/such/page").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    fixture.console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn foreign_names_and_foreign_pages_are_refused() {
    let fixture = Fixture::new().await;
    let (status, _, _) = fixture
        .ask(Method::GET, "/", &[("host", "evil.example:3000")], "")
        .await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let (status, _, _) = fixture
        .ask(Method::GET, "/", &[("host", "localhost:3000")], "")
        .await;
    assert_ne!(status, StatusCode::FORBIDDEN);
    for path in server_functions() {
        for headers in [
            vec![JSON],
            vec![JSON, ("origin", "http://evil.example")],
            vec![JSON, OWN, ("sec-fetch-site", "cross-site")],
        ] {
            let (status, _, body) = fixture.ask(Method::POST, &path, &headers, "{}").await;
            assert_eq!(status, StatusCode::FORBIDDEN, "{path}: {body}");
        }
    }
    fixture.console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_need_the_token_and_nothing_else_opens_their_door() {
    let fixture = Fixture::new().await;
    let path = "/cli/v1/local/tenants";
    for headers in [
        vec![],
        vec![OWN],
        vec![("authorization", "Bearer wrong")],
        vec![("authorization", TOKEN)],
    ] {
        let (status, _, body) = fixture.ask(Method::GET, path, &headers, "").await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
        assert!(!body.contains(TOKEN));
    }
    let bearer = format!("Bearer {TOKEN}");
    let shown = [("authorization", bearer.as_str())];
    let (status, _, body) = fixture.ask(Method::GET, path, &shown, "").await;
    assert_eq!(
        status,
        StatusCode::NOT_FOUND,
        "there is no cluster yet: {body}"
    );
    assert!(body.contains("local"), "{body}");
    fixture.console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_oversized_body_is_refused() {
    let fixture = Fixture::new().await;
    let bearer = format!("Bearer {TOKEN}");
    let headers = [
        ("authorization", bearer.as_str()),
        JSON,
        ("content-length", "99999999"),
    ];
    let (status, _, _) = fixture
        .ask(Method::POST, "/cli/v1/local/verify", &headers, "{}")
        .await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    fixture.console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_server_function_is_registered_and_answers() {
    let paths = server_functions();
    for noun in [
        "clusters/list",
        "clusters/overview",
        "clusters/create",
        "backups/list",
        "backups/back_up_now",
        "strategies/show",
        "strategies/form",
        "strategies/preview",
        "strategies/test_storage",
        "strategies/create",
        "strategies/modify",
        "strategies/apply",
        "strategies/delete",
        "strategies/pause",
        "strategies/resume",
        "cleanup/plan",
        "cleanup/clean_up_now",
        "tasks/steps",
        "tasks/history",
        "alerts/list",
        "alerts/one",
        "alerts/mask",
        "feed",
    ] {
        assert!(
            paths.iter().any(|path| path.contains(noun)),
            "{noun} is missing in {paths:?}"
        );
    }
    let fixture = Fixture::new().await;
    for path in &paths {
        assert!(path.starts_with("/api/"), "{path}");
        let (status, _, body) = fixture.ask(Method::POST, path, &[JSON, OWN], "{}").await;
        assert_ne!(
            status,
            StatusCode::NOT_FOUND,
            "{path} is not served: {body}"
        );
        assert_ne!(status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
    }
    fixture.console.shut_down().await;
}
