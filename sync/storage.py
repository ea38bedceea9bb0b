"""What the protocol asks of a storage engine: seven methods, no options.

Invariant: what `write` was given inside a `transaction` that ended without an exception
is durable when the `with` block is left (I3); of any other it leaves no trace. Memory
(the readable specification) and SQLite pass the same exam, sync/contract.py.
It refuses to interpret records: who may see what is said by `Batch.visibility`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from sync.apply import Record

ALL = "*"  # the viewer that stands for everyone who sees all visits


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
    type: str
    subject: str
    by: str
    device: str
    device_seq: int
    at: str
    base: int
    received_at: str


@dataclass(frozen=True, slots=True)
class Held:
    """One stored operation that could not be applied; `visit` and `device` may be ""."""

    id: str
    sha256: str
    octets: bytes
    problem: str
    kind: str
    visit: str
    device: str
    by: str
    sender: str
    received_at: str


@dataclass(frozen=True, slots=True)
class Known:
    """What the storage remembers of an operation id. `problem` is "" when it was applied and
    "filed" when it is kept for good; `sender` is who sent what is held."""

    sha256: str
    seq: int
    problem: str
    sender: str = ""


@dataclass(frozen=True, slots=True)
class Settled:
    """A held row that is over: `how` is `retry`, `accept` (applied) or `file`, by whom ("" the
    server), when. Of what was applied the log alone keeps the bytes, or has blanked them."""

    id: str
    sha256: str
    how: str
    by: str
    at: str


@dataclass(frozen=True, slots=True)
class Visibility:
    """From `seq` on, `viewer` may (or may no longer) hold the visit; `reason` as in `gone`."""

    viewer: str
    visit: str
    seq: int
    visible: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Change:
    """One visit a viewer must hear of since `seq`: its record, or why it is gone."""

    visit: str
    seq: int
    record: Record | None
    reason: str


@dataclass(slots=True)
class Batch:
    """Everything one push writes."""

    log: list[Entry] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)
    records: dict[tuple[str, str], Record] = field(default_factory=dict)
    visibility: list[Visibility] = field(default_factory=list)
    blank: list[str] = field(default_factory=list)
    tallies: list[tuple[str, str, str, str]] = field(default_factory=list)
    settled: list[Settled] = field(default_factory=list)
    forgotten: list[tuple[str, str]] = field(default_factory=list)  # (id, sha256) held till now


class Storage(Protocol):
    """The seven methods. All but `transaction` are called inside one."""

    def transaction(self) -> AbstractContextManager[None]:
        """One exclusive writer at a time; commits durably at the end, rolls back on an exception."""

    def head(self, at: int | None = None) -> Head | None:
        """The end of the log, or its state at number `at`; None past the end, never None without `at`."""

    def find(self, ids: Iterable[str]) -> Mapping[str, Known]:
        """What is known of these operation ids; the log goes before the held list.

        Other bytes under a used id are known by their sha256 instead.
        """

    def records(self, keys: Iterable[tuple[str, str]]) -> Mapping[tuple[str, str], Record]:
        """The records (type, id) that exist, each the caller's own copy."""

    def held(self, *, visit: str = "", by: str = "") -> Sequence[Held]:
        """Open held operations of a visit, or by an author, in order of arrival."""

    def changes(self, viewer: str, since: int) -> Sequence[Change]:
        """What `viewer` must hear of after `since`, by rising seq."""

    def write(self, batch: Batch) -> None:
        """Store it all. What is held already keeps its first time and whatever was asked of it,
        and takes the new problem and sender; what is settled stays so. What was applied keeps no
        bytes in the held list, and of what is forgotten that list keeps nothing."""
