//! Listening beyond this machine: TLS, proxies, names, and how commands still find their door.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::{
    io::{Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::Duration,
};
use support::{Server, empty_site, log_of, sentence, start, tidemark, wait_for};
use tokio_rustls::rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    crypto::ring,
    pki_types::{CertificateDer, ServerName},
};

const NAME: &str = "backup.example.org";

/// Asks and gives the whole answer as text.
fn ask(mut stream: impl Read + Write, path: &str, headers: &[(&str, &str)]) -> String {
    let mut question = format!("GET {path} HTTP/1.1\r\nconnection: close\r\n");
    for (name, value) in headers {
        question.push_str(&format!("{name}: {value}\r\n"));
    }
    question.push_str("\r\n");
    stream.write_all(question.as_bytes()).unwrap();
    let mut answer = Vec::new();
    // A server may close without a goodbye of TLS.
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

fn connect(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    stream
}

/// The address that people use, as the log tells it.
fn address(server: &Server) -> String {
    let log = log_of(&server.home);
    let told = log
        .split("address=")
        .nth(1)
        .unwrap_or_else(|| panic!("{log}"));
    let address = told.split_whitespace().next().unwrap();
    address.replace("0.0.0.0", "127.0.0.1")
}

/// A certificate for [`NAME`] with its key, in two files.
struct Pair {
    certificate: PathBuf,
    key: PathBuf,
    der: CertificateDer<'static>,
}

impl Pair {
    fn make(folder: &Path, name: &str, until: i32) -> Pair {
        let mut params = rcgen::CertificateParams::new(vec![NAME.to_owned()]).unwrap();
        params.not_after = rcgen::date_time_ymd(until, 1, 1);
        let key = rcgen::KeyPair::generate().unwrap();
        let made = params.self_signed(&key).unwrap();
        let pair = Pair {
            certificate: folder.join(format!("{name}.crt")),
            key: folder.join(format!("{name}.key")),
            der: made.der().clone(),
        };
        std::fs::write(&pair.certificate, made.pem()).unwrap();
        std::fs::write(&pair.key, key.serialize_pem()).unwrap();
        pair
    }

    /// Puts its files in the place of another pair's.
    fn replace(&self, other: &Pair) {
        std::fs::copy(&self.certificate, &other.certificate).unwrap();
        std::fs::copy(&self.key, &other.key).unwrap();
    }

    fn options(&self) -> [&str; 4] {
        let text = |path: &'_ Path| path.to_str().unwrap().to_owned();
        let (certificate, key) = (text(&self.certificate), text(&self.key));
        ["--tls-cert", certificate.leak(), "--tls-key", key.leak()]
    }

    /// Asks by TLS, trusting this certificate only.
    fn ask(&self, address: &str, path: &str, headers: &[(&str, &str)]) -> String {
        let mut roots = RootCertStore::empty();
        roots.add(self.der.clone()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from(NAME).unwrap();
        let client = ClientConnection::new(Arc::new(config), name).unwrap();
        let mut stream = StreamOwned::new(client, connect(address));
        // Refused by the client when the server shows another certificate.
        match stream.flush() {
            Ok(()) => ask(stream, path, headers),
            Err(error) => error.to_string(),
        }
    }
}

fn hang_up(server: &Server) {
    let pid = i32::try_from(server.process.id()).unwrap();
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::HUP).unwrap();
}

#[test]
fn https_answers_to_the_certificates_name_and_takes_a_new_certificate_while_it_runs() {
    let folder = tempfile::tempdir().unwrap();
    let (home, site) = (folder.path().join("home"), empty_site(folder.path()));
    let pair = Pair::make(folder.path(), "one", 2090);
    let server = start(&home, &site, &pair.options());
    let at = address(&server);
    let own = format!("{NAME}:{}", at.rsplit(':').next().unwrap());
    let answer = pair.ask(&at, "/healthz", &[("host", &own)]);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(
        answer.contains("strict-transport-security: max-age="),
        "{answer}"
    );
    let refused = pair.ask(&at, "/healthz", &[("host", "evil.example.org")]);
    assert!(
        refused.starts_with("HTTP/1.1 403") && refused.contains(NAME),
        "{refused}"
    );
    // Plain HTTP gets no answer there, and commands have a door of their own.
    assert!(!ask(connect(&at), "/healthz", &[("host", &own)]).contains("200 OK"));
    let told = server.refused(&["tenant", "list"], 1);
    assert!(told.contains("\"local\" does not exist"), "{told}");

    let next = Pair::make(folder.path(), "two", 2090);
    next.replace(&pair);
    hang_up(&server);
    wait_for("the new certificate", || {
        next.ask(&at, "/healthz", &[("host", &own)])
            .contains("200 OK")
    });
    std::fs::write(&pair.key, "rubbish").unwrap();
    hang_up(&server);
    wait_for("the refusal of a damaged key", || {
        log_of(&home).contains("of before stays in use")
    });
    assert!(
        next.ask(&at, "/healthz", &[("host", &own)])
            .contains("200 OK")
    );
    server.stop();
}

#[test]
fn certificates_that_cannot_be_used_are_told_before_anything_is_touched() {
    let folder = tempfile::tempdir().unwrap();
    let (home, site) = (folder.path().join("home"), empty_site(folder.path()));
    let (one, two) = (
        Pair::make(folder.path(), "one", 2090),
        Pair::make(folder.path(), "two", 2090),
    );
    let rubbish = folder.path().join("rubbish.pem");
    std::fs::write(&rubbish, "rubbish").unwrap();
    let missing = folder.path().join("missing.pem");
    let start = |certificate: &Path, key: &Path| {
        let mut command = tidemark(&["serve", "--listen", "127.0.0.1:0"]);
        command.arg("--home").arg(&home).arg("--site").arg(&site);
        command
            .arg("--tls-cert")
            .arg(certificate)
            .arg("--tls-key")
            .arg(key);
        sentence(&command.output().unwrap(), 1)
    };
    for (certificate, key, words) in [
        (&missing, &one.key, "missing.pem cannot be read"),
        (&rubbish, &one.key, "holds no certificate"),
        (&one.certificate, &rubbish, "holds no private key"),
        (&one.key, &one.key, "holds no certificate"),
        (&one.certificate, &two.key, "belongs to another certificate"),
    ] {
        let told = start(certificate, key);
        assert!(told.contains(words), "{told}");
    }
    assert!(!home.exists());
    let old = Pair::make(folder.path(), "old", 2020);
    let server = support::start(&home, &site, &old.options());
    assert!(log_of(&home).contains("has expired"), "{}", log_of(&home));
    server.stop();
}

#[test]
fn a_proxy_is_believed_only_when_it_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (home, site) = (folder.path().join("home"), empty_site(folder.path()));
    let token = folder.path().join("metrics.token");
    std::fs::write(&token, "metrics-word\n").unwrap();
    let (proxy, url) = ("127.0.0.1,10.0.0.0/8", "https://backup.example.org");
    let token_file = token.to_str().unwrap();
    let more = [
        "--trusted-proxy",
        proxy,
        "--public-url",
        url,
        "--metrics-token-file",
        token_file,
    ];
    let server = start(&home, &site, &more);
    let at = address(&server);
    let forwarded = [
        ("host", "inner:3000"),
        ("x-forwarded-host", NAME),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-for", "203.0.113.9"),
    ];
    let answer = ask(connect(&at), "/healthz", &forwarded);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("strict-transport-security"), "{answer}");
    assert!(ask(connect(&at), "/metrics", &forwarded).starts_with("HTTP/1.1 401"));
    for (shown, status) in [
        ("Bearer metrics-word", "200"),
        ("Bearer other", "401"),
        ("Bearer ", "401"),
    ] {
        let with = [&forwarded[..], &[("authorization", shown)]].concat();
        let answer = ask(connect(&at), "/metrics", &with);
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{shown}: {answer}"
        );
    }
    let foreign = [
        ("host", "inner:3000"),
        ("x-forwarded-host", "evil.example.org"),
    ];
    assert!(ask(connect(&at), "/healthz", &foreign).starts_with("HTTP/1.1 403"));
    server.stop();

    // The same words of a proxy that nobody named.
    let server = start(&home, &site, &[]);
    let at = address(&server);
    assert!(ask(connect(&at), "/healthz", &forwarded).starts_with("HTTP/1.1 403"));
    let own = [
        ("host", at.as_str()),
        ("x-forwarded-for", "127.0.0.1"),
        ("x-forwarded-proto", "https"),
    ];
    let answer = ask(connect(&at), "/healthz", &own);
    assert!(
        answer.starts_with("HTTP/1.1 200") && !answer.contains("strict-transport"),
        "{answer}"
    );
    assert!(ask(connect(&at), "/metrics", &own).starts_with("HTTP/1.1 401"));
    server.stop();
}

#[test]
fn an_open_server_answers_to_the_names_it_was_given_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let (home, site) = (folder.path().join("home"), empty_site(folder.path()));
    let listen = |more: &[&str]| {
        let mut command: Command = tidemark(&["serve", "--listen", "0.0.0.0:0"]);
        command
            .arg("--home")
            .arg(&home)
            .arg("--site")
            .arg(&site)
            .args(more);
        sentence(&command.output().unwrap(), 2)
    };
    assert!(listen(&[]).contains("--insecure-http"));
    assert!(listen(&["--insecure-http"]).contains("--public-url"));
    let url = format!("http://{NAME}:8080");
    let more = [
        "--listen",
        "0.0.0.0:0",
        "--insecure-http",
        "--public-url",
        &url,
    ];
    let server = start(&home, &site, &more);
    let at = address(&server);
    let own = format!("{NAME}:8080");
    assert!(ask(connect(&at), "/healthz", &[("host", &own)]).starts_with("HTTP/1.1 200"));
    assert!(ask(connect(&at), "/healthz", &[("host", "10.1.2.3")]).starts_with("HTTP/1.1 403"));
    let told = server.refused(&["tenant", "list"], 1);
    assert!(told.contains("\"local\" does not exist"), "{told}");
    server.stop();
}
