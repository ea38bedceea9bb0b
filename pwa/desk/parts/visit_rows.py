"""One visit of a list as its template takes it, with what the form to assign it needs.

Invariant: each rendering has a fresh operation id, so a form sent twice assigns once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pwa.desk.parts.filters import ASSIGN_STATES
from pwa.desk.parts.forms import new_operation
from pwa.desk.parts.language_names import language_name
from pwa.desk.parts.rows import VisitRow
from pwa.visits.view_models import weekday_of


def row_view(row: VisitRow, names: Mapping[str, str]) -> dict[str, Any]:
    """One row as its template takes it; with the hidden fields an assignment needs."""
    people = [one for one in (row.visitor, row.visitor2) if one]
    return {
        "id": row.id,
        "kind": row.kind,
        "state": row.state,
        "area": row.area,
        "street": row.street,
        "apartment": row.apartment,
        "city": row.city,
        "date": row.date,
        "weekday": weekday_of(row.date),
        "time": row.time,
        "people": [names.get(one, "") for one in people],
        "first": row.visitor,
        "second": row.visitor2,
        "language": language_name(row.language),
        "move_in": row.move_in,
        "conflicts": row.conflicts,
        "late": row.late,
        "follow_ups_open": row.follow_ups_open,
        "overdue": row.overdue,
        "unassigned": row.unassigned,
        "assignable": row.state in ASSIGN_STATES,
        "people_ids": ",".join(people),
        "operation": new_operation(),
        "base": row.seq,
    }
