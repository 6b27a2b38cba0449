//! Writes segments: a staged stretch as a new one, or several as one that replaces them.

use crate::{
    commit::{Commit, Head},
    segment::{Block, Footer, MAGIC, Segment, SegmentError},
    staging::Stretch,
    wal::FRAME_HEADER_BYTES,
};
use domain::Scn;
use std::{
    fs::File,
    io::{self, Read},
};
use storage::{Dest, ObjectWriter, StorageError};

/// Raw bytes in one compressed block, at most (but always at least one frame).
const BLOCK_RAW_BYTES_MAX: usize = 1 << 20;
/// Log is written once and rarely read; the fastest level keeps commits cheap.
const LEVEL: i32 = 1;

/// Writes the segment `key` with the log between two heads by `write`; gives its size, and whether it was there already.
///
/// A process that was killed may have published it before; then it must be of the same log. One that is damaged
/// is written again: whoever writes has what belongs into it.
pub(crate) fn write_once(
    dest: &Dest,
    key: &str,
    (before, after): (&Head, &Head),
    write: impl Fn() -> Result<u64, SegmentError>,
) -> Result<(u64, bool), SegmentError> {
    match write() {
        Err(SegmentError::Storage(StorageError::AlreadyExists { .. })) => {}
        written => return Ok((written?, false)),
    }
    match Segment::open(dest, key) {
        Ok(there) if there.footer.is_between(before, after) => Ok((there.bytes, true)),
        Ok(_) => Err(SegmentError::Damaged {
            key: key.to_owned(),
            what: "it has the name of a log file that is about to be written, and other content; move it away"
                .to_owned(),
        }),
        Err(SegmentError::Storage(error)) if error.is_transient() => Err(error.into()),
        Err(error) => {
            tracing::warn!(key, %error, "a log file that does not read is written again");
            dest.delete(key)?;
            Ok((write()?, false))
        }
    }
}

/// Writes a stretch as the object `key`; gives its size in bytes.
pub(crate) fn publish(
    dest: &Dest,
    key: &str,
    tenant: &str,
    stretch: &Stretch,
) -> Result<u64, SegmentError> {
    let path = stretch.frames_path.display().to_string();
    let staged = |source| SegmentError::Staged {
        path: path.clone(),
        source,
    };
    let mut writer = SegmentWriter::create(dest, key)?;
    let mut frames = File::open(&stretch.frames_path).map_err(staged)?;
    let frame_bytes = FRAME_HEADER_BYTES + stretch.page_size as usize;
    let per_block = (BLOCK_RAW_BYTES_MAX / frame_bytes).max(1);
    let mut left = stretch.pages.len();
    let mut raw = Vec::new();
    while left > 0 {
        let count = left.min(per_block);
        raw.resize(count * frame_bytes, 0);
        frames.read_exact(&mut raw).map_err(staged)?;
        let packed = zstd::bulk::compress(&raw, LEVEL).map_err(staged)?;
        writer.block(&packed, count as u32)?;
        left -= count;
    }
    let about = About {
        tenant: tenant.to_owned(),
        page_size: stretch.page_size,
        before: stretch.before.clone(),
        after: stretch.after.clone(),
        checkpoint: stretch.checkpoint,
    };
    writer.finish(about, &stretch.commits, &stretch.pages)
}

/// Writes `parts`, which follow each other, as the one object `key`; every commit stays.
pub(crate) fn merge(dest: &Dest, key: &str, parts: &[Segment]) -> Result<u64, SegmentError> {
    let [first, .., last] = parts else {
        return Err(SegmentError::Damaged {
            key: key.to_owned(),
            what: "it takes two to merge".to_owned(),
        });
    };
    let mut writer = SegmentWriter::create(dest, key)?;
    for part in parts {
        part.blocks(|packed, frames| writer.block(packed, frames))?;
    }
    let about = About {
        tenant: first.footer.tenant.clone(),
        page_size: first.footer.page_size,
        before: first.footer.before.clone(),
        after: last.footer.after.clone(),
        checkpoint: last.footer.checkpoint,
    };
    let commits: Vec<Commit> = parts
        .iter()
        .flat_map(|part| part.commits.iter().copied())
        .collect();
    let pages: Vec<u32> = parts
        .iter()
        .flat_map(|part| part.pages.iter().copied())
        .collect();
    writer.finish(about, &commits, &pages)
}

/// What a footer says besides where things lie.
struct About {
    tenant: String,
    page_size: u32,
    before: Head,
    after: Head,
    checkpoint: Scn,
}

/// Counts and hashes what passes through.
struct SegmentWriter {
    inner: ObjectWriter,
    key: String,
    hasher: blake3::Hasher,
    bytes: u64,
    blocks: Vec<Block>,
}

impl SegmentWriter {
    fn create(dest: &Dest, key: &str) -> Result<Self, StorageError> {
        let inner = dest.create(key)?;
        let mut writer = SegmentWriter {
            inner,
            key: key.to_owned(),
            hasher: blake3::Hasher::new(),
            bytes: 0,
            blocks: Vec::new(),
        };
        writer.append(MAGIC)?;
        Ok(writer)
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), StorageError> {
        self.inner.append(bytes)?;
        self.hasher.update(bytes);
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    fn block(&mut self, packed: &[u8], frames: u32) -> Result<(), StorageError> {
        self.blocks.push(Block {
            offset: self.bytes,
            stored: packed.len() as u32,
            frames,
        });
        self.append(packed)
    }

    fn finish(
        mut self,
        about: About,
        commits: &[Commit],
        pages: &[u32],
    ) -> Result<u64, SegmentError> {
        let index = index_bytes(commits, pages);
        let packed = zstd::bulk::compress(&index, LEVEL)
            .map_err(|error| StorageError::from_io("compressing the index of", &self.key, error))?;
        let footer = Footer {
            format: 1,
            tenant: about.tenant,
            page_size: about.page_size,
            before: about.before,
            after: about.after,
            checkpoint: about.checkpoint,
            blocks: std::mem::take(&mut self.blocks),
            index_offset: self.bytes,
            index_stored: packed.len() as u64,
            index_raw: index.len() as u64,
        };
        self.append(&packed)?;
        let footer = serde_json::to_vec(&footer)
            .map_err(io::Error::other)
            .map_err(|error| StorageError::from_io("writing the footer of", &self.key, error))?;
        self.append(&footer)?;
        self.append(&(footer.len() as u32).to_le_bytes())?;
        let hash = self.hasher.finalize();
        self.append(hash.as_bytes())?;
        self.append(MAGIC)?;
        Ok(self.inner.finish()?.bytes)
    }
}

fn index_bytes(commits: &[Commit], pages: &[u32]) -> Vec<u8> {
    let mut bytes = (commits.len() as u64).to_le_bytes().to_vec();
    for commit in commits {
        bytes.extend_from_slice(&commit.to_bytes());
    }
    for page in pages {
        bytes.extend_from_slice(&page.to_le_bytes());
    }
    bytes
}
