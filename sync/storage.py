"""The interface of a storage engine: seven methods, no options.

Invariant: what `write` was given inside a `transaction` that ended without an exception is durable
when the `with` block is left (I3); any other transaction leaves no trace. Memory (the readable
specification) and SQLite pass the same tests, sync/contract.py. An engine never decides from a
record who may see it: `Batch.visibility` tells it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Literal, Protocol

from sync.shapes import (
    DeviceRecord,
    GoneReason,
    HeldReason,
    Problem,
    Record,
    RecordKey,
    Settlement,
    SubjectType,
    TenancyRecord,
    VisitRecord,
)

ALL = "*"  # the viewer whose rows count for everybody who sees all visits


@dataclass(frozen=True, slots=True)
class Head:
    """The log's end: the last number and the chained digest there. An empty log is (0, "")."""

    seq: int
    digest: str


def chained(digest: str, sha256: str) -> str:
    """The log's digest after one more operation (PROTOCOL.md section 4)."""
    return hashlib.sha256((digest + sha256).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the log. `octets` is None once blanked; `received_at` ISO 8601 UTC."""

    seq: int
    id: str
    sha256: str
    digest: str
    octets: bytes | None
    kind: str
    type: SubjectType | Literal["log"]  # "log": sync/restored.py
    subject: str
    by: str
    device: str
    device_seq: int
    at: str
    base: int
    received_at: str


@dataclass(frozen=True, slots=True)
class Held:
    """One stored operation that could not be applied; what its bytes do not tell is ""."""

    id: str
    sha256: str
    octets: bytes
    problem: HeldReason
    kind: str
    visit: str
    device: str
    by: str
    sender: str
    received_at: str


@dataclass(frozen=True, slots=True)
class Known:
    """What the storage has under an operation id. `problem` is "" when it was applied and "filed"
    when it is kept for good; `sender` is who sent what is held."""

    sha256: str
    seq: int
    problem: Problem
    sender: str = ""


@dataclass(frozen=True, slots=True)
class Settled:
    """What ended a hold: `retry` and `accept` applied the operation, `file` keeps it for good; by
    whom ("" for the server) and when. After it was applied only the log has its bytes, so that
    blanking them there leaves no copy."""

    id: str
    sha256: str
    how: Settlement
    by: str
    at: str


@dataclass(frozen=True, slots=True)
class Visibility:
    """From `seq` on, `viewer` may (or may no longer) hold the visit; `reason` as in `gone`, "" while
    it is visible."""

    viewer: str
    visit: str
    seq: int
    visible: bool
    reason: GoneReason | Literal[""]


@dataclass(frozen=True, slots=True)
class Change:
    """One visit that changed for a viewer: its record, or (None) why it is gone."""

    visit: str
    seq: int
    record: VisitRecord | None
    reason: GoneReason | Literal[""]


@dataclass(slots=True)
class Batch:
    """Everything one push writes."""

    log: list[Entry] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)
    records: dict[RecordKey, Record] = field(default_factory=dict)
    visibility: list[Visibility] = field(default_factory=list)
    blank: list[str] = field(default_factory=list)
    tallies: list[tuple[str, str, str, str]] = field(default_factory=list)
    settled: list[Settled] = field(default_factory=list)
    forgotten: list[tuple[str, str]] = field(
        default_factory=list
    )  # (id, sha256) to delete from held


class Storage(Protocol):
    """The seven methods. All but `transaction` are called inside one."""

    def transaction(self) -> AbstractContextManager[None]:
        """One exclusive writer at a time; commits durably at the end, rolls back on an exception."""

    def head(self, at: int | None = None) -> Head | None:
        """The end of the log, or its state at number `at`: None where the log has no such number."""

    def find(self, ids: Iterable[str]) -> Mapping[str, Known]:
        """Those of these operation ids that are stored; the log goes before the held list.

        Other bytes that were sent under a used id are found by their sha256 instead.
        """

    def records(self, keys: Iterable[RecordKey]) -> Mapping[RecordKey, Record]:
        """Those of the records (type, id) that exist, each the caller's own copy."""

    def held(self, *, visit: str = "", by: str = "") -> Sequence[Held]:
        """Open held operations of a visit, or by an author, in order of arrival."""

    def changes(self, viewer: str, since: int) -> Sequence[Change]:
        """What changed for `viewer` after `since`, by rising seq."""

    def write(self, batch: Batch) -> None:
        """Store all of it.

        An operation that is held already keeps its time of arrival and the question to its author,
        and takes the new problem and sender; one that is settled stays settled. What was applied
        keeps no bytes in the held list; what is in `forgotten` is deleted from it.
        """


def read_visits(storage: Storage, ids: Iterable[str]) -> dict[str, VisitRecord]:
    """id → record of those of these visits that exist."""
    found = storage.records(("visit", id) for id in ids)
    return {id: one for (_, id), one in found.items() if one["type"] == "visit"}


def read_tenancies(storage: Storage, ids: Iterable[str]) -> dict[str, TenancyRecord]:
    """id → record of those of these tenancies that exist."""
    found = storage.records(("tenancy", id) for id in ids)
    return {id: one for (_, id), one in found.items() if one["type"] == "tenancy"}


def read_device(storage: Storage, id: str) -> DeviceRecord | None:
    """The record of this device, None before its first push."""
    record = storage.records([("device", id)]).get(("device", id))
    return record if record is not None and record["type"] == "device" else None
