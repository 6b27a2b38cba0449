//! Data backup: the pages of one exact snapshot, compressed, checked against the page map, published.
//!
//! Writers are never stopped. Each page read is hashed and must be the page that the log said, so
//! a page damaged on disk fails the backup instead of being blessed by it.

use crate::{
    commit::Head,
    job::{Canceled, Job},
    keys::{TenantKeys, set_directory},
    page_map::PageMap,
    set::{LEVEL, LEVEL_QUICK, PACK_BYTES_MAX, PAGES_PER_CHUNK, PackWriter, SetFile, SetManifest},
    snapshot::{Snapshot, SnapshotError},
};
use domain::{Scn, backup::BackupKind, clock::Clock};
use std::{
    collections::VecDeque,
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
};
use storage::{Dest, StorageError};
use zstd::bulk::Compressor;

/// Threads that read, check and compress.
const WORKERS: usize = 2;
/// Compressed chunks that may wait to be written.
const QUEUE: usize = 64;
/// Packs that may be on their way to the disk beside the one being written.
const FINISHING_MAX: usize = 4;
/// Where chunks shrink to less than this, the usual effort pays.
const PAYS_BELOW_PERCENT: usize = 50;
/// Chunks packed quickly after one for which it did not; then it is tried again.
const QUICK_CHUNKS: u32 = 15;
/// Free space asked for, in percent of the raw size, before anything is written.
const SPACE_PERCENT: u64 = 120;

/// Why no set was made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BackupError {
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    #[error("{0}")]
    Canceled(#[from] Canceled),
    #[error(
        "the destination has {free} free, and the backup may need {needed}; free some space there"
    )]
    NoSpace { needed: String, free: String },
    #[error(
        "page {page} of the data file is not the page that was written to it: the file is damaged, or was changed behind SQLite. \
         No set was made of it. Recover the tenant to a new one, then take a new backup"
    )]
    DamagedPage { page: u32 },
    #[error(
        "{name} was written and is not there any more; see what removes files at the destination, then back up again"
    )]
    LostFile { name: String },
    #[error("compressing: {0}")]
    Compress(io::Error),
    #[error("a thread of the backup ended early")]
    Broken,
}

/// An order, resolved: what will be made in fact.
pub(crate) struct Order {
    pub(crate) set_id: i64,
    pub(crate) token: String,
    /// The set to build on and its page map; absent for a full set.
    pub(crate) base: Option<(SetManifest, PageMap)>,
    pub(crate) full_because: Option<String>,
    pub(crate) tenant: String,
    pub(crate) tenant_name: String,
    pub(crate) cluster: String,
    pub(crate) started: Scn,
}

/// Pages checked and compressed.
struct Packed {
    pages: Vec<u32>,
    bytes: Vec<u8>,
    raw: u64,
}

/// Makes the set `order` asks for out of `snapshot`, whose state is `head` with page map `map`.
/// On an error, nothing of the set is left behind.
pub(crate) fn make_set(
    dest: &Dest,
    keys: &TenantKeys,
    order: &Order,
    snapshot: &Snapshot,
    state: (&Head, &PageMap),
    job: &Job,
    clock: &Arc<dyn Clock>,
) -> Result<SetManifest, BackupError> {
    let kind = if order.base.is_some() {
        BackupKind::Incremental
    } else {
        BackupKind::Full
    };
    let directory = set_directory(order.set_id, kind, order.started);
    let made = fill(dest, keys, order, snapshot, state, job, clock, &directory);
    if made.is_err()
        && let Err(error) = dest.delete_prefix(&keys.set(&directory))
    {
        tracing::warn!(%directory, %error, "unfinished set not removed; the next start removes it");
    }
    made
}

#[expect(
    clippy::too_many_arguments,
    reason = "make_set's arguments and the directory; bundling them would name nothing"
)]
fn fill(
    dest: &Dest,
    keys: &TenantKeys,
    order: &Order,
    snapshot: &Snapshot,
    (head, map): (&Head, &PageMap),
    job: &Job,
    clock: &Arc<dyn Clock>,
    directory: &str,
) -> Result<SetManifest, BackupError> {
    let base = order.base.as_ref().map(|(_, base)| base);
    let pages: Vec<u32> = (1..=snapshot.pages)
        .filter(|page| !snapshot.is_empty_page(*page))
        .filter(|page| base.is_none_or(|base| map.get(*page) != base.get(*page)))
        .collect();
    let total = pages.len() as u64 * u64::from(snapshot.page_size);
    check_space(dest, total)?;
    job.phase("Copying pages", total);
    let prefix = keys.set(directory);
    let source = Source {
        snapshot,
        map,
        pages: &pages,
        next: AtomicUsize::new(0),
    };
    let mut files = copy_pages(dest, &prefix, &source, job)?;
    job.phase("Finishing", 0);
    files.push(put_file(dest, &prefix, "pagemap.bin", &map.to_bytes())?);
    files.push(put_file(
        dest,
        &prefix,
        "schema.sql.zst",
        &schema(snapshot)?,
    )?);
    job.check()?;
    check_files(dest, &prefix, &files)?;
    let manifest = SetManifest {
        format: 1,
        set_id: order.set_id,
        base_set_id: order.base.as_ref().map(|(base, _)| base.set_id),
        full_set_id: order
            .base
            .as_ref()
            .map_or(order.set_id, |(base, _)| base.full_set_id),
        token: order.token.clone(),
        directory: directory.to_owned(),
        tenant: order.tenant.clone(),
        tenant_name: order.tenant_name.clone(),
        cluster: order.cluster.clone(),
        min_restore_scn: head.scn,
        head: head.clone(),
        page_size: snapshot.page_size,
        pages_stored: pages.len() as u64,
        bytes_raw: u64::from(snapshot.pages) * u64::from(snapshot.page_size),
        bytes_stored: files.iter().map(|file| file.size).sum(),
        files,
        sqlite_version: rusqlite::version().to_owned(),
        engine_version: env!("CARGO_PKG_VERSION").to_owned(),
        started: order.started,
        finished: clock.now(),
        full_because: order.full_because.clone(),
    };
    dest.put_manifest(&format!("{prefix}/set.json"), &manifest)?;
    Ok(manifest)
}

/// Fails unless every file that the manifest is about to list is there with its size.
fn check_files(dest: &Dest, prefix: &str, files: &[SetFile]) -> Result<(), BackupError> {
    for file in files {
        let key = format!("{prefix}/{}", file.name);
        let is_there = match dest.size(&key) {
            Ok(size) => size == file.size,
            Err(error) if error.is_not_found() => false,
            Err(error) => return Err(error.into()),
        };
        if !is_there {
            return Err(BackupError::LostFile {
                name: dest.name_of(&key),
            });
        }
    }
    Ok(())
}

fn check_space(dest: &Dest, total: u64) -> Result<(), BackupError> {
    let needed = total / 100 * SPACE_PERCENT;
    match dest.free_bytes()? {
        Some(free) if free < needed => Err(BackupError::NoSpace {
            needed: domain::size::bytes(needed),
            free: domain::size::bytes(free),
        }),
        _ => Ok(()),
    }
}

fn put_file(dest: &Dest, prefix: &str, name: &str, bytes: &[u8]) -> Result<SetFile, BackupError> {
    dest.put(&format!("{prefix}/{name}"), bytes)?;
    let blake3 = storage::checksum::blake3_hex(bytes);
    Ok(SetFile {
        name: name.to_owned(),
        size: bytes.len() as u64,
        blake3,
    })
}

/// The schema as SQL text; for people who look at a set, no recovery needs it.
fn schema(snapshot: &Snapshot) -> Result<Vec<u8>, BackupError> {
    let text = snapshot.schema().map_err(SnapshotError::from)?;
    zstd::bulk::compress(text.as_bytes(), 3).map_err(BackupError::Compress)
}

/// Reads, checks, compresses and writes `pages`: workers take chunk after chunk, one thread writes.
fn copy_pages(
    dest: &Dest,
    prefix: &str,
    source: &Source<'_>,
    job: &Job,
) -> Result<Vec<SetFile>, BackupError> {
    let (packed_in, packed_out) = sync_channel::<Packed>(QUEUE);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS)
            .map(|_| {
                let packed_in = packed_in.clone();
                scope.spawn(move || {
                    let packed = source.pack_chunks(&packed_in, job);
                    if packed.is_err() {
                        source.stop();
                    }
                    packed
                })
            })
            .collect();
        drop(packed_in);
        // When writing fails the channel closes, and the workers end.
        let page_size = source.snapshot.page_size;
        let written = write_packs(scope, dest, prefix, packed_out, page_size, job);
        let packed: Result<Vec<()>, BackupError> = workers
            .into_iter()
            .map(|worker| worker.join().unwrap_or(Err(BackupError::Broken)))
            .collect();
        match (written, packed) {
            (Err(cause), _) | (Ok(_), Err(cause)) => Err(cause),
            (Ok(files), Ok(_)) => Ok(files),
        }
    })
}

/// The pages to copy, handed out chunk by chunk.
struct Source<'a> {
    snapshot: &'a Snapshot,
    map: &'a PageMap,
    pages: &'a [u32],
    next: AtomicUsize,
}

impl Source<'_> {
    fn take(&self) -> Option<&[u32]> {
        let from = self.next.fetch_add(PAGES_PER_CHUNK, Ordering::Relaxed);
        let left = self.pages.get(from..).filter(|left| !left.is_empty())?;
        Some(&left[..left.len().min(PAGES_PER_CHUNK)])
    }

    /// Leaves nothing to take.
    fn stop(&self) {
        self.next.store(self.pages.len(), Ordering::Relaxed);
    }

    fn pack_chunks(&self, packed: &SyncSender<Packed>, job: &Job) -> Result<(), BackupError> {
        let mut packer = Packer::new().map_err(BackupError::Compress)?;
        let mut raw = Vec::new();
        while let Some(pages) = self.take() {
            job.check()?;
            let read = self.snapshot.read(pages, self.map, &mut raw)?;
            read.map_err(|page| BackupError::DamagedPage { page })?;
            let chunk = Packed {
                pages: pages.to_vec(),
                bytes: packer.pack(&raw).map_err(BackupError::Compress)?,
                raw: raw.len() as u64,
            };
            packed.send(chunk).map_err(|_| BackupError::Broken)?;
        }
        Ok(())
    }
}

/// Compresses chunk after chunk, with more effort where it pays.
struct Packer {
    compressor: Compressor<'static>,
    /// Chunks left to pack quickly.
    quick: u32,
}

impl Packer {
    fn new() -> io::Result<Self> {
        let compressor = Compressor::new(LEVEL)?;
        Ok(Packer {
            compressor,
            quick: 0,
        })
    }

    fn pack(&mut self, raw: &[u8]) -> io::Result<Vec<u8>> {
        let is_quick = self.quick > 0;
        let level = if is_quick { LEVEL_QUICK } else { LEVEL };
        self.compressor.set_compression_level(level)?;
        let packed = self.compressor.compress(raw)?;
        if is_quick {
            self.quick -= 1;
        } else if packed.len() * 100 > raw.len() * PAYS_BELOW_PERCENT {
            self.quick = QUICK_CHUNKS;
        }
        Ok(packed)
    }
}

/// Writes chunks as they come; the table of a pack says which pages each one holds. While one pack is being
/// made durable, the next is written.
fn write_packs<'scope>(
    scope: &'scope thread::Scope<'scope, '_>,
    dest: &Dest,
    prefix: &str,
    chunks: Receiver<Packed>,
    page_size: u32,
    job: &Job,
) -> Result<Vec<SetFile>, BackupError> {
    let mut finishing = VecDeque::new();
    let mut files = Vec::new();
    let mut pack: Option<PackWriter> = None;
    let mut raw_bytes = 0;
    let chunk_bytes_max = PAGES_PER_CHUNK as u64 * u64::from(page_size);
    for chunk in chunks {
        let writer = match &mut pack {
            Some(writer) => writer,
            None => {
                let number = files.len() + finishing.len() + 1;
                let name = format!("pages-{number:04}.pack");
                pack.insert(PackWriter::create(dest, prefix, name)?)
            }
        };
        writer.append(chunk.pages, &chunk.bytes)?;
        job.advance(chunk.raw);
        raw_bytes += chunk.raw;
        if raw_bytes + chunk_bytes_max > PACK_BYTES_MAX
            && let Some(full) = pack.take()
        {
            if finishing.len() == FINISHING_MAX {
                files.extend(finishing.pop_front().map(finished).transpose()?);
            }
            finishing.push_back(scope.spawn(|| full.finish()));
            raw_bytes = 0;
        }
    }
    let last = pack.map(PackWriter::finish).transpose()?;
    for pack in finishing {
        files.push(finished(pack)?);
    }
    files.extend(last);
    Ok(files)
}

/// A pack that became durable on a thread of its own.
fn finished(
    pack: thread::ScopedJoinHandle<'_, Result<SetFile, StorageError>>,
) -> Result<SetFile, BackupError> {
    Ok(pack.join().map_err(|_| BackupError::Broken)??)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_not_published_without_each_of_its_files() {
        let dest = Dest::memory();
        let files = [put_file(&dest, "set", "pagemap.bin", b"pages").unwrap()];
        check_files(&dest, "set", &files).unwrap();
        dest.replace("set/pagemap.bin", b"page").unwrap();
        let error = check_files(&dest, "set", &files).unwrap_err();
        assert!(error.to_string().contains("pagemap.bin"), "{error}");
        dest.delete_prefix("set").unwrap();
        assert!(check_files(&dest, "set", &files).is_err());
    }
}
