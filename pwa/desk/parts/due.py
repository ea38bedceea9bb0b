"""When a follow-up should have been answered, from its urgency and the day it was written.

Invariant: a day counts as the company counts working days, Monday to Friday; pure.
"""

from __future__ import annotations

from datetime import date, timedelta

WORKING_DAYS = 3
LONG_DAYS = 14


def due_day(urgency: str, at: str) -> date:
    """The day by which a follow-up of this urgency, written `at` (ISO 8601), should be answered.

    Saturdays and Sundays do not count for the three working days; public holidays do.
    """
    day = date.fromisoformat(at[:10])
    if urgency == "fourteen_days":
        return day + timedelta(days=LONG_DAYS)
    left = WORKING_DAYS if urgency == "three_days" else 0
    while left:
        day += timedelta(days=1)
        left -= day.isoweekday() <= 5
    return day


def late_before(urgency: str, today: date) -> str:
    """The first day that is not late: what was written before it is overdue today."""
    day = today - timedelta(days=LONG_DAYS + 7)
    while due_day(urgency, day.isoformat()) < today:
        day += timedelta(days=1)
    return day.isoformat()
