"""Mutations of the server, one at a time, to show that this proof can fail.

Each is one that a programmer could make in an afternoon. For a child process or a command of its own
only: nothing here is ever undone.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pwa.blobs.files import BlobRefused, Blobs
from pwa.database import connections as pwa_db
from sync.sqlite import SqliteStorage
from sync.storage import Batch


def _relaxed_durability() -> None:
    opened = pwa_db.Databases._open_writer

    def relaxed(self: pwa_db.Databases) -> Any:
        writer = opened(self)
        writer.execute("PRAGMA synchronous=NORMAL").fetchall()
        return writer

    pwa_db.Databases._open_writer = relaxed  # type: ignore[method-assign]


def _two_transactions() -> None:
    whole = SqliteStorage.write

    def halves(self: SqliteStorage, batch: Batch) -> None:
        log, batch.log = batch.log, []
        for entry in log:
            whole(self, Batch(log=[entry]))
        self.db.execute("COMMIT")
        self.db.execute("BEGIN IMMEDIATE")
        whole(self, batch)

    SqliteStorage.write = halves  # type: ignore[method-assign]


def _acknowledge_before_commit() -> None:
    def premature(self: SqliteStorage) -> Any:
        return _swallowing(usual(self))

    usual = SqliteStorage.transaction
    SqliteStorage.transaction = premature  # type: ignore[method-assign]


@contextmanager
def _swallowing(transaction: Any) -> Iterator[None]:
    try:
        with transaction:
            yield
    except sqlite3.Error:
        return


def _blob_not_synced() -> None:
    from pwa.blobs import files

    class Careless:
        def __getattr__(self, name: str) -> Any:
            return (lambda handle: None) if name == "fsync" else getattr(os, name)

    files.os = Careless()  # type: ignore[assignment,attr-defined]  # the module


def _blob_written_in_place() -> None:
    def put(self: Blobs, blobs: Mapping[str, bytes]) -> dict[str, BlobRefused]:
        for sha256, octets in blobs.items():
            if not self.has(sha256):
                folder = self.folder / sha256[:2]
                folder.mkdir(parents=True, exist_ok=True)
                (folder / sha256).write_bytes(octets)
        return {}

    Blobs._put_all = put  # type: ignore[method-assign]


def _error_as_a_page() -> None:
    from pwa.web import errors

    errors.wants_json = lambda: False


def _tally_counted_again() -> None:
    whole = SqliteStorage.write

    def twice(self: SqliteStorage, batch: Batch) -> None:
        batch.tallies = batch.tallies or [("2026-11-22", "Norr", "waste", "yes")]
        whole(self, batch)

    SqliteStorage.write = twice  # type: ignore[method-assign]


def _writes_without_lock() -> None:
    @contextmanager
    def alone(self: pwa_db.Databases) -> Iterator[Any]:
        with self.writer.conn:
            yield self.writer

    pwa_db.Databases.writing = alone  # type: ignore[method-assign]


def _closes_without_lock() -> None:
    def close(self: pwa_db.Databases) -> None:
        for reader in list(self._readers):
            reader.close()
        self.writer.close()

    pwa_db.Databases.close = close  # type: ignore[method-assign]


@dataclass(frozen=True, slots=True)
class Mutation:
    """`plant` changes the code; `part` and `slice` of the proof must catch it."""

    plant: Callable[[], None]
    part: str
    slice: str


MUTATIONS = {
    "closed without lock": Mutation(_closes_without_lock, "locks", "1/1"),
    "written without lock": Mutation(_writes_without_lock, "locks", "1/1"),
    "relaxed durability": Mutation(_relaxed_durability, "writes", "290/8"),
    "two transactions": Mutation(_two_transactions, "statements", "200/40"),
    "answer before commit": Mutation(_acknowledge_before_commit, "writes", "60/4"),
    "blob not synced": Mutation(_blob_not_synced, "writes", "200/20"),
    "blob written in place": Mutation(_blob_written_in_place, "writes", "200/20"),
    "error as a page": Mutation(_error_as_a_page, "writes", "60/4"),
    "counted again": Mutation(_tally_counted_again, "statements", "200/40"),
}
