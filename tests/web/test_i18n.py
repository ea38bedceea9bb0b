"""The direction follows from the language, times are in the company's time zone."""

from __future__ import annotations

import pytest
from flask import Flask

from pwa.web.i18n import direction, moment


@pytest.mark.parametrize("tag", ["ar", "fa", "fa-AF", "ckb"])
def test_languages_in_arabic_script_are_right_to_left(tag: str) -> None:
    assert direction(tag) == "rtl"


@pytest.mark.parametrize("tag", ["sv", "en", "so", "ti", "uk", "kmr", "tr", "", "xx"])
def test_other_languages_are_left_to_right(tag: str) -> None:
    assert direction(tag) == "ltr"


def test_a_time_is_shown_in_the_companys_time_zone(app: Flask) -> None:
    with app.test_request_context():
        assert moment("2026-11-22T13:05:00+00:00") == "2026-11-22 14:05"
        assert moment("2026-07-01T23:30:00+00:00") == "2026-07-02 01:30"
