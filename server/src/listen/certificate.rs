//! A certificate and its key from two PEM files: what is wrong with them is told with the file and the way forward.

use domain::{Scn, scn::NS_PER_SECOND};
use rustls_pki_types::{
    CertificateDer, PrivateKeyDer, ServerName,
    pem::{Error as PemError, PemObject},
};
use std::path::{Path, PathBuf};
use tokio_rustls::rustls::{crypto::ring, sign::CertifiedKey};

/// Days before the end of a certificate from which on it is told.
const ENDING_DAYS: u64 = 14;

/// Where the certificate and its key lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The server's certificate, then those that signed it.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// A certificate that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// A file cannot be read.
    #[error("{option} {} cannot be read: {cause}", path.display())]
    Unreadable {
        /// The option that named it.
        option: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        cause: String,
    },
    /// A file has nothing of what it should have.
    #[error(
        "{option} {} holds no {wanted}; it has to be a PEM file with a block that begins with \
         -----BEGIN {block}-----", path.display()
    )]
    Nothing {
        /// The option that named it.
        option: &'static str,
        /// The file.
        path: PathBuf,
        /// What it should hold.
        wanted: &'static str,
        /// How that begins.
        block: &'static str,
    },
    /// A key of a kind that is not known, or of another certificate.
    #[error("--tls-key {} and --tls-cert {} cannot be used together: {cause}", key.display(), certificate.display())]
    Pair {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// Why.
        cause: String,
    },
}

/// A certificate with its key, ready for use.
#[derive(Debug)]
pub struct Identity {
    /// For the handshake.
    pub certified: std::sync::Arc<CertifiedKey>,
    /// Until when it is valid; absent when that could not be read.
    pub until: Option<Scn>,
}

impl Identity {
    /// Reads both files and checks that they belong together.
    pub fn read(files: &CertificateFiles) -> Result<Identity, CertificateError> {
        let chain = chain(&files.certificate)?;
        let key = private_key(&files.key)?;
        let until = validity_end(&chain[0]);
        let certified =
            CertifiedKey::from_der(chain, key, &ring::default_provider()).map_err(|error| {
                CertificateError::Pair {
                    certificate: files.certificate.clone(),
                    key: files.key.clone(),
                    cause: match error {
                        tokio_rustls::rustls::Error::InconsistentKeys(_) => {
                            "the key belongs to another certificate".to_owned()
                        }
                        other => other.to_string(),
                    },
                }
            })?;
        Ok(Identity {
            certified: std::sync::Arc::new(certified),
            until,
        })
    }

    /// The certificate's own names, as far as they are DNS names.
    pub fn names(&self) -> Vec<String> {
        let Some(Ok(leaf)) = self.leaf().map(webpki::EndEntityCert::try_from) else {
            return Vec::new();
        };
        leaf.valid_dns_names().map(str::to_owned).collect()
    }

    /// Whether the certificate is for this name or address; wildcards count.
    pub fn is_for(&self, host: &str) -> bool {
        let Ok(name) = ServerName::try_from(host) else {
            return false;
        };
        match self.leaf().map(webpki::EndEntityCert::try_from) {
            Some(Ok(leaf)) => leaf.verify_is_valid_for_subject_name(&name).is_ok(),
            _ => false,
        }
    }

    /// What a person should know about its end.
    pub fn warning(&self, now: Scn) -> Option<String> {
        let until = self.until?;
        let days = until.since_ns(now) / (24 * 3600 * NS_PER_SECOND);
        if until <= now {
            return Some("the certificate has expired, and browsers refuse it; put a new one in its place and send \
                         SIGHUP".to_owned());
        }
        (days < ENDING_DAYS).then(|| {
            format!(
                "the certificate ends in {days} days; put a new one in its place and send SIGHUP"
            )
        })
    }

    fn leaf(&self) -> Option<&CertificateDer<'static>> {
        self.certified.cert.first()
    }
}

fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, CertificateError> {
    let option = "--tls-cert";
    let unreadable = |error: PemError| unreadable(option, path, &error);
    let chain: Vec<_> = CertificateDer::pem_file_iter(path)
        .map_err(unreadable)?
        .collect::<Result<_, _>>()
        .map_err(unreadable)?;
    if chain.is_empty() {
        return Err(nothing(option, path, ("certificate", "CERTIFICATE")));
    }
    Ok(chain)
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, CertificateError> {
    let option = "--tls-key";
    PrivateKeyDer::from_pem_file(path).map_err(|error| match error {
        PemError::NoItemsFound => nothing(option, path, ("private key", "PRIVATE KEY")),
        other => unreadable(option, path, &other),
    })
}

fn unreadable(option: &'static str, path: &Path, error: &PemError) -> CertificateError {
    let cause = match error {
        PemError::Io(cause) => cause.to_string(),
        other => format!("it is damaged ({other})"),
    };
    CertificateError::Unreadable {
        option,
        path: path.to_owned(),
        cause,
    }
}

fn nothing(
    option: &'static str,
    path: &Path,
    (wanted, block): (&'static str, &'static str),
) -> CertificateError {
    CertificateError::Nothing {
        option,
        path: path.to_owned(),
        wanted,
        block,
    }
}

/// When a certificate's validity ends: its fifth or sixth field, whose second part is a time.
fn validity_end(certificate: &[u8]) -> Option<Scn> {
    const SEQUENCE: u8 = 0x30;
    const VERSION: u8 = 0xa0;
    let (_, whole, _) = element(certificate)?;
    let (_, mut fields, _) = element(whole)?;
    let (tag, _, after) = element(fields)?;
    if tag == VERSION {
        fields = after;
    }
    // The number, the algorithm, who signed it.
    for _ in 0..3 {
        fields = element(fields)?.2;
    }
    let (tag, validity, _) = element(fields)?;
    if tag != SEQUENCE {
        return None;
    }
    let (_, _, after) = element(validity)?;
    let (tag, text, _) = element(after)?;
    time(tag, std::str::from_utf8(text).ok()?)
}

/// The first element: its tag, its content, and what follows it.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, mut rest) = rest.split_first()?;
    let mut length = usize::from(first);
    if first >= 0x80 {
        let (digits, after) = rest.split_at_checked(usize::from(first & 0x7f))?;
        if digits.len() > 4 {
            return None;
        }
        length = digits
            .iter()
            .fold(0, |sum, digit| (sum << 8) | usize::from(*digit));
        rest = after;
    }
    let (content, after) = rest.split_at_checked(length)?;
    Some((tag, content, after))
}

/// `YYMMDDhhmmssZ` with tag 23, `YYYYMMDDhhmmssZ` with tag 24.
fn time(tag: u8, text: &str) -> Option<Scn> {
    let digits = text.strip_suffix('Z')?;
    let text = match (tag, digits.len()) {
        (23, 12) if digits.as_bytes()[0] >= b'5' => format!("19{digits}"),
        (23, 12) => format!("20{digits}"),
        (24, 14) => digits.to_owned(),
        _ => return None,
    };
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let part = |from: usize, to: usize| &text[from..to];
    let rfc = format!(
        "{}-{}-{}T{}:{}:{}Z",
        part(0, 4),
        part(4, 6),
        part(6, 8),
        part(8, 10),
        part(10, 12),
        part(12, 14)
    );
    Scn::parse_rfc3339(&rfc).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_both_kinds_are_read() {
        let at = |text: &str| Some(Scn::parse_rfc3339(text).unwrap());
        assert_eq!(time(23, "270102030405Z"), at("2027-01-02T03:04:05Z"));
        assert_eq!(time(24, "20510102030405Z"), at("2051-01-02T03:04:05Z"));
        for (tag, text) in [
            (23, "2701020304Z"),
            (24, "x0510102030405Z"),
            (2, "270102030405Z"),
        ] {
            assert_eq!(time(tag, text), None, "{text}");
        }
    }

    #[test]
    fn damaged_certificates_end_the_reading_and_nothing_else() {
        for bytes in [
            &[][..],
            &[0x30],
            &[0x30, 0x82, 1],
            &[0x30, 0x84, 255, 255, 255, 255],
            &[0x30, 0x89],
        ] {
            assert_eq!(validity_end(bytes), None);
        }
    }
}
