"""A small company in which something of everything has happened: the content of an old database.

Invariant: rows come about as in real work (an import, pushes over the wire, the held list, pages), and
whatever release wrote them, `COUNTS` and `CONFLICTS` are
what must count today. When a release adds a table or a
kind of operation, the story gets it too, at the end of its chapter.
"""

from __future__ import annotations

import base64
import hashlib
import struct
from dataclasses import dataclass, field
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from pwa.database.backup import write_backup
from pwa.guide.format import Guide
from pwa.homes import company
from pwa.homes.importing import import_file
from pwa.ids import uuid4
from pwa.people.accounts import User
from pwa.publishing import acts, recordings
from pwa.publishing.versions import draft_guide, publish
from pwa.services import EXTENSION, Services
from pwa.visits.holding import resolve_held
from pwa.visits.submitting import Draft, submit
from sync.restored import begin_anew
from tests.cast.people import add_user
from tests.cast.wire_phone import WirePhone
from tests.cast.world import CONSENT, NOW, SIGNATURE, operation
from tests.conftest import CAST, PASSWORD, SAME_ORIGIN

COUNTS = sorted([("K1", "withdrawn"), *[("K8", one) for one in ("yes", "withdrawn", "no", "no")]])
"""(purpose, decision) of every row of `consent_index`: a withdrawal that nobody had shown the
author of a later yes counts, and a no counts at each visit of its household."""
CONFLICTS = [1, 1]
"""Of each visit with any, how many: what two people wrote without having seen the other's."""

HEADER = (
    "Kontraktsnr;Objektsnr;Adress;Lägenhetsnr;Postnr;Ort;Område;Inflyttningsdatum;Namn;Telefon;"
    "Språk;Skyddad"
)
K1 = {"purpose": "K1", "text_key": "K1.text"}
HEALTH = {
    "unsent": 2, "oldest_unsent_at": "2026-11-22T08:00:00+00:00", "persisted": True,
    "installed": True, "version": "test", "quota": 1_000_000, "usage": 1000, "tight": False,
}  # fmt: skip
OGG = (
    struct.pack("<4sBBqIIIBB", b"OggS", 0, 2, 0, 1, 0, 0, 1, 19)
    + struct.pack("<8sBBHIhB", b"OpusHead", 1, 1, 0, 48_000, 0, 0)
    + struct.pack("<4sBBqIIIBB", b"OggS", 0, 4, 96_000, 1, 1, 0, 1, 8)
)


def tell(app: Flask, whole: Guide) -> None:
    """Fill the empty database of `app`; `whole` is the guide that the desk's pages need."""
    services: Services = app.extensions[EXTENSION]
    people = {name: _person(services, name, facts) for name, facts in CAST.items()}
    story = _Story(app, services, people)
    story.register()
    story.one_phone_of_two()
    story.what_an_ambassador_is_not_shown()
    story.household()
    story.losses()
    story.held()
    story.desk_pages(whole)
    story.guide()
    story.restored()


def _person(services: Services, name: str, facts: dict[str, Any]) -> User:
    sees_protected = name == "alice"
    return add_user(services, name, password=PASSWORD, may_see_protected=sees_protected, **facts)


def row(number: int, name: str = "Testsson Test", protected: str = "N") -> str:
    object = f"705-022-04-020{number}"
    return (
        f"{object}/01;{object};Testgränd {number} A;110{number};72187;Västerås;Norr;2026-11-1{number}"
        f";{name};070-123 45 6{number};Arabiska;{protected}"
    )


def answer(value: str) -> dict[str, Any]:
    return {"item": "i23", "answer": value, "guide": "g1", "language": "ar"}


@dataclass
class _Phone(WirePhone):
    """Writes operations that it keeps until `send`; `base` is what its user has seen by default."""

    services: Services | None = None
    texts: list[str] = field(default_factory=list)

    def write(self, kind: str, visit: str, data: dict[str, Any], **over: Any) -> str:
        """One operation; its text."""
        assert self.services is not None
        text = self.make(kind, visit, data, **({"base": _head(self.services)} | over))
        self.texts.append(text)
        return text

    def send(self, result: str = "applied", **more: Any) -> list[dict[str, Any]]:
        key = hashlib.sha256(self.device.encode()).hexdigest()
        texts, self.texts = self.texts, []
        results = self.offer(*texts, key=key, **more)
        assert [one["result"] for one in results] == [result] * len(texts), results
        return results


class _Story:
    def __init__(self, app: Flask, services: Services, people: dict[str, User]) -> None:
        self.app, self.services, self.people = app, services, people
        self.clients: dict[str, FlaskClient] = {}
        self.bob, self.charlie, self.amira = (self.phone(n) for n in ("bob", "charlie", "amira"))

    def client(self, name: str) -> FlaskClient:
        if name not in self.clients:
            client = self.clients[name] = self.app.test_client()
            client.environ_base.update(SAME_ORIGIN)
            signed_in = client.post("/sign-in", data={"name": name, "password": PASSWORD})
            assert signed_in.status_code == 303
        return self.clients[name]

    def phone(self, name: str) -> _Phone:
        return _Phone(self.client(name), self.people[name].id, services=self.services)

    def desk(
        self, kind: str, id: str, data: dict[str, Any], type: str = "visit", who: str = "alice"
    ) -> None:
        draft = Draft(operation(), kind, id, data, _head(self.services), type)
        (result,) = submit(self.services, self.people[who], [draft])
        assert result.problem == "", result

    def assign(self, visit: str, *names: str) -> None:
        visitors = [self.people[name].id for name in names]
        data = {"visitors": visitors, "date": "2026-11-24", "time": "10:00"}
        self.desk("visit.assign", visit, data)

    # --- one chapter each ----------------------------------------------------------

    def register(self) -> None:
        first = [row(1), row(2), row(3), row(4), row(5, protected="J")]
        second = [row(1, "Testsson Prov"), *first[1:], row(6)]
        with self.app.test_request_context():
            for rows in (first, second):
                octets = "\n".join([HEADER, *rows]).encode("utf-8-sig")
                assert import_file(self.services, self.people["alice"], octets, "test.csv").created
        with self.services.databases.reading() as db:
            found = dict(
                db.execute("SELECT id, tenancy FROM visit_index ORDER BY move_in").fetchall()
            )
        self.visits, self.tenancies = list(found), found
        for visit, names in zip(
            self.visits,
            (("bob", "charlie"), ("amira", "bob"), ("bob",), ("charlie",)),
            strict=False,
        ):
            self.assign(visit, *names)
        for name in ("bob", "charlie", "amira"):
            assert self.client(name).get("/sync/pull").status_code == 200

    def one_phone_of_two(self) -> None:
        """Bob has not sent what he wrote; Charlie, on Bob's phone, cannot see it. And the desk."""
        visit, bob, seen = self.visits[0], self.bob, _head(self.services)
        sha256 = hashlib.sha256(SIGNATURE).hexdigest()
        asked = {"item": "i39", "queue": "KT", "urgency": "same_day", "text": "Droppar"}
        for kind, data in (
            ("visit.answer", answer("silent")),
            ("visit.note", {"item": "i39", "text": "Kranen droppar åäö"}),
            ("visit.note", {"item": "", "text": "Struken anteckning"}),
            ("visit.follow_up", asked),
            ("visit.follow_up", asked | {"queue": "FV", "text": "Struken"}),
            ("visit.follow_up", asked | {"queue": "FV", "text": "Avin saknas"}),
            ("visit.photo", {"item": "i39", "photo": "a" * 64}),
            ("visit.photo", {"item": "i39", "photo": "b" * 64}),
            ("visit.consent", CONSENT | {"method": "signature", "signature": sha256}),
            ("visit.withdraw", {"purpose": "K1", "channel": "visit"}),
        ):
            bob.write(kind, visit, data, base=seen)
        bobs, bob.texts = bob.texts, []
        charlie = self.people["charlie"].id
        bob.client = self.client("charlie")
        bob.write("visit.answer", visit, answer("sounds"), base=seen, by=charlie)
        bob.write("visit.consent", visit, CONSENT | K1, base=seen, by=charlie)
        bob.send()
        bob.client, bob.texts = self.client("bob"), bobs
        riding = {"sha256": sha256, "base64": base64.b64encode(SIGNATURE).decode()}
        ids = [one["id"] for one in bob.send(health=HEALTH, blobs=[riding])]
        for struck in (ids[2], ids[4], ids[7]):
            bob.write("visit.retract", visit, {"operation": struck})
        tick = {
            "section": "s03",
            "answers": {"i14": "done", "i15": ""},
            "guide": "g1",
            "language": "ar",
        }
        bob.write("visit.tick", visit, tick)
        bob.write("visit.close", visit, {"let_go": ["i30"], "read_back": True})
        bob.send()
        self.desk("visit.return", visit, {"points": [{"item": "i23", "text": "Pröva igen"}]})
        bob.write("visit.close", visit, {"let_go": [], "read_back": False})
        bob.send()
        done = {"follow_up": ids[3], "text": "Klart", "done": True}
        self.desk("follow_up.answer", visit, done, who="hugo")
        self.desk("visit.approve", visit, {"comment": "Fint"})

    def what_an_ambassador_is_not_shown(self) -> None:
        visit, bob, amira = self.visits[1], self.bob, self.amira
        bob.write("visit.withdraw", visit, {"purpose": "K8", "channel": "visit"})
        bob.send()
        amira.write("visit.consent", visit, CONSENT)
        amira.write("visit.language", visit, {"language": "so"})
        amira.write("visit.answer", visit, answer("ok"))
        tally = {"day": "2026-11-22", "area": "Norr", "topic": "useful", "value": "5"}
        amira.write("tally.count", "", tally, subject={"type": "tally", "id": uuid4()})
        amira.send(health={"unsent": 0})
        bob.write("visit.answer", visit, answer("not_ok"), base=0)
        bob.send()

    def household(self) -> None:
        """Asked twice, by two who had not seen each other's; rebooked; protected afterwards."""
        visit, bob, charlie = self.visits[2], self.bob, self.charlie
        again = uuid4()
        self.desk("visit.plan", again, {"tenancy": self.tenancies[visit], "kind": "revisit"})
        self.assign(again, "charlie")
        bob.write("visit.consent", visit, CONSENT)
        bob.write("visit.attempt", visit, {"outcome": "not_home"})
        rebooked = {"outcome": "rebooked", "date": "2026-11-26", "time": "09:30"}
        bob.write("visit.attempt", visit, rebooked)
        bob.send()
        charlie.write("visit.consent", again, CONSENT | {"decision": "no"})
        charlie.send()
        self.desk("visit.choose", visit, {"field": "time", "value": "11:30"})
        hidden = self.visits[3]
        charlie.write("visit.answer", hidden, answer("ok"))
        charlie.write("visit.note", hidden, {"item": "", "text": "Testanteckning"})
        charlie.send()
        assert self.client("charlie").get("/sync/pull").status_code == 200
        self.desk("tenancy.protect", self.tenancies[hidden], {"reason": "staff"}, type="tenancy")
        self.desk("visit.cancel", self.visits[4], {"reason": "duplicate"})

    def losses(self) -> None:
        """A phone that lost its storage is another device from then on."""
        phone, opened = self.phone("charlie"), uuid4()
        phone.write("visit.open", opened, {"tenancy": "", "kind": "contact", "language": "ar"})
        lost = {
            "unsent": 1, "lost": "emptied", "lost_device": self.charlie.device, "lost_unsent": 2,
            "deleted": [self.visits[3]],
        }  # fmt: skip
        phone.send(health=lost)
        phone.write("visit.reopen", opened, {})
        phone.send()

    def held(self) -> None:
        one, two = self.visits[:2]
        bob, charlie = self.bob, self.charlie
        known = bob.write("visit.note", one, {"item": "", "text": "Från början"})
        id = bob.send()[0]["id"]
        assert id in known
        note = {"item": "", "text": "Var aldrig där"}
        bob.write("visit.note", self.visits[3], note)
        bob.write("visit.note", uuid4(), note)
        bob.write("house.paint", one, {"colour": "red"})
        bob.write("visit.note", one, note, v=9)
        bob.write("visit.note", one, {"item": "", "text": "Samma id"}, id=id)
        bob.texts.append("not even JSON")
        bob.send("held")
        for text in ("Godtas", "Läggs åt sidan", "Godtas och stryks"):
            charlie.write("visit.note", two, note | {"text": text})
        accepted, filed, struck = charlie.send("held")
        tally = {"day": "2026-11-22", "area": "Norr", "topic": "useful", "value": "4"}
        by = self.people["charlie"].id
        bob.write("tally.count", "", tally, subject={"type": "tally", "id": uuid4()}, by=by)
        (counted,) = bob.send("held")
        with self.app.test_request_context():
            for result, how in (
                (accepted, "ask"), (accepted, "accept"), (filed, "file"), (struck, "accept"),
                (counted, "accept"),
            ):  # fmt: skip
                alice = self.people["alice"]
                resolve_held(self.services, alice, result["id"], result["sha256"], how, "Test")
        self.desk("visit.retract", two, {"operation": struck["id"]})

    def desk_pages(self, whole: Guide) -> None:
        small, self.services.guide = self.services.guide, whole
        alice = self.client("alice")
        for page in (f"/desk/visits/{self.visits[0]}", "/desk/protected"):
            assert alice.get(page).status_code == 200
        self.services.guide = small
        with self.services.databases.writing() as db:
            for scope in (company.COMPANY, company.scope_of(area="Norr")):
                company.change_settings(
                    db, {"test": f"Test {scope}"}, scope, by=self.people["alice"].id, now=NOW
                )
        assert self.client("hugo").post("/sign-out").status_code == 303

    def guide(self) -> None:
        services, charlie = self.services, self.people["charlie"]
        spot = ("so", "i04.label")
        with self.app.test_request_context(), services.databases.writing() as db:
            place = acts.place(draft_guide(db, services.baseline), *spot)
            for fields in (
                {"action": "comment", "comment": "Test"},
                {"action": "correct", "seen": place.seen, "text": "Test två", "comment": ""},
            ):
                acts.act(db, services.baseline, services.guide, charlie, spot, fields, NOW)
            draft = draft_guide(db, services.baseline)
        alice = self.people["alice"].id
        with services.databases.writing() as db:
            services.guide = publish(db, services.baseline, alice, draft.version, NOW)
            for key, filler in (("i04", b"a"), ("i05", b"b"), ("i04", b"c")):
                recordings.add_recording(
                    db, services.guide, "so", key, OGG + filler * 8, charlie.id, NOW
                )

    def restored(self) -> None:
        """A backup, a restore, and work after it."""
        write_backup(self.services.databases, self.services.settings.data / "test.tar.gz", "own")
        begin_anew(self.services.storage, NOW.isoformat(timespec="seconds"))
        self.bob.write("visit.note", self.visits[0], {"item": "", "text": "Sist"})
        self.bob.send()


def _head(services: Services) -> int:
    head = services.storage.head()
    assert head is not None
    return head.seq
