"""The shapes of what phones send and get at /sync, as sync/PROTOCOL.md 3–5 has them."""

from __future__ import annotations

from typing import NotRequired, TypedDict

from sync.shapes import Gone, Outcome, Problem, Snapshot

Range = tuple[int, int]


class ResultOut(TypedDict):
    """What became of one operation; `problem` is "" unless it is held."""

    id: str
    sha256: str
    result: Outcome
    seq: int
    problem: Problem


class TakenOut(TypedDict):
    """The applied operations of a short answer: runs of log numbers as (first, count), in the order
    they were sent, and one hash over the hashes of the operations."""

    seqs: list[Range]
    sha256: str


class PushAnswer(TypedDict):
    """The answer to a push. `gaps` are (from, to) of the device's numbers that are missing."""

    seq: int
    backup: int
    taken: NotRequired[TakenOut]
    results: list[ResultOut]
    gaps: list[Range]
    reused: list[int]
    missing_blobs: list[str]


class PersonOut(TypedDict):
    """A colleague, as phones know them."""

    id: str
    name: str
    role: str
    languages: list[str]


class HeldOut(TypedDict):
    """One of the reader's own held operations; `comment` is a supervisor's question about it."""

    id: str
    visit: str
    problem: str
    comment: str


class PullAnswer(TypedDict):
    """The answer to a pull. `recordings`: language → a short hash of its list."""

    reader: str
    cursor: str
    more: bool
    reset: bool
    backup: int
    keep_days: int
    today: str
    snapshots: list[Snapshot]
    gone: list[Gone]
    people: list[PersonOut]
    held: list[HeldOut]
    guide: str
    languages: list[str]
    recordings: dict[str, str]


class UploadAnswer(TypedDict):
    """The answer to a piece of a blob. `seq`: a backup past this log number holds the blob; 0 while
    it is not complete."""

    offset: int
    complete: bool
    seq: int


class Health(TypedDict):
    """What a phone reports about itself; a value that it did not send, or sent in a wrong shape, is
    0, "", False or empty. `quota` and `usage` in bytes; times ISO 8601 with offset.

    `lost_reason` is `emptied`, `rolled_back`, `other` or `unopenable`, `lost_device` the device id it
    had before; `deleted` are visits of protected tenancies that it has deleted.
    """

    unsent: int
    oldest_unsent_at: str
    persisted: bool
    installed: bool
    version: str
    worker: str
    quota: int
    usage: int
    tight: bool
    lost: bool
    lost_reason: str
    lost_device: str
    lost_unsent: int
    recovered: int
    deleted: list[str]
