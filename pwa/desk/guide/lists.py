"""What the pages of the guide's texts list: languages with their states, texts with what they belong to.

Invariant: every text key of the guide has a topic here, in the guide's order; the counts of a
language add up to the number of its keys. Values only, no pages and forms.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pwa.desk.parts.guide_words import Words
from pwa.guide.format import Guide, Item
from pwa.guide.languages import LANGUAGES
from pwa.publishing.acts import Place, place

PARTS: Final = ("original", "reviewed", "translated", "machine", "missing")
"""States in the order of the bar; `missing` is no text at all."""
SEGMENT_UNITS: Final = 1000


@dataclass(frozen=True, slots=True)
class Topic:
    """What a text belongs to: `owner` is an item, section, consent or notice ("" = shared words),
    `part` what it is there ("label", "explain", "answer" …); the marks are those of its item."""

    key: str
    owner: str
    part: str
    section: str = ""
    law: bool = False
    fire: bool = False
    consent: bool = False
    source: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One language of the overview."""

    tag: str
    autonym: str
    dir: str
    total: int
    parts: Mapping[str, int]
    outdated: int
    drafts: int

    def segments(self) -> list[dict[str, int | str]]:
        """{part, total, x, width} of each state there is, in units of the bar."""
        found: list[dict[str, int | str]] = []
        done = 0
        for part in PARTS:
            total = self.parts[part]
            start = done * SEGMENT_UNITS // self.total
            done += total
            width = done * SEGMENT_UNITS // self.total - start
            if total:
                found.append({"part": part, "total": total, "x": start, "width": width})
        return found


def line(guide: Guide, tag: str, outdated: int, drafts: int) -> Line:
    """How many texts of `tag` are in each state."""
    states = Counter(place(guide, tag, key).state or "missing" for key in guide.text_keys)
    known = LANGUAGES[tag]
    return Line(
        tag=tag,
        autonym=known.autonym,
        dir=known.direction,
        total=len(guide.text_keys),
        parts={part: states[part] for part in PARTS},
        outdated=outdated,
        drafts=drafts,
    )


def topics(guide: Guide) -> list[Topic]:
    """A topic for each text key, in the order of a visit; shared words come last."""
    keys: dict[str, list[str]] = {}
    for key in guide.text_keys:
        keys.setdefault(_owner(key), []).append(key)
    found: dict[str, Topic] = {}
    for topic in _owned(guide, keys):
        found.setdefault(topic.key, topic)  # two items may offer the same consent
    shared = (Topic(key, "", _part(key, "")) for key in guide.text_keys if key not in found)
    return [*found.values(), *shared]


def owner_name(guide: Guide, words: Words, topic: Topic) -> str:
    """What a text belongs to, in the reader's words; "" for shared words."""
    if topic.owner in guide.items:
        return words.item(topic.owner)
    if topic.owner in guide.notices:
        return words.text(f"notice.{topic.owner}.title")
    return words.text(f"{topic.owner}.title") if topic.owner else ""


def _owned(guide: Guide, keys: Mapping[str, Sequence[str]]) -> Iterator[Topic]:
    for section in guide.sections:
        for key in keys[section]:
            yield Topic(key, section, _part(key, section), section)
        for item in guide.items.values():
            if item.section == section:
                yield from _of_item(item, keys[item.key])
                for consent in item.consents:
                    for key in keys[consent]:
                        yield Topic(key, consent, _part(key, consent), section, consent=True)
    for notice in guide.notices:
        owner = f"notice.{notice}"
        for key in keys[owner]:
            yield Topic(key, notice, _part(key, owner))


def _of_item(item: Item, keys: Sequence[str]) -> Iterator[Topic]:
    for key in keys:
        yield Topic(
            key=key,
            owner=item.key,
            part=_part(key, item.key),
            section=item.section,
            law=item.law is not None,
            fire="safety" in item.tags,
            source=item.law.source if item.law else "",
        )


def _owner(key: str) -> str:
    first, _, rest = key.partition(".")
    return f"{first}.{rest.partition('.')[0]}" if first == "notice" else first


def _part(key: str, owner: str) -> str:
    return key.removeprefix(f"{owner}.").partition(".")[0]


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the texts of one language beside their words, for the filters."""

    outdated: frozenset[str]
    drafts: frozenset[str]
    commented: frozenset[str]


Test = Callable[[Topic, Place, Known], bool]
FILTERS: Final[Mapping[str, Test]] = {
    "all": lambda topic, spot, known: True,
    "unreviewed": lambda topic, spot, known: spot.state not in ("reviewed", "original"),
    "law": lambda topic, spot, known: topic.law,
    "fire": lambda topic, spot, known: topic.fire,
    "consent": lambda topic, spot, known: topic.consent,
    "changed": lambda topic, spot, known: topic.key in known.outdated,
    "missing": lambda topic, spot, known: not spot.state,
    "drafts": lambda topic, spot, known: topic.key in known.drafts,
    "comments": lambda topic, spot, known: topic.key in known.commented,
}


Listed = Sequence[tuple[Topic, Place]]


def listed(guide: Guide, tag: str, section: str = "") -> Listed:
    """Every text of `tag`, of one section where given."""
    return [
        (topic, place(guide, tag, topic.key))
        for topic in topics(guide)
        if not section or topic.section == section
    ]


def chosen(some: Listed, known: Known, show: str) -> Listed:
    """What the filter `show` lets through; of what is not reviewed, law, fire and consent first."""
    test = FILTERS[show]
    found = [(topic, spot) for topic, spot in some if test(topic, spot, known)]
    if show == "unreviewed":
        found.sort(key=lambda row: not (row[0].law or row[0].fire or row[0].consent))
    return found
