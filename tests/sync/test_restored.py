"""A log restored from a backup: its numbers, and what a `base` from before then means."""

from __future__ import annotations

from sync.apply import consents_of
from sync.restored import LEAP, begin_anew
from sync.storage import Storage
from tests.sync.world import BOB, CHARLIE, CONSENT, Device, settle, visit_of

AT = "2026-11-22T12:00:00+00:00"


def test_a_restore_gives_no_log_number_twice(storage: Storage) -> None:
    settle(storage, ["bob"])
    with storage.transaction():
        before = storage.head()
    anew = begin_anew(storage, AT)
    note = Device("phone", BOB).make("visit.note", {"item": "", "text": "Efteråt"}, base=3)
    (result,) = Device("phone", BOB).send(storage, note).results
    assert before is not None
    assert (anew, result.seq) == (before.seq + LEAP, before.seq + LEAP + 1)
    with storage.transaction():
        assert storage.head(before.seq) == before, "a cursor from before the backup stays valid"
        assert storage.head(before.seq + 1) is None, "and one from after it does not"


def test_i5_a_yes_from_before_a_restore_never_overrides_a_no_it_has_not_seen(
    storage: Storage,
) -> None:
    settle(storage, ["bob", "charlie"])
    # Bob's phone was far ahead in the lost part of the log, and sends its work again after Charlie's.
    yes = Device("phone-bob", BOB).make("visit.consent", CONSENT, base=50)
    anew = begin_anew(storage, AT)
    other = Device("phone-charlie", CHARLIE)
    no = other.make("visit.consent", CONSENT | {"decision": "no"}, base=anew)
    assert other.send(storage, no).results[0].result == "applied"
    assert Device("phone-bob", BOB).send(storage, yes).results[0].result == "applied"
    assert consents_of(visit_of(storage))["K1"]["decision"] == "no"
