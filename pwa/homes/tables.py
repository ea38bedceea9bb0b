"""SQL of this room: company facts and their history, references of tenancies, the protected room,
imports.

The columns are described in pwa/database/steps (0009, 0011, 0018).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import NamedTuple, TypedDict

from sqlite_utils import Database

# --- company facts ---------------------------------------------------------------------


class FactChange(TypedDict):
    """One fact of one level changed; `by` is a user id, "" for the command line."""

    scope: str
    name: str
    before: str
    after: str
    by: str
    at: str


def read_settings(db: Database, scope: str) -> dict[str, str]:
    """name → value of what is set on one level."""
    return dict(
        db.execute(
            "SELECT name, value FROM company_settings WHERE scope = :scope", {"scope": scope}
        ).fetchall()
    )


def list_settings(db: Database) -> list[tuple[str, str, str]]:
    """(scope, name, value) of every level, in the same order each time."""
    return db.execute(
        "SELECT scope, name, value FROM company_settings ORDER BY scope, name"
    ).fetchall()


def list_scopes(db: Database) -> list[str]:
    """The levels that something is set on."""
    return [str(scope) for (scope,) in db.execute("SELECT DISTINCT scope FROM company_settings")]


def write_setting(db: Database, scope: str, name: str, value: str) -> None:
    db.execute(
        "INSERT INTO company_settings (scope, name, value) VALUES (:scope, :name, :value)"
        " ON CONFLICT (scope, name) DO UPDATE SET value = excluded.value",
        {"scope": scope, "name": name, "value": value},
    )


def delete_setting(db: Database, scope: str, name: str) -> None:
    db.execute(
        "DELETE FROM company_settings WHERE scope = :scope AND name = :name",
        {"scope": scope, "name": name},
    )


def add_change(db: Database, change: FactChange) -> None:
    db.execute(
        "INSERT INTO company_changes (scope, name, before, after, by, at)"
        " VALUES (:scope, :name, :before, :after, :by, :at)",
        dict(change),
    )


def list_changes(db: Database, scope: str, limit: int) -> list[dict[str, str]]:
    """The last changes on a level, the newest first: name, before, after, by, at."""
    # SQLite only: rowid is the order of arrival; `at` has one value for all facts of one form.
    rows = db.query(
        "SELECT name, before, after, by, at FROM company_changes WHERE scope = :scope"
        " ORDER BY rowid DESC LIMIT :limit",
        {"scope": scope, "limit": limit},
    )
    return [{key: str(value) for key, value in row.items()} for row in rows]


def list_places(db: Database) -> list[tuple[str, str]]:
    """(area, building) of the tenancies that are not protected, each pair once; "" = unknown."""
    # SQLite only: json_extract, because a tenancy's area and building stand in its record alone.
    rows = db.execute(
        "SELECT DISTINCT json_extract(body, '$.fields.area'), json_extract(body, '$.fields.building')"
        " FROM records WHERE type = 'tenancy' AND NOT json_extract(body, '$.protected')"
    ).fetchall()
    return [(area or "", building or "") for area, building in rows]


# --- references of tenancies --------------------------------------------------------------


class Reference(NamedTuple):
    """Which tenancy a reference of an import file is, and the fingerprint of its accepted cells."""

    ref: str
    tenancy: str
    cells: str
    customer: str


def find_reference(db: Database, ref: str) -> Reference | None:
    row = db.execute(
        "SELECT ref, tenancy, cells, customer FROM tenancy_refs WHERE ref = :ref", {"ref": ref}
    ).fetchone()
    return Reference(*row) if row else None


def has_other_home(db: Database, customer: str, tenancy: str) -> bool:
    """Whether the customer has a tenancy other than this one."""
    found = db.execute(
        "SELECT 1 FROM tenancy_refs WHERE customer = :customer AND tenancy <> :tenancy LIMIT 1",
        {"customer": customer, "tenancy": tenancy},
    ).fetchone()
    return found is not None


def write_references(db: Database, references: Iterable[Reference]) -> None:
    db.conn.executemany(
        "INSERT INTO tenancy_refs (ref, tenancy, cells, customer)"
        " VALUES (:ref, :tenancy, :cells, :customer) ON CONFLICT (ref) DO UPDATE SET"
        " tenancy = excluded.tenancy, cells = excluded.cells, customer = excluded.customer",
        [one._asdict() for one in references],
    )


def delete_reference(db: Database, ref: str) -> None:
    db.execute("DELETE FROM tenancy_refs WHERE ref = :ref", {"ref": ref})


# --- the protected room -------------------------------------------------------------------


class LockedRow(NamedTuple):
    """One tenancy in the protected room; `cells` is the data of `tenancy.register` as JSON."""

    id: str
    ref: str
    cells: str
    added_at: str


def find_locked_id(db: Database, ref: str) -> str:
    """The id under which a reference is in the room, "" when it is not."""
    row = db.execute(
        "SELECT id FROM protected_room WHERE ref = :ref AND cleared_at = ''", {"ref": ref}
    ).fetchone()
    return str(row[0]) if row else ""


def find_locked(db: Database, id: str) -> LockedRow | None:
    row = db.execute(
        "SELECT id, ref, cells, added_at FROM protected_room WHERE id = :id AND cleared_at = ''",
        {"id": id},
    ).fetchone()
    return LockedRow(*row) if row else None


def list_locked(db: Database) -> list[LockedRow]:
    """Everyone in the room, the oldest first."""
    rows = db.execute(
        "SELECT id, ref, cells, added_at FROM protected_room WHERE cleared_at = '' ORDER BY added_at"
    )
    return [LockedRow(*row) for row in rows]


def write_locked(db: Database, row: LockedRow, by: str) -> None:
    """Put a tenancy into the room; one that is there already gets the new cells."""
    db.execute(
        "INSERT INTO protected_room (id, ref, cells, added_at, added_by, cleared_at, cleared_by,"
        " cleared_reason) VALUES (:id, :ref, :cells, :added_at, :by, '', '', '')"
        " ON CONFLICT (id) DO UPDATE SET cells = excluded.cells",
        {**row._asdict(), "by": by},
    )


def mark_cleared(db: Database, id: str, *, by: str, at: str, reason: str) -> None:
    """The tenancy has left the room; that it was there stays, what was known of it does not."""
    db.execute(
        "UPDATE protected_room SET cleared_at = :at, cleared_by = :by, cleared_reason = :reason,"
        " cells = '{}' WHERE id = :id",
        {"id": id, "by": by, "at": at, "reason": reason},
    )


def log_read(db: Database, *, user: str, at: str, what: str) -> None:
    """Somebody opened the room, or cleared a tenancy."""
    db.execute(
        'INSERT INTO protected_reads ("user", at, what) VALUES (:user, :at, :what)',
        {"user": user, "at": at, "what": what},
    )


# --- imports --------------------------------------------------------------------------------


def add_import(
    db: Database, *, at: str, by: str, filename: str, sha256: str, report: Mapping[str, object]
) -> None:
    db.execute(
        "INSERT INTO imports (at, by, filename, sha256, report)"
        " VALUES (:at, :by, :filename, :sha256, :report)",
        {
            "at": at,
            "by": by,
            "filename": filename,
            "sha256": sha256,
            "report": json.dumps(report, ensure_ascii=False),
        },
    )
