"""Two template filters for the guide's texts: placeholders set apart, and what a change changed.

Invariant: put together again, the pieces are the text, letter by letter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import Any, Final

from flask import Blueprint

from pwa.guide.fill import PLACEHOLDER

_WORDS: Final = re.compile(r"\s+|[^\s]+")


def pieces(text: str) -> list[dict[str, Any]]:
    """`text` cut at its placeholders: {text, place}."""
    found, done = [], 0
    for one in PLACEHOLDER.finditer(text):
        found += [
            {"text": text[done : one.start()], "place": False},
            {"text": one[0], "place": True},
        ]
        done = one.end()
    return [*found, {"text": text[done:], "place": False}]


def changed(text: str, other: str) -> list[dict[str, Any]]:
    """`text` cut where it differs from `other`, word by word: {text, only} (`only` = not there)."""
    return [{"text": part, "only": only} for part, only in _compare(text, other) if part]


def _compare(text: str, other: str) -> Iterator[tuple[str, bool]]:
    mine, theirs = _WORDS.findall(text), _WORDS.findall(other)
    for how, start, end, _, _ in SequenceMatcher(None, mine, theirs, autojunk=False).get_opcodes():
        yield "".join(mine[start:end]), how != "equal"


def register_filters(blueprint: Blueprint) -> None:
    """Give every template the filters `pieces` and `changed`."""
    blueprint.add_app_template_filter(pieces)
    blueprint.add_app_template_filter(changed)
