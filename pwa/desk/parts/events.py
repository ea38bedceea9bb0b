"""What an operation did, for the log of a visit and the held list: an event, which `event_label` of
templates/shared/labels.html puts into words. The phone's twin is `eventOf` in
static/field/pages/words.js.

Invariant: an event says no more than the operation's own data, and an operation that cannot be
parsed is shown as it stands. Whether it was applied is not decided here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pwa.desk.parts.guide_words import Words
from pwa.desk.parts.language_names import language_name

Data = Mapping[str, Any]
Fields = dict[str, Any]
RAW_CHARACTERS_MAX = 400


@dataclass(frozen=True, slots=True)
class Event:
    """One operation as `event_label` takes it; what does not belong to its kind is empty.

    `kind` is "" for what could not be parsed: `text` is then its first characters. `item` names what
    it is about and `value` what was set, in the reader's language (of an outcome, a decision or a
    closed follow-up: a code); `text` is as typed; `undone` says that it takes back instead of setting.
    """

    kind: str
    item: str = ""
    value: str = ""
    text: str = ""
    queue: str = ""
    people: str = ""
    when: str = ""
    number: int = 0
    undone: bool = False


def parse_event(text: str, words: Words) -> Event:
    """The event of an operation's text. A held operation may be anything: nothing is raised."""
    try:
        raw = json.loads(text)
        kind, data = raw["kind"], raw["data"]
        if kind in _KINDS and isinstance(data, dict):
            fields = _KINDS[kind](data, words)
            return Event(kind, **{name: _printable(value) for name, value in fields.items()})
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        pass
    return Event("", text=_printable(text[:RAW_CHARACTERS_MAX]))


def _printable(value: Any) -> Any:
    """A number as it is, all else as text; with half a surrogate pair in it, a page could not be sent."""
    return value if isinstance(value, int) else str(value).encode("utf-8", "replace").decode()


def _assign(data: Data, words: Words) -> Fields:
    return {
        "people": ", ".join(words.person(one) for one in data.get("visitors", ())),
        "when": " ".join(data[name] for name in ("date", "time") if data.get(name)),
        "undone": "visitors" in data and not data["visitors"],
    }


def _answer(data: Data, words: Words) -> Fields:
    item, code = data["item"], data["answer"]
    value = words.answer(item, code) if code else ""
    return {"item": words.item(item), "value": value, "undone": not code}


def _tick(data: Data, words: Words) -> Fields:
    answers = data["answers"]
    section = words.text(f"{data['section']}.title") or data["section"]
    return {"item": section, "number": len(answers), "undone": not any(answers.values())}


def _follow_up(data: Data, words: Words) -> Fields:
    return {**_about(data, words), "queue": data["queue"], "text": data["text"]}


def _attempt(data: Data, words: Words) -> Fields:
    when = f"{data.get('date', '')} {data.get('time', '')}".strip()
    return {"value": data["outcome"], "when": when if data["outcome"] == "rebooked" else ""}


def _purpose(data: Data, words: Words) -> Fields:
    title = f"{data['purpose']} {words.consent(data['purpose'])}"
    return {"item": title, "value": data.get("decision", "")}


def _return(data: Data, words: Words) -> Fields:
    points = "; ".join(f"{words.item(one['item'])}: {one['text']}" for one in data["points"])
    return {"text": points}


def _choose(data: Data, words: Words) -> Fields:
    field, value = data["field"], data["value"]
    if field.startswith("answer."):
        item = field.removeprefix("answer.")
        return {"item": words.item(item), "value": words.answer(item, value) if value else ""}
    if isinstance(value, list):
        value = ", ".join(words.person(one) for one in value)
    return {"value": language_name(value) if field == "language" else value}


def _about(data: Data, words: Words) -> Fields:
    return {"item": words.item(data["item"])}


def _nothing(data: Data, words: Words) -> Fields:
    return {}


# Every kind that is about a visit or a tenancy. Counts of a tally stand in no visit; a held one is
# shown as it stands.
_KINDS: Mapping[str, Callable[[Data, Words], Fields]] = {
    "tenancy.register": _nothing,
    "tenancy.protect": _nothing,
    "visit.plan": _nothing,
    "visit.open": _nothing,
    "visit.assign": _assign,
    "visit.language": lambda data, words: {"value": language_name(data["language"])},
    "visit.answer": _answer,
    "visit.tick": _tick,
    "visit.note": lambda data, words: {**_about(data, words), "text": data["text"]},
    "visit.photo": _about,
    "visit.follow_up": _follow_up,
    "visit.attempt": _attempt,
    "visit.consent": _purpose,
    "visit.withdraw": _purpose,
    "visit.retract": _nothing,
    "visit.close": _nothing,
    "visit.reopen": _nothing,
    "visit.approve": lambda data, words: {"text": data["comment"]},
    "visit.return": _return,
    "visit.cancel": _nothing,
    "visit.choose": _choose,
    "follow_up.answer": lambda data, words: {
        "text": data["text"],
        "value": "closed" if data["done"] else "",
    },
}
