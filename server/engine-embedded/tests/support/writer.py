#!/usr/bin/env python3
"""One foreign program that writes to a tenant's data file and keeps its own journal.

It knows nothing of Tidemark: it uses Python's own sqlite3 module, or the stock sqlite3 command, the
way any other program would, and it is as unhelpful as programs are: it checkpoints in every mode,
reconnects, rolls transactions back and changes its settings at random. Everything a transaction
writes is a function of (writer, seq), so a journal of numbers and times says what must be in a file.

Journal lines (times are UTC nanoseconds):
  B seq t   transaction seq is about to begin
  A seq t   it was answered
  R seq t   found committed after the answer was lost
  N seq t   found not committed after the answer was lost
  C mode milliseconds busy   an explicit checkpoint
  O driver autocheckpoint    a connection was opened
  X text                     an error, for people
"""

import argparse
import os
import random
import select
import signal
import sqlite3
import subprocess
import sys
import time

MASK = (1 << 64) - 1
ACCOUNTS = 100
KEPT_ENTRIES = 150
BULK_EVERY, BULK_ROWS = 97, 300
DDL_EVERY = 151
MODES = ("PASSIVE", "FULL", "RESTART", "TRUNCATE")
BUSY_MS = 10_000

SCHEMA = """
CREATE TABLE entries(writer INTEGER, seq INTEGER, payload TEXT, PRIMARY KEY(writer, seq)) WITHOUT ROWID;
CREATE TABLE bulk(writer INTEGER, seq INTEGER, i INTEGER, payload TEXT);
CREATE INDEX bulk_by_seq ON bulk(writer, seq);
CREATE TABLE accounts(id INTEGER PRIMARY KEY, balance INTEGER NOT NULL);
CREATE TABLE tally(writer INTEGER PRIMARY KEY, seq INTEGER NOT NULL, total INTEGER NOT NULL);
CREATE TABLE phantom(x);
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 99) INSERT INTO accounts SELECT i, 100000 FROM n;
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 9) INSERT INTO tally SELECT i, 0, 0 FROM n;
"""


def mix(writer, seq):
    """splitmix64 of the pair: the seed of everything transaction seq writes."""
    z = ((writer << 40) + seq + 1) * 0x9E3779B97F4A7C15 & MASK
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & MASK
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB & MASK
    return z ^ (z >> 31)


def payload(writer, seq):
    m = mix(writer, seq)
    return f"{m:016x}" * (700 if seq % 61 == 0 else 1 + m % 40)


def statements(writer, seq):
    """The SQL of transaction seq, without BEGIN and COMMIT."""
    m = mix(writer, seq)
    giver, taker, amount = (m >> 8) % ACCOUNTS, (m >> 16) % ACCOUNTS, (m >> 24) % 1000
    yield f"INSERT INTO entries VALUES({writer},{seq},'{payload(writer, seq)}')"
    if seq > KEPT_ENTRIES:
        yield f"DELETE FROM entries WHERE writer={writer} AND seq={seq - KEPT_ENTRIES}"
    yield f"UPDATE accounts SET balance=balance-{amount} WHERE id={giver}"
    if seq % BULK_EVERY == 0:
        yield (
            f"WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i+1 FROM n WHERE i<{BULK_ROWS - 1}) "
            f"INSERT INTO bulk SELECT {writer},{seq},i,printf('%016x-%d','{m & 0xFFFF}',i)||hex(zeroblob(200)) FROM n"
        )
        yield f"DELETE FROM bulk WHERE writer={writer} AND seq<{seq}"
    if seq % DDL_EVERY == 0:
        yield f"DROP TABLE IF EXISTS made_{writer}"
        yield f"CREATE TABLE made_{writer}(x)"
        yield f"INSERT INTO made_{writer} VALUES({seq})"
    yield f"UPDATE accounts SET balance=balance+{amount} WHERE id={taker}"
    yield f"UPDATE tally SET seq={seq}, total=total+{amount} WHERE writer={writer}"


ROLLED_BACK = (
    "INSERT INTO phantom SELECT hex(randomblob(1000)) FROM accounts",
    "UPDATE accounts SET balance=balance+1",
    "UPDATE tally SET seq=seq+1000000",
)


class Lost(Exception):
    """An answer did not come or was an error; the transaction may or may not be committed."""


class Module:
    """Python's sqlite3 module."""

    name = "python"

    def __init__(self, path, settings):
        self.connection = sqlite3.connect(path, timeout=BUSY_MS / 1000, isolation_level=None)
        for pragma in settings:
            self.connection.execute(pragma).fetchall()

    def run(self, statements):
        try:
            rows = []
            for statement in statements:
                rows = self.connection.execute(statement).fetchall()
            return rows[0] if rows else ()
        except sqlite3.Error as error:
            try:
                if self.connection.in_transaction:
                    self.connection.execute("ROLLBACK")
            except sqlite3.Error:
                pass
            raise Lost(str(error)) from None

    def close(self):
        self.connection.close()


class Command:
    """The stock sqlite3 command, fed through a pipe. It stops at the first error."""

    name = "cli"

    def __init__(self, path, settings):
        self.process = subprocess.Popen(
            ["sqlite3", "-batch", "-bail", "-noheader", "-list", "-separator", " ", path],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        os.set_blocking(self.process.stdout.fileno(), False)
        self.pending = b""
        self.run([*settings], before=f".timeout {BUSY_MS}\n")

    def run(self, statements, before=""):
        text = before + "".join(f"{statement};\n" for statement in statements) + "SELECT 'end of answer';\n"
        try:
            self.process.stdin.write(text.encode())
            self.process.stdin.flush()
        except OSError:
            raise Lost(self.last_words()) from None
        lines = []
        deadline = time.monotonic() + 3 * BUSY_MS / 1000
        while True:
            while b"\n" in self.pending:
                line, self.pending = self.pending.split(b"\n", 1)
                if line == b"end of answer":
                    return tuple(lines[-1].split()) if lines else ()
                lines.append(line.decode())
            ready, _, _ = select.select([self.process.stdout], [], [], max(0, deadline - time.monotonic()))
            if not ready:
                raise Lost("no answer")
            more = self.process.stdout.read()
            if not more:
                raise Lost(self.last_words())
            self.pending += more

    def last_words(self):
        try:
            self.process.wait(timeout=5)
            return self.process.stderr.read().decode().strip() or "ended"
        except subprocess.TimeoutExpired:
            return "hangs"

    def close(self):
        try:
            self.process.stdin.close()
            self.process.wait(timeout=2 * BUSY_MS / 1000)
        except (OSError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()


class Writer:
    def __init__(self, args):
        self.args = args
        self.random = random.Random(f"{args.seed}-{args.writer}-{os.getpid()}")
        self.journal = os.open(args.journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        self.driver = None
        self.stopping = False
        signal.signal(signal.SIGTERM, self.stop)

    def stop(self, *_):
        self.stopping = True

    def note(self, *words):
        # One unbuffered write: what was noted stays noted when this process is killed.
        os.write(self.journal, (" ".join(map(str, words)).replace("\n", " ") + "\n").encode())

    def open(self):
        autocheckpoint = self.random.choice((1, 10, 50, 1000))
        settings = [
            f"PRAGMA busy_timeout={BUSY_MS}",
            f"PRAGMA wal_autocheckpoint={autocheckpoint}",
            f"PRAGMA synchronous={self.random.choice(('FULL', 'NORMAL'))}",
            f"PRAGMA cache_size={self.random.choice((-2000, 10))}",
        ]
        while not self.stopping:
            try:
                kind = Module if self.args.driver == "python" else Command
                self.driver = kind(self.args.db, settings)
                self.note("O", kind.name, autocheckpoint)
                return
            except (Lost, sqlite3.Error) as error:
                self.note("X", "open:", error)
                time.sleep(0.05)

    def committed(self):
        """The number of this writer's newest committed transaction, as the file says."""
        while not self.stopping:
            try:
                row = self.driver.run([f"SELECT seq FROM tally WHERE writer={self.args.writer}"])
                return int(row[0])
            except Lost as error:
                self.note("X", "look:", error)
                self.driver.close()
                self.open()
        return None

    def settle(self, pending):
        """After a lost answer, or at the start: learns whether transaction `pending` is committed."""
        newest = self.committed()
        if newest is None or pending is None:
            return newest
        if newest == pending:
            self.note("R", pending, time.time_ns())
        elif newest == pending - 1:
            self.note("N", pending, time.time_ns())
        else:
            self.note("X", f"writer {self.args.writer} finds {newest} committed where it wrote {pending}")
            sys.exit(3)
        return newest

    def unsettled(self):
        """The transaction whose answer an earlier, killed process of this writer did not note."""
        pending = None
        with open(self.args.journal, encoding="utf-8", errors="replace") as lines:
            for line in lines:
                words = line.split()
                if words and words[0] in "BARN" and len(words) == 3:
                    pending = int(words[1]) if words[0] == "B" else None
        return pending

    def transaction(self, seq):
        self.note("B", seq, time.time_ns())
        self.driver.run(["BEGIN IMMEDIATE", *statements(self.args.writer, seq), "COMMIT"])
        self.note("A", seq, time.time_ns())

    def mischief(self):
        dice = self.random.random()
        if dice < 0.03:
            mode = self.random.choice(MODES)
            started = time.monotonic()
            row = self.driver.run([f"PRAGMA wal_checkpoint({mode})"])
            self.note("C", mode, round((time.monotonic() - started) * 1000, 1), row[0])
        elif dice < 0.04:
            self.driver.run(["BEGIN IMMEDIATE", *ROLLED_BACK, "ROLLBACK"])
        elif dice < 0.05:
            self.driver.close()
            self.open()
        elif dice < 0.051:
            self.driver.run(["VACUUM"])

    def work(self):
        self.open()
        pending = self.unsettled()
        newest = self.settle(pending)
        ends = time.monotonic() + self.args.seconds
        while not self.stopping and newest is not None and time.monotonic() < ends:
            try:
                pending = newest + 1
                self.transaction(pending)
                newest, pending = pending, None
                self.mischief()
            except Lost as error:
                self.note("X", error)
                self.driver.close()
                self.open()
                newest = self.settle(pending) if pending else newest
            time.sleep(self.random.expovariate(1000 / self.args.pause_ms))
        self.driver.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--schema", action="store_true", help="print the SQL that makes the tables, and end")
    parser.add_argument("--db")
    parser.add_argument("--journal")
    parser.add_argument("--writer", type=int, default=1)
    parser.add_argument("--driver", choices=("python", "cli"), default="python")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--pause-ms", type=float, default=4)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    if args.schema:
        print(SCHEMA)
        return
    Writer(args).work()


if __name__ == "__main__":
    main()
