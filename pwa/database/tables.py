"""SQL of this room: connections, schema steps, the `marks` table, and what a restore changes.

The statements that make the tables are files in steps/.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Set
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlite_utils import Database

BUSY_MILLISECONDS = 5000
DURABLE = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
"""What the writer's connection must report; synchronous 2 is FULL."""


# --- connections ---------------------------------------------------------------------
# SQLite only: PRAGMAs and the read-only connection have no counterpart elsewhere.


def set_up_writer(db: Database) -> dict[str, Any]:
    """Make commits durable; what SQLite then reports for the keys of `DURABLE`.

    Read back, because SQLite silently keeps the old journal mode where a disk does not offer WAL.
    """
    db.execute(f"PRAGMA busy_timeout={BUSY_MILLISECONDS}")
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=FULL")
    db.execute("PRAGMA foreign_keys=ON")
    return {name: db.execute(f"PRAGMA {name}").fetchone()[0] for name in DURABLE}


def set_up_reader(db: Database) -> None:
    """Refuse writes also if somebody drops mode=ro later; leave checkpoints to the writer."""
    for pragma in ("query_only=1", "wal_autocheckpoint=0", f"busy_timeout={BUSY_MILLISECONDS}"):
        db.execute(f"PRAGMA {pragma}")


@contextmanager
def read_transaction(db: Database) -> Iterator[None]:
    """One unchanging view of the data in the block; joins a transaction that is open."""
    if db.conn.in_transaction:
        yield
        return
    db.conn.execute("BEGIN")
    try:
        yield
    finally:
        db.rollback()


def leave_wal(db: Database) -> None:
    """Turn the database into one file without a -wal beside it."""
    db.execute("PRAGMA journal_mode=DELETE")


def is_sound(db: Database) -> bool:
    """Whether SQLite finds no damage in the file."""
    return bool(db.execute("PRAGMA integrity_check").fetchone()[0] == "ok")


def has_tables(db: Database, names: Set[str]) -> bool:
    """Whether all these tables are there."""
    return names <= set(db.table_names())


# --- schema steps --------------------------------------------------------------------

# SQLite only: STRICT, without which SQLite stores any type in any column.
_MIGRATIONS = """CREATE TABLE IF NOT EXISTS "migrations" (
  "position" INTEGER PRIMARY KEY,
  "name" TEXT NOT NULL,
  "applied_at" TEXT NOT NULL
) STRICT"""


def applied_steps(db: Database) -> set[str]:
    """Names of the steps this database has taken."""
    db.execute(_MIGRATIONS)
    return {str(name) for (name,) in db.execute("SELECT name FROM migrations")}


def run_script(db: Database, sql: str) -> None:
    """Run statements, each of which ends with its line, in the open transaction.

    SQLite only: its driver's `executescript` would commit that transaction first.
    """
    statement = ""
    for line in sql.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            db.execute(statement)
            statement = ""
    if statement.strip():
        db.execute(statement)  # a comment, or an error that SQLite reports


def insert_applied_step(db: Database, name: str, now: datetime) -> None:
    """The database has taken this step."""
    db.execute(
        "INSERT INTO migrations (name, applied_at) VALUES (:name, :now)",
        {"name": name, "now": now.isoformat()},
    )


def ambassadors(db: Database) -> set[str]:
    """User ids of everyone whose role is ambassador now."""
    return {id for (id,) in db.execute("SELECT id FROM users WHERE role = 'ambassador'")}


# --- marks ---------------------------------------------------------------------------


def read_mark(db: Database, name: str) -> str | None:
    """The value of a mark, None where it was never set."""
    row = db.execute("SELECT value FROM marks WHERE name = :name", {"name": name}).fetchone()
    return str(row[0]) if row else None


def write_mark(db: Database, name: str, value: str) -> None:
    """Set a mark, whatever it was before. The same value again writes nothing."""
    db.execute(
        "INSERT INTO marks (name, value) VALUES (:name, :value)"
        " ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE marks.value <> excluded.value",
        {"name": name, "value": value},
    )


def write_mark_once(db: Database, name: str, value: str) -> None:
    """Set a mark unless it is set already."""
    db.execute(
        "INSERT INTO marks (name, value) VALUES (:name, :value) ON CONFLICT (name) DO NOTHING",
        {"name": name, "value": value},
    )


# --- restore -------------------------------------------------------------------------


def end_all_sessions(db: Database, now: datetime, how: str) -> None:
    """End every session that still runs. (pwa/people, which has the others, is above this room.)"""
    db.execute(
        "UPDATE sessions SET ended_at = :now, ended_how = :how WHERE ended_at IS NULL",
        {"now": now.isoformat(), "how": how},
    )
