"""Rows for a control database, very many and always the same."""

import json
import random
import sqlite3
import time

SECOND = 10**9
DAY = 86400 * SECOND
CLUSTER = "big"


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
            backup = kind == "data_backup"
            source, asked = dice.choice(["cluster", "tenant"]), dice.choices(["full", "incremental"], [1, 6])[0]
            at = since + number * step
            yield dict(
                id=number, cluster_id=1, tenant_id=dice.randint(1, tenants), kind=kind, state=state,
                token=f"token-{number}", caused_by="manual", source=source if backup else None,
                asked=asked if backup else None, until_scn=None if backup else at,
                new_name=None if backup else f"copy_{number}",
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
