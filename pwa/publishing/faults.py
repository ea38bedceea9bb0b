"""What makes a text unusable, whatever the language: a lost placeholder, a wrong digit.

Invariant: a text without faults can be shown with the company's facts in it wherever its
original can. Words are not judged here: that is for the reviewer and `troskel guide check`.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from flask_babel import gettext

from pwa.guide.check import LABEL_CHARACTERS_MAX
from pwa.guide.fill import placeholders
from pwa.messages import N_

TEXT_CHARACTERS_MAX: Final = 4000  # the longest today has 1,500; every phone stores all of them


@dataclass(frozen=True, slots=True)
class Fault:
    """`words` is an English msgid that says what to do; `params` are its named values."""

    words: str
    params: dict[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        return str(gettext(self.words, **self.params))


def faults(key: str, original: str, text: str) -> list[Fault]:
    """Everything for which `text` cannot stand for the Swedish `original` under `key`."""
    if not text.strip(" \n") and original.strip(" \n"):
        return [Fault(N_("The text is empty."))]
    return list(_faults(key, original, text))


def _faults(key: str, original: str, text: str) -> Iterator[Fault]:
    wanted, found = Counter(placeholders(original)), Counter(placeholders(text))
    if lost := _named(wanted - found):
        yield Fault(
            N_("%(places)s is missing. Put it back exactly as it stands in the Swedish text."),
            {"places": lost},
        )
    if more := _named(found - wanted):
        yield Fault(N_("%(places)s is not in the Swedish text. Remove it."), {"places": more})
    if any(text.count(brace) != sum(found.values()) for brace in "{}"):
        yield Fault(
            N_("There is a { or } that belongs to no placeholder. Take it out, or complete it.")
        )
    if any(unicodedata.category(one) == "Nd" and not one.isascii() for one in text):
        yield Fault(N_("Write digits as 0–9, also in this language."))
    if (original[:1].isspace(), original[-1:].isspace()) != (
        text[:1].isspace(),
        text[-1:].isspace(),
    ):
        yield Fault(N_("It must begin and end with a blank where the Swedish text does, only."))
    most = LABEL_CHARACTERS_MAX if key.endswith((".label", ".title")) else TEXT_CHARACTERS_MAX
    if len(text) > most:
        yield Fault(N_("It is longer than %(count)s characters. Make it shorter."), {"count": most})


def _named(names: Counter[str]) -> str:
    return " ".join(f"{{{name}}}" for name in names.elements())
