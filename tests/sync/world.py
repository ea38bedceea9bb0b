"""The people and devices of the protocol tests: Alice supervises, Bob and Charlie visit.

Ids and times are counted, never random, so a failing test reads the same every time.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any

from sync.push import Pushed, push
from sync.rights import Principal
from sync.shapes import DeviceRecord, VisitRecord
from sync.storage import Storage, read_device, read_visits
from tests.cast.operations import operation
from tests.cast.samples import FIELDS, consent

ALICE = Principal("alice", "supervisor")
BOB = Principal("bob", "visitor")
CHARLIE = Principal("charlie", "visitor")
AMIRA = Principal("amira", "ambassador")
HUGO = Principal("hugo", "officer", "KT")
ROOT = Principal("root", "administrator")
PEOPLE = {one.user: one for one in (ALICE, BOB, CHARLIE, AMIRA, HUGO, ROOT)}
NOW = "2026-11-22T10:00:00+00:00"
AT = "2026-11-22T11:00:00+01:00"

TENANCY = "00000000-0000-4000-8000-00000000000a"
VISIT = "00000000-0000-4000-8000-000000000001"
REGISTER = FIELDS | {"ref": "705-022-04-0201/11", "move_in": "2026-12-01"}
CONSENT = consent("K1", expires="")


def find_principal(user: str) -> Principal:
    """Who this is; nobody's role for an id that is nobody's."""
    return PEOPLE.get(user, Principal(user, ""))


_ids = itertools.count(1)


def fresh_id(number: int | None = None) -> str:
    """A UUID that was not used before, or the one for `number`."""
    return f"00000000-0000-7000-8000-{(number or next(_ids) + 0xF0000):012x}"


@dataclass
class Device:
    """One phone or desk that `who` uses; counts its own device_seq."""

    name: str
    who: Principal
    taken: int = 0
    sent: list[str] = field(default_factory=list)

    def make(self, kind: str, data: dict[str, Any] | None = None, /, **changes: Any) -> str:
        """The bytes of the next operation on TENANCY or VISIT; `changes` replaces envelope keys,
        `type` and `subject` those inside the subject."""
        type = changes.pop("type", "tenancy" if kind.startswith("tenancy") else "visit")
        subject = changes.pop("subject", TENANCY if type == "tenancy" else VISIT)
        self.taken += 1
        own: dict[str, Any] = {"subject": {"type": type, "id": subject}, "at": AT, "id": fresh_id()}
        own |= {"device": self.name, "device_seq": self.taken}
        return operation(kind, subject, data or {}, self.who.user, **(own | changes))

    def send(self, storage: Storage, *texts: str) -> Pushed:
        self.sent.extend(texts)
        return push(storage, texts, self.who, NOW, people=find_principal)


def settle(storage: Storage, visitors: list[str], date: str = "2026-11-23") -> Device:
    """Register one tenancy, plan its visit and assign it; returns Alice's desk."""
    desk = Device("desk-alice", ALICE)
    pushed = desk.send(
        storage,
        desk.make("tenancy.register", REGISTER),
        desk.make("visit.plan", {"tenancy": TENANCY, "kind": "welcome"}),
        desk.make("visit.assign", {"visitors": visitors, "date": date, "time": "10:00"}),
    )
    assert [one.result for one in pushed.results] == ["applied"] * 3
    return desk


def visit_of(storage: Storage, id: str = VISIT) -> VisitRecord:
    """The record of a visit that exists."""
    with storage.transaction():
        return read_visits(storage, [id])[id]


def device_of(storage: Storage, id: str) -> DeviceRecord:
    """The record of a device that has pushed."""
    with storage.transaction():
        record = read_device(storage, id)
    assert record is not None
    return record
