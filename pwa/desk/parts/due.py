"""The day by which a follow-up should be answered, from its urgency and the day it was written.

Invariant: every urgency of the protocol has its days here, and nowhere else; pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final

DAYS: Final[Mapping[str, int]] = {"now": 0, "same_day": 0, "three_days": 3, "fourteen_days": 14}
"""urgency → days until a follow-up of it should be answered, the most urgent first."""
_WORKING: Final = frozenset({"three_days"})  # urgencies whose days are working days


def due_day(urgency: str, at: str) -> date:
    """The day by which a follow-up of this urgency, written `at` (ISO 8601), should be answered.

    Saturdays and Sundays do not count for the three working days; public holidays do.
    """
    day = date.fromisoformat(at[:10])
    left = DAYS.get(urgency, 0)
    while left:
        day += timedelta(days=1)
        left -= urgency not in _WORKING or day.isoweekday() <= 5
    return day


def late_before(urgency: str, today: date) -> str:
    """The first day that is not late: what was written before it is overdue today."""
    day = today - timedelta(days=max(DAYS.values()) + 7)
    while due_day(urgency, day.isoformat()) < today:
        day += timedelta(days=1)
    return day.isoformat()
