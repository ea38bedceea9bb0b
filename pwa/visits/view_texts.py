"""Guide texts of one visit, in the staff's and the tenant's language; twin of static/field/models/view_texts.js.

Invariant: a text that a language lacks is shown in Swedish and marked as missing; it is never empty
where Swedish has it, and never guessed. Direction comes from the language code. Pure: no clock (a
stamp is what the device's clock showed) and no interface words (templates/shared/labels.html).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, TypedDict

from pwa.guide.fill import fill, localise
from pwa.guide.languages import LANGUAGES, ORIGINAL
from sync.shapes import VisitRecord

View = dict[str, Any]
Pack = Mapping[str, Any]

# Groups of digits with spaces or dashes between them change places in a right-to-left line ("114 14"
# reads "14 114"): LEFT-TO-RIGHT ISOLATE keeps their order (docs/domain.md 5.3).
_NUMBER = re.compile(r"\+?[0-9][0-9 .,:/–-]*[0-9]")


def isolate(text: str) -> str:
    """`text` with each number that has inner spaces or marks isolated as left-to-right."""
    return _NUMBER.sub(lambda found: f"\u2066{found[0]}\u2069", text)


def isolated(values: Mapping[str, str]) -> dict[str, str]:
    """Each value isolated from a right-to-left text, whatever script it is in; "" stays ""."""
    return {key: f"\u2068{value}\u2069" if value else "" for key, value in values.items()}


def put_in(text: str, values: Mapping[str, str], fallback: str, direction: str) -> str:
    """`text` filled in (pwa/guide/fill.py), with values isolated where `direction` is "rtl"."""
    if direction != "rtl":
        return fill(text, values, fallback)
    return isolate(fill(text, isolated(values), fallback))


def language_view(tag: str) -> View:
    """{tag, name, dir} of a language; an unknown tag is its own name, left to right."""
    known = LANGUAGES.get(tag)
    if known is None:
        return {"tag": tag, "name": tag, "dir": "ltr"}
    return {"tag": tag, "name": known.autonym, "dir": known.direction}


def weekday_of(day: str) -> int:
    """1 (Monday) to 7 (Sunday) of "2026-12-01"; 0 for ""."""
    return date.fromisoformat(day).isoweekday() if day else 0


class VisitData(TypedDict):
    """One visit as the views take it. `tenancy` is {} for a visit without one, `settings` the company's
    facts in force there."""

    record: VisitRecord
    state: str
    tenancy: Mapping[str, Any]
    settings: Mapping[str, str]


class Languages(TypedDict):
    """Tags: the language of the person who works, and the one of the tenant."""

    staff: str
    tenant: str


@dataclass(frozen=True, slots=True)
class Reader:
    """One visit, and everything needed to show it to somebody."""

    record: VisitRecord
    state: str
    tenancy: Mapping[str, Any]
    settings: Mapping[str, Mapping[str, str]]
    """Language tag → the company's facts in that language."""
    packs: Mapping[str, Pack]
    staff: str
    tenant: str
    people: Mapping[str, str]
    status: Mapping[str, str]

    @property
    def structure(self) -> Pack:
        return self.packs[ORIGINAL]


def reader_of(
    file: VisitData,
    packs: Mapping[str, Pack],
    languages: Languages,
    people: Mapping[str, str],
    status: Mapping[str, str],
) -> Reader:
    return Reader(
        file["record"],
        file["state"],
        file["tenancy"],
        {tag: localise(file["settings"], pack["texts"]) for tag, pack in packs.items()},
        packs,
        languages["staff"],
        languages["tenant"],
        people,
        status,
    )


def text_of(reader: Reader, language: str, key: str, extra: Mapping[str, str]) -> View:
    """{text, tag, dir, state} of `key` in `language`, else in Swedish, else empty."""
    for tag in (language, ORIGINAL):
        pack = reader.packs.get(tag)
        if pack is not None and key in pack["texts"]:
            texts, direction = pack["texts"], language_view(tag)["dir"]
            values = {**reader.settings[tag], **extra}
            return {
                "text": put_in(texts[key], values, texts.get("ask_landlord", ""), direction),
                "tag": tag,
                "dir": direction,
                "state": pack["states"].get(key, pack["state"]),
            }
    return {"text": "", "tag": ORIGINAL, "dir": "ltr", "state": "original"}


def pair(reader: Reader, name: str, key: str, extra: Mapping[str, str] | None = None) -> View:
    """`key` in both languages, under `name`; the tenant's half is "" where it would repeat.

    `<name>_missing`: the tenant's language lacks it. `<name>_machine`, `<name>_translated`: one of the
    texts shown was made by a machine or a person, and nobody has reviewed it.
    """
    staff = text_of(reader, reader.staff, key, extra or {})
    tenant = text_of(reader, reader.tenant, key, extra or {})
    same = tenant["tag"] == staff["tag"]
    return {
        name: staff["text"],
        f"{name}_lang": staff["tag"],
        f"{name}_dir": staff["dir"],
        f"{name}_tenant": "" if same else tenant["text"],
        f"{name}_tenant_lang": tenant["tag"],
        f"{name}_tenant_dir": tenant["dir"],
        f"{name}_missing": tenant["tag"] != reader.tenant,
        f"{name}_machine": "machine" in (staff["state"], tenant["state"]),
        f"{name}_translated": "translated" in (staff["state"], tenant["state"]),
    }


def answer_key(reader: Reader, item: str, code: str) -> str:
    own = f"{item}.answer.{code}"
    return own if own in reader.structure["texts"] else f"answer.{code}"


def item_label(reader: Reader, item: str) -> str:
    return str(text_of(reader, reader.staff, f"{item}.label", {})["text"]) if item else ""


def stamp(reader: Reader, entry: Mapping[str, Any]) -> View:
    """Who and when of an entry or a write: date and time as the device's clock showed them."""
    return {
        "by": reader.people.get(entry["by"], ""),
        "date": entry["at"][0:10],
        "time": entry["at"][11:16],
        "status": reader.status.get(entry.get("op", entry.get("id", "")), ""),
    }
