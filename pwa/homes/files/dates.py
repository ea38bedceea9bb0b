"""Dates as property systems write them, read in one way or refused.

Invariant: a date that two people could read differently is refused, also where only one of the
readings makes sense. Years that no lease of today can have are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, timedelta

from pwa.homes.files.cells import clean
from pwa.homes.files.shapes import CellProblem

YEAR_MIN = 1940
YEARS_AHEAD_MAX = 5
OPEN_END = date(9999, 12, 31)  # what databases write for "until further notice"

# Day 0 of spreadsheet serials from March 1900 on. The format counts a 29 February 1900 that
# never was, hence the 30th and not the 31st.
_SERIAL_ZERO = date(1899, 12, 30)

_TIME = r"(?:[ T][0-9]{1,2}[:.][0-9]{2}(?:[:.][0-9]{2}(?:[.,][0-9]+)?)?Z?)?"
_YEAR_FIRST = re.compile(r"([0-9]{4})([-/.])([0-9]{1,2})\2([0-9]{1,2})" + _TIME)
_DAY_FIRST = re.compile(r"([0-9]{1,2})([-/.])([0-9]{1,2})\2([0-9]{4})" + _TIME)
_SHORT_YEAR = re.compile(r"[0-9]{1,2}([-/.])[0-9]{1,2}\1[0-9]{2}" + _TIME)
_DIGITS = re.compile(r"([0-9]{4}|[0-9]{2})([0-9]{2})([0-9]{2})" + _TIME)
_SERIAL = re.compile(r"([0-9]{5})(?:[.,][0-9]+)?")


def has_month_first(cells: Iterable[str]) -> bool:
    """Whether a column proves that it writes 11/30/2026.

    In such a column 11/12/2026 is not a Swedish 11 December, so every date with slashes in
    it loses its reading.
    """
    for cell in cells:
        match = _DAY_FIRST.fullmatch(clean(cell))
        if match and match[2] == "/" and int(match[1]) <= 12 < int(match[3]) <= 31:
            return True
    return False


def read_date(
    text: str, *, today: date, month_first: bool = False, open_end: bool = False
) -> date | None:
    """The date in a cell that is not empty; None only for an open end, where one is allowed.

    Reads 2026-11-30 (also with / or . and a time after it), 20261130, 261130 (year first,
    the short form of property systems), 30/11/2026, 30.11.2026 and spreadsheet serials (46356).
    Raises CellProblem: `date_ambiguous` for a two-digit year between dividers,
    `date_impossible`, `date_out_of_range`, `date_unreadable`.
    """
    value = clean(text)
    if match := _YEAR_FIRST.fullmatch(value):
        found = _make(match[1], match[3], match[4])
    elif match := _DAY_FIRST.fullmatch(value):
        if month_first and match[2] == "/" and int(match[1]) <= 12 and match[1] != match[3]:
            raise CellProblem("date_ambiguous")
        found = _make(match[4], match[3], match[1])
    elif _SHORT_YEAR.fullmatch(value):
        raise CellProblem("date_ambiguous")
    elif match := _DIGITS.fullmatch(value):
        year = match[1] if len(match[1]) == 4 else _full_year(match[1], today)
        found = _make(year, match[2], match[3])
    elif match := _SERIAL.fullmatch(value):
        found = _SERIAL_ZERO + timedelta(days=int(match[1]))
    else:
        raise CellProblem("date_unreadable")
    if open_end and found == OPEN_END:
        return None
    if not YEAR_MIN <= found.year <= today.year + YEARS_AHEAD_MAX:
        raise CellProblem("date_out_of_range")
    return found


def _full_year(two_digits: str, today: date) -> str:
    this_century = today.year // 100 * 100 + int(two_digits)
    return str(this_century if this_century <= today.year + YEARS_AHEAD_MAX else this_century - 100)


def _make(year: str, month: str, day: str) -> date:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        raise CellProblem("date_impossible") from None
