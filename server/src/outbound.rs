//! How messages travel: HTTP requests that end in bounded time, follow no redirect, and keep no connection.

use control::{Answer, Outbound, Outgoing};
use std::{path::Path, time::Duration};
use ureq::{
    Agent,
    tls::{PemItem, RootCerts, TlsConfig, parse_pem},
};

/// How long a connection may take.
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// How long the whole may take.
const WHOLE_MAX: Duration = Duration::from_secs(15);
/// How much of an answer is read, in bytes.
const ANSWER_BYTES_MAX: u64 = 16 * 1024;

/// Sends over HTTP and HTTPS.
pub(crate) struct Web {
    agent: Agent,
}

impl Web {
    /// Trusts the authorities that browsers trust, or those in the PEM file `authorities` instead.
    pub(crate) fn new(authorities: Option<&Path>) -> Result<Web, String> {
        let mut tls = TlsConfig::builder();
        if let Some(file) = authorities {
            tls = tls.root_certs(roots(file)?);
        }
        let agent = Agent::config_builder()
            .tls_config(tls.build())
            .timeout_connect(Some(CONNECT_MAX))
            .timeout_global(Some(WHOLE_MAX))
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .max_idle_connections(0)
            .user_agent(concat!("tidemark/", env!("CARGO_PKG_VERSION")))
            .build()
            .new_agent();
        Ok(Web { agent })
    }
}

fn roots(file: &Path) -> Result<RootCerts, String> {
    let name = file.display();
    let text = std::fs::read(file)
        .map_err(|error| format!("the certificates in {name} could not be read: {error}"))?;
    let mut found = Vec::new();
    for item in parse_pem(&text) {
        let item =
            item.map_err(|error| format!("{name} is not a file of certificates: {error}"))?;
        if let PemItem::Certificate(certificate) = item {
            found.push(certificate);
        }
    }
    if found.is_empty() {
        return Err(format!("{name} holds no certificate"));
    }
    Ok(RootCerts::from(found))
}

impl Outbound for Web {
    fn send(&self, outgoing: &Outgoing) -> Result<Answer, String> {
        let answer = match &outgoing.json {
            None => self.agent.get(&outgoing.url).call(),
            Some(json) => self
                .agent
                .post(&outgoing.url)
                .header("content-type", "application/json")
                .send(json),
        };
        let mut answer = answer.map_err(|error| error.to_string())?;
        let status = answer.status().as_u16();
        let body = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX);
        // What it says beside its status is a help at most.
        let text = body.lossy_utf8(true).read_to_string().unwrap_or_default();
        Ok(Answer { status, text })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        io::{BufRead, BufReader, Read, Write},
        net::TcpListener,
        sync::mpsc,
        thread,
    };

    /// A receiver that gives each connection the next of these answers, and what it was sent.
    fn receiver(answers: Vec<&'static str>) -> (String, mpsc::Receiver<(String, String)>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (tell, told) = mpsc::channel();
        thread::spawn(move || {
            for answer in answers {
                let (stream, _) = listener.accept().unwrap();
                let mut reader = BufReader::new(stream);
                let (mut head, mut length) = (String::new(), 0);
                loop {
                    let mut line = String::new();
                    reader.read_line(&mut line).unwrap();
                    let lower = line.to_ascii_lowercase();
                    if let Some(value) = lower.strip_prefix("content-length:") {
                        length = value.trim().parse().unwrap();
                    }
                    if line.trim().is_empty() {
                        break;
                    }
                    head.push_str(&line);
                }
                let mut body = vec![0; length];
                reader.read_exact(&mut body).unwrap();
                tell.send((head, String::from_utf8(body).unwrap())).unwrap();
                reader.get_mut().write_all(answer.as_bytes()).unwrap();
            }
        });
        (format!("http://{address}/hook?key=1"), told)
    }

    fn outgoing(url: &str, json: Option<&str>) -> Outgoing {
        Outgoing {
            url: url.to_owned(),
            json: json.map(str::to_owned),
        }
    }

    #[test]
    fn a_body_arrives_as_it_was_given_and_the_answer_comes_back() {
        let (url, told) = receiver(vec![
            "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
            "HTTP/1.1 500 No\r\ncontent-length: 6\r\n\r\nbroken",
            "HTTP/1.1 204 No Content\r\n\r\n",
        ]);
        let web = Web::new(None).unwrap();
        let json = r#"{"text":"größer"}"#;
        let answer = web.send(&outgoing(&url, Some(json))).unwrap();
        assert_eq!((answer.status, answer.text.as_str()), (200, "ok"));
        let (head, body) = told.recv().unwrap();
        assert!(head.starts_with("POST /hook?key=1 HTTP/1.1"), "{head}");
        assert!(
            head.to_lowercase()
                .contains("content-type: application/json")
        );
        assert_eq!(body, json);
        let answer = web.send(&outgoing(&url, Some("{}"))).unwrap();
        assert_eq!((answer.status, answer.text.as_str()), (500, "broken"));
        told.recv().unwrap();
        let answer = web.send(&outgoing(&url, None)).unwrap();
        assert_eq!(answer.status, 204);
        assert!(told.recv().unwrap().0.starts_with("GET "));
    }

    #[test]
    fn redirects_are_not_followed() {
        let redirect = "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/elsewhere\r\ncontent-length: 0\r\n\r\n";
        let (url, _told) = receiver(vec![redirect]);
        let answer = Web::new(None).unwrap().send(&outgoing(&url, Some("{}")));
        assert_eq!(answer.unwrap().status, 302);
    }

    #[test]
    fn nobody_there_and_nonsense_are_errors_and_no_panics() {
        let web = Web::new(None).unwrap();
        let closed = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        assert!(
            web.send(&outgoing(&format!("http://{closed}/"), Some("{}")))
                .is_err()
        );
        let (url, _told) = receiver(vec!["nonsense\r\n\r\n"]);
        assert!(web.send(&outgoing(&url, Some("{}"))).is_err());
        assert!(web.send(&outgoing("http://", Some("{}"))).is_err());
    }

    #[test]
    fn a_file_without_certificates_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("none.pem");
        assert!(Web::new(Some(&file)).is_err());
        std::fs::write(&file, "nothing").unwrap();
        let Err(why) = Web::new(Some(&file)) else {
            panic!("there is nothing to trust in it");
        };
        assert!(why.contains("none.pem"), "{why}");
    }
}
