"""The tests that every storage engine must pass: subclass `StorageContract` and make `storage`.

Invariant: only what sync/storage.py promises is tested. An engine may add tests but never override
one (tests/contract checks that).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sync.apply import new_visit
from sync.device import new_device
from sync.shapes import Record, RecordKey, VisitRecord
from sync.storage import Batch, Entry, Head, Held, Known, Settled, Storage, Visibility

_NOW = "2026-11-22T10:00:00+00:00"


def entry(seq: int, **over: Any) -> Entry:
    fields: dict[str, Any] = {
        "seq": seq, "id": f"op-{seq}", "sha256": f"sha-{seq}", "digest": f"digest-{seq}",
        "octets": b"{}", "kind": "visit.note", "type": "visit", "subject": "v1", "by": "bob",
        "device": "d1", "device_seq": seq, "at": _NOW, "base": 0, "received_at": _NOW,
    }  # fmt: skip
    return Entry(**fields | over)


def held(id: str, **over: Any) -> Held:
    fields: dict[str, Any] = {
        "id": id, "sha256": f"sha-{id}", "octets": b"?", "problem": "unknown_subject",
        "kind": "visit.note", "visit": "v1", "device": "d1", "by": "bob", "sender": "bob",
        "received_at": _NOW,
    }  # fmt: skip
    return Held(**fields | over)


def visit(id: str, seq: int) -> VisitRecord:
    return new_visit(id, "", "welcome") | {"seq": seq}


class Boom(Exception):
    """Raised inside a transaction to have it rolled back."""


class StorageContract:
    """All tests; `storage` must be a new, empty engine for each."""

    storage: Storage

    def store(self, **parts: Any) -> None:
        batch = Batch(**parts)
        with self.storage.transaction():
            self.storage.write(batch)

    def read_records(self, *keys: RecordKey) -> Mapping[RecordKey, Record]:
        with self.storage.transaction():
            return self.storage.records(keys)

    def test_an_empty_log_has_head_zero(self) -> None:
        with self.storage.transaction():
            assert self.storage.head() == Head(0, "")
            assert self.storage.head(0) == Head(0, "")
            assert self.storage.head(1) is None

    def test_the_head_is_the_last_entry_and_older_heads_are_remembered(self) -> None:
        self.store(log=[entry(1), entry(2)])
        with self.storage.transaction():
            assert self.storage.head() == Head(2, "digest-2")
            assert self.storage.head(1) == Head(1, "digest-1")
            assert self.storage.head(3) is None

    def test_a_transaction_that_raises_leaves_no_trace(self) -> None:
        try:
            with self.storage.transaction():
                self.storage.write(
                    Batch(
                        log=[entry(1)],
                        held=[held("h1")],
                        records={("visit", "v1"): visit("v1", 1)},
                        visibility=[Visibility("bob", "v1", 1, True, "")],
                    )
                )
                raise Boom
        except Boom:
            pass
        with self.storage.transaction():
            assert self.storage.head() == Head(0, "")
            assert self.storage.find(["op-1", "h1"]) == {}
            assert self.storage.records([("visit", "v1")]) == {}
            assert list(self.storage.held(by="bob")) == []
            assert list(self.storage.changes("bob", 0)) == []

    def test_find_knows_applied_and_held_ids_and_no_others(self) -> None:
        self.store(log=[entry(1)], held=[held("h1")])
        with self.storage.transaction():
            found = self.storage.find(["op-1", "h1", "nobody"])
        assert set(found) == {"op-1", "h1"}
        assert (found["op-1"].seq, found["op-1"].problem) == (1, "")
        assert (found["h1"].seq, found["h1"].problem) == (0, "unknown_subject")

    def test_find_prefers_the_log_to_the_held_list(self) -> None:
        self.store(held=[held("op-1", problem="no_right")])
        self.store(log=[entry(1)])
        with self.storage.transaction():
            assert self.storage.find(["op-1"])["op-1"].seq == 1

    def test_find_does_not_return_other_bytes_held_under_the_same_id(self) -> None:
        self.store(held=[held("x", sha256="other", problem="id_reused")])
        with self.storage.transaction():
            assert self.storage.find(["x"]) == {}

    def test_find_accepts_more_ids_than_fit_in_one_statement(self) -> None:
        self.store(log=[entry(n) for n in range(1, 1201)])
        with self.storage.transaction():
            assert len(self.storage.find([f"op-{n}" for n in range(1, 1301)])) == 1200

    def test_a_record_comes_back_equal_and_is_the_callers_own_copy(self) -> None:
        record = visit("v1", 1)
        record["late"].append("å\u2028💧")
        self.store(records={("visit", "v1"): record})
        first = self.read_records(("visit", "v1"), ("visit", "nobody"))
        assert first == {("visit", "v1"): record}
        mine = first["visit", "v1"]
        assert mine["type"] == "visit"
        mine["late"].append("changed")
        assert self.read_records(("visit", "v1"))["visit", "v1"] == record

    def test_a_record_written_again_replaces_the_earlier_one(self) -> None:
        self.store(records={("visit", "v1"): visit("v1", 1)})
        self.store(records={("visit", "v1"): visit("v1", 2)})
        assert self.read_records(("visit", "v1"))["visit", "v1"]["seq"] == 2

    def test_records_of_two_types_may_have_the_same_id(self) -> None:
        device = new_device("v1")
        self.store(records={("visit", "v1"): visit("v1", 1), ("device", "v1"): device})
        assert self.read_records(("device", "v1"))["device", "v1"] == device

    def test_held_is_listed_by_visit_and_by_author_in_order_of_arrival(self) -> None:
        self.store(held=[held("a"), held("b", visit="v2"), held("c", by="amira")])
        with self.storage.transaction():
            assert [one.id for one in self.storage.held(visit="v1")] == ["a", "c"]
            assert [one.id for one in self.storage.held(by="bob")] == ["a", "b"]
            assert list(self.storage.held()) == []

    def test_held_gives_the_exact_bytes(self) -> None:
        octets = bytes(range(256))
        self.store(held=[held("a", octets=octets)])
        with self.storage.transaction():
            assert self.storage.held(visit="v1")[0].octets == octets

    def test_holding_the_same_bytes_twice_makes_one_row(self) -> None:
        self.store(held=[held("a")])
        self.store(held=[held("a", problem="no_right")])
        with self.storage.transaction():
            assert [one.problem for one in self.storage.held(visit="v1")] == ["no_right"]

    def test_what_is_held_again_keeps_its_time_and_place_of_arrival(self) -> None:
        self.store(held=[held("a"), held("b")])
        self.store(held=[held("a", problem="no_right", sender="amira", received_at="later")])
        with self.storage.transaction():
            first, second = self.storage.held(visit="v1")
        assert first == held("a", problem="no_right", sender="amira")
        assert second.id == "b"

    def test_other_bytes_under_a_used_id_are_found_by_their_hash(self) -> None:
        self.store(held=[held("x", sha256="other", problem="id_reused"), held("y", sha256="its")])
        with self.storage.transaction():
            assert self.storage.find(["other", "its"]) == {
                "other": Known("other", 0, "id_reused", "bob")
            }

    def test_what_is_filed_stays_filed(self) -> None:
        self.store(held=[held("a"), held("x", sha256="other", problem="id_reused")])
        filed = [
            Settled(id, sha, "file", "alice", _NOW) for id, sha in (("a", "sha-a"), ("x", "other"))
        ]
        self.store(settled=filed)
        self.store(held=[held("a", problem="no_right")])
        with self.storage.transaction():
            found = self.storage.find(["a", "other"])
            assert list(self.storage.held(visit="v1")) == []
        assert {name: one.problem for name, one in found.items()} == {
            "a": "filed",
            "other": "filed",
        }

    def test_a_settled_operation_is_no_longer_held(self) -> None:
        self.store(held=[held("a")])
        self.store(settled=[Settled("a", "sha-a", "accept", "alice", _NOW)])
        with self.storage.transaction():
            assert list(self.storage.held(visit="v1")) == []

    def test_what_is_forgotten_is_no_longer_held_or_found(self) -> None:
        self.store(held=[held("a"), held("b")])
        self.store(forgotten=[("a", "sha-a")])
        with self.storage.transaction():
            assert list(self.storage.find(["a", "b"])) == ["b"]
            assert [one.id for one in self.storage.held(visit="v1")] == ["b"]

    def test_changes_lists_what_a_viewer_may_hold_by_rising_seq(self) -> None:
        self.store(
            records={("visit", "v1"): visit("v1", 5), ("visit", "v2"): visit("v2", 3)},
            visibility=[
                Visibility("bob", "v1", 1, True, ""),
                Visibility("bob", "v2", 2, True, ""),
                Visibility("amira", "v2", 2, True, ""),
            ],
        )
        with self.storage.transaction():
            changes = self.storage.changes("bob", 0)
            assert [(one.visit, one.seq) for one in changes] == [("v2", 3), ("v1", 5)]
            assert changes[1].record == visit("v1", 5)
            assert [one.visit for one in self.storage.changes("bob", 3)] == ["v1"]
            assert list(self.storage.changes("bob", 5)) == []
            assert list(self.storage.changes("charlie", 0)) == []

    def test_a_visit_that_became_visible_is_a_change_even_if_its_record_is_older(self) -> None:
        self.store(records={("visit", "v1"): visit("v1", 1)})
        self.store(log=[entry(2)], visibility=[Visibility("bob", "v1", 2, True, "")])
        with self.storage.transaction():
            assert [one.visit for one in self.storage.changes("bob", 1)] == ["v1"]

    def test_a_visit_taken_away_is_one_change_with_its_reason_and_without_its_record(self) -> None:
        self.store(
            records={("visit", "v1"): visit("v1", 1)},
            visibility=[Visibility("bob", "v1", 1, True, "")],
        )
        self.store(
            records={("visit", "v1"): visit("v1", 2)},
            visibility=[Visibility("bob", "v1", 2, False, "reassigned")],
        )
        with self.storage.transaction():
            (change,) = self.storage.changes("bob", 1)
            assert (change.record, change.reason) == (None, "reassigned")
            assert list(self.storage.changes("bob", 2)) == []

    def test_blanking_keeps_id_and_hash(self) -> None:
        self.store(log=[entry(1)])
        self.store(blank=["op-1"])
        with self.storage.transaction():
            assert self.storage.find(["op-1"])["op-1"].sha256 == "sha-1"
            assert self.storage.head() == Head(1, "digest-1")
