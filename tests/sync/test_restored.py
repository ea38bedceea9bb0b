"""A log that was put back to an earlier state: its numbers, and what an old `base` is worth."""

from __future__ import annotations

from sync.apply import consents_of
from sync.restored import LEAP, begin_anew
from sync.storage import Storage
from tests.sync.world import BOB, CHARLIE, CONSENT, VISIT, Device, settle

AT = "2026-11-22T12:00:00+00:00"


def test_no_number_is_given_twice_after_a_restore(storage: Storage) -> None:
    settle(storage, ["bob"])
    with storage.transaction():
        before = storage.head()
    anew = begin_anew(storage, AT)
    note = Device("phone", BOB).make("visit.note", {"item": "", "text": "Efteråt"}, base=3)
    (result,) = Device("phone", BOB).send(storage, note).results
    assert before is not None
    assert (anew, result.seq) == (before.seq + LEAP, before.seq + LEAP + 1)
    with storage.transaction():
        assert storage.head(before.seq) == before, "who was there before the backup keeps the place"
        assert storage.head(before.seq + 1) is None, "and who was past it sees that it is gone"


def test_i5_a_yes_from_before_a_restore_never_stands_over_a_no_it_has_not_seen(
    storage: Storage,
) -> None:
    settle(storage, ["bob", "charlie"])
    # Bob's phone was far ahead in the log that is lost, and offers its work again after Charlie's.
    yes = Device("phone-bob", BOB).make("visit.consent", CONSENT, base=50)
    anew = begin_anew(storage, AT)
    other = Device("phone-charlie", CHARLIE)
    no = other.make("visit.consent", CONSENT | {"decision": "no"}, base=anew)
    assert other.send(storage, no).results[0].result == "applied"
    assert Device("phone-bob", BOB).send(storage, yes).results[0].result == "applied"
    with storage.transaction():
        record = storage.records([("visit", VISIT)])["visit", VISIT]
    assert consents_of(record)["K1"]["decision"] == "no"
