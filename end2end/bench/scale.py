#!/usr/bin/env python3
"""Measures pages and feeds of a console with very much in its database, over HTTP.

Fills a control database (500 tenants, 100 000 backup sets, 1 000 000 tasks, 90 days of log by default; always the same
rows), starts the server on it, asks as browsers do, and prints medians and 95th percentiles beside their goals, with the
processor time that the server took for an answer: unlike the others it hardly depends on what else the machine does.
Then a console that observes as many small tenants in fact.
"""

import argparse
import itertools
import json
import re
import shutil
import sqlite3
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.dont_write_bytecode = True  # the tree stays as it was checked out

from console import PATIENCE, Client, Server
from filling import CLUSTER, DAY, fill

# How often a task that runs is saved, in seconds.
RUNNING_STEP_S = 1


def measure(server, work, times):
    """Median and 95th percentile in milliseconds, processor time of the server for one answer, and an answer's size."""
    size, spent, cpu = 0, [], server.cpu_s()
    for _ in range(times):
        begun = time.perf_counter()
        size = len(work())
        spent.append((time.perf_counter() - begun) * 1000)
    cpu = (server.cpu_s() - cpu) * 1000 / times
    spent.sort()
    return spent[len(spent) // 2], spent[min(len(spent) - 1, len(spent) * 95 // 100)], cpu, size


def questions(client, tenants, now):
    """Name, goal in milliseconds, and what to ask."""
    every = dict(
        since=None, until=None, states=[], tenant=None, kind=None, source=None, ascending=False, page=1, size=50,
    )

    def page(**filter):
        return lambda: client.function("backups/list", cluster=CLUSTER, filter={**every, **filter})

    def feed(rev):
        return lambda: client.function("feed/since", cluster=CLUSTER, rev=rev)

    behind = itertools.count()

    def feed_behind(rev):
        # From another revision each time, so that no answer is one that was given before.
        return lambda: client.function("feed/since", cluster=CLUSTER, rev=rev - 8 - next(behind) % 20)

    rev = json.loads(client.function("clusters/overview", cluster=CLUSTER))["rev"]
    return [
        ("alive", 5, lambda: client.ask("GET", "/healthz")),
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
        ("feed, some tasks behind", 5, feed_behind(rev)),
        ("metrics", 20, lambda: client.ask("GET", "/metrics")),
    ]


class Progress:
    """A task whose progress is saved each second, as the worker of another process would."""

    def __init__(self, home):
        self.db = sqlite3.connect(home / "control.db", isolation_level=None, timeout=PATIENCE, check_same_thread=False)
        self.steps, self.ended = 0, threading.Event()
        self.thread = threading.Thread(target=self.run)

    def __enter__(self):
        self.change("state = 'running', ended = NULL")
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()
        self.change("state = 'completed', ended = created")
        self.db.close()

    def run(self):
        while not self.ended.wait(RUNNING_STEP_S):
            self.steps += 1
            self.change(f"done_bytes = {self.steps}")

    def change(self, what):
        self.db.execute("BEGIN IMMEDIATE")
        self.db.execute("UPDATE revision SET value = value + 1")
        newest = "(SELECT max(id) FROM job WHERE kind = 'data_backup')"
        self.db.execute(f"UPDATE job SET {what}, rev = (SELECT value FROM revision) WHERE id = {newest}")
        self.db.execute("COMMIT")


def crowd(server, clients, seconds, rev):
    """Browsers that ask the feed every two seconds. Returns what is measured of them."""
    spent, told, faults, end = [], [], [], time.monotonic() + seconds

    def browse(number):
        client, seen = Client(server), rev
        time.sleep(2 * number / clients)
        while time.monotonic() < end:
            begun = time.perf_counter()
            try:
                answer = json.loads(client.function("feed/since", cluster=CLUSTER, rev=seen))
            except (RuntimeError, OSError) as error:
                faults.append(error)
                return
            took = time.perf_counter() - begun
            spent.append(took * 1000)
            told.append(answer["rev"] > seen)
            seen = answer["rev"]
            time.sleep(max(0, 2 - took))

    cpu = server.cpu_ticks_s()
    threads = [threading.Thread(target=browse, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise RuntimeError(f"{len(faults)} clients failed, the first with: {faults[0]}")
    spent.sort()
    cores = (server.cpu_ticks_s() - cpu) / seconds
    return dict(answers=len(spent), told=sum(told), median=spent[len(spent) // 2], p95=spent[len(spent) * 95 // 100],
                cores=cores, rss=server.rss_mb())


def observed(server, tenants, seconds):
    """A cluster of small tenants that is really observed, once it is at rest. Returns what is measured of it."""
    client = Client(server)
    client.function("clusters/create", cluster={"name": CLUSTER, "destination": None, "first_tenant": None})
    begun = time.monotonic()
    for number in range(tenants):
        client.command(f"{CLUSTER}/tenants", {"name": f"tenant_{number:04}"})
    made = time.monotonic() - begun
    # Each begins with a full backup by itself.
    deadline = time.monotonic() + PATIENCE * 5
    while True:
        overview = json.loads(client.function("clusters/overview", cluster=CLUSTER))["summary"]
        if overview["tenants_backed_up"] == tenants and overview["tasks_active"] == 0:
            break
        if time.monotonic() > deadline:
            sys.exit(f"the tenants are not backed up: {overview}")
        time.sleep(0.5)
    backed_up = time.monotonic() - begun - made

    def looks():
        text = client.ask("GET", "/metrics").decode()
        label = r'\{operation="observation"\}'
        total, count = (
            float(re.search(rf"tidemark_engine_call_seconds_{what}{label} (\S+)", text)[1]) for what in ("sum", "count")
        )
        delays = [float(delay) for delay in re.findall(r"tidemark_log_delay_seconds\S+ (\S+)", text)]
        return total, count, max(delays)

    # The eager looks after the last task are over.
    time.sleep(15)
    cpu, (total, count, _) = server.cpu_ticks_s(), looks()
    time.sleep(seconds)
    cores, (total_after, count_after, delay) = (server.cpu_ticks_s() - cpu) / seconds, looks()
    return dict(made=made, backed_up=backed_up, cores=cores, looks=count_after - count,
                look_ms=(total_after - total) / max(1, count_after - count) * 1000, delay=delay, rss=server.rss_mb())


def verdict(value, goal):
    return "ok" if value <= goal else "MISSED"


def judged(lines):
    """Prints values beside their goals. Returns how many were missed."""
    missed = 0
    for name, value, goal, unit in lines:
        missed += value > goal
        print(f"{name:<44}{value:>9.2f} {unit:<6} goal {goal:<4} {verdict(value, goal)}")
    return missed


def filled(options, folder):
    """Measures a console with very much in its database. Returns how many goals were missed."""
    home = folder / "home"
    empty = Server(options.binary, options.site, home)
    empty.make_administrator()
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
    server.sign_in()
    client = Client(server)
    missed = 0
    print(f"{'asked for':<36}{'median':>9}{'p95':>9}{'goal':>8}{'processor':>12}{'answer':>12}")
    for name, goal, work in questions(client, options.tenants, now):
        work()
        median, p95, cpu, size = measure(server, work, options.times)
        missed += p95 > goal
        print(f"{name:<36}{median:>6.1f} ms{p95:>6.1f} ms{goal:>5} ms{cpu:>9.2f} ms{size / 1000:>9.1f} kB  "
              f"{verdict(p95, goal)}")

    def crowded(what):
        rev = json.loads(client.function("clusters/overview", cluster=CLUSTER))["rev"]
        seen = crowd(server, options.clients, options.seconds, rev)
        print(f"\n{options.clients} clients, each every 2 s, {what}: {seen['answers']} answers, {seen['told']} with "
              f"changes, median {seen['median']:.1f} ms, p95 {seen['p95']:.1f} ms")
        return judged([("processor", seen["cores"], 1, "cores"), ("memory", seen["rss"], 120, "MB")])

    missed += crowded("nothing changes")
    with Progress(home):
        missed += crowded("a task moves each second")
    server.stop()
    return missed + judged([("memory, empty and idle", idle, 40, "MB")])


def watched(options, folder):
    """Measures a console that observes tenants in fact. Returns how many goals were missed."""
    server = Server(options.binary, options.site, folder / "observed")
    server.make_administrator()
    seen = observed(server, options.observed, options.seconds)
    print(f"\n{options.observed} small tenants: made in {seen['made']:.0f} s, backed up {seen['backed_up']:.0f} s later; "
          f"then nothing changes, {seen['looks']:.0f} looks in {options.seconds} s")
    missed = judged([
        ("processor", seen["cores"], 0.5, "cores"), ("one look of the engine", seen["look_ms"], 250, "ms"),
        ("largest log delay", seen["delay"], 15, "s"), ("memory", seen["rss"], 250, "MB"),
    ])
    server.stop()
    return missed


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--binary", required=True)
    options.add_argument("--site")
    options.add_argument("--tenants", type=int, default=500)
    options.add_argument("--sets", type=int, default=100_000)
    options.add_argument("--jobs", type=int, default=1_000_000, help="0 leaves the filled console out")
    options.add_argument("--days", type=int, default=90)
    options.add_argument("--clients", type=int, default=200)
    options.add_argument("--seconds", type=int, default=20)
    options.add_argument("--times", type=int, default=40)
    options.add_argument("--observed", type=int, default=500, help="tenants that are really observed; 0 leaves them out")
    options.add_argument("--scratch", help="directory for scratch files")
    options = options.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="tidemark-scale-", dir=options.scratch))
    missed = 0
    try:
        if options.jobs:
            missed += filled(options, folder)
        if options.observed:
            missed += watched(options, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
