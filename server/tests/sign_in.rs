//! What stands in front of the pages: sign-in, sessions and roles, over HTTP.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod routes;

use axum::http::{HeaderMap, Method, StatusCode, header};
use domain::{
    access::{Actor, Role},
    cluster::NewCluster,
    user::{ClusterRole, NewUser},
};
use routes::{ANONYMOUS, Fixture, JSON, OWN, PASSWORD, server_functions};
use serde_json::{Value, json};

/// Where an answer leads to.
fn place(headers: &HeaderMap) -> &str {
    headers[header::LOCATION].to_str().unwrap()
}

/// The cookie that an answer sets, whole.
fn set_cookie(headers: &HeaderMap) -> &str {
    headers[header::SET_COOKIE].to_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn until_there_is_a_user_everything_leads_to_the_first_run() {
    let fixture = Fixture::without_users().await;
    for path in [
        "/",
        "/clusters",
        "/clusters/local/backup",
        "/audit.csv",
        "/sign-in",
    ] {
        let (status, headers, _) = fixture.open(path).await;
        assert_eq!(
            (status, place(&headers)),
            (StatusCode::SEE_OTHER, "/first-run"),
            "{path}"
        );
    }
    let (status, _, page) = fixture.open("/first-run").await;
    assert_eq!(status, StatusCode::OK);
    assert!(
        page.contains("Set up first") && !page.contains("<script"),
        "{page}"
    );
    for path in server_functions() {
        let (status, ..) = fixture.ask(Method::POST, &path, &[JSON, OWN], "{}").await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{path}");
    }

    let link = fixture.console.first_link().await.unwrap().unwrap();
    let (_, headers, page) = fixture.open(&link.path).await;
    assert!(page.contains("Make the first administrator"), "{page}");
    assert_eq!(headers[header::REFERRER_POLICY], "no-referrer");
    let token = link.path.split_once('=').unwrap().1;
    let form = |link, name, password, again| {
        [
            ("link", link),
            ("name", name),
            ("password", password),
            ("again", again),
        ]
    };
    let send = async |fields: [(&str, &str); 4]| fixture.send("/first-run", "", &fields).await;
    let (status, _, page) = send(form(token, "maria", PASSWORD, "something else")).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        page.contains("differ") && page.contains("value=\"maria\""),
        "{page}"
    );
    let (status, _, page) = send(form(token, "maria", "short", "short")).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.contains("at least 12 characters"), "{page}");
    let (status, _, page) = send(form("wrong", "maria", PASSWORD, PASSWORD)).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(page.contains("does not work"), "{page}");
    let (status, headers, _) = send(form(token, "maria", PASSWORD, PASSWORD)).await;
    assert_eq!((status, place(&headers)), (StatusCode::SEE_OTHER, "/"));
    let (status, ..) = send(form(token, "jon", PASSWORD, PASSWORD)).await;
    assert_eq!(status, StatusCode::CONFLICT, "the link works once");
    let (_, headers, _) = fixture.open("/first-run").await;
    assert_eq!(place(&headers), "/");
    fixture.console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_not_signed_in_is_led_to_sign_in_and_back() {
    let fixture = Fixture::new().await;
    let anonymous = async |path: &str| fixture.ask(Method::GET, path, &[ANONYMOUS], "").await;
    let (status, headers, body) = anonymous("/clusters/local/backup?tab=log").await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    assert_eq!(
        place(&headers),
        "/sign-in?to=/clusters/local/backup%3Ftab%3Dlog"
    );
    assert!(!body.contains("local"), "{body}");
    for cookie in [
        "tidemark-3000=0000",
        "tidemark-3001=0000",
        "other=1",
        "tidemark-3000",
    ] {
        let (status, ..) = fixture
            .ask(Method::GET, "/clusters", &[("cookie", cookie)], "")
            .await;
        assert_eq!(status, StatusCode::SEE_OTHER, "{cookie}");
    }
    // What is the same for everybody needs no session.
    for path in ["/pkg/tidemark.css", "/healthz", "/sign-in"] {
        assert_eq!(anonymous(path).await.0, StatusCode::OK, "{path}");
    }
    let (_, _, page) = anonymous("/sign-in?to=//evil.example/").await;
    assert!(!page.contains("evil.example"), "{page}");
    let (_, _, page) = anonymous("/sign-in?to=/clusters/local/backup%3Ftab%3Dlog").await;
    assert!(
        page.contains("value=\"/clusters/local/backup?tab=log\""),
        "{page}"
    );
    assert!(!page.contains("<script"), "{page}");

    let fields = [
        ("name", "maria"),
        ("password", PASSWORD),
        ("to", "/clusters/local/backup?tab=log"),
    ];
    let (status, headers, _) = fixture.send("/sign-in", "", &fields).await;
    assert_eq!(
        (status, place(&headers)),
        (StatusCode::SEE_OTHER, "/clusters/local/backup?tab=log")
    );
    let set = set_cookie(&headers).to_owned();
    for part in [
        "tidemark-3000=",
        "HttpOnly",
        "SameSite=Lax",
        "Path=/",
        "Max-Age=604800",
    ] {
        assert!(set.contains(part), "{set}");
    }
    assert!(!set.contains("Secure") && !set.contains("Domain"), "{set}");
    let mine = set.split(';').next().unwrap();
    let signed_in = [("cookie", mine)];
    let (status, _, page) = fixture.ask(Method::GET, "/clusters", &signed_in, "").await;
    assert_eq!(status, StatusCode::OK);
    assert!(
        page.contains("maria") && page.contains("Sign out"),
        "{page}"
    );
    let (_, headers, _) = fixture.ask(Method::GET, "/sign-in", &signed_in, "").await;
    assert_eq!(place(&headers), "/");

    let (status, headers, _) = fixture.send("/sign-out", mine, &[]).await;
    assert_eq!(
        (status, place(&headers)),
        (StatusCode::SEE_OTHER, "/sign-in")
    );
    assert!(set_cookie(&headers).contains("Max-Age=0"));
    let (status, ..) = fixture.ask(Method::GET, "/clusters", &signed_in, "").await;
    assert_eq!(
        status,
        StatusCode::SEE_OTHER,
        "the session is worth nothing any more"
    );
    fixture.console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_session_ends_the_one_that_the_browser_had() {
    let fixture = Fixture::new().await;
    let fields = [("name", "maria"), ("password", PASSWORD)];
    let (_, headers, _) = fixture.send("/sign-in", &fixture.cookie, &fields).await;
    let new = set_cookie(&headers).split(';').next().unwrap().to_owned();
    assert_ne!(new, fixture.cookie);
    assert_eq!(fixture.get("/clusters").await.0, StatusCode::SEE_OTHER);
    let (status, ..) = fixture
        .ask(Method::GET, "/clusters", &[("cookie", &new)], "")
        .await;
    assert_eq!(status, StatusCode::OK);
    fixture.console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_are_told_without_a_hint_and_then_how_long_to_wait() {
    let fixture = Fixture::new().await;
    for name in ["maria", "nobody-here"] {
        for number in 1..=5 {
            let fields = [("name", name), ("password", "not the password")];
            let (status, headers, page) = fixture.send("/sign-in", "", &fields).await;
            assert!(!headers.contains_key(header::SET_COOKIE));
            assert!(page.contains(&format!("value=\"{name}\"")), "{page}");
            if number < 5 {
                assert_eq!(status, StatusCode::UNAUTHORIZED);
                assert!(page.contains("do not belong together"), "{page}");
            } else {
                assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
                assert!(page.contains("Wait 30 seconds"), "{page}");
            }
        }
    }
    // Whoever is signed in already is not put out by it.
    assert_eq!(fixture.get("/clusters").await.0, StatusCode::OK);
    fixture.console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn forms_of_other_origins_are_refused() {
    let fixture = Fixture::new().await;
    let form = "name=maria&password=x";
    for path in ["/sign-in", "/first-run", "/set-password", "/sign-out"] {
        for foreign in [
            ("origin", "http://evil.example"),
            ("sec-fetch-site", "cross-site"),
        ] {
            let headers = [routes::FORM, foreign];
            let (status, ..) = fixture.ask(Method::POST, path, &headers, form).await;
            assert_eq!(status, StatusCode::FORBIDDEN, "{path} {foreign:?}");
        }
    }
    assert_eq!(fixture.get("/clusters").await.0, StatusCode::OK);
    fixture.console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_server_function_refuses_whoever_is_not_signed_in() {
    let fixture = Fixture::new().await;
    for path in server_functions() {
        let headers = [JSON, OWN, ANONYMOUS];
        let (status, _, body) = fixture.ask(Method::POST, &path, &headers, "{}").await;
        assert_eq!(
            (status, body.as_str()),
            (StatusCode::UNAUTHORIZED, "\"SignedOut\""),
            "{path}"
        );
    }
    fixture.console.shut_down().await;
}

/// What is one's own, whatever one's role.
const OWN_ACCOUNT: &str = "/account/";
/// What has no cluster in it, and answers with what the caller may see.
const LISTS: [&str; 8] = [
    "/clusters/now",
    "/everywhere",
    "/storage/trends",
    "/clusters/list",
    "/audit/list",
    "/strategies/storages",
    "/strategies/preview",
    "/strategies/advice",
];

/// A body that every server function can read: one value for each name of an argument. A function that needs
/// another one for a name is named in front.
fn body(path: &str) -> Value {
    let filter = json!({
        "states": [], "statuses": [], "levels": [], "ascending": false, "page": 1, "size": 10,
    });
    let storage =
        json!({ "name": "own", "kind": "file", "directory": "/x", "capacity_percent": 80 });
    let schedule =
        json!({ "cycle": "week", "days": { "1": "full" }, "at": "02:00", "zone": "UTC" });
    let settings = json!({
        "method": "physical", "storage": storage, "schedule": schedule, "start_log_backup": true,
        "cleanup": { "enabled": false, "retention_days": 7, "at": "03:00" },
        "thresholds": { "data_backup_timeout_min": 60, "log_delay_s": 3600, "no_success_days": 9 },
    });
    let request = json!({ "tenant": 1, "until": 1, "new_name": "copy" });
    let mut body = json!({
        "cluster": "secret", "tenant": 1, "id": 1, "task": 1, "kind": "full", "reason": "x", "name": "abc",
        "filter": filter, "request": request, "rev": 0, "disabled": true, "role": "viewer",
        "user": { "name": "mallory", "everywhere": "admin", "clusters": [] },
        "storage": storage, "schedule": schedule, "settings": settings, "must_be_empty": false,
        "new_name": "other", "keep_days": 7, "place": "first", "since": 0, "until": 1, "log": "keep",
        "channel": { "name": "abc", "kind": "json", "url": "https://example.org/x", "levels": [], "clusters": [] },
        "change": {}, "keys": {}, "on": true, "engine": "oceanbase",
        "access": { "addresses": "127.0.0.1:1", "account": "root@sys", "password": "x" },
    });
    if path.contains("/tasks/history") || path.contains("/tasks/list") {
        body["kind"] = json!("data_backup");
    }
    if path.contains("/clusters/create") {
        body["cluster"] = json!({ "name": "another", "destination": null, "first_tenant": null });
    }
    body
}

#[tokio::test(flavor = "multi_thread")]
async fn every_server_function_refuses_whoever_has_no_role_there_and_tells_nothing() {
    let fixture = Fixture::new().await;
    let root = Actor::new("tester", Role::Admin);
    let admin = fixture.console.global_admin(&root).unwrap();
    for name in ["local", "secret"] {
        let new = NewCluster {
            name: name.to_owned(),
            destination: None,
            first_tenant: (name == "secret").then(|| "treasure".to_owned()),
            ..NewCluster::default()
        };
        admin.create_cluster(&new).await.unwrap();
    }
    // An administrator of one cluster asks for another.
    let jon = NewUser {
        name: "jon".to_owned(),
        everywhere: None,
        clusters: vec![ClusterRole {
            cluster: "local".to_owned(),
            role: Role::Admin,
        }],
    };
    let cookie = fixture.user(&jon).await;
    let headers = [JSON, OWN, ("cookie", cookie.as_str())];
    for path in server_functions() {
        if path.contains(OWN_ACCOUNT) {
            continue;
        }
        let body = body(&path);
        let (status, _, told) = fixture
            .ask(Method::POST, &path, &headers, &body.to_string())
            .await;
        if LISTS.iter().any(|list| path.contains(list)) {
            assert_eq!(status, StatusCode::OK, "{path}: {told}");
        } else {
            let refused = [StatusCode::FORBIDDEN, StatusCode::NOT_FOUND];
            assert!(
                refused.contains(&status),
                "{path}: {status} {told}; has it a body in `body`?"
            );
        }
        let told = told.replace("\"id\":\"secret\"", "");
        assert!(
            !told.contains("treasure") && !told.contains("secret"),
            "{path}: {told}"
        );
    }
    // A viewer of all clusters may change nothing.
    let kim = NewUser {
        name: "kim".to_owned(),
        everywhere: Some(Role::Viewer),
        clusters: vec![],
    };
    let cookie = fixture.user(&kim).await;
    let headers = [JSON, OWN, ("cookie", cookie.as_str())];
    let before = admin.users().await.unwrap();
    let reads = [
        "/list",
        "/one",
        "/overview",
        "/now",
        "/feed",
        "/since",
        "/counts",
        "/levels",
        "/everywhere",
        "/show",
        "/form",
        "/preview",
        "/advice",
        "/cleanup/sum",
        "/storages",
        "/states",
        "/trend",
        "/cleanup/plan",
        "/steps",
        "/history",
    ];
    for path in server_functions() {
        if path.contains(OWN_ACCOUNT) || reads.iter().any(|read| path.contains(read)) {
            continue;
        }
        let body = body(&path).to_string();
        let (status, _, told) = fixture.ask(Method::POST, &path, &headers, &body).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{path}: {told}");
    }
    for path in ["/users/list", "/audit/list"] {
        let path = server_functions()
            .into_iter()
            .find(|one| one.contains(path))
            .unwrap();
        let (status, ..) = fixture
            .ask(Method::POST, &path, &headers, &body(&path).to_string())
            .await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{path}");
    }
    assert_eq!(admin.users().await.unwrap(), before);
    fixture.console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_show_only_what_the_role_allows() {
    let fixture = Fixture::new().await;
    let root = Actor::new("tester", Role::Admin);
    let admin = fixture.console.global_admin(&root).unwrap();
    for name in ["local", "secret"] {
        let new = NewCluster {
            name: name.to_owned(),
            ..NewCluster::default()
        };
        admin.create_cluster(&new).await.unwrap();
    }
    let (_, _, page) = fixture.open("/clusters/local/backup").await;
    assert!(
        page.contains("Back up Now") && page.contains("Users and roles"),
        "{page}"
    );
    let (_, _, page) = fixture.open("/clusters").await;
    assert!(
        page.contains("Add cluster") && page.contains("secret"),
        "{page}"
    );

    let kim = NewUser {
        name: "kim".to_owned(),
        everywhere: None,
        clusters: vec![ClusterRole {
            cluster: "local".to_owned(),
            role: Role::Viewer,
        }],
    };
    let cookie = fixture.user(&kim).await;
    let open = async |path: &str| {
        let headers = [("accept", "text/html"), ("cookie", cookie.as_str())];
        let (status, _, page) = fixture.ask(Method::GET, path, &headers, "").await;
        assert!(!page.contains("secret"), "{path}: {page}");
        (status, page)
    };
    let (status, page) = open("/clusters/local/backup").await;
    assert_eq!(status, StatusCode::OK);
    for button in [
        "</svg>Back up Now",
        "Initiate Recovery</a>",
        "Add cluster",
        "Users and roles",
    ] {
        assert!(!page.contains(button), "{button}: {page}");
    }
    let (status, page) = open("/clusters").await;
    assert_eq!(status, StatusCode::OK);
    assert!(
        page.contains("local") && !page.contains("Add cluster"),
        "{page}"
    );
    for path in ["/users", "/audit"] {
        let (_, page) = open(path).await;
        assert!(
            page.contains("You have no right to do this"),
            "{path}: {page}"
        );
    }
    let (_, page) = open("/account").await;
    assert!(page.contains("You are signed in as kim"), "{page}");
    let (status, _) = open("/audit.csv").await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    fixture.console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_is_a_page_and_a_file() {
    let fixture = Fixture::new().await;
    let fields = [("name", "=cmd()"), ("password", "x")];
    fixture.send("/sign-in", "", &fields).await;
    let actor = Actor::new("=cmd()", Role::Admin);
    let admin = fixture.console.global_admin(&actor).unwrap();
    for number in 0..60 {
        let new = NewUser {
            name: format!("user-{number}"),
            ..NewUser::default()
        };
        admin.add_user(&new).await.unwrap();
    }
    let (status, _, page) = fixture.open("/audit?text=user-7&result=ok").await;
    assert_eq!(status, StatusCode::OK);
    assert!(
        page.contains("add user") && page.contains("user-7"),
        "{page}"
    );
    assert!(!page.contains("user-8"), "{page}");
    assert!(
        page.contains("href=\"/audit.csv?text=user-7&amp;result=ok\""),
        "{page}"
    );

    let (status, headers, file) = fixture.get("/audit.csv").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(headers[header::CONTENT_TYPE], "text/csv; charset=utf-8");
    assert_eq!(headers[header::CACHE_CONTROL], "no-store");
    let lines: Vec<&str> = file.split("\r\n").collect();
    assert!(lines[0].starts_with("id,time,actor"), "{file}");
    assert_eq!(
        lines
            .iter()
            .filter(|line| line.contains("add user"))
            .count(),
        60
    );
    assert!(file.contains("\"'=cmd()\""), "{file}");
    assert!(
        file.contains("no user has this name") && !file.contains(PASSWORD),
        "{file}"
    );
    let (_, _, some) = fixture.get("/audit.csv?text=user-7&result=ok").await;
    assert_eq!(some.lines().count(), 2, "{some}");
    fixture.console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_chooses_a_password_on_a_page_of_their_own() {
    let fixture = Fixture::new().await;
    let root = Actor::new("tester", Role::Admin);
    let new = NewUser {
        name: "jon".to_owned(),
        ..NewUser::default()
    };
    let link = fixture
        .console
        .global_admin(&root)
        .unwrap()
        .add_user(&new)
        .await
        .unwrap();
    let (status, _, page) = fixture.ask(Method::GET, &link.path, &[ANONYMOUS], "").await;
    assert_eq!(status, StatusCode::OK);
    assert!(page.contains("Choose a password for jon"), "{page}");
    let token = link.path.split_once('=').unwrap().1;
    let fields = [("link", token), ("password", PASSWORD), ("again", PASSWORD)];
    let (status, headers, _) = fixture.send("/set-password", "", &fields).await;
    assert_eq!((status, place(&headers)), (StatusCode::SEE_OTHER, "/"));
    assert!(set_cookie(&headers).starts_with("tidemark-3000="));
    let (status, _, page) = fixture.send("/set-password", "", &fields).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(
        page.contains("does not work") && !page.contains("<form"),
        "{page}"
    );
    fixture.console.shut_down().await;
}
