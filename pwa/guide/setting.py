"""The company facts that texts may name, read from settings.toml.

Invariant: a value is a string a tenant can read, or "" for "not set"; a choice is one of its
codes. Only facts that have a setting here can be stored at all.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from pwa.guide.languages import LANGUAGES
from sync.shapes import QUEUES

Type = Literal["text", "number", "money", "time", "phone", "choice", "choices", "role", "languages"]
Level = Literal["company", "area", "building"]

# No invisible characters: one that changes the direction of reading would change it for the text
# around the value. The joiners U+200C and U+200D are spelling in Persian and Kurdish.
_UNSEEN: Final = r"\x00-\x1f\x7f-\x9f\xad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff"
_SHAPES: Final = {
    "text": rf"[^{{}}{_UNSEEN}]{{1,200}}",
    "number": r"[0-9]{1,6}([–-][0-9]{1,6})?",
    "money": r"[0-9]{1,3}( ?[0-9]{3})*",
    "time": r"([01][0-9]|2[0-3]):[0-5][0-9]",
    "phone": r"\+?[0-9][0-9 -]{1,18}",
}


@dataclass(frozen=True, slots=True)
class Setting:
    """One fact: key, type, the levels it may be set on, demo default ("" = not set), label.

    `choices` are the codes of a choice; `label` is its name for the administrator, an English msgid
    that may contain %(queue)s.
    """

    key: str
    type: Type
    levels: tuple[Level, ...]
    default: str
    choices: tuple[str, ...]
    label: str

    @property
    def queue(self) -> str:
        """The queue whose follow-ups this setting redirects; "" for every other fact."""
        code = self.key.removeprefix("roles.")
        return code if code in QUEUES else ""

    @property
    def english(self) -> str:
        """The label on the command line and in PO files."""
        return self.label % {"queue": self.queue}

    def accepts(self, value: str) -> bool:
        """Whether `value` may be stored for this setting; "" always may (it removes the value)."""
        if value == "":
            return True
        if self.type == "choice":
            return value in self.choices
        if self.type == "choices":
            return _distinct(value, self.choices)
        if self.type == "languages":
            return _distinct(value, tuple(LANGUAGES))
        if self.type == "role":
            return value in QUEUES
        return re.fullmatch(_SHAPES[self.type], value) is not None


def _distinct(value: str, allowed: tuple[str, ...]) -> bool:
    codes = value.split(",")
    return len(set(codes)) == len(codes) and set(codes) <= set(allowed)
