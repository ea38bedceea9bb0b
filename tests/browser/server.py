"""A real server process: stopped, killed and started again as in the field.

Invariant: "no network" means that the server is not there, never a switch in the browser.
"""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from pwa.database.connections import DATABASE
from tests.cast.company import open_app, services_of
from tests.cast.people import find_person
from tests.cast.world import World

ROOT = Path(__file__).parent.parent.parent


def free_port() -> int:
    """A port that nobody else of this run takes while our server is stopped: each worker has its own
    range, below those the system gives out."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    first = 11_000 + worker % 8 * 2_500  # Chromium refuses 10080
    for port in itertools.chain(
        range(first + next(_ports), first + 2_500), range(first, first + 2_500)
    ):
        with socket.socket() as free, suppress(OSError):
            free.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no free port")


# Another run on this machine begins elsewhere in the range.
_ports = itertools.cycle((os.getpid() + step) % 2_500 for step in range(0, 2_500, 7))


class Server:
    """The `troskel serve` command on a port of its own, which it keeps across restarts."""

    def __init__(self, data: Path, releases: Path) -> None:
        self.data = data
        self.root = ROOT
        self._releases = releases
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start and wait until it listens."""
        command = "from pwa.commands.cli import main; main()"
        arguments = ["serve", "--data", str(self.data), "--port", str(self.port)]
        self._process = subprocess.Popen(
            [sys.executable, "-c", command, *arguments],
            cwd=self.root,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": str(self.root), "PYTHONUNBUFFERED": "1"},
        )
        assert self._process.stdout
        printed = []
        for line in self._process.stdout:
            printed.append(line)
            if line.startswith("Tröskel is at"):
                self._drain = subprocess.Popen(
                    ["cat"], stdin=self._process.stdout, stdout=subprocess.DEVNULL
                )
                return
        raise AssertionError("the server did not start:\n" + "".join(printed))

    @property
    def process_group(self) -> int:
        """The number that the server and its worker share; 0 when it does not run."""
        return self._process.pid if self._process else 0

    def stop(self) -> None:
        """As the owner stops it: SIGTERM, and wait."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """As a power cut stops it: SIGKILL for parent and worker."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        self.stop()
        self.start()

    def release(self, change: Callable[[Path], None]) -> None:
        """Stop, put a copy of the code with `change` made to it in place, start: an update."""
        self.stop()
        copy = self._releases / f"release-{len(list(self._releases.iterdir()))}"
        for folder in ("pwa", "sync", "templates", "static"):
            shutil.copytree(
                self.root / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__")
            )
        change(copy)
        self.root = copy
        self.start()

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, how)
        self._process.wait(timeout=30)
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)  # a worker must not outlive its parent
        self._drain.wait(timeout=30)
        if self._process.stdout:
            self._process.stdout.close()
        self._process = None

    @contextmanager
    def world(self) -> Iterator[World]:
        """The company's data as the tests of the server have it, while the server is down."""
        self.stop()
        with open_app(self.data) as app:
            yield World(services_of(app), lambda name: find_person(app, name))
        self.start()

    def query(self, sql: str, *values: object) -> list[Any]:
        """Rows of the server's database, read beside it."""
        with closing(sqlite3.connect(self.data / DATABASE)) as db:
            return db.execute(sql, values).fetchall()

    def execute(self, sql: str) -> None:
        """Change the server's database behind its back."""
        with closing(sqlite3.connect(self.data / DATABASE)) as db, db:
            db.execute(sql)

    def visit_at(self, street: str) -> str:
        """The id of the visit at an address."""
        ((id,),) = self.query("SELECT id FROM visit_index WHERE street = ?", street)
        return str(id)

    def end_sessions(self) -> None:
        """As a supervisor ends all sessions at the desk."""
        self.execute("UPDATE sessions SET ended_at = created_at")
