//! Data backup: the pages of one exact snapshot, compressed, checked against the page map, published.
//!
//! Writers are never stopped. Each page read is hashed and must be the page that the log said, so
//! a page damaged on disk fails the backup instead of being blessed by it.

use crate::{
    commit::Head,
    job::{Canceled, Job},
    keys::{TenantKeys, set_directory},
    page_map::PageMap,
    set::{LEVEL, PACK_BYTES_MAX, PAGES_PER_CHUNK, PackWriter, SetFile, SetManifest},
    snapshot::Snapshot,
};
use domain::{Scn, backup::BackupKind, clock::Clock};
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
};
use storage::{Dest, StorageError};

/// Threads that hash and compress.
const WORKERS: usize = 2;
/// Chunks in flight between two stages.
const QUEUE: usize = 8;
/// Free space asked for, in percent of the raw size, before anything is written.
const SPACE_PERCENT: u64 = 120;

/// Why no set was made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BackupError {
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error("reading the tenant: {0}")]
    Sqlite(#[from] rusqlite::Error),
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
    #[error("compressing: {0}")]
    Compress(std::io::Error),
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

/// Pages read from the snapshot.
struct Raw {
    number: u64,
    pages: Vec<u32>,
    bytes: Vec<u8>,
}

/// Pages checked and compressed.
struct Packed {
    number: u64,
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
    let changed: Option<Vec<u32>> = order.base.as_ref().map(|(_, base)| {
        (1..=snapshot.pages)
            .filter(|page| map.get(*page) != base.get(*page))
            .collect()
    });
    let pages = changed
        .as_ref()
        .map_or(u64::from(snapshot.pages), |pages| pages.len() as u64);
    let total = pages * u64::from(snapshot.page_size);
    check_space(dest, total)?;
    job.phase("Copying pages", total);
    let prefix = keys.set(directory);
    let mut files = copy_pages(dest, &prefix, snapshot, changed.as_deref(), map, job)?;
    job.phase("Finishing", 0);
    files.push(put_file(dest, &prefix, "pagemap.bin", &map.to_bytes())?);
    files.push(put_file(
        dest,
        &prefix,
        "schema.sql.zst",
        &schema(snapshot)?,
    )?);
    job.check()?;
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
        pages_stored: pages,
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
    let text = snapshot.schema()?;
    zstd::bulk::compress(text.as_bytes(), 3).map_err(BackupError::Compress)
}

/// Reads, checks, compresses and writes pages in three stages that work at the same time.
fn copy_pages(
    dest: &Dest,
    prefix: &str,
    snapshot: &Snapshot,
    changed: Option<&[u32]>,
    map: &PageMap,
    job: &Job,
) -> Result<Vec<SetFile>, BackupError> {
    let (raw_in, raw_out) = sync_channel::<Raw>(QUEUE);
    let (packed_in, packed_out) = sync_channel::<Packed>(QUEUE);
    let raw_out = Arc::new(std::sync::Mutex::new(raw_out));
    thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS)
            .map(|_| {
                let (raw_out, packed_in) = (Arc::clone(&raw_out), packed_in.clone());
                scope.spawn(move || pack_chunks(&raw_out, &packed_in, map))
            })
            .collect();
        drop(packed_in);
        drop(raw_out);
        let page_size = snapshot.page_size;
        let writer = scope.spawn(move || write_packs(dest, prefix, packed_out, page_size, job));
        let read = read_chunks(snapshot, changed, raw_in, job);
        // A stage that fails closes its channel, and the ones before it end; the last error is the cause.
        let packed: Result<Vec<()>, BackupError> = workers
            .into_iter()
            .map(|worker| worker.join().unwrap_or(Err(BackupError::Broken)))
            .collect();
        let written = writer.join().unwrap_or(Err(BackupError::Broken));
        match (written, packed, read) {
            (Err(error), ..) if !matches!(error, BackupError::Broken) => Err(error),
            (_, Err(error), _) if !matches!(error, BackupError::Broken) => Err(error),
            (_, _, Err(error)) => Err(error),
            (_, Err(error), _) | (Err(error), ..) => Err(error),
            (Ok(files), Ok(_), Ok(())) => Ok(files),
        }
    })
}

fn read_chunks(
    snapshot: &Snapshot,
    changed: Option<&[u32]>,
    chunks: SyncSender<Raw>,
    job: &Job,
) -> Result<(), BackupError> {
    let mut feed = Feed {
        chunks,
        job,
        number: 0,
        pages: Vec::new(),
        bytes: Vec::new(),
    };
    match changed {
        None => snapshot.each_page(|page, data| {
            if snapshot.is_empty_page(page) {
                Ok(())
            } else {
                feed.add(page, data)
            }
        })?,
        Some(changed) => {
            for page in changed {
                feed.add(*page, &snapshot.page(*page)?)?;
            }
        }
    }
    feed.flush()
}

/// Collects pages into chunks.
struct Feed<'a> {
    chunks: SyncSender<Raw>,
    job: &'a Job,
    number: u64,
    pages: Vec<u32>,
    bytes: Vec<u8>,
}

impl Feed<'_> {
    fn add(&mut self, page: u32, data: &[u8]) -> Result<(), BackupError> {
        self.pages.push(page);
        self.bytes.extend_from_slice(data);
        if self.pages.len() == PAGES_PER_CHUNK {
            self.flush()
        } else {
            Ok(())
        }
    }

    fn flush(&mut self) -> Result<(), BackupError> {
        self.job.check()?;
        if self.pages.is_empty() {
            return Ok(());
        }
        let capacity = self.bytes.len();
        let raw = Raw {
            number: self.number,
            pages: std::mem::take(&mut self.pages),
            bytes: std::mem::replace(&mut self.bytes, Vec::with_capacity(capacity)),
        };
        self.number += 1;
        self.chunks.send(raw).map_err(|_| BackupError::Broken)
    }
}

fn pack_chunks(
    chunks: &std::sync::Mutex<Receiver<Raw>>,
    packed: &SyncSender<Packed>,
    map: &PageMap,
) -> Result<(), BackupError> {
    let size = map.page_size();
    loop {
        let next = chunks.lock().map_err(|_| BackupError::Broken)?.recv();
        let Ok(Raw {
            number,
            pages,
            bytes,
        }) = next
        else {
            return Ok(());
        };
        for (page, data) in pages.iter().zip(bytes.chunks_exact(size as usize)) {
            if PageMap::hash(size, *page, data) != map.get(*page) {
                return Err(BackupError::DamagedPage { page: *page });
            }
        }
        let raw = bytes.len() as u64;
        let bytes = zstd::bulk::compress(&bytes, LEVEL).map_err(BackupError::Compress)?;
        packed
            .send(Packed {
                number,
                pages,
                bytes,
                raw,
            })
            .map_err(|_| BackupError::Broken)?;
    }
}

/// Writes chunks in order of their numbers, so that a full set reads back front to end.
fn write_packs(
    dest: &Dest,
    prefix: &str,
    chunks: Receiver<Packed>,
    page_size: u32,
    job: &Job,
) -> Result<Vec<SetFile>, BackupError> {
    let mut files: Vec<SetFile> = Vec::new();
    let mut pack: Option<PackWriter> = None;
    let mut waiting: BTreeMap<u64, Packed> = BTreeMap::new();
    let mut next = 0;
    let pack_chunks_max = (PACK_BYTES_MAX / (PAGES_PER_CHUNK as u64 * u64::from(page_size))).max(1);
    for chunk in chunks {
        waiting.insert(chunk.number, chunk);
        while let Some(chunk) = waiting.remove(&next) {
            let writer = match &mut pack {
                Some(writer) => writer,
                None => {
                    let name = format!("pages-{:04}.pack", files.len() + 1);
                    pack.insert(PackWriter::create(dest, prefix, name)?)
                }
            };
            writer.append(chunk.pages, &chunk.bytes)?;
            job.advance(chunk.raw);
            next += 1;
            if next % pack_chunks_max == 0
                && let Some(full) = pack.take()
            {
                files.push(full.finish()?);
            }
        }
    }
    if let Some(last) = pack {
        files.push(last.finish()?);
    }
    Ok(files)
}
