"""Records what a released version wrote: `python -m tests.sync.release N`, once for each release.

Operations of every kind as bytes, with who sent them, and the records they gave, for
tests/sync/test_released_operations.py. A file that exists is never overwritten: what was released
does not change.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from sync.kinds import KINDS
from sync.memory import MemoryStorage
from sync.operations import UPCASTS, parse
from sync.push import push
from sync.rights import Principal
from tests.cast.samples import answer
from tests.sync.world import (
    ALICE,
    BOB,
    CONSENT,
    HUGO,
    NOW,
    REGISTER,
    TENANCY,
    VISIT,
    Device,
    find_principal,
    fresh_id,
)

DIRECTORY = Path(__file__).parents[1] / "data" / "released"
PEOPLE = {one.user: one for one in (ALICE, BOB, HUGO)}
OPENED, CANCELLED = fresh_id(0xA1), fresh_id(0xA2)


def story() -> list[str]:
    """Every kind at least once, in an order in which all are applied."""
    texts: list[str] = []

    def add(device: Device, kind: str, data: dict[str, Any], **over: Any) -> str:
        texts.append(device.make(kind, data, id=fresh_id(len(texts) + 1), **over))
        return parse(texts[-1]).id

    desk, phone, office = Device("desk-alice", ALICE), Device("phone-bob", BOB), Device("desk-hugo", HUGO)  # fmt: skip
    add(desk, "tenancy.register", REGISTER)
    for visit, kind in ((VISIT, "welcome"), (CANCELLED, "revisit")):
        add(desk, "visit.plan", {"tenancy": TENANCY, "kind": kind}, subject=visit)
    add(desk, "visit.assign", {"visitors": ["bob"], "date": "2026-11-23", "time": "10:00"})
    add(phone, "visit.attempt", {"outcome": "not_home"}, base=4)
    add(phone, "visit.attempt", {"outcome": "rebooked", "date": "2026-11-24", "time": "09:30"}, base=4)  # fmt: skip
    add(phone, "visit.language", {"language": "so"}, base=4)
    add(phone, "visit.answer", answer("i23", "sounds"), base=4)
    add(phone, "visit.tick", {"section": "s03", "answers": {"i14": "done", "i15": ""}, "guide": "g1", "language": "so"}, base=4)  # fmt: skip
    note = add(phone, "visit.note", {"item": "i39", "text": 'Kranen droppar "lite" åäö 👍'}, base=4)
    add(phone, "visit.note", {"item": "", "text": "نص"}, base=4)
    add(phone, "visit.photo", {"item": "i39", "photo": "a" * 64}, base=4)
    asked = add(phone, "visit.follow_up", {"item": "i39", "queue": "KT", "urgency": "same_day", "text": "Droppar"}, base=4)  # fmt: skip
    add(phone, "visit.consent", CONSENT | {"method": "signature", "signature": "b" * 64}, base=4)
    add(phone, "visit.retract", {"operation": note}, base=4)
    add(phone, "visit.close", {"let_go": ["i30"], "read_back": True}, base=4)
    add(phone, "visit.reopen", {}, base=4)
    add(desk, "visit.assign", {"time": "11:00"}, base=4)
    add(desk, "visit.choose", {"field": "time", "value": "11:30"}, base=18)
    add(phone, "visit.close", {"let_go": [], "read_back": True}, base=4)
    add(office, "follow_up.answer", {"follow_up": asked, "text": "Klart", "done": True}, base=20)
    add(desk, "visit.return", {"points": [{"item": "i23", "text": "Pröva igen"}]}, base=20)
    add(phone, "visit.close", {"let_go": [], "read_back": False}, base=22)
    add(desk, "visit.approve", {"comment": "Fint"}, base=23)
    add(desk, "visit.withdraw", {"purpose": "K1", "channel": "letter"}, base=24)
    add(desk, "visit.cancel", {"reason": "duplicate"}, subject=CANCELLED, base=3)
    add(phone, "visit.open", {"tenancy": "", "kind": "contact", "language": "ar"}, subject=OPENED)
    add(phone, "tally.count", {"day": "2026-11-23", "area": "Norr", "topic": "useful", "value": "5"}, type="tally", subject=fresh_id(0xA3))  # fmt: skip
    add(desk, "tenancy.protect", {"reason": "staff"})
    assert {parse(text).kind for text in texts} == set(KINDS)
    return texts


def records_after(operations: list[dict[str, Any]], cut: int) -> dict[str, Any]:
    """The records after the first `cut` operations, each pushed by whom it names."""
    storage = MemoryStorage()
    for one in operations[:cut]:
        sender = Principal(**one["sender"])
        (result,) = push(storage, [one["bytes"]], sender, NOW, people=find_principal).results
        assert result.result == "applied", (result, one["bytes"])
    return {f"{type} {id}": record for (type, id), record in storage.state.records.items()}


def main(release: str) -> None:
    operations = []
    for text in story():
        who = PEOPLE[parse(text).by]
        sender = {"user": who.user, "role": who.role, "queue": who.queue}
        operations.append({"sender": sender, "bytes": text})
    path = DIRECTORY / f"v{release}" / "operations.json"
    cuts = [len(operations) - 1, len(operations)]  # before and after the tenancy was protected
    body = {
        "versions": {kind: 1 + sum(known == kind for known, _ in UPCASTS) for kind in KINDS},
        "operations": operations,
        "records": {str(cut): records_after(operations, cut) for cut in cuts},
    }
    with path.open("x", encoding="utf-8") as file:
        json.dump(body, file, ensure_ascii=False, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main(sys.argv[1])
