//! Versions of OceanBase, and what each of them can do.

use domain::storage::StorageKind;
use std::{fmt, str::FromStr};

/// A version such as `4.2.1.6`; parts that were not given are 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(pub [u32; 4]);

/// Text that is no version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no version of OceanBase; one looks like 4.2.1.6")]
pub struct NotAVersion(pub String);

impl FromStr for Version {
    type Err = NotAVersion;

    /// Reads `4.2.1.6`, and what may follow it as in `4.2.1.6_101000` or `4.2.1.6 (r…)`.
    fn from_str(text: &str) -> Result<Self, NotAVersion> {
        let numbers = |c: char| !(c.is_ascii_digit() || c == '.');
        let head = text.trim().split(numbers).next().unwrap_or_default();
        let mut parts = [0; 4];
        let mut read = 0;
        for (part, word) in parts.iter_mut().zip(head.split('.')) {
            let number = word.parse::<u32>();
            *part = number.map_err(|_| NotAVersion(text.to_owned()))?;
            read += 1;
        }
        match read >= 2 {
            true => Ok(Version(parts)),
            false => Err(NotAVersion(text.to_owned())),
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch, build] = self.0;
        write!(f, "{major}.{minor}.{patch}")?;
        match build {
            0 => Ok(()),
            build => write!(f, ".{build}"),
        }
    }
}

impl Version {
    /// Whether backup and log archiving are the tenant's own (4.0 and later); before, they are the cluster's.
    pub fn is_per_tenant(self) -> bool {
        self.0[0] >= 4
    }

    /// Whether a tenant has a role, and a restored one is a standby until it is activated (4.1).
    pub fn has_roles(self) -> bool {
        self >= Version([4, 1, 0, 0])
    }

    /// Whether a running recovery can be canceled (4.2.0); before, its tenant has to be dropped.
    pub fn can_cancel_restore(self) -> bool {
        self >= Version([4, 2, 0, 0])
    }

    /// Whether a tenant can have replicas that only read (4.2.0); before, all of them are full.
    pub fn has_readers(self) -> bool {
        self >= Version([4, 2, 0, 0])
    }

    /// Where backups can go: a file system always, OSS since 2.2.77, COS before 4.0 and since 4.2.1, S3 and what speaks
    /// like it since 4.2.1.7, though not in 4.2.2.
    pub fn storage_kinds(self) -> Vec<StorageKind> {
        let within =
            |from: [u32; 4], until: [u32; 4]| Version(from) <= self && self < Version(until);
        let mut kinds = vec![StorageKind::File, StorageKind::Oss];
        if !self.is_per_tenant() || self >= Version([4, 2, 1, 0]) {
            kinds.push(StorageKind::Cos);
        }
        if within([4, 2, 1, 7], [4, 2, 2, 0]) || self >= Version([4, 2, 3, 0]) {
            kinds.push(StorageKind::S3);
        }
        kinds
    }

    /// Whether sets and logs can be copied to a second destination by the cluster itself (2.2.77 and 3.x).
    pub fn has_second_backup(self) -> bool {
        !self.is_per_tenant()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_read_and_compare() {
        let version = |text: &str| text.parse::<Version>().unwrap();
        assert_eq!(version("4.2.1.6"), Version([4, 2, 1, 6]));
        assert_eq!(
            version("4.2.1.6_101000062023110112-ab"),
            Version([4, 2, 1, 6])
        );
        assert_eq!(version(" 3.1.5 (r1)").to_string(), "3.1.5");
        assert_eq!(version("4.3.5.1").to_string(), "4.3.5.1");
        assert!(version("4.2.1.9") < version("4.2.2") && version("4.2.2") < version("4.10.0"));
        for bad in ["", "4", "four", "4.x", "v4.2"] {
            assert!(bad.parse::<Version>().is_err(), "{bad}");
        }
    }
}
