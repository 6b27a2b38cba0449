#!/usr/bin/env python3
"""Measures Tidemark's backup, restore, log delay and commit overhead beside other programs, in one run.

All work on the same machine, the same file system and the same data, one after the other, beside the
same demo load; every time includes making the result durable. What counts are the ratios: seconds depend on the machine.
"""

import argparse
import json
import math
import os
import shutil
import sqlite3
import sys
import tempfile
import time
from pathlib import Path

sys.dont_write_bytecode = True  # the tree stays as it was checked out

import peers
import tenant_data
import tidemark as driver

ROOT = Path(__file__).resolve().parents[2]
GOAL_BACKUP, GOAL_RESTORE, GOAL_DELAY = 1.2, 4.0, 1.5
TENANT = "bench"
SLOW = ("litestream", "restic")


def percentile(values, percent):
    """Nearest rank: a value that occurred."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def say(*words):
    print(*words, file=sys.stderr, flush=True)


def median_of(times, action):
    results = [action() for _ in range(times)]
    return sorted(results)[len(results) // 2]


def measure_tidemark(server, args):
    """Backups and restores of the big tenant."""
    data_file = server.data_file(TENANT)
    backups, restores = [], []
    size = data_file.stat().st_size
    for number in range(args.repeat):
        peers.level_the_ground(server.home, size)
        started = time.monotonic()
        task = server.back_up(TENANT)
        wall = time.monotonic() - started
        stored = peers.stored_bytes(locate(server, task))
        backups.append({"seconds": driver.worked(task), "wall_seconds": wall, "stored_bytes": stored})
        say(f"  tidemark full backup {number + 1}: {backups[-1]['seconds']:.2f} s (with the command {wall:.2f} s)")
    moment = time.time()
    server.wait_archived(TENANT, moment)
    for number in range(args.repeat):
        new = f"{TENANT}_{number}"
        peers.level_the_ground(server.home, size)
        started = time.monotonic()
        task = server.recover(TENANT, moment, new)
        wall = time.monotonic() - started
        proof = task["recovery"]["proof"]
        if proof["expected_digest"] != proof["computed_digest"] or proof["quick_check"] != "ok":
            raise RuntimeError(f"the recovery has no proof: {proof}")
        if server.data_file(new).stat().st_size < data_file.stat().st_size * 0.95:
            raise RuntimeError("the recovered tenant is too small")
        restores.append({"seconds": driver.worked(task), "wall_seconds": wall})
        say(f"  tidemark restore {number + 1}: {restores[-1]['seconds']:.2f} s (with the command {wall:.2f} s)")
        # The new tenant gets a backup of its own; it must not run into the next measurement.
        server.wait_quiet(new)
    middle = lambda rows: sorted(rows, key=lambda row: row["wall_seconds"])[len(rows) // 2]
    return {"program": "tidemark", "backup": middle(backups), "restore": middle(restores)}


def locate(server, task):
    """The set's directory; told relative to the destination or as a whole path."""
    told = Path(task["backup"]["directory"])
    return told if told.is_absolute() and told.exists() else server.destination() / told


def measure_peers(source, scratch, args):
    rows = []
    for kind in peers.ALL:
        try:
            peer = make_peer(kind, source, scratch, args)
        except peers.NotInstalled as missing:
            rows.append({"program": kind.label, "missing": str(missing)})
            continue
        times = 1 if kind.label in SLOW else args.repeat
        try:
            seconds, stored = median_of(times, peer.measure_backup)
            back, _ = median_of(times, peer.measure_restore)
        except RuntimeError as error:
            rows.append({"program": kind.label, "missing": f"failed: {error}"})
            continue
        finally:
            shutil.rmtree(peer.directory, ignore_errors=True)
        say(f"  {kind.label}: backup {seconds:.2f} s, restore {back:.2f} s")
        backup = {"seconds": seconds, "wall_seconds": seconds, "stored_bytes": stored}
        rows.append({"program": kind.label, "backup": backup, "restore": {"seconds": back, "wall_seconds": back}})
    return rows


def make_peer(kind, source, scratch, args):
    if kind is not peers.Litestream:
        return kind(source, scratch)
    own = ROOT / "target/bench-venv/bin/litestream"
    return kind(source, scratch, args.litestream or (str(own) if own.exists() else None))


def measure_delay(server, seconds):
    """How far what is durable is behind the clock, for a demo tenant, seen from outside."""
    server.wait_quiet("orders")
    task = server.back_up("orders")
    tenant = locate(server, task).parent.parent
    server.until(lambda: driver.durable_until(tenant) > 0, "the first log file", 30)
    delays, shown = [], []
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        durable = driver.durable_until(tenant)
        delays.append(max(0.0, time.time() - durable))
        if len(delays) % 40 == 1:
            shown.append(server.ranges("orders")["log_delay_ms"] / 1000)
        time.sleep(0.025)
    return {
        "samples": len(delays),
        "p50_seconds": percentile(delays, 50),
        "p99_seconds": percentile(delays, 99),
        "max_seconds": max(delays),
        "shown_p50_seconds": percentile(shown, 50),
        "shown_max_seconds": max(shown),
    }


def measure_commits(server, scratch, seconds):
    """Small durable commits of a foreign program: into a tenant, and into a file that nobody follows."""
    plain = scratch / "plain.db"
    # As in a tenant, the log stays when a program leaves, and is written over rather than grown.
    holder = sqlite3.connect(plain, isolation_level=None)
    holder.execute("PRAGMA journal_mode=WAL")
    tenant_data.warm_up(plain)
    tenant_data.warm_up(server.data_file("payments"))
    followed_file, times = server.data_file("payments"), {"plain": [], "followed": []}
    for _ in range(5):
        times["plain"] += tenant_data.commit_times(plain, seconds / 10, 0.004)
        times["followed"] += tenant_data.commit_times(followed_file, seconds / 10, 0.004)
    holder.close()
    result = {}
    for name, values in times.items():
        result[name] = {"commits": len(values), "p50_ms": percentile(values, 50), "p99_ms": percentile(values, 99)}
    result["overhead_p50"] = result["followed"]["p50_ms"] / result["plain"]["p50_ms"] - 1
    result["overhead_p99"] = result["followed"]["p99_ms"] / result["plain"]["p99_ms"] - 1
    return result


def measure(args, scratch):
    say(f"bench: {args.size_mb} MB tenant, scratch files in {scratch}")
    server = driver.Tidemark(args.binary, scratch / "home", args.site)
    try:
        say("log delay and commit times under the demo load")
        delay = measure_delay(server, args.seconds)
        commits = measure_commits(server, scratch, args.seconds)
        server.command("tenant", "create", TENANT)
        data_file = server.data_file(TENANT)
        say("filling the tenant from a foreign connection")
        started = time.monotonic()
        rows = tenant_data.fill(data_file, args.size_mb * 1_000_000)
        filled = time.monotonic() - started
        server.wait_archived(TENANT, time.time())
        server.wait_quiet(TENANT)
        say(f"  {rows} rows in {filled:.0f} s, archived {time.monotonic() - started - filled:.1f} s later")
        source = quiet_copy(data_file, scratch / "source.db")
        size = source.stat().st_size
        say("tidemark")
        own = measure_tidemark(server, args)
        say("the others")
        others = measure_peers(source, scratch, args)
    finally:
        server.stop()
    return {"tenant_bytes": size, "rows": rows, "programs": [own, *others], "log_delay": delay, "commits": commits}


def quiet_copy(data_file, copy):
    """The same data in a file that nobody uses, for the others."""
    source, target = sqlite3.connect(data_file), sqlite3.connect(copy)
    source.backup(target)
    source.close()
    target.execute("PRAGMA journal_mode=DELETE")
    target.close()
    return copy


def judge(result):
    """The goals and whether they were met; None where the other program is missing."""
    by_name = {row["program"]: row for row in result["programs"]}
    own = by_name["tidemark"]

    def ratio(name, part):
        other = by_name.get(name, {}).get(part)
        return other and own[part]["seconds"] / other["seconds"]

    backup = ratio("sqlite3 .backup", "backup")
    restore = ratio("litestream", "restore")
    delay = result["log_delay"]["p99_seconds"]
    return [
        {"goal": f"full backup at most {GOAL_BACKUP} times sqlite3 .backup", "value": backup, "met": backup and backup <= GOAL_BACKUP},
        {"goal": f"restore at least {GOAL_RESTORE:.0f} times faster than litestream", "value": restore and 1 / restore, "met": restore and 1 / restore >= GOAL_RESTORE},
        {"goal": f"log delay p99 under {GOAL_DELAY} s", "value": delay, "met": delay < GOAL_DELAY},
    ]


def table(result):
    own = result["programs"][0]
    lines = [
        f"Tenant of {result['tenant_bytes'] / 1e6:.0f} MB, {result['rows']} rows; medians; every time includes making the result durable.",
        "",
        f"{'':18}{'full backup':>13}{'x tidemark':>12}{'stored':>11}{'restore':>11}{'x tidemark':>12}",
    ]
    for row in result["programs"]:
        if "missing" in row:
            failed = row["missing"].startswith("failed")
            lines.append(f"{row['program']:18}{row['missing'] if failed else 'not installed: ' + row['missing']}")
            continue
        backup, restore = row["backup"], row["restore"]
        lines.append(
            f"{row['program']:18}{backup['seconds']:11.2f} s{backup['seconds'] / own['backup']['seconds']:12.2f}"
            f"{backup['stored_bytes'] / 1e6:8.0f} MB{restore['seconds']:9.2f} s{restore['seconds'] / own['restore']['seconds']:12.2f}"
        )
    delay, commits = result["log_delay"], result["commits"]
    lines += [
        f"tidemark's times are its tasks' own; with starting and waiting in the command {own['backup']['wall_seconds']:.2f} s"
        f" and {own['restore']['wall_seconds']:.2f} s. Its restore includes the proof by digest and SQLite's quick check; the others' include no check.",
        "",
        f"Log delay under the demo load, read from the destination: p50 {delay['p50_seconds']:.2f} s, p99 {delay['p99_seconds']:.2f} s,"
        f" max {delay['max_seconds']:.2f} s ({delay['samples']} samples); as the console shows it: p50 {delay['shown_p50_seconds']:.2f} s.",
        f"Durable commits of a foreign program: plain file p50 {commits['plain']['p50_ms']:.2f} ms, p99 {commits['plain']['p99_ms']:.2f} ms;"
        f" tenant p50 {commits['followed']['p50_ms']:.2f} ms, p99 {commits['followed']['p99_ms']:.2f} ms"
        f" (overhead {commits['overhead_p50']:+.0%} and {commits['overhead_p99']:+.0%}, the demo's own commits included).",
        "",
    ]
    for goal in result["goals"]:
        verdict = {True: "met", False: "NOT met", None: "not measured"}[goal["met"]]
        value = "" if goal["value"] is None else f" ({goal['value']:.2f})"
        lines.append(f"goal: {goal['goal']}: {verdict}{value}")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=ROOT / "target/release/tidemark", type=Path, help="the server to measure")
    parser.add_argument("--site", default=ROOT / "target/site", type=Path, help="directory of the pages' files")
    parser.add_argument("--size-mb", type=int, default=1000, help="size of the tenant")
    parser.add_argument("--repeat", type=int, default=3, help="measurements of the quick ones; the median counts")
    parser.add_argument("--seconds", type=float, default=30, help="how long log delay and commits are sampled")
    parser.add_argument("--litestream", help="the litestream program")
    parser.add_argument("--scratch", type=Path, help="directory for scratch files, on the disk to measure; default below target/")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--check", action="store_true", help="fail when a measured goal is not met")
    args = parser.parse_args()
    if not args.binary.exists():
        parser.error(f"{args.binary} does not exist; build it with `make build`")
    base = args.scratch or ROOT / "target"
    base.mkdir(parents=True, exist_ok=True)
    need = args.size_mb * 1_000_000 * (6 + 2 * args.repeat)
    if shutil.disk_usage(base).free < need:
        parser.error(f"{base} needs {need / 1e9:.0f} GB free for a tenant of {args.size_mb} MB; free some, or give --scratch or --size-mb")
    with tempfile.TemporaryDirectory(prefix="bench-", dir=base) as scratch:
        try:
            result = measure(args, Path(scratch))
        except RuntimeError as error:
            sys.exit(f"bench: {error}")
    result["goals"] = judge(result)
    print(json.dumps(result, indent=2) if args.json else table(result))
    if args.check and any(goal["met"] is False for goal in result["goals"]):
        sys.exit(1)


if __name__ == "__main__":
    main()
