"""Push: each invariant of PROTOCOL.md section 7 that it keeps."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import sync.effects
from sync.apply import apply_in_place
from sync.device import add_number, gaps_of
from sync.kinds import KINDS
from sync.memory import MemoryStorage
from sync.operations import digest_of, parse
from sync.push import push
from sync.rights import Principal
from sync.storage import Storage, read_tenancies
from tests.cast.samples import answer
from tests.sync.world import (
    ALICE,
    AMIRA,
    BOB,
    CHARLIE,
    CONSENT,
    HUGO,
    NOW,
    REGISTER,
    ROOT,
    TENANCY,
    VISIT,
    Device,
    device_of,
    find_principal,
    fresh_id,
    settle,
    visit_of,
)  # fmt: skip


def held_of(storage: Storage, visit: str = VISIT) -> list[str]:
    with storage.transaction():
        return [one.problem for one in storage.held(visit=visit)]


def test_i2_the_same_bytes_again_get_the_stored_answer(storage: Storage) -> None:
    settle(storage, ["bob"])
    phone = Device("phone", BOB)
    text = phone.make("visit.note", {"item": "", "text": "En gång"}, base=3)
    first = phone.send(storage, text).results[0]
    again = phone.send(storage, text).results[0]
    assert (first.result, again.result, again.seq) == ("applied", "duplicate", first.seq)
    assert len(visit_of(storage)["notes"]) == 1


def test_i2_the_same_operation_twice_in_one_batch_takes_effect_once(storage: Storage) -> None:
    settle(storage, ["bob"])
    phone = Device("phone", BOB)
    text = phone.make("visit.note", {"item": "", "text": "En gång"}, base=3)
    assert [one.result for one in phone.send(storage, text, text).results] == [
        "applied",
        "duplicate",
    ]
    assert len(visit_of(storage)["notes"]) == 1


def test_i2_the_same_id_with_other_bytes_is_held_and_never_overwrites(storage: Storage) -> None:
    settle(storage, ["bob"])
    phone = Device("phone", BOB)
    text = phone.make("visit.note", {"item": "", "text": "Först"}, base=3)
    other = text.replace("Först", "Annat")
    phone.send(storage, text)
    results = [phone.send(storage, other).results[0] for _ in range(2)]
    assert [(one.result, one.problem, one.sha256) for one in results] == [
        ("held", "id_reused", digest_of(other))
    ] * 2
    assert [one["text"] for one in visit_of(storage)["notes"]] == ["Först"]
    assert held_of(storage) == ["id_reused"]


def test_i2_gaps_in_device_seq_are_reported_and_never_refused(storage: Storage) -> None:
    settle(storage, ["bob"])
    phone = Device("phone", BOB, taken=4)
    pushed = phone.send(storage, phone.make("visit.note", {"item": "", "text": "x"}, base=3))
    assert (pushed.results[0].result, pushed.gaps) == ("applied", [(1, 4)])


def test_i2_a_reused_device_seq_means_a_rolled_back_phone_and_is_reported(storage: Storage) -> None:
    settle(storage, ["bob"])
    phone = Device("phone", BOB)
    phone.send(storage, phone.make("visit.note", {"item": "", "text": "x"}, base=3))
    phone.taken = 0
    pushed = phone.send(storage, phone.make("visit.note", {"item": "", "text": "y"}, base=3))
    assert (pushed.results[0].result, pushed.reused) == ("applied", [1])
    assert device_of(storage, "phone")["reused"] == [1]


def test_i6_one_bad_operation_never_blocks_another(storage: Storage) -> None:
    settle(storage, ["bob"])
    phone = Device("phone", BOB)
    good = [phone.make("visit.note", {"item": "", "text": str(n)}, base=3) for n in range(2)]
    bad = [
        "",
        "not json",
        "[]",
        "null",
        '{"id": 1}',
        good[0][:-1],
        phone.make("visit.note", {"text": "x"}, base=3),
    ]
    results = phone.send(storage, good[0], *bad, good[1]).results
    assert [one.result for one in results] == ["applied", *["held"] * len(bad), "applied"]
    assert len(visit_of(storage)["notes"]) == 2


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"v": 2}, "version_newer"),
        ({"kind": "visit.sing"}, "unknown_kind"),
        ({"by": "charlie"}, "author_mismatch"),
        ({"subject": {"type": "visit", "id": fresh_id(999)}}, "unknown_subject"),
        ({"subject": {"type": "tenancy", "id": VISIT}}, "invalid"),
        ({"at": "yesterday"}, "invalid"),
        ({"base": -1}, "invalid"),
        ({"base": True}, "invalid"),
        ({"device": "__proto__"}, "invalid"),
        ({"data": {"item": "", "text": "x" * 281}}, "invalid"),
        ({"data": {"item": "", "text": "x" * 20_000}}, "too_large"),
    ],
)
def test_i6_what_cannot_be_applied_is_held_with_its_bytes(
    storage: Storage, change: dict[str, Any], problem: str
) -> None:
    settle(storage, ["bob"])
    phone = Device("phone", BOB)
    envelope = json.loads(phone.make("visit.note", {"item": "", "text": "x"}, base=3)) | change
    text = json.dumps(envelope)
    result = phone.send(storage, text).results[0]
    assert (result.result, result.problem) == ("held", problem)
    with storage.transaction():
        held = [*storage.held(by="bob"), *storage.held(by="charlie")]
    assert [one.octets.decode() for one in held] == [text]
    assert visit_of(storage)["notes"] == []


def test_i6_an_operation_that_raises_when_applied_is_held_and_the_rest_applied(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle(storage, ["bob"])
    phone = Device("phone", BOB)
    texts = [
        phone.make("visit.note", {"item": "", "text": word}, base=3) for word in ("a", "boom", "c")
    ]

    def apply_or_raise(record: Any, operation: Any, seq: int) -> Any:
        if operation.data.get("text") == "boom":
            record["notes"].append("half done")
            raise ZeroDivisionError
        return apply_in_place(record, operation, seq)

    monkeypatch.setattr(sync.effects, "apply_in_place", apply_or_raise)
    results = phone.send(storage, *texts).results
    assert [(one.result, one.problem) for one in results] == [
        ("applied", ""), ("held", "server_error"), ("applied", ""),
    ]  # fmt: skip
    assert [one["text"] for one in visit_of(storage)["notes"]] == ["a", "c"]


def test_i6_operations_on_an_unknown_visit_are_applied_when_it_arrives(storage: Storage) -> None:
    phone = Device("phone", BOB)
    opened = phone.make("visit.open", {"tenancy": "", "kind": "contact", "language": ""})
    note = phone.make("visit.note", {"item": "", "text": "Före"})
    last = phone.make("visit.note", {"item": "", "text": "Efter"})
    assert [one.problem for one in phone.send(storage, last, note).results] == [
        "unknown_subject"
    ] * 2
    assert phone.send(storage, opened).results[0].result == "applied"
    assert [one["text"] for one in visit_of(storage)["notes"]] == ["Före", "Efter"]
    assert held_of(storage) == []
    assert phone.send(storage, note).results[0].result == "duplicate"


def test_i6_a_waiting_operation_that_raises_does_not_stop_its_visit_from_being_applied(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone = Device("phone", BOB)
    opened = phone.make("visit.open", {"tenancy": "", "kind": "contact", "language": ""})
    broken = phone.make("visit.note", {"item": "", "text": "boom"})
    note = phone.make("visit.note", {"item": "", "text": "Efter"})
    phone.send(storage, broken, note)

    def apply_or_raise(record: Any, operation: Any, seq: int) -> Any:
        if operation.data.get("text") == "boom":
            record["notes"].append("half done")
            raise ZeroDivisionError
        return apply_in_place(record, operation, seq)

    with monkeypatch.context() as patch:
        patch.setattr(sync.effects, "apply_in_place", apply_or_raise)
        assert phone.send(storage, opened).results[0].result == "applied"
    assert [one["text"] for one in visit_of(storage)["notes"]] == ["Efter"]
    assert held_of(storage) == ["server_error"]
    push(storage, [broken], BOB, NOW, people=find_principal, resolve="retry", resolver="alice")
    assert [one["text"] for one in visit_of(storage)["notes"]] == ["boom", "Efter"]


def test_i6_in_one_batch_the_order_of_opening_and_noting_does_not_matter(storage: Storage) -> None:
    phone = Device("phone", BOB)
    opened = phone.make("visit.open", {"tenancy": "", "kind": "contact", "language": ""})
    note = phone.make("visit.note", {"item": "", "text": "Före"})
    assert [one.result for one in phone.send(storage, note, opened).results] == ["applied"] * 2


def test_i6_work_after_a_reassignment_is_applied_and_marked_late(storage: Storage) -> None:
    desk = settle(storage, ["bob"])
    desk.send(storage, desk.make("visit.assign", {"visitors": ["charlie"]}))
    phone = Device("phone", BOB)
    seen = phone.make("visit.note", {"item": "", "text": "Var där"}, base=3)
    result = phone.send(storage, seen).results[0]
    assert result.result == "applied"
    record = visit_of(storage)
    assert record["late"] == [parse(seen).id]
    unseen = phone.make("visit.note", {"item": "", "text": "Var aldrig där"}, base=4)
    assert phone.send(storage, unseen).results[0].problem == "no_right"


def test_i9_what_a_colleague_sent_is_applied_when_its_author_sends_it(
    storage: Storage,
) -> None:
    settle(storage, ["bob"])
    phone = Device("phone", BOB)
    text = phone.make("visit.note", {"item": "", "text": "x"}, base=3)
    assert (
        push(storage, [text], CHARLIE, NOW, people=find_principal).results[0].problem
        == "author_mismatch"
    )
    assert phone.send(storage, text).results[0].result == "applied"
    assert held_of(storage) == []
    assert phone.send(storage, text).results[0].result == "duplicate"


def test_i6_a_supervisor_accepts_what_was_held_and_it_counts_once(storage: Storage) -> None:
    settle(storage, ["bob"])
    phone = Device("phone", CHARLIE)
    text = phone.make("visit.note", {"item": "", "text": "Hjälpte till"}, base=3)
    assert phone.send(storage, text).results[0].problem == "no_right"
    retried = push(
        storage, [text], CHARLIE, NOW, people=find_principal, resolve="retry", resolver="alice"
    )
    assert retried.results[0].problem == "no_right"
    accepted = push(
        storage, [text], CHARLIE, NOW, people=find_principal, resolve="accept", resolver="alice"
    )
    assert accepted.results[0].result == "applied"
    assert held_of(storage) == []
    assert phone.send(storage, text).results[0].result == "duplicate"
    record = visit_of(storage)
    assert [one["by"] for one in record["notes"]] == ["charlie"]
    assert record["late"] == [parse(text).id]


ROLES = {
    "visitor": CHARLIE,
    "ambassador": AMIRA,
    "officer": HUGO,
    "supervisor": ALICE,
    "administrator": ROOT,
}
EXAMPLES: dict[str, dict[str, Any]] = {
    "tenancy.register": REGISTER, "tenancy.protect": {"reason": "staff"},
    "visit.plan": {"tenancy": TENANCY, "kind": "revisit"}, "visit.assign": {"visitors": ["bob"]},
    "visit.open": {"tenancy": TENANCY, "kind": "short", "language": ""},
    "visit.language": {"language": "so"}, "visit.answer": answer(),
    "visit.tick": {"section": "s", "answers": {"i1": "done"}, "guide": "g", "language": ""},
    "visit.note": {"item": "", "text": "x"}, "visit.photo": {"item": "", "photo": "a" * 64},
    "visit.follow_up": {"item": "", "queue": "KT", "urgency": "now", "text": ""},
    "visit.attempt": {"outcome": "declined"}, "visit.consent": CONSENT,
    "visit.withdraw": {"purpose": "K1", "channel": "desk"}, "visit.retract": {"operation": fresh_id(5)},
    "visit.close": {"let_go": [], "read_back": True}, "visit.reopen": {}, "visit.approve": {"comment": ""},
    "visit.return": {"points": [{"item": "", "text": "x"}]}, "visit.cancel": {"reason": "other"},
    "visit.choose": {"field": "language", "value": "so"},
    "follow_up.answer": {"follow_up": fresh_id(6), "text": "", "done": True},
    "tally.count": {"day": "2026-11-22", "area": "", "topic": "useful", "value": "4"},
}  # fmt: skip


def test_there_is_an_example_of_every_kind() -> None:
    assert set(EXAMPLES) == set(KINDS)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("kind", KINDS)
def test_i7_nobody_changes_what_role_and_assignment_do_not_cover(kind: str, role: str) -> None:
    storage = MemoryStorage()
    settle(storage, ["bob"])
    who = ROLES[role]
    subject = {"visit.open": {"subject": fresh_id(77)}}.get(kind, {})
    device = Device("d", who)
    type = KINDS[kind].type
    result = device.send(
        storage, device.make(kind, EXAMPLES[kind], base=3, type=type, **subject)
    ).results[0]
    desk = who in (ALICE, ROOT)
    allowed = ("desk" in KINDS[kind].who and desk) or (
        kind == "tally.count" and "field" in who.groups
    )
    assert result.result == ("applied" if allowed else "held"), result
    if not allowed:
        assert result.problem == "no_right"


def test_i7_an_assigned_visitor_may_send_every_field_kind(storage: Storage) -> None:
    for kind, row in KINDS.items():
        storage = MemoryStorage()
        settle(storage, ["bob"])
        phone = Device("phone", BOB)
        over = {"subject": fresh_id(78)} if kind == "visit.open" else {}
        text = phone.make(kind, EXAMPLES[kind], base=3, type=row.type, **over)
        expected = "applied" if "field" in row.who else "held"
        assert phone.send(storage, text).results[0].result == expected, kind


def test_i7_an_officer_answers_only_follow_ups_of_the_own_queue(storage: Storage) -> None:
    settle(storage, ["bob"])
    phone, desk = Device("phone", BOB), Device("desk-hugo", HUGO)
    ask = {q: phone.make("visit.follow_up", {"item": "", "queue": q, "urgency": "now", "text": ""}, base=3) for q in ("KT", "HY")}  # fmt: skip
    phone.send(storage, *ask.values())
    for queue, expected in (("KT", "applied"), ("HY", "held")):
        data = {"follow_up": parse(ask[queue]).id, "text": "Klart", "done": True}
        assert desk.send(storage, desk.make("follow_up.answer", data)).results[0].result == expected


def test_i7_nobody_can_send_as_a_colleagues_desk(storage: Storage) -> None:
    settle(storage, ["bob"])
    thief = Device("desk-alice", BOB, taken=2**51)
    result = thief.send(
        storage, thief.make("visit.note", {"item": "", "text": "x"}, base=3)
    ).results[0]
    assert (result.result, result.problem) == ("held", "device_mismatch")
    assert device_of(storage, "desk-alice")["received"] == [[1, 3]]


def test_i7_opening_a_visit_that_exists_does_not_take_it_over(storage: Storage) -> None:
    settle(storage, ["bob"])
    thief = Device("t", CHARLIE)
    text = thief.make("visit.open", {"tenancy": "", "kind": "contact", "language": ""})
    assert thief.send(storage, text).results[0].problem == "no_right"
    assert visit_of(storage)["cells"]["visitors"][-1]["value"] == ["bob"]


def test_what_is_sent_for_a_protected_tenancy_is_held(storage: Storage) -> None:
    desk = settle(storage, ["bob"])
    desk.send(storage, desk.make("tenancy.protect", {"reason": "staff"}))
    with storage.transaction():
        tenancy = read_tenancies(storage, [TENANCY])[TENANCY]
    assert (tenancy["protected"], tenancy["fields"]) == (True, {})
    phone = Device("phone", BOB)
    result = phone.send(
        storage, phone.make("visit.note", {"item": "", "text": "x"}, base=3)
    ).results[0]
    assert (result.result, result.problem) == ("held", "protected")
    again = desk.send(storage, desk.make("tenancy.register", REGISTER)).results[0]
    assert again.problem == "protected"


def test_protecting_a_tenancy_blanks_its_data_in_the_log() -> None:
    storage = MemoryStorage()
    desk = settle(storage, ["bob"])
    desk.send(storage, desk.make("tenancy.protect", {"reason": "import"}))
    kept = b"".join(entry.octets or b"" for entry in storage.state.log)
    assert b"Testsson" not in kept
    assert "Gatvägen".encode() not in kept


def test_a_retract_blanks_the_words_and_keeps_id_and_hash() -> None:
    storage = MemoryStorage()
    settle(storage, ["bob"])
    phone = Device("phone", BOB)
    note = phone.make("visit.note", {"item": "", "text": "Fel ord"}, base=3)
    phone.send(storage, note, phone.make("visit.retract", {"operation": parse(note).id}, base=3))
    assert b"Fel ord" not in b"".join(entry.octets or b"" for entry in storage.state.log)
    assert storage.find([parse(note).id])[parse(note).id].sha256 == digest_of(note)
    assert visit_of(storage)["notes"][0]["text"] == ""


def test_a_retract_cannot_blank_words_of_another_visit() -> None:
    storage = MemoryStorage()
    desk = settle(storage, ["bob"])
    desk.send(storage, desk.make("visit.plan", {"tenancy": TENANCY, "kind": "revisit"}, subject=fresh_id(70)),
              desk.make("visit.assign", {"visitors": ["charlie"]}, subject=fresh_id(70)))  # fmt: skip
    phone, other = Device("p", BOB), Device("q", CHARLIE)
    note = phone.make("visit.note", {"item": "", "text": "Mitt"}, base=3)
    phone.send(storage, note)
    other.send(
        storage,
        other.make("visit.retract", {"operation": parse(note).id}, base=5, subject=fresh_id(70)),
    )
    assert b"Mitt" in b"".join(entry.octets or b"" for entry in storage.state.log)


def test_a_tally_leaves_a_counter_and_no_trace_of_who_or_where() -> None:
    storage = MemoryStorage()
    phone = Device("phone", BOB)
    data = {"day": "2026-11-22", "area": "Norr", "topic": "useful", "value": "5"}
    texts = [
        phone.make("tally.count", data, type="tally", subject=fresh_id(80 + n)) for n in range(2)
    ]
    phone.send(storage, *texts, texts[0])
    assert storage.state.tallies == {("2026-11-22", "Norr", "useful", "5"): 2}
    for entry in storage.state.log:
        assert (entry.octets, entry.by, entry.device, entry.device_seq, entry.at) == (
            None,
            "",
            "",
            0,
            "",
        )


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300, deadline=None
)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text() | st.floats(),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
        ),
        max_leaves=8,
    ),
    st.sampled_from(sorted(KINDS)),
)
def test_no_bytes_make_push_raise(value: Any, kind: str) -> None:
    storage = MemoryStorage()
    settle(storage, ["bob"])
    phone = Device("phone", BOB)
    envelope = json.loads(phone.make("visit.note", {"item": "", "text": "x"}, base=3))
    texts = [
        json.dumps(value),
        json.dumps(envelope | {"kind": kind, "data": value}),
        json.dumps(envelope | {"subject": value}),
        json.dumps(envelope | {"kind": kind, "data": dict.fromkeys(KINDS[kind].fields, value)}),
    ]
    results = push(storage, texts, BOB, NOW, people=find_principal).results
    assert len(results) == 4
    assert all(one.problem != "server_error" for one in results)


def test_an_unknown_role_may_do_nothing() -> None:
    assert Principal("x", "king").groups == frozenset()


@given(st.lists(st.integers(1, 40), max_size=40))
def test_ranges_hold_each_number_once_and_gaps_are_the_rest(numbers: list[int]) -> None:
    ranges: list[list[int]] = []
    for number in numbers:
        ranges = add_number(ranges, number)
    held = [n for low, high in ranges for n in range(low, high + 1)]
    missing = [n for low, high in gaps_of(ranges) for n in range(low, high + 1)]
    assert held == sorted(set(numbers))
    assert missing == [n for n in range(1, max(numbers, default=0)) if n not in set(numbers)]
