"""The company of the sync bench: a real server process, its processor time and what it stores."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pwa.ids import uuid4
from pwa.visits.submitting import submit
from tests.bench.client import Wire
from tests.bench.setting import PLAIN_FIELDS, folder
from tests.browser.server import Server
from tests.cast.company import open_app, services_of
from tests.cast.drafts import planned_visit
from tests.cast.people import CAST, add_person

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Company:
    """A running server with visitors who each have visits planned."""

    server: Server
    data: Path
    users: dict[str, str]
    visits: dict[str, list[str]]

    def wire(self, name: str) -> Wire:
        return Wire(self.server, name)

    def cpu(self) -> float:
        """Seconds of processor time that the server and its worker have used."""
        return sum(_cpu_of(pid) for pid in _group(self.server.process_group))

    def stored(self) -> int:
        """Bytes of the database (with its log) and of the blobs."""
        names = ("troskel.db", "troskel.db-wal")
        files = [self.data / name for name in names] + list((self.data / "blobs").rglob("*"))
        return sum(path.stat().st_size for path in files if path.is_file())

    def logged(self) -> int:
        """Operations in the log; raises if one id is there twice."""
        with contextlib.closing(
            sqlite3.connect(f"file:{self.data / 'troskel.db'}?mode=ro", uri=True)
        ) as db:
            total, distinct = db.execute("SELECT count(*), count(DISTINCT id) FROM log").fetchone()
        assert total == distinct, "doubled"
        return int(total)


def _group(group: int) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = path.read_text().rpartition(")")[2].split()
            if int(fields[2]) == group:
                found.append(int(path.parent.name))
    return found


def _cpu_of(pid: int) -> float:
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS
    return 0.0


@contextlib.contextmanager
def serve_company(visitors: int, each: int) -> Iterator[Company]:
    """A served company in which each of `visitors` has `each` visits planned."""
    with folder() as path:
        with open_app(path / "data") as app:
            alice, drafts = add_person(app, "alice"), []
            users, visits = {}, {}
            for name in (f"visitor{n}" for n in range(visitors)):
                users[name] = add_person(app, name, CAST["bob"]).id
                visits[name] = [uuid4() for _ in range(each)]
                for visit in visits[name]:
                    tenancy = uuid4()
                    fields = PLAIN_FIELDS | {"ref": tenancy}
                    drafts += planned_visit(tenancy, visit, [users[name]], fields=fields)
            with app.app_context():
                submit(services_of(app), alice, drafts)
        server = Server(path / "data", path / "releases")
        server.start()
        try:
            yield Company(server, path / "data", users, visits)
        finally:
            server.stop()
