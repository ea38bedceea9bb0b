"""Visit records as the plain values that templates/shared accept; twin of static/field/models/view_models.js.

Invariant: pure, and equal to its twin word for word (sync/vectors/view_*.json run against
both). What comes out holds strings, small integers, booleans, lists and dicts only, never
None, and no key that is also an attribute of dict, list or str (docs/design.md 4). Interface words are
left as codes, which templates/shared/labels.html words in the reader's language. Rights, clocks
and URLs belong to the caller.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import quote

from pwa.guide.languages import ORIGINAL
from pwa.visits.view_entries import (
    attempts_of,
    conflicts_view,
    consent_text,
    consents_view,
    follow_ups_of,
    notes_of,
    open_points,
    photos_of,
    reviews_of,
)
from pwa.visits.view_texts import (
    Languages,
    Pack,
    Reader,
    View,
    VisitData,
    answer_key,
    pair,
    reader_of,
    stamp,
)
from pwa.visits.view_texts import language_view as language_view
from pwa.visits.view_texts import weekday_of as weekday_of
from sync.apply import value_of, winner

# Answered by the read-back itself, so closing never lists it.
READ_BACK_ITEM = "i67"
# The visit's language, which has its own operation and chooser.
LANGUAGE_ITEM = "i03"
# Whether photos were taken: the photos themselves answer it.
PHOTO_ITEM = "i66"

# --- items and sections -------------------------------------------------------------------


def _photo_count(reader: Reader) -> int:
    return sum(1 for one in reader.record.get("photos", []) if not one["retracted"])


def _answer_of(reader: Reader, item: str) -> str:
    if item == PHOTO_ITEM and _photo_count(reader):
        return "taken"
    return str(value_of(reader.record, f"answer.{item}"))


def answerable(key: str, item: Pack, kind: str) -> bool:
    """Whether a visitor answers this item in a visit of this kind."""
    if item["set_by"] == "revisit":
        return kind == "revisit"
    return item["set_by"] in ("visitor", "booking") and key != LANGUAGE_ITEM


def tick_answer(item: Pack) -> str:
    """The answer a section tick gives this item, or "" where it needs its own."""
    if item["kind"] == "explain":
        return str(item.get("tick", "")) or "done"
    return str(item.get("tick", ""))


def _tickable(reader: Reader, section: Pack) -> dict[str, str]:
    items = reader.structure["items"]
    found = {}
    for key in section["items"]:
        answer = tick_answer(items[key])
        if answer and answerable(key, items[key], reader.record["kind"]):
            found[key] = answer
    return found


def tick_of(file: VisitData, packs: Mapping[str, Pack], section: str) -> dict[str, str]:
    """item → answer of the section tick: every tickable item that has no answer yet."""
    reader = reader_of(file, packs, {"staff": ORIGINAL, "tenant": ORIGINAL}, {}, {})
    return {
        key: answer
        for key, answer in _tickable(reader, _section_of(reader, section)).items()
        if not _answer_of(reader, key)
    }


def untick_of(file: VisitData, packs: Mapping[str, Pack], section: str) -> dict[str, str]:
    """item → "" for what the last tick of the section answered; {} while a tick has work left.

    The answers of one tick share their `seq`; an answer given on its own is undone on its own.
    """
    reader = reader_of(file, packs, {"staff": ORIGINAL, "tenant": ORIGINAL}, {}, {})
    writes = {}
    for key in _tickable(reader, _section_of(reader, section)):
        write = winner(reader.record, f"answer.{key}")
        if write is None or not write["value"]:
            return {}
        writes[key] = write
    last = max((write["seq"] for write in writes.values()), default=0)
    return {key: "" for key, write in writes.items() if write["seq"] == last}


def _section_of(reader: Reader, key: str) -> Pack:
    by_key: dict[str, Pack] = {one["key"]: one for one in reader.structure["sections"]}
    return by_key[key]


def _section_head(reader: Reader, section: Pack, open_musts: Sequence[View]) -> View:
    items = reader.structure["items"]
    asked = [
        key
        for key in section["items"]
        if answerable(key, items[key], reader.record["kind"]) and not items[key]["tally"]
    ]
    return {
        "key": section["key"],
        "number": section["number"],
        **pair(reader, "heading", f"{section['key']}.title"),
        "answered": sum(1 for key in asked if _answer_of(reader, key)),
        "total": len(asked),
        "must_open": sum(1 for one in open_musts if one["section"] == section["key"]),
    }


def must_open(file: VisitData, packs: Mapping[str, Pack]) -> list[str]:
    """Keys of the musts that nobody has answered, in the guide's order."""
    reader = reader_of(file, packs, {"staff": ORIGINAL, "tenant": ORIGINAL}, {}, {})
    return [one["key"] for one in _musts(reader)]


def _closes(key: str, item: Pack) -> bool:
    """Whether closing lists this item while it is open: a must that the visitor deals with at the
    visit, so none from before (booking) or after it (docs/domain.md 3)."""
    return bool(item["must"]) and item["set_by"] == "visitor" and key != READ_BACK_ITEM


def _musts(reader: Reader) -> list[View]:
    items = reader.structure["items"]
    return [
        {
            "key": key,
            "section": section["key"],
            "number": _number(key),
            **pair(reader, "label", f"{key}.label"),
        }
        for section in reader.structure["sections"]
        for key in section["items"]
        if _closes(key, items[key]) and not _answer_of(reader, key)
    ]


def _number(item: str) -> int:
    return int(item[1:])


def _item_view(reader: Reader, key: str, conflicts: Sequence[View], points: Sequence[View]) -> View:
    item = reader.structure["items"][key]
    write = winner(reader.record, f"answer.{key}")
    given = _answer_of(reader, key)
    label = pair(reader, "label", f"{key}.label")
    explain = pair(reader, "explain", f"{key}.explain")
    answers = [
        {
            "code": code,
            "pressed": code == given,
            **pair(reader, "label", answer_key(reader, key, code)),
        }
        for code in item["answers"]
    ]
    offered = item["follow_ups"].get(given, {}) if given else {}
    answered = (
        stamp(reader, write)
        if write is not None
        else {"by": "", "date": "", "time": "", "status": ""}
    )
    return {
        "key": key,
        "section": item["section"],
        "number": _number(key),
        "kind": item["kind"],
        "must": item["must"],
        "free_text": item["free_text"],
        "tally": item["tally"],
        "answerable": answerable(key, item, reader.record["kind"]),
        "pictogram": item.get("pictogram", ""),
        "verify": bool(item.get("law", {}).get("verify", False)),
        "law_as_of": item.get("law", {}).get("as_of", ""),
        **label,
        **explain,
        "machine": label["label_machine"] or explain["explain_machine"],
        "translated": label["label_translated"] or explain["explain_translated"],
        "missing": label["label_missing"] or explain["explain_missing"],
        "answers": answers,
        "answer": given,
        "answered": next((one["label"] for one in answers if one["pressed"]), given),
        "answered_tenant": next((one["label_tenant"] for one in answers if one["pressed"]), ""),
        **answered,
        "offer_queue": offered.get("queue", ""),
        "offer_urgency": offered.get("urgency", ""),
        "reminder": item.get("reminder", False),
        "critical": item.get("critical", False),
        "notice": item.get("notice", ""),
        "asks_consent": bool(item.get("consents", [])),
        # Where the guide allows a photo, an answer that suggests a follow-up offers one.
        "offers_photo": key == PHOTO_ITEM or bool(item.get("photo") and offered),
        "photo_count": _photo_count(reader) if key == PHOTO_ITEM else 0,
        # The phone's page fills in these two, for items that are only counted.
        "operation": "",
        "counted": False,
        "conflict": next((one["rows"] for one in conflicts if one["item"] == key), []),
        "notes": [one for one in notes_of(reader) if one["item"] == key],
        "photos": [one for one in photos_of(reader) if one["item"] == key],
        "follow_ups": [one for one in follow_ups_of(reader) if one["item"] == key],
        "points": [one for one in points if one["item"] == key],
    }


# --- the views --------------------------------------------------------------------------------


def head_view(file: VisitData, people: Mapping[str, str]) -> View:
    """Where, when and who: the head of a visit's page, and its line in a list."""
    record, tenancy = file["record"], file["tenancy"]
    address = tenancy.get("street", "")
    place = " ".join(
        part for part in (tenancy.get("postcode", ""), tenancy.get("city", "")) if part
    )
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
            {
                "label": one["original"] or one["e164"],
                "href": f"tel:{one['e164']}" if one["e164"] else "",
            }
            for one in tenancy.get("phones", [])
        ],
        # geo: opens the phone's map app; an address in a web map's URL would tell a third party
        # whom we visit. The same characters are left unescaped as by encodeURIComponent.
        "map_href": "geo:0,0?q="
        + quote(", ".join(part for part in (address, place) if part), safe="!~*'()")
        if address
        else "",
        "visitors": [people.get(one, one) for one in value_of(record, "visitors", [])],
        "language": language_view(
            value_of(record, "language") or tenancy.get("language", "") or ORIGINAL
        ),
        "language_chosen": value_of(record, "language") != "",
    }


def visit_view(
    file: VisitData,
    packs: Mapping[str, Pack],
    languages: Languages,
    people: Mapping[str, str],
    status: Mapping[str, str],
) -> View:
    """One visit without its items: head, sections with progress, and all entries.

    `packs` language tag → guide pack, always with Swedish; `people` user id → name; `status`
    operation id → "phone", "sent" or "needs" ({} at the desk).
    """
    reader = reader_of(file, packs, languages, people, status)
    conflicts = conflicts_view(reader)
    musts = _musts(reader)
    return {
        **head_view(file, people),
        "staff": language_view(reader.staff),
        "tenant": language_view(reader.tenant),
        "both": reader.staff != reader.tenant,
        "sections": [_section_head(reader, one, musts) for one in reader.structure["sections"]],
        "must_open": musts,
        "notes": notes_of(reader),
        "photos": photos_of(reader),
        "follow_ups": follow_ups_of(reader),
        "attempts": attempts_of(reader),
        "consents": consents_view(reader),
        "reviews": reviews_of(reader),
        "points": open_points(reader),
        "conflicts": conflicts,
        "late": len(reader.record["late"]),
        "changed": reader.state == "changed",
        "closed": value_of(reader.record, "closed") == "yes",
    }


def section_view(
    file: VisitData,
    packs: Mapping[str, Pack],
    languages: Languages,
    people: Mapping[str, str],
    status: Mapping[str, str],
    section: str,
) -> View:
    """One section of the guide with its items. Raises KeyError where the guide has no such section."""
    reader = reader_of(file, packs, languages, people, status)
    found = _section_of(reader, section)
    conflicts, points = conflicts_view(reader), open_points(reader)
    return {
        **_section_head(reader, found, _musts(reader)),
        "rows": [_item_view(reader, key, conflicts, points) for key in found["items"]],
        "can_tick": bool(tick_of(file, packs, section)),
        "can_untick": bool(untick_of(file, packs, section)),
    }


def summary_view(
    file: VisitData,
    packs: Mapping[str, Pack],
    languages: Languages,
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
    file: VisitData,
    packs: Mapping[str, Pack],
    languages: Languages,
    people: Mapping[str, str],
    purpose: str,
    recipient: str,
) -> View:
    """One consent to be asked for, with `recipient` in its text."""
    reader = reader_of(file, packs, languages, people, {})
    found = next(one for one in consents_view(reader) if one["purpose"] == purpose)
    return {**found, "recipient": recipient, **consent_text(reader, purpose, recipient)}


def notice_view(
    file: VisitData,
    packs: Mapping[str, Pack],
    languages: Languages,
    key: str,
) -> list[View]:
    """The parts of a notice (title first), each in both languages; [] where there is no such notice."""
    reader = reader_of(file, packs, languages, {}, {})
    booked = {
        "visit.date": value_of(reader.record, "date"),
        "visit.time": value_of(reader.record, "time"),
        "visit.apartment": file["tenancy"].get("apartment", ""),
    }
    return [
        pair(reader, "text", f"notice.{key}.{part}", booked)
        for notice in reader.structure["notices"]
        if notice["key"] == key
        for part in notice["parts"]
    ]
