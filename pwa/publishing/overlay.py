"""Corrections and reviews applied to the texts of a release. Pure.

Invariant: a correction never replaces a text that its author has not seen. It applies while the
Swedish text it was compared with, or the release's text that it replaced, is still the same; when
a release has changed both, the release's text is shown and the correction is listed as to be
reviewed again. A review of an older original keeps the words and loses the state. Corrections of
keys that the structure does not have any more are ignored.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from pwa.guide.format import Consent, Guide, Language, Review, State
from pwa.guide.languages import ORIGINAL


@dataclass(frozen=True, slots=True)
class Entry:
    """A text after somebody's act.

    `of` is the fingerprint of the Swedish text it was compared with, `base` that of the release's own
    text that it replaces ("" where the release had none). `at` is ISO 8601.
    """

    text: str
    state: State
    reviewer: str
    at: str
    of: str
    base: str


Entries = Mapping[tuple[str, str], Entry]
"""(language, key) → the newest entry."""


@dataclass(frozen=True, slots=True)
class Wording:
    """The number of a consent's Swedish wording, and its hash (`Guide.consent_hash`)."""

    version: int
    sha256: str


def fingerprint(text: str) -> str:
    """SHA-256 (hex) of a text, as `Guide.original_hash` has it; "" for no text."""
    return hashlib.sha256(text.encode()).hexdigest() if text else ""


def lay_over(baseline: Guide, entries: Entries, wordings: Mapping[str, Wording]) -> Guide:
    """The guide with `entries` applied. `wordings`: consent → what was last published of it.

    A consent whose Swedish words differ from the last published ones gets a higher number.
    """
    applied: dict[str, dict[str, Entry]] = {}
    originals = dict(_texts(baseline, ORIGINAL))
    for swedish in (True, False):
        for (tag, key), entry in entries.items():
            if (tag == ORIGINAL) is swedish and _applies(baseline, originals, tag, key, entry):
                applied.setdefault(tag, {})[key] = entry
        originals |= {key: one.text for key, one in applied.get(ORIGINAL, {}).items()}
    languages = {
        tag: _language(one, applied[tag]) if tag in applied else one
        for tag, one in baseline.languages.items()
    }
    guide = replace(baseline, languages=languages)
    consents = {
        key: _numbered(one, guide.consent_hash(key, ORIGINAL), wordings.get(key))
        for key, one in baseline.consents.items()
    }
    return replace(guide, consents=consents)


def outdated(baseline: Guide, guide: Guide, entries: Entries, language: str) -> set[str]:
    """Keys of `language` whose original has changed since somebody last reviewed them, or, where nobody
    has, since the release they were shipped in.

    `guide` is the result of `lay_over(baseline, entries, …)`.
    """
    reviews = guide.languages[language].reviews
    texts = guide.languages[language].texts
    originals = guide.languages[ORIGINAL].texts
    found = {key for key, one in reviews.items() if one.of != guide.original_hash(key)}
    if language != ORIGINAL:
        # A text that nobody has reviewed was translated from the release's own Swedish.
        released = baseline.languages[ORIGINAL].texts
        found |= {
            key
            for key in originals
            if key in texts and key not in reviews and originals[key] != released.get(key)
        }
    return found | {
        key
        for (tag, key), entry in entries.items()
        if tag == language
        and key in originals
        and not _applies(baseline, originals, tag, key, entry)
    }


def _applies(
    baseline: Guide, originals: Mapping[str, str], tag: str, key: str, entry: Entry
) -> bool:
    if tag not in baseline.languages or key not in originals:
        return False
    if entry.base == fingerprint(_texts(baseline, tag).get(key, "")):
        return True
    return tag != ORIGINAL and entry.of == fingerprint(originals[key])


def _texts(guide: Guide, tag: str) -> Mapping[str, str]:
    return guide.languages[tag].texts


def _language(language: Language, entries: Mapping[str, Entry]) -> Language:
    texts = {**language.texts, **{key: one.text for key, one in entries.items()}}
    if language.tag == ORIGINAL:
        return replace(language, texts=texts)
    reviews = {**language.reviews, **dict(_reviews(entries))}
    return replace(language, texts=texts, reviews=reviews)


def _reviews(entries: Mapping[str, Entry]) -> Iterator[tuple[str, Review]]:
    for key, one in entries.items():
        yield key, Review(one.state, one.reviewer, one.at, one.of)


def _numbered(consent: Consent, sha256: str, last: Wording | None) -> Consent:
    if last is None:
        # Nothing published yet: the release's number, and one more if its words are not these.
        version = consent.version + (sha256 != consent.original_sha256)
    else:
        version = max(consent.version, last.version + (sha256 != last.sha256))
    return replace(consent, version=version, original_sha256=sha256)
