//! The versions a simulated cluster can have.

use std::fmt;
use std::str::FromStr;

/// A supported OceanBase version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Version {
    V2_2_77,
    V3_1_5,
    V4_0_0,
    V4_1_0,
    V4_2_0,
    V4_2_1_6,
    V4_2_1_9,
    V4_2_2,
    V4_2_3,
    V4_3_0,
    V4_3_1,
    V4_3_3,
    V4_3_5,
}

/// A version the simulator has no views for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no simulated OceanBase version {0}")]
pub struct UnknownVersion(pub String);

impl Version {
    /// Every supported version, oldest first.
    pub const ALL: [Version; 13] = [
        Version::V2_2_77,
        Version::V3_1_5,
        Version::V4_0_0,
        Version::V4_1_0,
        Version::V4_2_0,
        Version::V4_2_1_6,
        Version::V4_2_1_9,
        Version::V4_2_2,
        Version::V4_2_3,
        Version::V4_3_0,
        Version::V4_3_1,
        Version::V4_3_3,
        Version::V4_3_5,
    ];

    /// The short text, as `views.json` lists it.
    pub fn text(self) -> &'static str {
        match self {
            Version::V2_2_77 => "2.2.77",
            Version::V3_1_5 => "3.1.5",
            Version::V4_0_0 => "4.0.0",
            Version::V4_1_0 => "4.1.0",
            Version::V4_2_0 => "4.2.0",
            Version::V4_2_1_6 => "4.2.1.6",
            Version::V4_2_1_9 => "4.2.1.9",
            Version::V4_2_2 => "4.2.2",
            Version::V4_2_3 => "4.2.3",
            Version::V4_3_0 => "4.3.0",
            Version::V4_3_1 => "4.3.1",
            Version::V4_3_3 => "4.3.3",
            Version::V4_3_5 => "4.3.5",
        }
    }

    /// Four numbers on 4.x, as `ob_version()` and `COMPATIBLE` show them.
    pub fn full(self) -> String {
        let text = self.text();
        if self.is_legacy() || text.matches('.').count() == 3 {
            text.to_owned()
        } else {
            format!("{text}.0")
        }
    }

    /// Whether this is the cluster-level generation before 4.0.
    pub fn is_legacy(self) -> bool {
        self < Version::V4_0_0
    }

    /// Whether tenants have a role and a standby can be activated.
    pub fn has_roles(self) -> bool {
        self >= Version::V4_1_0
    }

    /// Whether `NAMES` may stand inside a SET list.
    pub fn names_in_set_list(self) -> bool {
        !matches!(
            self,
            Version::V4_0_0 | Version::V4_1_0 | Version::V4_2_0 | Version::V4_2_2 | Version::V4_3_0
        )
    }

    /// Whether restore preview is a statement of its own.
    pub fn short_preview(self) -> bool {
        self >= Version::V4_2_1_6
    }

    /// Whether S3 is a known destination.
    pub fn has_s3(self) -> bool {
        self >= Version::V4_2_1_9 && self != Version::V4_2_2
    }

    /// What an incremental backup does when the tenant's data version has changed since its predecessor.
    pub fn incremental_after_upgrade(self) -> AfterUpgrade {
        if self >= Version::V4_3_3 {
            AfterUpgrade::Full
        } else if self >= Version::V4_2_0 {
            AfterUpgrade::Refused
        } else {
            AfterUpgrade::Unchecked
        }
    }
}

/// See [`Version::incremental_after_upgrade`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterUpgrade {
    /// Nobody looks.
    Unchecked,
    /// 9040.
    Refused,
    /// A full backup is made.
    Full,
}

impl FromStr for Version {
    type Err = UnknownVersion;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Version::ALL
            .into_iter()
            .find(|v| v.text() == text)
            .ok_or_else(|| UnknownVersion(text.to_owned()))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}
