"""The levels on which a company sets its facts: the company itself, an area, a building.

Invariant: a level is named as pwa/homes/company.py names it, and one that no home and no fact has
is not found; protected homes are not read for it.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlite_utils import Database

from pwa.homes import company
from pwa.problems import Problem


class Level:
    """One place where facts are set: the company, an area or a building of it."""

    def __init__(self, scope: str, buildings: Mapping[str, str]) -> None:
        """`scope` as company.scope_of names it; `buildings`: building → its area."""
        self.scope = scope
        kind, _, name = scope.partition(":")
        self.kind = kind
        self.name = name
        self.building = name if kind == "building" else ""
        self.area = name if kind == "area" else buildings.get(self.building, "")

    @property
    def above(self) -> str:
        """The level whose facts hold where this one says nothing."""
        if self.kind == "building" and self.area:
            return company.scope_of(self.area)
        return company.COMPANY


def level_of(db: Database, scope: str) -> Level:
    """The level of that name, "" being the company. Raises Problem("not_found")."""
    if scope in ("", company.COMPANY):
        return Level(company.COMPANY, {})
    areas, buildings = company.places(db)
    known = {company.scope_of(area) for area in areas} | {
        company.scope_of(building=one) for one in buildings
    }
    if scope not in known:
        raise Problem("not_found")
    return Level(scope, buildings)
