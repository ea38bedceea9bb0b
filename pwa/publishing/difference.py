"""The difference between two guides, text by text. Pure.

Invariant: two guides with no difference here have the same words and states in every language,
so a draft without differences has nothing to publish.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from pwa.guide.format import Guide
from pwa.guide.languages import ORIGINAL


@dataclass(frozen=True, slots=True)
class Change:
    """One text whose words or state differ in the newer guide; "" where there was or is none."""

    language: str
    key: str
    old: str
    new: str
    old_state: str
    new_state: str

    @property
    def reworded(self) -> bool:
        """Whether the words changed; else only the state did."""
        return self.old != self.new


@dataclass(frozen=True, slots=True)
class Renumbered:
    """A consent whose Swedish wording gets a higher number."""

    consent: str
    old: int
    new: int


def changes(old: Guide, new: Guide) -> list[Change]:
    """Each text whose words or state differ, by language, in the guide's order."""
    return [
        change
        for tag in new.languages
        if not _same(old, new, tag)
        for key in dict.fromkeys([*new.text_keys, *new.languages[tag].texts])
        if (change := _change(old, new, tag, key)).reworded or change.old_state != change.new_state
    ]


def renumbered(old: Guide, new: Guide) -> list[Renumbered]:
    """The consents whose Swedish wording differs, so that a new yes is to other words."""
    return [
        Renumbered(key, old.consents[key].version, one.version)
        for key, one in new.consents.items()
        if key in old.consents and old.consents[key].version != one.version
    ]


def counts(found: Sequence[Change]) -> dict[str, dict[str, int]]:
    """language → {"texts": reworded, "states": the same words in another state}."""
    totals = {one.language: Counter[str]() for one in found}
    for one in found:
        totals[one.language]["texts" if one.reworded else "states"] += 1
    return {tag: {"texts": one["texts"], "states": one["states"]} for tag, one in totals.items()}


def _same(old: Guide, new: Guide, tag: str) -> bool:
    # A text's state depends on its language and on the original alone.
    return all(old.languages.get(one) == new.languages[one] for one in (tag, ORIGINAL))


def _change(old: Guide, new: Guide, tag: str, key: str) -> Change:
    (was, was_state), (now, now_state) = (
        _text_and_state(old, tag, key),
        _text_and_state(new, tag, key),
    )
    return Change(tag, key, was, now, was_state, now_state)


def _text_and_state(guide: Guide, tag: str, key: str) -> tuple[str, str]:
    if tag not in guide.languages or key not in guide.languages[tag].texts:
        return "", ""
    state = "original" if tag == ORIGINAL else guide.state_of(tag, key)
    return guide.languages[tag].texts[key], state
