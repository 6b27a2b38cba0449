//! Rules of the tree that a machine can check. Each failure says where and what instead.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// Longest Rust file.
const LINES_MAX: usize = 600;

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
                && name != "app/src/lib.rs"
                && text.contains(gate)
        })
        .map(|(name, _)| name)
        .collect();
    expect_none(
        "cfg(feature = \"ssr\") belongs into app/src/api and app/src/lib.rs",
        &findings,
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
            homes: &["server/engine-embedded/"],
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
        let product = text.split("#[cfg(test)]").next().unwrap_or_default();
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
fn dependencies_point_down_only() {
    let allowed: [(&str, &[&str]); 8] = [
        ("app/domain", &[]),
        ("server/engine", &["domain"]),
        ("server/storage", &["domain"]),
        ("server/store", &["domain"]),
        ("server/engine-embedded", &["domain", "engine", "storage"]),
        ("server/control", &["domain", "engine", "storage", "store"]),
        ("app", &["control", "domain"]),
        ("migrations", &[]),
    ];
    let ours = [
        "app",
        "control",
        "domain",
        "engine",
        "engine-embedded",
        "migration",
        "server",
        "storage",
        "store",
    ];
    let mut findings = Vec::new();
    for (folder, may) in allowed {
        let manifest = std::fs::read_to_string(root().join(folder).join("Cargo.toml")).unwrap();
        let section = manifest.split("[dependencies]").nth(1).unwrap_or_default();
        let section = section.split("\n[").next().unwrap_or_default();
        for line in section.lines() {
            let name = line.split(['=', '.', ' ']).next().unwrap_or_default();
            if ours.contains(&name) && !may.contains(&name) {
                findings.push(format!("{folder}/Cargo.toml: {name}"));
            }
        }
    }
    expect_none("arrows between crates only go down", &findings);
}
