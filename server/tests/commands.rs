//! The commands against the real binary: the whole way from a new tenant to a recovered one.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use support::{empty_site, start, wait_for};

#[test]
fn a_tenant_is_made_filled_backed_up_and_recovered_exactly() {
    let folder = tempfile::tempdir().unwrap();
    let (home, site) = (folder.path().join("home"), empty_site(folder.path()));
    let server = start(&home, &site, &["--demo"]);

    let made = server.json(&["tenant", "create", "ledger"]);
    let file = made["data_file"].as_str().unwrap().to_owned();
    assert!(std::path::Path::new(&file).is_absolute() && std::path::Path::new(&file).exists());

    server.json(&[
        "sql",
        "ledger",
        "CREATE TABLE t(id INTEGER PRIMARY KEY, v TEXT)",
    ]);
    let backup = server.back_up("ledger");
    let task = &backup["tasks"][0];
    assert_eq!(
        (task["state"].as_str(), task["kind"].as_str()),
        (Some("completed"), Some("data_backup"))
    );
    assert_eq!(task["backup"]["actual"], "full");

    let kept = server.json(&[
        "sql",
        "ledger",
        "INSERT INTO t VALUES (1, 'kept'), (2, NULL)",
    ]);
    let moment = kept["results"][0]["committed"]
        .as_str()
        .expect("a commit has a moment")
        .to_owned();
    let lost = server.json(&["sql", "ledger", "DELETE FROM t"]);
    let deleted = lost["results"][0]["committed"].as_str().unwrap().to_owned();
    assert_eq!(lost["results"][0]["changes"], 2);
    server.wait_durable("ledger", &deleted);

    let before = [
        "recover",
        "--tenant",
        "ledger",
        "--at",
        &moment,
        "--as",
        "ledger_before",
        "--wait",
    ];
    let done = server.json(&before);
    assert_eq!(done["state"], "completed");
    let proof = &done["recovery"]["proof"];
    assert_eq!(proof["expected_digest"], proof["computed_digest"]);
    assert_eq!(proof["quick_check"], "ok");
    assert_eq!(done["recovery"]["until"].as_str(), Some(moment.as_str()));
    let rows = |tenant: &str| server.rows(tenant, "SELECT id, v FROM t ORDER BY id");
    assert_eq!(
        rows("ledger_before"),
        serde_json::json!([["1", "kept"], ["2", null]])
    );
    assert_eq!(rows("ledger"), serde_json::json!([]));

    let after = [
        "recover",
        "--tenant",
        "ledger",
        "--at",
        &deleted,
        "--as",
        "ledger_after",
        "--wait",
    ];
    server.json(&after);
    assert_eq!(rows("ledger_after"), serde_json::json!([]));

    let sound = server.json(&["verify", "--tenant", "ledger"]);
    assert_eq!(sound["faults"], serde_json::json!([]));
    assert!(
        sound["sets"].as_u64().unwrap() >= 1 && sound["log_files"].as_u64().unwrap() >= 1,
        "{sound}"
    );
}

#[test]
fn a_backup_with_wait_right_after_the_tenant_is_made_waits_until_it_can_begin() {
    let folder = tempfile::tempdir().unwrap();
    let (home, site) = (folder.path().join("home"), empty_site(folder.path()));
    let server = start(&home, &site, &["--demo"]);
    for name in ["first", "second", "third"] {
        server.json(&["tenant", "create", name]);
        let done = server.json(&["backup", "--tenant", name, "--full", "--wait"]);
        assert_eq!(done["tasks"][0]["state"], "completed", "{done}");
    }
    // Without it, what comes too early is refused and says so.
    server.json(&["tenant", "create", "fourth"]);
    let early = server.run(&["backup", "--tenant", "fourth", "--json"]);
    let told = String::from_utf8_lossy(&early.stderr).into_owned();
    assert!(
        early.status.success() || told.contains("is Starting") && told.contains("not_yet"),
        "{told}"
    );
}

#[test]
fn a_server_that_is_asked_to_end_does_so_in_order_and_starts_again_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let (home, site) = (folder.path().join("home"), empty_site(folder.path()));
    let server = start(&home, &site, &["--demo"]);
    server.json(&["tenant", "create", "ledger"]);
    server.commit("ledger", "CREATE TABLE t(v); INSERT INTO t VALUES (1)");
    server.stop();
    assert!(!home.join("token").exists());

    let again = start(&home, &site, &[]);
    let tenants = again.json(&["tenant", "list"]);
    let names: Vec<_> = tenants["tenants"]
        .as_array()
        .unwrap()
        .iter()
        .map(|t| t["name"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(names, ["ledger", "orders", "payments"]);
    let rows = again.rows("ledger", "SELECT v FROM t");
    assert_eq!(rows, serde_json::json!([["1"]]));
}

#[test]
fn a_backup_takes_only_what_changed_unless_all_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let (home, site) = (folder.path().join("home"), empty_site(folder.path()));
    let server = start(&home, &site, &[]);
    server.create_cluster("local");
    server.json(&["tenant", "create", "ledger"]);
    // The console may have begun this one by itself, before there was anything in the tenant.
    server.back_up("ledger");
    // Something that is worth not copying again.
    server.commit("ledger", &format!("CREATE TABLE t(v); {}", fill(2000)));
    let full = server.back_up("ledger");
    server.commit("ledger", "INSERT INTO t VALUES ('late')");

    let less = server.json(&["backup", "--tenant", "ledger", "--wait"]);
    let made = &less["tasks"][0]["backup"];
    assert_eq!(
        (made["asked"].as_str(), made["actual"].as_str()),
        (Some("incremental"), Some("incremental")),
        "{less}"
    );
    assert_eq!(made["actual_reason"], serde_json::Value::Null);
    let size = |task: &serde_json::Value| -> u64 {
        let directory = task["tasks"][0]["backup"]["directory"].as_str().unwrap();
        let files = support::files(std::path::Path::new(directory), "");
        files
            .iter()
            .map(|file| file.metadata().unwrap().len())
            .sum()
    };
    assert!(
        size(&less) * 4 < size(&full),
        "{} and {}",
        size(&less),
        size(&full)
    );

    let again = server.json(&["backup", "--tenant", "ledger", "--full", "--wait"]);
    assert_eq!(again["tasks"][0]["backup"]["actual"], "full", "{again}");

    // And the incremental set can be recovered from.
    let from = made["recoverable_from"].as_str().unwrap();
    server.json(&[
        "recover", "--tenant", "ledger", "--at", from, "--as", "copy", "--wait",
    ]);
    let count = "SELECT count(*), count(CASE WHEN v = 'late' THEN 1 END) FROM t";
    assert_eq!(
        server.rows("copy", count),
        serde_json::json!([["2001", "1"]])
    );
}

#[test]
fn sql_is_read_from_standard_input_and_answers_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let (home, site) = (folder.path().join("home"), empty_site(folder.path()));
    let server = start(&home, &site, &[]);
    server.create_cluster("local");
    server.json(&["tenant", "create", "ledger"]);

    let script = "CREATE TABLE t(id INTEGER, v TEXT);\nINSERT INTO t VALUES (1, 'a; b'), (2, NULL);\n\
                  SELECT id, v FROM t ORDER BY id;\n";
    let done = server.feed(&["sql", "ledger", "--json"], script);
    let told = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{told}");
    let answer: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
    let results = answer["results"].as_array().unwrap();
    assert_eq!(results.len(), 3, "{answer}");
    assert_eq!(results[1]["changes"], 2);
    assert_eq!(
        results[2]["rows"],
        serde_json::json!([["1", "a; b"], ["2", null]])
    );

    let text = server.feed(&["sql", "ledger"], "SELECT id, v FROM t ORDER BY id");
    assert_eq!(
        String::from_utf8_lossy(&text.stdout),
        "id\tv\n1\ta; b\n2\tNULL\n"
    );
    let told = support::sentence(&server.feed(&["sql", "ledger"], " \n"), 2);
    assert!(told.contains("no SQL"), "{told}");
    let bad = "SELECT id FROM t; SELECT missing FROM t;";
    let told = support::sentence(&server.feed(&["sql", "ledger"], bad), 1);
    assert!(told.contains("no such column"), "{told}");
}

/// The same command, for the other cluster.
fn second<'a>(args: &[&'a str]) -> Vec<&'a str> {
    [args, &["--cluster", "second"]].concat()
}

#[test]
fn another_cluster_is_meant_only_when_it_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (home, site) = (folder.path().join("home"), empty_site(folder.path()));
    let server = start(&home, &site, &[]);
    server.create_cluster("local");
    server.create_cluster("second");
    server.json(&["tenant", "create", "here"]);
    let made = server.json(&second(&["tenant", "create", "there"]));
    assert!(
        made["data_file"].as_str().unwrap().contains("/second/"),
        "{made}"
    );

    let names = |args: &[&str]| -> Vec<String> {
        let listed = server.json(args);
        let tenants = listed["tenants"].as_array().unwrap();
        let names = tenants.iter().map(|one| one["name"].as_str().unwrap());
        names.map(str::to_owned).collect()
    };
    assert_eq!(names(&["tenant", "list"]), ["here"]);
    assert_eq!(names(&second(&["tenant", "list"])), ["there"]);
    let told = server.refused(&["ranges", "--tenant", "there"], 1);
    assert!(
        told.contains("\"there\"") && told.contains("it has: here"),
        "{told}"
    );

    let sql = "CREATE TABLE t(v); INSERT INTO t VALUES ('over there')";
    let answer = server.json(&second(&["sql", "there", sql]));
    let moment = answer["results"][1]["committed"].as_str().unwrap();
    wait_for("the log to be archived", || {
        let ranges = server.json(&second(&["ranges", "--tenant", "there"]));
        ranges["checkpoint"].as_str().unwrap_or_default() >= moment
    });
    let backup = server.json(&second(&["backup", "--tenant", "there", "--wait"]));
    assert_eq!(backup["tasks"][0]["state"], "completed", "{backup}");
    let from = backup["tasks"][0]["backup"]["recoverable_from"].as_str();
    let at = from.unwrap().max(moment);
    let order = [
        "recover", "--tenant", "there", "--at", at, "--as", "copy", "--wait",
    ];
    let done = server.json(&second(&order));
    assert_eq!(done["state"], "completed", "{done}");
    let rows = server.json(&second(&["sql", "copy", "SELECT v FROM t"]));
    assert_eq!(
        rows["results"][0]["rows"],
        serde_json::json!([["over there"]])
    );
    let sound = server.json(&second(&["verify"]));
    assert!(sound["sets"].as_u64().unwrap() >= 1, "{sound}");
    assert_eq!(names(&["tenant", "list"]), ["here"]);
}

/// SQL that fills table `t` with rows of 100 characters which do not compress to nothing.
fn fill(rows: u32) -> String {
    format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows}) \
         INSERT INTO t SELECT hex(randomblob(50)) FROM n"
    )
}

#[test]
fn a_cleanup_tells_what_would_go_and_removes_nothing_that_is_needed() {
    let folder = tempfile::tempdir().unwrap();
    let (home, site) = (folder.path().join("home"), empty_site(folder.path()));
    let server = start(&home, &site, &[]);
    server.create_cluster("local");
    server.json(&["tenant", "create", "ledger"]);
    server.commit("ledger", "CREATE TABLE t(v); INSERT INTO t VALUES (1)");
    server.back_up("ledger");
    let ask = [
        "cleanup",
        "--tenant",
        "ledger",
        "--keep-days",
        "1",
        "--dry-run",
    ];
    let told = server.json(&ask);
    let plan = &told["plans"][0];
    assert_eq!(
        (plan["tenant"].as_str(), plan["place"].as_str()),
        (Some("ledger"), Some("first"))
    );
    assert_eq!(plan["expired"], serde_json::json!([]));
    let kept = plan["kept"].as_array().unwrap();
    assert!(kept.iter().any(|it| it["set"].is_number()), "{plan}");
    assert!(
        kept.iter()
            .all(|it| it["why"].as_str().is_some_and(|why| !why.is_empty()))
    );
    assert_eq!(told["tasks"], serde_json::json!([]), "only asked");

    let begun = server.json(&["cleanup", "--keep-days", "3"]);
    assert_eq!(begun["tasks"].as_array().unwrap().len(), 1, "{begun}");
    assert_eq!(begun["skipped"], serde_json::json!([]));
    let sound = server.json(&["verify", "--tenant", "ledger"]);
    assert_eq!(sound["faults"], serde_json::json!([]));
    let refused = server.run(&["cleanup", "--keep-days", "0"]);
    assert!(!refused.status.success());
    let why = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        why.contains("Days to keep") && why.contains("1 to 3650"),
        "{why}"
    );
}
