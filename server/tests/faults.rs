//! Bad input and faults on the command line, against the real binary: each gives a sentence and an exit code.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::{net::TcpListener, path::Path, process::Command};
use support::{Server, empty_site, sentence, start, tidemark, wait_for};

fn serve(home: &Path, site: &Path, listen: &str) -> Command {
    let mut command = tidemark(&["serve", "--listen", listen]);
    command.arg("--home").arg(home).arg("--site").arg(site);
    command
}

#[test]
fn addresses_that_others_could_reach_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (home, site) = (folder.path().join("home"), empty_site(folder.path()));
    for listen in ["0.0.0.0:0", "[::]:0", "192.0.2.1:3000"] {
        let told = sentence(&serve(&home, &site, listen).output().unwrap(), 2);
        assert!(
            told.contains(listen) && told.contains("--tls-cert"),
            "{told}"
        );
    }
    let told = sentence(&serve(&home, &site, "3000").output().unwrap(), 2);
    assert!(
        told.contains("\"3000\"") && told.contains("127.0.0.1:3000"),
        "{told}"
    );
    assert!(!home.exists(), "a refused start must leave nothing");
}

#[test]
fn a_taken_port_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = other.local_addr().unwrap().to_string();
    let site = empty_site(folder.path());
    let told = sentence(
        &serve(&folder.path().join("home"), &site, &listen)
            .output()
            .unwrap(),
        1,
    );
    assert!(
        told.contains("is taken") && told.contains("--listen"),
        "{told}"
    );
    assert!(
        told.contains(&other.local_addr().unwrap().port().to_string()),
        "{told}"
    );
}

#[test]
fn missing_pages_are_told_before_anything_is_touched() {
    let folder = tempfile::tempdir().unwrap();
    let (home, site) = (folder.path().join("home"), folder.path().join("nowhere"));
    let told = sentence(&serve(&home, &site, "127.0.0.1:0").output().unwrap(), 1);
    assert!(
        told.contains("nowhere") && told.contains("make build"),
        "{told}"
    );
    assert!(!home.exists());
}

#[test]
fn two_servers_never_share_a_home_and_a_killed_one_frees_it() {
    let folder = tempfile::tempdir().unwrap();
    let (home, site) = (folder.path().join("home"), empty_site(folder.path()));
    let first = start(&home, &site, &[]);
    let pid = first.process.id().to_string();
    let told = sentence(&serve(&home, &site, "127.0.0.1:0").output().unwrap(), 1);
    assert!(told.contains("in use") && told.contains(&pid), "{told}");
    drop(first);
    std::fs::remove_file(home.join("token")).unwrap();
    drop(start(&home, &site, &[]));
}

#[test]
fn commands_say_when_nobody_serves() {
    let folder = tempfile::tempdir().unwrap();
    let (home, site) = (folder.path().join("home"), empty_site(folder.path()));
    let list = || {
        tidemark(&["tenant", "list", "--home"])
            .arg(&home)
            .output()
            .unwrap()
    };
    assert!(sentence(&list(), 1).contains("no tidemark server runs"));
    drop(start(&home, &site, &[]));
    let told = sentence(&list(), 1);
    assert!(
        told.contains("does not answer") && told.contains("start it again"),
        "{told}"
    );
}

#[test]
fn usage_that_cannot_be_meant_exits_with_2_without_asking_a_server() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("none");
    let recover = ["recover", "--tenant", "orders", "--at"];
    let long = "x".repeat(65);
    let cases: [(Vec<&str>, &str); 9] = [
        (vec!["tenant", "create", "1st"], "\"1st\""),
        (vec!["tenant", "create", "a"], "2 to 64"),
        (vec!["tenant", "create", &long], "2 to 64"),
        (vec!["tenant", "create", "../etc"], "letters"),
        (
            [&recover[..], &["yesterday", "--as", "fine"]].concat(),
            "\"yesterday\"",
        ),
        (
            [&recover[..], &["2026-11-12 14:32:07", "--as", "fine"]].concat(),
            "RFC 3339",
        ),
        (
            [&recover[..], &["2026-11-12T14:32:07Z", "--as", "not fine"]].concat(),
            "\"not fine\"",
        ),
        (vec!["backup"], "--tenant"),
        (vec!["sql", "orders", "  "], "no SQL"),
    ];
    for (args, expected) in cases {
        let told = sentence(
            &tidemark(&args).arg("--home").arg(&home).output().unwrap(),
            2,
        );
        assert!(told.contains(expected), "{args:?}: {told}");
    }
    let told = tidemark(&["tenant", "create", "1st", "--json"])
        .output()
        .unwrap();
    let problem: serde_json::Value = serde_json::from_slice(&told.stderr).unwrap();
    assert_eq!(problem["error"]["kind"], "usage");
    assert_eq!(
        tidemark(&["--version"]).output().unwrap().status.code(),
        Some(0)
    );
}

#[test]
fn the_token_is_private_and_never_logged() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let (home, site) = (folder.path().join("home"), empty_site(folder.path()));
    let server = start(&home, &site, &["--demo"]);
    let file = home.join("token");
    assert_eq!(
        std::fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let door: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let token = door["token"].as_str().unwrap().to_owned();
    server.json(&["tenant", "list"]);
    assert!(!support::log_of(&home).contains(&token));
    std::fs::write(
        &file,
        format!(
            r#"{{"address":{},"token":"{}"}}"#,
            door["address"],
            "0".repeat(64)
        ),
    )
    .unwrap();
    let told = server.refused(&["tenant", "list"], 1);
    assert!(told.contains("token"), "{told}");
}

#[test]
fn wishes_that_cannot_be_granted_name_what_could_be() {
    let folder = tempfile::tempdir().unwrap();
    let (home, site) = (folder.path().join("home"), empty_site(folder.path()));
    let server = start(&home, &site, &["--demo"]);
    let range = recoverable(&server, "orders");
    let recover = |tenant: &str, at: &str, new: &str| {
        server.refused(&["recover", "--tenant", tenant, "--at", at, "--as", new], 1)
    };

    for words in [
        &["ranges", "--tenant", "nobody"][..],
        &["backup", "--tenant", "nobody", "--wait"],
        &["sql", "nobody", "SELECT 1"],
        &["verify", "--tenant", "nobody"],
        &[
            "recover", "--tenant", "nobody", "--at", &range.0, "--as", "fresh",
        ],
    ] {
        let told = server.refused(words, 1);
        assert!(
            told.contains("\"nobody\"") && told.contains("it has: orders, payments"),
            "{words:?}: {told}"
        );
    }
    for words in [
        &["tenant", "list"][..],
        &["tenant", "create", "fresh"],
        &["verify"],
    ] {
        let told = server.refused(&[words, &["--cluster", "elsewhere"]].concat(), 1);
        assert!(
            told.contains("elsewhere") && told.contains("local"),
            "{words:?}: {told}"
        );
    }

    let told = recover("orders", "2001-01-01T00:00:00Z", "too_early");
    assert!(
        told.contains("2001-01-01")
            && told.contains("outside the recoverable period of tenant orders"),
        "{told}"
    );
    assert!(mentions_second_of(&told, &range.0), "{told} {range:?}");
    assert!(told.contains("after it"), "{told}");
    let told = recover("orders", "2199-01-01T00:00:00Z", "too_late");
    assert!(
        told.contains("2199-01-01") && told.contains("is in the future"),
        "{told}"
    );
    assert!(told.contains("before it"), "{told}");
    // Refusals start nothing: their names are free.
    let told = recover("orders", "2199-01-01T00:00:00Z", "too_late");
    assert!(told.contains("is in the future"), "{told}");

    let told = recover("orders", &range.0, "payments");
    assert!(
        told.contains("\"payments\"") && told.contains("exists; choose another name"),
        "{told}"
    );
    let told = server.refused(&["tenant", "create", "orders"], 1);
    assert!(told.contains("tenant orders exists already"), "{told}");
    let told = server.refused(&["sql", "orders", "SELECT FROM"], 1);
    assert!(
        told.contains("near \"FROM\"") && told.contains("syntax"),
        "{told}"
    );
    let listed = server.json(&["tenant", "list"]);
    assert_eq!(listed["tenants"].as_array().unwrap().len(), 2, "{listed}");
}

/// The first recoverable range of a tenant; takes a backup when there is none yet.
fn recoverable(server: &Server, tenant: &str) -> (String, String) {
    server.back_up(tenant);
    let mut found = None;
    wait_for("a recoverable range", || {
        let ranges = server.json(&["ranges", "--tenant", tenant]);
        let text = |name: &str| ranges["ranges"][0][name].as_str().map(str::to_owned);
        found = text("start").zip(text("end"));
        found.is_some()
    });
    found.unwrap()
}

/// Whether `text` names the moment to the second, however it writes it.
fn mentions_second_of(text: &str, moment: &str) -> bool {
    let (date, time) = moment.split_at(10);
    text.contains(date) && text.contains(&time[1..9])
}
