"""Pages of a long list: the one asked for, and how many there are.

A number that is none is not an error: it is an old bookmark, or a hand-typed address.
"""

from __future__ import annotations

from collections.abc import Mapping

PAGE_ROWS = 50
_PAGE_MAX = 100_000  # beyond any list; an integer of any length would be sent to the database


def page_asked(args: Mapping[str, str]) -> int | None:
    """The `page` of a query string: 1 where it has none, None where it is no page number."""
    number = args.get("page", "1")
    # isascii: int() also reads the digits of other scripts.
    if not (number.isascii() and number.isdigit() and 1 <= int(number) <= _PAGE_MAX):
        return None
    return int(number)


def count_pages(total: int, rows: int = PAGE_ROWS) -> int:
    """How many pages of `rows` each `total` rows fill; an empty list has one."""
    return max(1, -(-total // rows))
