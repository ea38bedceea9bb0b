"""What leaves as CSV: visits, follow-ups, consents, what was held, one row each.

Invariant: nothing of a protected tenancy and nobody's name, language, phone number or free
text is in an export (DESIGN 7.3, 7.8); a cell never starts a formula in a spreadsheet (OWASP,
CSV injection). It refuses to count anything: breakdowns belong to the desk, where small cells
are hidden.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from typing import TextIO

from pwa.services import Services
from pwa.visits.holding import IS_PROTECTED

QUERIES: Mapping[str, str] = {
    "visits": (
        "SELECT id, tenancy, kind, state, area, street, apartment, city, date, time, move_in,"
        " closed_at, conflicts, late, follow_ups_open FROM visit_index"
        " WHERE protected = 0 ORDER BY move_in, id"
    ),
    "follow-ups": (
        "SELECT f.id, f.visit, f.queue, f.urgency, f.done, f.area, f.at FROM follow_up_index f"
        " JOIN visit_index v ON v.id = f.visit AND v.protected = 0 ORDER BY f.at, f.id"
    ),
    "consents": (
        "SELECT c.visit, c.purpose, c.decision, c.expires FROM consent_index c"
        " JOIN visit_index v ON v.id = c.visit AND v.protected = 0 ORDER BY c.visit, c.purpose"
    ),
    # That something was held, why, and how it ended; what it says is read at the desk.
    "held": (
        "SELECT id, visit, device, kind, problem, received_at,"  # noqa: S608
        " CASE state WHEN 'open' THEN 'open' ELSE resolved_how END AS state, resolved_at"
        f" FROM held WHERE NOT {IS_PROTECTED} ORDER BY rowid"
    ),
}


def export_csv(services: Services, what: str, out: TextIO) -> int:
    """Write the rows of `what` (a key of QUERIES) to `out` as RFC 4180 CSV with a header row.

    The number of rows without the header.
    """
    writer = csv.writer(out)
    count = 0
    with services.databases.reading() as db:
        cursor = db.execute(QUERIES[what])
        writer.writerow([column[0] for column in cursor.description])
        for row in cursor:
            writer.writerow([safe_cell(value) for value in row])
            count += 1
    return count


def safe_cell(value: object) -> str:
    """A value as a cell that a spreadsheet shows and never runs."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r", "\0")) else text
