"""The server of a simulation: the real application on a real SQLite file, with a clock of ours.

Invariant: what is asked of it goes through WSGI as a browser's request does, or through the same
functions as the desk's pages; nothing is written past them. Passwords are hashed with the least
work and ids of desk operations are given, so that a run is quick and repeats itself; nothing else
differs from a served company.
"""

from __future__ import annotations

import base64
import shutil
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient

from pwa import create_app, initialise
from pwa.blobs.files import Blobs
from pwa.blobs.signatures import Signatures
from pwa.database.backup import restore_backup, write_backup
from pwa.database.connections import DATABASE, Databases
from pwa.people import accounts, sessions
from pwa.people.throttle import Throttle
from pwa.services import Services
from pwa.settings import Settings
from pwa.visits.holding import HeldRow, list_filed, list_held, resolve_held
from pwa.visits.submitting import Draft, submit
from sync.shapes import VisitRecord
from sync.sqlite import SqliteStorage
from sync.storage import read_tenancies, read_visits

START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
PASSWORD = "a long test password"
FIELD = ("bob", "charlie", "amira")
DESKS = ("alice", "alva")
VISITS = 12
CAST: dict[str, dict[str, Any]] = {
    "alice": {"role": "supervisor"},
    "alva": {"role": "supervisor"},
    "bob": {"role": "visitor", "languages": ["sv", "ar"]},
    "charlie": {"role": "visitor", "languages": ["sv", "so"]},
    "amira": {"role": "ambassador", "languages": ["ar"]},
    "root": {"role": "administrator"},
}
HEADERS = {"HTTP_SEC_FETCH_SITE": "same-origin", "HTTP_ACCEPT_LANGUAGE": "en"}


def uuid(kind: int, number: int, version: int = 4) -> str:
    """A readable id: `kind` tells what it names."""
    return f"{kind:08x}-0000-{version}000-8000-{number:012x}"


def visit_id(number: int) -> str:
    return uuid(1, number)


@dataclass
class Answer:
    """What a server said, as the phones' process takes it."""

    status: int
    headers: dict[str, str]
    body: bytes

    def as_json(self) -> dict[str, Any]:
        return {
            "status": self.status,
            "headers": self.headers,
            "body": base64.b64encode(self.body).decode(),
        }


class Clock:
    """The one clock of the company; `Services.now` reads it."""

    def __init__(self) -> None:
        self.ms = int(START.timestamp() * 1000)
        self.skew = timedelta()

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.ms // 1000, UTC) + self.skew


@dataclass
class Company:
    """One company on a folder; `template()` makes the folder that each run copies.

    The application is made once and the folder below it put back for each run: what a run changes
    is the database and the blobs, and both are opened anew.
    """

    app: Flask
    data: Path
    clock: Clock
    operations: int = 0
    backups: list[tuple[int, Path]] = field(default_factory=list)
    restores: int = 0
    clients: dict[str, FlaskClient] = field(default_factory=dict)
    users: dict[str, accounts.User] = field(default_factory=dict)
    _is_open: bool = False

    def __post_init__(self) -> None:
        Services.now = self._now  # type: ignore[assignment,method-assign]
        self.services: Services = self.app.extensions["troskel"]
        self.reopen()
        with self.app.app_context():
            self.users = {one.name: one for one in accounts.list_users()}

    def _now(self, *_: object) -> datetime:
        return self.clock.now()

    def reopen(self) -> None:
        """As a server that starts: connections, storage and blobs are new."""
        self.close()
        self.services.databases = Databases(self.data / DATABASE)
        self.services.storage = SqliteStorage(
            self.services.databases.writer, lock=self.services.databases.lock
        )
        self.services.blobs = Blobs(self.data / "blobs", Signatures(self.services.databases))
        self.services.throttle = Throttle()
        self.clients = {}
        self._is_open = True

    def close(self) -> None:
        if self._is_open:
            self.services.close()
        self._is_open = False

    # --- a phone's requests

    def client(self, device: str) -> FlaskClient:
        if device not in self.clients:
            made = self.app.test_client()
            made.environ_base.update(HEADERS)
            self.clients[device] = made
        return self.clients[device]

    def ask(self, device: str, request: dict[str, Any]) -> Answer:
        found = self.client(device).open(
            request["url"], method=request["method"], headers=request["headers"],
            data=base64.b64decode(request["body"]),
        )  # fmt: skip
        headers = {name: value for name, value in found.headers if name != "Set-Cookie"}
        body = found.get_data()
        if headers.get("Content-Encoding") == "gzip":
            raise AssertionError("no phone of ours asked for gzip")
        return Answer(
            found.status_code,
            headers | {"Date": format_datetime(self.clock.now(), usegmt=True)},
            body,
        )

    def sign_in(self, device: str, name: str) -> dict[str, Any] | None:
        """The person as the phone gets it, or None where the server refuses."""
        answer = self.client(device).post(
            "/sign-in",
            data={"name": name, "password": PASSWORD},
            headers={"Accept": "application/json"},
        )
        return answer.get_json()["person"] if answer.status_code == 200 else None

    # --- the desk

    def desk(
        self,
        name: str,
        kind: str,
        subject: str,
        data: dict[str, Any],
        base: int,
        type: str = "visit",
    ) -> str:
        self.operations += 1
        id = uuid(2, self.operations, 7)
        with self.app.app_context():
            submit(self.services, self.users[name], [Draft(id, kind, subject, data, base, type)])
        return id

    def held(self) -> list[HeldRow]:
        """What waits for a decision at the desk."""
        with self.services.databases.reading() as db:
            return list_held(db, self._alva())

    def filed(self) -> list[HeldRow]:
        """What the desk keeps as it is."""
        with self.services.databases.reading() as db:
            return list_filed(db, self._alva(), limit=100_000)

    def _alva(self) -> accounts.User:
        """Who also sees the protected room."""
        with self.app.app_context():
            alva = accounts.find_user(self.users["alva"].id)
        assert alva
        return alva

    def resolve(self, name: str, id: str, sha256: str, action: str) -> None:
        with self.app.app_context():
            resolve_held(self.services, self.users[name], id, sha256, action, "What is this?")

    # --- accounts

    def account(self, what: str, name: str) -> None:
        id = self.users[name].id
        with self.app.app_context():
            if what == "end_sessions":
                with self.services.databases.writing() as db:
                    sessions.end_sessions_of(db, id, self.clock.now(), "ended_by_admin")
            elif what in ("deactivate", "activate"):
                accounts.set_active(id, what == "activate")
            elif what == "password":
                accounts.set_password(id, PASSWORD)
            elif what in ("visitor", "officer", "ambassador", "supervisor"):
                user = accounts.find_user(id)
                assert user
                accounts.change_user(
                    id, role=what, queue="KT" if what == "officer" else "",
                    languages=list(user.languages), display_name=user.display_name,
                    may_see_protected=user.may_see_protected,
                )  # fmt: skip

    def heal(self) -> None:
        for name in FIELD:
            with self.app.app_context():
                user = accounts.find_user(self.users[name].id)
            assert user
            if not user.active:
                self.account("activate", name)
            if user.role != CAST[name]["role"]:
                self.account(str(CAST[name]["role"]), name)

    # --- backup and restore

    def backup(self) -> None:
        target = self.data.parent / f"backup-{len(self.backups)}.tar.gz"
        self.backups.append((write_backup(self.services, target), target))

    def restore(self, number: int) -> None:
        """Put the company back to a backup, as after a burnt disk."""
        _, source = self.backups[number]
        self.close()
        restore_backup(self.data, source, self.clock.now(), force=True)
        self.restores += 1
        self.backups = self.backups[: number + 1]
        self.reopen()

    # --- what there is

    def known(self, ids: set[str]) -> dict[str, tuple[str, int, str]]:
        """id → (hash, number in the log or 0, problem) of what the server has."""
        return {
            id: (one.sha256, one.seq, one.problem)
            for id, one in self.services.storage.find(ids).items()
        }

    def seq(self) -> int:
        head = self.services.storage.head()
        assert head
        return head.seq

    def record(self, visit: str) -> VisitRecord | None:
        return read_visits(self.services.storage, [visit]).get(visit)

    def protected(self, visits: set[str]) -> set[str]:
        """Those of `visits` whose tenancy is protected."""
        records = read_visits(self.services.storage, visits).values()
        named = {one["tenancy"] for one in records}
        tenancies = read_tenancies(self.services.storage, named).values()
        protected = {one["id"] for one in tenancies if one["protected"]}
        return {one["id"] for one in records if one["tenancy"] in protected}

    def query(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        with self.services.databases.reading() as db:
            found: list[tuple[Any, ...]] = db.execute(sql, list(values)).fetchall()
            return found


class Site:
    """Where companies are simulated: one folder, one application, a template to begin from."""

    def __init__(self, folder: Path) -> None:
        # The tests that share this process must find both as they were.
        self._real = (Services.now, accounts.HASHER)
        accounts.HASHER = PasswordHasher(1, 8, 1)
        self.data = folder / "data"
        self.template = folder / "template"
        settings = Settings(data=self.data)
        initialise(settings)
        self.app = create_app(settings)
        services: Services = self.app.extensions["troskel"]
        with self.app.app_context():
            for name, facts in CAST.items():
                accounts.add_user(
                    name, password=PASSWORD, display_name=f"{name.title()} Testsson", **facts
                )
            with services.databases.writing() as db:
                ids = dict(db.execute("SELECT name, id FROM users").fetchall())
                for n, name in enumerate(CAST):  # the same in every run
                    db.execute("UPDATE users SET id = ? WHERE id = ?", [uuid(9, n), ids[name]])
                db.execute("UPDATE users SET may_see_protected = 1 WHERE name = 'alva'")
                db.execute("INSERT INTO marks (name, value) VALUES ('server', 'simulated')")
        services.close()
        self._last = Company(self.app, self.data, Clock())
        for n in range(VISITS):
            _plan(self._last, n)
        self._last.close()
        shutil.copytree(self.data, self.template)

    def close(self) -> None:
        self._last.close()
        Services.now, accounts.HASHER = self._real  # type: ignore[method-assign]

    def company(self) -> Company:
        """A company as it was at first."""
        self._last.close()
        shutil.rmtree(self.data)
        for left in self.data.parent.glob("backup-*"):
            left.unlink()
        shutil.copytree(self.template, self.data)
        self._last = Company(self.app, self.data, Clock())
        return self._last


def _plan(company: Company, n: int) -> None:
    register: dict[str, Any] = dict.fromkeys(
        ("object", "property", "building", "lease_end", "email", "customer"), ""
    )
    register |= {
        "ref": f"{n}/1", "apartment": "1102", "street": f"Testgatan {n}", "postcode": "72187", "city": "Västerås",
        "area": "Norr", "move_in": "2026-11-10", "tenants": ["Testsson Test"], "phones": [], "language": "ar",
    }  # fmt: skip
    company.desk("alice", "tenancy.register", uuid(3, n), register, 0, "tenancy")
    company.desk(
        "alice",
        "visit.plan",
        visit_id(n),
        {"tenancy": uuid(3, n), "kind": "welcome"},
        company.seq(),
    )
    if n < VISITS - 2:
        visitors = [company.users[FIELD[n % 3]].id]
        if n % 4 == 0:
            visitors.append(company.users[FIELD[(n + 1) % 3]].id)
        company.desk(
            "alice",
            "visit.assign",
            visit_id(n),
            {"visitors": visitors, "date": "2026-11-24"},
            company.seq(),
        )
