"""The languages there are: name, direction, script and Babel locale of each tag.

Invariant: a language is what the head of its guide file (texts/<tag>.toml) says it is, and that
alone: adding one is adding that file and a catalogue (`pwa/bundle/catalogues.py`), no row in any table.
Direction is never guessed from a text. It refuses a head that leaves something out.

Autonyms and locales follow CLDR (Babel 2.18), where `prs` and `kmr` are unknown: Dari is
`fa-AF`, and Kurmanji's locale is `ku`.
"""

from __future__ import annotations

import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, get_args

Direction = Literal["ltr", "rtl"]
Script = Literal["Latn", "Arab", "Ethi", "Cyrl"]

ORIGINAL: Final = "sv"
TEXTS: Final = Path(__file__).resolve().parent / "texts"
HEAD: Final = ("autonym", "direction", "script", "babel")
"""What the head of a guide file says about its language, beside its tag and its state."""


@dataclass(frozen=True, slots=True)
class Language:
    """One language: BCP 47 `tag`, its own name, writing direction, Babel locale, script."""

    tag: str
    autonym: str
    direction: Direction
    babel: str
    script: Script


def read_languages(directory: Path) -> dict[str, Language]:
    """tag → language for each guide file in `directory`: the original, then by their own names.

    ValueError for a head that lacks one of HEAD, or says what cannot be.
    """
    found = [_read_head(path) for path in directory.glob("*.toml")]
    found.sort(key=lambda one: (one.tag != ORIGINAL, one.autonym.casefold()))
    return {one.tag: one for one in found}


def _read_head(path: Path) -> Language:
    # The head ends where the texts begin; parsing all texts of all languages would take a start
    # of the server longer than everything else together.
    head, _, _ = path.read_text("utf-8").partition("\n[")
    said = tomllib.loads(head)
    words = {name: said.get(name, "") for name in HEAD}
    possible = (
        all(isinstance(word, str) and word for word in words.values())
        and words["direction"] in get_args(Direction)
        and words["script"] in get_args(Script)
    )
    if not possible:
        raise ValueError(
            f"{path.name}: the head must say autonym, babel, direction ({', '.join(get_args(Direction))})"
            f" and script ({', '.join(get_args(Script))}); it says {words}"
        )
    return Language(path.stem, **words)


LANGUAGES: Final[Mapping[str, Language]] = read_languages(TEXTS)

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
