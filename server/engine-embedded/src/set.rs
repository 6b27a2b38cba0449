//! Backup sets on media: the manifest, and packs of compressed pages.
//!
//! A pack is `magic | chunks | table (zstd) | footer`; a chunk is the zstd of up to 64 pages. The
//! manifest `set.json` is written last: without it the set does not exist.

use crate::commit::{Head, array};
use domain::Scn;
use serde::{Deserialize, Serialize};
use storage::{Dest, ObjectWriter, StorageError};

const MAGIC: &[u8; 8] = b"tdmpak01";
/// Table offset, stored and raw length of the table, its BLAKE3, magic.
const FOOTER_BYTES: u64 = 8 + 8 + 8 + 32 + 8;
/// Pages compressed together: 256 KiB of usual pages.
pub(crate) const PAGES_PER_CHUNK: usize = 64;
/// Raw pages of one pack, at most; a pack is what one reads or copies as a whole.
pub(crate) const PACK_BYTES_MAX: u64 = 128 << 20;
/// Negative levels are several times faster and cost a few percent of size.
pub(crate) const LEVEL: i32 = -3;
/// For pages that hardly shrink: half as much time again, for some percent of size more.
pub(crate) const LEVEL_QUICK: i32 = -20;

/// A file of a set.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SetFile {
    pub(crate) name: String,
    pub(crate) size: u64,
    pub(crate) blake3: String,
}

/// `set.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SetManifest {
    pub(crate) format: u32,
    pub(crate) set_id: i64,
    /// The set it holds the changes to; absent for a full one.
    pub(crate) base_set_id: Option<i64>,
    /// The full set its chain begins with; its own number for a full one.
    pub(crate) full_set_id: i64,
    /// The console's mark of the order that made it.
    pub(crate) token: String,
    pub(crate) directory: String,
    pub(crate) tenant: String,
    pub(crate) tenant_name: String,
    pub(crate) cluster: String,
    /// The state it holds.
    pub(crate) head: Head,
    pub(crate) min_restore_scn: Scn,
    pub(crate) page_size: u32,
    /// Pages in its packs.
    pub(crate) pages_stored: u64,
    pub(crate) bytes_raw: u64,
    pub(crate) bytes_stored: u64,
    pub(crate) files: Vec<SetFile>,
    pub(crate) sqlite_version: String,
    pub(crate) engine_version: String,
    pub(crate) started: Scn,
    pub(crate) finished: Scn,
    /// What was asked for, when that was an incremental set and this is a full one, and why.
    pub(crate) full_because: Option<String>,
}

/// Where a chunk lies in its pack, and which pages it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chunk {
    pub(crate) offset: u64,
    pub(crate) stored: u32,
    /// First sixteen bytes of the BLAKE3 of the stored bytes.
    pub(crate) check: [u8; 16],
    pub(crate) pages: Vec<u32>,
}

/// Writes one pack.
pub(crate) struct PackWriter {
    writer: ObjectWriter,
    name: String,
    offset: u64,
    chunks: Vec<Chunk>,
}

impl PackWriter {
    pub(crate) fn create(dest: &Dest, directory: &str, name: String) -> Result<Self, StorageError> {
        let mut writer = dest.create(&format!("{directory}/{name}"))?;
        writer.append(MAGIC)?;
        Ok(PackWriter {
            writer,
            name,
            offset: MAGIC.len() as u64,
            chunks: Vec::new(),
        })
    }

    /// Adds a compressed chunk.
    pub(crate) fn append(&mut self, pages: Vec<u32>, packed: &[u8]) -> Result<(), StorageError> {
        self.writer.append(packed)?;
        let check = array(blake3::hash(packed).as_bytes());
        self.chunks.push(Chunk {
            offset: self.offset,
            stored: packed.len() as u32,
            check,
            pages,
        });
        self.offset += packed.len() as u64;
        Ok(())
    }

    /// Writes the table and publishes the pack.
    pub(crate) fn finish(mut self) -> Result<SetFile, StorageError> {
        let table = table_bytes(&self.chunks);
        let packed = zstd::bulk::compress(&table, LEVEL).map_err(|error| {
            StorageError::from_io("compressing the table of", &self.name, error)
        })?;
        self.writer.append(&packed)?;
        let mut footer = Vec::with_capacity(FOOTER_BYTES as usize);
        footer.extend_from_slice(&self.offset.to_le_bytes());
        footer.extend_from_slice(&(packed.len() as u64).to_le_bytes());
        footer.extend_from_slice(&(table.len() as u64).to_le_bytes());
        footer.extend_from_slice(blake3::hash(&packed).as_bytes());
        footer.extend_from_slice(MAGIC);
        self.writer.append(&footer)?;
        let stored = self.writer.finish()?;
        Ok(SetFile {
            name: self.name,
            size: stored.bytes,
            blake3: stored.blake3.to_hex().to_string(),
        })
    }
}

fn table_bytes(chunks: &[Chunk]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for chunk in chunks {
        bytes.extend_from_slice(&chunk.offset.to_le_bytes());
        bytes.extend_from_slice(&chunk.stored.to_le_bytes());
        bytes.extend_from_slice(&(chunk.pages.len() as u32).to_le_bytes());
        bytes.extend_from_slice(&chunk.check);
        for page in &chunk.pages {
            bytes.extend_from_slice(&page.to_le_bytes());
        }
    }
    bytes
}

fn parse_table(mut bytes: &[u8]) -> Option<Vec<Chunk>> {
    let mut chunks = Vec::new();
    while !bytes.is_empty() {
        let (head, rest) = bytes.split_at_checked(32)?;
        let count = u32::from_le_bytes(array(&head[12..])) as usize;
        let (pages, rest) = rest.split_at_checked(count * 4)?;
        chunks.push(Chunk {
            offset: u64::from_le_bytes(array(head)),
            stored: u32::from_le_bytes(array(&head[8..])),
            check: array(&head[16..]),
            pages: pages
                .as_chunks()
                .0
                .iter()
                .map(|bytes| u32::from_le_bytes(*bytes))
                .collect(),
        });
        bytes = rest;
    }
    Some(chunks)
}

/// A pack opened for reading.
pub(crate) struct Pack {
    dest: Dest,
    key: String,
    page_size: u32,
    pub(crate) chunks: Vec<Chunk>,
}

impl Pack {
    pub(crate) fn open(dest: &Dest, key: String, page_size: u32) -> Result<Self, StorageError> {
        let damaged = |reason: &str| corrupt(&key, reason);
        let size = dest.size(&key)?;
        let start = size
            .checked_sub(FOOTER_BYTES)
            .ok_or_else(|| damaged("it is shorter than any pack"))?;
        let mut footer = [0; FOOTER_BYTES as usize];
        dest.read_at(&key, start, &mut footer)?;
        let field = |at: usize| u64::from_le_bytes(array(&footer[at..]));
        let (offset, stored, raw) = (field(0), field(8), field(16));
        if &footer[56..] != MAGIC || offset.checked_add(stored) != Some(start) || raw > (1 << 32) {
            return Err(damaged("its end is not that of a pack"));
        }
        let mut packed = vec![0; stored as usize];
        dest.read_at(&key, offset, &mut packed)?;
        if blake3::hash(&packed).as_bytes() != &footer[24..56] {
            return Err(damaged("the checksum of its table does not match"));
        }
        let table = zstd::bulk::decompress(&packed, raw as usize)
            .map_err(|_| damaged("its table does not unpack"))?;
        let chunks = parse_table(&table).ok_or_else(|| damaged("its table is cut"))?;
        Ok(Pack {
            dest: dest.clone(),
            key,
            page_size,
            chunks,
        })
    }
}

/// Reads chunks of packs; its buffers serve one chunk after the other.
pub(crate) struct Unpacker {
    zstd: zstd::bulk::Decompressor<'static>,
    stored: Vec<u8>,
    pages: Vec<u8>,
}

impl Unpacker {
    pub(crate) fn new() -> Result<Self, StorageError> {
        let zstd = zstd::bulk::Decompressor::new()
            .map_err(|error| StorageError::from_io("preparing to unpack", "pages", error))?;
        Ok(Unpacker {
            zstd,
            stored: Vec::new(),
            pages: Vec::new(),
        })
    }

    /// The pages of a chunk of `pack`, one after the other.
    pub(crate) fn read(&mut self, pack: &Pack, chunk: &Chunk) -> Result<&[u8], StorageError> {
        let damaged = |what: &str| {
            let reason = format!("the pages at byte {} {what}", chunk.offset);
            corrupt(&pack.key, &reason)
        };
        self.stored.resize(chunk.stored as usize, 0);
        pack.dest
            .read_at(&pack.key, chunk.offset, &mut self.stored)?;
        if array::<16>(blake3::hash(&self.stored).as_bytes()) != chunk.check {
            return Err(damaged("do not match their checksum"));
        }
        self.pages
            .resize(chunk.pages.len() * pack.page_size as usize, 0);
        let unpacked = self
            .zstd
            .decompress_to_buffer(&self.stored, self.pages.as_mut_slice())
            .map_err(|_| damaged("do not unpack"))?;
        if unpacked != self.pages.len() {
            return Err(damaged("are not all there"));
        }
        Ok(&self.pages)
    }
}

fn corrupt(key: &str, reason: &str) -> StorageError {
    StorageError::Corrupt {
        operation: "reading",
        what: key.to_owned(),
        reason: reason.to_owned(),
    }
}
