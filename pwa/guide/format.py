"""The guide: its types, the keys of its texts, and the pack that a phone gets.

Invariant: a Guide is immutable and its `version` is the SHA-256 of everything a phone can see of
it, so a visit that names a version can be read for ever. The structure holds no word of any
language; texts/<language>.toml holds words only. A text that a language lacks is taken from
Swedish, and `Text.language_used` says so.

Files (reader.py checks every field; README.md is the translator's view):

* structure.toml: `law_as_of`; `common` text keys; `[[section]]` key, number, tags; `[[item]]`,
  `[[consent]]`, `[[notice]]` with the fields of the classes below. Left out = the default there.
* settings.toml: the company facts a text may name as `{key}` (setting.py).
* texts/<language>.toml: a head (languages.py) with `language` and `state`, `[texts]` flat keys, and
  for each reviewed text `[states."<key>"]` state, by, at, of (hash of the original it was compared
  with).

Text keys: `<section>.title` · `<item>.label`, `.explain`, `.reminder` (where `reminder`),
`.answer.<code>` or the common `answer.<code>` · `<consent>.title`, `.text`, `.withdrawal` ·
`notice.<key>.title`, `.text`, `.<part>` · `value.<setting>.<code>` for choices · `common` keys.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, Literal, get_args

from pwa.guide.fill import placeholders
from pwa.guide.languages import LANGUAGES, ORIGINAL
from pwa.guide.setting import Setting
from sync.shapes import Queue, Urgency

Kind = Literal["explain", "check", "ask", "do"]
# never = ✖ of the checklist: may be explained, must not be asked.
Privacy = Literal["none", "personal", "sensitive", "never"]
SetBy = Literal["visitor", "system", "booking", "revisit"]
Tag = Literal["safety", "knowledge", "landlord", "neighbours"]
Recipient = Literal["named", "fixed"]
State = Literal["original", "translated", "machine", "reviewed"]
STATES: Final[tuple[State, ...]] = get_args(State)

EXPLAIN_ANSWERS: Final = ("done", "not_needed", "later")
EVENTS: Final = (
    "answered",
    "single_contact",
    "debt_settled",
    "meeting_held",
    "plan_ended",
    "case_closed",
    "withdrawn",
    "lease_ended",
)
# Placeholders that are not company settings: whoever shows the text fills them in.
CONTEXT: Final = frozenset({"recipient", "visit.apartment", "visit.date", "visit.time"})
PICTOGRAMS: Final = frozenset({
    "alarm", "battery", "bike", "brush", "bug", "calendar", "camera", "coin", "door", "drain",
    "fan", "flame", "globe", "grill", "hand", "heart", "home", "id_card", "idea", "key",
    "laundry", "mould", "music", "paper", "pen", "people", "phone", "plug", "radiator", "send",
    "shield", "shower", "smile", "speech", "stairs", "stove", "tap", "truck", "vent", "waste",
    "water", "window", "wrench",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Section:
    """One of the fourteen parts of a visit."""

    key: str
    number: str
    tags: tuple[Tag, ...]


@dataclass(frozen=True, slots=True)
class FollowUp:
    """The follow-up that an answer suggests to the visitor; `alternative`: another queue, or ""."""

    queue: Queue
    urgency: Urgency
    alternative: str = ""


@dataclass(frozen=True, slots=True)
class Law:
    """The source of a text about law. `verify`: a lawyer has not confirmed it yet."""

    as_of: str
    source: str
    verify: bool


@dataclass(frozen=True, slots=True)
class Item:
    """One of the 72 items of a visit; its key never changes meaning.

    `must`: closing the visit lists it while it is open, if the visitor sets it. `tick`: the answer a
    section tick gives ("" = it needs its own answer). `reminder`: a text for the visitor says what
    must not be written. `photo`: one may be taken. `tally`: the answer is only counted, linked to no
    visit. `consents` and `notice`: what is shown on the same screen. `tags` are the section's where
    the item has none of its own.
    """

    key: str
    section: str
    kind: Kind
    answers: tuple[str, ...]
    tags: tuple[Tag, ...]
    must: bool = False
    tick: str = ""
    follow_ups: Mapping[str, FollowUp] = field(default_factory=dict)
    privacy: Privacy = "none"
    free_text: bool = True
    set_by: SetBy = "visitor"
    settings: tuple[str, ...] = ()
    law: Law | None = None
    photo: bool = False
    tally: bool = False
    reminder: bool = False
    consents: tuple[str, ...] = ()
    notice: str = ""
    pictogram: str = ""

    @property
    def critical(self) -> bool:
        """Law or safety: until the text is reviewed, Swedish and the pictogram are shown beside it."""
        return self.law is not None or "safety" in self.tags


@dataclass(frozen=True, slots=True)
class Consent:
    """One purpose that may be agreed to. A wording with another hash has another `version`.

    A yes ends after `expires_months` or `expires_weeks` (0 = no such limit) or when `expires_event`
    happens ("" = none), whichever is first.
    """

    key: str
    purpose: str
    recipient: Recipient
    version: int
    original_sha256: str
    expires_months: int = 0
    expires_weeks: int = 0
    expires_event: str = ""
    sensitive: bool = False
    adults_only: bool = False


@dataclass(frozen=True, slots=True)
class Notice:
    """Information that is shown; nothing is asked."""

    key: str
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Review:
    """Who compared a text with the original of hash `of`, when, and the state it got."""

    state: State
    by: str
    at: str
    of: str


@dataclass(frozen=True, slots=True)
class Language:
    """All texts of one language file, its default state, and its reviews by key."""

    tag: str
    state: State
    texts: Mapping[str, str]
    reviews: Mapping[str, Review]


@dataclass(frozen=True, slots=True)
class Text:
    """What is shown for a key: its text, the language it is in, its review state."""

    text: str
    language_used: str
    state: State


@dataclass(frozen=True)
class Guide:
    """One version of the guide. Mappings keep the order of the files."""

    law_as_of: str
    common: tuple[str, ...]
    sections: Mapping[str, Section]
    items: Mapping[str, Item]
    consents: Mapping[str, Consent]
    notices: Mapping[str, Notice]
    settings: Mapping[str, Setting]
    languages: Mapping[str, Language]

    @cached_property
    def version(self) -> str:
        """SHA-256 (hex) of the canonical JSON of all packs: structure, texts and states."""
        return _sha256(canonical({tag: self._pack(tag) for tag in sorted(self.languages)}))

    @cached_property
    def text_keys(self) -> tuple[str, ...]:
        """Every key that each language must have."""
        return tuple(dict.fromkeys(_text_keys(self)))

    def state_of(self, language: str, key: str) -> State:
        """The state of a text that exists; a review of an older original no longer counts."""
        of = self.languages[language]
        review = of.reviews.get(key)
        if review is None or review.of != self.original_hash(key):
            return of.state
        return review.state

    def original_hash(self, key: str) -> str:
        """SHA-256 (hex) of the Swedish text of `key` ("" where there is none)."""
        text = self.languages[ORIGINAL].texts.get(key)
        return "" if text is None else _sha256(text.encode())

    def consent_hash(self, key: str, language: str) -> str:
        """SHA-256 (hex) of title, text and withdrawal of a consent, or "" where one is missing."""
        texts = self.languages[language].texts
        parts = [texts.get(f"{key}.{part}", "") for part in ("title", "text", "withdrawal")]
        return _sha256("\n".join(parts).encode()) if all(parts) else ""

    def text(self, language: str, key: str) -> Text:
        """The text of `key`, in Swedish where `language` lacks it; KeyError for an unknown key."""
        for tag in (language, ORIGINAL):
            if tag in self.languages and key in self.languages[tag].texts:
                return Text(self.languages[tag].texts[key], tag, self.state_of(tag, key))
        raise KeyError(key)

    def pack(self, language: str) -> dict[str, Any]:
        """What a phone gets of one language; KeyError for a language without a file."""
        return {"version": self.version} | self._pack(language)

    def pack_bytes(self, language: str) -> bytes:
        """`pack` as canonical JSON: the same bytes for the same version and language."""
        return canonical(self.pack(language))

    def _pack(self, language: str) -> dict[str, Any]:
        of = self.languages[language]
        states = {key: self.state_of(language, key) for key in of.texts}
        return {
            "language": language,
            "direction": LANGUAGES[language].direction,
            "law_as_of": self.law_as_of,
            "state": of.state,
            "states": {key: state for key, state in states.items() if state != of.state},
            "sections": [
                {
                    "key": section.key,
                    "number": section.number,
                    "tags": list(section.tags),
                    "items": [one.key for one in self.items.values() if one.section == section.key],
                }
                for section in self.sections.values()
            ],
            "items": {key: _item_pack(item) for key, item in self.items.items()},
            "consents": {
                key: {
                    "purpose": one.purpose,
                    "recipient": one.recipient,
                    "version": one.version,
                    "sha256": self.consent_hash(key, language),
                    "expires_months": one.expires_months,
                    "expires_weeks": one.expires_weeks,
                    "expires_event": one.expires_event,
                    "sensitive": one.sensitive,
                    "adults_only": one.adults_only,
                }
                for key, one in self.consents.items()
            },
            "notices": [
                {"key": one.key, "parts": list(one.parts)} for one in self.notices.values()
            ],
            "texts": {**_autonyms(self), **of.texts},
        }


def canonical(value: Any) -> bytes:
    """JSON with sorted keys, no blanks, UTF-8: equal values give equal bytes."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _item_pack(item: Item) -> dict[str, Any]:
    law = item.law
    return {
        "section": item.section,
        "kind": item.kind,
        "must": item.must,
        "answers": list(item.answers),
        "tick": item.tick,
        "follow_ups": {
            code: {"queue": one.queue, "urgency": one.urgency, "alternative": one.alternative}
            for code, one in item.follow_ups.items()
        },
        "privacy": item.privacy,
        "free_text": item.free_text,
        "set_by": item.set_by,
        "tags": list(item.tags),
        "settings": list(item.settings),
        "law": {"as_of": law.as_of, "source": law.source, "verify": law.verify} if law else {},
        "photo": item.photo,
        "tally": item.tally,
        "reminder": item.reminder,
        "critical": item.critical,
        "consents": list(item.consents),
        "notice": item.notice,
        "pictogram": item.pictogram,
    }


def _autonyms(guide: Guide) -> dict[str, str]:
    """The texts of answers and values that are a language tag: the language's own name, in every
    language."""
    keys = [
        f"{item.key}.answer.{code}"
        for item in guide.items.values()
        for code in item.answers
        if code in LANGUAGES
    ] + [
        f"value.{one.key}.{tag}"
        for one in guide.settings.values()
        if one.type == "languages"
        for tag in LANGUAGES
    ]
    return {key: LANGUAGES[key.rpartition(".")[2]].autonym for key in keys}


def answer_key(guide: Guide, item: Item, code: str) -> str:
    """The text key of an answer: the item's own wording where Swedish has one, else the common."""
    own = f"{item.key}.answer.{code}"
    return own if own in guide.languages[ORIGINAL].texts else f"answer.{code}"


def _text_keys(guide: Guide) -> Iterator[str]:
    yield from guide.common
    for section in guide.sections:
        yield f"{section}.title"
    for item in guide.items.values():
        yield f"{item.key}.label"
        yield f"{item.key}.explain"
        if item.reminder:
            yield f"{item.key}.reminder"
        for code in item.answers:
            if code not in LANGUAGES:
                yield answer_key(guide, item, code)
    for consent in guide.consents:
        yield from (f"{consent}.title", f"{consent}.text", f"{consent}.withdrawal")
    for notice in guide.notices.values():
        yield from (f"notice.{notice.key}.{part}" for part in notice.parts)
    # A choice needs words only where a text names it.
    named = {
        name for text in guide.languages[ORIGINAL].texts.values() for name in placeholders(text)
    }
    for one in guide.settings.values():
        if one.key in named:
            yield from (f"value.{one.key}.{choice}" for choice in one.choices)
