//! Causes of a failed connection, without the address: it may hold a password.

use sea_orm::DbErr;

/// What stands in place of a secret.
const HIDDEN: &str = "***";

/// A cause from which the address of the database was taken out.
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
pub struct Redacted {
    text: String,
}

impl Redacted {
    /// What `cause` says about connecting to `url`.
    pub(crate) fn new(cause: &DbErr, url: &str) -> Self {
        Redacted {
            text: without_secrets(&cause.to_string(), url),
        }
    }
}

/// `text` without `url` and without whatever in `url` may be secret.
fn without_secrets(text: &str, url: &str) -> String {
    let all = std::iter::once(url.to_owned()).chain(secrets(url));
    all.filter(|secret| !secret.is_empty())
        .fold(text.to_owned(), |told, secret| {
            told.replace(&secret, HIDDEN)
        })
}

/// The password before the host and the ones among the parameters, as written and as meant.
fn secrets(url: &str) -> Vec<String> {
    let (_, rest) = url.split_once(':').unwrap_or_default();
    let rest = rest.trim_start_matches('/');
    let (address, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    // A password may itself contain @, so the last one ends it.
    let login = address.rsplit_once('@').map_or("", |(login, _)| login);
    let password = login.split_once(':').map(|(_, password)| password);
    let named = parameters.split('&').filter_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.to_ascii_lowercase().contains("pass").then_some(value)
    });
    password
        .into_iter()
        .chain(named)
        .filter(|written| !written.is_empty())
        .flat_map(|written| [written.to_owned(), meant(written)])
        .collect()
}

/// Reads `%40` as `@`.
fn meant(written: &str) -> String {
    let mut bytes = Vec::with_capacity(written.len());
    let mut rest = written.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escaped = after
            .get(..2)
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (first, escaped) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_the_address_nor_its_password_is_told() {
        let url = "mysql://bob:hun%40ter2@db.example:3306/tidemark?sslpassword=s3cret";
        let text = format!("The connection string '{url}' is bad: hun@ter2, hun%40ter2, s3cret");
        let told = without_secrets(&text, url);
        for secret in ["hun@ter2", "hun%40ter2", "s3cret", "bob:"] {
            assert!(!told.contains(secret), "{told}");
        }
        assert!(told.contains("is bad"), "{told}");
    }

    #[test]
    fn an_address_without_a_password_hides_nothing_else() {
        for url in [
            "sqlite:///srv/control.db",
            "postgres://db/tidemark",
            "",
            "x",
        ] {
            assert!(secrets(url).is_empty(), "{url}");
        }
    }
}
