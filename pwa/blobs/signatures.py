"""Signatures that are attached to a push, as rows: a morning has sixty of them, of six kilobytes.

Invariant: a signature is durable, to the byte, by the same commit that makes the operations of its
push durable. As files, each would need two fsyncs of its own. Content and hash have been checked
before (pwa/blobs/files.py).
"""

from __future__ import annotations

from collections.abc import Mapping

from pwa.blobs import tables
from pwa.database.connections import Databases


class Signatures:
    """The rows; hash → bytes."""

    def __init__(self, databases: Databases) -> None:
        self._databases = databases

    def keep(self, drawings: Mapping[str, bytes]) -> None:
        """Store them, in the open transaction or in one of their own. Twice does no harm."""
        with self._databases.writing() as db:
            tables.insert_signatures(db, drawings)

    def read(self, sha256: str) -> bytes | None:
        """The bytes, or None where there are none."""
        with self._databases.reading() as db:
            return tables.find_signature(db, sha256)

    def has(self, sha256: str) -> bool:
        """Whether there is such a row."""
        return self.read(sha256) is not None

    def erase(self, sha256: str) -> None:
        """Delete the row; twice does no harm."""
        with self._databases.writing() as db:
            tables.delete_signature(db, sha256)
