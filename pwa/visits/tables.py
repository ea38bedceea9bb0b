"""SQL of this room: exports, the held list as a supervisor works it off, planned visits.

What the protocol core itself reads and writes stands in sync/sqlite.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from sqlite_utils import Database

# --- visits ----------------------------------------------------------------------------------


def has_visit(db: Database, tenancy: str) -> bool:
    """Whether the tenancy has a visit, planned or made."""
    found = db.execute(
        "SELECT 1 FROM visit_index WHERE tenancy = :tenancy LIMIT 1", {"tenancy": tenancy}
    ).fetchone()
    return found is not None


def list_by_move_in(db: Database) -> list[str]:
    """The ids of all visits, by move-in day and address."""
    rows = db.execute("SELECT id FROM visit_index ORDER BY move_in, street, apartment")
    return [str(id) for (id,) in rows]


# --- the held list -----------------------------------------------------------------------------


class HeldFields(NamedTuple):
    """One held operation. `octets` are its exact bytes, `sender` is who sent it, `comment` what its
    author was asked, `filed_at` "" while it is open; `protected` 1 when it is about a protected
    tenancy."""

    id: str
    sha256: str
    octets: bytes
    problem: str
    kind: str
    visit: str
    device: str
    by: str
    sender: str
    received_at: str
    comment: str
    filed_at: str
    protected: int


# Also what was held for another reason, before its tenancy became protected; and everything held for
# a visit that is known only from a held `visit.open` on such a tenancy.
# SQLite only: json_valid, json_extract and the cast of bytes, because an operation that could not be
# applied is kept as bytes alone, and a tenancy's `protected` stands in its record.
_IS_PROTECTED = (
    "(problem = 'protected' OR EXISTS (SELECT 1 FROM visit_index WHERE id = held.visit AND protected = 1)"
    " OR EXISTS (SELECT 1 FROM records WHERE type = 'tenancy' AND id = held.visit"
    " AND json_extract(body, '$.protected'))"
    " OR held.visit <> '' AND EXISTS (SELECT 1 FROM held AS opening JOIN records AS home"
    " ON home.type = 'tenancy' AND home.id = CASE WHEN json_valid(CAST(opening.bytes AS TEXT))"
    " THEN json_extract(CAST(opening.bytes AS TEXT), '$.data.tenancy') END"
    " WHERE opening.visit = held.visit AND opening.kind = 'visit.open'"
    " AND json_extract(home.body, '$.protected')))"
)
_COLUMNS = (
    "SELECT id, sha256, bytes, problem, kind, visit, device, by, sender, received_at, comment,"  # noqa: S608
    f" resolved_at, {_IS_PROTECTED} FROM held WHERE"
)
_SHOWN = f"(:see_protected OR NOT {_IS_PROTECTED})"
_OPEN = "state = 'open'"
_FILED = "resolved_how = 'file'"

NEWER = ("version_newer", "unknown_kind")
"""The problems of an operation that a newer server may know."""


def list_held(db: Database, *, see_protected: bool) -> list[HeldFields]:
    """What is open, in the order in which it arrived; without `see_protected` none that is about a
    protected tenancy."""
    # SQLite only: rowid is the order of arrival; `received_at` has seconds, and a push has hundreds.
    return _held(db, f"{_OPEN} AND {_SHOWN} ORDER BY rowid", see_protected=see_protected)


def list_filed(
    db: Database, *, see_protected: bool, visit: str = "", limit: int
) -> list[HeldFields]:
    """What has been filed, of one visit or ("") of all, the newest first."""
    where = f"{_FILED} AND {_SHOWN} AND (:visit = '' OR visit = :visit)"
    order = "ORDER BY resolved_at DESC LIMIT :limit"
    return _held(db, f"{where} {order}", see_protected=see_protected, visit=visit, limit=limit)


def find_held(
    db: Database, id: str, sha256: str, *, filed: bool = False, see_protected: bool
) -> HeldFields | None:
    """One operation that is open, or (`filed`) filed."""
    state = _FILED if filed else _OPEN
    where = f"{state} AND {_SHOWN} AND id = :id AND sha256 = :sha256"
    rows = _held(db, where, id=id, sha256=sha256, see_protected=see_protected)
    return rows[0] if rows else None


def list_newer(db: Database) -> list[HeldFields]:
    """What is open because this server did not know its kind or version, in order of arrival."""
    # SQLite only: rowid, as in `list_held`.
    where = f"{_OPEN} AND problem IN (:version, :kind) ORDER BY rowid"
    return _held(db, where, version=NEWER[0], kind=NEWER[1])


def _held(db: Database, where: str, **params: str | int) -> list[HeldFields]:
    return [HeldFields(*row) for row in db.execute(f"{_COLUMNS} {where}", params)]


def write_comment(db: Database, id: str, sha256: str, comment: str) -> None:
    """What the author of a held operation is asked."""
    db.execute(
        "UPDATE held SET comment = :comment WHERE id = :id AND sha256 = :sha256",
        {"id": id, "sha256": sha256, "comment": comment},
    )


def reopen(db: Database, id: str, sha256: str) -> None:
    """Make a filed operation open again."""
    db.execute(
        "UPDATE held SET state = 'open', resolved_how = '', resolved_by = '', resolved_at = ''"
        " WHERE id = :id AND sha256 = :sha256",
        {"id": id, "sha256": sha256},
    )


# --- exports --------------------------------------------------------------------------------------

EXPORTS: Mapping[str, str] = {
    "visits": (
        "SELECT id, tenancy, kind, state, area, street, apartment, city, date, time, move_in,"
        " closed_at, conflicts, late, follow_ups_open FROM visit_index"
        " WHERE protected = 0 ORDER BY move_in, id"
    ),
    "follow-ups": (
        "SELECT f.id, f.visit, f.queue, f.urgency, f.done, f.area, f.at FROM follow_up_index f"
        " JOIN visit_index v ON v.id = f.visit AND v.protected = 0 ORDER BY f.at, f.id"
    ),
    "consents": (
        "SELECT c.visit, c.purpose, c.decision, c.expires FROM consent_index c"
        " JOIN visit_index v ON v.id = c.visit AND v.protected = 0 ORDER BY c.visit, c.purpose"
    ),
    # That something was held, why, and how it ended; its content is read at the desk.
    # SQLite only: rowid, as in `list_held`.
    "held": (
        "SELECT id, visit, device, kind, problem, received_at,"  # noqa: S608
        " CASE state WHEN 'open' THEN 'open' ELSE resolved_how END AS state, resolved_at"
        f" FROM held WHERE NOT {_IS_PROTECTED} ORDER BY rowid"
    ),
}


def export(db: Database, what: str) -> tuple[list[str], Iterator[tuple[Any, ...]]]:
    """(column names, rows) of an export; `what` is a key of EXPORTS."""
    cursor = db.execute(EXPORTS[what])
    return [column[0] for column in cursor.description], cursor
