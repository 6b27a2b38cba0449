//! Connections to a real kernel of the OceanBase family: seekdb, which has no tenants and no backups, and speaks the
//! same protocol and dialect. What it proves is the connection and nothing about backups.
//!
//! The set-up installs it; where it is missing the test says that it was skipped.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use domain::{
    Scn,
    capability::Ability,
    endpoint::{Address, Finding},
};
use engine::EngineErrorKind;
use engine_oceanbase::{
    Account, Encryption, MysqlConnector, OceanBaseEngine,
    session::{Connector, SqlFailure, SqlSession},
};
use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

const LIMIT: Duration = Duration::from_secs(20);
const PASSWORD: &str = "tide tables of 1867";
/// Tries until a started server answers, 100 ms apart.
const TRIES: u32 = 600;

/// The directory of the package, where the set-up puts it.
fn package() -> Option<PathBuf> {
    let tools = std::env::var_os("TIDEMARK_TOOLS").map(PathBuf::from);
    let usual = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache/tidemark/tools"));
    let tools = tools.or_else(usual)?;
    let below = |folder: &Path| std::fs::read_dir(folder).into_iter().flatten().flatten();
    below(&tools)
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("kernel-"))
        .flat_map(|kernel| below(&kernel.path().join("lib")).collect::<Vec<_>>())
        .map(|python| python.path().join("site-packages/pylibseekdb"))
        .find(|package| package.join("seekdb").exists())
}

/// A running server; killed when it is dropped.
struct Kernel {
    server: Child,
    port: u16,
    _home: tempfile::TempDir,
}

impl Kernel {
    fn start(package: &Path) -> Kernel {
        let home = tempfile::tempdir().unwrap();
        let port = free_port();
        let server = spawn(package, home.path(), port);
        Kernel {
            server,
            port,
            _home: home,
        }
    }

    fn kill(&mut self) {
        self.server.kill().unwrap();
        self.server.wait().unwrap();
    }

    fn connector(&self, password: &str) -> MysqlConnector {
        let address = Address {
            host: "127.0.0.1".to_owned(),
            port: self.port,
        };
        let account = Account {
            user: "root@sys".to_owned(),
            password: password.to_owned(),
        };
        MysqlConnector::new(vec![address], account, Encryption::WhenOffered)
    }

    /// A session, once it answers.
    async fn session(&self, password: &str) -> Box<dyn SqlSession> {
        let mut why = None;
        for _ in 0..TRIES {
            match self.connector(password).connect().await {
                Ok(mut session) => match session.run("SELECT 1", LIMIT).await {
                    Ok(_) => return session,
                    Err(failure) => why = Some(failure),
                },
                Err(failure) => why = Some(failure),
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("the kernel does not answer: {why:?}");
    }
}

impl Drop for Kernel {
    fn drop(&mut self) {
        self.server.kill().ok();
        self.server.wait().ok();
    }
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

fn spawn(package: &Path, home: &Path, port: u16) -> Child {
    let libraries = format!("{0}:{0}.libs", package.display());
    Command::new(package.join("seekdb"))
        .env("LD_LIBRARY_PATH", libraries)
        .arg("--nodaemon")
        .args([
            "--port",
            &port.to_string(),
            "--base-dir",
            &home.display().to_string(),
        ])
        .args([
            "--parameter",
            "datafile_size=256M",
            "--parameter",
            "log_disk_size=2G",
        ])
        .args(["--parameter", "memory_budget=1G", "--log-level", "ERROR"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[tokio::test]
#[allow(clippy::print_stderr, reason = "a skipped test says so")]
async fn a_real_kernel_is_connected_to_and_told_apart() {
    let Some(package) = package() else {
        eprintln!(
            "skipped: a_real_kernel_is_connected_to_and_told_apart, pylibseekdb is not installed"
        );
        return;
    };
    let mut kernel = Kernel::start(&package);
    let mut session = kernel.session("").await;
    let protect = format!("ALTER USER root IDENTIFIED BY '{PASSWORD}'");
    session.run(&protect, LIMIT).await.unwrap();

    wrong_passwords_are_refused(&kernel).await;
    statements_and_refusals(&mut *session).await;
    time_limits(&kernel).await;
    told_apart(&kernel).await;
    a_killed_server_leaves_statements_open(&mut kernel).await;
}

async fn wrong_passwords_are_refused(kernel: &Kernel) {
    let refused = kernel.connector("guess").connect().await.err().unwrap();
    assert!(refused.is_code(1045), "{refused}");
    assert!(!refused.to_string().contains("guess"), "{refused}");
}

async fn statements_and_refusals(session: &mut dyn SqlSession) {
    let version = session
        .run("SELECT OB_VERSION() AS VERSION", LIMIT)
        .await
        .unwrap();
    let text = version[0].first().unwrap().text("version").unwrap();
    let version: engine_oceanbase::version::Version = text.parse().unwrap();
    assert!(version.is_per_tenant() && version.has_roles(), "{version}");
    let parameters = session
        .run("SHOW PARAMETERS LIKE 'memory_budget'", LIMIT)
        .await
        .unwrap();
    assert_eq!(parameters[0].first().unwrap().text("VALUE"), Some("1G"));
    let clock = session
        .run("SELECT TIME_TO_USEC(NOW(6)) AS NOW_US", LIMIT)
        .await
        .unwrap();
    assert!(
        clock[0]
            .first()
            .unwrap()
            .micros("NOW_US")
            .unwrap()
            .is_some()
    );
    let nothing = session
        .run("SELECT NULL AS X, '' AS Y", LIMIT)
        .await
        .unwrap();
    let row = nothing[0].first().unwrap();
    assert_eq!((row.text("X"), row.text("Y")), (None, Some("")));
    // Refusals leave the session as it was.
    for (sql, code) in [
        ("SHOW COLUMNS FROM oceanbase.DBA_OB_TENANTS", 1146),
        ("ALTER SYSTEM ARCHIVELOG TENANT = `t1`", 1064),
        (
            "SELECT no_such_column FROM oceanbase.DBA_OB_DATABASES",
            1054,
        ),
    ] {
        let refused = session.run(sql, LIMIT).await.unwrap_err();
        assert!(refused.is_code(code), "{sql}: {refused}");
        assert!(!refused.ends_session());
    }
    let several = session
        .run("SELECT 1 AS A; SELECT 2 AS B", LIMIT)
        .await
        .unwrap();
    assert_eq!(several.len(), 2);
    let quoted = engine_oceanbase::quote::literal("it's \\ `fine`; -- really").unwrap();
    let echo = session
        .run(&format!("SELECT {quoted} AS TEXT"), LIMIT)
        .await
        .unwrap();
    assert_eq!(
        echo[0].first().unwrap().text("TEXT"),
        Some("it's \\ `fine`; -- really")
    );
}

async fn time_limits(kernel: &Kernel) {
    let mut session = kernel.session(PASSWORD).await;
    session
        .run("SET ob_query_timeout = 300000", LIMIT)
        .await
        .unwrap();
    let late = session.run("SELECT SLEEP(5)", LIMIT).await.unwrap_err();
    assert!(late.is_code(4012), "the server gives up first: {late}");
    session
        .run("SET ob_query_timeout = 60000000", LIMIT)
        .await
        .unwrap();
    let silent = session
        .run("SELECT SLEEP(30)", Duration::from_millis(300))
        .await
        .unwrap_err();
    assert!(
        matches!(silent, SqlFailure::Silent(_)) && silent.is_open(),
        "{silent}"
    );
}

async fn told_apart(kernel: &Kernel) {
    let connector = Arc::new(kernel.connector(PASSWORD));
    let refused = OceanBaseEngine::open("kernel", Arc::<MysqlConnector>::clone(&connector))
        .await
        .err()
        .unwrap();
    assert_eq!(refused.kind, EngineErrorKind::Unsupported);
    assert!(refused.to_string().contains("no tenants"), "{refused}");

    // As a cluster it is watched, says what it is, and what it cannot.
    let engine = engine_oceanbase::open("kernel", Arc::<MysqlConnector>::clone(&connector));
    let engine = engine.await.unwrap();
    assert!(engine.version().contains("seekdb"), "{}", engine.version());
    let able = engine.capabilities();
    assert!(able.methods.is_empty() && !able.verify.is_yes());
    assert!(
        matches!(&able.back_up, Ability::No(why) if why.contains("no tenants")),
        "{able:?}"
    );
    let seen = engine.observe().await.unwrap();
    assert!(
        seen.tenants.is_empty() && seen.taken > Scn::ZERO,
        "{seen:?}"
    );
    let report = engine_oceanbase::try_connection(connector).await;
    let last = report.steps.last().unwrap();
    assert!(report.passed(), "{report:?}");
    assert!(
        matches!(&last.finding, Finding::Warning(why) if why.contains("no tenants")),
        "{report:?}"
    );
}

async fn a_killed_server_leaves_statements_open(kernel: &mut Kernel) {
    let mut session = kernel.session(PASSWORD).await;
    let running = async { session.run("SELECT SLEEP(20)", LIMIT).await };
    let killing = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        kernel.kill();
    };
    let (lost, ()) = tokio::join!(running, killing);
    let lost = lost.unwrap_err();
    assert!(matches!(lost, SqlFailure::Unanswered(_)), "{lost}");
    let away = kernel.connector(PASSWORD).connect().await.err().unwrap();
    assert!(matches!(away, SqlFailure::NotConnected(_)), "{away}");
    assert!(!away.is_open(), "nothing was sent");
}
