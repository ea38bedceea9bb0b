"""The company's own facts on three levels: company, area, building; the nearest wins.

Invariant: a value is text as a tenant reads it, under a key that the guide knows
(pwa/guide/settings.toml). What is not set is absent: a text that needs it says "ask your
landlord" instead of an invented figure (DESIGN 6).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime

from sqlite_utils import Database

from pwa.guide.format import canonical

COMPANY = "company"


def scope_of(area: str = "", building: str = "") -> str:
    """The name under which a level's values are kept."""
    return f"building:{building}" if building else f"area:{area}" if area else COMPANY


def settings_for(db: Database, area: str, building: str) -> dict[str, str]:
    """Every setting in force for a dwelling in `area` and `building` ("" where unknown)."""
    scopes = [COMPANY]
    if area:
        scopes.append(scope_of(area))
    if building:
        scopes.append(scope_of(building=building))
    found: dict[str, str] = {}
    for scope in scopes:
        rows = db.execute("SELECT name, value FROM company_settings WHERE scope = ?", [scope])
        found |= dict(rows.fetchall())
    return found


def settings_of(db: Database, scope: str) -> dict[str, str]:
    """What is set on one level itself."""
    rows = db.execute("SELECT name, value FROM company_settings WHERE scope = ?", [scope])
    return dict(rows.fetchall())


def places(db: Database) -> tuple[list[str], dict[str, str]]:
    """(areas by name, building → its area) of the homes that have been imported, and of levels that
    something is set on. Protected homes are left out: nobody reads where they are."""
    rows = db.execute(
        "SELECT DISTINCT json_extract(body, '$.fields.area'), json_extract(body, '$.fields.building')"
        " FROM records WHERE type = 'tenancy' AND NOT json_extract(body, '$.protected')"
    ).fetchall()
    set_on = [scope for (scope,) in db.execute("SELECT DISTINCT scope FROM company_settings")]
    areas = {area for area, _ in rows if area} | _named(set_on, "area:")
    buildings = {building: area or "" for area, building in rows if building}
    return sorted(areas), {**dict.fromkeys(sorted(_named(set_on, "building:")), ""), **buildings}


def _named(scopes: list[str], kind: str) -> set[str]:
    return {scope.removeprefix(kind) for scope in scopes if scope.startswith(kind)}


def history(db: Database, scope: str, most: int) -> list[dict[str, str]]:
    """The last changes on a level, the newest first: name, before, after, by (user id, "" = the
    command line), at."""
    rows = db.query(
        "SELECT name, before, after, by, at FROM company_changes WHERE scope = ?"
        " ORDER BY rowid DESC LIMIT ?",
        [scope, most],
    )
    return [{key: str(value) for key, value in row.items()} for row in rows]


def change_settings(
    db: Database, values: Mapping[str, str], scope: str, *, by: str, now: datetime
) -> int:
    """Set `values` on one level and write down who did; how many were changed."""
    before = settings_of(db, scope)
    changed = {name: value for name, value in values.items() if before.get(name, "") != value}
    store_settings(db, changed, scope)
    db.table("company_changes").insert_all(
        {
            "scope": scope, "name": name, "before": before.get(name, ""), "after": value,
            "by": by, "at": now.isoformat(),
        }
        for name, value in changed.items()
    )  # fmt: skip
    return len(changed)


def fingerprint(db: Database, *besides: str) -> str:
    """A short name of every value on every level, and of `besides`: another name, another value."""
    rows = db.execute("SELECT scope, name, value FROM company_settings ORDER BY scope, name")
    return hashlib.sha256(canonical([besides, rows.fetchall()])).hexdigest()[:12]


def store_settings(db: Database, values: Mapping[str, str], scope: str = COMPANY) -> None:
    """Set `values` on one level; an empty value takes the setting away from that level."""
    for name, value in values.items():
        if value:
            db.table("company_settings").upsert(
                {"scope": scope, "name": name, "value": value}, pk=("scope", "name")
            )
        else:
            db.execute("DELETE FROM company_settings WHERE scope = ? AND name = ?", [scope, name])
