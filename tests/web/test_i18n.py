"""The direction of a language comes from its code."""

from __future__ import annotations

import pytest

from pwa.i18n import direction


@pytest.mark.parametrize("tag", ["ar", "fa", "fa-AF", "fa_AF", "ckb", "ps", "AR"])
def test_arabic_letters_run_from_the_right(tag: str) -> None:
    assert direction(tag) == "rtl"


@pytest.mark.parametrize("tag", ["sv", "en", "so", "ti", "uk", "kmr", "tr", "bs", "sq", ""])
def test_other_letters_run_from_the_left(tag: str) -> None:
    assert direction(tag) == "ltr"
