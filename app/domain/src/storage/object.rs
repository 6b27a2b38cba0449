//! Object storages: how one is reached, what is wrong with that, and the address that a database server is given.

use super::{DIRECTORY_BYTES_MAX, StorageKind, StorageSettings};
use crate::{strategy::label, validate::Violation};
use serde::{Deserialize, Serialize};

/// Longest name of a bucket (OSS, COS and S3 allow 3 to 63 characters).
const BUCKET_MAX: usize = 63;
/// Longest endpoint, access id and key, in bytes.
const TEXT_BYTES_MAX: usize = 256;

/// How an object storage is reached, without its key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct ObjectAccess {
    /// Host name of the service, such as `oss-cn-hangzhou.aliyuncs.com`; a port may follow.
    pub endpoint: String,
    /// Name of the key.
    pub access_id: String,
    /// Region, for S3; else empty.
    #[serde(default)]
    pub region: String,
    /// Number of the account, for COS; else empty.
    #[serde(default)]
    pub app_id: String,
}

/// The key of an object storage. Sent once, not shown by `Debug`, and never sent back.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AccessKey(pub String);

impl std::fmt::Debug for AccessKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AccessKey (not shown)")
    }
}

/// The keys that are given with a strategy; one that is absent stays as it is known.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct StorageKeys {
    /// Of the first storage.
    pub first: Option<AccessKey>,
    /// Of the second one.
    pub second: Option<AccessKey>,
}

impl AccessKey {
    /// What is wrong with it. It is not quoted.
    pub fn violation(&self, prefix: &str) -> Option<Violation> {
        let field = format!("{prefix}{}", label::ACCESS_KEY);
        wrong_text(&self.0, "give the key").map(|why| Violation::new(&field, "not shown", why))
    }
}

/// The host of a storage, in the form in which equal ones are equal texts.
pub(super) fn host(of: &StorageSettings) -> Option<String> {
    let object = of.object.as_ref()?;
    Some(object.endpoint.trim().to_ascii_lowercase())
}

/// Everything that is wrong with an object storage.
pub(super) fn violations(settings: &StorageSettings, prefix: &str) -> Vec<Violation> {
    let field = |label: &str| format!("{prefix}{label}");
    let nothing = ObjectAccess::default();
    let object = settings.object.as_ref().unwrap_or(&nothing);
    let mut found = Vec::new();
    let mut check = |label: &str, value: &str, wrong: Option<&str>| {
        found.extend(wrong.map(|why| Violation::new(&field(label), value, why)));
    };
    let directory = &settings.directory;
    check(label::DIRECTORY, directory, wrong_bucket(directory));
    let endpoint = &object.endpoint;
    check(label::ENDPOINT, endpoint, wrong_endpoint(endpoint));
    let id = &object.access_id;
    check(label::ACCESS_ID, id, wrong_text(id, "give the access id"));
    if settings.kind == StorageKind::S3 {
        let region = &object.region;
        let why = "give the region of the bucket, such as us-east-1";
        check(label::REGION, region, wrong_text(region, why));
    }
    if settings.kind == StorageKind::Cos {
        let id = &object.app_id;
        let digits = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
        let why = (!digits).then_some("give the number of the account, digits only");
        check(label::APP_ID, id, why);
    }
    found
}

fn wrong_bucket(directory: &str) -> Option<&'static str> {
    if directory.contains("://") {
        return Some("leave out the protocol; write bucket/prefix");
    }
    if directory.starts_with('/') {
        return Some("begin with the name of the bucket: bucket/prefix");
    }
    if directory.len() > DIRECTORY_BYTES_MAX {
        return Some("it is longer than 1024 bytes; use a shorter one");
    }
    let mut parts = directory.split('/').filter(|part| !part.is_empty());
    let bucket = parts.next().unwrap_or_default();
    let is_letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c);
    if !(3..=BUCKET_MAX).contains(&bucket.len()) || !bucket.chars().all(is_letter) {
        return Some("a bucket has 3 to 63 small letters, digits and hyphens: bucket/prefix");
    }
    let strange = |part: &str| {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        part == "." || part == ".." || !part.chars().all(is_plain)
    };
    parts
        .any(strange)
        .then_some("use letters, digits, hyphens, underscores and dots after the bucket")
}

fn wrong_endpoint(endpoint: &str) -> Option<&'static str> {
    let host = endpoint
        .strip_prefix("https://")
        .or_else(|| endpoint.strip_prefix("http://"))
        .unwrap_or(endpoint);
    let is_host = |c: char| c.is_ascii_alphanumeric() || "-.:[]".contains(c);
    let right = !host.is_empty() && host.len() <= TEXT_BYTES_MAX && host.chars().all(is_host);
    (!right).then_some("give the host name of the service, such as oss-cn-hangzhou.aliyuncs.com")
}

/// What may stand in a parameter of an address as it is: the server reads no escapes.
fn wrong_text(text: &str, when_empty: &'static str) -> Option<&'static str> {
    if text.is_empty() {
        return Some(when_empty);
    }
    if text.len() > TEXT_BYTES_MAX {
        return Some("it is longer than 256 bytes");
    }
    let breaks = |c: char| !c.is_ascii_graphic() || "&?,'\"\\".contains(c);
    text.chars()
        .any(breaks)
        .then_some("leave out spaces and & ? , ' \" \\: addresses cannot carry them")
}

impl StorageSettings {
    /// The address that a database server is given, with the key if one is; `file:///backup` for a directory.
    pub fn address(&self, key: Option<&AccessKey>) -> String {
        let kind = self.kind.code();
        let Some(object) = self.object.as_ref().filter(|_| self.kind.is_object()) else {
            return format!("{kind}://{}", self.directory);
        };
        let key = key.map_or("", |key| &key.0);
        let parameters = [
            ("host", object.endpoint.as_str()),
            ("access_id", &object.access_id),
            ("access_key", key),
            ("s3_region", &object.region),
            ("appid", &object.app_id),
        ];
        let given = parameters.iter().filter(|(_, value)| !value.is_empty());
        let pairs: Vec<String> = given
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        format!("{kind}://{}?{}", self.directory, pairs.join("&"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn storage(kind: StorageKind) -> StorageSettings {
        StorageSettings {
            name: "objects".to_owned(),
            kind,
            directory: "bucket/prefix".to_owned(),
            object: Some(ObjectAccess {
                endpoint: "s.example.com".to_owned(),
                access_id: "me".to_owned(),
                region: match kind {
                    StorageKind::S3 => "us-east-1".to_owned(),
                    _ => String::new(),
                },
                app_id: match kind {
                    StorageKind::Cos => "1250000000".to_owned(),
                    _ => String::new(),
                },
            }),
            capacity_percent: 80,
        }
    }

    #[test]
    fn addresses_are_what_the_database_reads() {
        let key = AccessKey("s3cr3t".to_owned());
        for (kind, address) in [
            (
                StorageKind::Oss,
                "oss://bucket/prefix?host=s.example.com&access_id=me&access_key=s3cr3t",
            ),
            (
                StorageKind::S3,
                "s3://bucket/prefix?host=s.example.com&access_id=me&access_key=s3cr3t&s3_region=us-east-1",
            ),
            (
                StorageKind::Cos,
                "cos://bucket/prefix?host=s.example.com&access_id=me&access_key=s3cr3t&appid=1250000000",
            ),
        ] {
            assert_eq!(storage(kind).address(Some(&key)), address);
            assert!(!storage(kind).address(None).contains("access_key"));
            assert!(super::super::violations(&storage(kind), "").is_empty());
        }
        let mut file = storage(StorageKind::File);
        file.directory = "/backup".to_owned();
        assert_eq!(file.address(Some(&key)), "file:///backup");
        assert!(!format!("{key:?}").contains("s3cr3t"));
    }

    #[test]
    fn each_field_of_an_object_storage_is_named() {
        let mut bare = storage(StorageKind::Cos);
        bare.object = None;
        bare.directory = "oss://b/p".to_owned();
        let fields: Vec<String> = violations(&bare, "P: ")
            .into_iter()
            .map(|wrong| wrong.field)
            .collect();
        let expected = [
            label::DIRECTORY,
            label::ENDPOINT,
            label::ACCESS_ID,
            label::APP_ID,
        ];
        assert_eq!(fields, expected.map(|label| format!("P: {label}")));
        for directory in [
            "/b/p",
            "b",
            "Bucket/p",
            "bucket/a b",
            "bucket/../p",
            "bucket/p?x=1",
        ] {
            let mut wrong = storage(StorageKind::Oss);
            wrong.directory = directory.to_owned();
            assert_eq!(violations(&wrong, "").len(), 1, "{directory}");
        }
        for (id, endpoint) in [("a&b=c", "h"), ("id", "h/x"), ("id", "h?y")] {
            let mut wrong = storage(StorageKind::Oss);
            let object = wrong.object.as_mut().unwrap();
            (object.access_id, object.endpoint) = (id.to_owned(), endpoint.to_owned());
            assert_eq!(violations(&wrong, "").len(), 1, "{id} {endpoint}");
        }
        let mut s3 = storage(StorageKind::S3);
        s3.object.as_mut().unwrap().region = String::new();
        assert_eq!(violations(&s3, "")[0].field, label::REGION);
        for key in ["", "a b", "a&b"] {
            let wrong = AccessKey(key.to_owned()).violation("").unwrap();
            assert_eq!(
                (&*wrong.field, &*wrong.value),
                (label::ACCESS_KEY, "not shown")
            );
        }
    }

    #[test]
    fn a_place_is_the_same_whatever_it_is_called() {
        let one = storage(StorageKind::Oss);
        let mut other = one.clone();
        other.name = "else".to_owned();
        other.directory = "bucket//prefix/".to_owned();
        assert!(super::super::same_place(&one, &other));
        other.object.as_mut().unwrap().endpoint = "t.example.com".to_owned();
        assert!(!super::super::same_place(&one, &other));
    }
}
