//! Segments: immutable log objects at the destination, each a run of whole commits.
//!
//! ```text
//! magic | blocks (zstd of raw frames) | index (zstd: commits, page of each frame) | footer (JSON)
//!       | footer length u32 | BLAKE3 of everything before | magic
//! ```
//! The footer names the heads before and after, so segments prove by themselves that one follows
//! the other: whoever removes, repeats or swaps one is found out without any listing.

use crate::{
    commit::{COMMIT_BYTES, Commit, Head, array},
    keys,
    staging::Stretch,
    wal::FRAME_HEADER_BYTES,
};
use domain::Scn;
use serde::{Deserialize, Serialize};
use std::io::{self, Read};
use storage::{Dest, StorageError};

pub(crate) const MAGIC: &[u8; 8] = b"tdmseg01";
/// Length, hash and magic at the end.
const TAIL_BYTES: u64 = 4 + 32 + 8;

/// A segment that cannot be trusted: which, and what is wrong with it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SegmentError {
    #[error("{key} is damaged: {what}")]
    Damaged { key: String, what: String },
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error("staged log {path}: {source}")]
    Staged { path: String, source: io::Error },
}

/// One compressed block of frames.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Block {
    pub(crate) offset: u64,
    pub(crate) stored: u32,
    pub(crate) frames: u32,
}

/// What the footer says.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Footer {
    pub(crate) format: u32,
    pub(crate) tenant: String,
    pub(crate) page_size: u32,
    pub(crate) before: Head,
    pub(crate) after: Head,
    /// Everything committed at or before it is in this segment or an earlier one.
    pub(crate) checkpoint: Scn,
    pub(crate) blocks: Vec<Block>,
    pub(crate) index_offset: u64,
    pub(crate) index_stored: u64,
    pub(crate) index_raw: u64,
}

impl Footer {
    /// Whether it is of the stretch of log between these two heads.
    pub(crate) fn is_between(&self, before: &Head, after: &Head) -> bool {
        let same = |one: &Head, other: &Head| {
            (one.round, one.txn, one.digest, &one.history)
                == (other.round, other.txn, other.digest, &other.history)
        };
        same(&self.before, before) && same(&self.after, after)
    }
}

/// A published segment, as its name tells.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SegmentName {
    pub(crate) first_txn: u64,
    pub(crate) last_txn: u64,
    pub(crate) first_scn: Scn,
    /// Everything committed up to here is in it or in an earlier one.
    pub(crate) until: Scn,
}

impl SegmentName {
    pub(crate) fn of(stretch: &Stretch) -> Self {
        SegmentName {
            first_txn: stretch.before.txn + 1,
            last_txn: stretch.after.txn,
            first_scn: stretch
                .commits
                .first()
                .map_or(stretch.after.scn, |commit| commit.scn),
            until: stretch.checkpoint.max(stretch.after.scn),
        }
    }

    pub(crate) fn file(&self) -> String {
        let SegmentName {
            first_txn,
            last_txn,
            first_scn,
            until,
        } = self;
        format!(
            "{first_txn:012}-{last_txn:012}-{:019}-{:019}.seg",
            first_scn.0, until.0
        )
    }

    pub(crate) fn parse(file: &str) -> Option<Self> {
        let mut parts = file
            .strip_suffix(".seg")?
            .split('-')
            .map(|part| part.parse::<u64>().ok());
        let name = SegmentName {
            first_txn: parts.next()??,
            last_txn: parts.next()??,
            first_scn: Scn(parts.next()??),
            until: Scn(parts.next()??),
        };
        (parts.next().is_none() && name.file() == file).then_some(name)
    }
}

/// An opened segment whose every byte has been checked.
pub(crate) struct Segment {
    pub(crate) dest: Dest,
    pub(crate) key: String,
    pub(crate) footer: Footer,
    pub(crate) commits: Vec<Commit>,
    /// Page number of each frame.
    pub(crate) pages: Vec<u32>,
    pub(crate) bytes: u64,
}

impl Segment {
    /// Opens `key` and checks all of it.
    pub(crate) fn open(dest: &Dest, key: &str) -> Result<Self, SegmentError> {
        let damaged = |what: &str| SegmentError::Damaged {
            key: key.to_owned(),
            what: what.to_owned(),
        };
        let size = dest.size(key)?;
        if size < TAIL_BYTES + MAGIC.len() as u64 {
            return Err(damaged("it is shorter than any segment"));
        }
        let mut tail = [0; TAIL_BYTES as usize];
        dest.read_at(key, size - TAIL_BYTES, &mut tail)?;
        if &tail[36..] != MAGIC {
            return Err(damaged("its end is missing"));
        }
        if hash_of_start(dest, key, size - 40)? != tail[4..36] {
            return Err(damaged("its checksum does not match"));
        }
        let footer_bytes = u64::from(u32::from_le_bytes(array(&tail)));
        let start = (size - TAIL_BYTES)
            .checked_sub(footer_bytes)
            .ok_or_else(|| damaged("its footer is cut"))?;
        let mut json = vec![0; footer_bytes as usize];
        dest.read_at(key, start, &mut json)?;
        let footer: Footer = serde_json::from_slice(&json)
            .map_err(|error| damaged(&format!("its footer: {error}")))?;
        if footer.format != 1 {
            return Err(damaged(&format!(
                "format {} is newer than this version reads",
                footer.format
            )));
        }
        let (commits, pages) =
            read_index(dest, key, &footer)?.ok_or_else(|| damaged("its index is cut"))?;
        if !is_named_for(key, &footer, &commits) {
            return Err(damaged(
                "it is not the log file that its name says, and does not follow the one before it",
            ));
        }
        Ok(Segment {
            dest: dest.clone(),
            key: key.to_owned(),
            footer,
            commits,
            pages,
            bytes: size,
        })
    }

    /// Whether everything in `part` is in it too.
    pub(crate) fn holds(&self, part: &Segment) -> bool {
        let Some(first) = part.commits.first() else {
            return true;
        };
        let ours = self
            .commits
            .iter()
            .skip_while(|commit| commit.txn != first.txn);
        self.footer.tenant == part.footer.tenant
            && self.footer.before.round == part.footer.before.round
            && ours.take(part.commits.len()).eq(&part.commits)
    }

    /// Calls `each` with every block as it is stored, and the frames in it.
    pub(crate) fn blocks(
        &self,
        mut each: impl FnMut(&[u8], u32) -> Result<(), StorageError>,
    ) -> Result<(), SegmentError> {
        for block in &self.footer.blocks {
            let mut packed = vec![0; block.stored as usize];
            self.dest.read_at(&self.key, block.offset, &mut packed)?;
            each(&packed, block.frames)?;
        }
        Ok(())
    }

    /// Calls `each` with the number (from 0), page number and content of the frames for which `wanted` says so.
    /// What `each` answers with is its own error, and says nothing about the segment.
    pub(crate) fn frames<E: From<SegmentError>>(
        &self,
        wanted: impl Fn(usize) -> bool,
        mut each: impl FnMut(usize, u32, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let damaged = |what: String| SegmentError::Damaged {
            key: self.key.clone(),
            what,
        };
        let frame_bytes = FRAME_HEADER_BYTES + self.footer.page_size as usize;
        let mut first = 0usize;
        for block in &self.footer.blocks {
            let count = block.frames as usize;
            let range = first..first + count;
            first += count;
            if !range.clone().any(&wanted) {
                continue;
            }
            let mut packed = vec![0; block.stored as usize];
            self.dest
                .read_at(&self.key, block.offset, &mut packed)
                .map_err(SegmentError::from)?;
            let raw = zstd::bulk::decompress(&packed, count * frame_bytes)
                .map_err(|error| damaged(format!("a block does not unpack: {error}")))?;
            for (frame, number) in raw.chunks_exact(frame_bytes).zip(range) {
                if wanted(number) {
                    each(number, self.pages[number], &frame[FRAME_HEADER_BYTES..])?;
                }
            }
        }
        Ok(())
    }
}

/// Whether the place and name of a segment, by which it is chosen, are those of its content.
fn is_named_for(key: &str, footer: &Footer, commits: &[Commit]) -> bool {
    let (before, after) = (&footer.before, &footer.after);
    let name = SegmentName {
        first_txn: before.txn + 1,
        last_txn: after.txn,
        first_scn: commits.first().map_or(after.scn, |commit| commit.scn),
        until: footer.checkpoint.max(after.scn),
    };
    let of_tenant = format!("/{}/", footer.tenant);
    keys::round_and_piece(key)
        .is_some_and(|(round, _)| (round, round) == (before.round, after.round))
        && key.rsplit('/').next() == Some(name.file().as_str())
        && key.contains(&of_tenant)
}

fn hash_of_start(dest: &Dest, key: &str, bytes: u64) -> Result<[u8; 32], SegmentError> {
    let mut reader = dest.reader(key)?.take(bytes);
    let mut hasher = blake3::Hasher::new();
    io::copy(&mut reader, &mut hasher)
        .map_err(|source| StorageError::from_io("reading", key, source))?;
    Ok(*hasher.finalize().as_bytes())
}

type Index = (Vec<Commit>, Vec<u32>);

fn read_index(dest: &Dest, key: &str, footer: &Footer) -> Result<Option<Index>, SegmentError> {
    let mut packed = vec![0; footer.index_stored as usize];
    dest.read_at(key, footer.index_offset, &mut packed)?;
    let Ok(raw) = zstd::bulk::decompress(&packed, footer.index_raw as usize) else {
        return Ok(None);
    };
    if raw.len() < 8 {
        return Ok(None);
    }
    let count = u64::from_le_bytes(array(&raw)) as usize;
    let Some(commit_bytes) = raw.get(8..8 + count * COMMIT_BYTES) else {
        return Ok(None);
    };
    let commits = commit_bytes
        .as_chunks()
        .0
        .iter()
        .map(Commit::from_bytes)
        .collect();
    let pages = raw[8 + count * COMMIT_BYTES..]
        .as_chunks()
        .0
        .iter()
        .map(|bytes| u32::from_le_bytes(*bytes))
        .collect();
    Ok(Some((commits, pages)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back_and_sort_by_transaction() {
        let name = SegmentName {
            first_txn: 9,
            last_txn: 11,
            first_scn: Scn(5),
            until: Scn(u64::MAX / 2),
        };
        assert_eq!(SegmentName::parse(&name.file()), Some(name.clone()));
        let later = SegmentName {
            first_txn: 10,
            ..name.clone()
        };
        assert!(name.file() < later.file());
        for bad in [
            "x.seg",
            "1-2-3.seg",
            "1-2-3-4-5.seg",
            "000000000009-000000000011.seg",
        ] {
            assert_eq!(SegmentName::parse(bad), None, "{bad}");
        }
    }
}
