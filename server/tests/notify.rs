//! Notification channels and alerts by commands, against the real binary and a real receiver.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use serde_json::Value;
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    sync::mpsc::{self, Receiver},
    thread,
};
use support::{empty_site, files, log_of, sentence, start};

/// A receiver that takes everything with the next of these answers, and tells head and body.
fn receiver(answers: Vec<&'static str>) -> (String, Receiver<(String, String)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        for answer in answers {
            let (stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(stream);
            let (mut head, mut line, mut length) = (String::new(), String::new(), 0);
            while reader.read_line(&mut line).unwrap() > 2 {
                let lower = line.to_ascii_lowercase();
                if let Some(value) = lower.strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                head.push_str(&line);
                line.clear();
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            reader.get_mut().write_all(answer.as_bytes()).unwrap();
            let _ = tell.send((head, String::from_utf8(body).unwrap()));
        }
    });
    (format!("http://{address}/hook/very-secret-key"), told)
}

#[test]
fn a_channel_is_added_tried_and_removed_and_its_address_stays_secret() {
    let folder = tempfile::tempdir().unwrap();
    let (home, site) = (folder.path().join("home"), empty_site(folder.path()));
    let server = start(&home, &site, &["--demo"]);
    let (url, told) = receiver(vec![
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
        "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n",
    ]);
    let add = [
        "channel", "add", "ops", "--kind", "slack", "--levels", "1,2",
    ];
    let added = server.feed(&[&add[..], &["--json"]].concat(), &format!("{url}\n"));
    assert!(added.status.success(), "{added:?}");
    let added: Value = serde_json::from_slice(&added.stdout).unwrap();
    assert_eq!(added["levels"], serde_json::json!([1, 2]));
    assert!(!added.to_string().contains("very-secret-key"));
    let twice = sentence(&server.feed(&add, &url), 1);
    assert!(twice.contains("exists already"), "{twice}");

    let test = server.json(&["channel", "test", "ops"]);
    assert_eq!(test["failure"], Value::Null);
    let (head, body) = told.recv().unwrap();
    assert!(head.starts_with("POST /hook/very-secret-key"), "{head}");
    let body: Value = serde_json::from_str(&body).unwrap();
    assert!(
        body["text"]
            .as_str()
            .unwrap()
            .contains("Test of the channel")
    );
    let refused = server.refused(&["channel", "test", "ops"], 1);
    assert!(
        refused.contains("redirect") && !refused.contains("very-secret"),
        "{refused}"
    );

    let list = server.json(&["channel", "list"]);
    assert_eq!(list["channels"][0]["name"], "ops");
    assert!(!list.to_string().contains("very-secret-key"));
    assert!(!log_of(&home).contains("very-secret-key"));
    let key = b"very-secret-key";
    for file in files(&home, "").iter().filter(|file| file.is_file()) {
        let bytes = std::fs::read(file).unwrap_or_default();
        let holds = bytes.windows(key.len()).any(|window| window == key);
        assert!(!holds, "{} holds the address in the open", file.display());
    }
    let changed = server.json(&[
        "channel", "modify", "ops", "--levels", "3", "--only", "local",
    ]);
    assert_eq!(changed["levels"], serde_json::json!([3]));
    assert!(changed["clusters"].is_array(), "{changed}");
    let everywhere = server.json(&["channel", "modify", "ops", "--only", "all"]);
    assert_eq!(everywhere["clusters"], Value::Null);
    let moved = ["channel", "modify", "ops", "--address", "--json"];
    let moved = server.feed(&moved, "https://other.example.com/x\n");
    let moved: Value = serde_json::from_slice(&moved.stdout).unwrap();
    assert_eq!(moved["host"], "https://other.example.com");
    server.json(&["channel", "disable", "ops"]);
    assert_eq!(
        server.json(&["channel", "list"])["channels"][0]["enabled"],
        false
    );
    let twice = server.refused(&["channel", "disable", "ops"], 1);
    assert!(twice.contains("off already"), "{twice}");
    server.json(&["channel", "enable", "ops"]);

    server.run(&["channel", "remove", "ops"]);
    assert_eq!(
        server.json(&["channel", "list"])["channels"],
        serde_json::json!([])
    );
    server.stop();
}

#[test]
fn what_cannot_be_meant_is_refused_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let (home, site) = (folder.path().join("home"), empty_site(folder.path()));
    let server = start(&home, &site, &["--demo"]);
    let list = server.json(&["alert", "list"]);
    assert_eq!(list["alerts"], serde_json::json!([]));
    assert_eq!(
        server.json(&["alert", "list", "--all", "--status", "all"])["total"],
        0
    );
    for (args, words) in [
        (
            &["alert", "list", "--status", "broken"][..],
            "active, masked",
        ),
        (&["alert", "list", "--level", "9"], "1 to 5"),
        (&["alert", "show", "7"], "no alert 7"),
        (&["alert", "unmask", "7"], "no alert 7"),
        (
            &["alert", "mask", "7", "--reason", "x"],
            "until when or for how many",
        ),
        (&["channel", "test", "nobody"], "no channel nobody"),
    ] {
        let told = server.refused(args, 1);
        assert!(told.contains(words), "{args:?}: {told}");
    }
    let add = ["channel", "add", "o", "--kind", "json"];
    let told = sentence(&server.feed(&add, "https://me:very-secret-key@host/"), 1);
    assert!(
        told.contains("user and password") && !told.contains("very-secret"),
        "{told}"
    );
    let told = sentence(&server.feed(&add, ""), 2);
    assert!(told.contains("standard input"), "{told}");
    server.stop();
}
