"""The work that is interrupted: a morning's pushes, pictures, held operations and an import.

Invariant: everything in it is fixed (ids, clock, randomness), so two runs do the same at the same
step. Each act enters where real work does: the wire for phones, `submit`, `resolve_held` and
`import_file` for the desk. An act that is done twice must be harmless, as it is when a response is
lost and the client retries.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flask import Flask

from pwa.homes.importing import import_file
from pwa.people.accounts import User
from pwa.services import Services
from pwa.visits.holding import list_held, resolve_held
from pwa.visits.submitting import Draft, submit
from tests.cast.company import open_app, services_of
from tests.cast.drafts import planned_visit
from tests.cast.operations import OperationMaker
from tests.cast.people import SAME_ORIGIN, add_people, client_of, quick_hashing, user_with
from tests.cast.pictures import photo
from tests.cast.randomness import repeat_randomness
from tests.cast.samples import FIELDS, SIGNATURE, answer, sha256_of, signed
from tests.cast.wire_phone import HEADERS, push_body

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
STRUCK, KEPT = photo(64, 48), photo(80, 60)
CSV = Path(__file__).parents[1] / "data/tenancies-utf8.csv"
CSV_LINES = 8

Response = dict[str, Any]
"""{"status", "json", "blobs"}: `blobs` are hashes that the client now believes to be stored."""
Act = Callable[[Flask], Response]


def id_of(number: int, version: int = 4) -> str:
    """A fixed UUID."""
    return f"00000000-0000-{version}000-8000-{number:012x}"


TENANCIES = [id_of(0xA0 + n) for n in range(4)]
MINE, SECOND, FOREIGN, LATE = VISITS = [id_of(n) for n in range(1, 5)]
"""Bob's two, Amira's, and one that is planned only after operations for it have been held."""


def freeze() -> None:
    """Stop the clock and repeat randomness: in this process, for good."""
    Services.now = lambda self: NOW  # type: ignore[method-assign]
    repeat_randomness(0)


@dataclass
class Story:
    """Who takes part (name → user id, name → cookie), the acts in order, and every operation sent."""

    people: dict[str, str]
    cookies: dict[str, str]
    acts: list[Act] = field(default_factory=list)
    texts: dict[str, list[str]] = field(default_factory=dict)
    """Operation id → exact bytes sent under it."""

    def phone(self, who: str, device: str, first: int) -> Phone:
        """A phone in the hands of `who`, whose operation ids are counted from `first`."""
        ids = (id_of(number, 7) for number in itertools.count(first))
        maker = OperationMaker(
            self.people[who],
            device,
            at="2026-11-22T09:30:00+01:00",
            base=len(TENANCIES) * 3,
            new_id=lambda: next(ids),
        )
        return Phone(self, who, maker)


@dataclass
class Phone:
    """Makes operations, and appends each request to the story as an act."""

    story: Story
    who: str
    maker: OperationMaker

    def make(self, kind: str, data: dict[str, Any], visit: str = MINE, **changes: Any) -> str:
        """The bytes of the next operation; `changes` replaces envelope keys."""
        text = self.maker.make(kind, visit, data, **changes)
        self.story.texts.setdefault(id_in(text), []).append(text)
        return text

    def note(self, text: str, visit: str = MINE, **changes: Any) -> str:
        return self.make("visit.note", {"item": "", "text": text}, visit, **changes)

    def push(self, *texts: str, blobs: Sequence[bytes] = ()) -> None:
        body = push_body(
            self.maker.device,
            texts,
            blobs=[{"sha256": sha256_of(one), "text": one.decode()} for one in blobs],
            health={"persisted": True, "unsent": len(texts)},
        )
        self._send("POST", "/sync/push", json.dumps(body).encode(), {})

    def put(self, octets: bytes, start: int, end: int) -> None:
        """Upload a piece of a blob."""
        headers = {"Content-Range": f"bytes {start}-{end - 1}/{len(octets)}"}
        self._send("PUT", f"/sync/blobs/{sha256_of(octets)}", octets[start:end], headers)

    def _send(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> None:
        cookie = self.story.cookies[self.who]
        self.story.acts.append(lambda app: request(app, cookie, method, path, body, headers))


def id_in(text: str) -> str:
    """The id of an operation."""
    return str(json.loads(text)["id"])


def request(
    app: Flask, cookie: str, method: str, path: str, body: bytes, headers: dict[str, str]
) -> Response:
    """One request as a phone sends it; `json` is None when the response is no JSON."""
    found = app.test_client(use_cookies=False).open(
        path,
        method=method,
        data=body,
        headers={**HEADERS, **headers, "Cookie": cookie},
        environ_overrides=SAME_ORIGIN,
    )
    try:
        content = json.loads(found.data)
    except ValueError:
        content = None
    blobs = []
    if found.status_code == 200 and path == "/sync/push":
        sent = {one["sha256"] for one in json.loads(body)["blobs"]}
        blobs = sorted(sent - set(content["missing_blobs"]))
    elif found.status_code == 200 and content["complete"]:
        blobs = [path.rpartition("/")[2]]
    return {"status": found.status_code, "json": content, "blobs": blobs}


def build(data: Path) -> Story:
    """Make the folder everything starts from (people, three assigned visits), and the story."""
    with quick_hashing(), open_app(data) as app:
        users = add_people(app, ("alice", "bob", "amira"))
        people = {name: user.id for name, user in users.items()}
        drafts = [list(_planned(number, people)) for number in range(len(VISITS))]
        with app.app_context():
            early = [draft for number in (0, 1, 2) for draft in drafts[number]]
            done = submit(services_of(app), users["alice"], early)
        assert not any(one.problem for one in done)
        # Outside: a request inside a context would share its `g`, and with it who is signed in.
        cookies = {name: _sign_in(app, name) for name in people}
    story = Story(people, cookies)
    _write(story, drafts[VISITS.index(LATE)])
    return story


def _planned(number: int, people: dict[str, str]) -> Iterator[Draft]:
    visit = VISITS[number]
    ids = iter([id_of(0x100 * step + number, 7) for step in (1, 2, 3)])
    yield from planned_visit(
        TENANCIES[number],
        visit,
        [people["amira" if visit == FOREIGN else "bob"]],
        fields=FIELDS | {"ref": f"{number}/1", "move_in": "2026-12-01"},
        assignment={"date": "2026-11-22", "time": "09:00"},
        new_id=lambda: next(ids),
    )


def _sign_in(app: Flask, name: str) -> str:
    client = client_of(app, name)
    assert client.get("/sync/pull").status_code in (200, 403)  # makes the server's id
    cookie = client.get_cookie("troskel")
    assert cookie is not None
    return f"{cookie.key}={cookie.value}"


def _write(story: Story, late: list[Draft]) -> None:
    # The folder's very first blob comes when the database's own files have long been synced.
    move = Draft(id_of(0x400, 7), "visit.assign", SECOND, {"date": "2026-11-23", "time": ""}, 9)
    story.acts.append(lambda app: _submit(app, story, [move]))
    _field_work(story)
    story.acts.append(lambda app: _submit(app, story, late))
    decisions = [
        Draft(id_of(0x401, 7), "visit.approve", MINE, {"comment": ""}, 40),
        Draft(id_of(0x402, 7), "visit.assign", SECOND, {"visitors": [story.people["amira"]]}, 40),
        Draft(id_of(0x403, 7), "tenancy.protect", TENANCIES[2], {"reason": "staff"}, 40, "tenancy"),
    ]
    story.acts.append(lambda app: _submit(app, story, decisions))
    story.acts.append(lambda app: _resolve(app, story, "unknown_subject", "retry"))
    story.acts.append(lambda app: _resolve(app, story, "no_right", "accept"))
    story.acts.append(_import)


def _field_work(story: Story) -> None:
    bob = story.phone("bob", id_of(0xD1), 0x1000)
    amira = story.phone("amira", id_of(0xD2), 0x2000)
    first, photo_of_struck = _bobs_morning(bob)
    bob.push(*first, blobs=[SIGNATURE])
    for start in range(0, len(STRUCK), 400):
        bob.put(STRUCK, start, min(start + 400, len(STRUCK)))
    bob.put(KEPT, 0, len(KEPT))
    amira.push(
        amira.make("visit.answer", answer("i23", "ok"), FOREIGN),
        amira.make("visit.withdraw", {"purpose": "K1", "channel": "visit"}, FOREIGN),
        amira.note("Utan namn"),  # held: no_right
    )
    # A response that was lost: the same again, and something new behind it.
    strike = bob.make("visit.retract", {"operation": id_in(photo_of_struck)})
    bob.push(*first, strike, blobs=[SIGNATURE])


def _bobs_morning(bob: Phone) -> tuple[list[str], str]:
    """The operations of Bob's first push, and the one among them that he strikes later."""
    note = bob.note("Anteckning")
    photo_of_struck = bob.make("visit.photo", {"item": "", "photo": sha256_of(STRUCK)})
    morning = [
        bob.make("visit.language", {"language": "ar"}),
        bob.make("visit.answer", answer("i23", "ok")),
        bob.make("visit.answer", answer("i24", "done")),
        note,
        photo_of_struck,
        bob.make("visit.photo", {"item": "", "photo": sha256_of(KEPT)}),
        bob.make("visit.follow_up", {"item": "i16", "queue": "KT", "urgency": "same_day", "text": "Avin"}),
        bob.make("visit.consent", signed(sha256_of(SIGNATURE), "K1", expires="")),
        bob.make("visit.attempt", {"outcome": "not_home", "date": "", "time": ""}, SECOND),
        bob.note("Inte min", FOREIGN),  # held: no_right
        bob.note("Kommer tidigt", LATE),  # held: unknown_subject
        bob.note("Från framtiden", v=99),  # held: version_newer
        bob.note("Annat", id=id_in(note)),  # held: id_reused
        bob.make(
            "tally.count",
            {"day": "2026-11-22", "area": "Norr", "topic": "waste", "value": "yes"},
            id_of(0x77),
        ),
        bob.make("visit.close", {"let_go": [], "read_back": True}),
    ]  # fmt: skip
    return morning, photo_of_struck


def _alice(app: Flask, story: Story) -> User:
    return user_with(services_of(app), story.people["alice"])


def _submit(app: Flask, story: Story, drafts: list[Draft]) -> Response:
    with app.app_context():
        done = submit(services_of(app), _alice(app, story), drafts)
    results = [{"id": one.id, "sha256": one.sha256, "result": one.result} for one in done]
    return {"status": 200, "json": {"results": results}}


def _resolve(app: Flask, story: Story, problem: str, action: str) -> Response:
    with app.app_context():
        services, alice = services_of(app), _alice(app, story)
        with services.databases.reading() as db:
            rows = list_held(db, alice)
        for row in rows:
            if row.problem == problem:
                resolve_held(services, alice, row.id, row.sha256, action)
    return {"status": 200, "json": {}}


def _import(app: Flask) -> Response:
    lines = CSV.read_bytes().splitlines(keepends=True)[:CSV_LINES]
    with app.app_context():
        services = services_of(app)
        with services.databases.reading() as db:
            if db.table("imports").count:  # a person who imports looks at the list first
                return {"status": 200, "json": {}}
        report = import_file(services, None, b"".join(lines), CSV.name)
    return {"status": 200, "json": {"imported": report.exit_code}}
