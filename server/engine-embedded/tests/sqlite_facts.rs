//! Facts about the pinned SQLite on which the follower's correctness rests; each as one test.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use rusqlite::Connection;
use std::{fs::File, os::unix::fs::FileExt, path::Path};

fn open(path: &Path) -> Connection {
    let connection = Connection::open(path).unwrap();
    connection
        .pragma_update(None, "journal_mode", "wal")
        .unwrap();
    connection
        .pragma_update(None, "wal_autocheckpoint", 0)
        .unwrap();
    connection
}

fn read(connection: &Connection) {
    connection.execute_batch("BEGIN").unwrap();
    connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))
        .unwrap();
}

/// Busy flag, frames in the log, frames copied.
fn checkpoint(connection: &Connection, mode: &str) -> (i64, i64, i64) {
    let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    connection
        .query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], row)
        .unwrap()
}

/// `mxFrame`, salts and running checksum of the wal-index header.
fn index(path: &Path) -> (u32, [u8; 8], [u8; 8]) {
    let mut bytes = [0u8; 48];
    let shm = File::open(path.with_extension("db-shm")).unwrap();
    shm.read_exact_at(&mut bytes, 0).unwrap();
    // Closing this descriptor drops this process's locks; the tests below read it only when that does not matter.
    let mx = u32::from_ne_bytes(bytes[16..20].try_into().unwrap());
    (
        mx,
        bytes[32..40].try_into().unwrap(),
        bytes[24..32].try_into().unwrap(),
    )
}

#[test]
fn the_pinned_sqlite_has_the_fix_for_the_log_reset_defect() {
    assert!(
        rusqlite::version_number() >= 3_051_003,
        "{}",
        rusqlite::version()
    );
}

#[test]
fn a_reader_inside_the_log_keeps_it_from_beginning_anew() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.db");
    let (writer, reader, other) = (open(&path), open(&path), open(&path));
    writer
        .execute_batch("CREATE TABLE t (v); INSERT INTO t VALUES (1)")
        .unwrap();
    read(&reader);
    let mark = checkpoint(&other, "NOOP").1;
    writer.execute_batch("INSERT INTO t VALUES (2)").unwrap();
    let (_, frames, copied) = checkpoint(&other, "PASSIVE");
    assert!(
        copied <= mark && frames > mark,
        "copied {copied} of {frames}, reader at {mark}"
    );
    other
        .busy_timeout(std::time::Duration::from_millis(50))
        .unwrap();
    assert_eq!(checkpoint(&other, "RESTART").0, 1, "a restart is refused");
}

#[test]
fn a_reader_on_a_copied_log_lets_it_begin_anew_once_but_keeps_the_new_one_from_being_copied() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.db");
    let (writer, reader, other) = (open(&path), open(&path), open(&path));
    writer
        .execute_batch("CREATE TABLE t (v); INSERT INTO t VALUES (1)")
        .unwrap();
    let (_, frames, copied) = checkpoint(&other, "PASSIVE");
    assert_eq!(frames, copied);
    read(&reader);
    writer.execute_batch("INSERT INTO t VALUES (2)").unwrap();
    let (busy, frames, copied) = checkpoint(&other, "PASSIVE");
    assert_eq!(
        (busy, frames, copied),
        (0, 1, 0),
        "one frame of a new log, none of it copied"
    );
    let seen: i64 = reader
        .query_row("SELECT count(*) FROM t", [], |row| row.get(0))
        .unwrap();
    assert_eq!(seen, 1);
}

#[test]
fn a_log_that_begins_anew_has_new_salts() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.db");
    let writer = open(&path);
    writer.execute_batch("CREATE TABLE t (v)").unwrap();
    let (_, salts, _) = index(&path);
    assert_eq!(checkpoint(&writer, "TRUNCATE").0, 0);
    writer.execute_batch("INSERT INTO t VALUES (1)").unwrap();
    let (mx, new_salts, _) = index(&path);
    assert_eq!(mx, 1);
    assert_ne!(salts, new_salts);
    let first = |salts: [u8; 8]| u32::from_be_bytes(salts[..4].try_into().unwrap());
    assert_eq!(first(new_salts), first(salts).wrapping_add(1));
}

#[test]
fn the_published_checksum_is_that_of_the_last_committed_frame() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.db");
    let writer = open(&path);
    writer.execute_batch("CREATE TABLE t (v)").unwrap();
    for n in 0..50 {
        writer.execute("INSERT INTO t VALUES (?1)", [n]).unwrap();
        let (mx, salts, checksum) = index(&path);
        let wal = std::fs::read(path.with_extension("db-wal")).unwrap();
        let frame = &wal[32 + (mx as usize - 1) * 4120..][..24];
        assert_eq!(frame[8..16], salts);
        let native = |at: usize| u32::from_ne_bytes(checksum[at..at + 4].try_into().unwrap());
        let in_file = |at: usize| u32::from_be_bytes(frame[at..at + 4].try_into().unwrap());
        assert_eq!((native(0), native(4)), (in_file(16), in_file(20)));
    }
}
