"""Single facts about this database, kept in the table `marks`: one function for each.

Invariant: every name of a mark is written here and nowhere else. A backup contains the marks, so
a restored database keeps its server id.
"""

from __future__ import annotations

import secrets

from sqlite_utils import Database

from pwa.database import tables

BACKUP = "backup"
SERVER = "server"
DEMO = "demo"
RULE = "rule"
INDEXES = "indexes"

# Databases without the mark: those of rule 1 get it from the step `unseen`, which is older than it.
_FIRST_MARKED_RULE = "2"


def backup_mark(db: Database) -> int:
    """The log number up to which a backup is safe, 0 before the first one. Phones keep what they
    sent after it (PROTOCOL.md 4)."""
    return int(tables.read_mark(db, BACKUP) or 0)


def move_backup_mark(db: Database, seq: int) -> None:
    """A backup up to log number `seq` is safe. Two backups may finish in another order than they
    began: the mark never moves back."""
    tables.write_mark(db, BACKUP, str(max(seq, backup_mark(db))))


def make_server_id(db: Database) -> None:
    """Give this database its random id if it has none yet."""
    tables.write_mark_once(db, SERVER, secrets.token_hex(16))


def server_id(db: Database) -> str:
    """This database's own random id: phones keep what they know of each server apart."""
    found = tables.read_mark(db, SERVER)
    if found is None:
        raise LookupError("make_server_id was not called when the server started")
    return found


def mark_as_demo(db: Database) -> None:
    """This database holds demo people, whose password everyone knows."""
    tables.write_mark(db, DEMO, "1")


def is_demo(db: Database) -> bool:
    """Whether this database holds demo people."""
    return tables.read_mark(db, DEMO) is not None


def derived_by(db: Database) -> tuple[str, str]:
    """(rule, index version) that records and index rows were derived by; see indexes.py."""
    return (
        tables.read_mark(db, RULE) or _FIRST_MARKED_RULE,
        tables.read_mark(db, INDEXES) or "0",
    )


def set_derived_by(db: Database, rule: str, indexes: str) -> None:
    """Records and index rows follow this rule and this version now."""
    tables.write_mark(db, RULE, rule)
    tables.write_mark(db, INDEXES, indexes)
