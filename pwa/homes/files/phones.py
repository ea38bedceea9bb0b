"""Phone cells: numbers in international form beside what the file said.

Invariant: a number gets an E.164 form only when nothing had to be guessed; otherwise its original
is kept without one. Which numbers exist, in Sweden and elsewhere, is looked up in the numbering
plans of phonenumberslite; how a cell is split and what is kept of it is decided here. Words are not
kept: as soon as a cell holds more than a number and a label such as (mobil), it is free text about
a person.
"""

from __future__ import annotations

import re

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat

from pwa.homes.files.cells import EMPTY_CELLS, clean, has_personnummer
from pwa.homes.files.shapes import Phone
from sync.limits import PHONE_CHARACTERS_MAX

_DIVIDER = re.compile(r"[/,;|\n\r]|\boch\b|\beller\b", re.IGNORECASE)
_LABEL = re.compile(
    r"\(?\b(?:mobil(?:nr|telefon)?|mob|hem|hemtel|bostad|bost|arbete|arb|jobb|tfn|tel|telefon)\b[.:]?\)?",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\+?[0-9][0-9 .()\-–]*")
_DIGITS_MIN = 5


def read_phones(cell: str) -> tuple[list[Phone], list[str]]:
    """The numbers of one cell and the codes of what was wrong with it."""
    phones: list[Phone] = []
    problems: list[str] = []
    if clean(cell) in EMPTY_CELLS:
        return phones, problems
    for part in _parts(cell):
        phone, problem = _read_part(part)
        if phone is not None:
            phones.append(phone)
        if problem is not None and problem not in problems:
            problems.append(problem)
    return phones, problems


def _parts(cell: str) -> list[str]:
    # Dividers are looked for before trimming: a line break inside a cell divides two numbers.
    parts = [part for part in (clean(part) for part in _DIVIDER.split(cell)) if part]
    # 021/12 34 56: the slash stands between area code and number, not between two numbers.
    joined: list[str] = []
    for part in parts:
        if (
            joined
            and re.fullmatch(r"0[0-9]{1,3}", joined[-1])
            and len(_digits(part)) >= _DIGITS_MIN
        ):
            joined[-1] = f"{joined[-1]}/{part}"
        else:
            joined.append(part)
    return joined


def _read_part(part: str) -> tuple[Phone | None, str | None]:
    text = part.replace("/", "-")
    numbers = [n.strip(" .-–(") for n in _NUMBER.findall(text)]
    numbers = [n for n in numbers if len(_digits(n)) >= _DIGITS_MIN]
    if not numbers:
        # A lone "78" after a slash is an extension of the number before it.
        return None, "phone_incomplete" if _digits(part) == part else "phone_unreadable"
    if _may_be_personnummer(text):
        return None, "personnummer"
    rest = _LABEL.sub("", _NUMBER.sub("", text))
    only_number = len(numbers) == 1 and not rest.strip(" .:-–()")
    original = part if only_number else " ".join(numbers)
    if len(original) > PHONE_CHARACTERS_MAX:
        return None, "phone_unreadable"
    e164, problem = _to_e164(numbers[0]) if len(numbers) == 1 else (None, "phone_incomplete")
    if problem is None and not only_number:
        problem = "phone_text_dropped"
    return Phone(original=original, e164=e164), problem


# 0701234567 has the shape of somebody born on 23 January 2007. Ten undivided digits after a 0
# are a phone number here, or every two-hundredth mobile number would be lost.
_PHONE_SHAPED = re.compile(
    r"(?<![0-9])(?:0[0-9]{9}|(?:\+|00)[0-9]{1,3}[ -]?(?:\(0\))?[ -]?[0-9]{6,11})(?![0-9])"
)


def _may_be_personnummer(text: str) -> bool:
    return has_personnummer(_PHONE_SHAPED.sub("x", text))


def _to_e164(number: str) -> tuple[str | None, str | None]:
    # Without an area code the library would read 12 34 56 78 as 012-34 56 78.
    if not number.startswith(("+", "0")):
        return None, "phone_area_code_missing"
    try:
        found = phonenumbers.parse(number, "SE")
    except NumberParseException:
        return None, "phone_incomplete"
    # Valid, not only possible: a Swedish mobile number of eight digits is "possible".
    if not phonenumbers.is_valid_number(found):
        return None, "phone_incomplete"
    return phonenumbers.format_number(found, PhoneNumberFormat.E164), None


def _digits(text: str) -> str:
    return re.sub(r"[^0-9]", "", text)
