"""The fourteen languages of the guide: name, direction, Babel locale and script of each tag.

Invariant: direction comes from the language code, from this table alone, never from a guess
about the text. A tag that is not here has no guide; adding a language is adding a row, a file
and a catalogue. Autonyms and locales follow CLDR (Babel 2.18), where `prs` is unknown: Dari is
`fa-AF`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

Direction = Literal["ltr", "rtl"]
Script = Literal["Latn", "Arab", "Ethi", "Cyrl"]

ORIGINAL: Final = "sv"


@dataclass(frozen=True, slots=True)
class Language:
    """One language: BCP 47 `tag`, its own name, writing direction, Babel locale, script."""

    tag: str
    autonym: str
    direction: Direction
    babel: str
    script: Script


_ROWS: Final = (
    Language("sv", "svenska", "ltr", "sv", "Latn"),
    Language("en", "English", "ltr", "en", "Latn"),
    Language("ar", "العربية", "rtl", "ar", "Arab"),
    Language("so", "Soomaali", "ltr", "so", "Latn"),
    Language("ti", "ትግርኛ", "ltr", "ti", "Ethi"),
    Language("fa-AF", "دری", "rtl", "fa_AF", "Arab"),
    Language("fa", "فارسی", "rtl", "fa", "Arab"),
    Language("uk", "українська", "ltr", "uk", "Cyrl"),
    Language("ckb", "کوردیی ناوەندی (سۆرانی)", "rtl", "ckb", "Arab"),
    Language("kmr", "kurdî (kurmancî)", "ltr", "kmr", "Latn"),
    Language("tr", "Türkçe", "ltr", "tr", "Latn"),
    Language("bs", "bosanski", "ltr", "bs", "Latn"),
    Language("sq", "shqip", "ltr", "sq", "Latn"),
    Language("ps", "پښتو", "rtl", "ps", "Arab"),
)

LANGUAGES: Final[Mapping[str, Language]] = {row.tag: row for row in _ROWS}

# The first word of a letter's Unicode name tells its script.
_NAMES: Final[Mapping[Script, str]] = {
    "Latn": "LATIN",
    "Arab": "ARABIC",
    "Ethi": "ETHIOPIC",
    "Cyrl": "CYRILLIC",
}


def script_share(text: str, script: Script) -> float:
    """The part (0–1) of the letters of `text` that are written in `script`; 1.0 without letters."""
    letters = [one for one in text if unicodedata.category(one).startswith("L")]
    if not letters:
        return 1.0
    prefix = _NAMES[script]
    return sum(unicodedata.name(one, "").startswith(prefix) for one in letters) / len(letters)
