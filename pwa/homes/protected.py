"""The protected room: tenancies of people with a protected identity, outside the log.

Invariant: what is known of such a home stands here and nowhere else, is read by supervisors with
that right alone, and each reading is logged (docs/design.md 7.3). To everybody else the room is "not found".
A tenancy leaves it only by `clear_protected`, one at a time, with a reason.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlite_utils import Database

from pwa.homes import tables
from pwa.homes.register import fingerprint
from pwa.homes.tables import LockedRow, Reference
from pwa.ids import operation_id, uuid4
from pwa.people.accounts import User
from pwa.problems import Problem
from pwa.services import Services
from pwa.visits.submitting import Draft, submit

REASON_CHARACTERS_MAX = 280


@dataclass(frozen=True, slots=True)
class ProtectedRow:
    """One tenancy in the room. Its visit is handled on paper, by named people.

    `fields` is the data of `tenancy.register`, as it will be registered when cleared.
    """

    id: str
    ref: str
    fields: Mapping[str, Any]
    added_at: str


def lock(db: Database, row: LockedRow, user: User, *, known: bool) -> None:
    """Put a tenancy into the room. `known`: its reference was in the register, and leaves it."""
    if known:
        tables.delete_reference(db, row.ref)
    tables.write_locked(db, row, user.id)


def list_protected(db: Database, user: User, now: datetime) -> list[ProtectedRow]:
    """Everyone in the room; the reading is logged, so `db` is a writing one.

    Raises Problem("not_found") without the right.
    """
    _require_right(user)
    tables.log_read(db, user=user.id, at=_seconds(now), what="list")
    return [
        ProtectedRow(one.id, one.ref, json.loads(one.cells), one.added_at)
        for one in tables.list_locked(db)
    ]


def clear_protected(services: Services, user: User, id: str, reason: str) -> None:
    """Let one tenancy out of the room: it is registered and its visit planned.

    Raises Problem: `not_found` without the right, `invalid_form` without a reason.
    """
    _require_right(user)
    reason = reason.strip()
    if not reason or len(reason) > REASON_CHARACTERS_MAX:
        raise Problem("invalid_form")
    with services.databases.writing() as db:
        row = tables.find_locked(db, id)
        if row is None:
            raise Problem("not_found")
        data, tenancy, now = json.loads(row.cells), uuid4(), services.now()
        visit = {"tenancy": tenancy, "kind": "welcome"}
        drafts = [
            Draft(operation_id(now), "tenancy.register", tenancy, data, type="tenancy"),
            Draft(operation_id(now), "visit.plan", uuid4(), visit),
        ]
        submit(services, user, drafts)
        reference = Reference(row.ref, tenancy, fingerprint(data), data.get("customer", ""))
        tables.write_references(db, [reference])
        tables.mark_cleared(db, id, by=user.id, at=_seconds(now), reason=reason)
        tables.log_read(db, user=user.id, at=_seconds(now), what=f"clear {id}")


def _require_right(user: User) -> None:
    if not user.may_see_protected or user.role != "supervisor":
        raise Problem("not_found")


def _seconds(now: datetime) -> str:
    return now.isoformat(timespec="seconds")
