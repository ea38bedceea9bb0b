"""I5 where `base` alone would say that an author had seen a decision which was never shown to them.

Two such cases: what a colleague has saved on the same phone and not sent, and what an ambassador is
never shown.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlite_utils import Database

import sync.apply
import sync.effects
from pwa.database.schema import steps
from sync.apply import conflicts_of, consents_of
from sync.push import push
from sync.rederive import derive_again
from sync.rights import Principal
from sync.sqlite import SqliteStorage
from sync.storage import Batch, Storage
from tests.cast.samples import answer
from tests.sync.world import (
    ALICE,
    AMIRA,
    BOB,
    CHARLIE,
    CONSENT,
    NOW,
    VISIT,
    Device,
    find_principal,
    settle,
    visit_of,
)

WITHDRAWN = {"purpose": "K1", "channel": "visit"}


def counts(storage: Storage) -> str:
    return str(consents_of(visit_of(storage))["K1"]["decision"])


@pytest.mark.parametrize("first", ["bob", "charlie"])
def test_i5_a_yes_never_counts_over_what_a_colleague_saved_unsent_on_the_same_phone(
    storage: Storage, first: str
) -> None:
    settle(storage, ["bob", "charlie"])
    phone = Device("phone", BOB)
    bobs = phone.make("visit.withdraw", WITHDRAWN, base=3)
    charlies = phone.make("visit.consent", CONSENT, base=3, by="charlie")
    for who in ("bob", "charlie") if first == "bob" else ("charlie", "bob"):
        sent = push(
            storage,
            [bobs if who == "bob" else charlies],
            BOB if who == "bob" else CHARLIE,
            NOW,
            people=find_principal,
        )
        assert [one.problem for one in sent.results] == [""]
    assert counts(storage) == "withdrawn"
    asked_again = phone.make("visit.consent", CONSENT, base=5, by="charlie")
    push(storage, [asked_again], CHARLIE, NOW, people=find_principal)
    assert counts(storage) == "yes"


def test_i5_what_two_people_wrote_on_one_phone_is_in_conflict_unless_the_second_had_seen_the_first(
    storage: Storage,
) -> None:
    settle(storage, ["bob", "charlie"])
    phone = Device("phone", BOB)
    bobs = phone.make("visit.answer", answer("i23", "silent"), base=3)
    charlies = phone.make("visit.answer", answer("i23", "sounds"), base=3, by="charlie")
    push(storage, [charlies], CHARLIE, NOW, people=find_principal)
    push(storage, [bobs], BOB, NOW, people=find_principal)
    found = conflicts_of(visit_of(storage))["answer.i23"]
    assert [one["value"] for one in found] == ["sounds", "silent"]
    later = phone.make("visit.answer", answer("i23", "sounds"), base=5, by="charlie")
    push(storage, [later], CHARLIE, NOW, people=find_principal)
    assert conflicts_of(visit_of(storage)) == {}


def test_i5_a_yes_of_an_ambassador_never_counts_over_a_withdrawal_they_are_not_shown(
    storage: Storage,
) -> None:
    settle(storage, ["bob", "amira"])
    bob, amira = Device("bobs", BOB), Device("amiras", AMIRA)
    bob.send(storage, bob.make("visit.withdraw", WITHDRAWN, base=3))
    amira.send(storage, amira.make("visit.consent", CONSENT, base=4))
    assert counts(storage) == "withdrawn"
    bob.send(storage, bob.make("visit.consent", CONSENT, base=5))
    assert counts(storage) == "yes"


def test_i5_an_ambassador_changes_what_the_same_ambassador_recorded(storage: Storage) -> None:
    settle(storage, ["amira"])
    one, other = Device("one", AMIRA), Device("other", AMIRA)
    one.send(storage, one.make("visit.consent", CONSENT | {"decision": "no"}, base=3))
    other.send(storage, other.make("visit.consent", CONSENT, base=4))
    assert counts(storage) == "yes"


def test_i5_a_yes_that_somebody_else_pushes_never_counts_over_what_its_author_may_not_have_seen(
    storage: Storage,
) -> None:
    desk, bob = settle(storage, ["bob"]), Device("bobs", BOB)
    desk.send(storage, desk.make("visit.assign", {"visitors": ["charlie"]}, base=3))
    desk.send(storage, desk.make("visit.withdraw", WITHDRAWN, base=4))
    text = bob.make("visit.consent", CONSENT, base=5)
    held = bob.send(storage, text).results[0]
    assert held.problem == "no_right"
    # As pwa/visits/holding.py offers it: in the name of its author.
    taken = push(
        storage, [text], BOB, NOW, people=find_principal, resolve="accept", resolver="alice"
    )
    assert taken.results[0].problem == ""
    assert counts(storage) == "withdrawn"


def test_i5_who_was_an_ambassador_when_the_no_was_hidden_has_not_seen_it(storage: Storage) -> None:
    settle(storage, ["bob", "amira"])
    bob, phone = Device("bobs", BOB), Device("amiras", AMIRA)
    bob.send(storage, bob.make("visit.consent", CONSENT | {"decision": "no"}, base=3))
    # She pulled the visit as an ambassador at 4, and is a visitor by the time she sends.
    phone.who = Principal("amira", "visitor", ambassador_until=4)
    phone.send(storage, phone.make("visit.consent", CONSENT, base=4))
    assert counts(storage) == "no"
    # What she pulled since, she was shown.
    phone.send(storage, phone.make("visit.consent", CONSENT, base=5))
    assert counts(storage) == "yes"


def test_records_of_the_earlier_rule_are_rebuilt_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(sqlite3.connect(tmp_path / "t.db", isolation_level=None)) as connection:
        db = Database(connection)
        for step in steps():
            step.apply(db)
        storage = SqliteStorage(db)
        with monkeypatch.context() as earlier:
            earlier.setattr(sync.apply, "author_of", lambda write: (write["device"], "anybody"))
            earlier.setattr(sync.effects, "decided_alone", lambda *_, **__: False)
            settle(storage, ["bob", "charlie"])
            phone = Device("phone", BOB)
            texts = [
                phone.make("visit.answer", answer("i23", "silent"), base=3),
                phone.make("visit.note", {"item": "", "text": "Struken"}, base=3),
                phone.make("visit.withdraw", WITHDRAWN, base=3),
            ]
            struck = json.loads(texts[1])["id"]
            charlies = phone.make("visit.answer", answer("i23", "sounds"), base=3, by="charlie")
            push(storage, [charlies], CHARLIE, NOW, people=find_principal)
            push(
                storage,
                [*texts, phone.make("visit.retract", {"operation": struck}, base=3)],
                BOB,
                NOW,
                people=find_principal,
            )
        before = visit_of(storage)
        # As the earlier rule kept it: one write for each device.
        before["cells"]["answer.i23"] = before["cells"]["answer.i23"][:1]
        with storage.transaction():
            storage.write(Batch(records={("visit", VISIT): before}))
            assert derive_again(storage, {"bob"}) == 1
        found = conflicts_of(visit_of(storage))["answer.i23"]
        assert [one["value"] for one in found] == ["sounds", "silent"]
        assert [one["alone"] for one in visit_of(storage)["consents"]] == [True]
        assert db.execute("SELECT conflicts FROM visit_index").fetchone() == (1,)
        with storage.transaction():
            assert derive_again(storage, {"bob"}) == 0
        desk = Device("desk-alice", ALICE)
        desk.send(storage, desk.make("tenancy.protect", {"reason": "staff"}))
        with storage.transaction():
            assert derive_again(storage, {"bob"}) == 0
