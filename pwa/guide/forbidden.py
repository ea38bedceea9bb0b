"""Words that no text of the guide may use, in every language.

Invariant: a forbidden word (threats, somebody's country or religion, children taken away, permits,
legal advice in a dispute, rules that are not law) is found in any spelling of its beginning.
Meaning is not judged: a threat in other words passes, and a person must notice it.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from pwa.guide.languages import LANGUAGES

RULES: Final = Path(__file__).resolve().parent / "forbidden.toml"

# Letters that keyboards write in different ways; accents are removed by normalisation.
_SAME: Final = str.maketrans(
    {
        "\N{ARABIC LETTER YEH}": "\N{ARABIC LETTER FARSI YEH}",
        "\N{ARABIC LETTER ALEF MAKSURA}": "\N{ARABIC LETTER FARSI YEH}",
        "\N{ARABIC LETTER KAF}": "\N{ARABIC LETTER KEHEH}",
        "\N{ARABIC LETTER TEH MARBUTA}": "\N{ARABIC LETTER HEH}",
        "\N{ARABIC LETTER ALEF WASLA}": "\N{ARABIC LETTER ALEF}",
    }
)
_NO_LETTER: Final = re.compile(r"[\u200c\u200d\u0640\u2060]")


@dataclass(frozen=True, slots=True)
class Rule:
    """What no text may say: why not (an English msgid that quotes %(word)s), the words of each language
    that say it, and the keys of texts that are `excepted`."""

    name: str
    why: str
    words: Mapping[str, Sequence[str]]
    excepted: Sequence[str]


@cache
def rules() -> tuple[Rule, ...]:
    """All of forbidden.toml."""
    found = tomllib.loads(RULES.read_text("utf-8"))["rule"]
    return tuple(
        Rule(one["name"], one["why"], one["words"], one.get("except", ())) for one in found
    )


def find_forbidden(tag: str, key: str, text: str) -> list[tuple[str, str]]:
    """(word of the list, why) for each forbidden word that `text` of `key` in language `tag` uses."""
    plain = _plain(text)
    return [
        (word, rule.why)
        for rule, word, expression in _expressions(tag)
        if key not in rule.excepted and expression.search(plain)
    ]


@cache
def _expressions(tag: str) -> list[tuple[Rule, str, re.Pattern[str]]]:
    # In Arabic and Ethiopic script, small words are written together with the next one.
    joined = tag in LANGUAGES and LANGUAGES[tag].script in ("Arab", "Ethi")
    start = "" if joined else r"\b"
    return [
        (rule, word, re.compile(start + r"\s+".join(map(re.escape, _plain(word).split()))))
        for rule in rules()
        for word in rule.words.get(tag, [])
    ]


def _plain(text: str) -> str:
    apart = unicodedata.normalize("NFKD", text.translate(_SAME))
    bare = "".join(one for one in apart if unicodedata.category(one) != "Mn")
    return _NO_LETTER.sub("", bare.casefold())
