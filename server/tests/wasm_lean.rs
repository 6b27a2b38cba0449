//! What the browser downloads contains nothing of the server: checked in the dependency tree.

use std::process::Command;

/// Crates that must never be in the browser's tree.
const FORBIDDEN: [&str; 17] = [
    "tokio",
    "mio",
    "sqlx",
    "sqlx-core",
    "sea-orm",
    "sea-query",
    "hyper",
    "reqwest",
    "rustls",
    "ring",
    "rusqlite",
    "libsqlite3-sys",
    "control",
    "store",
    "engine",
    "axum",
    "chrono-tz",
];

#[test]
fn the_browser_gets_nothing_of_the_server() {
    let tree = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--offline",
            "--package",
            "app",
            "--features",
            "hydrate",
        ])
        .args([
            "--target",
            "wasm32-unknown-unknown",
            "--edges",
            "normal",
            "--prefix",
            "none",
        ])
        .args(["--format", "{p}"])
        .output()
        .unwrap();
    assert!(
        tree.status.success(),
        "{}",
        String::from_utf8_lossy(&tree.stderr)
    );
    let tree = String::from_utf8(tree.stdout).unwrap();
    let crates: Vec<&str> = tree
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect();
    assert!(
        crates.contains(&"domain") && crates.len() > 20,
        "not the tree of the app: {tree}"
    );
    for name in FORBIDDEN {
        assert!(
            !crates.contains(&name),
            "{name} would be sent to the browser"
        );
    }
}
