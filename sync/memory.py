"""A storage engine in memory: the readable specification of sync/storage.py, and for tests.

Invariant: the same results as SQLite's, proved by the same tests (sync/contract.py). It is slow,
and everything is gone when the process ends: no server uses it.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from sync.shapes import Problem, Record, RecordKey
from sync.storage import Batch, Change, Entry, Head, Held, Known, Visibility


@dataclass
class _State:
    log: list[Entry] = field(default_factory=list)
    held: dict[tuple[str, str], Held] = field(default_factory=dict)
    settled: dict[tuple[str, str], str] = field(default_factory=dict)
    records: dict[RecordKey, Record] = field(default_factory=dict)
    visibility: dict[tuple[str, str], Visibility] = field(default_factory=dict)
    tallies: Counter[tuple[str, str, str, str]] = field(default_factory=Counter)


class MemoryStorage:
    """Everything in one object; a transaction works on a copy and swaps it in."""

    def __init__(self) -> None:
        self.state = _State()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        before = copy.deepcopy(self.state)
        try:
            yield
        except BaseException:
            self.state = before
            raise

    def head(self, at: int | None = None) -> Head | None:
        if at == 0 or (at is None and not self.state.log):
            return Head(0, "")
        found = self.state.log[-1] if at is None else self._entry(at)
        return Head(found.seq, found.digest) if found else None

    def _entry(self, seq: int) -> Entry | None:
        return next((entry for entry in self.state.log if entry.seq == seq), None)

    def find(self, ids: Iterable[str]) -> Mapping[str, Known]:
        wanted = set(ids)
        found: dict[str, Known] = {}
        for key, held in self.state.held.items():
            name = held.sha256 if held.problem == "id_reused" else held.id
            how = self.state.settled.get(key, "")
            if name in wanted and how in ("", "file"):
                problem: Problem = "filed" if how else held.problem
                found[name] = Known(held.sha256, 0, problem, held.sender)
        for entry in self.state.log:
            if entry.id in wanted:
                found[entry.id] = Known(entry.sha256, entry.seq, "")
        return found

    def records(self, keys: Iterable[RecordKey]) -> Mapping[RecordKey, Record]:
        return {
            key: copy.deepcopy(self.state.records[key]) for key in keys if key in self.state.records
        }

    def held(self, *, visit: str = "", by: str = "") -> Sequence[Held]:
        return [
            held
            for key, held in self.state.held.items()
            if key not in self.state.settled
            and ((visit and held.visit == visit) or (by and held.by == by))
        ]

    def changes(self, viewer: str, since: int) -> Sequence[Change]:
        found: list[Change] = []
        for row in self.state.visibility.values():
            record = self.state.records.get(("visit", row.visit))
            if row.viewer != viewer:
                continue
            assert record is None or record["type"] == "visit"
            if not row.visible and row.seq > since:
                found.append(Change(row.visit, row.seq, None, row.reason))
            elif row.visible and record and max(row.seq, record["seq"]) > since:
                seq = max(row.seq, record["seq"])
                found.append(Change(row.visit, seq, copy.deepcopy(record), ""))
        return sorted(found, key=lambda change: (change.seq, change.visit))

    def write(self, batch: Batch) -> None:
        self.state.log.extend(batch.log)
        for held in batch.held:
            key = (held.id, held.sha256)
            known = self.state.held.get(key, held)
            if key not in self.state.settled:
                self.state.held[key] = replace(known, problem=held.problem, sender=held.sender)
        self.state.records.update(copy.deepcopy(batch.records))
        for row in batch.visibility:
            self.state.visibility[row.viewer, row.visit] = row
        blank = set(batch.blank)
        self.state.log = [
            replace(entry, octets=None) if entry.id in blank else entry for entry in self.state.log
        ]
        self.state.tallies.update(batch.tallies)
        for one in batch.settled:
            key = (one.id, one.sha256)
            self.state.settled[key] = one.how
            if one.how != "file" and key in self.state.held:
                self.state.held[key] = replace(self.state.held[key], octets=b"")
        for key in batch.forgotten:
            self.state.held.pop(key, None)
