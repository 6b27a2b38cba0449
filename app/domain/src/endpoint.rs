//! Where the server of a cluster listens, and who signs in there.

use crate::validate::Violation;
use serde::{Deserialize, Serialize};

/// Labels of the form's fields, which are also their names in refusals.
pub mod label {
    /// Addresses.
    pub const ADDRESSES: &str = "Addresses";
    /// Account.
    pub const ACCOUNT: &str = "Account";
    /// Password.
    pub const PASSWORD: &str = "Password";
}

/// Port of an OceanBase server when none is given; a proxy listens on 2883.
pub const PORT_DEFAULT: u16 = 2881;
/// Account when none is given: the administrator of the tenant `sys`.
pub const ACCOUNT_DEFAULT: &str = "root@sys";
/// Most addresses of a cluster.
pub const ADDRESSES_MAX: usize = 16;
/// Longest account, in bytes.
const ACCOUNT_BYTES_MAX: usize = 256;
/// Longest password, in bytes.
const PASSWORD_BYTES_MAX: usize = 256;
/// Longest host name, in bytes (RFC 1035).
const HOST_BYTES_MAX: usize = 253;

/// One address.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Address {
    /// Host name or IP address, an IPv6 one without brackets.
    pub host: String,
    /// Port.
    pub port: u16,
}

/// A cluster's addresses and account as people may see them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Endpoint {
    /// Tried in order.
    pub addresses: Vec<Address>,
    /// As it is sent: `root@sys`, through a proxy `root@sys#cluster`.
    pub account: String,
}

/// What a person gives to reach a cluster. The password is not shown by `Debug`.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Access {
    /// `host:port`, several of them with commas between; 2881 where the port is left out.
    pub addresses: String,
    /// The account; empty means [`ACCOUNT_DEFAULT`].
    pub account: String,
    /// The password; absent keeps the one that is known.
    pub password: Option<String>,
}

/// What one step of trying a connection found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// All is well; what was found.
    Good(String),
    /// The cluster can be added, and not everything can be done; what is missing and what to do.
    Warning(String),
    /// The cluster cannot be used so; why and what to do.
    Bad(String),
}

/// One step of trying a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionStep {
    /// What was tried: `Sign in`.
    pub name: String,
    /// What came of it.
    pub finding: Finding,
    /// Milliseconds it took.
    pub took_ms: u64,
}

/// What trying a connection found, step by step. Steps after a bad one are not tried and not listed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ConnectionReport {
    /// In order.
    pub steps: Vec<ConnectionStep>,
}

impl ConnectionReport {
    /// Whether the cluster can be used.
    pub fn passed(&self) -> bool {
        let is_bad = |step: &ConnectionStep| matches!(step.finding, Finding::Bad(_));
        !self.steps.is_empty() && !self.steps.iter().any(is_bad)
    }
}

impl std::fmt::Debug for Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Access")
            .field("addresses", &self.addresses)
            .field("account", &self.account)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

impl std::fmt::Display for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let addresses: Vec<String> = self.addresses.iter().map(ToString::to_string).collect();
        f.write_str(&addresses.join(", "))
    }
}

impl Access {
    /// The addresses and the account, or everything that is wrong.
    pub fn checked(&self) -> Result<Endpoint, Vec<Violation>> {
        let mut wrong = Vec::new();
        let addresses = addresses(&self.addresses).unwrap_or_else(|found| {
            wrong.push(found);
            Vec::new()
        });
        let account = match self.account.trim() {
            "" => ACCOUNT_DEFAULT,
            given => given,
        };
        wrong.extend(account_violation(account));
        if let Some(password) = &self.password
            && password.len() > PASSWORD_BYTES_MAX
        {
            let allowed = "it is longer than 256 bytes, which no account can have";
            wrong.push(Violation::new(label::PASSWORD, "not shown", allowed));
        }
        match wrong.is_empty() {
            true => Ok(Endpoint {
                addresses,
                account: account.to_owned(),
            }),
            false => Err(wrong),
        }
    }
}

fn account_violation(account: &str) -> Option<Violation> {
    let wrong = |allowed: &str| Some(Violation::new(label::ACCOUNT, account, allowed));
    if account.len() > ACCOUNT_BYTES_MAX {
        return wrong("use at most 256 bytes");
    }
    if account.chars().any(|c| c.is_control() || c == ' ') {
        return wrong("leave out spaces and control characters");
    }
    let (of_tenant, _) = account.split_once('#').unwrap_or((account, ""));
    // Backups of all tenants are seen and ordered from there alone.
    let is_of_sys = of_tenant
        .rsplit_once('@')
        .is_none_or(|(user, tenant)| !user.is_empty() && tenant == "sys");
    match is_of_sys {
        true => None,
        false => wrong(
            "use an account of the tenant sys, such as root@sys or, through a proxy, root@sys#cluster",
        ),
    }
}

/// Reads addresses with commas, semicolons or spaces between them.
pub fn addresses(text: &str) -> Result<Vec<Address>, Violation> {
    let wrong = |given: &str, allowed: &str| Violation::new(label::ADDRESSES, given, allowed);
    let parts = text.split([',', ';', ' ', '\n', '\t']);
    let mut found: Vec<Address> = Vec::new();
    for part in parts.filter(|part| !part.is_empty()) {
        let address = address(part).ok_or_else(|| {
            wrong(
                part,
                "give host:port, such as db1:2881 or [::1]:2881, with commas between several",
            )
        })?;
        if !found.contains(&address) {
            found.push(address);
        }
    }
    match found.len() {
        0 => Err(wrong(text, "give at least one address, such as db1:2881")),
        count if count > ADDRESSES_MAX => Err(wrong(text, "give at most 16 addresses")),
        _ => Ok(found),
    }
}

fn address(text: &str) -> Option<Address> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']')?;
            host.parse::<std::net::Ipv6Addr>().ok()?;
            let port = match rest {
                "" => None,
                rest => Some(rest.strip_prefix(':')?),
            };
            (host, port)
        }
        None if text.parse::<std::net::Ipv6Addr>().is_ok() => (text, None),
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let is_host = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
    if host.is_empty() || host.len() > HOST_BYTES_MAX || !host.chars().all(is_host) {
        return None;
    }
    let port = match port {
        None => PORT_DEFAULT,
        Some(port) => port.parse().ok().filter(|port| *port > 0)?,
    };
    Some(Address {
        host: host.to_owned(),
        port,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn addresses_are_read_as_people_write_them() {
        let read = |text: &str| {
            let found = addresses(text).unwrap();
            found.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(read("db1"), ["db1:2881"]);
        assert_eq!(
            read("db1:2883, 10.0.0.2;db3\n"),
            ["db1:2883", "10.0.0.2:2881", "db3:2881"]
        );
        assert_eq!(
            read("[::1]:2881 ::1 [fe80::1]"),
            ["[::1]:2881", "[fe80::1]:2881"]
        );
    }

    #[test]
    fn what_is_no_address_is_named() {
        for text in [
            "db1:0",
            "db1:99999",
            "db1:x",
            "http://db1:2881/",
            "db 1:",
            "[::1",
            "a@b",
        ] {
            let wrong = addresses(text).unwrap_err();
            assert_eq!(wrong.field, label::ADDRESSES, "{text}");
            assert!(wrong.allowed.contains("host:port"), "{text}: {wrong:?}");
        }
        assert!(
            addresses(" , ")
                .unwrap_err()
                .allowed
                .contains("at least one")
        );
        let many: Vec<String> = (0..17).map(|n| format!("db{n}")).collect();
        assert!(
            addresses(&many.join(","))
                .unwrap_err()
                .allowed
                .contains("16")
        );
    }

    #[test]
    fn an_account_is_one_of_the_tenant_sys() {
        let checked = |account: &str| {
            Access {
                addresses: "db1".to_owned(),
                account: account.to_owned(),
                password: None,
            }
            .checked()
        };
        assert_eq!(checked(" ").unwrap().account, ACCOUNT_DEFAULT);
        for account in ["root@sys", "root", "backup@sys#prod"] {
            assert_eq!(checked(account).unwrap().account, account);
        }
        for account in ["root@mysql1", "root@app#prod", "@sys", "ro ot@sys"] {
            assert_eq!(
                checked(account).unwrap_err()[0].field,
                label::ACCOUNT,
                "{account}"
            );
        }
    }

    #[test]
    fn the_password_is_not_shown() {
        let access = Access {
            password: Some("hunter2".to_owned()),
            ..Access::default()
        };
        assert!(!format!("{access:?}").contains("hunter2"));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic_and_what_is_read_is_read_again(text in "\\PC{0,60}") {
            if let Ok(found) = addresses(&text) {
                let shown: Vec<String> = found.iter().map(ToString::to_string).collect();
                prop_assert_eq!(addresses(&shown.join(",")).unwrap(), found);
            }
        }
    }
}
