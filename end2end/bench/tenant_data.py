"""Fills a tenant with rows that compress about as well as business data do (to roughly two thirds)."""

import random
import sqlite3
import time

ROWS_PER_COMMIT = 20_000
WORDS = (
    "invoice delivery customer pallet warehouse refund express parcel address contract signature "
    "holiday reminder discount quantity supplier freight container harbour customs insurance"
).split()


def fill(path, bytes_wanted, wait=lambda: None):
    """Writes from a foreign connection until the file is that large; gives the number of rows."""
    rng = random.Random(1)
    db = sqlite3.connect(path, timeout=30, isolation_level=None)
    db.execute("PRAGMA synchronous=NORMAL")
    db.execute("CREATE TABLE ledger(id INTEGER PRIMARY KEY, customer INTEGER, placed INTEGER, amount REAL, note TEXT, mark BLOB)")
    db.execute("CREATE INDEX ledger_by_customer ON ledger(customer)")
    page = db.execute("PRAGMA page_size").fetchone()[0]
    rows, placed = 0, 1_700_000_000_000
    while db.execute("PRAGMA page_count").fetchone()[0] * page < bytes_wanted:
        batch = []
        for _ in range(ROWS_PER_COMMIT):
            rows += 1
            placed += rng.randrange(1, 2000)
            note = " ".join(rng.choices(WORDS, k=12))
            batch.append((rows, rng.randrange(200_000), placed, rng.randrange(10**7) / 100, note, rng.randbytes(96)))
        db.execute("BEGIN IMMEDIATE")
        db.executemany("INSERT INTO ledger VALUES(?,?,?,?,?,?)", batch)
        db.execute("COMMIT")
        wait()
    db.close()
    return rows


def warm_up(path):
    """Commits enough that the log has its full size."""
    db = sqlite3.connect(path, timeout=30, isolation_level=None)
    db.execute("PRAGMA synchronous=NORMAL")
    db.execute("CREATE TABLE IF NOT EXISTS commit_times(id INTEGER PRIMARY KEY, text TEXT)")
    for _ in range(1500):
        db.execute("INSERT INTO commit_times(text) VALUES(hex(randomblob(50)))")
    db.close()


def commit_times(path, seconds, pause):
    """Milliseconds of single small durable commits from a foreign connection."""
    db = sqlite3.connect(path, timeout=30, isolation_level=None)
    db.execute("PRAGMA synchronous=FULL")
    db.execute("CREATE TABLE IF NOT EXISTS commit_times(id INTEGER PRIMARY KEY, text TEXT)")
    times, ends = [], time.monotonic() + seconds
    while time.monotonic() < ends:
        started = time.perf_counter()
        db.execute("INSERT INTO commit_times(text) VALUES(hex(randomblob(50)))")
        times.append((time.perf_counter() - started) * 1000)
        time.sleep(pause)
    db.close()
    return times
