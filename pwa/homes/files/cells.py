"""One cell at a time: trimming, emptiness, flags, postcodes, apartment numbers, languages.

Invariant: a value is normalised or refused, never corrected and never guessed; names keep
their spelling and their capital letters. Every function here is idempotent on its own output.
Personal identity numbers are refused in every field. Errors carry a code and no cell text.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date

from pwa.guide.languages import LANGUAGES
from pwa.homes.files.shapes import CellProblem
from sync.limits import CELL_CHARACTERS_MAX

# "Null" is a surname; only the spelling databases print counts as empty.
EMPTY_CELLS = frozenset(
    {"", "-", "–", "NULL", "#N/A", "#VALUE!", "#REF!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!"}
)
BLANK_FLAGS = frozenset({"", "-", "–", "NULL"})
CLEAR_NOES = frozenset({"n", "nej", "0", "false", "falskt", "no"})


def clean(text: str) -> str:
    """Composed form, single spaces, no padding, no invisible characters.

    The joiners U+200C and U+200D stay: they are spelling in Persian and Kurdish names.
    """
    words = " ".join(text.split())
    kept = "".join(c for c in words if unicodedata.category(c) not in _INVISIBLE or c in _JOINERS)
    return " ".join(unicodedata.normalize("NFC", kept).split())


_INVISIBLE = frozenset({"Cc", "Cf", "Cs"})
_JOINERS = "\u200c\u200d"


def simplify(text: str) -> str:
    """Letters and digits only, lower case, without diacritics: for comparing words."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in plain if c.isalnum())


def read_text(text: str) -> str:
    """A cleaned cell, "" when empty.

    Raises CellProblem: `personnummer`, `cell_too_long` for more than CELL_CHARACTERS_MAX characters.
    """
    value = clean(text)
    if value in EMPTY_CELLS:
        return ""
    if has_personnummer(value):
        raise CellProblem("personnummer")
    if len(value) > CELL_CHARACTERS_MAX:
        raise CellProblem("cell_too_long", limit=CELL_CHARACTERS_MAX)
    return value


# YYMMDD-NNNN, with or without century and divider, or with the date in ISO form. Spaces and
# dashes in other places are not tried: references such as 705-022-04-0201 would match.
_PERSONNUMMER = re.compile(
    r"(?<![0-9])(?:18|19|20)?([0-9]{2})-?([0-9]{2})-?([0-9]{2})(?: ?[-+–] ?| )?([0-9]{4})(?![0-9])"
)


def has_personnummer(text: str) -> bool:
    """Whether the text holds a Swedish personal identity or co-ordination number.

    A number counts when its date exists (day + 60 for co-ordination numbers) and its check
    digit is right (Luhn over the last ten digits, SFS 1991:481 18 §). One reference in some
    two hundred of ten undivided digits looks like one by chance and is refused as well:
    somebody sees a refused row and corrects it; nobody sees a stored number.
    """
    digits = "".join(str(unicodedata.digit(c, c)) for c in text)
    return any(_is_personnummer(*match.groups()) for match in _PERSONNUMMER.finditer(digits))


def _is_personnummer(year: str, month: str, day: str, last: str) -> bool:
    day_number = int(day) - 60 if int(day) > 60 else int(day)
    try:
        date(2000 + int(year), int(month), day_number)
    except ValueError:
        # 29 February of 1900 was no day; 2000 was a leap year, so no real date is missed.
        return False
    total = 0
    for index, digit in enumerate(year + month + day + last):
        product = int(digit) * (2 - index % 2)
        total += product // 10 + product % 10
    return total % 10 == 0


def read_apartment_number(text: str) -> str:
    """Four digits with the leading zero that spreadsheets eat; anything else stays as it is."""
    value = read_text(text)
    number = re.fullmatch(r"([0-9]{1,4})(?:[.,]0+)?", value)
    return number[1].zfill(4) if number else value


def read_postcode(text: str) -> str:
    """Five digits as text. Raises CellProblem for anything else; no Swedish code starts with 0."""
    value = read_text(text)
    if not value:
        return ""
    match = re.fullmatch(
        r"(?:SE?[- ]?)?([1-9][0-9]{2}) ?([0-9]{2})(?:[.,]0+)?", value, re.IGNORECASE
    )
    if not match:
        raise CellProblem("postcode_unreadable")
    return match[1] + match[2]


def read_email(text: str) -> str:
    """One address, as written. Only its shape is checked; a cell with two is not guessed at."""
    value = read_text(text)
    if value and not re.fullmatch(r"[^@\s,;<>]+@[^@\s,;<>]+\.[^@\s,;<>]+", value):
        raise CellProblem("email_unreadable")
    return value


def is_blank_flag(text: str) -> bool:
    """Whether a protected-identity cell says nothing at all."""
    return clean(text) in BLANK_FLAGS


def is_clear_no(text: str) -> bool:
    """Whether a protected-identity cell says no, and nothing else."""
    return clean(text).casefold() in CLEAR_NOES


def is_dwelling(object_type: str) -> bool:
    """Whether a kind of object is a home.

    Swedish compounds carry their meaning last: studentbostad and hyreslägenhet are homes,
    lägenhetsförråd is a storage room.
    """
    word = simplify(object_type)
    return re.fullmatch(r"(?!ej|icke|inte)[a-z]*(?:bostad|lagenhet)", word) is not None


def _languages_by_name() -> dict[str, str]:
    """Each name of each language, as `simplify` leaves it → its tag."""
    return {
        simplify(name): tag
        for tag, language in LANGUAGES.items()
        for name in (tag, language.autonym, *language.register_names)
    }


_LANGUAGES = _languages_by_name()
# Sorani and Kurmanji are not read by the same people.
_SEVERAL_LANGUAGES = frozenset({"ku", "kur", "kurdiska", "kurdish"})


def read_language(text: str) -> str:
    """The tag of a language of the guide, or "" for an empty cell.

    A cell may hold the tag, the language's own name or one of its `register_names`. Raises
    CellProblem: `language_unknown`; `language_ambiguous` for "Kurdish" alone.
    """
    value = read_text(text)
    if not value:
        return ""
    word = simplify(value)
    if word in _SEVERAL_LANGUAGES:
        raise CellProblem("language_ambiguous")
    region = re.fullmatch(r"([a-z]{2,3})[-_][a-z]{2}", value.casefold())
    tag = _LANGUAGES.get(word) or (_LANGUAGES.get(region[1]) if region else None)
    if tag is None:
        raise CellProblem("language_unknown")
    return tag
