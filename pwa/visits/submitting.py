"""What the server side does to visits: the desk's operations.

Invariant: the desk changes nothing but by operations through the same push as a phone
(DESIGN 5); a form sent twice is one operation. It refuses to show or touch a visit the
reader's role does not cover: such a visit is "not found", as one that never was (I7).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlite_utils import Database

from pwa.blobs.named import erase_struck
from pwa.people.accounts import User
from pwa.problems import Problem
from pwa.services import Services
from sync.apply import state_of
from sync.operations import encode
from sync.push import Result, push
from sync.rights import DESK, Principal
from sync.shapes import Outcome, TenancyRecord, VisitRecord, VisitState
from sync.storage import read_device


@dataclass(frozen=True, slots=True)
class Draft:
    """One thing to do: `id` a UUIDv7 from the form, `base` the record's seq when it was rendered."""

    id: str
    kind: str
    subject: str
    data: Mapping[str, Any]
    base: int = 0
    type: str = "visit"


@dataclass(frozen=True, slots=True)
class VisitFile:
    """One visit with the tenancy it is for (None for a visit without one)."""

    record: VisitRecord
    tenancy: TenancyRecord | None
    state: VisitState


def principal_of(user: User) -> Principal:
    """The user as the protocol core knows people."""
    return Principal(user.id, user.role, user.queue)


def submit(services: Services, user: User, drafts: Sequence[Draft]) -> list[Result]:
    """Do these things as `user`, in one durable transaction; one result for each draft.

    A draft whose id has been seen gets its stored result again ("duplicate"): a double
    click is harmless.
    """
    device = DESK + user.id
    now = services.now().isoformat(timespec="seconds")
    with services.storage.transaction():
        known = services.storage.find({draft.id for draft in drafts})
        record = read_device(services.storage, device)
        taken = record["received"][-1][1] if record else 0
        texts, fresh = [], []
        for draft in drafts:
            if draft.id in known or draft.id in fresh:
                continue
            taken += 1
            fresh.append(draft.id)
            texts.append(_envelope(draft, user, device, taken, now))
        pushed = push(services.storage, texts, principal_of(user), now)
    erase_struck(services.databases, services.blobs, texts)
    results = {result.id: result for result in pushed.results}
    answers = []
    for draft in drafts:
        if draft.id in results:
            answers.append(results[draft.id])
        else:
            seen = known[draft.id]
            result: Outcome = "held" if seen.problem else "duplicate"
            answers.append(Result(draft.id, seen.sha256, result, seen.seq, seen.problem))
    return answers


def _envelope(draft: Draft, user: User, device: str, number: int, now: str) -> str:
    return encode(
        {
            "id": draft.id,
            "v": 1,
            "kind": draft.kind,
            "subject": {"type": draft.type, "id": draft.subject},
            "by": user.id,
            "device": device,
            "device_seq": number,
            "at": now,
            "base": draft.base,
            "data": dict(draft.data),
        }
    )


def load_visit(services: Services, user: User, id: str) -> VisitFile:
    """The visit as `user` may see it at the desk.

    Raises Problem("not_found") where there is none, where the role does not cover it, and
    where the tenancy is protected: the three must look the same from outside.
    """
    with services.databases.reading() as db:
        record: VisitRecord | None = _record(db, "visit", id)
        tenancy: TenancyRecord | None = (
            _record(db, "tenancy", record["tenancy"]) if record else None
        )
    if record is None or user.role != "supervisor" or (tenancy and tenancy["protected"]):
        raise Problem("not_found")
    return VisitFile(record, tenancy, state_of(record))


def _record(db: Database, type: str, id: str) -> Any:
    row = db.execute("SELECT body FROM records WHERE type = ? AND id = ?", [type, id]).fetchone()
    return json.loads(row[0]) if row else None
