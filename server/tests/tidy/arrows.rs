//! Which crate may depend on which.

use super::{expect_none, root};
use std::collections::BTreeSet;

/// What a crate may know of ours.
struct Arrows {
    folder: &'static str,
    /// In the product, whatever the target.
    may: &'static [&'static str],
    /// In its tests too.
    tests_may: &'static [&'static str],
}

const ARROWS: [Arrows; 12] = [
    Arrows {
        folder: "app",
        may: &["control", "domain"],
        tests_may: &[],
    },
    Arrows {
        folder: "app/browser",
        may: &["app"],
        tests_may: &[],
    },
    Arrows {
        folder: "app/domain",
        may: &[],
        tests_may: &[],
    },
    Arrows {
        folder: "migrations",
        may: &[],
        tests_may: &[],
    },
    Arrows {
        folder: "server",
        may: &[
            "app",
            "control",
            "domain",
            "engine",
            "engine-embedded",
            "engine-oceanbase",
            "migration",
            "store",
        ],
        tests_may: &["oceanbase-sim"],
    },
    Arrows {
        folder: "server/control",
        may: &["domain", "engine", "store"],
        tests_may: &["migration"],
    },
    Arrows {
        folder: "server/engine",
        may: &["domain"],
        tests_may: &[],
    },
    Arrows {
        folder: "server/engine-embedded",
        may: &["domain", "engine", "storage"],
        tests_may: &[],
    },
    Arrows {
        folder: "server/engine-oceanbase",
        may: &["domain", "engine"],
        tests_may: &["oceanbase-sim"],
    },
    Arrows {
        folder: "server/oceanbase-sim",
        may: &[],
        tests_may: &[],
    },
    Arrows {
        folder: "server/storage",
        may: &["domain"],
        tests_may: &[],
    },
    Arrows {
        folder: "server/store",
        may: &["domain"],
        tests_may: &["migration"],
    },
];

/// The crates that a manifest depends on: each with whether only tests do.
fn dependencies(manifest: &str) -> Vec<(String, bool)> {
    let mut found = Vec::new();
    let mut section = String::new();
    for line in manifest.lines() {
        if let Some(header) = line.strip_prefix('[') {
            section = header.trim_end_matches(']').to_owned();
            // One crate with a section of its own.
            if let Some((_, name)) = section.split_once("dependencies.") {
                found.push((name.to_owned(), section.contains("dev-")));
            }
        } else if section.ends_with("dependencies") {
            let for_tests = section.ends_with("dev-dependencies");
            let key = line.split(['=', '.', ' ']).next().unwrap_or_default();
            let renamed = line.split("package = \"").nth(1);
            let name = renamed.map_or(key, |rest| rest.split('"').next().unwrap_or_default());
            found.push((name.to_owned(), for_tests));
        }
    }
    found
}

#[test]
fn dependencies_are_found_in_every_section() {
    let manifest = "[package]\nname = \"x\"\n[dependencies]\na = \"1\"\nb.workspace = true\n\
                    [target.'cfg(unix)'.dependencies]\nc = { package = \"d\" }\n\
                    [dev-dependencies]\ne = { workspace = true }\n[build-dependencies.f]\nversion = \"1\"\n";
    let found = dependencies(manifest);
    let found: Vec<(&str, bool)> = found
        .iter()
        .map(|(name, tests)| (name.as_str(), *tests))
        .collect();
    let expected = [
        ("a", false),
        ("b", false),
        ("d", false),
        ("e", true),
        ("f", false),
    ];
    assert_eq!(found, expected);
}

#[test]
fn dependencies_point_down_only() {
    let workspace = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let members = workspace.split("members = [").nth(1).unwrap();
    let members = members.split(']').next().unwrap();
    let members: BTreeSet<&str> = members.split('"').skip(1).step_by(2).collect();
    let listed: BTreeSet<&str> = ARROWS.iter().map(|arrows| arrows.folder).collect();
    assert_eq!(members, listed, "every crate has its arrows");

    let manifest = |folder: &str| std::fs::read_to_string(root().join(folder).join("Cargo.toml"));
    let name = |folder: &str| {
        let text = manifest(folder).unwrap();
        let name = text.split("name = \"").nth(1).unwrap();
        name.split('"').next().unwrap().to_owned()
    };
    let ours: BTreeSet<String> = members.iter().map(|folder| name(folder)).collect();
    let mut findings = Vec::new();
    for arrows in ARROWS {
        for (name, for_tests) in dependencies(&manifest(arrows.folder).unwrap()) {
            let allowed = arrows.may.contains(&name.as_str())
                || for_tests && arrows.tests_may.contains(&name.as_str());
            if ours.contains(&name) && !allowed {
                findings.push(format!("{}/Cargo.toml: {name}", arrows.folder));
            }
        }
    }
    expect_none("arrows between crates only go down", &findings);
}
