//! The data file a recovery writes: pages from any source, their digest, and SQLite's own check.

use crate::{job::Job, page_map::PageMap, recovery::RecoveryError, set::Chunk};
use std::{
    fs::{File, OpenOptions},
    os::unix::fs::FileExt,
    path::Path,
    sync::{
        Mutex,
        mpsc::{self, RecvTimeoutError},
    },
    time::Duration,
};

/// Virtual machine steps of SQLite between two looks at whether the check was canceled.
const CHECK_STEPS: i32 = 100_000;

/// Between two requests to the disk while pages are written.
const SYNC_PAUSE: Duration = Duration::from_millis(100);
/// The file that SQLite checks is mapped up to this size, which halves the time of the check; the rest is read.
const CHECK_MAPPED_BYTES: i64 = 2 << 30;

/// The file being written, and the page map of what was written.
pub(crate) struct Output {
    file: File,
    path: std::path::PathBuf,
    pub(crate) page_size: u32,
    map: Mutex<PageMap>,
}

impl Output {
    pub(crate) fn create(path: &Path, page_size: u32, pages: u32) -> Result<Self, RecoveryError> {
        let write = |source| RecoveryError::Write {
            path: path.display().to_string(),
            source,
        };
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(path)
            .map_err(write)?;
        file.set_len(u64::from(pages) * u64::from(page_size))
            .map_err(write)?;
        let mut map = PageMap::new(page_size);
        map.resize(pages);
        Ok(Output {
            file,
            path: path.to_owned(),
            page_size,
            map: Mutex::new(map),
        })
    }

    pub(crate) fn write_page(&self, page: u32, data: &[u8]) -> Result<(), RecoveryError> {
        let offset = u64::from(page - 1) * u64::from(self.page_size);
        self.file
            .write_all_at(data, offset)
            .map_err(|source| self.unwritten(source))?;
        let hash = PageMap::hash(self.page_size, page, data);
        self.map
            .lock()
            .expect("invariant: nothing panics with it")
            .set(page, hash);
        Ok(())
    }

    /// Writes the pages at `places` of a chunk, neighbours in one go.
    pub(crate) fn write_run(
        &self,
        chunk: &Chunk,
        places: &[usize],
        bytes: &[u8],
    ) -> Result<(), RecoveryError> {
        let size = self.page_size as usize;
        let follows = |a: &usize, b: &usize| *b == a + 1 && chunk.pages[*b] == chunk.pages[*a] + 1;
        for run in places.chunk_by(follows) {
            let data = &bytes[run[0] * size..(run[run.len() - 1] + 1) * size];
            let offset = u64::from(chunk.pages[run[0]] - 1) * size as u64;
            self.file
                .write_all_at(data, offset)
                .map_err(|source| self.unwritten(source))?;
        }
        let hashes: Vec<(u32, u128)> = places
            .iter()
            .map(|place| {
                let page = chunk.pages[*place];
                (
                    page,
                    PageMap::hash(
                        self.page_size,
                        page,
                        &bytes[place * size..(place + 1) * size],
                    ),
                )
            })
            .collect();
        let mut map = self.map.lock().expect("invariant: nothing panics with it");
        for (page, hash) in hashes {
            map.set(page, hash);
        }
        Ok(())
    }

    pub(crate) fn digest(&self) -> u128 {
        self.map
            .lock()
            .expect("invariant: nothing panics with it")
            .digest()
    }

    /// Makes what is being written durable bit by bit until `done` hangs up, and then all of it.
    ///
    /// The disk works while pages are unpacked, so that little is left to wait for at the end.
    pub(crate) fn sync_while(&self, done: mpsc::Receiver<()>) -> Result<(), RecoveryError> {
        let mut synced = Ok(());
        while synced.is_ok() && done.recv_timeout(SYNC_PAUSE) == Err(RecvTimeoutError::Timeout) {
            synced = self.file.sync_data();
        }
        synced
            .and_then(|()| self.file.sync_all())
            .map_err(|source| self.unwritten(source))
    }

    fn unwritten(&self, source: std::io::Error) -> RecoveryError {
        RecoveryError::Write {
            path: self.path.display().to_string(),
            source,
        }
    }

    /// SQLite's own check of the file: `ok`, or what it found.
    pub(crate) fn check(&self, job: &Job) -> Result<String, RecoveryError> {
        quick_check(&self.path, job)
    }
}

/// SQLite's `quick_check` of a file nobody else uses, without leaving a log beside it.
fn quick_check(path: &Path, job: &Job) -> Result<String, RecoveryError> {
    let uri = format!(
        "file:{}?immutable=1",
        percent_encode(&path.display().to_string())
    );
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY | rusqlite::OpenFlags::SQLITE_OPEN_URI;
    let connection = rusqlite::Connection::open_with_flags(uri, flags)?;
    connection.pragma_update(None, "mmap_size", CHECK_MAPPED_BYTES)?;
    let canceled = job.cancel_flag();
    connection.progress_handler(
        CHECK_STEPS,
        Some(move || canceled.load(std::sync::atomic::Ordering::Relaxed)),
    )?;
    let answer = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0));
    job.check()?;
    Ok(answer?)
}

/// Escapes what has a meaning in a file URI.
fn percent_encode(path: &str) -> String {
    path.replace('%', "%25")
        .replace('?', "%3f")
        .replace('#', "%23")
}
