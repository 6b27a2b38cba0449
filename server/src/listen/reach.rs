//! How far the server may be reached: from the options, checked before anything is touched.

use super::{certificate::CertificateFiles, proxy::Net};
use crate::cli::Serve;
use axum::http::Uri;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Where to listen, and for whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reach {
    /// Where to listen.
    pub listen: SocketAddr,
    /// The certificate, if connections are encrypted here.
    pub tls: Option<CertificateFiles>,
    /// Whether anybody may come without encryption.
    pub insecure: bool,
    /// Proxies that are believed.
    pub proxies: Vec<Net>,
    /// Names that the server goes by, beside the loopback ones and those in the certificate.
    pub names: Vec<String>,
    /// Where people open the console; without a slash at the end.
    pub public_url: Option<String>,
}

/// Options about listening that cannot be meant.
#[derive(Debug, thiserror::Error)]
pub enum ReachError {
    /// Not an address at all.
    #[error("--listen \"{0}\" is not an address; write ADDRESS:PORT, such as 127.0.0.1:3000")]
    NotAnAddress(String),
    /// Others could read along.
    #[error(
        "--listen {0} would let other machines in without encryption: passwords could be read on the way; \
         give a certificate with --tls-cert and --tls-key, or name the proxy that speaks HTTPS in front of \
         this server with --trusted-proxy, or allow it in a network you trust with --insecure-http; or use \
         127.0.0.1:{port} and an SSH tunnel",
        port = .0.port()
    )]
    Unencrypted(SocketAddr),
    /// Nobody could open it.
    #[error(
        "--listen {0} is no name to open the console by; say where people open it with --public-url, such as \
         https://backup.example.org"
    )]
    Nameless(SocketAddr),
    /// Half a certificate.
    #[error(
        "{given} needs {missing} beside it: the certificate and its private key, two PEM files"
    )]
    HalfCertificate {
        /// What was given.
        given: &'static str,
        /// What was not.
        missing: &'static str,
    },
    /// Not a proxy.
    #[error("--trusted-proxy {0}")]
    Proxy(String),
    /// Not the address of a console.
    #[error(
        "--public-url \"{0}\" is not where a console can be; write http:// or https://, a name, perhaps a port, and \
         nothing behind it, such as https://backup.example.org"
    )]
    PublicUrl(String),
    /// Not a name.
    #[error(
        "--host-name \"{0}\" is not a name; write a name or an address alone, such as backup.example.org"
    )]
    HostName(String),
}

impl Reach {
    /// Checks the options.
    pub fn new(serve: &Serve) -> Result<Reach, ReachError> {
        let listen = listen_address(&serve.listen)?;
        let tls = match (&serve.tls_cert, &serve.tls_key) {
            (Some(certificate), Some(key)) => Some(CertificateFiles {
                certificate: certificate.clone(),
                key: key.clone(),
            }),
            (None, None) => None,
            (Some(_), None) => return Err(half("--tls-cert", "--tls-key")),
            (None, Some(_)) => return Err(half("--tls-key", "--tls-cert")),
        };
        let proxies = serve.trusted_proxy.iter().map(|text| text.parse());
        let proxies: Vec<Net> = proxies
            .collect::<Result<_, _>>()
            .map_err(ReachError::Proxy)?;
        let mut names = Vec::new();
        let public_url = serve.public_url.as_deref().map(public_url).transpose()?;
        let public_url = public_url.map(|(url, name)| {
            names.push(name);
            url
        });
        for name in &serve.host_name {
            names.push(host_name(name)?);
        }
        if !listen.ip().is_loopback() {
            if tls.is_none() && proxies.is_empty() && !serve.insecure_http {
                return Err(ReachError::Unencrypted(listen));
            }
            if !listen.ip().is_unspecified() {
                names.push(listen.ip().to_string());
            } else if names.is_empty() && tls.is_none() {
                return Err(ReachError::Nameless(listen));
            }
        }
        Ok(Reach {
            listen,
            tls,
            insecure: serve.insecure_http,
            proxies,
            names,
            public_url,
        })
    }

    /// Whether commands cannot use the address that people use: it is encrypted, or not on this machine alone.
    pub fn needs_own_door(&self) -> bool {
        self.tls.is_some() || !self.listen.ip().is_loopback()
    }

    /// Where to open the console, when it listens at `address`.
    pub fn url(&self, address: SocketAddr) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        let here = || format!("{scheme}://{address}");
        self.public_url.clone().unwrap_or_else(here)
    }
}

fn half(given: &'static str, missing: &'static str) -> ReachError {
    ReachError::HalfCertificate { given, missing }
}

fn listen_address(text: &str) -> Result<SocketAddr, ReachError> {
    let wrong = || ReachError::NotAnAddress(text.to_owned());
    match text.strip_prefix("localhost:") {
        Some(port) => {
            let port = port.parse().map_err(|_| wrong())?;
            Ok(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port))
        }
        None => text.parse().map_err(|_| wrong()),
    }
}

/// The address without a slash at its end, and the name in it.
fn public_url(text: &str) -> Result<(String, String), ReachError> {
    let wrong = || ReachError::PublicUrl(text.to_owned());
    let url: Uri = text.parse().map_err(|_| wrong())?;
    let good = matches!(url.scheme_str(), Some("http" | "https"))
        && url.path() == "/"
        && url.query().is_none();
    let authority = url
        .authority()
        .filter(|authority| !authority.as_str().contains('@'));
    match authority {
        Some(authority) if good && !authority.host().is_empty() => Ok((
            text.trim_end_matches('/').to_owned(),
            authority.host().to_owned(),
        )),
        _ => Err(wrong()),
    }
}

fn host_name(text: &str) -> Result<String, ReachError> {
    let is_name = |text: &str| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-.".contains(&byte);
        !text.is_empty() && text.len() <= 253 && text.bytes().all(allowed)
    };
    match is_name(text) || text.parse::<IpAddr>().is_ok() {
        true => Ok(text.to_owned()),
        false => Err(ReachError::HostName(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    fn reach(options: &[&str]) -> Result<Reach, String> {
        let typed = [&["tidemark", "serve"], options].concat();
        let cli = crate::cli::Cli::try_parse_from(typed).map_err(|error| error.to_string())?;
        let crate::cli::Command::Serve(serve) = cli.command else {
            panic!("another command");
        };
        Reach::new(&serve).map_err(|error| error.to_string())
    }

    #[test]
    fn this_machine_is_served_without_any_further_word() {
        for good in ["127.0.0.1:3000", "[::1]:0", "localhost:8080", "127.9.9.9:1"] {
            assert!(
                !reach(&["--listen", good]).unwrap().needs_own_door(),
                "{good}"
            );
        }
        for bad in [
            "",
            "3000",
            "localhost",
            "localhost:x",
            "127.0.0.1",
            "127.0.0.1:99999",
        ] {
            let told = reach(&["--listen", bad]).unwrap_err();
            assert!(told.contains(&format!("\"{bad}\"")), "{told}");
        }
    }

    #[test]
    fn others_are_served_only_when_that_is_safe_or_said_to_be() {
        for (open, port) in [
            ("0.0.0.0:3000", "3000"),
            ("[::]:81", "81"),
            ("192.168.1.7:5", "5"),
        ] {
            let told = reach(&["--listen", open]).unwrap_err();
            assert!(
                told.contains(open) && told.contains(&format!("127.0.0.1:{port}")),
                "{told}"
            );
            for option in ["--tls-cert", "--trusted-proxy", "--insecure-http"] {
                assert!(told.contains(option), "{told}");
            }
        }
        let told = reach(&["--listen", "0.0.0.0:1", "--insecure-http"]).unwrap_err();
        assert!(told.contains("--public-url"), "{told}");
        let url = "http://backup.example.org:8080/";
        let open = reach(&[
            "--listen",
            "0.0.0.0:1",
            "--insecure-http",
            "--public-url",
            url,
        ])
        .unwrap();
        assert_eq!(open.names, ["backup.example.org"]);
        assert_eq!(open.url(open.listen), "http://backup.example.org:8080");
        let one = reach(&["--listen", "192.168.1.7:5", "--insecure-http"]).unwrap();
        assert_eq!(one.names, ["192.168.1.7"]);
        let behind = [
            "--listen",
            "10.0.0.1:5",
            "--trusted-proxy",
            "10.0.0.7,10.1.0.0/16",
        ];
        assert_eq!(reach(&behind).unwrap().proxies.len(), 2);
    }

    #[test]
    fn options_that_cannot_be_meant_are_told_with_their_value() {
        for (options, words) in [
            (vec!["--tls-cert", "c.pem"], "--tls-key"),
            (vec!["--tls-key", "k.pem"], "--tls-cert"),
            (vec!["--trusted-proxy", "nginx"], "\"nginx\""),
            (
                vec!["--public-url", "backup.example.org"],
                "\"backup.example.org\"",
            ),
            (vec!["--public-url", "ftp://a"], "https://"),
            (vec!["--public-url", "https://a/b"], "nothing behind it"),
            (vec!["--public-url", "https://u:p@a"], "--public-url"),
            (vec!["--host-name", "https://a"], "\"https://a\""),
            (vec!["--host-name", "a:80"], "\"a:80\""),
        ] {
            let told = reach(&options).unwrap_err();
            assert!(told.contains(words), "{told}");
        }
    }
}
