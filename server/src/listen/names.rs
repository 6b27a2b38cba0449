//! The names that this server goes by. A request to any other name is refused: somebody else's name that points
//! here would let their pages read what is ours.

use super::tls::Tls;
use std::{net::IpAddr, sync::Arc};

/// Names beside the loopback ones.
#[derive(Debug, Default)]
pub struct OwnNames {
    /// As configured, in small letters and without ports.
    configured: Vec<String>,
    /// Its certificate names more.
    tls: Option<Arc<Tls>>,
}

impl OwnNames {
    /// The configured names and those in the certificate.
    pub fn new(configured: impl IntoIterator<Item = String>, tls: Option<Arc<Tls>>) -> OwnNames {
        let small = |name: String| bare(&name).to_ascii_lowercase();
        OwnNames {
            configured: configured.into_iter().map(small).collect(),
            tls,
        }
    }

    /// Whether a request to this host, given without a port, is meant for this server.
    pub fn has(&self, host: &str) -> bool {
        let host = bare(host).to_ascii_lowercase();
        is_loopback(&host)
            || self.configured.contains(&host)
            || self.tls.as_ref().is_some_and(|tls| tls.is_named(&host))
    }

    /// The names to tell to whoever used another one.
    pub fn told(&self) -> String {
        let mut names = self.configured.clone();
        names.extend(self.tls.iter().flat_map(|tls| tls.names()));
        names.push("localhost and loopback addresses".to_owned());
        names.dedup();
        names.join(", ")
    }
}

/// Whether a name is one of this machine's own, wherever it is used.
fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Without the brackets of an IPv6 address and the dot at the end of a name.
fn bare(host: &str) -> &str {
    let host = host.strip_suffix('.').unwrap_or(host);
    host.strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_and_configured_names_are_own_names() {
        let none = OwnNames::default();
        for own in ["localhost", "LocalHost", "127.0.0.1", "127.8.8.8", "[::1]"] {
            assert!(none.has(own), "{own}");
        }
        let foreign = [
            "example.org",
            "localhost.example.org",
            "10.0.0.1",
            "[::]",
            "",
        ];
        for name in foreign {
            assert!(!none.has(name), "{name}");
        }
        let configured = OwnNames::new(
            ["Backup.Example.org".to_owned(), "[fd00::7]".to_owned()],
            None,
        );
        for own in [
            "backup.example.org",
            "backup.example.org.",
            "[FD00::7]",
            "localhost",
        ] {
            assert!(configured.has(own), "{own}");
        }
        for name in foreign
            .into_iter()
            .chain(["evil.backup.example.org", "fd00::8"])
        {
            assert!(!configured.has(name), "{name}");
        }
        assert!(configured.told().contains("backup.example.org"));
    }
}
