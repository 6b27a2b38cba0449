//! Rules of the tree that a machine can check. Each failure says where and what instead.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "tidy/arrows.rs"]
mod arrows;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
};

/// Longest Rust file.
const LINES_MAX: usize = 600;
/// Longest body of a server function; with its first and last line that is six.
const SERVER_FUNCTION_LINES_MAX: usize = 4;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

/// Every file that is or would be committed, with its text; binary files are left out.
fn tracked() -> Vec<(String, String)> {
    let listed = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .expect("git lists the files");
    assert!(
        listed.status.success(),
        "{}",
        String::from_utf8_lossy(&listed.stderr)
    );
    let names = String::from_utf8(listed.stdout).unwrap();
    let texts: Vec<_> = names
        .lines()
        .filter_map(|name| {
            Some((
                name.to_owned(),
                std::fs::read_to_string(root().join(name)).ok()?,
            ))
        })
        .collect();
    assert!(
        texts.len() > 50,
        "the tree has more files than {}",
        texts.len()
    );
    texts
}

fn rust_files() -> Vec<(String, String)> {
    tracked()
        .into_iter()
        .filter(|(name, _)| name.ends_with(".rs"))
        .collect()
}

/// Fails with every finding at once.
fn expect_none(rule: &str, findings: &[String]) {
    assert!(findings.is_empty(), "{rule}:\n{}", findings.join("\n"));
}

#[test]
fn every_rust_file_begins_with_what_lives_there_and_is_not_too_long() {
    let mut findings = Vec::new();
    for (name, text) in rust_files() {
        if !text.starts_with("//! ") {
            findings.push(format!(
                "{name}: the first line is not `//! what lives here`"
            ));
        }
        let lines = text.lines().count();
        if lines > LINES_MAX {
            findings.push(format!("{name}: {lines} lines, at most {LINES_MAX}"));
        }
    }
    expect_none("files of one subject, each introduced", &findings);
}

#[test]
fn nothing_is_left_undone_behind_a_macro() {
    let macros = ["todo", "unimplemented"].map(|name| format!("{name}!("));
    let findings: Vec<_> = rust_files()
        .into_iter()
        .filter(|(_, text)| macros.iter().any(|each| text.contains(each)))
        .map(|(name, _)| name)
        .collect();
    expect_none("no unfinished code behind a macro", &findings);
}

#[test]
fn only_the_api_knows_which_side_it_runs_on() {
    let gate = "feature = \"ssr\"";
    let findings: Vec<_> = rust_files()
        .into_iter()
        .filter(|(name, text)| {
            name.starts_with("app/src/")
                && !name.starts_with("app/src/api/")
                && !["app/src/lib.rs", "app/src/language/mod.rs"].contains(&name.as_str())
                && text.contains(gate)
        })
        .map(|(name, _)| name)
        .collect();
    expect_none(
        "cfg(feature = \"ssr\") belongs into app/src/api, app/src/language/mod.rs and app/src/lib.rs",
        &findings,
    );
}

/// The literals that are the first argument of calls of `function`.
fn literals_of_calls(text: &str, function: &str) -> Vec<String> {
    let call = format!("{function}(");
    text.match_indices(&call)
        .filter(|(at, _)| {
            let before = text[..*at].chars().next_back();
            before.is_none_or(|it| !it.is_alphanumeric() && it != '_')
        })
        .filter_map(|(at, _)| {
            let rest = text[at + call.len()..].trim_start().strip_prefix('"')?;
            let end = rest
                .match_indices('"')
                .find(|(at, _)| !rest[..*at].ends_with('\\'))?
                .0;
            let parts: Vec<&str> = rest[..end].split("\\\n").collect();
            let joined: String = parts
                .iter()
                .enumerate()
                .map(|(n, part)| if n == 0 { part } else { part.trim_start() })
                .collect();
            Some(joined.replace("\\\"", "\""))
        })
        .collect()
}

#[test]
fn every_text_of_the_pages_has_a_chinese_one_and_the_other_way_round() {
    let named = std::fs::read_to_string(root().join("app/src/language/at_server.rs")).unwrap();
    let mut chinese: BTreeMap<String, String> = BTreeMap::new();
    for (name, text) in tracked() {
        if name.starts_with("app/src/language/zh/") {
            let file = name.trim_start_matches("app/src/language/");
            assert!(
                named.contains(file),
                "{file} is not among the files of at_server.rs"
            );
            let texts: BTreeMap<String, String> = serde_json::from_str(&text).unwrap();
            for (english, text) in texts {
                let other = chinese.insert(english.clone(), text);
                assert!(other.is_none(), "{english} stands in more than one file");
            }
        }
    }
    let sources: Vec<_> = rust_files()
        .into_iter()
        .filter(|(name, _)| name.starts_with("app/") || name.starts_with("server/"))
        .map(|(name, text)| (name, without_tests(&text)))
        .collect();
    let missing: Vec<_> = sources
        .iter()
        .filter(|(name, _)| name.starts_with("app/") && !name.starts_with("app/src/language/"))
        .flat_map(|(name, text)| {
            let of = |function| literals_of_calls(text, function);
            [of("t"), of("tf"), of("tv"), of("later")]
                .concat()
                .into_iter()
                .map(move |literal| format!("{name}: {literal}"))
        })
        .filter(|found| !chinese.contains_key(found.split_once(": ").unwrap().1))
        .collect();
    expect_none(
        "every text has its Chinese one in app/src/language/zh",
        &missing,
    );
    // Sentences of the server are told in the words of the page.
    let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let texts = sources
        .iter()
        .map(|(_, text)| squeezed(text).replace("\\ ", ""));
    let all: String = texts.collect();
    let unused: Vec<_> = chinese
        .keys()
        .filter(|english| {
            let quoted = format!("\"{}\"", english.replace('"', "\\\""));
            !all.contains(&squeezed(&quoted))
        })
        .cloned()
        .collect();
    expect_none("a Chinese text is of a text that the code has", &unused);
}

/// The text without the items that are compiled for tests only, wherever in it they stand.
fn without_tests(text: &str) -> String {
    let mut kept = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.trim() != "#[cfg(test)]" {
            kept.push_str(line);
            kept.push('\n');
            continue;
        }
        // rustfmt ends an item with a line that is as far from the margin as its first.
        let margin = &line[..line.len() - line.trim_start().len()];
        let end = format!("{margin}}}");
        let attribute = format!("{margin}#[");
        let mut item = lines
            .by_ref()
            .skip_while(|next| next.starts_with(&attribute));
        if item
            .next()
            .is_some_and(|first| !first.ends_with([';', '}']))
        {
            item.find(|next| next.trim_end_matches(';') == end);
        }
    }
    kept
}

#[test]
fn only_what_is_for_tests_is_left_out() {
    let text = "use a;\n#[cfg(test)]\nuse b;\nfn c() {}\n#[cfg(test)]\n#[path = \"d.rs\"]\nmod d;\n\
                #[cfg(test)]\nmod e {\n    fn f() {\n    }\n}\nfn g() {\n    #[cfg(test)]\n    if h {\n    }\n    i();\n}\n";
    assert_eq!(
        without_tests(text),
        "use a;\nfn c() {}\nfn g() {\n    i();\n}\n"
    );
}

/// A crate, and where its name may be written in Rust.
struct Territory {
    name: &'static str,
    homes: &'static [&'static str],
}

#[test]
fn each_database_library_has_one_home() {
    let territories = [
        Territory {
            name: "sea_orm",
            homes: &["server/store/", "migrations/"],
        },
        Territory {
            name: "rusqlite",
            homes: &["server/engine-embedded/", "server/oceanbase-sim/"],
        },
        Territory {
            name: "mysql_async",
            homes: &["server/engine-oceanbase/"],
        },
        Territory {
            name: "ALTER SYSTEM",
            homes: &["server/engine-oceanbase/", "server/oceanbase-sim/"],
        },
        Territory {
            name: "engine_oceanbase",
            homes: &["server/engine-oceanbase/", "server/src/compose.rs"],
        },
        Territory {
            name: "oceanbase_sim",
            homes: &["server/oceanbase-sim/"],
        },
        Territory {
            name: "engine_embedded",
            homes: &[
                "server/engine-embedded/",
                "server/src/compose.rs",
                "server/src/telemetry.rs",
            ],
        },
        Territory {
            name: "axum::",
            homes: &["server/src/", "app/src/api/"],
        },
    ];
    let mut findings = Vec::new();
    for (name, text) in rust_files() {
        // Tests may look from outside with whatever they need.
        if name.contains("/tests/") {
            continue;
        }
        let product = without_tests(&text);
        for territory in &territories {
            let at_home = territory.homes.iter().any(|home| name.starts_with(home));
            let named = product
                .lines()
                .any(|line| !line.trim_start().starts_with("//") && line.contains(territory.name));
            if named && !at_home {
                findings.push(format!("{name}: names {}", territory.name));
            }
        }
    }
    expect_none("a library is named only where it belongs", &findings);
}

#[test]
fn the_tree_names_no_machine_and_no_registry() {
    let own = "server/tests/tidy.rs";
    let marks = [
        "/root/",
        "/work/",
        "/home/runner",
        "registry.npmjs",
        "registry.yarnpkg",
        "static.crates.io",
        "pypi.org/simple",
        "files.pythonhosted",
        "deb.debian.org",
    ];
    let mut findings = Vec::new();
    for (name, text) in tracked() {
        for (number, line) in text.lines().enumerate() {
            if name != own && marks.iter().any(|mark| line.contains(mark)) {
                findings.push(format!("{name}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    expect_none(
        "paths and hosts of one machine do not belong into the tree",
        &findings,
    );
}

#[test]
fn there_is_one_sqlite_in_the_process() {
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).unwrap();
    let count = lock.matches("name = \"libsqlite3-sys\"").count();
    assert_eq!(
        count, 1,
        "two copies of SQLite break each other's file locks"
    );
}

#[test]
fn server_functions_are_a_few_lines_each() {
    let mut findings = Vec::new();
    let mut seen = 0;
    let api = |name: &str| name.starts_with("app/src/") && name.ends_with(".rs");
    for (name, text) in rust_files().into_iter().filter(|(name, _)| api(name)) {
        let mut lines = text.lines();
        while lines.by_ref().any(|line| line.starts_with("#[server")) {
            if !name.starts_with("app/src/api/") {
                findings.push(format!("{name}: a server function outside of app/src/api"));
            }
            let mut function = lines.by_ref().skip_while(|line| line.starts_with('#'));
            let first = function.next().unwrap_or_default().to_owned();
            if !first.ends_with('{') {
                function.find(|line| line.ends_with('{'));
            }
            let body = function.take_while(|line| *line != "}").count();
            seen += 1;
            if body > SERVER_FUNCTION_LINES_MAX {
                findings.push(format!(
                    "{name}: {body} lines in `{first}`, at most {SERVER_FUNCTION_LINES_MAX}"
                ));
            }
        }
    }
    assert!(seen > 10, "only {seen} server functions found");
    expect_none(
        "who is calling, one call, the error mapped: the rest belongs into control",
        &findings,
    );
}

/// Methods of role handles that name no cluster, because they answer with what the actor may see or only
/// change the handle. Whatever else belongs to no cluster is a method of `GlobalAdmin`.
const WITHOUT_CLUSTER: [&str; 13] = [
    "clusters",
    "audit",
    "audit_before",
    "viewer",
    "operator",
    "admin",
    // For whoever sees all clusters; they look at that themselves.
    "all_alerts",
    "all_recoveries",
    "all_trends",
    "channels",
    // Of each storage only what belongs to clusters that the actor sees.
    "storage_configs",
    // About no cluster at all.
    "now",
    "preview",
];
/// What a method of a role handle calls to get from the name of a cluster to the cluster; each looks at the role.
const WAYS_TO_CLUSTERS: [&str; 11] = [
    ".handle(cluster",
    ".tenant(cluster",
    ".task(cluster",
    ".mask(cluster",
    ".set_mask((cluster",
    ".set_paused(cluster",
    ".draft(cluster",
    ".create_strategy_with(cluster",
    ".modify_strategy_with(cluster",
    ".test_storage_with(cluster",
    ".ended_badly(cluster",
];

/// The methods of the role handles in a file: name and text.
fn role_methods(text: &str) -> Vec<(String, String)> {
    let handles = ["impl Viewer {", "impl Operator {", "impl Admin {"];
    let mut found = Vec::new();
    let mut lines = text.lines();
    while lines.by_ref().any(|line| handles.contains(&line)) {
        let mut method: Option<(String, String)> = None;
        for line in lines.by_ref().take_while(|line| *line != "}") {
            let begins = ["    pub async fn ", "    pub fn "];
            if let Some(rest) = begins.iter().find_map(|begin| line.strip_prefix(begin)) {
                let name = rest.split(['(', '<']).next().unwrap_or_default();
                method = Some((name.to_owned(), String::new()));
            }
            if let Some((_, body)) = &mut method {
                body.push_str(line);
                body.push('\n');
            }
            if line == "    }" {
                found.extend(method.take());
            }
        }
    }
    found
}

#[test]
fn methods_of_role_handles_are_found() {
    let text = "impl Viewer {\n    pub async fn one(&self, cluster: &str) {\n        x\n    }\n\n    fn own() {\n    }\n}\n\
                impl Admin {\n    pub fn two<T>(\n        &self,\n    ) {\n    }\n}\n";
    let found = role_methods(text);
    let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["one", "two"]);
    assert!(found[0].1.contains("cluster: &str") && !found[0].1.contains("own"));
}

#[test]
fn no_method_reaches_a_cluster_without_looking_at_the_role() {
    let control = |name: &str| name.starts_with("server/control/src/");
    // These work for the console itself, or are the look at the role.
    let insiders = [
        "access.rs",
        "console.rs",
        "/demo/",
        "/tasks/",
        "/jobs/",
        "measure.rs",
        "reports.rs",
        "strategies/storages.rs",
    ];
    let mut findings = Vec::new();
    let mut seen = 0;
    for (name, text) in rust_files().into_iter().filter(|(name, _)| control(name)) {
        let product = without_tests(&text);
        let inside = insiders.iter().any(|insider| name.contains(insider));
        if product.contains("any_cluster(") && !inside {
            findings.push(format!("{name}: gets a cluster by `any_cluster`"));
        }
        for (method, body) in role_methods(&product) {
            seen += 1;
            let takes_one = body.contains("cluster: &str");
            if !takes_one && !WITHOUT_CLUSTER.contains(&method.as_str()) {
                findings.push(format!("{name}: `{method}` takes no cluster"));
            }
            if takes_one && !WAYS_TO_CLUSTERS.iter().any(|way| body.contains(way)) {
                findings.push(format!(
                    "{name}: `{method}` takes a cluster and does not ask for its handle"
                ));
            }
        }
    }
    assert!(seen > 20, "only {seen} methods found");
    expect_none(
        "a role handle gets to a cluster by `self.handle(cluster)` only; what belongs to none is for `GlobalAdmin`",
        &findings,
    );
}
