"""Which blobs visits refer to, which of them have not arrived, and deleting struck pictures.

Invariant: a picture is deleted when, and only when, every photo that refers to it is struck out. The
file is deleted before the response; after a crash in between, the client's retry completes it.
Signatures are never deleted: nothing can strike one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from sqlite_utils import Database

from pwa.blobs import tables
from pwa.blobs.files import Blobs
from pwa.database.connections import Databases
from sync.limits import BLOB_BYTES_MAX

# In the exact bytes of an operation, a quote inside a text has a backslash before it.
_NAMED = re.compile(r'"(?:signature|photo)":"([0-9a-f]{64})"')
# Opening or planning a visit applies what was held for it: a retraction can be among that.
_CAN_STRIKE = re.compile(r'"kind":"visit\.(?:retract|photo|open|plan)"')


def missing(db: Database, blobs: Blobs, texts: Iterable[str]) -> list[str]:
    """Hashes of the blobs that operations (exact bytes, decoded) refer to and that have not arrived;
    those that are struck out are left out."""
    named = {sha for text in texts for sha in _NAMED.findall(text)}
    absent = sorted(sha for sha in named if not blobs.has(sha))
    return [sha for sha in absent if not tables.is_struck(db, sha)]


def offset(db: Database, blobs: Blobs, sha256: str) -> int:
    """How many of a blob's bytes need not be sent: BLOB_BYTES_MAX when it has arrived or is struck."""
    known = blobs.offset(sha256)
    if known < BLOB_BYTES_MAX and tables.is_struck(db, sha256):
        return BLOB_BYTES_MAX
    return known


def count_missing(db: Database, blobs: Blobs, visits: Iterable[str]) -> Mapping[str, int]:
    """visit → how many of its blobs have not arrived; visits that are complete are left out."""
    counts = {
        visit: sum(1 for sha in tables.list_named(db, visit) if not blobs.has(sha))
        for visit in visits
    }
    return {visit: count for visit, count in counts.items() if count}


def erase_struck(databases: Databases, blobs: Blobs, texts: Iterable[str]) -> None:
    """Delete struck pictures, if one of `texts` (operations, just applied) can have struck one.

    Opens its write transaction only then, because every push calls it.
    """
    if not any(_CAN_STRIKE.search(text) for text in texts):
        return
    # Under the lock of all writers: no photo can refer to a picture while it is being deleted.
    with databases.writing() as db:
        for sha in tables.list_struck(db):
            blobs.erase(sha)


def erase_if_struck(databases: Databases, blobs: Blobs, sha256: str) -> None:
    """Delete a picture that has just arrived, if every photo that refers to it is struck already."""
    with databases.reading() as db:
        if not tables.is_struck(db, sha256):
            return
    with databases.writing() as db:
        if tables.is_struck(db, sha256):
            blobs.erase(sha256)
