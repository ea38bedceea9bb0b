"""A whole company for the tests of every address: people of each role, an open visit, a visit of a
protected tenancy, a tenancy in the protected room, work that is held.

Invariant: everything came about through the real import, push and accounts; `restore()` puts the
folder and the process back to that moment, so that each request of a test meets the same company.
Each word of `OPEN` stands in the open visit only, each of `SECRET` in what is protected only.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from pwa.database.connections import DATABASE
from pwa.homes.importing import import_file
from pwa.ids import uuid4
from pwa.people.accounts import User
from pwa.people.throttle import Throttle
from pwa.phones import devices
from pwa.phones.wire import server_id
from pwa.publishing import recordings
from pwa.publishing.acts import act, place
from pwa.publishing.versions import draft_guide
from pwa.services import Services
from tests.cast.company import make_app, services_of
from tests.cast.people import CAST, SAME_ORIGIN, Person, add_people
from tests.cast.people import PASSWORD as PASSWORD
from tests.cast.pictures import photo
from tests.cast.samples import SIGNATURE, sha256_of, signed
from tests.cast.world import NOW, Phone, World
from tests.publishing.test_recordings import ogg
from tests.server_faults.oracle import read_state

PEOPLE: Mapping[str, Person] = CAST | {
    "omar": {"role": "ambassador", "languages": ["uk"], "display_name": "Omar Testsson"},
    "saga": {
        "role": "supervisor", "languages": ["sv"], "may_see_protected": True,
        "display_name": "Saga Testsson",
    },
    "hilda": {"role": "officer", "queue": "FV", "display_name": "Hilda Testsson"},
}  # fmt: skip
"""Bob and Amira have both visits; Charlie and Omar none. Hugo's queue has the follow-ups."""

OPEN = ("Öppna gatan 1", "Öppen Hyresgäst", "öppna kranen", "öppna avin")
SECRET = ("Dolda gatan 9", "Dold Hyresgäst", "dolda kranen", "dolda avin", "Rumsgatan 5", "Rummets Hyresgäst")  # fmt: skip
IMPORT_HEADER = "Kontraktsnr;Objektsnr;Adress;Lägenhetsnr;Postnr;Ort;Område;Inflyttningsdatum;Namn;Kundnr;Skyddad\n"  # fmt: skip
ITEM, TEXT = "i25", "i25.label"
_PICTURES = {"open": photo(64, 48), "protected": photo(48, 64)}


def imported(ref: str, street: str, tenant: str, protected: str) -> str:
    """A line of an import file."""
    return f"{ref};{ref};{street};1101;72187;Västerås;Norr;2026-12-01;{tenant};;{protected}\n"


@dataclass
class Company:
    """`visits`, `follow_ups`, `blobs` are the ids of the targets "open" and "protected"."""

    app: Flask
    data: Path
    users: dict[str, User] = field(default_factory=dict)
    visits: dict[str, str] = field(default_factory=dict)
    follow_ups: dict[str, str] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    blobs: dict[str, str] = field(default_factory=dict)
    held: dict[str, str] = field(default_factory=dict)
    room: str = ""
    lost: str = ""
    recording: str = ""
    draft: str = ""
    cookies: dict[str, str] = field(default_factory=dict)

    @classmethod
    def build(cls, data: Path) -> Company:
        """Make the folder and the company in it; the clock should stand at NOW."""
        company = cls(make_app(data), data)
        company.users = add_people(company.app, PEOPLE, PEOPLE)
        company._fill()
        server_id(company.services)  # made at the first contact
        for name in PEOPLE:
            company.cookies[name] = company._sign_in(name)
        company._keep()
        return company

    @property
    def services(self) -> Services:
        return services_of(self.app)

    def client(self, name: str) -> FlaskClient:
        """Somebody who is signed in, "nobody" is not; it sends what a page of ours sends."""
        self.services.throttle = Throttle()  # wrong passwords of the request before
        client = self.app.test_client(use_cookies=False)
        client.environ_base.update(SAME_ORIGIN)
        if name != "nobody":
            client.environ_base["HTTP_COOKIE"] = self.cookies[name]
        return client

    def stored(self) -> bool:
        """Whether a table or a blob differs from when the company was built."""
        if self._version() == self._untouched_version and self._files() == self._files(self._kept):
            return False  # no connection has committed anything
        return read_state(self.data) != self._untouched

    def restore(self) -> None:
        """Everything as it was when the company was built."""
        with self.services.databases.lock, closing(sqlite3.connect(self._kept / DATABASE)) as kept:
            kept.backup(self.services.databases.writer.conn)
        # The folders stay: the application knows that it has made them.
        for path in self._files() - self._files(self._kept):
            (self.data / path).unlink()
        shutil.copytree(self._kept / "blobs", self.data / "blobs", dirs_exist_ok=True)
        self.services.guide = self._guide
        self._untouched_version = self._version()

    def close(self) -> None:
        self._watching.close()
        self.services.close()

    # --- building ----------------------------------------------------------------------

    def _fill(self) -> None:
        self.world = World(self.services, self.users.__getitem__)
        self._visit("open", OPEN)
        self._visit("protected", SECRET)
        self.world.protect(self.visits["protected"])
        late = {"item": "", "text": f"Sent too late: {SECRET[2]}"}
        self._hold("protected", Phone(self.services, self.users["bob"]), late)
        foreign = {"item": "", "text": f"Not my visit: {OPEN[2]}"}
        self._hold("open", Phone(self.services, self.users["charlie"]), foreign)
        self._fill_room()
        self._fill_guide()
        self.lost = uuid4()
        with self.services.databases.writing() as db:
            health = {"unsent": 2, "lost": "emptied"}
            devices.report(db, self.lost, self.users["bob"].id, health, NOW.isoformat())

    def _visit(self, target: str, words: tuple[str, ...]) -> None:
        world, bob = self.world, Phone(self.services, self.users["bob"])
        visit = world.visit(
            visitors=["bob", "amira"], date="2026-11-22", time="10:00",
            street=words[0], tenants=[words[1]],
        )  # fmt: skip
        self.visits[target] = visit
        note = bob.do("visit.note", visit, {"item": "i16", "text": words[2]})
        self.notes[target] = note.results[0].id
        self.follow_ups[target] = world.follow_up(bob, visit, text=words[3])
        picture = _PICTURES[target]
        self.blobs[target] = sha256_of(picture)
        self.services.blobs.put(self.blobs[target], picture)
        bob.do("visit.photo", visit, {"item": "i16", "photo": self.blobs[target]})
        self.services.blobs.put(sha256_of(SIGNATURE), SIGNATURE)
        bob.do("visit.consent", visit, signed(sha256_of(SIGNATURE)))
        world.done(bob, visit)

    def _hold(self, target: str, phone: Phone, note: Mapping[str, Any]) -> None:
        (result,) = phone.do("visit.note", self.visits[target], note).results
        assert result.result == "held"
        self.held[target] = f"{result.id}:{result.sha256}"

    def _fill_room(self) -> None:
        row = imported("9/9", SECRET[4], SECRET[5], "J")
        with self.app.app_context():
            report = import_file(
                self.services, self.users["alice"], (IMPORT_HEADER + row).encode(), "room.csv"
            )
        assert report.protected == 1
        with self.services.databases.reading() as db:
            (self.room,) = db.execute("SELECT id FROM protected_room").fetchone()

    def _fill_guide(self) -> None:
        services = self.services
        octets = ogg()
        self.recording = sha256_of(octets)
        with services.databases.writing() as db:
            recordings.add_recording(
                db, services.guide, "ar", ITEM, octets, self.users["bob"].id, services.now()
            )
        with self.app.test_request_context(), services.databases.writing() as db:
            spot = place(draft_guide(db, services.baseline), "ar", TEXT)
            form = {"action": "approve", "seen": spot.seen}
            bob = self.users["bob"]
            act(db, services.baseline, services.guide, bob, ("ar", TEXT), form, NOW)
            self.draft = draft_guide(db, services.baseline).version

    def _sign_in(self, name: str) -> str:
        client = self.client("nobody")
        form = {"name": name, "password": PASSWORD}
        answer = client.post("/sign-in", data=form)
        assert answer.status_code == 303
        return answer.headers["Set-Cookie"].partition(";")[0]

    def _keep(self) -> None:
        self._kept = self.data.with_name(f"{self.data.name}-kept")
        self._kept.mkdir()
        with self.services.databases.lock, closing(sqlite3.connect(self._kept / DATABASE)) as kept:
            self.services.databases.writer.conn.backup(kept)
        shutil.copytree(self.data / "blobs", self._kept / "blobs")
        self._guide = self.services.guide
        self._untouched = read_state(self.data)
        self._watching = sqlite3.connect(self.data / DATABASE, isolation_level=None)
        self._untouched_version = self._version()

    def _version(self) -> int:
        """A number of SQLite's that changes with every commit of another connection."""
        version: int = self._watching.execute("PRAGMA data_version").fetchone()[0]
        return version

    def _files(self, folder: Path | None = None) -> set[str]:
        folder = folder or self.data
        found = (folder / "blobs").rglob("*")
        return {str(path.relative_to(folder)) for path in found if path.is_file()}
