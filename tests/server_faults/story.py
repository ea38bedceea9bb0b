"""The work that is interrupted: a morning's pushes, pictures, held operations and an import.

Invariant: everything in it is fixed (ids, clock, randomness), so that two runs do the same at the same
step. Each act goes in where real work goes in: the wire for phones, `submit`, `resolve_held` and
`import_file` for the desk. An act that is done twice must be harmless, as it is when an answer is lost.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher
from flask import Flask

from pwa import create_app, initialise
from pwa.homes.importing import import_file
from pwa.people import accounts
from pwa.services import EXTENSION, Services
from pwa.settings import Settings
from pwa.visits.holding import list_held, resolve_held
from pwa.visits.submitting import Draft, submit
from sync.operations import MEDIA_TYPE, encode
from tests.cast.pictures import photo
from tests.conftest import PASSWORD, SAME_ORIGIN
from tests.sync.world import CONSENT, REGISTER, answer

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
HEADERS = {"X-Troskel-Protocol": "1", "Content-Type": MEDIA_TYPE}
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M1 1l7 7"/></svg>'
STRUCK, KEPT = photo(64, 48), photo(80, 60)
CSV = Path(__file__).parents[1] / "data/tenancies-utf8.csv"
CSV_LINES = 8

Answer = dict[str, Any]
Act = Callable[[Flask], Answer]


def sha_of(octets: bytes) -> str:
    """The hash a blob goes by."""
    return hashlib.sha256(octets).hexdigest()


def id_of(number: int, version: int = 4) -> str:
    """A fixed UUID."""
    return f"00000000-0000-{version}000-8000-{number:012x}"


TENANCIES = [id_of(0xA0 + n) for n in range(4)]
MINE, SECOND, FOREIGN, LATE = VISITS = [id_of(n) for n in range(1, 5)]


def frozen() -> None:
    """Stop the clock, and let randomness repeat itself: for this process, for good."""
    Services.now = lambda self: NOW  # type: ignore[method-assign]
    repeat_randomness(0)


def repeat_randomness(seed: int) -> None:
    """The next random bytes are those of `seed`; what `secrets` gives comes from there too."""
    random._urandom = random.Random(seed).randbytes  # type: ignore[attr-defined]


@dataclass
class Story:
    """Who takes part (name → id, name → cookie), the acts in order, and every operation in them."""

    people: dict[str, str]
    cookies: dict[str, str]
    acts: list[Act] = field(default_factory=list)
    texts: dict[str, list[str]] = field(default_factory=dict)  # operation id → exact bytes sent

    def phone(self, who: str, device: str, first: int) -> Phone:
        return Phone(self, who, device, itertools.count(first))


@dataclass
class Phone:
    """A phone in the hands of `who`; makes operations with counted ids and numbers."""

    story: Story
    who: str
    device: str
    ids: itertools.count[int]
    taken: int = 0

    def make(self, kind: str, data: dict[str, Any], visit: str = MINE, **over: Any) -> str:
        self.taken += 1
        envelope = {
            "id": id_of(next(self.ids), 7),
            "v": 1,
            "kind": kind,
            "subject": {"type": "visit", "id": visit},
            "by": self.story.people[self.who],
            "device": self.device,
            "device_seq": self.taken,
            "at": "2026-11-22T09:30:00+01:00",
            "base": len(TENANCIES) * 3,
            "data": data,
        } | over
        text = encode(envelope)
        self.story.texts.setdefault(str(envelope["id"]), []).append(text)
        return text

    def push(self, *texts: str, blobs: Sequence[bytes] = ()) -> None:
        body = {
            "protocol": 1,
            "device": self.device,
            "operations": texts,
            "blobs": [{"sha256": sha_of(one), "text": one.decode()} for one in blobs],
            "health": {"persisted": True, "unsent": len(texts)},
        }
        self._send("POST", "/sync/push", json.dumps(body).encode(), {})

    def put(self, octets: bytes, start: int, end: int) -> None:
        head = {"Content-Range": f"bytes {start}-{end - 1}/{len(octets)}"}
        self._send("PUT", f"/sync/blobs/{sha_of(octets)}", octets[start:end], head)

    def _send(self, method: str, path: str, body: bytes, head: dict[str, str]) -> None:
        cookie = self.story.cookies[self.who]
        self.story.acts.append(lambda app: wire(app, cookie, method, path, body, head))


def wire(
    app: Flask, cookie: str, method: str, path: str, body: bytes, head: dict[str, str]
) -> Answer:
    """One request as a phone sends it: status, JSON (None when the answer is no JSON), and the blobs
    that the phone will now believe are kept."""
    answered = app.test_client(use_cookies=False).open(
        path,
        method=method,
        data=body,
        headers={**HEADERS, **head, "Cookie": cookie},
        environ_overrides={"HTTP_SEC_FETCH_SITE": "same-origin", "HTTP_ACCEPT_LANGUAGE": "en"},
    )
    try:
        found = json.loads(answered.data)
    except ValueError:
        found = None
    blobs = []
    if answered.status_code == 200 and path == "/sync/push":
        riding = {one["sha256"] for one in json.loads(body)["blobs"]}
        blobs = sorted(riding - set(found["missing_blobs"]))
    elif answered.status_code == 200 and found["complete"]:
        blobs = [path.rpartition("/")[2]]
    return {"status": answered.status_code, "json": found, "blobs": blobs}


def build(data: Path) -> Story:
    """Make the folder everything starts from (people, four assigned visits), and the story."""
    settings = Settings(data=data)
    initialise(settings)
    app = create_app(settings)
    services: Services = app.extensions[EXTENSION]
    usual, accounts.HASHER = accounts.HASHER, PasswordHasher(1, 8, 1)
    try:
        with app.app_context():
            people = {
                name: accounts.add_user(name, role, PASSWORD).id
                for name, role in (("alice", "supervisor"), ("bob", "visitor"), ("amira", "ambassador"))
            }  # fmt: skip
            drafts = []
            for number, (visit, tenancy) in enumerate(zip(VISITS, TENANCIES, strict=True)):
                who = "amira" if visit == FOREIGN else "bob"
                plan = {"tenancy": tenancy, "kind": "welcome"}
                assign = {"visitors": [people[who]], "date": "2026-11-22", "time": "09:00"}
                register = REGISTER | {"ref": f"{number}/1"}
                drafts += [
                    Draft(
                        id_of(0x100 + number, 7),
                        "tenancy.register",
                        tenancy,
                        register,
                        0,
                        "tenancy",
                    ),
                    Draft(id_of(0x200 + number, 7), "visit.plan", visit, plan),
                    Draft(id_of(0x300 + number, 7), "visit.assign", visit, assign),
                ]
            # The plan of LATE comes only when operations for it are held already.
            early = [one for one in drafts if one.subject not in (LATE, TENANCIES[3])]
            late = [one for one in drafts if one not in early]
            done = submit(services, accounts.find_user(people["alice"]), early)  # type: ignore[arg-type]
            assert not any(one.problem for one in done)
        # Outside: a request inside a context would share its `g`, and with it who is signed in.
        cookies = {name: _sign_in(app, name) for name in people}
    finally:
        accounts.HASHER = usual
        services.close()
    story = Story(people, cookies)
    _write(story, late)
    return story


def _sign_in(app: Flask, name: str) -> str:
    client = app.test_client()
    client.environ_base.update(SAME_ORIGIN)
    answered = client.post("/sign-in", data={"name": name, "password": PASSWORD})
    assert answered.status_code == 303
    assert client.get("/sync/pull").status_code in (200, 403)  # makes the server's id
    return "; ".join(line.split(";")[0] for line in answered.headers.getlist("Set-Cookie"))


def _write(story: Story, late: list[Draft]) -> None:
    # The folder's very first blob comes when the database's own files have long been synced.
    move = Draft(id_of(0x400, 7), "visit.assign", SECOND, {"date": "2026-11-23", "time": ""}, 9)
    story.acts.append(lambda app: _desk(app, story, [move]))
    bob = story.phone("bob", id_of(0xD1), 0x1000)
    amira = story.phone("amira", id_of(0xD2), 0x2000)
    signed = CONSENT | {"signature": sha_of(SVG), "method": "signature"}
    note = bob.make("visit.note", {"item": "", "text": "Anteckning"})
    photo_taken = bob.make("visit.photo", {"item": "", "photo": sha_of(STRUCK)})
    first = [
        bob.make("visit.language", {"language": "ar"}),
        bob.make("visit.answer", answer("i23", "ok")),
        bob.make("visit.answer", answer("i24", "done")),
        note,
        photo_taken,
        bob.make("visit.photo", {"item": "", "photo": sha_of(KEPT)}),
        bob.make("visit.follow_up", {"item": "i16", "queue": "KT", "urgency": "same_day", "text": "Avin"}),
        bob.make("visit.consent", signed),
        bob.make("visit.attempt", {"outcome": "not_home", "date": "", "time": ""}, SECOND),
        bob.make("visit.note", {"item": "", "text": "Inte min"}, FOREIGN),  # held: no_right
        bob.make("visit.note", {"item": "", "text": "Kommer tidigt"}, LATE),  # held: unknown_subject
        bob.make("visit.note", {"item": "", "text": "Från framtiden"}, v=99),  # held: version_newer
        bob.make("visit.note", {"item": "", "text": "Annat"}, id=json.loads(note)["id"]),  # id_reused
        bob.make(
            "tally.count",
            {"day": "2026-11-22", "area": "Norr", "topic": "waste", "value": "yes"},
            subject={"type": "tally", "id": id_of(0x77)},
        ),
        bob.make("visit.close", {"let_go": [], "read_back": True}),
    ]  # fmt: skip
    bob.push(*first, blobs=[SVG])
    for start in range(0, len(STRUCK), 400):
        bob.put(STRUCK, start, min(start + 400, len(STRUCK)))
    bob.put(KEPT, 0, len(KEPT))
    amira.push(
        amira.make("visit.answer", answer("i23", "ok"), FOREIGN),
        amira.make("visit.withdraw", {"purpose": "K1", "channel": "visit"}, FOREIGN),
        amira.make("visit.note", {"item": "", "text": "Utan namn"}, MINE),  # held: no_right
    )
    # An answer that was lost: the same again, and something new behind it.
    strike = bob.make("visit.retract", {"operation": json.loads(photo_taken)["id"]})
    bob.push(*first, strike, blobs=[SVG])
    story.acts.append(lambda app: _desk(app, story, late))
    decisions = [
        Draft(id_of(0x401, 7), "visit.approve", MINE, {"comment": ""}, 40),
        Draft(id_of(0x402, 7), "visit.assign", SECOND, {"visitors": [story.people["amira"]]}, 40),
        Draft(id_of(0x403, 7), "tenancy.protect", TENANCIES[2], {"reason": "staff"}, 40, "tenancy"),
    ]
    story.acts.append(lambda app: _desk(app, story, decisions))
    story.acts.append(lambda app: _work_off(app, story, "unknown_subject", "retry"))
    story.acts.append(lambda app: _work_off(app, story, "no_right", "accept"))
    story.acts.append(lambda app: _import(app))


def _user(app: Flask, id: str) -> accounts.User:
    user = accounts.find_user(id)
    assert user is not None
    return user


def _desk(app: Flask, story: Story, drafts: list[Draft]) -> Answer:
    with app.app_context():
        services: Services = app.extensions[EXTENSION]
        results = submit(services, _user(app, story.people["alice"]), drafts)
    return {
        "status": 200,
        "json": {"results": [{"id": one.id, "sha256": one.sha256, "result": one.result} for one in results]},
    }  # fmt: skip


def _work_off(app: Flask, story: Story, problem: str, action: str) -> Answer:
    with app.app_context():
        services: Services = app.extensions[EXTENSION]
        alice = _user(app, story.people["alice"])
        with services.databases.reading() as db:
            rows = list_held(db, alice)
        for row in rows:
            if row.problem == problem:
                resolve_held(services, alice, row.id, row.sha256, action)
    return {"status": 200, "json": {}}


def _import(app: Flask) -> Answer:
    lines = CSV.read_bytes().splitlines(keepends=True)[:CSV_LINES]
    with app.app_context():
        services: Services = app.extensions[EXTENSION]
        with services.databases.reading() as db:
            if db.table("imports").count:  # who imports looks at the list first
                return {"status": 200, "json": {}}
        report = import_file(services, None, b"".join(lines), CSV.name)
    return {"status": 200, "json": {"imported": report.exit_code}}
