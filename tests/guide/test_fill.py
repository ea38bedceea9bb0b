"""The server's half of sync/vectors/fill.json; tests/field/fill.test.mjs runs the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pwa.guide.fill import fill, localise, placeholders

VECTORS = json.loads(
    (Path(__file__).parents[2] / "sync/vectors/fill.json").read_text(encoding="utf-8")
)


@pytest.mark.parametrize("case", VECTORS["fill"], ids=lambda case: case["name"])
def test_fill_gives_what_the_vectors_have(case: dict[str, Any]) -> None:
    assert fill(case["text"], case["settings"], case["fallback"]) == case["expected"]


@pytest.mark.parametrize("case", VECTORS["localise"], ids=lambda case: case["name"])
def test_localise_gives_what_the_vectors_have(case: dict[str, Any]) -> None:
    assert localise(case["settings"], case["texts"]) == case["expected"]


def test_placeholders_are_found_in_order_and_repeated() -> None:
    assert placeholders("{b} {a.c} {b}") == ["b", "a.c", "b"]


@given(st.text(alphabet="ab .!?؟።\n(){}\"'xy", max_size=60))
def test_a_text_whose_settings_are_all_known_loses_nothing(text: str) -> None:
    keys = placeholders(text)
    whole = text.rstrip(" \n")
    for key in keys:
        whole = whole.replace(f"{{{key}}}", f"<{key}>")
    assert fill(text, {key: f"<{key}>" for key in keys}, "ASK.") == whole


@given(st.text(alphabet="ab .!?؟።\n(){}\"'xy", max_size=60))
def test_no_placeholder_is_ever_shown_and_the_fallback_is_shown_once(text: str) -> None:
    shown = fill(text, {}, "ASK.")
    assert placeholders(shown) == []
    assert shown.count("ASK.") == bool(placeholders(text))
