"""Rows derived from the log and the records, made anew when the code that derives them changes.

Invariant: after `renew`, records follow today's RULE (sync/apply.py), and the index tables hold
what today's sync/index.py makes of the records. Two marks say by which version they were made:
`rule` and `indexes`. Any other version than today's is derived anew, a newer one too: after a
downgrade, rows of both versions would otherwise stand side by side.
"""

from __future__ import annotations

from sqlite_utils import Database

from pwa.database import marks, tables
from sync.apply import RULE
from sync.index import VERSION
from sync.rederive import derive_again
from sync.sqlite import SqliteStorage


def renew(db: Database) -> None:
    """Derive anew what another version has made, in the open transaction, after all schema steps."""
    storage = SqliteStorage(db)
    rule, version = marks.derived_by(db)
    other_rule = rule != RULE
    if other_rule:
        derive_again(storage, tables.ambassadors(db))
    if other_rule or version != VERSION:
        storage.derive_indexes()
    marks.set_derived_by(db, RULE, VERSION)
