"""The company's own facts on three levels: company, area, building; the nearest wins.

Invariant: a value is text as a tenant reads it, under a key that the guide knows
(pwa/guide/settings.toml). A fact that is not set is absent: a text that needs it says "ask your
landlord" instead of an invented figure (docs/design.md 6.4).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime

from sqlite_utils import Database

from pwa.guide.format import canonical
from pwa.homes import tables

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
        found |= tables.read_settings(db, scope)
    return found


def settings_of(db: Database, scope: str) -> dict[str, str]:
    """What is set on one level itself."""
    return tables.read_settings(db, scope)


def places(db: Database) -> tuple[list[str], dict[str, str]]:
    """(areas by name, building → its area) of the homes that have been imported, and of the levels
    that something is set on. Protected homes are left out: nobody reads where they are."""
    homes = tables.list_places(db)
    scopes = tables.list_scopes(db)
    areas = {area for area, _ in homes if area} | _named(scopes, "area:")
    buildings = {building: area for area, building in homes if building}
    return sorted(areas), {**dict.fromkeys(sorted(_named(scopes, "building:")), ""), **buildings}


def _named(scopes: list[str], kind: str) -> set[str]:
    return {scope.removeprefix(kind) for scope in scopes if scope.startswith(kind)}


def history(db: Database, scope: str, most: int) -> list[dict[str, str]]:
    """The last changes on a level, the newest first: name, before, after, by (user id, "" = the
    command line), at."""
    return tables.list_changes(db, scope, most)


def change_settings(
    db: Database, values: Mapping[str, str], scope: str, *, by: str, now: datetime
) -> int:
    """Set `values` on one level and add who did it to the history; how many were changed."""
    before = settings_of(db, scope)
    changed = {name: value for name, value in values.items() if before.get(name, "") != value}
    store_settings(db, changed, scope)
    for name, value in changed.items():
        tables.add_change(
            db,
            {
                "scope": scope,
                "name": name,
                "before": before.get(name, ""),
                "after": value,
                "by": by,
                "at": now.isoformat(),
            },
        )
    return len(changed)


def fingerprint(db: Database, *besides: str) -> str:
    """A short hash of every value on every level, and of `besides`."""
    return hashlib.sha256(canonical([besides, tables.list_settings(db)])).hexdigest()[:12]


def store_settings(db: Database, values: Mapping[str, str], scope: str = COMPANY) -> None:
    """Set `values` on one level; an empty value removes the setting from that level."""
    for name, value in values.items():
        if value:
            tables.write_setting(db, scope, name, value)
        else:
            tables.delete_setting(db, scope, name)
