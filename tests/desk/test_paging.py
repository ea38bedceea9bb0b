"""Page numbers in addresses, and how many pages a list has."""

from __future__ import annotations

import pytest

from pwa.desk.parts.paging import PAGE_ROWS, count_pages, page_asked


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1", 1),
        ("7", 7),
        ("100000", 100_000),
        ("100001", None),
        ("9" * 5000, None),  # int() would raise
        ("0", None),
        ("-1", None),
        ("1.0", None),
        ("x", None),
        ("", None),
        ("٧", None),
        ("７", None),
        ("²", None),
    ],
)
def test_a_page_has_a_number_from_one(text: str, number: int | None) -> None:
    assert page_asked({"page": text}) == number


def test_without_a_number_it_is_the_first_page() -> None:
    assert page_asked({}) == 1


def test_an_empty_list_has_one_page() -> None:
    totals = (0, 1, PAGE_ROWS, PAGE_ROWS + 1)
    assert [count_pages(total) for total in totals] == [1, 1, 1, 2]
