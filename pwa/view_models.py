"""Visit records as the plain values that templates/shared accept; twin of static/field/view_models.js.

Invariant: pure, and equal to its twin word for word (sync/vectors/view_*.json run against
both). What comes out holds strings, small integers, booleans, lists and dicts only, never
None, and no key that a dict, list or string owns (DESIGN 4). Interface words are left as
codes: templates/shared/labels.html says them in the reader's language. It refuses to know
rights, clocks and URLs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import quote

from pwa.guide.fill import fill
from sync.apply import conflicts_of, consents_of, value_of, winner

View = dict[str, Any]
Pack = Mapping[str, Any]

ORIGINAL = "sv"  # the language every text exists in; the one that is shown where another lacks a text

# tag → (name in the language itself, direction). Direction comes from here, never from a guess.
LANGUAGES: Mapping[str, tuple[str, str]] = {
    "sv": ("svenska", "ltr"),
    "en": ("English", "ltr"),
    "ar": ("العربية", "rtl"),
    "so": ("Soomaali", "ltr"),
    "ti": ("ትግርኛ", "ltr"),
    "fa-AF": ("دری", "rtl"),
    "fa": ("فارسی", "rtl"),
    "uk": ("українська", "ltr"),
    "ckb": ("کوردیی سۆرانی", "rtl"),
    "kmr": ("Kurmancî", "ltr"),
    "tr": ("Türkçe", "ltr"),
    "bs": ("bosanski", "ltr"),
    "sq": ("shqip", "ltr"),
    "ps": ("پښتو", "rtl"),
}

# What a section tick answers with: the first of these that the item offers (DESIGN 6).
TICK_ANSWERS = ("done", "given", "informed", "shown", "ok")
# Recorded by the read-back itself, so closing never asks for it.
READ_BACK_ITEM = "i67"
# The door, the safety and the closing: 3.2–3.13 (domain 3, rules).
_MUST_SECTIONS = frozenset(f"s{n:02}" for n in range(2, 14))

# Digits with spaces or dashes between them fall apart in a right-to-left line ("114 14" reads
# "14 114"): LEFT-TO-RIGHT ISOLATE keeps them together (domain 5.3).
_NUMBER = re.compile(r"\+?[0-9][0-9 .,:/–-]*[0-9]")


def isolate(text: str) -> str:
    """`text` with each number that has inner spaces or marks isolated as left-to-right."""
    return _NUMBER.sub(lambda found: f"\u2066{found[0]}\u2069", text)


def language_view(tag: str) -> View:
    """{tag, name, dir} of a language; an unknown tag is its own name, left to right."""
    name, direction = LANGUAGES.get(tag, (tag, "ltr"))
    return {"tag": tag, "name": name, "dir": direction}


def weekday_of(day: str) -> int:
    """1 (Monday) to 7 (Sunday) of "2026-12-01"; 0 for ""."""
    return date.fromisoformat(day).isoweekday() if day else 0


@dataclass(frozen=True, slots=True)
class _Reader:
    """One visit, and everything needed to say it to someone."""

    record: dict[str, Any]
    state: str
    tenancy: Mapping[str, Any]
    settings: Mapping[str, str]
    packs: Mapping[str, Pack]
    staff: str
    tenant: str
    people: Mapping[str, str]
    status: Mapping[str, str]

    @property
    def structure(self) -> Pack:
        return self.packs[ORIGINAL]


def _reader(
    file: Mapping[str, Any],
    packs: Mapping[str, Pack],
    languages: Mapping[str, str],
    people: Mapping[str, str],
    status: Mapping[str, str],
) -> _Reader:
    return _Reader(
        file["record"],
        file["state"],
        file["tenancy"],
        file["settings"],
        packs,
        languages["staff"],
        languages["tenant"],
        people,
        status,
    )


# --- texts ------------------------------------------------------------------------------


def _text(reader: _Reader, language: str, key: str, extra: Mapping[str, str]) -> View:
    """{text, tag, dir, state} of `key` in `language`, else in Swedish, else empty."""
    for tag in (language, ORIGINAL):
        pack = reader.packs.get(tag)
        if pack is not None and key in pack["texts"]:
            texts = pack["texts"]
            text = fill(texts[key], {**reader.settings, **extra}, texts.get("ask_landlord", ""))
            direction = language_view(tag)["dir"]
            return {
                "text": isolate(text) if direction == "rtl" else text,
                "tag": tag,
                "dir": direction,
                "state": pack["states"].get(key, pack["state"]),
            }
    return {"text": "", "tag": ORIGINAL, "dir": "ltr", "state": "original"}


def _pair(reader: _Reader, name: str, key: str, extra: Mapping[str, str] | None = None) -> View:
    """`key` in both languages, under `name`; the tenant's half is "" where it would repeat.

    `<name>_missing` tells that the tenant's language lacks it, `<name>_machine` that a text
    shown has not been reviewed by anyone.
    """
    staff = _text(reader, reader.staff, key, extra or {})
    tenant = _text(reader, reader.tenant, key, extra or {})
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
    }


def _answer_key(reader: _Reader, item: str, code: str) -> str:
    own = f"{item}.answer.{code}"
    return own if own in reader.structure["texts"] else f"answer.{code}"


def _item_label(reader: _Reader, item: str) -> str:
    return str(_text(reader, reader.staff, f"{item}.label", {})["text"]) if item else ""


def _stamp(reader: _Reader, entry: Mapping[str, Any]) -> View:
    """Who and when of an entry or a write. The device's own clock, as it showed it."""
    return {
        "by": reader.people.get(entry["by"], ""),
        "date": entry["at"][0:10],
        "time": entry["at"][11:16],
        "status": reader.status.get(entry.get("op", entry.get("id", "")), ""),
    }


# --- items and sections -------------------------------------------------------------------


def _answer_of(reader: _Reader, item: str) -> str:
    return str(value_of(reader.record, f"answer.{item}"))


def answerable(item: Pack, kind: str) -> bool:
    """Whether a visitor answers this item in a visit of this kind."""
    if item["set_by"] == "revisit":
        return kind == "revisit"
    return item["set_by"] in ("visitor", "booking")


def tick_answer(item: Pack) -> str:
    """The answer a section tick gives this item, or "" where it needs its own."""
    if item["kind"] not in ("explain", "do") or item["tally"]:
        return ""
    return next((code for code in TICK_ANSWERS if code in item["answers"]), "")


def _tickable(reader: _Reader, section: Pack) -> dict[str, str]:
    items = reader.structure["items"]
    found = {}
    for key in section["items"]:
        answer = tick_answer(items[key])
        if answer and answerable(items[key], reader.record["kind"]) and key != READ_BACK_ITEM:
            found[key] = answer
    return found


def tick_of(file: Mapping[str, Any], packs: Mapping[str, Pack], section: str) -> dict[str, str]:
    """item → answer of the section tick: every tickable item that has no answer yet."""
    reader = _reader(file, packs, {"staff": ORIGINAL, "tenant": ORIGINAL}, {}, {})
    return {
        key: answer
        for key, answer in _tickable(reader, _section_of(reader, section)).items()
        if not _answer_of(reader, key)
    }


def untick_of(file: Mapping[str, Any], packs: Mapping[str, Pack], section: str) -> dict[str, str]:
    """item → "" for what the last tick of the section answered; {} while a tick has work left.

    A tick is known by the operation its answers share; one made on its own is its own undo.
    """
    reader = _reader(file, packs, {"staff": ORIGINAL, "tenant": ORIGINAL}, {}, {})
    writes = {}
    for key in _tickable(reader, _section_of(reader, section)):
        write = winner(reader.record, f"answer.{key}")
        if write is None or not write["value"]:
            return {}
        writes[key] = write
    last = max((write["seq"] for write in writes.values()), default=0)
    return {key: "" for key, write in writes.items() if write["seq"] == last}


def _section_of(reader: _Reader, key: str) -> Pack:
    return {one["key"]: one for one in reader.structure["sections"]}[key]


def _section_head(reader: _Reader, section: Pack, open_musts: Sequence[View]) -> View:
    items = reader.structure["items"]
    asked = [
        key
        for key in section["items"]
        if answerable(items[key], reader.record["kind"]) and not items[key]["tally"]
    ]
    return {
        "key": section["key"],
        "number": section["number"],
        **_pair(reader, "heading", f"{section['key']}.title"),
        "answered": sum(1 for key in asked if _answer_of(reader, key)),
        "total": len(asked),
        "must_open": sum(1 for one in open_musts if one["section"] == section["key"]),
    }


def must_open(file: Mapping[str, Any], packs: Mapping[str, Pack]) -> list[str]:
    """Keys of the must-items of 3.2–3.13 that nobody has answered, in the guide's order."""
    reader = _reader(file, packs, {"staff": ORIGINAL, "tenant": ORIGINAL}, {}, {})
    return [one["key"] for one in _musts(reader)]


def _musts(reader: _Reader) -> list[View]:
    items = reader.structure["items"]
    return [
        {"key": key, "section": section["key"], "number": _number(key), **_pair(reader, "label", f"{key}.label")}
        for section in reader.structure["sections"]
        if section["key"] in _MUST_SECTIONS
        for key in section["items"]
        if items[key]["must"]
        and key != READ_BACK_ITEM
        and answerable(items[key], reader.record["kind"])
        and not _answer_of(reader, key)
    ]


def _number(item: str) -> int:
    return int(item[1:])


def _item_view(reader: _Reader, key: str, conflicts: Sequence[View], points: Sequence[View]) -> View:
    item = reader.structure["items"][key]
    write = winner(reader.record, f"answer.{key}")
    given = _answer_of(reader, key)
    label = _pair(reader, "label", f"{key}.label")
    explain = _pair(reader, "explain", f"{key}.explain")
    answers = [
        {
            "code": code,
            "pressed": code == given,
            **_pair(reader, "label", _answer_key(reader, key, code)),
        }
        for code in item["answers"]
    ]
    offered = item["follow_ups"].get(given, {}) if given else {}
    stamp = _stamp(reader, write) if write is not None else {"by": "", "date": "", "time": "", "status": ""}
    return {
        "key": key,
        "section": item["section"],
        "number": _number(key),
        "kind": item["kind"],
        "must": item["must"],
        "free_text": item["free_text"],
        "tally": item["tally"],
        "answerable": answerable(item, reader.record["kind"]),
        "pictogram": item.get("pictogram", ""),
        "verify": bool(item.get("law", {}).get("verify", False)),
        "law_as_of": item.get("law", {}).get("as_of", ""),
        **label,
        **explain,
        "machine": label["label_machine"] or explain["explain_machine"],
        "missing": label["label_missing"] or explain["explain_missing"],
        "answers": answers,
        "answer": given,
        "answered": next((one["label"] for one in answers if one["pressed"]), given),
        "answered_tenant": next((one["label_tenant"] for one in answers if one["pressed"]), ""),
        **stamp,
        "offer_queue": offered.get("queue", ""),
        "offer_urgency": offered.get("urgency", ""),
        "conflict": next((one["rows"] for one in conflicts if one["item"] == key), []),
        "notes": [one for one in _notes(reader) if one["item"] == key],
        "follow_ups": [one for one in _follow_ups(reader) if one["item"] == key],
        "points": [one for one in points if one["item"] == key],
    }


# --- what has grown --------------------------------------------------------------------------


def _notes(reader: _Reader) -> list[View]:
    return [
        {
            "id": one["id"],
            "item": one["item"],
            "label": _item_label(reader, one["item"]),
            "text": one["text"],
            "retracted": one["retracted"],
            **_stamp(reader, one),
        }
        for one in reader.record["notes"]
    ]


def _follow_ups(reader: _Reader) -> list[View]:
    return [
        {
            "id": one["id"],
            "item": one["item"],
            "label": _item_label(reader, one["item"]),
            "queue": one["queue"],
            "urgency": one["urgency"],
            "text": one["text"],
            "retracted": one["retracted"],
            "done": bool(one["answers"]) and one["answers"][-1]["done"],
            "answers": [
                {"text": answer["text"], "done": answer["done"], **_stamp(reader, answer)}
                for answer in one["answers"]
            ],
            **_stamp(reader, one),
        }
        for one in reader.record["follow_ups"]
    ]


def _attempts(reader: _Reader) -> list[View]:
    return [
        {
            "outcome": one["outcome"],
            "new_date": one.get("date", ""),
            "new_weekday": weekday_of(one.get("date", "")),
            "new_time": one.get("time", ""),
            **_stamp(reader, one),
        }
        for one in reader.record["attempts"]
    ]


def _points(reader: _Reader, review: Mapping[str, Any]) -> list[View]:
    items = reader.structure["items"]
    return [
        {
            "item": point["item"],
            "section": items[point["item"]]["section"] if point["item"] in items else "",
            "label": _item_label(reader, point["item"]),
            "text": point["text"],
        }
        for point in review.get("points", [])
    ]


def _reviews(reader: _Reader) -> list[View]:
    return [
        {
            "decision": one["decision"],
            "comment": one.get("comment", ""),
            "points": _points(reader, one),
            **_stamp(reader, one),
        }
        for one in reader.record["reviews"]
    ]


def _open_points(reader: _Reader) -> list[View]:
    if reader.state != "returned":
        return []
    return _points(reader, reader.record["reviews"][-1])


def _value_label(reader: _Reader, field: str, value: Any) -> str:
    if field.startswith("answer."):
        item = field.removeprefix("answer.")
        return str(_text(reader, reader.staff, _answer_key(reader, item, value), {})["text"]) if value else ""
    if field == "language":
        return str(language_view(value)["name"])
    if field == "visitors":
        return ", ".join(reader.people.get(one, one) for one in value)
    return str(value)


def _conflicts(reader: _Reader) -> list[View]:
    """The open conflicts; `value` is what `visit.choose` takes (a list joined by commas)."""
    return [
        {
            "field": field,
            "item": field.removeprefix("answer.") if field.startswith("answer.") else "",
            "label": _item_label(reader, field.removeprefix("answer.")) if field.startswith("answer.") else "",
            "rows": [
                {
                    "value": ",".join(one["value"]) if isinstance(one["value"], list) else one["value"],
                    "label": _value_label(reader, field, one["value"]),
                    "chosen": one is writes[-1],
                    **_stamp(reader, one),
                }
                for one in writes
            ],
        }
        for field, writes in conflicts_of(reader.record).items()
    ]


# --- consents -----------------------------------------------------------------------------


def _consent_event(reader: _Reader, one: Mapping[str, Any]) -> View:
    return {
        "id": one["id"],
        "decision": one["decision"],
        "language": language_view(one["language"])["name"] if one.get("language") else "",
        "text_version": one.get("text_version", ""),
        "text_state": one.get("text_state", ""),
        "recipient": one.get("recipient", ""),
        "given_by": one.get("given_by", ""),
        "method": one.get("method", ""),
        "attested": one.get("attested", False),
        "interpreter": one.get("interpreter", ""),
        "expires": one.get("expires", ""),
        "signature": one.get("signature", ""),
        "channel": one.get("channel", ""),
        **_stamp(reader, one),
    }


def consent_text(reader: _Reader, purpose: str, recipient: str) -> View:
    """The consent's exact words in both languages, with the recipient's name in its place."""
    named = {"recipient": recipient or "…"}
    wording = _pair(reader, "text", f"{purpose}.text", named)
    tenant = _text(reader, reader.tenant, f"{purpose}.text", named)
    return {**wording, "shown": tenant["text"], "shown_tag": tenant["tag"], "shown_state": tenant["state"]}


def _consents(reader: _Reader) -> list[View]:
    decided = consents_of(reader.record)
    views = []
    for purpose, consent in reader.structure["consents"].items():
        history = [_consent_event(reader, one) for one in reader.record["consents"] if one["purpose"] == purpose]
        current = decided.get(purpose)
        event = _consent_event(reader, current) if current is not None else {}
        recipient = next((one["recipient"] for one in reversed(history) if one["recipient"]), "")
        views.append(
            {
                "purpose": purpose,
                "number": int(purpose[1:]),
                "named": consent["recipient"] == "named",
                "recipient": recipient,
                "decision": event.get("decision", ""),
                "event": event,
                "history": history,
                **_pair(reader, "heading", f"{purpose}.title"),
                **consent_text(reader, purpose, recipient),
            }
        )
    return sorted(views, key=lambda one: one["number"])


# --- the views --------------------------------------------------------------------------------


def head_view(file: Mapping[str, Any], people: Mapping[str, str]) -> View:
    """Where, when, who: the top of a visit, and its line in a list."""
    record, tenancy = file["record"], file["tenancy"]
    address = tenancy.get("street", "")
    place = " ".join(part for part in (tenancy.get("postcode", ""), tenancy.get("city", "")) if part)
    day = value_of(record, "date")
    return {
        "id": record["id"],
        "kind": record["kind"],
        "state": file["state"],
        "seq": record["seq"],
        "has_tenancy": bool(address),
        "address": address,
        "apartment": tenancy.get("apartment", ""),
        "place": place,
        "area": tenancy.get("area", ""),
        "move_in": tenancy.get("move_in", ""),
        "date": day,
        "weekday": weekday_of(day),
        "time": value_of(record, "time"),
        "names": list(tenancy.get("tenants", [])),
        "phones": [
            {"label": one["original"] or one["e164"], "href": f"tel:{one['e164']}" if one["e164"] else ""}
            for one in tenancy.get("phones", [])
        ],
        # geo: opens the map app that is on the phone; an address in a web map's URL would
        # tell a third party whom we visit. Unreserved marks as encodeURIComponent has them.
        "map_href": "geo:0,0?q=" + quote(", ".join(part for part in (address, place) if part), safe="!~*'()")
        if address
        else "",
        "visitors": [people.get(one, one) for one in value_of(record, "visitors", [])],
        "language": language_view(value_of(record, "language") or tenancy.get("language", "") or ORIGINAL),
        "language_chosen": value_of(record, "language") != "",
    }


def visit_view(
    file: Mapping[str, Any],
    packs: Mapping[str, Pack],
    languages: Mapping[str, str],
    people: Mapping[str, str],
    status: Mapping[str, str],
) -> View:
    """One visit without its items: head, sections with progress, and all that has grown.

    `file` {record, state, tenancy, settings}; `packs` language tag → guide pack, always with
    Swedish; `languages` {staff, tenant}; `people` id → name; `status` operation id →
    "phone", "sent" or "needs" ({} at the desk).
    """
    reader = _reader(file, packs, languages, people, status)
    conflicts = _conflicts(reader)
    musts = _musts(reader)
    return {
        **head_view(file, people),
        "staff": language_view(reader.staff),
        "tenant": language_view(reader.tenant),
        "both": reader.staff != reader.tenant,
        "sections": [_section_head(reader, one, musts) for one in reader.structure["sections"]],
        "must_open": musts,
        "notes": _notes(reader),
        "follow_ups": _follow_ups(reader),
        "attempts": _attempts(reader),
        "consents": _consents(reader),
        "reviews": _reviews(reader),
        "points": _open_points(reader),
        "conflicts": conflicts,
        "late": len(reader.record["late"]),
        "changed": reader.state == "changed",
        "closed": value_of(reader.record, "closed") == "yes",
    }


def section_view(
    file: Mapping[str, Any],
    packs: Mapping[str, Pack],
    languages: Mapping[str, str],
    people: Mapping[str, str],
    status: Mapping[str, str],
    section: str,
) -> View:
    """One section of the guide with its items. Raises KeyError where the guide has no such section."""
    reader = _reader(file, packs, languages, people, status)
    found = _section_of(reader, section)
    conflicts, points = _conflicts(reader), _open_points(reader)
    return {
        **_section_head(reader, found, _musts(reader)),
        "rows": [_item_view(reader, key, conflicts, points) for key in found["items"]],
        "can_tick": bool(tick_of(file, packs, section)),
        "can_untick": bool(untick_of(file, packs, section)),
    }


def summary_view(
    file: Mapping[str, Any],
    packs: Mapping[str, Pack],
    languages: Mapping[str, str],
    people: Mapping[str, str],
    status: Mapping[str, str],
) -> View:
    """`visit_view` plus `detail`: every section with its items (the desk, the read-back)."""
    return {
        **visit_view(file, packs, languages, people, status),
        "detail": [
            section_view(file, packs, languages, people, status, one["key"])
            for one in packs[ORIGINAL]["sections"]
        ],
    }


def consent_view(
    file: Mapping[str, Any],
    packs: Mapping[str, Pack],
    languages: Mapping[str, str],
    people: Mapping[str, str],
    purpose: str,
    recipient: str,
) -> View:
    """One consent to be asked for, with `recipient` in its text."""
    reader = _reader(file, packs, languages, people, {})
    found = next(one for one in _consents(reader) if one["purpose"] == purpose)
    return {**found, "recipient": recipient, **consent_text(reader, purpose, recipient)}
