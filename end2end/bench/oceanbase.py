#!/usr/bin/env python3
"""Measures what a look at an OceanBase cluster costs: statements and bytes on the wire, with few and with many tenants.

Starts a simulated cluster with each number of tenants, a server that knows it through a proxy of this program, and counts what
passes while nothing else is asked. A look begins with the question for the cluster's time, so statements for one look are all
statements divided by the number of those.
"""

import argparse
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.dont_write_bytecode = True  # the tree stays as it was checked out

from console import PATIENCE, Client, Server

PASSWORD = "tide tables of 1867"
COM_QUERY = 3
# Every look sends it first.
FIRST = b"TIME_TO_USEC(NOW(6)) AS NOW_US"
CHUNK = 1 << 16


class Counter:
    """A proxy of the MySQL protocol that counts."""

    def __init__(self, target):
        self.target, self.lock = target, threading.Lock()
        self.statements = self.sent = self.received = 0
        # What had passed when each look began.
        self.marks = []
        self.door = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.door.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.door.accept()
            server = socket.create_connection(self.target)
            threading.Thread(target=self.forward, args=(client, server, self.order), daemon=True).start()
            threading.Thread(target=self.forward, args=(server, client, self.answer), daemon=True).start()

    def forward(self, source, target, count):
        count = count()
        next(count)
        try:
            while data := source.recv(CHUNK):
                count.send(data)
                target.sendall(data)
        except OSError:
            pass
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def order(self):
        """Takes packets apart: three bytes of length, one of number, then the command."""
        held = b""
        while True:
            data = yield
            held += data
            with self.lock:
                self.sent += len(data)
                while len(held) >= 4 and len(held) >= 4 + int.from_bytes(held[:3], "little"):
                    body, held = held[4:4 + int.from_bytes(held[:3], "little")], held[4 + int.from_bytes(held[:3], "little"):]
                    if body[:1] == bytes([COM_QUERY]):
                        if FIRST in body:
                            self.marks.append((self.statements, self.sent, self.received))
                        self.statements += 1

    def answer(self):
        while True:
            data = yield
            with self.lock:
                self.received += len(data)

    def looks(self):
        with self.lock:
            return list(self.marks)


def cluster(binary, version, tenants):
    """A simulated cluster, and where it listens."""
    process = subprocess.Popen(
        [binary, "--version", version, "--tenants", str(tenants), "--listen", "127.0.0.1:0"],
        stderr=subprocess.PIPE, text=True, env={**os.environ, "OCEANBASE_SIM_PASSWORD": PASSWORD},
    )
    line = process.stderr.readline()
    found = re.search(r"tenants on ([\d.]+):(\d+)", line)
    if not found:
        sys.exit(f"no simulated cluster: {line}")
    return process, (found[1], int(found[2]))


def measured(arguments, version, tenants, folder):
    simulated, address = cluster(arguments.simulation, version, tenants)
    counter = Counter(address)
    server = Server(arguments.binary, arguments.site, folder / f"home-{version}-{tenants}")
    try:
        server.make_administrator()
        client = Client(server)
        access = {"addresses": counter.address, "account": "root@sys", "password": PASSWORD}
        new = {"name": "prod", "engine": "oceanbase", "access": access, "destination": None, "first_tenant": None}
        client.function("clusters/create", cluster=new)
        before = len(counter.looks())
        deadline = time.monotonic() + PATIENCE
        while len(counter.looks()) <= before + arguments.looks:
            if time.monotonic() > deadline:
                sys.exit(f"{version} with {tenants} tenants is not looked at; see {server.log.name}")
            time.sleep(0.005)
        looks = counter.looks()
        return [(after - early) / arguments.looks for early, after in zip(looks[before], looks[before + arguments.looks])]
    finally:
        server.stop()
        simulated.kill()
        simulated.wait(PATIENCE)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", required=True)
    parser.add_argument("--site", required=True)
    parser.add_argument("--simulation", required=True)
    parser.add_argument("--versions", nargs="+", default=["3.1.5", "4.2.1.6", "4.3.5"])
    parser.add_argument("--tenants", nargs="+", type=int, default=[4, 100, 1000])
    parser.add_argument("--looks", type=int, default=10)
    arguments = parser.parse_args()
    print(f"one look at an OceanBase cluster, mean of {arguments.looks} looks")
    print(f"{'version':>10} {'tenants':>8} {'statements':>11} {'sent kB':>9} {'received kB':>12}")
    with tempfile.TemporaryDirectory() as folder:
        for version in arguments.versions:
            for tenants in arguments.tenants:
                statements, sent, received = measured(arguments, version, tenants, Path(folder))
                print(f"{version:>10} {tenants:>8} {statements:>11.1f} {sent / 1000:>9.1f} {received / 1000:>12.1f}")


if __name__ == "__main__":
    main()
