"""What a list of visits may be narrowed by, read from and written to a query string.

Invariant: everything in it may stand in a URL, so it holds no name, no address and no text a
person typed: areas, codes, months, user ids. A value that is not one of ours falls back to
"no filter" instead of an error, because a URL is often an old bookmark. SQL is made of these fields
in pwa/desk/parts/tables.py.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any
from urllib.parse import urlencode

from pwa.desk.parts.paging import page_asked
from sync.kinds import is_uuid

STATES = (
    "planned", "booked", "started", "done", "returned", "changed", "approved",
    "not_reached", "declined", "cancelled",
)  # fmt: skip
KINDS = ("welcome", "short", "revisit", "reactive", "contact")

# Names that stand for several states. "open" is what a supervisor works with, and what the list
# shows when nothing else is asked for: five years of finished visits are not today's work.
GROUPS: Mapping[str, tuple[str, ...]] = {
    "open": ("planned", "booked", "started", "not_reached", "returned"),
    "visited": ("done", "returned", "changed", "approved"),
    "review": ("done", "changed"),
    "all": STATES,
}
UNASSIGNED_STATES = ("planned", "booked", "started", "not_reached")
ASSIGN_STATES = (*UNASSIGNED_STATES, "returned", "declined")
OVERDUE_STATES = ("planned", "booked", "started", "not_reached")
SORTS = ("urgent", "date", "move_in", "address", "area", "state", "visitor")
_MONTH = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])\Z")
_AREA_CHARACTERS_MAX = 200


@dataclass(frozen=True, slots=True)
class VisitFilter:
    """One choice of visits. "" and False mean "do not narrow by this".

    `area` "-" stands for visits without an area; `moved_from` and `moved_to` are months
    ("2026-11"), both included.
    """

    state: str = "open"
    kind: str = ""
    area: str = ""
    visitor: str = ""
    language: str = ""
    moved_from: str = ""
    moved_to: str = ""
    unassigned: bool = False
    overdue: bool = False
    conflicts: bool = False
    sort: str = "urgent"
    page: int = 1

    @property
    def states(self) -> tuple[str, ...]:
        """The states it lets through."""
        return GROUPS.get(self.state, (self.state,))

    def url(self, path: str = "/desk/visits", **changes: Any) -> str:
        """`path` with this choice as its query string, some fields changed.

        Changing anything but the page goes back to the first page.
        """
        if "page" not in changes:
            changes["page"] = 1
        query = urlencode(replace(self, **changes).pairs())
        return f"{path}?{query}" if query else path

    def pairs(self) -> list[tuple[str, str]]:
        """(name, value) of what differs from no filter, for a query string or hidden fields."""
        plain = asdict(VisitFilter())
        return [
            (key, "1" if value is True else str(value))
            for key, value in asdict(self).items()
            if value != plain[key]
        ]

    @property
    def narrowed(self) -> int:
        """How many things it narrows by, the order and the page aside."""
        plain = VisitFilter(sort=self.sort, page=self.page)
        return sum(1 for key, value in asdict(self).items() if value != asdict(plain)[key])


def read_filter(args: Mapping[str, str], languages: Sequence[str]) -> VisitFilter:
    """The filter in a query string or form; unknown values are left out."""

    def one_of(name: str, allowed: Sequence[str], otherwise: str = "") -> str:
        value = args.get(name, "")
        return value if value in allowed else otherwise

    def month(name: str) -> str:
        value = args.get(name, "")
        return value if _MONTH.match(value) else ""

    visitor = args.get("visitor", "")
    return VisitFilter(
        state=one_of("state", (*STATES, *GROUPS), "open"),
        kind=one_of("kind", KINDS),
        area=args.get("area", "")[:_AREA_CHARACTERS_MAX],
        visitor=visitor if is_uuid(visitor) else "",
        language=one_of("language", languages),
        moved_from=month("moved_from"),
        moved_to=month("moved_to"),
        unassigned=args.get("unassigned", "") == "1",
        overdue=args.get("overdue", "") == "1",
        conflicts=args.get("conflicts", "") == "1",
        sort=one_of("sort", SORTS, "urgent"),
        page=page_asked(args) or 1,
    )
