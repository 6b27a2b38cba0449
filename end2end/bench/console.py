"""A console to measure: a server on a home of its own, its administrator, and browsers that are signed in."""

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

API = "/api/app/api/"
PATIENCE = 120
ADMINISTRATOR = {"name": "keeper", "password": "tide tables of 1867", "again": "tide tables of 1867"}


class Server:
    """A server process on a home, and what it costs."""

    def __init__(self, binary, site, home):
        self.home = Path(home)
        self.log = open(self.home.with_suffix(".log"), "w", encoding="utf-8")
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
        self.cookie = None

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(PATIENCE)

    def rss_mb(self):
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    def cpu_s(self):
        """Processor time of all its threads that live, to the nanosecond."""
        total = 0
        for thread in Path(f"/proc/{self.process.pid}/task").iterdir():
            try:
                total += int((thread / "schedstat").read_text().split()[0])
            except FileNotFoundError:
                continue
        return total / 1e9

    def cpu_ticks_s(self):
        """Processor time of all its threads, also those that have ended."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def make_administrator(self):
        """Makes the first administrator by the one-time link in the log, and keeps the session."""
        deadline = time.monotonic() + PATIENCE
        while not (found := re.search(r"http://\S+/first-run\?\S+", Path(self.log.name).read_text())):
            if time.monotonic() > deadline:
                sys.exit(f"no link for the first administrator in {self.log.name}")
            time.sleep(0.05)
        link = parse_qs(urlsplit(found[0]).query)["link"][0]
        self.sign_in("/first-run", {"link": link, **ADMINISTRATOR})

    def sign_in(self, path="/sign-in", form=ADMINISTRATOR):
        connection = http.client.HTTPConnection(self.address, timeout=PATIENCE)
        headers = {"content-type": "application/x-www-form-urlencoded", "origin": f"http://{self.address}"}
        connection.request("POST", path, urlencode(form), headers)
        answer = connection.getresponse()
        cookie = answer.getheader("set-cookie")
        if not cookie:
            sys.exit(f"{path} began no session: {answer.status} {answer.read()[:300]!r}")
        self.cookie = cookie.split(";")[0]


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
        headers = {
            "content-type": "application/json", "origin": f"http://{self.server.address}", "cookie": self.server.cookie,
        }
        return self.ask("POST", API + name, json.dumps(arguments), headers)

    def command(self, path, order=None):
        headers = {"authorization": f"Bearer {self.server.token}", "content-type": "application/json"}
        body = None if order is None else json.dumps(order)
        return self.ask("GET" if order is None else "POST", "/cli/v1/" + path, body, headers)
