"""What must be true of a data folder after a fault, whatever the fault was.

Invariant: checked from outside, with a connection of its own that shares no code with the engine.
Nothing acknowledged is missing; records and indexes are what the log gives; what is held is listed
at the desk; and retrying everything leaves exactly what a run without faults leaves.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from flask import Flask

from pwa.database.connections import DATABASE
from pwa.visits.holding import list_held
from sync.apply import apply
from sync.index import blob_rows, consent_rows, follow_up_rows, visit_row
from sync.operations import digest_of, parse
from sync.shapes import TenancyRecord, VisitRecord
from tests.cast.company import services_of
from tests.cast.people import user_with
from tests.cast.samples import sha256_of
from tests.server_faults.story import STRUCK, Response, Story

State = dict[str, Any]


@dataclass(slots=True)
class Findings:
    """What went wrong at one point; all empty when nothing did."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)

    def add(self, other: Findings) -> None:
        self.lost += other.lost
        self.doubled += other.doubled
        self.hidden += other.hidden

    def __bool__(self) -> bool:
        return bool(self.lost or self.doubled or self.hidden)


def read_state(data: Path) -> State:
    """Every row of every table, and every blob by name and content, as one comparable value."""
    state: State = {}
    uri = f"{(data / DATABASE).as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as db:
        db.execute("BEGIN")
        names = db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (name,) in names:
            state[name] = sorted(repr(row) for row in db.execute(f'SELECT * FROM "{name}"'))
    blobs = data / "blobs"
    state["blobs"] = sorted(
        f"{path.relative_to(blobs)} {hashlib.sha256(path.read_bytes()).hexdigest()}"
        for path in blobs.rglob("*")
        if path.is_file()
    )
    return state


def digest(state: State) -> str:
    return hashlib.sha256(json.dumps(state, sort_keys=True).encode()).hexdigest()


def difference(state: State, wanted: State) -> list[str]:
    """The rows that only one of them has, as lines to read."""
    return [
        f"{sign} {name} {row[:160]}"
        for name in sorted({*state, *wanted})
        for sign, one, other in (("+", state, wanted), ("-", wanted, state))
        for row in one.get(name, [])
        if row not in other.get(name, [])
    ]


def check_acknowledged(data: Path, responses: list[Response]) -> Findings:
    """I3: every acknowledged operation is in the log or on the held list, under its hash; every blob
    acknowledged as complete is stored."""
    stored = _stored(data)
    lost = [
        one["id"]
        for response in responses
        if response["status"] == 200  # an error acknowledges nothing
        for one in response["json"].get("results", [])
        if (one["id"], one["sha256"]) not in stored
    ]
    with closing(sqlite3.connect(data / DATABASE)) as db:
        rows = {sha for sha, one in db.execute("SELECT * FROM signatures") if sha256_of(one) == sha}
    acknowledged = {sha for response in responses for sha in response.get("blobs", [])}
    for sha in acknowledged - {sha256_of(STRUCK)}:
        files = [path for path in (data / "blobs").rglob(f"{sha}*") if path.parent.name != ".parts"]
        if sha not in rows and not any(
            one.name.endswith(sha256_of(one.read_bytes())) for one in files
        ):
            lost.append(f"blob {sha}")
    return Findings(lost=lost)


def check_consistent(data: Path) -> Findings:
    """The file is intact; records and indexes are what the log gives."""
    found = Findings()
    with closing(sqlite3.connect(data / DATABASE)) as db:
        intact = db.execute("PRAGMA integrity_check").fetchone()[0]
        if intact != "ok":
            found.lost.append(f"integrity_check: {intact}")
            return found
        folded = _fold(db)
        records = {
            id: json.loads(body)
            for id, body in db.execute("SELECT id, body FROM records WHERE type = 'visit'")
        }
        for id, record in folded.items():
            if record is not None and _comparable(records.get(id, {})) != _comparable(record):
                found.doubled.append(f"visit {id} is not what its log gives")
        found.lost += [f"visit {id} is not in the log" for id in records.keys() - folded.keys()]
        found.doubled += check_indexes(db, records)
    return found


def check_retried(data: Path, story: Story, wanted: State, app: Flask) -> Findings:
    """After everything was retried: each operation is stored once, and the whole state is `wanted`."""
    stored, state = _stored(data), read_state(data)
    texts = {(id, digest_of(text)) for id, sent in story.texts.items() for text in sent}
    found = Findings(lost=sorted(id for id, _ in texts - stored))
    if state != wanted:
        found.doubled += difference(state, wanted)[:6] or ["a row more than once"]
    with closing(sqlite3.connect(data / DATABASE)) as db:
        held = {row[0] for row in db.execute("SELECT id FROM held WHERE state = 'open'")}
    services = services_of(app)
    with app.app_context():
        alice = user_with(services, story.people["alice"])
        # Somebody who may see protected tenancies sees everything that is held.
        with services.databases.reading() as db:
            rows = list_held(db, replace(alice, may_see_protected=True))
        shown = {row.id for row in rows}
    found.hidden += sorted(held - shown)
    return found


def _stored(data: Path) -> set[tuple[str, str]]:
    with closing(sqlite3.connect(data / DATABASE)) as db:
        rows = db.execute("SELECT id, sha256 FROM log UNION SELECT id, sha256 FROM held")
        return {(id, sha) for id, sha in rows}


def _fold(db: sqlite3.Connection) -> dict[str, VisitRecord | None]:
    """Visit → its record, derived from the log; None where a retracted note was blanked."""
    found: dict[str, VisitRecord | None] = {}
    rows = db.execute("SELECT seq, subject, bytes FROM log WHERE type = 'visit' ORDER BY seq")
    for seq, subject, octets in rows:
        if octets is None:
            found[subject] = None
        elif subject not in found or found[subject] is not None:
            found[subject] = apply(found.get(subject), parse(octets.decode()), seq)
    return found


def _comparable(record: Mapping[str, Any]) -> dict[str, Any]:
    """Without what the visit's own log does not say: `seq` also moves when the tenancy or another
    visit of the household changes, and `alone` is decided at the push that brought the consent."""
    consents = [
        {name: value for name, value in one.items() if name != "alone"}
        for one in record.get("consents", [])
    ]
    return {**record, "seq": 0, "consents": consents}


def check_indexes(db: sqlite3.Connection, visits: dict[str, VisitRecord]) -> list[str]:
    """Index rows that are not what the visits' records (by id) give."""
    rows = db.execute("SELECT id, body FROM records WHERE type = 'tenancy'")
    tenancies = {id: json.loads(body) for id, body in rows}
    wanted: dict[str, set[str]] = {
        name: set() for name in ("visit_index", "follow_up_index", "consent_index", "blob_index")
    }
    for record in visits.values():
        tenancy = tenancies.get(record["tenancy"])
        for name, made in (
            ("visit_index", [visit_row(record, tenancy)]),
            ("follow_up_index", follow_up_rows(record, tenancy)),
            ("consent_index", consent_rows(record, _household(record, tenancy, visits))),
            ("blob_index", blob_rows(record)),
        ):
            wanted[name] |= {_row(dict(row)) for row in made}
    wrong = []
    db.row_factory = sqlite3.Row
    for name, expected in wanted.items():
        got = {_row(dict(row)) for row in db.execute(f"SELECT * FROM {name}")}
        if got != expected:
            wrong.append(f"{name} is not what the records give: {sorted(got ^ expected)[:2]}")
    return wrong


def _household(
    record: VisitRecord, tenancy: TenancyRecord | None, visits: dict[str, VisitRecord]
) -> list[VisitRecord]:
    ids = tenancy["visits"] if tenancy else [record["id"]]
    return [visits[id] for id in ids if id in visits]


def _row(row: dict[str, Any]) -> str:
    return json.dumps(
        {k: int(v) if isinstance(v, bool) else v for k, v in row.items()}, sort_keys=True
    )
