"""Stores of both kinds, and a PostgreSQL server of the tests' own in a folder that goes away with it."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from itertools import count
from pathlib import Path
from typing import NamedTuple

import pytest

from tauro.store import open_store

PASSWORD = "kept-to-itself"
_FAST = ("fsync=off", "full_page_writes=off", "shared_buffers=32MB", "max_connections=60")


class StorePlace(NamedTuple):
    """Where a store is: what open_store takes."""

    folder: Path
    environ: dict[str, str]

    def open(self):
        return open_store(self.folder, self.environ)


def serve_postgres(hosts=("127.0.0.1",), network=None):
    """Start a server, and return the function that gives each caller a schema of its own as a URL.

    Args:
        hosts: Addresses of this machine that it answers at.
        network: Other machines that it lets in, such as ``10.0.0.0/24``.
    """
    programs = _programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed: tests/services/postgres.sh installs it")
    folder = Path(tempfile.mkdtemp(prefix="tauro-pg-"))
    # The server refuses root; Debian's package brings a user for it.
    user = "postgres" if os.geteuid() == 0 else None
    if user:
        shutil.chown(folder, user)
    try:
        yield from _serve(programs, folder, user, hosts, network)
    finally:
        shutil.rmtree(folder)


def _programs():
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    return folders[-1].parent if folders else None


def _serve(programs, folder, user, hosts, network):
    secret, data = folder / "password", folder / "data"
    secret.write_text(PASSWORD)
    secret.chmod(0o644)
    make = [programs / "initdb", "-D", data, "-U", "tauro", "-A", "scram-sha-256", f"--pwfile={secret}", "--no-sync"]
    subprocess.run(make, user=user, cwd=folder, check=True, capture_output=True, timeout=120)
    if network is not None:
        with (data / "pg_hba.conf").open("a") as rules:
            rules.write(f"host all all {network} scram-sha-256\n")
    listening = ["-c", f"listen_addresses={','.join(hosts)}"]
    server = PostgresServer([programs / "postgres", "-D", data, "-k", folder, *listening], folder, user, hosts[0])
    server.start()
    try:
        yield server
    finally:
        server.stop()


class PostgresServer:
    """A server; called, it gives a schema of its own as a URL."""

    def __init__(self, command, folder, user, host):
        self._host = host
        self._port = _free_port(host)
        self._command = [*command, "-p", str(self._port), *(part for setting in _FAST for part in ("-c", setting))]
        self._folder = folder
        self._user = user
        self.url = f"postgresql://tauro:{PASSWORD}@/postgres?host={folder}&port={self._port}"
        self._numbers = count()

    def __call__(self):
        return f"{self.url}&options=-csearch_path%3Dstore{next(self._numbers)}"

    def over_tcp(self, url, host):
        """Return the URL of a schema as another machine has it, which reaches this one by that address."""
        return url.replace(f"@/postgres?host={self._folder}&port={self._port}&", f"@{host}:{self._port}/postgres?")

    def jdbc(self):
        """Return the options of a dataset of format jdbc."""
        url = f"jdbc:postgresql://{self._host}:{self._port}/postgres"
        return {"url": url, "user": "tauro", "password": PASSWORD}

    def start(self):
        log = self._folder / "log"
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                self._command, user=self._user, cwd=self._folder, stdout=output, stderr=output
            )
        _wait_for(self.url, log)

    def stop(self):
        """End it at once, as a crash would."""
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait(30)


def _free_port(host):
    with socket.socket() as taken:
        taken.bind((host, 0))
        return taken.getsockname()[1]


def _wait_for(url, log):
    import psycopg

    deadline = time.monotonic() + 60
    while True:
        try:
            psycopg.connect(url).close()
        except psycopg.OperationalError:
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        else:
            return
