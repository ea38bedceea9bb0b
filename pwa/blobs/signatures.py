"""Signatures that ride along with a push, as rows: a morning has sixty of them, six kilobytes each.

Invariant: a signature is durable in the very commit that makes the operations of its push durable,
byte for byte. Files would each need two syncs of their own. The caller has checked that it is a
drawing, and its hash (pwa/blobs/files.py).
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
        """Keep them, inside the transaction that is open or in one of their own. Twice is harmless."""
        with self._databases.writing() as db:
            tables.insert_signatures(db, drawings)

    def read(self, sha256: str) -> bytes | None:
        """The bytes, or None where there are none."""
        with self._databases.reading() as db:
            return tables.find_signature(db, sha256)

    def has(self, sha256: str) -> bool:
        return self.read(sha256) is not None

    def erase(self, sha256: str) -> None:
        """Delete the row; twice is harmless."""
        with self._databases.writing() as db:
            tables.delete_signature(db, sha256)
