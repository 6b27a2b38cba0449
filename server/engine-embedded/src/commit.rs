//! Commits in the archive: the record of one, and the head, the state after the last.

use crate::wal::{Chain, Salts};
use domain::Scn;
use serde::{Deserialize, Serialize};

/// How the time of a commit is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// Stamped by the engine when it made the commit.
    Engine,
    /// Made by another program; bounded by two looks at the log.
    Guest,
}

/// One archived commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Commit {
    /// Ordinal in its round, from 1.
    pub(crate) txn: u64,
    /// Its time.
    pub(crate) scn: Scn,
    /// A moment at which it was not committed yet; equal to `scn` when that is exact.
    pub(crate) after: Scn,
    pub(crate) source: Source,
    /// Frames it consists of.
    pub(crate) frames: u32,
    /// Pages of the database after it.
    pub(crate) db_pages: u32,
    /// State digest after it.
    pub(crate) digest: u128,
}

/// Bytes of a stored commit.
pub(crate) const COMMIT_BYTES: usize = 56;

impl Commit {
    pub(crate) fn to_bytes(self) -> [u8; COMMIT_BYTES] {
        let mut bytes = [0; COMMIT_BYTES];
        bytes[0..8].copy_from_slice(&self.txn.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.scn.0.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.after.0.to_le_bytes());
        bytes[24..28].copy_from_slice(&self.frames.to_le_bytes());
        bytes[28..32].copy_from_slice(&self.db_pages.to_le_bytes());
        bytes[32..48].copy_from_slice(&self.digest.to_le_bytes());
        bytes[48] = match self.source {
            Source::Engine => 0,
            Source::Guest => 1,
        };
        bytes
    }

    pub(crate) fn from_bytes(bytes: &[u8; COMMIT_BYTES]) -> Self {
        let u64_at = |at: usize| u64::from_le_bytes(array(&bytes[at..at + 8]));
        let u32_at = |at: usize| u32::from_le_bytes(array(&bytes[at..at + 4]));
        Commit {
            txn: u64_at(0),
            scn: Scn(u64_at(8)),
            after: Scn(u64_at(16)),
            frames: u32_at(24),
            db_pages: u32_at(28),
            digest: u128::from_le_bytes(array(&bytes[32..48])),
            source: if bytes[48] == 0 {
                Source::Engine
            } else {
                Source::Guest
            },
        }
    }
}

/// The first `N` bytes of a slice at least that long.
pub(crate) fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut array = [0; N];
    array.copy_from_slice(&bytes[..N]);
    array
}

/// A place in the write-ahead log: after `frame` of the log with `salts`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LogPosition {
    pub(crate) salts: Salts,
    pub(crate) frame: u32,
    pub(crate) s1: u32,
    pub(crate) s2: u32,
}

impl LogPosition {
    pub(crate) fn chain(&self) -> Chain {
        Chain {
            s1: self.s1,
            s2: self.s2,
        }
    }
}

/// The state after a commit: everything needed to go on from it, and to prove that one arrived at it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Head {
    pub(crate) round: i64,
    /// Commits of the round so far.
    pub(crate) txn: u64,
    /// Time of the last commit, or the round's start.
    pub(crate) scn: Scn,
    /// A moment at which that commit was not there yet; equal to `scn` when that is exact.
    pub(crate) after: Scn,
    #[serde(with = "hex128")]
    pub(crate) digest: u128,
    pub(crate) db_pages: u32,
    /// Hash over all commits of the round in order; two archives that agree on it agree on everything before.
    pub(crate) history: String,
    /// Where the write-ahead log stood.
    pub(crate) log: LogPosition,
}

/// A moment at which no commit behind transaction `txn` was there yet, as far as `commits` tell.
///
/// Not that of the next commit alone: where that one has a stamp, another program's commit behind it may have been
/// there before the stamp was given. Both were seen in one look, and so stand in one segment.
pub(crate) fn absent_at(commits: &[Commit], txn: u64) -> Option<Scn> {
    let behind = commits.iter().filter(|commit| commit.txn > txn);
    behind.map(|commit| commit.after).min()
}

/// The history hash after `commit` with the page numbers and page hashes of its frames.
pub(crate) fn extend_history(history: &str, commit: &Commit, frames: &[(u32, u128)]) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(history.as_bytes());
    hasher.update(&commit.to_bytes());
    for (page, hash) in frames {
        hasher.update(&page.to_le_bytes());
        hasher.update(&hash.to_le_bytes());
    }
    hasher.finalize().to_hex().to_string()
}

/// 128-bit numbers as 32 hexadecimal digits; JSON numbers cannot hold them.
pub(crate) mod hex128 {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(crate) fn serialize<S: Serializer>(value: &u128, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format!("{value:032x}"))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<u128, D::Error> {
        let text = String::deserialize(deserializer)?;
        u128::from_str_radix(&text, 16).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_behind_a_stamped_one_counts_from_when_it_was_not_seen() {
        let commit = |txn, after, scn, source| Commit {
            txn,
            scn: Scn(scn),
            after: Scn(after),
            source,
            frames: 1,
            db_pages: 1,
            digest: 0,
        };
        let commits = [
            commit(1, 50, 50, Source::Engine),
            commit(2, 70, 70, Source::Engine),
            commit(3, 60, 71, Source::Guest),
        ];
        assert_eq!(absent_at(&commits, 1), Some(Scn(60)));
        assert_eq!(absent_at(&commits, 3), None);
    }

    #[test]
    fn commits_read_back() {
        for source in [Source::Engine, Source::Guest] {
            let commit = Commit {
                txn: 7,
                scn: Scn(u64::MAX - 3),
                after: Scn(12),
                source,
                frames: 3,
                db_pages: 9,
                digest: u128::MAX / 5,
            };
            assert_eq!(Commit::from_bytes(&commit.to_bytes()), commit);
        }
    }
}
