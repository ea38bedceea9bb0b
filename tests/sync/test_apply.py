"""Records: the vectors both languages share, and that order does not matter (I4, I5)."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.apply import apply, conflicts_of, consents_of, had_at, state_of, value_of
from sync.operations import Operation, parse
from sync.shapes import VisitRecord
from tests.cast.samples import answer
from tests.sync.vectors import DIRECTORY, cases, derived
from tests.sync.world import ALICE, BOB, CHARLIE, CONSENT, TENANCY, Device

VECTORS = sorted(DIRECTORY.glob("*.json"))


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_vector(path: Path) -> None:
    vector = json.loads(path.read_text("utf-8"))
    record: VisitRecord | None = None
    for step in vector["steps"]:
        before = copy.deepcopy(record)
        after = apply(record, parse(json.dumps(step["operation"])), step["seq"])
        assert record == before, "apply changed its argument"
        record = after
    assert record is not None
    assert record == vector["record"]
    assert state_of(record) == vector["state"]


def test_the_vectors_on_disk_are_those_of_the_cases() -> None:
    made = {case.name: derived(case) for case in cases()}
    assert {path.stem for path in VECTORS} == set(made)
    for path in VECTORS:
        assert json.loads(path.read_text("utf-8")) == made[path.stem], path.stem


def without_seq(value: Any) -> Any:
    """A record without the server's numbers: what must be equal whatever the order."""
    if isinstance(value, dict):
        return {
            key: without_seq(one) for key, one in value.items() if key not in ("seq", "content_seq")
        }
    if isinstance(value, list):
        return [without_seq(one) for one in value]
    return value


def content_kinds() -> st.SearchStrategy[tuple[str, dict[str, Any]]]:
    items = st.sampled_from(["i23", "i26"])
    return st.one_of(
        st.builds(lambda i, v: ("visit.answer", answer(i, v)), items, st.sampled_from(["ok", "fault", ""])),
        st.just(("visit.tick", {"section": "s", "answers": {"i23": "done"}, "guide": "g2", "language": ""})),
        st.just(("visit.note", {"item": "", "text": "x"})),
        st.builds(lambda p: ("visit.photo", {"item": "i37", "photo": p * 64}), st.sampled_from("ab")),
        st.builds(lambda o: ("visit.attempt", {"outcome": o, "date": "2026-12-01", "time": ""}), st.sampled_from(["not_home", "declined", "rebooked"])),
        st.builds(lambda d: ("visit.consent", CONSENT | {"decision": d}), st.sampled_from(["yes", "no"])),
        st.just(("visit.withdraw", {"purpose": "K1", "channel": "visit"})),
        st.just(("visit.close", {"let_go": [], "read_back": True})),
        st.just(("visit.reopen", {})),
        st.just(("visit.language", {"language": "so"})),
    )  # fmt: skip


@given(st.lists(content_kinds(), min_size=1, max_size=9), st.randoms(use_true_random=False))
def test_i4_batches_of_one_device_in_any_order_give_the_same_record(
    things: list[tuple[str, dict[str, Any]]], random: Any
) -> None:
    desk, phone = Device("desk-alice", ALICE), Device("phone", BOB)
    start = [
        parse(desk.make("visit.plan", {"tenancy": TENANCY, "kind": "welcome"})),
        parse(desk.make("visit.assign", {"visitors": ["bob"], "date": "2026-11-23", "time": ""})),
    ]
    mine = [parse(phone.make(kind, data, base=2)) for kind, data in things]
    notes = [one for one in mine if one.kind in ("visit.note", "visit.photo")]
    if notes:
        mine.append(parse(phone.make("visit.retract", {"operation": notes[0].id}, base=2)))
    shuffled = list(mine)
    random.shuffle(shuffled)
    straight, mixed = fold([*start, *mine]), fold([*start, *shuffled])
    assert without_seq(straight) == without_seq(mixed)
    assert state_of(straight) == state_of(mixed)
    assert {p: c["decision"] for p, c in consents_of(straight).items()} == {
        p: c["decision"] for p, c in consents_of(mixed).items()
    }


def fold(operations: list[Operation]) -> VisitRecord:
    record: VisitRecord | None = None
    for seq, operation in enumerate(operations, 1):
        record = apply(record, operation, seq)
    assert record is not None
    return record


def test_i5_different_fields_merge_without_a_conflict() -> None:
    phone, other = Device("p", BOB), Device("q", CHARLIE)
    record = fold(
        [
            parse(phone.make("visit.answer", answer("i23", "ok"))),
            parse(other.make("visit.answer", answer("i26", "ok"))),
        ]
    )
    assert conflicts_of(record) == {}


def test_i5_the_same_field_not_seen_is_a_conflict_and_both_values_are_kept() -> None:
    phone, other = Device("p", BOB), Device("q", CHARLIE)
    record = fold(
        [
            parse(phone.make("visit.answer", answer("i23", "ok"))),
            parse(other.make("visit.answer", answer("i23", "fault"))),
        ]
    )
    assert [one["value"] for one in conflicts_of(record)["answer.i23"]] == ["ok", "fault"]
    assert value_of(record, "answer.i23") == "fault"


def test_i5_a_write_that_saw_the_other_is_no_conflict() -> None:
    phone, other = Device("p", BOB), Device("q", CHARLIE)
    record = fold(
        [
            parse(phone.make("visit.answer", answer("i23", "ok"))),
            parse(other.make("visit.answer", answer("i23", "fault"), base=1)),
        ]
    )
    assert conflicts_of(record) == {}


def test_had_at_knows_the_visitors_at_every_base() -> None:
    desk = Device("d", ALICE)
    record = fold([
        parse(desk.make("visit.plan", {"tenancy": TENANCY, "kind": "welcome"})),
        parse(desk.make("visit.assign", {"visitors": ["bob"]})),
        parse(desk.make("visit.assign", {"date": "2026-12-01"})),
        parse(desk.make("visit.assign", {"visitors": ["charlie"]})),
    ])  # fmt: skip
    assert [had_at(record, "bob", base) for base in range(5)] == [False, False, True, True, False]
    assert had_at(record, "charlie", 4)


def test_a_record_from_before_there_were_photos_takes_one() -> None:
    desk, phone = Device("desk-alice", ALICE), Device("phone", BOB)
    record = fold([parse(desk.make("visit.plan", {"tenancy": TENANCY, "kind": "welcome"}))])
    old: Any = {key: value for key, value in record.items() if key != "photos"}
    photo = parse(phone.make("visit.photo", {"item": "i37", "photo": "a" * 64}, base=1))
    assert apply(old, photo, 2) == apply(record, photo, 2)
    assert apply(old, photo, 2)["blobs"] == ["a" * 64]
