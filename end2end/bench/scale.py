#!/usr/bin/env python3
"""Measures pages and feeds of a console with very much in its database, over HTTP.

Fills a control database (500 tenants, 100 000 backup sets, 1 000 000 tasks, 90 days of log by default; always the same
rows), starts the server on it, asks as browsers do, and prints medians and 95th percentiles beside their goals.
"""

import argparse
import http.client
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

SECOND = 10**9
DAY = 86400 * SECOND
CLUSTER = "big"
API = "/api/app/api/"
PATIENCE = 120


class Server:
    """A server process on a home, and what it costs."""

    def __init__(self, binary, site, home):
        self.home = Path(home)
        self.log = open(self.home.with_suffix(".log"), "a", encoding="utf-8")
        # Only the files' place is needed: no page is opened.
        site = Path(site) if site else self.home.parent / "site"
        (site / "pkg").mkdir(parents=True, exist_ok=True)
        self.process = subprocess.Popen(
            [binary, "serve", "--home", str(home), "--listen", "127.0.0.1:0", "--site", str(site)],
            stdout=self.log, stderr=self.log,
        )
        deadline = time.monotonic() + PATIENCE
        while not (self.home / "token").exists():
            if self.process.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"the server did not start; see {self.log.name}")
            time.sleep(0.05)
        door = json.loads((self.home / "token").read_text())
        self.address, self.token = door["address"], door["token"]

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(PATIENCE)

    def rss_mb(self):
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    def cpu_s(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Client:
    """One browser: a connection that stays open."""

    def __init__(self, server):
        self.server = server
        self.connection = http.client.HTTPConnection(server.address, timeout=PATIENCE)

    def ask(self, method, path, body=None, headers=None):
        self.connection.request(method, path, body, headers or {})
        answer = self.connection.getresponse()
        data = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{method} {path}: {answer.status} {data[:300]!r}")
        return data

    def function(self, name, **arguments):
        """Calls a server function as a page of this server does."""
        headers = {"content-type": "application/json", "origin": f"http://{self.server.address}"}
        return self.ask("POST", API + name, json.dumps(arguments), headers)

    def command(self, path):
        return self.ask("GET", "/cli/v1/" + path, None, {"authorization": f"Bearer {self.server.token}"})


def fill(home, tenants, sets, jobs, days, now):
    """Writes the rows; the schema is there. Returns how long it took."""
    begun = time.monotonic()
    dice = random.Random(20261126)
    db = sqlite3.connect(home / "control.db", isolation_level=None)
    db.execute("PRAGMA synchronous = OFF")
    db.execute("PRAGMA cache_size = -400000")
    # Its own directory is a file, so that nothing opens the cluster and nothing observed of it changes.
    (home / "clusters").mkdir(exist_ok=True)
    (home / "clusters" / CLUSTER).write_text("not a directory\n")
    capabilities = {
        "methods": ["physical"], "incremental": True, "log_archive": "tenant", "recover_to": "any_instant",
        "cancel_backup": True, "cancel_recovery": True, "expiry": "engine_by_policy", "second_backup": False,
        "placement": False, "change_destination": "yes", "plan_cleanup": "yes",
    }

    def insert(table, rows):
        rows = iter(rows)
        first = next(rows)
        names = ", ".join(f'"{name}"' for name in first)
        marks = ", ".join("?" * len(first))
        statement = f"INSERT INTO {table} ({names}) VALUES ({marks})"
        db.execute(statement, tuple(first.values()))
        db.executemany(statement, (tuple(row.values()) for row in rows))

    db.execute("BEGIN IMMEDIATE")
    since = now - days * DAY
    insert("cluster", [dict(
        id=1, name=CLUSTER, engine="embedded", version="SQLite 3", capabilities=json.dumps(capabilities),
        destination="file:///backup", home_dir=f"clusters/{CLUSTER}", destination_dir=f"backup/{CLUSTER}",
        created=since, observed=now, period_rev=1, rev=1, observed_rev=1,
    )])
    insert("tenant", (dict(
        id=t, cluster_id=1, engine_key=f"key-{t}", name=f"tenant_{t:04}", state="online",
        data_file=f"/data/tenant_{t:04}.db", size_bytes=10**8 + t, data_bytes=10**9, log_bytes=10**8, rev=2,
    ) for t in range(1, tenants + 1)))
    insert("log_archive", (dict(
        tenant_id=t, cluster_id=1, method="physical", host="here", checkpoint_scn=now - t, directory=f"clog/{t}",
        started=since, round=days, state="DOING", rev=3,
    ) for t in range(1, tenants + 1)))
    # A gap of a minute every thirty days, and every day for one tenant in fifty.
    def rounds(t):
        return [d for d in range(days) if t % 50 == 0 or d % 30 == 0] + [days]

    insert("log_span", (dict(
        tenant_id=t, round=begin + 1, start_scn=since + begin * DAY + t, end_scn=since + end * DAY - 60 * SECOND,
        cause="first_start" if begin == 0 else "log_lost", note="",
    ) for t in range(1, tenants + 1) for begin, end in zip(rounds(t), rounds(t)[1:])))

    def all_sets():
        each = sets // tenants
        step = days * DAY // each
        for t in range(1, tenants + 1):
            full = None
            for number in range(1, each + 1):
                at = since + (number - 1) * step + t * 1000 + 1000
                full = number if number % 7 == 1 else full
                begun_round = max(d for d in rounds(t)[:-1] if d <= (at - since) // DAY) + 1
                yield dict(
                    tenant_id=t, set_id=number, kind="full" if full == number else "incremental",
                    base=None if full == number else number - 1, round=begun_round, min_restore_scn=at,
                    started=at - SECOND, finished=at + SECOND, stored_bytes=10**7, raw_bytes=10**8,
                )

    insert("backup_set", all_sets())

    def all_jobs():
        step = days * DAY // jobs
        for number in range(1, jobs + 1):
            state = dice.choices(["completed", "failed", "canceled"], [970, 20, 10])[0]
            kind = "recovery" if number % 50 == 0 else "data_backup"
            at = since + number * step
            yield dict(
                id=number, cluster_id=1, tenant_id=dice.randint(1, tenants), kind=kind, state=state,
                token=f"token-{number}", caused_by="manual", source=dice.choice(["cluster", "tenant"]),
                asked=dice.choices(["full", "incremental"], [1, 6])[0], until_scn=at, new_name=f"copy_{number}",
                phase="", done_bytes=10**7, total_bytes=10**7, rate_bytes_per_s=10**6, attempts=1, not_before=0,
                created=at, started=at + SECOND, ended=at + 60 * SECOND, rev=3 + number,
                failure="the destination did not answer" if state == "failed" else None,
            )

    insert("job", all_jobs())
    db.execute("UPDATE revision SET value = ?", (jobs + 10,))
    db.execute("COMMIT")
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    return time.monotonic() - begun


def measure(work, times):
    """Median and 95th percentile in milliseconds, and the size of an answer."""
    size, spent = 0, []
    for _ in range(times):
        begun = time.perf_counter()
        size = len(work())
        spent.append((time.perf_counter() - begun) * 1000)
    spent.sort()
    return spent[len(spent) // 2], spent[min(len(spent) - 1, len(spent) * 95 // 100)], size


def questions(client, tenants, now):
    """Name, goal in milliseconds, and what to ask."""
    every = dict(
        since=None, until=None, states=[], tenant=None, kind=None, source=None, ascending=False, page=1, size=50,
    )

    def page(**filter):
        return lambda: client.function("backups/list", cluster=CLUSTER, filter={**every, **filter})

    def feed(rev):
        return lambda: client.function("feed/since", cluster=CLUSTER, rev=rev)

    rev = json.loads(client.function("clusters/overview", cluster=CLUSTER))["rev"]
    return [
        ("alive", 2, lambda: client.ask("GET", "/healthz")),
        ("ready", 20, lambda: client.ask("GET", "/readyz")),
        ("clusters list", 20, lambda: client.function("clusters/list")),
        ("overview with the union calendar", 50, lambda: client.function("clusters/overview", cluster=CLUSTER)),
        ("ranges of one tenant", 20, lambda: client.command(f"{CLUSTER}/tenants/tenant_{tenants // 2:04}/ranges")),
        ("tenants", 20, lambda: client.function("tenants/list", cluster=CLUSTER)),
        ("tasks", 30, page()),
        ("tasks, page 200", 30, page(page=200)),
        ("tasks, oldest first", 30, page(ascending=True)),
        ("tasks that failed", 30, page(states=["failed"])),
        ("tasks that ended", 30, page(states=["completed", "failed", "canceled"])),
        ("tasks of a tenant", 30, page(tenant=7)),
        ("tasks of a tenant that failed", 30, page(tenant=7, states=["failed"])),
        ("full backups of clusters", 30, page(kind="full", source="cluster")),
        ("failed full backups of a week", 30,
         page(kind="full", states=["failed"], since=now - 14 * DAY, until=now - 7 * DAY)),
        ("tasks that run", 30, page(states=["queued", "running"])),
        ("recoveries", 30, lambda: client.function("recoveries/list", cluster=CLUSTER, filter=every)),
        ("log backup tasks", 30, lambda: client.function("archives/list", cluster=CLUSTER, filter=every)),
        ("feed, nothing new", 5, feed(rev)),
        ("feed, one task behind", 5, feed(rev - 8)),
        ("metrics", 50, lambda: client.ask("GET", "/metrics")),
    ]


def crowd(server, clients, seconds, rev):
    """Browsers that ask the feed every two seconds. Returns answers, their 95th percentile, CPU in cores, memory."""
    spent, faults, end = [], [], time.monotonic() + seconds

    def browse(number):
        client = Client(server)
        time.sleep(2 * number / clients)
        while time.monotonic() < end:
            begun = time.perf_counter()
            try:
                client.function("feed/since", cluster=CLUSTER, rev=rev)
            except (RuntimeError, OSError) as error:
                faults.append(error)
                return
            took = time.perf_counter() - begun
            spent.append(took * 1000)
            time.sleep(max(0, 2 - took))

    cpu = server.cpu_s()
    threads = [threading.Thread(target=browse, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise RuntimeError(f"{len(faults)} clients failed, the first with: {faults[0]}")
    spent.sort()
    return len(spent), spent[len(spent) * 95 // 100], (server.cpu_s() - cpu) / seconds, server.rss_mb()


def verdict(value, goal):
    return "ok" if value <= goal else "MISSED"


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--binary", required=True)
    options.add_argument("--site")
    options.add_argument("--tenants", type=int, default=500)
    options.add_argument("--sets", type=int, default=100_000)
    options.add_argument("--jobs", type=int, default=1_000_000)
    options.add_argument("--days", type=int, default=90)
    options.add_argument("--clients", type=int, default=200)
    options.add_argument("--seconds", type=int, default=20)
    options.add_argument("--times", type=int, default=40)
    options = options.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="tidemark-scale-"))
    missed = 0
    try:
        home = folder / "home"
        empty = Server(options.binary, options.site, home)
        time.sleep(2)
        idle = empty.rss_mb()
        empty.stop()
        now = time.time_ns()
        took = fill(home, options.tenants, options.sets, options.jobs, options.days, now)
        size = (home / "control.db").stat().st_size / 1e6
        print(f"{options.tenants} tenants, {options.sets} sets, {options.jobs} tasks, {options.days} days of log: "
              f"{size:.0f} MB, filled in {took:.0f} s")
        begun = time.monotonic()
        server = Server(options.binary, options.site, home)
        print(f"started in {time.monotonic() - begun:.1f} s\n")
        client = Client(server)
        print(f"{'asked for':<36}{'median':>9}{'p95':>9}{'goal':>8}{'answer':>10}")
        for name, goal, work in questions(client, options.tenants, now):
            work()
            median, p95, size = measure(work, options.times)
            missed += p95 > goal
            print(f"{name:<36}{median:>6.1f} ms{p95:>6.1f} ms{goal:>5} ms{size / 1000:>7.1f} kB  {verdict(p95, goal)}")
        rev = json.loads(client.function("clusters/overview", cluster=CLUSTER))["rev"]
        answers, p95, cores, rss = crowd(server, options.clients, options.seconds, rev)
        print(f"\n{options.clients} clients, each every 2 s: {answers} answers, p95 {p95:.1f} ms")
        for name, value, goal, unit in [
            ("processor", cores, 1, "cores"), ("memory", rss, 120, "MB"), ("memory, empty and idle", idle, 40, "MB"),
        ]:
            missed += value > goal
            print(f"{name:<36}{value:>9.2f} {unit:<6} goal {goal:<4} {verdict(value, goal)}")
        server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
