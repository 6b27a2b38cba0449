//! The commands about tasks and schedules against the real binary.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use support::{empty_site, start};

#[test]
fn tasks_are_listed_shown_step_by_step_and_refused_what_makes_no_sense() {
    let folder = tempfile::tempdir().unwrap();
    let (home, site) = (folder.path().join("home"), empty_site(folder.path()));
    let server = start(&home, &site, &[]);
    server.create_cluster("local");
    server.json(&["tenant", "create", "ledger"]);
    let backup = server.back_up("ledger");
    let id = backup["tasks"][0]["id"].as_i64().unwrap();

    let listed = server.json(&["task", "list", "--state", "completed", "--tenant", "ledger"]);
    let tasks = listed["tasks"].as_array().unwrap();
    let found = tasks.iter().find(|task| task["id"] == id).unwrap();
    assert_eq!(
        (&found["kind"], &found["state"]),
        (&"data_backup".into(), &"completed".into())
    );
    assert_eq!(listed["total"].as_u64().unwrap(), tasks.len() as u64);
    let none = server.json(&["task", "list", "--kind", "cleanup"]);
    assert_eq!(none["total"], 0);

    let shown = server.json(&["task", "show", &id.to_string()]);
    let steps: Vec<&str> = shown["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["text"].as_str().unwrap())
        .collect();
    assert!(steps[0].starts_with("Queued by"), "{steps:?}");
    assert_eq!(steps[1], "Attempt 1 begins");
    assert!(steps.last().unwrap().starts_with("Completed"), "{steps:?}");
    assert!(
        shown["moved"].is_string() && shown["set"].is_i64(),
        "{shown}"
    );

    let printed = server.run(&["task", "show", &id.to_string()]);
    let text = String::from_utf8(printed.stdout).unwrap();
    assert!(text.contains("Attempt 1 begins"), "{text}");
    let refused = server.refused(&["task", "retry", &id.to_string()], 1);
    assert!(refused.contains("nothing to retry"), "{refused}");
    let refused = server.refused(&["task", "cancel", &id.to_string()], 1);
    assert!(refused.contains("has ended already"), "{refused}");
    let refused = server.refused(&["task", "show", "999"], 1);
    assert!(refused.contains("there is no task 999"), "{refused}");
    let refused = server.refused(&["task", "list", "--kind", "backups"], 1);
    assert!(
        refused.contains("use one of data_backup, recovery"),
        "{refused}"
    );

    let history = server.json(&["history", "--kind", "second_log"]);
    assert_eq!(
        (&history["total"], &history["runs"]),
        (&0.into(), &serde_json::json!([]))
    );
}
