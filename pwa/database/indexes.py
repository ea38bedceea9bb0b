"""Rows derived from the log and the records, made anew when the code that derives them changes.

Invariant: after `renew`, records follow today's RULE (sync/apply.py), and the index tables hold
what today's sync/index.py makes of the records. Two marks say by which version they were made:
`rule` and `indexes`. Any other version than today's is derived anew, a newer one too: after a
downgrade, rows of both versions would otherwise stand side by side.
"""

from __future__ import annotations

from sqlite_utils import Database

from sync.apply import RULE
from sync.index import VERSION
from sync.rederive import derive_again
from sync.sqlite import SqliteStorage

# Databases without the mark: those of rule 1 get it from the step `unseen`, which is older than it.
_FIRST_MARKED_RULE = "2"


def renew(db: Database) -> None:
    """Derive anew what another version has made, in the open transaction, after all schema steps."""
    storage = SqliteStorage(db)
    other_rule = _mark(db, "rule", _FIRST_MARKED_RULE) != RULE
    if other_rule:
        ambassadors = db.execute("SELECT id FROM users WHERE role = 'ambassador'").fetchall()
        derive_again(storage, {id for (id,) in ambassadors})
    if other_rule or _mark(db, "indexes", "0") != VERSION:
        storage.derive_indexes()
    for name, value in (("rule", RULE), ("indexes", VERSION)):
        db.execute(
            "INSERT INTO marks (name, value) VALUES (?, ?)"
            " ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE value <> excluded.value",
            [name, value],
        )


def _mark(db: Database, name: str, default: str) -> str:
    row = db.execute("SELECT value FROM marks WHERE name = ?", [name]).fetchone()
    return str(row[0]) if row else default
