"""Signatures that ride along with a push, as rows: a morning has sixty of them, six kilobytes each.

Invariant: a signature is durable in the very commit that makes the operations of its push durable,
to the byte. Files would each need two syncs of their own. It refuses to look at content: whoever
keeps a drawing here has checked that it is one, and its hash (pwa/blobs/files.py).
"""

from __future__ import annotations

from collections.abc import Mapping

from pwa.database.connections import Databases


class Signatures:
    """The rows; hash → bytes."""

    def __init__(self, databases: Databases) -> None:
        self._databases = databases

    def keep(self, drawings: Mapping[str, bytes]) -> None:
        """Keep them, inside the transaction that is open or in one of their own. Twice is harmless."""
        with self._databases.writing() as db:
            db.conn.executemany("INSERT OR IGNORE INTO signatures VALUES (?, ?)", drawings.items())

    def read(self, sha256: str) -> bytes | None:
        """The bytes, or None where there are none."""
        with self._databases.reading() as db:
            row = db.execute("SELECT bytes FROM signatures WHERE sha256 = ?", [sha256]).fetchone()
        return bytes(row[0]) if row else None

    def has(self, sha256: str) -> bool:
        return self.read(sha256) is not None

    def erase(self, sha256: str) -> None:
        """Delete the row; twice is harmless."""
        with self._databases.writing() as db:
            db.execute("DELETE FROM signatures WHERE sha256 = ?", [sha256])
