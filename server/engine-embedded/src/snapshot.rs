//! Exact snapshots: a read transaction of which it is known where in the log it stands.

use crate::{
    files::TenantConnection,
    page_map::{self, PageMap},
    wal_index::{self, Published},
};
use rusqlite::Connection;
use std::io;

/// Tries to begin a transaction while nobody commits; under load a try takes microseconds.
const EXACT_TRIES_MAX: u32 = 10_000;

/// Why no snapshot could be taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SnapshotError {
    #[error("reading the tenant: {0}")]
    Sqlite(#[from] rusqlite::Error),
    #[error("reading the wal-index: {0}")]
    WalIndex(#[from] io::Error),
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

/// A read transaction on one state of a database.
pub(crate) struct Snapshot {
    connection: TenantConnection,
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
                    connection,
                    at: after,
                    pages,
                    page_size,
                });
            }
            end_read(&connection);
        }
        Err(SnapshotError::Busy)
    }

    /// Calls `each` with every page from number 1 on, in order; pages that hold no data come as zeros.
    pub(crate) fn each_page<E: From<rusqlite::Error>>(
        &self,
        mut each: impl FnMut(u32, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut statement = self
            .connection
            .prepare("SELECT pgno, data FROM sqlite_dbpage")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let page: u32 = row.get(0)?;
            let data = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
            each(page, data)?;
        }
        Ok(())
    }

    /// The content of one page.
    pub(crate) fn page(&self, page: u32) -> rusqlite::Result<Vec<u8>> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT data FROM sqlite_dbpage WHERE pgno = ?1")?;
        statement.query_row([page], |row| row.get(0))
    }

    /// Hashes every page.
    pub(crate) fn map(&self) -> rusqlite::Result<PageMap> {
        let mut map = PageMap::new(self.page_size);
        map.resize(self.pages);
        self.each_page(|page, data| {
            map.set(page, PageMap::hash(self.page_size, page, data));
            Ok::<(), rusqlite::Error>(())
        })?;
        Ok(map)
    }

    /// The schema as SQL text, one statement after the other.
    pub(crate) fn schema(&self) -> rusqlite::Result<String> {
        let mut statement = self
            .connection
            .prepare("SELECT sql || ';' FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid")?;
        let lines: rusqlite::Result<Vec<String>> =
            statement.query_map([], |row| row.get(0))?.collect();
        Ok(lines?.join("\n"))
    }

    /// Ends the transaction and gives the connection back.
    pub(crate) fn end(self) -> TenantConnection {
        end_read(&self.connection);
        self.connection
    }

    /// Gives the connection with its read transaction still open.
    pub(crate) fn into_held(self) -> TenantConnection {
        self.connection
    }

    /// Whether `page` holds no data and is left out of backups.
    pub(crate) fn is_empty_page(&self, page: u32) -> bool {
        page_map::is_lock_byte_page(self.page_size, page)
    }
}
