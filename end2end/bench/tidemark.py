"""Drives a real Tidemark server through its command line, as a script of a user would."""

import datetime
import json
import subprocess
import time
from pathlib import Path


def instant(text):
    """Seconds since the epoch of an RFC 3339 moment with nine digits."""
    whole, fraction = text.rstrip("Z").split(".")
    return datetime.datetime.fromisoformat(whole + "+00:00").timestamp() + float("0." + fraction)


class Tidemark:
    def __init__(self, binary, home, site=None):
        self.binary, self.home = str(binary), Path(home)
        self.log = open(self.home.with_suffix(".log"), "w", encoding="utf-8")
        options = ["--site", str(site)] if site and Path(site).exists() else []
        self.server = subprocess.Popen(
            [self.binary, "serve", "--demo", "--home", str(home), "--listen", "127.0.0.1:0", *options],
            stdout=self.log, stderr=self.log,
        )
        self.until(lambda: len(self.tenants()) >= 2, "the demo tenants to appear", 60)

    def command(self, *words):
        """The JSON document that a command prints; its error message when it fails."""
        done = subprocess.run(
            [self.binary, "--home", str(self.home), "--json", *map(str, words)], capture_output=True, text=True,
        )
        if done.returncode != 0:
            raise RuntimeError(f"tidemark {' '.join(map(str, words))}: {done.stderr.strip()[-800:]}")
        return json.loads(done.stdout)

    def until(self, condition, what, seconds):
        deadline = time.monotonic() + seconds
        problem = ""
        while time.monotonic() < deadline:
            if self.server.poll() is not None:
                break
            try:
                if condition():
                    return
            except RuntimeError as error:
                problem = str(error)
            time.sleep(0.1)
        raise RuntimeError(f"waited {seconds} s for {what}; {problem or 'see'} {self.log.name}")

    def tenants(self):
        return {tenant["name"]: tenant for tenant in self.command("tenant", "list")["tenants"]}

    def data_file(self, tenant):
        self.until(lambda: self.tenants().get(tenant, {}).get("data_file"), f"the data file of {tenant}", 30)
        return Path(self.tenants()[tenant]["data_file"])

    def ranges(self, tenant):
        return self.command("ranges", "--tenant", tenant)

    def wait_archived(self, tenant, moment):
        """Until everything up to `moment` (seconds) is durable at the destination."""
        def reached():
            checkpoint = self.ranges(tenant)["checkpoint"]
            return checkpoint and instant(checkpoint) >= moment
        self.until(reached, f"the log of {tenant} to be archived", 600)

    def back_up(self, tenant):
        """One full backup: the task as the command shows it. Not while an automatic one runs."""
        (task,) = self.command("backup", "--tenant", tenant, "--full", "--wait")["tasks"]
        return task

    def wait_quiet(self, tenant):
        """Until the tenant has been backed up, as every new tenant is by itself, and nothing runs any more."""
        def backed_up():
            self.command("backup", "--tenant", tenant, "--wait")
            return True
        self.until(backed_up, f"the first backup of {tenant}", 300)

    def recover(self, tenant, moment, new):
        text = datetime.datetime.fromtimestamp(moment, datetime.timezone.utc).isoformat()
        return self.command("recover", "--tenant", tenant, "--at", text, "--as", new, "--wait")

    def destination(self):
        """The directory that backups go to, known by its identity file."""
        return next(self.home.rglob("tidemark.json")).parent

    def stop(self):
        self.server.terminate()
        try:
            self.server.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.server.kill()
            self.server.wait()
        self.log.close()


def worked(task):
    """Seconds between the beginning and the end of a task, by the server's own account."""
    return instant(task["ended"]) - instant(task["started"])


def durable_until(tenant_directory):
    """The moment (seconds) up to which a tenant's log is durable, read from the destination itself.

    Segments tell it in their names, `first-last-first_scn-until.seg`; while nothing is committed
    checkpoint.json does.
    """
    newest = 0
    rounds = sorted(Path(tenant_directory, "clog").glob("round_*"))
    pieces = sorted(rounds[-1].glob("piece_*")) if rounds else []
    for piece in pieces[-2:]:
        names = [each.stem.split("-") for each in piece.glob("*.seg") if not each.name.startswith(".")]
        newest = max([newest, *(int(name[3]) for name in names)])
    checkpoint = Path(tenant_directory, "checkpoint.json")
    if checkpoint.exists():
        newest = max(newest, json.loads(checkpoint.read_text())["checkpoint"])
    return newest / 1e9
