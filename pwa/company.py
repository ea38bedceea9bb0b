"""The company's own facts on three levels: company, area, building; the nearest wins.

Invariant: a value is text as a tenant reads it, under a key that the guide knows
(pwa/guide/settings.toml). What is not set is absent: a text that needs it says "ask your
landlord" instead of an invented figure (DESIGN 6).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from sqlite_utils import Database

from pwa.guide.format import canonical

COMPANY = "company"


def create_tables(db: Database) -> None:
    db.table("company_settings").create(
        {"scope": str, "name": str, "value": str},
        pk=("scope", "name"),
        not_null={"value"},
        strict=True,
    )


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
