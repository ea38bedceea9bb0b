"""What leaves as CSV: visits, follow-ups, consents, what was held, one row each.

Invariant: nothing of a protected tenancy and nobody's name, language, phone number or free
text is in an export (docs/design.md 7.3, 7.8); a cell never starts a formula in a spreadsheet (OWASP,
CSV injection). There are no totals in it: the desk counts, because it hides small cells.
"""

from __future__ import annotations

import csv
from typing import TextIO

from sqlite_utils import Database

from pwa.visits import tables

EXPORTS = tuple(sorted(tables.EXPORTS))


def export_csv(db: Database, what: str, out: TextIO) -> int:
    """Write the rows of `what` (one of EXPORTS) to `out` as RFC 4180 CSV with a header row.

    The number of rows without the header.
    """
    writer = csv.writer(out)
    columns, rows = tables.export(db, what)
    writer.writerow(columns)
    count = 0
    for row in rows:
        writer.writerow([safe_cell(value) for value in row])
        count += 1
    return count


def safe_cell(value: object) -> str:
    """A value as a cell that a spreadsheet shows and never runs."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r", "\0")) else text
