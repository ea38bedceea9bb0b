"""How an older database becomes the newest: one ordered list, the protocol core's included.

Invariant: a migration adds (tables, columns, indexes) or derives anew what the log says; a database is either wholly
brought up to date or left as it was; each step runs once, known by its name. It refuses a
database that a newer program has been at: an older one would write rows it does not
understand.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlite_utils import Database

from pwa.blobs.signatures import create_table as create_signatures
from pwa.database import DatabaseError
from pwa.database.connections import Databases
from pwa.database.desk_indexes import MIGRATIONS as DESK_MIGRATIONS
from pwa.homes import company, importing
from pwa.phones import devices
from pwa.publishing import recordings
from pwa.publishing.events import create_originals
from pwa.publishing.versions import create_guards
from pwa.publishing.versions import create_tables as create_publishing
from sync.rederive import derive_again
from sync.sqlite import MIGRATIONS as SYNC_MIGRATIONS
from sync.sqlite import SqliteStorage

Migration = tuple[str, Callable[[Database], None]]


def _users(db: Database) -> None:
    db.table("users").create(
        {
            "id": str, "name": str, "display_name": str, "password": str, "role": str, "queue": str,
            "languages": str, "interface_language": str, "may_see_protected": int, "active": int,
            "created_at": str,
        },
        pk="id",
        not_null={
            "name", "display_name", "password", "role", "queue", "languages", "interface_language",
            "may_see_protected", "active", "created_at",
        },
        strict=True,
    )  # fmt: skip
    db.table("users").create_index(["name"], unique=True)


def _sessions(db: Database) -> None:
    db.table("sessions").create(
        {
            "id": str, "sha256": str, "user": str, "device": str, "created_at": str,
            "last_seen": str, "expires_at": str, "ended_at": str, "ended_how": str,
        },
        pk="id",
        foreign_keys=[("user", "users", "id")],
        not_null={"sha256", "user", "device", "created_at", "last_seen", "expires_at"},
        strict=True,
    )  # fmt: skip
    db.table("sessions").create_index(["sha256"], unique=True)
    db.table("sessions").create_index(["user"])


def _marks(db: Database) -> None:
    """Single values: `backup` (the log's number a backup has passed), `demo`."""
    db.table("marks").create(
        {"name": str, "value": str}, pk="name", not_null={"value"}, strict=True
    )


def _access_log(db: Database) -> None:
    """Who opened which visit at the desk, and when."""
    db.table("access_log").create(
        {"id": int, "user": str, "visit": str, "at": str},
        pk="id",
        not_null={"user", "visit", "at"},
        strict=True,
    )
    db.table("access_log").create_index(["visit"])


def _unseen(db: Database) -> None:
    ambassadors = db.execute("SELECT id FROM users WHERE role = 'ambassador'").fetchall()
    derive_again(SqliteStorage(db), {id for (id,) in ambassadors})


MIGRATIONS: tuple[Migration, ...] = (
    ("users", _users),
    ("sessions", _sessions),
    ("marks", _marks),
    ("access_log", _access_log),
    *SYNC_MIGRATIONS,
    ("company_settings", company.create_tables),
    ("devices", devices.create_tables),
    ("importing", importing.create_tables),
    *DESK_MIGRATIONS,
    ("devices_losses", devices.add_losses),
    ("publishing", create_publishing),
    ("publishing_originals", create_originals),
    ("publishing_guards", create_guards),
    ("recordings", recordings.create_tables),
    ("company_changes", company.create_history),
    ("signatures", create_signatures),
    ("unseen", _unseen),
)


def migrate(
    databases: Databases, now: datetime, steps: Sequence[Migration] = MIGRATIONS
) -> list[str]:
    """Bring the database up to date; the names of the steps taken, in order.

    All steps are one transaction (DDL is transactional in SQLite; `executescript` would commit
    in the middle, so no step may use it). Raises DatabaseError for a newer database.
    """
    with databases.writing() as db:
        if "migrations" not in db.table_names():
            db.table("migrations").create(
                {"position": int, "name": str, "applied_at": str},
                pk="position",
                not_null={"name", "applied_at"},
                strict=True,
            )
        applied = {str(row["name"]) for row in db.table("migrations").rows}
        newer = sorted(applied - {name for name, _ in steps})
        if newer:
            raise DatabaseError(
                f"{databases.path} was made by a newer version of Tröskel ({', '.join(newer)}). "
                "Start that version, or restore a backup from before it."
            )
        taken = []
        for name, step in steps:
            if name not in applied:
                step(db)
                db.table("migrations").insert({"name": name, "applied_at": now.isoformat()})
                taken.append(name)
        return taken
