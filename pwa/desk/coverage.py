"""The start page of the desk: how many welcome visits are made, and what waits for someone.

Invariant: each number is a link to exactly the visits it counts. Counts of work are shown
however small; nothing here is broken down by language, answer or topic, so no cell needs to be
hidden (docs/design.md 7.8). No effect of visits is claimed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from pwa.desk.parts import tables
from pwa.desk.parts.filters import VisitFilter
from pwa.desk.parts.phones import list_phones
from pwa.desk.parts.rows import Calendar, Cell
from pwa.services import get_services
from pwa.visits.holding import list_held
from pwa.web.access import get_current_user, may, requires

blueprint = Blueprint("coverage", __name__)

# The bar, from done to lost. Every state but `cancelled` is in one of these, so a bar is whole.
PARTS: Mapping[str, tuple[str, ...]] = {
    "visited": ("done", "returned", "changed", "approved"),
    "started": ("started",),
    "booked": ("booked",),
    "planned": ("planned",),
    "not_reached": ("not_reached",),
    "declined": ("declined",),
}
_PART_OF = {state: part for part, states in PARTS.items() for state in states}
PERIODS = {"3": 3, "12": 12, "all": 0}  # months back, this one included
BAR_UNITS = 1000  # width of a bar in its own units
PHONES_SHOWN = 8  # those that need someone first; the others are a link away


@dataclass(slots=True)
class Line:
    """One area, one month, or everything: how many visits are in each part."""

    name: str
    filter: VisitFilter
    parts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(PARTS, 0))
    states: dict[str, int] = field(default_factory=dict)
    overdue: int = 0

    def add(self, cell: Cell) -> None:
        part = _PART_OF.get(cell.state)
        if part is None:
            return
        self.parts[part] += cell.total
        self.states[cell.state] = self.states.get(cell.state, 0) + cell.total
        self.overdue += cell.overdue

    @property
    def total(self) -> int:
        return sum(self.parts.values())

    @property
    def percent(self) -> int:
        """Visited, in whole per cent, rounded down: 100 means all of them."""
        return self.parts["visited"] * 100 // self.total if self.total else 0

    def segments(self) -> list[dict[str, Any]]:
        """The bar's pieces {part, total, x, width}, in BAR_UNITS, without the empty ones."""
        pieces, x = [], 0
        done = 0
        for part, total in self.parts.items():
            done += total
            end = done * BAR_UNITS // self.total if self.total else 0
            if total:
                pieces.append({"part": part, "total": total, "x": x, "width": end - x})
            x = end
        return pieces

    def url(self, state: str = "all", **changes: Any) -> str:
        """The list of the visits counted under `state` on this line."""
        return self.filter.url(state=state, **changes)


@blueprint.get("/desk/")
@requires("coverage")
def page() -> ResponseReturnValue:
    services, user = get_services(), get_current_user()
    calendar = Calendar.now(services)
    period = request.args.get("period", "12")
    period = period if period in PERIODS else "12"
    moved_from = months_back(services.today(), PERIODS[period])
    with services.databases.reading() as db:
        cells = tables.coverage(db, moved_from, "", calendar)
        needs = tables.count_needs(db, calendar)
        follow_ups = tables.count_follow_ups(db, services.today())
        phones = list_phones(db, services.now(), services.assets.version)
        held = len(list_held(db, user)) if may(user, "held") else 0
    whole, areas, months = lines(cells, moved_from)
    return render_template(
        "desk/coverage.html",
        period=period,
        window_days=services.settings.visit_within_days,
        whole=whole,
        areas=areas,
        months=months,
        needs=needs,
        held=held,
        follow_ups_open=sum(total for total, _ in follow_ups.values()),
        follow_ups_late=sum(late for _, late in follow_ups.values()),
        phones=phones[:PHONES_SHOWN],
        phones_urgent=sum(phone.urgent for phone in phones),
    )


def months_back(today: date, months: int) -> str:
    """The first month of a period of `months` that ends with this one; "" for 0, no limit."""
    if months == 0:
        return ""
    number = today.year * 12 + today.month - months
    return f"{number // 12:04}-{number % 12 + 1:02}"


def lines(cells: Iterable[Cell], moved_from: str) -> tuple[Line, list[Line], list[Line]]:
    """Everything, then per area by name, then per month of moving in, the latest first."""
    base = VisitFilter(state="all", kind="welcome", moved_from=moved_from)
    whole = Line("", base)
    by_area: dict[str, Line] = {}
    by_month: dict[str, Line] = {}
    for cell in cells:
        whole.add(cell)
        if cell.area not in by_area:
            by_area[cell.area] = Line(cell.area, replace(base, area=cell.area or "-"))
        by_area[cell.area].add(cell)
        if not cell.month:
            continue
        if cell.month not in by_month:
            month = replace(base, moved_from=cell.month, moved_to=cell.month)
            by_month[cell.month] = Line(cell.month, month)
        by_month[cell.month].add(cell)
    areas = sorted((one for one in by_area.values() if one.total), key=lambda one: one.name)
    months = sorted((one for one in by_month.values() if one.total), key=lambda one: one.name)
    return whole, areas, months[::-1]
