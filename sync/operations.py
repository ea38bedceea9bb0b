"""One operation: reading its bytes, checking its shape, and the table of kinds.

Invariant: an `Operation` that exists is well-formed (PROTOCOL.md section 1); what cannot be
read is described by a `Refusal` whose code says why, so that the caller can hold the
bytes. It refuses to repair anything: bytes are never rewritten, data never guessed.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

PROTOCOL = 1
MEDIA_TYPE = "application/vnd.troskel.sync+json"

OPERATION_BYTES_MAX = 16 * 1024
BATCH_OPERATIONS_MAX = 500
BATCH_BYTES_MAX = 4 * 1024 * 1024
RIDING_BLOB_BYTES_MAX = 16 * 1024
BLOB_BYTES_MAX = 12 * 1024 * 1024
TEXT_CHARACTERS_MAX = 280
VISITORS_MAX = 2
POINTS_MAX = 20
LIST_MAX = 200

Data = Mapping[str, Any]
Check = Callable[[Any], bool]


class Refusal(Exception):
    """An operation that cannot be applied as it stands. `code` is a held-list problem code."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Operation:
    """A well-formed operation; field by field the envelope of PROTOCOL.md section 1."""

    id: str
    v: int
    kind: str
    type: str
    subject: str
    by: str
    device: str
    device_seq: int
    at: str
    base: int
    data: Data


_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z")
# Starts with a letter or digit: the twin keys plain JavaScript objects, where "__proto__" bites.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,79}\Z")
_FIELD = re.compile(r"(language|visitors|date|time|answer\.[A-Za-z0-9][A-Za-z0-9._:-]{0,70})\Z")
_DATE = re.compile(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])\Z")
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d\Z")
_SHA = re.compile(r"[0-9a-f]{64}\Z")
_AT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)\Z")
_SEQ_MAX = 2**52


def is_uuid(value: Any) -> bool:
    """True for a lower-case UUID in its one canonical form (`uuid.UUID` accepts five others)."""
    return isinstance(value, str) and _UUID.match(value) is not None


def _text(low: int, high: int) -> Check:
    return lambda value: isinstance(value, str) and low <= len(value) <= high


def _matches(pattern: re.Pattern[str], *, empty: bool = False) -> Check:
    return lambda value: (
        isinstance(value, str)
        and ((empty and value == "") or (value != "" and pattern.match(value) is not None))
    )


def _one_of(*allowed: str) -> Check:
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


def _count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _SEQ_MAX


def _answers(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and 1 <= len(value) <= LIST_MAX
        and all(_code(item) and _code_or_empty(answer) for item, answer in value.items())
    )


def _points(value: Any) -> bool:
    return (
        isinstance(value, list)
        and 1 <= len(value) <= POINTS_MAX
        and all(
            isinstance(point, dict)
            and set(point) == {"item", "text"}
            and _code_or_empty(point["item"])
            and _text(0, TEXT_CHARACTERS_MAX)(point["text"])
            for point in value
        )
    )


def _phones(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) <= 4
        and all(
            isinstance(phone, dict)
            and set(phone) == {"original", "e164"}
            and all(_text(0, 60)(part) for part in phone.values())
            for phone in value
        )
    )


_code = _matches(_NAME)
_code_or_empty = _matches(_NAME, empty=True)
_date = _matches(_DATE)
_date_or_empty = _matches(_DATE, empty=True)
_time_or_empty = _matches(_TIME, empty=True)
_sha_or_empty = _matches(_SHA, empty=True)
_cell = _text(0, 200)
_note = _text(1, TEXT_CHARACTERS_MAX)
_comment = _text(0, TEXT_CHARACTERS_MAX)


def _uuid_or_empty(value: Any) -> bool:
    return value == "" or is_uuid(value)


def _choice(value: Any) -> bool:
    return _cell(value) or _list_of(_code, 0, VISITORS_MAX)(value)


@dataclass(frozen=True, slots=True)
class Kind:
    """What one kind of operation is about and who may send it.

    `who` holds "field" (visitors, ambassadors), "desk" (supervisors, administrators) and
    "officer"; `content` marks what a review looks at; `optional` keys may be absent.
    """

    type: str
    who: frozenset[str]
    fields: Mapping[str, Check]
    content: bool = False
    optional: frozenset[str] = frozenset()


def _kind(
    type: str, who: str, fields: Mapping[str, Check], *, content: bool = False, optional: str = ""
) -> Kind:
    return Kind(type, frozenset(who.split()), fields, content, frozenset(optional.split()))


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
            "tenants": _list_of(_cell, 0, 4),
            "phones": _phones,
        },
    ),
    "tenancy.protect": _kind("tenancy", "desk", {"reason": _one_of("import", "staff")}),
    "visit.plan": _kind(
        "visit", "desk", {"tenancy": is_uuid, "kind": _one_of("welcome", "short", "revisit")}
    ),
    "visit.assign": _kind(
        "visit",
        "desk",
        {
            "visitors": _list_of(_code, 0, VISITORS_MAX),
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
            "kind": _one_of("short", "revisit", "reactive", "contact"),
            "language": _code_or_empty,
        },
    ),
    "visit.language": _kind("visit", "field desk", {"language": _code_or_empty}, content=True),
    "visit.answer": _kind(
        "visit",
        "field",
        {
            "item": _code,
            "answer": _code_or_empty,
            "guide": _code_or_empty,
            "language": _code_or_empty,
        },
        content=True,
    ),
    "visit.tick": _kind(
        "visit",
        "field",
        {
            "section": _code,
            "answers": _answers,
            "guide": _code_or_empty,
            "language": _code_or_empty,
        },
        content=True,
    ),
    "visit.note": _kind("visit", "field", {"item": _code_or_empty, "text": _note}, content=True),
    "visit.follow_up": _kind(
        "visit",
        "field desk",
        {
            "item": _code_or_empty,
            "queue": _code,
            "urgency": _one_of("now", "same_day", "three_days", "fourteen_days"),
            "text": _comment,
        },
        content=True,
    ),
    "visit.attempt": _kind(
        "visit",
        "field",
        {
            "outcome": _one_of("not_home", "declined", "rebooked"),
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
            "purpose": _code,
            "decision": _one_of("yes", "no"),
            "text_key": _code,
            "text_version": _code,
            "text_sha256": _matches(_SHA),
            "text_state": _one_of("original", "translated", "machine", "reviewed"),
            "language": _code,
            "recipient": _cell,
            "given_by": _one_of("tenant", "representative"),
            "method": _one_of("signature", "oral", "tap"),
            "attested": _truth,
            "signature": _sha_or_empty,
            "interpreter": _one_of("none", "staff", "ambassador", "on_site", "telephone"),
            "expires": _date_or_empty,
        },
        content=True,
    ),
    "visit.withdraw": _kind(
        "visit",
        "field desk",
        {"purpose": _code, "channel": _one_of("visit", "desk", "phone", "letter", "receipt")},
    ),
    "visit.retract": _kind("visit", "field desk", {"operation": is_uuid}, content=True),
    "visit.close": _kind(
        "visit",
        "field",
        {"let_go": _list_of(_code, 0, LIST_MAX), "read_back": _truth},
        content=True,
    ),
    "visit.reopen": _kind("visit", "field desk", {}, content=True),
    "visit.approve": _kind("visit", "desk", {"comment": _comment}),
    "visit.return": _kind("visit", "desk", {"points": _points}),
    "visit.cancel": _kind("visit", "desk", {"reason": _one_of("moved_out", "duplicate", "other")}),
    "visit.choose": _kind("visit", "desk", {"field": _matches(_FIELD), "value": _choice}),
    "follow_up.answer": _kind(
        "visit", "desk officer", {"follow_up": is_uuid, "text": _comment, "done": _truth}
    ),
    "tally.count": _kind(
        "tally", "field", {"day": _date, "area": _cell, "topic": _code, "value": _code}
    ),
}

VERSION = 1  # newest version of every kind's data; upcast() lifts older ones


def upcast(kind: str, v: int, data: Data) -> Data:
    """Data of version `v` in the newest form. Version 1 is the only one released."""
    return data


def digest_of(text: str | bytes) -> str:
    """SHA-256 of an operation's exact bytes, lower-case hex."""
    return hashlib.sha256(octets_of(text) if isinstance(text, str) else text).hexdigest()


def octets_of(text: str) -> bytes:
    """The bytes to store and hash. Half a surrogate pair, which no phone makes, is kept too:
    it is held as `invalid`, and holding must not fail on the very text it is for."""
    return text.encode("utf-8", "surrogatepass")


def encode(envelope: Mapping[str, Any]) -> str:
    """The bytes of a new operation, keys in the protocol's order, no spaces."""
    subject = envelope["subject"]
    ordered = {
        **{key: envelope[key] for key in ("id", "v", "kind")},
        "subject": {"type": subject["type"], "id": subject["id"]},
        **{key: envelope[key] for key in ("by", "device", "device_seq", "at", "base", "data")},
    }
    return json.dumps(ordered, ensure_ascii=False, separators=(",", ":"))


def peek(text: str) -> dict[str, str]:
    """What can be said of bytes that may not be an operation: id, by, device, visit, kind, or "".

    For the held list only: a broken operation is still grouped by visit and device.
    """
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError):
        raw = {}
    raw = raw if isinstance(raw, dict) else {}
    subject = raw.get("subject")
    subject = subject if isinstance(subject, dict) else {}
    found = {
        "id": raw.get("id"),
        "by": raw.get("by"),
        "device": raw.get("device"),
        "kind": raw.get("kind"),
        "visit": subject.get("id"),
    }
    return {
        key: value if isinstance(value, str) and len(value) <= 80 else ""
        for key, value in found.items()
    }


def _has_half_pair(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def parse(text: str) -> Operation:
    """The operation in `text` (its exact bytes, decoded).

    Raises Refusal with `too_large`, `invalid`, `version_newer` or `unknown_kind`.
    """
    if len(octets_of(text)) > OPERATION_BYTES_MAX:
        raise Refusal("too_large")
    try:
        raw = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise Refusal("invalid", "not JSON") from error
    if "\\u" in text and _has_half_pair(json.dumps(raw, ensure_ascii=False)):
        raise Refusal("invalid", "half a surrogate pair")
    if not isinstance(raw, dict) or not isinstance(raw.get("subject"), dict):
        raise Refusal("invalid", "not an envelope")
    subject = raw["subject"]
    checks: dict[str, tuple[Any, Check]] = {
        "id": (raw.get("id"), is_uuid),
        "v": (raw.get("v"), lambda value: _count(value) and value >= 1),
        "kind": (raw.get("kind"), _code),
        "subject.type": (subject.get("type"), _one_of("tenancy", "visit", "tally")),
        "subject.id": (subject.get("id"), is_uuid),
        "by": (raw.get("by"), _code),
        "device": (raw.get("device"), _code),
        "device_seq": (raw.get("device_seq"), lambda value: _count(value) and value >= 1),
        "at": (raw.get("at"), _matches(_AT)),
        "base": (raw.get("base"), _count),
        "data": (raw.get("data"), lambda value: isinstance(value, dict)),
    }
    for name, (value, check) in checks.items():
        if not check(value):
            raise Refusal("invalid", name)
    # Newer before unknown: a kind born in a later release comes with a version we may know.
    if raw["v"] > VERSION:
        raise Refusal("version_newer", raw["kind"])
    kind = KINDS.get(raw["kind"])
    if kind is None:
        raise Refusal("unknown_kind", raw["kind"])
    if kind.type != subject["type"]:
        raise Refusal("invalid", "subject.type")
    data = upcast(raw["kind"], raw["v"], raw["data"])
    _check_data(kind, data)
    return Operation(
        id=raw["id"],
        v=raw["v"],
        kind=raw["kind"],
        type=subject["type"],
        subject=subject["id"],
        by=raw["by"],
        device=raw["device"],
        device_seq=raw["device_seq"],
        at=raw["at"],
        base=raw["base"],
        data=data,
    )


def _check_data(kind: Kind, data: Data) -> None:
    for name, check in kind.fields.items():
        if name not in data:
            if name in kind.optional:
                continue
            raise Refusal("invalid", f"data.{name} is missing")
        if not check(data[name]):
            raise Refusal("invalid", f"data.{name}")
    # Unknown fields are kept in the bytes but never applied: a newer client of the same
    # version may say more than this server understands.
