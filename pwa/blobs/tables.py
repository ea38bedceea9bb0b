"""SQL of this room: signatures, and which operations refer to which blob.

`blob_index` is derived from the visits' records (sync/index.py): one row for each operation that
refers to a blob, `struck` 1 when that operation is struck out.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlite_utils import Database

# --- signatures ----------------------------------------------------------------------


def insert_signatures(db: Database, drawings: Mapping[str, bytes]) -> None:
    """Store signatures, hash → bytes; one that is stored already stays as it is."""
    db.conn.executemany(
        "INSERT INTO signatures (sha256, bytes) VALUES (:sha256, :bytes)"
        " ON CONFLICT (sha256) DO NOTHING",
        [{"sha256": sha256, "bytes": octets} for sha256, octets in drawings.items()],
    )


def find_signature(db: Database, sha256: str) -> bytes | None:
    """The bytes of a signature."""
    row = db.execute(
        "SELECT bytes FROM signatures WHERE sha256 = :sha256", {"sha256": sha256}
    ).fetchone()
    return bytes(row[0]) if row else None


def delete_signature(db: Database, sha256: str) -> None:
    """Delete a signature if it is there."""
    db.execute("DELETE FROM signatures WHERE sha256 = :sha256", {"sha256": sha256})


# --- what visits refer to --------------------------------------------------------------


def list_named(db: Database, visit: str) -> list[str]:
    """The blobs that a visit refers to in anything that is not struck out."""
    rows = db.execute(
        "SELECT DISTINCT sha256 FROM blob_index WHERE visit = :visit AND struck = 0",
        {"visit": visit},
    )
    return [sha256 for (sha256,) in rows]


def list_struck(db: Database) -> list[str]:
    """The blobs that only struck operations refer to."""
    rows = db.execute(
        "SELECT DISTINCT sha256 FROM blob_index AS one WHERE struck = 1 AND NOT EXISTS"
        " (SELECT 1 FROM blob_index WHERE sha256 = one.sha256 AND struck = 0)"
    )
    return [sha256 for (sha256,) in rows.fetchall()]


def is_struck(db: Database, sha256: str) -> bool:
    """Whether something refers to the blob, and all of it is struck out."""
    (struck,) = db.execute(
        "SELECT min(struck) FROM blob_index WHERE sha256 = :sha256", {"sha256": sha256}
    ).fetchone()
    return bool(struck)
