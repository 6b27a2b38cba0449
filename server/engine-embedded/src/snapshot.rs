//! Exact snapshots: a read transaction of which it is known where in the log it stands.

use crate::{
    files::{TenantConnection, TenantFiles},
    page_map::{self, PageMap},
    wal_index::{self, Published},
};
use rusqlite::Connection;
use std::{
    io,
    os::unix::fs::FileExt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Tries to begin a transaction while nobody commits; under load a try takes microseconds.
const EXACT_TRIES_MAX: u32 = 10_000;

/// Why no snapshot could be taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SnapshotError {
    #[error("reading the tenant: {0}")]
    Sqlite(#[from] rusqlite::Error),
    #[error("reading the tenant's files: {0}")]
    Files(#[from] io::Error),
    #[error("the tenant is written to without any pause")]
    Busy,
}

/// Begins a read transaction; the wal-index is read only by the next statement inside it.
pub(crate) fn begin_read(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch("BEGIN")?;
    let begun = connection
        .prepare_cached("SELECT count(*) FROM sqlite_schema")
        .and_then(|mut statement| statement.query_row([], |_| Ok(())));
    if begun.is_err() {
        end_read(connection);
    }
    begun
}

/// Ends a read transaction; harmless when there is none.
pub(crate) fn end_read(connection: &Connection) {
    if !connection.is_autocommit() {
        // Rolling back a read cannot fail in a way that matters: the transaction is over either way.
        let _ = connection.execute_batch("ROLLBACK");
    }
}

/// A read transaction on one state of a database, for any number of threads.
pub(crate) struct Snapshot {
    connection: Mutex<TenantConnection>,
    files: Arc<TenantFiles>,
    /// Where in the log it stands.
    pub(crate) at: Published,
    pub(crate) pages: u32,
    pub(crate) page_size: u32,
}

impl Snapshot {
    /// Begins on `connection`. Exact, because nothing was committed between the two looks around it.
    pub(crate) fn begin(connection: TenantConnection) -> Result<Self, SnapshotError> {
        for _ in 0..EXACT_TRIES_MAX {
            let before = wal_index::published(connection.shm())?;
            begin_read(&connection)?;
            let after = wal_index::published(connection.shm())?;
            if let (Some(before), Some(after)) = (before, after)
                && before.same_state(&after)
            {
                let number =
                    |name| connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0));
                let (pages, page_size) = (number("page_count"), number("page_size"));
                let (pages, page_size) = (pages?, page_size?);
                return Ok(Snapshot {
                    files: Arc::clone(connection.files()),
                    connection: Mutex::new(connection),
                    at: after,
                    pages,
                    page_size,
                });
            }
            end_read(&connection);
        }
        Err(SnapshotError::Busy)
    }

    fn connection(&self) -> MutexGuard<'_, TenantConnection> {
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads `pages`, which ascend, one after the other into `bytes`. Every one is what `map` says it is in
    /// this state; the number of the first that is not comes back instead.
    ///
    /// Most pages stand in the data file already, where reading them costs least. A page that does not, or is
    /// being written there just now, has another hash, and is read through SQLite.
    pub(crate) fn read(
        &self,
        pages: &[u32],
        map: &PageMap,
        bytes: &mut Vec<u8>,
    ) -> Result<Result<(), u32>, SnapshotError> {
        let size = self.page_size as usize;
        bytes.resize(pages.len() * size, 0);
        self.read_data_file(pages, bytes)?;
        for (page, content) in pages.iter().zip(bytes.chunks_exact_mut(size)) {
            let is_right =
                |content: &[u8]| PageMap::hash(self.page_size, *page, content) == map.get(*page);
            if is_right(content) {
                continue;
            }
            content.copy_from_slice(&self.page(*page)?);
            if !is_right(content) {
                return Ok(Err(*page));
            }
        }
        Ok(Ok(()))
    }

    /// Reads what stands in the data file at the places of `pages`; beyond its end, anything.
    fn read_data_file(&self, pages: &[u32], mut bytes: &mut [u8]) -> io::Result<()> {
        for run in pages.chunk_by(|one, next| one + 1 == *next) {
            let (here, rest) = bytes.split_at_mut(run.len() * self.page_size as usize);
            let offset = u64::from(run[0] - 1) * u64::from(self.page_size);
            match self.files.data().read_exact_at(here, offset) {
                Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => return Err(error),
                _ => bytes = rest,
            }
        }
        Ok(())
    }

    /// The content of one page, wherever SQLite has it.
    fn page(&self, page: u32) -> rusqlite::Result<Vec<u8>> {
        let connection = self.connection();
        let mut statement =
            connection.prepare_cached("SELECT data FROM sqlite_dbpage WHERE pgno = ?1")?;
        statement.query_row([page], |row| row.get(0))
    }

    /// Hashes every page; pages that hold no data count as zeros.
    pub(crate) fn map(&self) -> rusqlite::Result<PageMap> {
        let mut map = PageMap::new(self.page_size);
        map.resize(self.pages);
        let connection = self.connection();
        let mut statement = connection.prepare("SELECT pgno, data FROM sqlite_dbpage")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let page: u32 = row.get(0)?;
            let data = row.get_ref(1)?.as_blob()?;
            map.set(page, PageMap::hash(self.page_size, page, data));
        }
        Ok(map)
    }

    /// The schema as SQL text, one statement after the other.
    pub(crate) fn schema(&self) -> rusqlite::Result<String> {
        let connection = self.connection();
        let mut statement = connection
            .prepare("SELECT sql || ';' FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid")?;
        let lines: rusqlite::Result<Vec<String>> =
            statement.query_map([], |row| row.get(0))?.collect();
        Ok(lines?.join("\n"))
    }

    /// Ends the transaction and gives the connection back.
    pub(crate) fn end(self) -> TenantConnection {
        let connection = self.into_held();
        end_read(&connection);
        connection
    }

    /// Gives the connection with its read transaction still open.
    pub(crate) fn into_held(self) -> TenantConnection {
        self.connection
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether `page` holds no data and is left out of backups.
    pub(crate) fn is_empty_page(&self, page: u32) -> bool {
        page_map::is_lock_byte_page(self.page_size, page)
    }
}
