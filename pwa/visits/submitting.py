"""The desk's operations on visits, and the visit as a page of the desk may see it.

Invariant: the desk changes visits and tenancies only by operations, through the same push as a
phone (docs/design.md 5.1); a form sent twice is one operation. A visit that the reader's role does not cover
is "not found", like one that never existed (I7).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlite_utils import Database

from pwa.blobs.named import erase_struck
from pwa.people.accounts import User, find_user
from pwa.problems import Problem
from pwa.services import Services
from sync.apply import state_of
from sync.operations import encode
from sync.push import Directory, Result, push
from sync.rights import DESK, Principal
from sync.shapes import Outcome, TenancyRecord, VisitRecord, VisitState
from sync.sqlite import SqliteStorage
from sync.storage import read_device, read_tenancies, read_visits


@dataclass(frozen=True, slots=True)
class Draft:
    """An operation to be made: `id` a UUIDv7 from the form, `base` the record's seq when the form
    was rendered."""

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
    """The user as the sender of a push."""
    return Principal(user.id, user.role, user.queue, user.ambassador_until)


def principals(db: Database) -> Directory:
    """User id → that person as the protocol core knows people; role "" for nobody's id, and for who
    is not active any more."""

    def find(id: str) -> Principal:
        user = find_user(db, id)
        return principal_of(user) if user is not None and user.active else Principal(id, "")

    return find


def submit(services: Services, user: User, drafts: Sequence[Draft]) -> list[Result]:
    """Push these operations as `user`, in one durable transaction; one result for each draft.

    A draft whose id is known gets its stored result again ("duplicate"): a double click does no
    harm.
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
        pushed = push(
            services.storage,
            texts,
            principal_of(user),
            now,
            people=principals(services.databases.writer),
        )
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


def load_visit(db: Database, user: User, id: str) -> VisitFile:
    """The visit as `user` may see it at the desk.

    Raises Problem("not_found") where there is none, where the role does not cover it, and
    where the tenancy is protected: the three must look the same from outside.
    """
    storage = SqliteStorage(db)
    record = read_visits(storage, [id]).get(id)
    home = record["tenancy"] if record else ""
    tenancy = read_tenancies(storage, [home]).get(home) if home else None
    if record is None or user.role != "supervisor" or (tenancy and tenancy["protected"]):
        raise Problem("not_found")
    return VisitFile(record, tenancy, state_of(record))
