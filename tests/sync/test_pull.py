"""Pull: snapshots, gone, the window, restored servers, pages."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

import sync.pull as pull_module
from sync.memory import MemoryStorage
from sync.pull import Pulled, Window, pull
from sync.rights import Principal
from sync.storage import Storage
from tests.sync.world import (
    ALICE,
    AMIRA,
    BOB,
    CHARLIE,
    CONSENT,
    REGISTER,
    TENANCY,
    VISIT,
    Device,
    fresh_id,
    settle,
)

TODAY = date(2026, 11, 22)


def ask(
    storage: Storage, who: Principal = BOB, cursor: str = "", today: date = TODAY, **more: Any
) -> Pulled:
    return pull(storage, cursor, who, Window(today, 14, 7), **more)


def test_a_visitor_gets_own_visits_whole_and_no_others(storage: Storage) -> None:
    settle(storage, ["bob"])
    (snapshot,) = ask(storage).snapshots
    assert (snapshot["id"], snapshot["state"]) == (VISIT, "booked")
    assert snapshot["tenancy_fields"]["street"] == "Gatvägen 12 A"
    assert "email" not in snapshot["tenancy_fields"]
    assert ask(storage, CHARLIE).snapshots == []


def test_a_pull_without_changes_is_empty(storage: Storage) -> None:
    settle(storage, ["bob"])
    first = ask(storage)
    again = ask(storage, cursor=first.cursor)
    assert (again.snapshots, again.gone, again.reset) == ([], [], False)


def test_a_reassigned_visit_is_gone_with_the_reason(storage: Storage) -> None:
    desk = settle(storage, ["bob"])
    cursor = ask(storage).cursor
    desk.send(storage, desk.make("visit.assign", {"visitors": ["charlie"]}))
    assert ask(storage, cursor=cursor).gone == [{"id": VISIT, "reason": "reassigned"}]
    assert [one["id"] for one in ask(storage, CHARLIE).snapshots] == [VISIT]


def test_i7_a_visit_opened_offline_for_a_protected_tenancy_is_gone_from_the_phone(
    storage: Storage,
) -> None:
    desk, phone, fresh = settle(storage, ["bob"]), Device("phone", BOB), fresh_id()
    cursor = ask(storage).cursor
    opening = {"tenancy": TENANCY, "kind": "revisit", "language": ""}
    opened = phone.make("visit.open", opening, subject=fresh)
    note = phone.make("visit.note", {"item": "", "text": "x"}, subject=fresh)
    desk.send(storage, desk.make("tenancy.protect", {"reason": "staff"}))
    problems = [one.problem for one in phone.send(storage, opened, note).results]
    assert problems == ["protected", "unknown_subject"]
    for since in (cursor, ask(storage, cursor=cursor).cursor):
        assert {"id": fresh, "reason": "protected"} in ask(storage, cursor=since).gone
    assert ask(storage, CHARLIE).gone == []


def test_i7_a_protected_visit_that_was_reassigned_before_is_gone_as_protected(
    storage: Storage,
) -> None:
    desk, phone = settle(storage, ["bob"]), Device("phone", BOB)
    note = phone.make("visit.note", {"item": "", "text": "x"}, base=3)
    desk.send(storage, desk.make("visit.assign", {"visitors": ["charlie"]}))
    desk.send(storage, desk.make("tenancy.protect", {"reason": "staff"}))
    assert phone.send(storage, note).results[0].problem == "protected"
    assert ask(storage).gone == [{"id": VISIT, "reason": "protected"}]


def test_a_visit_that_is_not_protected_stays_whatever_is_held_for_it(storage: Storage) -> None:
    desk, phone, other = settle(storage, ["bob"]), Device("phone", BOB), fresh_id()
    desk.send(storage, desk.make("tenancy.register", REGISTER, subject=other))
    desk.send(storage, desk.make("tenancy.protect", {"reason": "staff"}, subject=other))
    opening = {"tenancy": other, "kind": "revisit", "language": ""}
    held = phone.send(storage, phone.make("visit.open", opening)).results[0]
    assert held.problem == "protected"
    assert (len(ask(storage).snapshots), ask(storage).gone) == (1, [])


def test_of_a_protected_tenancys_visit_only_gone_is_sent(storage: Storage) -> None:
    desk = settle(storage, ["bob"])
    cursor = ask(storage).cursor
    desk.send(storage, desk.make("tenancy.protect", {"reason": "staff"}))
    pulled = ask(storage, cursor=cursor)
    assert (pulled.snapshots, pulled.gone) == ([], [{"id": VISIT, "reason": "protected"}])
    assert ask(storage).snapshots == []
    assert ask(storage, ALICE, everyone=True).snapshots == []


def test_a_changed_address_reaches_the_phone(storage: Storage) -> None:
    desk = settle(storage, ["bob"])
    cursor = ask(storage).cursor
    desk.send(storage, desk.make("tenancy.register", REGISTER | {"street": "Nygatan 1"}))
    (snapshot,) = ask(storage, cursor=cursor).snapshots
    assert snapshot["tenancy_fields"]["street"] == "Nygatan 1"


def test_a_visit_enters_and_leaves_the_window_as_days_pass(storage: Storage) -> None:
    settle(storage, ["bob"], date="2026-12-10")
    far = ask(storage)
    assert far.snapshots == []
    near = ask(storage, cursor=far.cursor, today=date(2026, 12, 4))
    assert [one["id"] for one in near.snapshots] == [VISIT]
    same = ask(storage, cursor=near.cursor, today=date(2026, 12, 5))
    assert (same.snapshots, same.gone) == ([], [])
    past = ask(storage, cursor=near.cursor, today=date(2026, 12, 25))
    assert past.gone == [{"id": VISIT, "reason": "window"}]


def test_a_returned_visit_stays_on_the_phone_however_old(storage: Storage) -> None:
    desk = settle(storage, ["bob"], date="2026-10-01")
    assert ask(storage).snapshots == []
    desk.send(storage, desk.make("visit.return", {"points": [{"item": "", "text": "x"}]}))
    assert [one["state"] for one in ask(storage).snapshots] == ["returned"]


def test_a_cursor_of_another_log_gets_everything_again(storage: Storage) -> None:
    settle(storage, ["bob"])
    seq, _, day = ask(storage).cursor.split(".")
    for cursor in (
        f"{seq}.{'0' * 16}.{day}",
        f"999.x.{day}",
        "rubbish",
        "1.2.3",
        "-1.x.2026-11-22",
    ):
        pulled = ask(storage, cursor=cursor)
        assert pulled.reset
        assert [one["id"] for one in pulled.snapshots] == [VISIT]


def test_a_pull_of_several_pages_misses_no_visit(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pull_module, "SNAPSHOTS_PER_PULL", 3)
    desk = settle(storage, ["bob"])
    for n in range(10):
        desk.send(
            storage,
            desk.make(
                "visit.plan", {"tenancy": TENANCY, "kind": "revisit"}, subject=fresh_id(500 + n)
            ),
            desk.make("visit.assign", {"visitors": ["bob"]}, subject=fresh_id(500 + n)),
        )
    # One register touches all eleven visits with one seq: a page must not end between them.
    desk.send(storage, desk.make("tenancy.register", REGISTER))
    desk.send(storage, desk.make("visit.assign", {"time": "09:00"}, subject=fresh_id(503)))
    sent: set[str] = set()
    cursor, rounds = "", 0
    while True:
        pulled = ask(storage, cursor=cursor)
        sent |= {one["id"] for one in pulled.snapshots}
        cursor, rounds = pulled.cursor, rounds + 1
        if not pulled.more:
            break
    assert len(sent) == 11
    assert rounds == 2


def test_i7_an_ambassador_is_sent_nothing_a_colleague_wrote(storage: Storage) -> None:
    settle(storage, ["bob", "amira"])
    for who, name in ((BOB, "p"), (AMIRA, "q")):
        phone = Device(name, who)
        phone.send(
            storage,
            phone.make("visit.note", {"item": "", "text": who.user}, base=3),
            phone.make(
                "visit.follow_up",
                {"item": "", "queue": "HY", "urgency": "now", "text": who.user},
                base=3,
            ),
            phone.make("visit.consent", CONSENT, base=3),
        )
    (hers,) = ask(storage, AMIRA).snapshots
    for entries in (hers["notes"], hers["follow_ups"], hers["consents"]):
        assert {one["by"] for one in entries} == {"amira"}
    (his,) = ask(storage, BOB).snapshots
    assert {one["by"] for one in his["notes"]} == {"bob", "amira"}


def test_i7_only_a_supervisor_gets_everything(storage: Storage) -> None:
    settle(storage, ["bob"])
    assert len(ask(storage, ALICE, everyone=True).snapshots) == 1
    for who in (
        CHARLIE,
        AMIRA,
        Principal("root", "administrator"),
        Principal("hugo", "officer", "KT"),
    ):
        assert ask(storage, who, everyone=True).snapshots == []


def test_held_operations_are_sent_to_their_author(storage: Storage) -> None:
    settle(storage, ["bob"])
    phone = Device("p", CHARLIE)
    phone.send(storage, phone.make("visit.note", {"item": "", "text": "x"}, base=3))
    assert [one.problem for one in ask(storage, CHARLIE).held] == ["no_right"]
    assert ask(storage, BOB).held == []


def test_the_cursor_begins_with_the_logs_last_number() -> None:
    memory = MemoryStorage()
    settle(memory, ["bob"])
    assert ask(memory).cursor.split(".")[0] == "3"
