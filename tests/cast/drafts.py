"""What a desk submits for a new visit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pwa.visits.submitting import Draft
from tests.cast.operations import operation_id
from tests.cast.samples import FIELDS


def planned_visit(
    tenancy: str,
    visit: str,
    visitors: Sequence[str] = (),
    *,
    kind: str = "welcome",
    fields: Mapping[str, Any] = FIELDS,
    assignment: Mapping[str, Any] | None = None,
    new_id: Callable[[], str] = operation_id,
) -> list[Draft]:
    """Register a tenancy and plan a visit to it; assign it to `visitors` (user ids) with the keys of
    `assignment` (date, time). Without either it stays unassigned."""
    drafts = [
        Draft(new_id(), "tenancy.register", tenancy, fields, type="tenancy"),
        Draft(new_id(), "visit.plan", visit, {"tenancy": tenancy, "kind": kind}),
    ]
    if visitors or assignment:
        data = ({"visitors": list(visitors)} if visitors else {}) | dict(assignment or {})
        drafts.append(Draft(new_id(), "visit.assign", visit, data))
    return drafts
