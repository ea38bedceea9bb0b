"""The languages there are: name, direction, script, Babel locale and register names of each tag.

Invariant: a language is what the head of its guide file (texts/<tag>.toml) says it is, and that
alone: adding one is adding that file and a catalogue (`pwa/bundle/catalogues.py`), no row in any table.
Direction is never guessed from a text. A head that leaves something out is refused.

Autonyms and locales follow CLDR (Babel 2.18), where `prs` and `kmr` are unknown: Dari is
`fa-AF`, and Kurmanji's locale is `ku`.
"""

from __future__ import annotations

import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, get_args

Direction = Literal["ltr", "rtl"]
Script = Literal["Latn", "Arab", "Ethi", "Cyrl"]

ORIGINAL: Final = "sv"
TEXTS: Final = Path(__file__).resolve().parent / "texts"
HEAD: Final[Mapping[str, type]] = {
    "autonym": str,
    "direction": str,
    "script": str,
    "babel": str,
    "register_names": list,
}
"""What the head of a guide file says about its language, besides its tag and its state."""


@dataclass(frozen=True, slots=True)
class Language:
    """One language: BCP 47 `tag`, its own name, writing direction, Babel locale, script.

    `register_names` are the other names and codes under which a property system may know it
    (pwa/homes/files/cells.py compares them without capitals, accents and punctuation).
    """

    tag: str
    autonym: str
    direction: Direction
    babel: str
    script: Script
    register_names: tuple[str, ...]


def read_languages(directory: Path) -> dict[str, Language]:
    """tag → language for each guide file in `directory`: the original, then by their own names.

    ValueError for a head that lacks one of HEAD, or has a value that is not allowed.
    """
    found = [_read_head(path) for path in directory.glob("*.toml")]
    found.sort(key=lambda one: (one.tag != ORIGINAL, one.autonym.casefold()))
    return {one.tag: one for one in found}


def _read_head(path: Path) -> Language:
    # The head ends where the texts begin; parsing all texts of all languages would take a start
    # of the server longer than everything else together.
    head, _, _ = path.read_text("utf-8").partition("\n[")
    table = tomllib.loads(head)
    values: dict[str, Any] = {name: table.get(name) for name in HEAD}
    if not _is_valid(values):
        raise ValueError(
            f"{path.name}: the head must say autonym, babel, direction ({', '.join(get_args(Direction))}),"
            f" script ({', '.join(get_args(Script))}) and register_names (a list); it says {values}"
        )
    values["register_names"] = tuple(values["register_names"])
    return Language(path.stem, **values)


def _is_valid(values: Mapping[str, Any]) -> bool:
    return (
        all(isinstance(values[name], kind) and values[name] for name, kind in HEAD.items())
        and values["direction"] in get_args(Direction)
        and values["script"] in get_args(Script)
        and all(isinstance(one, str) and one for one in values["register_names"])
    )


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
