"""The entries of a visit as plain values: notes, photos, follow-ups, attempts, reviews, conflicts,
consents.

Twin of static/field/models/view_entries.js. Invariant: every entry of the record is in the view,
struck ones too (without their text). Pure; which entries count is decided in sync/apply.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pwa.visits.view_texts import (
    Reader,
    View,
    answer_key,
    item_label,
    language_view,
    pair,
    stamp,
    text_of,
    weekday_of,
)
from sync.apply import conflicts_of, consents_of


def notes_of(reader: Reader) -> list[View]:
    return [
        {
            "id": one["id"],
            "item": one["item"],
            "label": item_label(reader, one["item"]),
            "text": one["text"],
            "retracted": one["retracted"],
            **stamp(reader, one),
        }
        for one in reader.record["notes"]
    ]


def photos_of(reader: Reader) -> list[View]:
    """`source`, the address of the picture's bytes, is "" here; the page fills it in if it has them."""
    return [
        {
            "id": one["id"],
            "item": one["item"],
            "label": item_label(reader, one["item"]),
            "photo": one["photo"],
            "source": "",
            "retracted": one["retracted"],
            **stamp(reader, one),
        }
        for one in reader.record.get("photos", [])
    ]


def follow_ups_of(reader: Reader) -> list[View]:
    return [
        {
            "id": one["id"],
            "item": one["item"],
            "label": item_label(reader, one["item"]),
            "queue": one["queue"],
            "urgency": one["urgency"],
            "text": one["text"],
            "retracted": one["retracted"],
            "done": bool(one["answers"]) and one["answers"][-1]["done"],
            "answers": [
                {"text": answer["text"], "done": answer["done"], **stamp(reader, answer)}
                for answer in one["answers"]
            ],
            **stamp(reader, one),
        }
        for one in reader.record["follow_ups"]
    ]


def attempts_of(reader: Reader) -> list[View]:
    return [
        {
            "outcome": one["outcome"],
            "new_date": one.get("date", ""),
            "new_weekday": weekday_of(one.get("date", "")),
            "new_time": one.get("time", ""),
            **stamp(reader, one),
        }
        for one in reader.record["attempts"]
    ]


def _points(reader: Reader, review: Mapping[str, Any]) -> list[View]:
    items = reader.structure["items"]
    return [
        {
            "item": point["item"],
            "section": items[point["item"]]["section"] if point["item"] in items else "",
            "label": item_label(reader, point["item"]),
            "text": point["text"],
        }
        for point in review.get("points", [])
    ]


def reviews_of(reader: Reader) -> list[View]:
    return [
        {
            "decision": one["decision"],
            "comment": one.get("comment", ""),
            "points": _points(reader, one),
            **stamp(reader, one),
        }
        for one in reader.record["reviews"]
    ]


def open_points(reader: Reader) -> list[View]:
    if reader.state != "returned":
        return []
    return _points(reader, reader.record["reviews"][-1])


def _value_label(reader: Reader, field: str, value: Any) -> str:
    if field.startswith("answer."):
        item = field.removeprefix("answer.")
        return (
            str(text_of(reader, reader.staff, answer_key(reader, item, value), {})["text"])
            if value
            else ""
        )
    if field == "language":
        return str(language_view(value)["name"])
    if field == "visitors":
        return ", ".join(reader.people.get(one, one) for one in value)
    return str(value)


def conflicts_view(reader: Reader) -> list[View]:
    """The open conflicts; `value` is what the form of `visit.choose` sends (lists joined by commas)."""
    return [
        {
            "field": field,
            "item": field.removeprefix("answer.") if field.startswith("answer.") else "",
            "label": item_label(reader, field.removeprefix("answer."))
            if field.startswith("answer.")
            else "",
            "rows": [
                {
                    "value": ",".join(one["value"])
                    if isinstance(one["value"], list)
                    else one["value"],
                    "label": _value_label(reader, field, one["value"]),
                    "chosen": one is writes[-1],
                    **stamp(reader, one),
                }
                for one in writes
            ],
        }
        for field, writes in conflicts_of(reader.record).items()
    ]


def _consent_event(reader: Reader, one: Mapping[str, Any]) -> View:
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
        **stamp(reader, one),
    }


def consent_text(reader: Reader, purpose: str, recipient: str) -> View:
    """The consent's exact words in both languages, with the recipient's name in its place."""
    named = {"recipient": recipient or "…"}
    wording = pair(reader, "text", f"{purpose}.text", named)
    tenant = text_of(reader, reader.tenant, f"{purpose}.text", named)
    return {
        **wording,
        "shown": tenant["text"],
        "shown_tag": tenant["tag"],
        "shown_state": tenant["state"],
    }


def consents_view(reader: Reader) -> list[View]:
    decided = consents_of(reader.record)
    views = []
    for purpose, consent in reader.structure["consents"].items():
        history = [
            _consent_event(reader, one)
            for one in reader.record["consents"]
            if one["purpose"] == purpose
        ]
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
                **pair(reader, "heading", f"{purpose}.title"),
                **consent_text(reader, purpose, recipient),
            }
        )
    return sorted(views, key=lambda one: one["number"])
