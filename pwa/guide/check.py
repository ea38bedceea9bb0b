"""Can the guide be used? What `troskel guide check` reports.

Invariant: `ok` is true only when nothing is missing in any language file and no check fails.
The checks find what a reader of one language cannot see: a lost placeholder, a changed number, a
text left in Swedish, a word that no guide may use (forbidden.toml), a review of an older original.
Whether a text is good is not checked: a person decides that and is recorded as the reviewer.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from pwa.guide.fill import PLACEHOLDER, placeholders
from pwa.guide.forbidden import find_forbidden
from pwa.guide.format import CONTEXT, STATES, Guide, answer_key
from pwa.guide.languages import LANGUAGES, ORIGINAL, script_share
from pwa.messages import N_

LABEL_CHARACTERS_MAX: Final = 40
SCRIPT_SHARE_MIN: Final = 0.85
# Below this a text is too short for its length, or its likeness to Swedish, to say anything.
MEASURED_CHARACTERS_MIN: Final = 40
LENGTH_FACTORS: Final = (0.45, 2.2)
SWEDISH_RUN: Final = 4
# Words that are the same in Swedish and in another language, and may be.
SAME_AS_SWEDISH: Final = frozenset({"app", "original", "sms", "boskola"})

_BRACKETS = re.compile(r"\([^()]*\)|\[[^][]*\]")
_DIGITS = re.compile(r"[0-9]+")
_WORD = re.compile(r"[^\W\d_]+|\|")
_LATIN_MARK = re.compile(r"[\u0621-\u06d5]\s*[,;?]")
_BIDI = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")


@dataclass(frozen=True, slots=True)
class Doubt:
    """What may be wrong with one text: an English msgid and its values. str() is in English."""

    words: str
    values: dict[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.words % self.values


@dataclass(frozen=True, slots=True)
class Finding:
    """One problem: in which language ("" = the structure), at which key, what."""

    language: str
    key: str
    problem: str


@dataclass(frozen=True, slots=True)
class Count:
    """How many texts a language has, lacks, and has in each state."""

    texts: int
    missing: int
    states: dict[str, int]


@dataclass(frozen=True, slots=True)
class Report:
    """The result of `check`: number of items, counts per language, everything found."""

    items: int
    languages: dict[str, Count]
    problems: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        return not self.problems and not any(one.missing for one in self.languages.values())

    def as_json(self) -> dict[str, Any]:
        """{"items", "languages": {tag: {texts, missing, original, …}}, "problems": […]}."""
        return {
            "items": self.items,
            "languages": {
                tag: {"texts": one.texts, "missing": one.missing, **one.states}
                for tag, one in self.languages.items()
            },
            "problems": [
                {"language": one.language, "key": one.key, "problem": one.problem}
                for one in self.problems
            ],
        }

    def as_text(self) -> str:
        """A table of the languages, then the keys by problem."""
        head = f"{'language':<10}{'texts':>8}{'missing':>9}"
        lines = [f"{self.items} items", "", head + "".join(f"{name:>12}" for name in STATES)]
        for tag, one in self.languages.items():
            row = f"{tag:<10}{one.texts:>8}{one.missing:>9}"
            lines.append(row + "".join(f"{one.states[name]:>12}" for name in STATES))
        without = [tag for tag in LANGUAGES if tag not in self.languages]
        lines += ["", f"no file yet: {', '.join(without) or 'none'}"]
        groups: dict[tuple[str, str], list[str]] = {}
        for found in self.problems:
            groups.setdefault((found.language or "structure", found.problem), []).append(found.key)
        for (where, problem), keys in groups.items():
            lines += ["", f"{where}: {problem} ({len(keys)})", f"  {' '.join(keys)}"]
        lines += ["", "ok" if self.ok else "not ok"]
        return "\n".join(lines)


def check(guide: Guide) -> Report:
    """Everything that is missing or doubtful in `guide`."""
    wanted = guide.text_keys
    counts = {}
    for tag, language in sorted(
        guide.languages.items(), key=lambda row: list(LANGUAGES).index(row[0])
    ):
        states = Counter(guide.state_of(tag, key) for key in language.texts)
        counts[tag] = Count(
            texts=len(language.texts),
            missing=sum(key not in language.texts for key in wanted),
            states={name: states[name] for name in STATES},
        )
    problems = list(_structure(guide))
    for tag in counts:
        problems += _language(guide, tag)
    return Report(len(guide.items), counts, tuple(problems))


def _structure(guide: Guide) -> Iterator[Finding]:
    original = guide.languages[ORIGINAL].texts
    filled = {item.section for item in guide.items.values()}
    for section in guide.sections:
        if section not in filled:
            yield Finding("", section, "a section without items")
    for item in guide.items.values():
        keys = [f"{item.key}.label", f"{item.key}.explain"]
        keys += [answer_key(guide, item, code) for code in item.answers]
        used = {name for key in keys for name in placeholders(original.get(key, ""))} - CONTEXT
        if used != set(item.settings):
            yield Finding("", item.key, "settings are not those that its texts name")
    offered = {purpose for item in guide.items.values() for purpose in item.consents}
    for key, consent in guide.consents.items():
        if key not in offered:
            yield Finding("", key, "a consent that no item offers")
        if consent.original_sha256 != guide.consent_hash(key, ORIGINAL):
            reason = "the wording has changed: raise version, and write original_sha256 = "
            yield Finding("", key, f'{reason}"{guide.consent_hash(key, ORIGINAL)}"')
        named = "recipient" in placeholders(original.get(f"{key}.text", ""))
        if named != (consent.recipient == "named"):
            yield Finding("", key, "{recipient} stands in the text of a named recipient, only")


def _language(guide: Guide, tag: str) -> Iterator[Finding]:
    texts = guide.languages[tag].texts
    known = set(guide.text_keys)
    for key in guide.text_keys:
        if key not in texts:
            yield Finding(tag, key, "missing")
    for key, text in texts.items():
        if key not in known:
            yield Finding(tag, key, "unknown key")
            continue
        for doubt in doubts(guide, tag, key, text):
            yield Finding(tag, key, str(doubt))
    for key, review in guide.languages[tag].reviews.items():
        if review.of != guide.original_hash(key):
            yield Finding(tag, key, "the original has changed since this was reviewed")


def doubts(guide: Guide, tag: str, key: str, text: str) -> Iterator[Doubt]:
    """What is doubtful about `text` as the text of `key` in `tag`."""
    for name in placeholders(text):
        if name not in guide.settings and name not in CONTEXT:
            yield Doubt(N_("%(name)s is no setting"), {"name": f"{{{name}}}"})
    if text.count("{") != len(placeholders(text)) or text.count("}") != len(placeholders(text)):
        yield Doubt(N_("a brace that belongs to no placeholder"))
    if key.endswith((".label", ".title")) and len(text) > LABEL_CHARACTERS_MAX:
        yield Doubt(N_("longer than %(count)s characters"), {"count": LABEL_CHARACTERS_MAX})
    if any(unicodedata.category(one) == "Nd" and not one.isascii() for one in text):
        yield Doubt(N_("digits must be Latin (0–9)"))
    if any(unicodedata.bidirectional(one) in _BIDI for one in text):
        yield Doubt(N_("an invisible mark of direction: the page isolates what needs it"))
    if "<" in text or "&" in text:
        yield Doubt(N_("signs of HTML: < or &"))
    if text.count("(") != text.count(")"):
        yield Doubt(N_("brackets that do not match"))
    if LANGUAGES[tag].script == "Arab" and _LATIN_MARK.search(PLACEHOLDER.sub("", text)):
        yield Doubt(N_("a Latin comma, semicolon or question mark after an Arabic letter"))
    for word, why in find_forbidden(tag, key, text):
        yield Doubt(why, {"word": word})
    # Swedish terms that tenants meet stand in brackets; they are allowed.
    words = PLACEHOLDER.sub("", _BRACKETS.sub("", text))
    if script_share(words, LANGUAGES[tag].script) < SCRIPT_SHARE_MIN:
        yield Doubt(N_("written in another script than the language’s"))
    original = guide.languages[ORIGINAL].texts.get(key)
    if tag != ORIGINAL and original is not None:
        yield from _against(original, text)


def _against(original: str, text: str) -> Iterator[Doubt]:
    if Counter(placeholders(original)) != Counter(placeholders(text)):
        yield Doubt(N_("placeholders differ from the original"))
    if (original[:1].isspace(), original[-1:].isspace()) != (
        text[:1].isspace(),
        text[-1:].isspace(),
    ):
        yield Doubt(N_("a blank at its beginning or end differs from the original"))
    if _numbers(original) != _numbers(text):
        yield Doubt(N_("numbers differ from the original"))
    if len(original) >= MEASURED_CHARACTERS_MIN:
        low, high = LENGTH_FACTORS
        if not low <= len(text) / len(original) <= high:
            yield Doubt(N_("much shorter or longer than the original"))
    if run := _left_in_swedish(original, text):
        yield Doubt(N_("Swedish was left in it: “%(words)s”"), {"words": run})
    has_letters = any(one.isalpha() for one in original)
    if has_letters and text == original and text.lower() not in SAME_AS_SWEDISH:
        yield Doubt(N_("the same as the Swedish text"))


def _left_in_swedish(original: str, text: str) -> str:
    """The first SWEDISH_RUN words of the original that stand in a row in `text`, outside brackets;
    "" for none. Names are one or two words; four in a row are a sentence nobody translated."""
    swedish = _WORD.findall(PLACEHOLDER.sub(" ", _BRACKETS.sub(" | ", original)).casefold())
    found = " ".join(_WORD.findall(PLACEHOLDER.sub(" ", _BRACKETS.sub(" | ", text)).casefold()))
    for start in range(len(swedish) - SWEDISH_RUN + 1):
        run = " ".join(swedish[start : start + SWEDISH_RUN])
        if f" {run} " in f" {found} ":
            return run
    return ""


def _numbers(text: str) -> Counter[str]:
    return Counter(_DIGITS.findall(PLACEHOLDER.sub("", text)))
