//! `tidemark.json`: what makes a directory a destination, and which one it is.

use domain::Scn;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Name of the file, at the root of a destination.
pub(crate) const FILE: &str = "tidemark.json";
/// The newest format written and understood here.
pub(crate) const FORMAT: u32 = 1;

/// Content of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Identity {
    /// Format of everything below.
    pub(crate) format: u32,
    /// Which destination this is.
    pub(crate) uuid: Uuid,
    /// When it was prepared, for people.
    #[serde(default)]
    pub(crate) created: String,
}

impl Identity {
    pub(crate) fn new(now: Scn) -> Self {
        Identity {
            format: FORMAT,
            uuid: Uuid::new_v4(),
            created: now.to_rfc3339(),
        }
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut text =
            serde_json::to_vec_pretty(self).expect("invariant: plain fields always serialise");
        text.push(b'\n');
        text
    }

    /// Reads the file's content. The format is looked at first: a newer one may differ in all the rest.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Identity, Unreadable> {
        #[derive(Deserialize)]
        struct Format {
            format: u32,
        }
        let wrong = |error: serde_json::Error| Unreadable::Damaged(error.to_string());
        let Format { format } = serde_json::from_slice(bytes).map_err(wrong)?;
        if format > FORMAT {
            return Err(Unreadable::Newer(format));
        }
        serde_json::from_slice(bytes).map_err(wrong)
    }
}

/// Why the file says nothing.
#[derive(Debug)]
pub(crate) enum Unreadable {
    /// Made by a newer version, in this format.
    Newer(u32),
    /// Not what was written.
    Damaged(String),
}
