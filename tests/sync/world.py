"""Users, devices and operations for the protocol tests: Alice supervises, Bob and Charlie visit.

Builds exact operation bytes as a phone does. Ids and times are counted, never random, so that a
failing test shows the same values each time.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any

from sync.operations import encode
from sync.push import Pushed, push
from sync.rights import Principal
from sync.shapes import DeviceRecord, VisitRecord
from sync.storage import Storage, read_device, read_visits

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
REGISTER: dict[str, Any] = {
    "ref": "705-022-04-0201/11", "object": "705-022-04-0201", "apartment": "1102",
    "street": "Gatvägen 12 A", "postcode": "72187", "city": "Västerås", "property": "",
    "building": "", "area": "Norr", "move_in": "2026-12-01", "lease_end": "",
    "tenants": ["Testsson Test"], "phones": [{"original": "070-123 45 67", "e164": "+46701234567"}],
    "email": "", "language": "ar", "customer": "",
}  # fmt: skip
CONSENT: dict[str, Any] = {
    "purpose": "K1", "decision": "yes", "text_key": "K1.text", "text_version": "1",
    "text_sha256": "0" * 64, "text_state": "machine", "language": "ar", "recipient": "",
    "given_by": "tenant", "method": "oral", "attested": True, "signature": "",
    "interpreter": "ambassador", "expires": "",
}  # fmt: skip


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

    def make(self, kind: str, data: dict[str, Any] | None = None, **over: Any) -> str:
        """The bytes of the next operation; `over` replaces envelope keys."""
        self.taken += 1
        type = over.pop("type", "tenancy" if kind.startswith("tenancy") else "visit")
        subject = over.pop("subject", TENANCY if type == "tenancy" else VISIT)
        envelope = {
            "id": fresh_id(),
            "v": 1,
            "kind": kind,
            "subject": {"type": type, "id": subject},
            "by": self.who.user,
            "device": self.name,
            "device_seq": self.taken,
            "at": AT,
            "base": 0,
            "data": data or {},
        } | over
        return encode(envelope)

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


def answer(item: str = "i23", value: str = "ok") -> dict[str, Any]:
    return {"item": item, "answer": value, "guide": "g1", "language": "ar"}
