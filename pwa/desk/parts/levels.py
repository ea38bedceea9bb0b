"""The levels on which a company sets its facts: the company itself, an area, a building.

Invariant: a level is named as pwa/homes/company.py names it, and one that no home and no fact knows
is not found; protected homes are not read for it.
"""

from __future__ import annotations

from collections.abc import Mapping

from pwa.homes import company
from pwa.problems import Problem
from pwa.services import get_services


class Level:
    """One place where facts are set: the company, an area or a building of it."""

    def __init__(self, scope: str, buildings: Mapping[str, str]) -> None:
        """`scope` as company.scope_of names it; `buildings` tells the area of each."""
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


def places() -> tuple[list[str], dict[str, str]]:
    """(areas by name, building → its area) of the company's homes; protected ones are not read."""
    with get_services().databases.reading() as db:
        areas, buildings = company.places(db)
    return areas, buildings


def level_of(scope: str) -> Level:
    """The level of that name, "" being the company. Raises Problem("not_found")."""
    if scope in ("", company.COMPANY):
        return Level(company.COMPANY, {})
    areas, buildings = places()
    known = {company.scope_of(area) for area in areas} | {
        company.scope_of(building=one) for one in buildings
    }
    if scope not in known:
        raise Problem("not_found")
    return Level(scope, buildings)
