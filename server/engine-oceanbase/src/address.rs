//! Addresses of destinations: their parts, which a version takes, and what can be told of one before it is set.

use crate::version::Version;
use domain::storage::{ProbeReport, ProbeStep, StorageKind, is_within};
use std::path::Path;

/// Name of the only step of a test.
const FORM: &str = "Check the form of the address; each server tests it itself when it is set";

/// An address: what it is, where, and with which parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Address<'a> {
    scheme: &'a str,
    /// Directory, or bucket and prefix.
    place: &'a str,
    parameters: &'a str,
}

impl<'a> Address<'a> {
    /// Reads one; `None` without a scheme.
    pub(crate) fn read(uri: &'a str) -> Option<Address<'a>> {
        let (scheme, rest) = uri.split_once("://")?;
        let (place, parameters) = rest.split_once('?').unwrap_or((rest, ""));
        Some(Address {
            scheme,
            place,
            parameters,
        })
    }

    /// A parameter. Names do not depend on case.
    pub(crate) fn parameter(&self, name: &str) -> Option<&'a str> {
        let mut pairs = self
            .parameters
            .split('&')
            .filter_map(|it| it.split_once('='));
        let found = pairs.find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value).filter(|it| !it.is_empty())
    }

    /// Whether it lies below another one. What opens it is not compared: the cluster stores keys in its own form, and
    /// adds parameters.
    pub(crate) fn is_below(&self, base: &Address<'_>) -> bool {
        let host = |it: &Address<'_>| it.parameter("host").map(str::to_ascii_lowercase);
        let same_host = match (host(self), host(base)) {
            (Some(one), Some(other)) => one == other,
            _ => true,
        };
        self.scheme.eq_ignore_ascii_case(base.scheme)
            && same_host
            && is_within(self.place, base.place)
    }

    /// Whether it is a service that is signed in to.
    pub(crate) fn is_object(&self) -> bool {
        !self.scheme.eq_ignore_ascii_case(StorageKind::File.code())
    }

    /// Its place, with the parameters of another address.
    pub(crate) fn with_parameters_of(&self, other: &Address<'_>) -> String {
        format!("{}://{}?{}", self.scheme, self.place, other.parameters)
    }

    /// The address of something below it, with the same parameters.
    pub(crate) fn below(&self, parts: &str) -> String {
        let place = self.place.trim_end_matches('/');
        let mark = if self.parameters.is_empty() { "" } else { "?" };
        format!("{}://{place}/{parts}{mark}{}", self.scheme, self.parameters)
    }
}

/// Whether one address lies below another.
pub(crate) fn is_below(uri: &str, base: &str) -> bool {
    match (Address::read(uri), Address::read(base)) {
        (Some(uri), Some(base)) => uri.is_below(&base),
        _ => false,
    }
}

/// What can be told of an address before a cluster of this version is given it: only its form.
pub(crate) fn probe(version: Version, destination: &Path) -> ProbeReport {
    let wrong = match destination.to_str() {
        Some(uri) => wrong(version, uri),
        None => Some("the address is no UTF-8 text".to_owned()),
    };
    ProbeReport {
        steps: vec![ProbeStep {
            name: FORM.to_owned(),
            failure: wrong,
            took_ms: 0,
        }],
        // Nobody but the cluster can look, and it refuses what is not empty when it is set.
        empty: true,
        identity: None,
        total_bytes: None,
        free_bytes: None,
    }
}

/// Why a cluster of this version would not take it.
fn wrong(version: Version, uri: &str) -> Option<String> {
    let no = |why: &str| Some(why.to_owned());
    let Some(address) = Address::read(uri) else {
        return no("write it with its kind, such as file:///backup");
    };
    let Some(kind) = StorageKind::from_code(&address.scheme.to_ascii_lowercase()) else {
        return no("use file://, oss://, cos:// or s3://; others are reached by s3://");
    };
    if !version.storage_kinds().contains(&kind) {
        return Some(format!(
            "OceanBase {version} cannot keep backups in {}",
            kind.label()
        ));
    }
    if kind == StorageKind::File {
        return match (address.place.starts_with('/'), uri.contains('?')) {
            (false, _) => no("give the directory with its whole path, beginning with /"),
            (_, true) => no("a directory has no parameters; leave out what follows the ?"),
            _ => None,
        };
    }
    let needed = ["host", "access_id", "access_key"];
    let more: &[&str] = match kind {
        StorageKind::Cos => &["appid"],
        _ => &[],
    };
    let missing: Vec<&str> = needed
        .iter()
        .chain(more)
        .copied()
        .filter(|name| address.parameter(name).is_none())
        .collect();
    match missing.is_empty() {
        true => None,
        false => Some(format!("the address lacks {}", missing.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_below_is_told_without_keys() {
        let base = "oss://bucket/base?host=oss.example.com&access_id=i&access_key=k";
        let stored = "oss://bucket/base/1/1002/data?host=OSS.example.com&access_id=i&encrypt_key=\
                      AF&checksum_type=md5";
        assert!(is_below(stored, base));
        for other in [
            "oss://bucket/base2/1/1002/data?host=oss.example.com",
            "oss://bucket/base/1/1002/data?host=elsewhere.example.com",
            "s3://bucket/base/1/1002/data?host=oss.example.com",
            "oss://bucket/base",
            "",
        ] {
            assert!(!is_below(other, base), "{other}");
        }
        assert!(is_below("file:///bk/t1/data", "file:///bk/"));
        assert!(!is_below("file:///bk", "file:///bk"));
    }

    #[test]
    fn places_of_tenants_keep_the_parameters() {
        let file = Address::read("file:///bk/").unwrap();
        assert_eq!(file.below("1/1002/data"), "file:///bk/1/1002/data");
        let object = Address::read("s3://b?host=h&access_id=i").unwrap();
        assert_eq!(object.below("1/clog"), "s3://b/1/clog?host=h&access_id=i");
    }

    #[test]
    fn a_test_names_what_a_version_would_not_take() {
        let told = |version: &str, uri: &str| {
            let report = probe(version.parse().unwrap(), Path::new(uri));
            assert!(report.empty);
            report.steps[0].failure.clone()
        };
        let oss = "oss://b/p?host=h&access_id=i&access_key=k";
        let s3 = "s3://b/p?host=h&access_id=i&access_key=k&s3_region=r";
        assert_eq!(told("4.0.0", "file:///bk"), None);
        assert_eq!(told("4.0.0", oss), None);
        assert_eq!(told("4.3.5", s3), None);
        assert_eq!(told("3.1.5", oss), None);
        for (version, uri, why) in [
            ("4.0.0", "/bk", "file:///backup"),
            ("4.0.0", "file://bk", "whole path"),
            ("4.0.0", "file:///bk?host=h", "no parameters"),
            ("4.3.5", "obs://b/p", "reached by s3://"),
            ("4.2.2", s3, "cannot keep backups in"),
            ("3.1.5", s3, "cannot keep backups in"),
            ("4.1.0", "cos://b/p?host=h", "cannot keep backups in"),
            (
                "4.3.5",
                "cos://b/p?host=h&access_id=i&access_key=k",
                "appid",
            ),
            ("4.3.5", "oss://b/p?host=h", "access_id, access_key"),
        ] {
            let told = told(version, uri).unwrap_or_default();
            assert!(told.contains(why), "{version} {uri}: {told}");
        }
    }
}
