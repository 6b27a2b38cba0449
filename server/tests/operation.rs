//! Operation: readiness, metrics, the log, the key, and copies of the console's own database.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use serde_json::Value;
use std::{os::unix::fs::PermissionsExt, path::Path};
use support::{Server, empty_site, log_of, sentence, start, tidemark, wait_for};

/// Status, headers as text, and body of what is at `path`.
fn get(server: &Server, path: &str, headers: &[(&str, &str)]) -> (u16, String, String) {
    let door = std::fs::read(server.home.join("token")).unwrap();
    let door: Value = serde_json::from_slice(&door).unwrap();
    let agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .proxy(None)
        .build()
        .new_agent();
    let address = door["address"].as_str().unwrap();
    let mut question = agent.get(format!("http://{address}{path}"));
    for (name, value) in headers {
        question = question.header(*name, *value);
    }
    let mut answer = question.call().unwrap();
    let body = answer.body_mut().read_to_string().unwrap();
    let headers = format!("{:?}", answer.headers());
    (answer.status().as_u16(), headers, body)
}

#[test]
fn readiness_and_metrics_tell_what_the_server_does() {
    let folder = tempfile::tempdir().unwrap();
    let (home, site) = (folder.path().join("home"), empty_site(folder.path()));
    let server = start(&home, &site, &[]);
    server.create_cluster("local");
    server.json(&["tenant", "create", "orders"]);
    server.back_up("orders");
    let (status, headers, _) = get(&server, "/healthz", &[]);
    assert!(
        status == 200 && headers.contains("x-request-id"),
        "{headers}"
    );
    let (status, _, body) = get(&server, "/readyz", &[]);
    let ready: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        (status, ready["status"].as_str()),
        (200, Some("ready")),
        "{body}"
    );
    let names: Vec<&str> = ready["checks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| c["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "not shutting down",
            "database writable",
            "clusters tried",
            "duties alive"
        ]
    );
    let (status, _, text) = get(&server, "/metrics", &[]);
    assert_eq!(status, 200);
    for line in [
        "tidemark_build_info{version=\"",
        "tidemark_tasks{cluster=\"local\",kind=\"data_backup\",state=\"completed\"} ",
        "tidemark_oldest_queued_task_age_seconds{cluster=\"local\"} 0\n",
        "tidemark_cluster_open{cluster=\"local\"} 1\n",
        "tidemark_log_delay_seconds{cluster=\"local\",tenant=\"orders\"} ",
        "tidemark_last_data_backup_timestamp_seconds{cluster=\"local\",tenant=\"orders\"} ",
        "tidemark_backup_bytes{cluster=\"local\",tenant=\"orders\",what=\"data\"} ",
        "tidemark_storage_usable{cluster=\"local\",storage=\"first\"} 1\n",
        "tidemark_storage_bytes{cluster=\"local\",storage=\"first\",what=\"total\"} ",
        "tidemark_storage_bytes{cluster=\"local\",storage=\"first\",what=\"used\"} ",
        "tidemark_storage_bytes{cluster=\"local\",storage=\"first\",what=\"free\"} ",
        "tidemark_duty_last_round_timestamp_seconds{duty=\"observation\",cluster=\"local\"} ",
        "tidemark_duty_falls_total{duty=\"work on the task queue\",cluster=\"\"} 0\n",
        "tidemark_engine_call_seconds_bucket{operation=\"observation\",le=\"+Inf\"} ",
        "tidemark_http_requests_total{class=\"operation\",status=\"200\"} ",
        "process_resident_memory_bytes ",
    ] {
        assert!(text.contains(line), "{line} in\n{text}");
    }
    // Every line is one that Prometheus reads, and no series comes twice.
    let mut seen = std::collections::BTreeSet::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (series, value) = line.rsplit_once(' ').unwrap();
        assert!(
            value.parse::<f64>().is_ok() && seen.insert(series.to_owned()),
            "{line}"
        );
    }
    // What a proxy passes on is not of this machine.
    let proxied = [("x-forwarded-for", "203.0.113.9")];
    assert_eq!(get(&server, "/metrics", &proxied).0, 401);
    assert_eq!(get(&server, "/cli/v1/local/tenants", &proxied).0, 403);
    server.stop();
}

#[test]
fn every_line_of_a_json_log_is_a_document_and_requests_are_found_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let (home, site) = (folder.path().join("home"), empty_site(folder.path()));
    let mut command = tidemark(&[]);
    command.env("TIDEMARK_LOG", "debug,sqlx=warn");
    let server = support::start_by(command, &home, &site, &["--log-format", "json"]);
    let (_, headers, _) = get(&server, "/clusters?secret=word", &[]);
    let id = headers
        .split("x-request-id\": \"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .to_owned();
    wait_for("the request in the log", || log_of(&home).contains(&id));
    server.stop();
    let mut found = false;
    for line in log_of(&home).lines() {
        let told: Value =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        found |= told["spans"].as_array().is_some_and(|spans| {
            spans
                .iter()
                .any(|span| span["request.id"] == id.as_str() && span["client"] == "127.0.0.1")
        });
        assert!(!line.contains("secret=word"), "{line}");
    }
    assert!(found);
}

/// Cluster names of a home, as commands tell them.
fn clusters(server: &Server) -> String {
    server.refused(&["tenant", "list", "--cluster", "Nowhere"], 1)
}

fn admin(home: &Path, order: &str, file: &Path, code: i32) -> String {
    let mut command = tidemark(&["admin", order]);
    let done = command.arg(file).arg("--home").arg(home).output().unwrap();
    match code {
        0 => {
            assert!(
                done.status.success(),
                "{}",
                String::from_utf8_lossy(&done.stderr)
            );
            String::from_utf8_lossy(&done.stdout).into_owned()
        }
        code => sentence(&done, code),
    }
}

#[test]
fn a_copy_of_the_console_is_taken_while_it_runs_and_put_back() {
    let folder = tempfile::tempdir().unwrap();
    let (home, site) = (folder.path().join("home"), empty_site(folder.path()));
    let copy = folder.path().join("console.copy");
    let server = start(&home, &site, &[]);
    server.create_cluster("first");
    let told = admin(&home, "backup-self", &copy, 0);
    assert!(told.contains("console.copy"), "{told}");
    let mode = std::fs::metadata(&copy).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(admin(&home, "backup-self", &copy, 1).contains("is there already"));
    server.create_cluster("second");
    assert!(admin(&home, "restore-self", &copy, 1).contains("in use"));
    server.stop();

    let copy_at_rest = folder.path().join("at-rest.copy");
    admin(&home, "backup-self", &copy_at_rest, 0);
    let told = admin(&home, "restore-self", &copy, 0);
    assert!(told.contains("before-"), "{told}");
    let server = start(&home, &site, &[]);
    let known = clusters(&server);
    assert!(
        known.contains("first") && !known.contains("second"),
        "{known}"
    );
    server.stop();
    admin(&home, "restore-self", &copy_at_rest, 0);
    let server = start(&home, &site, &[]);
    assert!(clusters(&server).contains("second"));
    server.stop();
    // On a machine that has nothing yet.
    let other = folder.path().join("other");
    admin(&other, "restore-self", &copy, 0);
    let server = start(&other, &site, &[]);
    assert!(clusters(&server).contains("first"));
    server.stop();
}

#[test]
fn a_copy_that_is_damaged_or_too_new_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (home, site) = (folder.path().join("home"), empty_site(folder.path()));
    let copy = folder.path().join("console.copy");
    let manifest = folder.path().join("console.copy.manifest.json");
    let server = start(&home, &site, &[]);
    server.create_cluster("first");
    admin(&home, "backup-self", &copy, 0);
    server.stop();
    let before = std::fs::read(home.join("control.db")).unwrap();
    let good = std::fs::read(&manifest).unwrap();
    support::flip_byte(&copy, 5000);
    assert!(admin(&home, "restore-self", &copy, 1).contains("checksum"));
    support::flip_byte(&copy, 5000);
    let text = String::from_utf8(good.clone()).unwrap();
    std::fs::write(
        &manifest,
        text.replace("\"schema\": [", "\"schema\": [\"m2099_other\","),
    )
    .unwrap();
    assert!(admin(&home, "restore-self", &copy, 1).contains("m2099_other"));
    std::fs::write(&manifest, "{}").unwrap();
    assert!(admin(&home, "restore-self", &copy, 1).contains("both are needed"));
    std::fs::remove_file(&manifest).unwrap();
    assert!(admin(&home, "restore-self", &copy, 1).contains("both are needed"));
    assert_eq!(std::fs::read(home.join("control.db")).unwrap(), before);
    let nowhere = folder.path().join("nowhere");
    assert!(admin(&nowhere, "backup-self", &copy, 1).contains("no control database"));
    assert!(!nowhere.exists());
    std::fs::write(&manifest, good).unwrap();
    admin(&home, "restore-self", &copy, 0);
    let mut command = tidemark(&["admin", "backup-self", "/tmp/x"]);
    let done = command
        .env("TIDEMARK_DATABASE", "postgres://u:p@h/d")
        .output()
        .unwrap();
    assert!(sentence(&done, 1).contains("pg_dump"));
}

#[test]
fn the_key_is_made_at_the_first_start_and_changed_by_an_order() {
    let folder = tempfile::tempdir().unwrap();
    let (home, site) = (folder.path().join("home"), empty_site(folder.path()));
    let server = start(&home, &site, &[]);
    let key = home.join("secret.key");
    let mode = std::fs::metadata(&key).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let before = std::fs::read_to_string(&key).unwrap();
    let changed = server.json(&["admin", "rotate-key"]);
    assert_eq!(changed["resealed"], 0);
    let after = std::fs::read_to_string(&key).unwrap();
    assert!(after != before && after.trim().len() == 64);
    assert!(!log_of(&home).contains(after.trim()));
    server.stop();
    let mut command = tidemark(&["serve", "--listen", "127.0.0.1:0"]);
    command.arg("--home").arg(&home).arg("--site").arg(&site);
    let told = sentence(&command.env("TIDEMARK_KEY", "hunter2").output().unwrap(), 1);
    assert!(
        told.contains("TIDEMARK_KEY") && !told.contains("hunter2"),
        "{told}"
    );
}
