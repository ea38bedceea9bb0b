"""The server of a simulation: the real application on a real SQLite file, with a clock of ours.

Invariant: requests go through WSGI as a browser's do, or through the same functions as the desk's
pages; nothing is written past them. Passwords are hashed with the least work and ids of desk
operations are counted, so that a run is quick and repeatable; nothing else differs from a served
company.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from pwa.blobs.files import Blobs
from pwa.blobs.signatures import Signatures
from pwa.database.backup import restore_backup, write_backup
from pwa.database.connections import DATABASE, Databases
from pwa.people import accounts, sessions
from pwa.people.throttle import Throttle
from pwa.services import Services
from pwa.visits.holding import HeldRow, list_filed, list_held, resolve_held
from pwa.visits.submitting import Draft, submit
from sync.shapes import VisitRecord
from sync.sqlite import SqliteStorage
from sync.storage import read_tenancies, read_visits
from tests.cast import people
from tests.cast.company import services_of
from tests.cast.people import (
    PASSWORD,
    Person,
    change_user,
    client_of,
    find_person,
    set_active,
    set_password,
)

START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
FIELD_STAFF = ("bob", "charlie", "amira")
DESKS = ("alice", "alva")
VISITS = 12
ALVA: Person = {
    "role": "supervisor",
    "display_name": "Alva Testsson",
    "may_see_protected": True,
}
"""The desk that lists everything held: only she sees operations on protected tenancies."""
CAST: dict[str, Person] = {"alice": people.CAST["alice"], "alva": ALVA} | {
    name: people.CAST[name] for name in (*FIELD_STAFF, "root")
}


def uuid(kind: int, number: int, version: int = 4) -> str:
    """A readable id: `kind` tells what it names."""
    return f"{kind:08x}-0000-{version}000-8000-{number:012x}"


def visit_id(number: int) -> str:
    return uuid(1, number)


@dataclass
class Response:
    """A response of the server, as the phones' process receives it."""

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
    """One company on a folder.

    The application is made once and its folder is replaced for each run (`Site`): a run changes only
    the database and the blobs, and both are opened anew.
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
        self.services: Services = services_of(self.app)
        self.reopen()
        with self.services.databases.reading() as db:
            self.users = {one.name: one for one in accounts.list_users(db)}

    def reopen(self) -> None:
        """Restart the server: connections, storage and blobs are new."""
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
            self.clients[device] = client_of(self.app)
        return self.clients[device]

    def respond(self, device: str, request: dict[str, Any]) -> Response:
        """The response to a request that the phones' process reported."""
        found = self.client(device).open(
            request["url"], method=request["method"], headers=request["headers"],
            data=base64.b64decode(request["body"]),
        )  # fmt: skip
        headers = {name: value for name, value in found.headers if name != "Set-Cookie"}
        body = found.get_data()
        if headers.get("Content-Encoding") == "gzip":
            raise AssertionError("no simulated phone accepts gzip")
        return Response(
            found.status_code,
            headers | {"Date": format_datetime(self.clock.now(), usegmt=True)},
            body,
        )

    def sign_in(self, device: str, name: str) -> dict[str, Any] | None:
        """The person as the phone receives it, or None where the server refuses."""
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
        data: Mapping[str, Any],
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
        return find_person(self.app, "alva")

    def resolve(self, name: str, id: str, sha256: str, action: str) -> None:
        with self.app.app_context():
            resolve_held(self.services, self.users[name], id, sha256, action, "What is this?")

    # --- accounts

    def change_account(self, what: str, name: str) -> None:
        id = self.users[name].id
        with self.app.app_context():
            if what == "end_sessions":
                with self.services.databases.writing() as db:
                    sessions.end_sessions_of(db, id, self.clock.now(), "ended_by_administrator")
            elif what in ("deactivate", "activate"):
                set_active(self.services, id, what == "activate")
            elif what == "password":
                set_password(self.services, id, PASSWORD)
            elif what in ("visitor", "officer", "ambassador", "supervisor"):
                queue = "KT" if what == "officer" else ""
                change_user(self.services, id, role=what, queue=queue)

    def reset_accounts(self) -> None:
        """Everybody in the field is active again and has their own role."""
        for name in FIELD_STAFF:
            user = find_person(self.app, name)
            if not user.active:
                self.change_account("activate", name)
            if user.role != CAST[name]["role"]:
                self.change_account(CAST[name]["role"], name)

    # --- backup and restore

    def backup(self) -> None:
        target = self.data.parent / f"backup-{len(self.backups)}.tar.gz"
        self.backups.append((write_backup(self.services.databases, target, "own"), target))

    def restore(self, number: int) -> None:
        """Restore a backup, as after the loss of the disk."""
        _, source = self.backups[number]
        self.close()
        restore_backup(self.data, source, self.clock.now(), force=True)
        self.restores += 1
        self.backups = self.backups[: number + 1]
        self.reopen()

    # --- what is stored

    def known(self, ids: set[str]) -> dict[str, tuple[str, int, str]]:
        """id → (hash, number in the log or 0, problem) of what the server stores."""
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
