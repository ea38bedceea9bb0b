"""What people have said about texts, laid over the files of a release. Pure.

Invariant: nobody's correction replaces a text they have not seen. It stands while the text it
was compared with, or the text it took the place of, is still the same; when a release has
changed both, the release's text is shown and the correction is listed as to be reviewed again.
A review of an older original keeps the words and loses the state. It refuses keys that the
structure does not know: retired items take their corrections with them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from pwa.guide.format import Consent, Guide, Language, Review, State
from pwa.guide.languages import ORIGINAL


@dataclass(frozen=True, slots=True)
class Entry:
    """A text as somebody left it.

    `of` is the fingerprint of the Swedish text it was compared with, `base` of the release's own
    text that it took the place of ("" where the release had none). `at` is ISO 8601.
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
    """The guide with `entries` in it. `wordings`: consent → what was last published of it.

    A consent whose Swedish words differ from the last published ones gets a higher number.
    """
    standing: dict[str, dict[str, Entry]] = {}
    originals = dict(_texts(baseline, ORIGINAL))
    for swedish in (True, False):
        for (tag, key), entry in entries.items():
            if (tag == ORIGINAL) is swedish and _stands(baseline, originals, tag, key, entry):
                standing.setdefault(tag, {})[key] = entry
        originals |= {key: one.text for key, one in standing.get(ORIGINAL, {}).items()}
    languages = {
        tag: _language(one, standing[tag]) if tag in standing else one
        for tag, one in baseline.languages.items()
    }
    guide = replace(baseline, languages=languages)
    consents = {
        key: _numbered(one, guide.consent_hash(key, ORIGINAL), wordings.get(key))
        for key, one in baseline.consents.items()
    }
    return replace(guide, consents=consents)


def outdated(baseline: Guide, guide: Guide, entries: Entries, language: str) -> set[str]:
    """Keys of `language` whose original has changed since somebody last looked at them, or since the
    release they came with where nobody has.

    `guide` is what `lay_over` made of `baseline` and `entries`.
    """
    reviews = guide.languages[language].reviews
    texts = guide.languages[language].texts
    originals = guide.languages[ORIGINAL].texts
    found = {key for key, one in reviews.items() if one.of != guide.original_hash(key)}
    if language != ORIGINAL:
        # What nobody has looked at was translated from the release's own Swedish.
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
        and not _stands(baseline, originals, tag, key, entry)
    }


def _stands(
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
