"""Visits to review, and those that were returned to their visitors.

Invariant: the one that has waited longest is on top, so none is forgotten at the bottom.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from pwa.blobs.named import count_missing
from pwa.desk.parts import staff, tables
from pwa.desk.parts.rows import Calendar, VisitRow
from pwa.desk.parts.visit_rows import row_view
from pwa.services import get_services
from pwa.web.access import requires

blueprint = Blueprint("review", __name__)


@blueprint.get("/desk/review")
@requires("review")
def page() -> ResponseReturnValue:
    services = get_services()
    calendar = Calendar.now(services)
    with services.databases.reading() as db:
        waiting, total = tables.list_to_review(db, calendar)
        returned = tables.list_returned(db, calendar)
        missing = count_missing(db, services.blobs, (row.id for row in (*waiting, *returned)))
        names = staff.names(db)
    return render_template(
        "desk/review.html",
        waiting=[_view(row, names, missing) for row in waiting],
        total=total,
        returned=[_view(row, names, missing) for row in returned],
    )


def _view(row: VisitRow, names: Mapping[str, str], missing: Mapping[str, int]) -> dict[str, Any]:
    return row_view(row, names) | {
        "closed_at": row.closed_at,
        "missing": missing.get(row.id, 0),
    }
