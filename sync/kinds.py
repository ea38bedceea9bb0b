"""The kinds of operation: what each is about, who may send it, what its data must look like.

Invariant: this table and the one in PROTOCOL.md section 1 say the same (a test compares them), and
the phone's is made from it (pwa/bundle/constants.py). A check only answers whether a value is valid;
it never converts or trims one, because bytes are kept as they came.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sync.limits import (
    CELL_CHARACTERS_MAX,
    LIST_MAX,
    PHONE_CHARACTERS_MAX,
    PHONES_MAX,
    POINTS_MAX,
    SEQ_MAX,
    TENANTS_MAX,
    TEXT_CHARACTERS_MAX,
    VISITORS_MAX,
)
from sync.shapes import URGENCIES, SubjectType

Data = Mapping[str, Any]
Check = Callable[[Any], bool]

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z")
# Starts with a letter or digit: the twin keys plain JavaScript objects, where "__proto__" bites.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,79}\Z")
_FIELD = re.compile(
    r"(language|visitors|date|time|attempt|closed|answer\.[A-Za-z0-9][A-Za-z0-9._:-]{0,70})\Z"
)
_DATE = re.compile(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])\Z")
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d\Z")
_SHA = re.compile(r"[0-9a-f]{64}\Z")


def is_uuid(value: Any) -> bool:
    """Whether this is a UUID in its one canonical form, lower case (`uuid.UUID` accepts five others)."""
    return isinstance(value, str) and _UUID.match(value) is not None


def _text(low: int, high: int) -> Check:
    return lambda value: isinstance(value, str) and low <= len(value) <= high


def matches(pattern: re.Pattern[str], *, empty: bool = False) -> Check:
    """A check for text that `pattern` matches; `empty`: "" passes too."""
    return lambda value: (
        isinstance(value, str)
        and ((empty and value == "") or (value != "" and pattern.match(value) is not None))
    )


def one_of(*allowed: str) -> Check:
    """A check for one of these strings."""
    # isinstance first: `value in allowed` would be False for lists anyway, but a
    # dict or list subclass with its own __eq__ cannot come out of json.loads.
    return lambda value: isinstance(value, str) and value in allowed


def _list_of(check: Check, low: int, high: int) -> Check:
    return lambda value: (
        isinstance(value, list)
        and low <= len(value) <= high
        and all(check(entry) for entry in value)
    )


def _truth(value: Any) -> bool:
    return isinstance(value, bool)


def is_count(value: Any) -> bool:
    """Whether this is a number that `seq`, `base` or `device_seq` can be (True and False are not)."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < SEQ_MAX


def _answers(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and 1 <= len(value) <= LIST_MAX
        and all(code(item) and code_or_empty(answer) for item, answer in value.items())
    )


def _points(value: Any) -> bool:
    return (
        isinstance(value, list)
        and 1 <= len(value) <= POINTS_MAX
        and all(
            isinstance(point, dict)
            and set(point) == {"item", "text"}
            and code_or_empty(point["item"])
            and _text(0, TEXT_CHARACTERS_MAX)(point["text"])
            for point in value
        )
    )


def _phones(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) <= PHONES_MAX
        and all(
            isinstance(phone, dict)
            and set(phone) == {"original", "e164"}
            and all(_text(0, PHONE_CHARACTERS_MAX)(part) for part in phone.values())
            for phone in value
        )
    )


code = matches(_NAME)
code_or_empty = matches(_NAME, empty=True)


def _date(value: Any) -> bool:
    """Whether the calendar has this day: pull and the lists calculate with it."""
    if not (isinstance(value, str) and _DATE.match(value)):
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


def _date_or_empty(value: Any) -> bool:
    return value == "" or _date(value)


_time_or_empty = matches(_TIME, empty=True)
_sha_or_empty = matches(_SHA, empty=True)
_cell = _text(0, CELL_CHARACTERS_MAX)
_note = _text(1, TEXT_CHARACTERS_MAX)
_comment = _text(0, TEXT_CHARACTERS_MAX)


def _uuid_or_empty(value: Any) -> bool:
    return value == "" or is_uuid(value)


_visitors = _list_of(code, 0, VISITORS_MAX)
_outcome = one_of("not_home", "declined", "rebooked")
_CHOICES: Mapping[str, Check] = {
    "visitors": _visitors,
    "date": _date_or_empty,
    "time": _time_or_empty,
    "attempt": _outcome,
    "closed": one_of("yes", "no"),
}


def _choice(data: Data) -> bool:
    """Whether the chosen value is one that another operation could have written to the field."""
    return _CHOICES.get(data["field"], code_or_empty)(data["value"])


@dataclass(frozen=True, slots=True)
class Kind:
    """What one kind of operation is about and who may send it.

    `who` holds "field" (visitors, ambassadors), "desk" (supervisors, administrators) and
    "officer"; `content` marks what a review looks at; `optional` keys may be absent; `whole` checks
    the data as a whole, once each field has passed.
    """

    type: SubjectType
    who: frozenset[str]
    fields: Mapping[str, Check]
    content: bool = False
    optional: frozenset[str] = frozenset()
    whole: Callable[[Data], bool] = lambda data: True


def _kind(
    type: SubjectType, who: str, fields: Mapping[str, Check], *, content: bool = False, optional: str = "",
    whole: Callable[[Data], bool] = lambda data: True,
) -> Kind:  # fmt: skip
    groups, absent = frozenset(who.split()), frozenset(optional.split())
    return Kind(type, groups, fields, content, absent, whole)


KINDS: Mapping[str, Kind] = {
    "tenancy.register": _kind(
        "tenancy",
        "desk",
        {
            **dict.fromkeys(
                (
                    "ref",
                    "object",
                    "apartment",
                    "street",
                    "postcode",
                    "city",
                    "property",
                    "building",
                    "area",
                    "email",
                    "language",
                    "customer",
                ),
                _cell,
            ),
            "move_in": _date,
            "lease_end": _date_or_empty,
            "tenants": _list_of(_cell, 0, TENANTS_MAX),
            "phones": _phones,
        },
    ),
    "tenancy.protect": _kind("tenancy", "desk", {"reason": one_of("import", "staff")}),
    "visit.plan": _kind(
        "visit", "desk", {"tenancy": is_uuid, "kind": one_of("welcome", "short", "revisit")}
    ),
    "visit.assign": _kind(
        "visit",
        "desk",
        {
            "visitors": _visitors,
            "date": _date_or_empty,
            "time": _time_or_empty,
        },
        optional="visitors date time",
    ),
    "visit.open": _kind(
        "visit",
        "field",
        {
            "tenancy": _uuid_or_empty,
            "kind": one_of("short", "revisit", "reactive", "contact"),
            "language": code_or_empty,
        },
    ),
    "visit.language": _kind("visit", "field desk", {"language": code_or_empty}, content=True),
    "visit.answer": _kind(
        "visit",
        "field",
        {
            "item": code,
            "answer": code_or_empty,
            "guide": code_or_empty,
            "language": code_or_empty,
        },
        content=True,
    ),
    "visit.tick": _kind(
        "visit",
        "field",
        {
            "section": code,
            "answers": _answers,
            "guide": code_or_empty,
            "language": code_or_empty,
        },
        content=True,
    ),
    "visit.note": _kind("visit", "field", {"item": code_or_empty, "text": _note}, content=True),
    "visit.photo": _kind(
        "visit", "field", {"item": code_or_empty, "photo": matches(_SHA)}, content=True
    ),
    "visit.follow_up": _kind(
        "visit",
        "field desk",
        {
            "item": code_or_empty,
            "queue": code,
            "urgency": one_of(*URGENCIES),
            "text": _comment,
        },
        content=True,
    ),
    "visit.attempt": _kind(
        "visit",
        "field",
        {
            "outcome": _outcome,
            "date": _date_or_empty,
            "time": _time_or_empty,
        },
        content=True,
        optional="date time",
    ),
    "visit.consent": _kind(
        "visit",
        "field",
        {
            "purpose": code,
            "decision": one_of("yes", "no"),
            "text_key": code,
            "text_version": code,
            "text_sha256": matches(_SHA),
            "text_state": one_of("original", "translated", "machine", "reviewed"),
            "language": code,
            "recipient": _cell,
            "given_by": one_of("tenant", "representative"),
            "method": one_of("signature", "oral", "tap"),
            "attested": _truth,
            "signature": _sha_or_empty,
            "interpreter": one_of("none", "staff", "ambassador", "on_site", "telephone"),
            "expires": _date_or_empty,
        },
        content=True,
    ),
    "visit.withdraw": _kind(
        "visit",
        "field desk",
        {"purpose": code, "channel": one_of("visit", "desk", "phone", "letter", "receipt")},
    ),
    "visit.retract": _kind("visit", "field desk", {"operation": is_uuid}, content=True),
    "visit.close": _kind(
        "visit",
        "field",
        {"let_go": _list_of(code, 0, LIST_MAX), "read_back": _truth},
        content=True,
    ),
    "visit.reopen": _kind("visit", "field desk", {}, content=True),
    "visit.approve": _kind("visit", "desk", {"comment": _comment}),
    "visit.return": _kind("visit", "desk", {"points": _points}),
    "visit.cancel": _kind("visit", "desk", {"reason": one_of("moved_out", "duplicate", "other")}),
    "visit.choose": _kind(
        "visit", "desk", {"field": matches(_FIELD), "value": lambda value: True}, whole=_choice
    ),
    "follow_up.answer": _kind(
        "visit", "desk officer", {"follow_up": is_uuid, "text": _comment, "done": _truth}
    ),
    "tally.count": _kind(
        "tally", "field", {"day": _date, "area": _cell, "topic": code, "value": code}
    ),
}
