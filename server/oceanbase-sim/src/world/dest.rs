//! Destination URIs, and who owns the directories they name.

use std::collections::BTreeMap;

use super::World;
use crate::SqlError;
use crate::error;
use crate::version::Version;

/// What a directory is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Data,
    Archive,
}

/// What a directory holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Holder {
    /// Files of somebody else, and no format file.
    Junk,
    /// A format file.
    Format { tenant: i64, kind: Kind, dest: i64 },
}

/// The directories that are not empty.
#[derive(Debug, Clone, Default)]
pub(crate) struct Storage {
    pub(crate) dirs: BTreeMap<String, Holder>,
}

/// A destination that was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Uri {
    /// Without parameters and trailing slash.
    pub(crate) root: String,
    /// `?host=...` of object storage, or nothing.
    pub(crate) host: String,
    /// As the server stores it.
    pub(crate) shown: String,
    pub(crate) s3: bool,
}

impl Uri {
    /// What two URIs of one place have in common.
    pub(crate) fn key(&self) -> String {
        format!("{}{}", self.root, self.host)
    }

    /// A place below a key.
    pub(crate) fn below(key: &str, name: &str) -> String {
        match key.split_once('?') {
            Some((root, rest)) => format!("{root}/{name}?{rest}"),
            None => format!("{key}/{name}"),
        }
    }
}

fn invalid(uri: &str) -> SqlError {
    error::coded(9026, format!("{uri} is not a valid uri"))
}

/// Reads a destination URI.
pub(crate) fn parse(text: &str, version: Version) -> Result<Uri, SqlError> {
    let bad = || invalid(text);
    if let Some(path) = text.strip_prefix("file://") {
        if !path.starts_with('/') || path.contains('?') || path.len() < 2 {
            return Err(bad());
        }
        let root = format!("file://{}", path.trim_end_matches('/'));
        return Ok(Uri {
            shown: root.clone(),
            root,
            host: String::new(),
            s3: false,
        });
    }
    let (scheme, rest) = text.split_once("://").ok_or_else(bad)?;
    let known = match scheme {
        "oss" => true,
        "cos" => version >= Version::V4_2_1_6 || version.is_legacy(),
        "s3" => version.has_s3(),
        _ => false,
    };
    let (place, parameters) = rest.split_once('?').ok_or_else(bad)?;
    if !known || place.is_empty() || place.starts_with('/') {
        return Err(bad());
    }
    object(text, scheme, place, parameters, version)
}

fn object(
    text: &str,
    scheme: &str,
    place: &str,
    parameters: &str,
    version: Version,
) -> Result<Uri, SqlError> {
    let bad = || invalid(text);
    let mut found = BTreeMap::new();
    for pair in parameters.split('&').filter(|p| !p.is_empty()) {
        let (key, value) = pair.split_once('=').ok_or_else(bad)?;
        found.insert(key, value);
    }
    let newest = version >= Version::V4_3_3;
    for (key, value) in &found {
        let fine = match *key {
            "host" | "access_id" | "access_key" => !value.is_empty(),
            "delete_mode" => matches!(*value, "delete" | "tagging"),
            "checksum_type" => matches!(*value, "md5" | "crc32" | "no_checksum"),
            "appid" => scheme == "cos",
            "s3_region" => scheme == "s3",
            "addressing_model" => matches!(*value, "virtual_hosted_style" | "path_style"),
            "max_iops" | "max_bandwidth" => newest,
            _ => false,
        };
        if !fine {
            return Err(bad());
        }
    }
    let host = found.get("host").copied().ok_or_else(bad)?;
    let id = found.get("access_id").copied().ok_or_else(bad)?;
    let secret = found.get("access_key").copied().ok_or_else(bad)?;
    if scheme == "cos" && !found.contains_key("appid") {
        return Err(bad());
    }
    let root = format!("{scheme}://{}", place.trim_end_matches('/'));
    let mut shown = format!(
        "{root}?host={host}&access_id={id}&encrypt_key={}",
        digest(secret)
    );
    for key in ["delete_mode", "appid", "s3_region", "addressing_model"] {
        if let Some(value) = found.get(key) {
            shown.push_str(&format!("&{key}={value}"));
        }
    }
    match found.get("checksum_type") {
        Some(value) => shown.push_str(&format!("&checksum_type={value}")),
        None if newest => shown.push_str("&checksum_type=md5"),
        None => {}
    }
    Ok(Uri {
        host: format!("?host={host}"),
        root,
        shown,
        s3: scheme == "s3",
    })
}

/// A stand-in for an encrypted secret: upper-case hexadecimal that does not show it.
pub(crate) fn digest(secret: &str) -> String {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in secret.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    format!("{hash:016X}{:016X}", hash.rotate_left(17) ^ 0x5bd1_e995)
}

impl World {
    /// Whether the storage answers, can be written and has room.
    pub(crate) fn storage_ready(&self, key: &str) -> Result<(), SqlError> {
        if self.faults.unreachable.iter().any(|p| key.starts_with(p)) {
            return Err(error::coded(9070, "backup device is unreachable"));
        }
        if self.faults.read_only.iter().any(|p| key.starts_with(p)) {
            return Err(error::coded(9071, "backup destination has no permission"));
        }
        if self.faults.full.iter().any(|p| key.starts_with(p)) {
            return Err(error::coded(9082, "backup device is out of space"));
        }
        Ok(())
    }

    /// Takes a directory for a tenant and tells its dest id; the same use of the same directory keeps its id.
    pub(crate) fn claim(&mut self, uri: &Uri, tenant: i64, kind: Kind) -> Result<i64, SqlError> {
        let key = uri.key();
        self.storage_ready(&key)?;
        match self.storage.dirs.get(&key) {
            Some(Holder::Junk) => Err(error::coded(
                9080,
                "backup format file does not exist and the destination is not empty",
            )),
            Some(Holder::Format {
                tenant: owner,
                kind: use_,
                dest,
            }) => {
                if *owner == tenant && *use_ == kind {
                    Ok(*dest)
                } else {
                    Err(error::coded(9081, "backup format file does not match"))
                }
            }
            None => {
                let dest = self.ids.dest;
                self.ids.dest += 1;
                self.storage
                    .dirs
                    .insert(key, Holder::Format { tenant, kind, dest });
                Ok(dest)
            }
        }
    }

    /// Puts a file of somebody else into a directory.
    pub(crate) fn put_file(&mut self, text: &str) -> Result<(), SqlError> {
        let uri = parse(text, self.version())?;
        self.storage.dirs.entry(uri.key()).or_insert(Holder::Junk);
        Ok(())
    }
}
