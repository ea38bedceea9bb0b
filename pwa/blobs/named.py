"""Which blobs visits name, which of them have not come, and the end of struck pictures.

Invariant: a picture is deleted when, and only when, every photo that names it is struck. The file is
deleted before the response; after a crash in between, the client's retry completes it. Signatures
are never deleted here: nobody can strike one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping

from sqlite_utils import Database

from pwa.blobs import tables
from pwa.blobs.files import Blobs
from pwa.database.connections import Databases
from sync.limits import BLOB_BYTES_MAX

# In the exact bytes of an operation a quote inside a text has a backslash before it.
_NAMED = re.compile(r'"(?:signature|photo)":"([0-9a-f]{64})"')
# An opening, or a plan, applies what waited for its visit: a strike can be among it.
_STRIKES = re.compile(r'"kind":"visit\.(?:retract|photo|open|plan)"')


def missing(databases: Databases, blobs: Blobs, texts: Iterable[str]) -> list[str]:
    """Hashes of the blobs that operations (exact bytes, decoded) name and that are still to come:
    not here, and not struck."""
    named = {sha for text in texts for sha in _NAMED.findall(text)}
    with databases.reading():  # one look at the rows for all of them
        absent = sorted(sha for sha in named if not blobs.has(sha))
    if not absent:
        return []
    with databases.reading() as db:
        return [sha for sha in absent if not tables.is_struck(db, sha)]


def offset(databases: Databases, blobs: Blobs, sha256: str) -> int:
    """How many of a blob's bytes need not be sent: BLOB_BYTES_MAX when it is here, or was struck."""
    known = blobs.offset(sha256)
    if known == BLOB_BYTES_MAX:
        return known
    with databases.reading() as db:
        return BLOB_BYTES_MAX if tables.is_struck(db, sha256) else known


def count_missing(db: Database, blobs: Blobs, visits: Iterable[str]) -> Mapping[str, int]:
    """visit → how many blobs it names that have not come; visits that are complete are left out."""
    found: Counter[str] = Counter()
    for visit in visits:
        found[visit] = sum(not blobs.has(sha) for sha in tables.list_named(db, visit))
    return +found


def erase_struck(databases: Databases, blobs: Blobs, texts: Iterable[str]) -> None:
    """Delete struck pictures, if one of `texts` (operations, just applied) can have struck one."""
    if not any(_STRIKES.search(text) for text in texts):
        return
    # Under the lock of all writers: nobody can name a picture anew while it is being deleted.
    with databases.writing() as db:
        for sha in tables.list_struck(db):
            blobs.erase(sha)


def erase_if_struck(databases: Databases, blobs: Blobs, sha256: str) -> None:
    """Delete a picture that has just come, if all photos that name it were struck before."""
    with databases.reading() as db:
        if not tables.is_struck(db, sha256):
            return
    with databases.writing() as db:
        if tables.is_struck(db, sha256):
            blobs.erase(sha256)
