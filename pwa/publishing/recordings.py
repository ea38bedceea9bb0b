"""Recordings of the guide read aloud: of which text, in which language, added by whom.

Invariant: a recording plays only for the words it was made of: when the text in force has changed,
phones do not get it and the desk says so. Bytes and row are written in one transaction and never
changed; a new recording ends the old one, and who added and ended them is kept. Only Opus in Ogg or
WebM is accepted, up to BYTES_MAX.

Bytes are in the database, because there are a few hundred files of some hundred kilobytes: a backup
has them, and no file is without its row. Ogg with Opus: RFC 7845.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from datetime import datetime

from sqlite_utils import Database

from pwa.guide.fill import fill, localise, placeholders
from pwa.guide.format import CONTEXT, Guide, canonical
from pwa.homes.company import settings_for
from pwa.ids import uuid4
from pwa.problems import Problem
from pwa.publishing import tables

BYTES_MAX = 2 * 1024 * 1024
"""About ten minutes of speech at 24 kbit/s; an item takes less than one."""

_OGG, _WEBM = "audio/ogg", "audio/webm"
_RATE = 48_000  # Opus in Ogg counts in 48 kHz samples whatever it was made from (RFC 7845, 4)


@dataclass(frozen=True, slots=True)
class Recording:
    """One recording in force. `fits`: it was made of the words that the guide has now; `facts`: the
    company's facts in those words."""

    key: str
    sha256: str
    type: str
    bytes: int
    seconds: int
    by: str
    at: str
    facts: dict[str, str]
    fits: bool


@dataclass(frozen=True, slots=True)
class Words:
    """What is read aloud: the texts with the company's facts filled in, the guide's own texts (`raw`),
    and the facts they name (a building may have others)."""

    texts: list[str]
    raw: list[str]
    facts: dict[str, str]

    @property
    def sha256(self) -> str:
        """A hash of words and facts."""
        return hashlib.sha256(canonical([self.raw, self.facts])).hexdigest()


def words_of(db: Database, guide: Guide, language: str) -> dict[str, Words]:
    """What can be recorded in `language`: item, consent or `notice.<key>` → its words. Only what
    has all its texts in the language itself, and names nothing that each visit fills in."""
    texts = guide.languages[language].texts
    facts = settings_for(db, "", "")
    spoken = localise(facts, texts)
    parts = {
        **{key: (f"{key}.label", f"{key}.explain") for key in guide.items},
        **{key: (f"{key}.title", f"{key}.text") for key in guide.consents},
        **{
            f"notice.{one.key}": tuple(f"notice.{one.key}.{part}" for part in one.parts)
            for one in guide.notices.values()
        },
    }
    found = {}
    for key, names in parts.items():
        raw = [texts.get(name, "") for name in names]
        named = {name for text in raw for name in placeholders(text)}
        if all(raw) and not named & CONTEXT:
            found[key] = Words(
                [fill(text, spoken, texts.get("ask_landlord", "")) for text in raw],
                raw,
                {name: facts.get(name, "") for name in sorted(named)},
            )
    return found


def find_recordings(db: Database, guide: Guide, language: str) -> dict[str, Recording]:
    """key → the recording in force, for each text of `language` that has one."""
    words = words_of(db, guide, language)
    return {
        row.key: Recording(
            key=row.key,
            sha256=row.sha256,
            type=row.type,
            bytes=row.bytes,
            seconds=row.seconds,
            by=row.by,
            at=row.at,
            facts=words[row.key].facts if row.key in words else {},
            fits=row.key in words and row.text_sha256 == words[row.key].sha256,
        )
        for row in tables.list_recordings(db, language)
    }


def list_for_phones(db: Database, guide: Guide, language: str) -> dict[str, dict[str, object]]:
    """key → {sha256, type, facts} of each recording a phone may play, in visits with these facts."""
    return {
        key: {"sha256": one.sha256, "type": one.type, "facts": one.facts}
        for key, one in sorted(find_recordings(db, guide, language).items())
        if one.fits
    }


def state(db: Database, guide: Guide) -> tuple[object, ...]:
    """What `digests` depends on: while it is equal, so is their answer."""
    stamp = tables.recordings_stamp(db)
    return (guide.version, *stamp, *sorted(settings_for(db, "", "").items()))


def digests(db: Database, guide: Guide) -> dict[str, str]:
    """language → a short hash of its list (`list_for_phones`). Languages without recordings are left
    out. Takes about 2 ms for each language; see `state`."""
    named: dict[str, str] = {}
    for language in tables.list_recorded_languages(db):
        if language not in guide.languages:
            continue
        found = list_for_phones(db, guide, language)
        if found:
            named[language] = hashlib.sha256(canonical(found)).hexdigest()[:16]
    return named


def read_bytes(db: Database, sha256: str) -> tuple[str, bytes] | None:
    """(media type, bytes) of a recording that is in force somewhere, or None."""
    return tables.find_recording_bytes(db, sha256)


def add_recording(
    db: Database, guide: Guide, language: str, key: str, octets: bytes, by: str, now: datetime
) -> None:
    """Put `octets` in force for the words of `key` as they are in `guide`.

    Raises Problem: `not_found` for a text that is not there, `audio_type`, `audio_large`.
    """
    words = words_of(db, guide, language).get(key) if language in guide.languages else None
    if words is None:
        raise Problem("not_found")
    if len(octets) > BYTES_MAX:
        raise Problem("audio_large", most=BYTES_MAX // 1024 // 1024)
    type, seconds = sniff(octets)
    sha256 = hashlib.sha256(octets).hexdigest()
    end_recording(db, language, key, by, now)
    new = tables.NewRecording(
        id=uuid4(),
        language=language,
        key=key,
        sha256=sha256,
        text_sha256=words.sha256,
        seconds=seconds,
        by=by,
        at=now.isoformat(),
    )
    tables.add_recording(db, new, type, octets)


def end_recording(db: Database, language: str, key: str, by: str, now: datetime) -> None:
    """Take the recording of a text out of use, and delete its bytes when no other text uses them: a
    voice is personal data, so one that nobody may hear is not kept. Harmless where there is none."""
    tables.end_recordings(db, language, key, by=by, at=now.isoformat())


def sniff(octets: bytes) -> tuple[str, int]:
    """(media type, whole seconds or 0 where the file does not say); Problem("audio_type")."""
    if octets.startswith(b"OggS") and octets[28:36] == b"OpusHead":
        return _OGG, _seconds_of_ogg(octets)
    # EBML head, and Opus named as the codec before the first sound (Matroska, A_OPUS).
    if (
        octets.startswith(b"\x1a\x45\xdf\xa3")
        and b"webm" in octets[:64]
        and b"A_OPUS" in octets[:4096]
    ):
        return _WEBM, 0
    raise Problem("audio_type")


def _seconds_of_ogg(octets: bytes) -> int:
    last = octets.rfind(b"OggS")
    page = octets[last : last + 14]
    if len(page) < 14 or len(octets) < 40:
        return 0
    (position,) = struct.unpack_from("<q", page, 6)
    (skip,) = struct.unpack_from("<H", octets, 38)
    return max(0, int((position - skip) / _RATE + 0.5))
