"""Makes sync/vectors/apply/*.json: `python -m tests.sync.vectors`.

Each case is a list of operations with their seq. Python writes the record and the state that it
derives, and tests in both languages compare. A changed file in a diff is a changed rule: review it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sync.apply import apply, conflicts_of, consents_of, state_of
from sync.operations import parse
from tests.cast.samples import answer
from tests.sync.world import ALICE, BOB, CHARLIE, CONSENT, TENANCY, Device, fresh_id

DIRECTORY = Path(__file__).parents[2] / "sync" / "vectors" / "apply"
OTHER = "00000000-0000-4000-8000-00000000000b"  # another tenancy
Steps = list[tuple[str, int]]


class Case:
    """A list of operations; each case has new devices, and ids counted from 1."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.phone = Device("phone-bob", BOB)
        self.other = Device("phone-charlie", CHARLIE)
        self.desk = Device("desk-alice", ALICE)
        self.steps: Steps = []
        self.ids = 0

    def make(
        self, device: Device, kind: str, data: dict[str, Any] | None = None, **over: Any
    ) -> str:
        self.ids += 1
        return device.make(kind, data, id=fresh_id(self.ids), **over)

    def add(
        self, device: Device, kind: str, data: dict[str, Any] | None = None, **over: Any
    ) -> Case:
        return self.take(self.make(device, kind, data, **over))

    def take(self, text: str) -> Case:
        self.steps.append((text, len(self.steps) + 1))
        return self

    def planned(self) -> Case:
        self.add(self.desk, "visit.plan", {"tenancy": TENANCY, "kind": "welcome"})
        return self.add(
            self.desk, "visit.assign", {"visitors": ["bob"], "date": "2026-11-23", "time": "10:00"}
        )


def cases() -> Iterator[Case]:
    c = Case("planned")
    yield c.add(c.desk, "visit.plan", {"tenancy": TENANCY, "kind": "welcome"})
    yield Case("booked").planned()
    c = Case("answers_and_undo").planned()
    c.add(c.phone, "visit.answer", answer("i23", "sounds"), base=2)
    c.add(c.phone, "visit.answer", answer("i23", ""), base=2)
    yield c
    c = Case("tick").planned()
    c.add(
        c.phone,
        "visit.tick",
        {
            "section": "s03",
            "answers": {"i14": "done", "i15": "done"},
            "guide": "g1",
            "language": "so",
        },
        base=2,
    )
    c.add(c.phone, "visit.answer", answer("i15", "later"), base=2)
    yield c
    c = Case("lower_number_arrives_late").planned()
    first = c.make(c.phone, "visit.answer", answer("i23", "silent"), base=2)
    second = c.make(c.phone, "visit.answer", answer("i23", "sounds"), base=2)
    yield c.take(second).take(first)
    c = Case("lower_number_late_after_others_saw_the_higher").planned()
    first = c.make(c.phone, "visit.answer", answer("i23", "silent"), base=2)
    second = c.make(c.phone, "visit.answer", answer("i23", "sounds"), base=2)
    c.take(second)
    c.add(c.desk, "visit.choose", {"field": "answer.i23", "value": "missing"}, base=3)
    yield c.take(first)
    c = Case("parallel").planned()
    c.add(c.phone, "visit.answer", answer("i23", "sounds"), base=2)
    c.add(c.other, "visit.answer", answer("i26", "ok"), base=2)
    yield c
    c = Case("conflict").planned()
    c.add(c.phone, "visit.answer", answer("i23", "sounds"), base=2)
    c.add(c.other, "visit.answer", answer("i23", "silent"), base=2)
    yield c
    c = Case("conflict_same_value_is_none").planned()
    c.add(c.phone, "visit.language", {"language": "ar"}, base=2)
    c.add(c.other, "visit.language", {"language": "ar"}, base=2)
    yield c
    c = Case("conflict_of_two_people_on_one_phone").planned()
    first = c.make(c.phone, "visit.answer", answer("i23", "silent"), base=2)
    second = c.make(c.phone, "visit.answer", answer("i23", "sounds"), base=2, by="charlie")
    yield c.take(second).take(first)
    c = Case("conflict_chosen").planned()
    c.add(c.phone, "visit.answer", answer("i23", "sounds"), base=2)
    c.add(c.other, "visit.answer", answer("i23", "silent"), base=2)
    c.add(c.desk, "visit.choose", {"field": "answer.i23", "value": "silent"}, base=4)
    yield c
    c = Case("guide_is_pinned_by_the_first").planned()
    c.add(c.phone, "visit.answer", answer("i23", "sounds"), base=2)
    c.add(c.other, "visit.answer", answer("i26", "ok") | {"guide": "g2"}, base=2)
    c.add(c.phone, "visit.answer", answer("i29", "ok") | {"guide": "g2"}, base=2)
    yield c
    c = Case("notes_grow_and_are_struck").planned()
    note = c.make(c.phone, "visit.note", {"item": "i39", "text": "Kranen droppar 💧"}, base=2)
    c.take(note)
    c.add(c.phone, "visit.note", {"item": "", "text": "نص"}, base=2)
    c.add(c.phone, "visit.retract", {"operation": json.loads(note)["id"]}, base=2)
    yield c
    c = Case("retract_before_its_note").planned()
    note = c.make(c.phone, "visit.note", {"item": "i39", "text": "Kranen droppar"}, base=2)
    strike = c.make(c.phone, "visit.retract", {"operation": json.loads(note)["id"]}, base=2)
    yield c.take(strike).take(note)
    c = Case("photos_grow_and_are_struck").planned()
    c.add(c.phone, "visit.photo", {"item": "i37", "photo": "b" * 64}, base=2)
    photo = c.make(c.phone, "visit.photo", {"item": "i41", "photo": "a" * 64}, base=2)
    c.take(photo)
    c.add(c.phone, "visit.consent", CONSENT | {"signature": "c" * 64}, base=2)
    c.add(c.phone, "visit.retract", {"operation": json.loads(photo)["id"]}, base=2)
    yield c
    c = Case("the_same_photo_twice_and_one_of_them_struck").planned()
    photo = c.make(c.phone, "visit.photo", {"item": "i37", "photo": "b" * 64}, base=2)
    c.take(photo)
    c.add(c.phone, "visit.photo", {"item": "", "photo": "b" * 64}, base=2)
    c.add(c.phone, "visit.retract", {"operation": json.loads(photo)["id"]}, base=2)
    yield c
    c = Case("retract_before_its_photo").planned()
    photo = c.make(c.phone, "visit.photo", {"item": "i37", "photo": "b" * 64}, base=2)
    strike = c.make(c.phone, "visit.retract", {"operation": json.loads(photo)["id"]}, base=2)
    yield c.take(strike).take(photo)
    c = Case("follow_up_answered").planned()
    ask = c.make(
        c.phone,
        "visit.follow_up",
        {"item": "i39", "queue": "KT", "urgency": "same_day", "text": "Droppar"},
        base=2,
    )
    c.take(ask)
    c.add(
        c.desk,
        "follow_up.answer",
        {"follow_up": json.loads(ask)["id"], "text": "Klart", "done": True},
        base=3,
    )
    yield c
    c = Case("declined")
    c.planned().add(c.phone, "visit.attempt", {"outcome": "declined"}, base=2)
    yield c
    c = Case("declined_then_booked_again")
    c.planned().add(c.phone, "visit.attempt", {"outcome": "declined"}, base=2)
    yield c.add(c.desk, "visit.assign", {"date": "2026-12-05"}, base=3)
    c = Case("not_reached_after_three")
    c.planned()
    for _ in range(3):
        c.add(c.phone, "visit.attempt", {"outcome": "not_home"}, base=2)
    yield c
    c = Case("rebooked_at_the_door")
    c.planned().add(
        c.phone,
        "visit.attempt",
        {"outcome": "rebooked", "date": "2026-12-01", "time": "17:30"},
        base=2,
    )
    yield c
    c = Case("attempts_in_swapped_batches").planned()
    one = c.make(c.phone, "visit.attempt", {"outcome": "not_home"}, base=2)
    two = c.make(c.phone, "visit.attempt", {"outcome": "declined"}, base=2)
    yield c.take(two).take(one)
    c = Case("rebooked_then_declined_in_swapped_batches").planned()
    rebooked = {"outcome": "rebooked", "date": "2026-12-01", "time": ""}
    one = c.make(c.phone, "visit.attempt", rebooked, base=2)
    two = c.make(c.phone, "visit.attempt", {"outcome": "declined"}, base=2)
    yield c.take(two).take(one)
    c = Case("not_home_before_a_rebooking_arrives_after_it").planned()
    c.add(c.phone, "visit.attempt", {"outcome": "not_home"}, base=2)
    c.add(c.phone, "visit.attempt", {"outcome": "not_home"}, base=2)
    one = c.make(c.phone, "visit.attempt", {"outcome": "not_home"}, base=2)
    two = c.make(c.phone, "visit.attempt", rebooked, base=2)
    yield c.take(two).take(one)
    c = Case("closed")
    c.planned().add(c.phone, "visit.answer", answer(), base=2)
    c.add(c.phone, "visit.close", {"let_go": ["i30"], "read_back": True}, base=2)
    yield c
    c = Case("note_behind_the_close_arrives_first").planned()
    close = c.make(c.phone, "visit.close", {"let_go": [], "read_back": True}, base=2)
    note = c.make(c.phone, "visit.note", {"item": "", "text": "Glömde"}, base=2)
    yield c.take(note).take(close)
    c = Case("moved_while_the_visit_was_made").planned()
    c.add(c.desk, "visit.assign", {"date": "2026-11-30"}, base=2)
    c.add(c.phone, "visit.close", {"let_go": [], "read_back": True}, base=2)
    yield c
    c = Case("returned")
    c.planned().add(c.phone, "visit.close", {"let_go": [], "read_back": True}, base=2)
    c.add(
        c.desk, "visit.return", {"points": [{"item": "i23", "text": "Pröva larmet igen"}]}, base=3
    )
    yield c
    c = Case("returned_and_corrected")
    c.planned().add(c.phone, "visit.close", {"let_go": [], "read_back": True}, base=2)
    c.add(
        c.desk, "visit.return", {"points": [{"item": "i23", "text": "Pröva larmet igen"}]}, base=3
    )
    c.add(c.phone, "visit.answer", answer("i23", "sounds"), base=4)
    c.add(c.phone, "visit.close", {"let_go": [], "read_back": True}, base=4)
    yield c
    c = Case("closed_again_without_having_seen_the_return")
    c.planned().add(c.phone, "visit.close", {"let_go": [], "read_back": True}, base=2)
    c.add(c.desk, "visit.return", {"points": [{"item": "", "text": "Mer"}]}, base=3)
    c.add(c.phone, "visit.close", {"let_go": [], "read_back": True}, base=3)
    yield c
    c = Case("approved")
    c.planned().add(c.phone, "visit.close", {"let_go": [], "read_back": True}, base=2)
    yield c.add(c.desk, "visit.approve", {"comment": ""}, base=3)
    c = Case("changed_after_approval")
    c.planned().add(c.phone, "visit.close", {"let_go": [], "read_back": True}, base=2)
    c.add(c.desk, "visit.approve", {"comment": ""}, base=3)
    yield c.add(c.phone, "visit.note", {"item": "", "text": "Sent"}, base=3)
    c = Case("approved_without_having_seen_a_note")
    c.planned().add(c.phone, "visit.close", {"let_go": [], "read_back": True}, base=2)
    c.add(c.phone, "visit.note", {"item": "", "text": "Kom emellan"}, base=2)
    yield c.add(c.desk, "visit.approve", {"comment": ""}, base=3)
    c = Case("withdrawal_after_approval_changes_nothing")
    c.planned().add(c.phone, "visit.consent", CONSENT, base=2)
    c.add(c.phone, "visit.close", {"let_go": [], "read_back": True}, base=2)
    c.add(c.desk, "visit.approve", {"comment": ""}, base=4)
    yield c.add(c.desk, "visit.withdraw", {"purpose": "K1", "channel": "desk"}, base=5)
    c = Case("consent_signed")
    c.planned()
    yield c.add(
        c.phone, "visit.consent", CONSENT | {"method": "signature", "signature": "ab" * 32}, base=2
    )
    c = Case("consent_unseen_withdrawal_wins").planned()
    c.add(c.phone, "visit.consent", CONSENT, base=2)
    c.add(c.desk, "visit.withdraw", {"purpose": "K1", "channel": "phone"}, base=3)
    yield c.add(c.other, "visit.consent", CONSENT, base=3)
    c = Case("consent_yes_that_saw_the_no_counts").planned()
    c.add(c.phone, "visit.consent", CONSENT | {"decision": "no"}, base=2)
    yield c.add(c.other, "visit.consent", CONSENT, base=3)
    c = Case("consent_two_unseen_the_no_wins").planned()
    c.add(c.phone, "visit.consent", CONSENT | {"decision": "no"}, base=2)
    yield c.add(c.other, "visit.consent", CONSENT, base=2)
    c = Case("consent_unseen_on_the_same_phone_the_withdrawal_wins").planned()
    first = c.make(c.phone, "visit.withdraw", {"purpose": "K1", "channel": "visit"}, base=2)
    second = c.make(c.phone, "visit.consent", CONSENT, base=2, by="charlie")
    yield c.take(second).take(first)
    c = Case("consents_that_each_seem_to_have_seen_the_other")
    c.planned()
    c.add(c.phone, "visit.consent", CONSENT | {"decision": "no"}, base=9)
    yield c.add(c.other, "visit.consent", CONSENT, base=3)
    c = Case("cancelled")
    yield c.planned().add(c.desk, "visit.cancel", {"reason": "moved_out"}, base=2)
    c = Case("reopened")
    c.planned().add(c.phone, "visit.close", {"let_go": [], "read_back": True}, base=2)
    yield c.add(c.phone, "visit.reopen", {}, base=2)
    c = Case("opened_at_the_door")
    c.add(c.phone, "visit.open", {"tenancy": "", "kind": "contact", "language": "so"})
    yield c.add(c.phone, "visit.note", {"item": "", "text": "Frågade om tvättstugan"})
    c = Case("opened_although_it_is_there").planned()
    c.add(c.desk, "visit.assign", {"visitors": ["bob", "charlie"]}, base=2)
    c.add(c.phone, "visit.open", {"tenancy": "", "kind": "contact", "language": "so"}, base=3)
    yield c.add(
        c.phone, "visit.open", {"tenancy": OTHER, "kind": "reactive", "language": ""}, base=3
    )
    c = Case("opened_without_a_tenancy_then_planned")
    c.add(c.phone, "visit.open", {"tenancy": "", "kind": "contact", "language": "so"})
    c.add(c.desk, "visit.plan", {"tenancy": TENANCY, "kind": "welcome"}, base=1)
    yield c.add(c.desk, "visit.plan", {"tenancy": OTHER, "kind": "short"}, base=2)
    c = Case("rebooked_after_three_times_nobody_home").planned()
    for _ in range(3):
        c.add(c.phone, "visit.attempt", {"outcome": "not_home"}, base=2)
    c.add(
        c.phone, "visit.attempt", {"outcome": "rebooked", "date": "2026-12-01", "time": ""}, base=2
    )
    yield c
    c = Case("nobody_home_again_after_a_rebooking").planned()
    for _ in range(2):
        c.add(c.phone, "visit.attempt", {"outcome": "not_home"}, base=2)
    c.add(
        c.phone,
        "visit.attempt",
        {"outcome": "rebooked", "date": "2026-12-01", "time": "09:00"},
        base=2,
    )
    yield c.add(c.phone, "visit.attempt", {"outcome": "not_home"}, base=2)


def derived(case: Case) -> dict[str, Any]:
    record = None
    for text, seq in case.steps:
        record = apply(record, parse(text), seq)
    assert record is not None
    return {
        "name": case.name,
        "steps": [{"operation": json.loads(text), "seq": seq} for text, seq in case.steps],
        "record": record,
        "state": state_of(record),
        "conflicts": {
            field: [w["value"] for w in ws] for field, ws in conflicts_of(record).items()
        },
        "consents": {purpose: one["decision"] for purpose, one in consents_of(record).items()},
    }


def main() -> None:
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    for case in cases():
        path = DIRECTORY / f"{case.name}.json"
        path.write_text(json.dumps(derived(case), ensure_ascii=False, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
