"""One operation: parsing its bytes and checking its shape against the table of kinds.

Invariant: an `Operation` that exists is well-formed (PROTOCOL.md section 1); for bytes that do not
parse, a `Refusal` carries the code under which the caller holds them. Nothing is repaired: bytes
are never rewritten, missing data never guessed.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sync.kinds import KINDS, Check, Data, Kind, code, is_count, is_uuid, one_of
from sync.limits import OPERATION_BYTES_MAX
from sync.shapes import HeldReason, SubjectType

PROTOCOL = 1
MEDIA_TYPE = "application/vnd.troskel.sync+json"


class Refusal(Exception):
    """An operation that cannot be applied. `code` is the reason under which it is to be held."""

    def __init__(self, code: HeldReason, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Operation:
    """A well-formed operation; field by field the envelope of PROTOCOL.md section 1."""

    id: str
    v: int
    kind: str
    type: SubjectType
    subject: str
    by: str
    device: str
    device_seq: int
    at: str
    base: int
    data: Data


_AT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)\Z")


def _from_one(value: Any) -> bool:
    return is_count(value) and value >= 1


def _is_moment(value: Any) -> bool:
    """Whether this is a time that exists, in a year that every time zone can still show."""
    if not (isinstance(value, str) and _AT.match(value)):
        return False
    try:
        return 1900 <= datetime.fromisoformat(value).year < 9999
    except ValueError:
        return False


_HEAD: Mapping[str, Check] = {"id": is_uuid, "v": _from_one, "kind": code}
_SUBJECT: Mapping[str, Check] = {"type": one_of("tenancy", "visit", "tally"), "id": is_uuid}
_REST: Mapping[str, Check] = {
    "by": code,
    "device": code,
    "device_seq": _from_one,
    "at": _is_moment,
    "base": is_count,
    "data": lambda value: isinstance(value, dict),
}


# (kind, v) → a function that turns data of version v into version v + 1. Every kind begins at
# version 1. No entry is ever removed: released phones and the log still hold the old versions.
UPCASTS: dict[tuple[str, int], Callable[[Data], Data]] = {}


def newest(kind: str) -> int:
    """The newest version of this kind's data."""
    v = 1
    while (kind, v) in UPCASTS:
        v += 1
    return v


def upcast(kind: str, v: int, data: Data) -> Data:
    """Data of version `v` in the newest form, one version at a time."""
    while step := UPCASTS.get((kind, v)):
        v, data = v + 1, step(data)
    return data


def digest_of(text: str | bytes) -> str:
    """SHA-256 of an operation's exact bytes, lower-case hex."""
    return hashlib.sha256(octets_of(text) if isinstance(text, str) else text).hexdigest()


def octets_of(text: str) -> bytes:
    """The bytes to store and hash. A lone surrogate, which no phone makes, is encoded too: such
    text is held as `invalid`, and holding it must not raise."""
    return text.encode("utf-8", "surrogatepass")


def text_of(octets: bytes) -> str:
    """The text whose `octets_of` these are."""
    return octets.decode("utf-8", "surrogatepass")


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
    """Best-effort id, by, device, visit and kind of bytes that may not be an operation; "" where
    unreadable.

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
        key: value
        if isinstance(value, str) and len(value) <= 80 and not _has_lone_surrogate(value)
        else ""
        for key, value in found.items()
    }


def _has_lone_surrogate(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


_STRICT = json.JSONDecoder(parse_constant=_refuse_constant)  # built once: a push parses hundreds


def parse(text: str) -> Operation:
    """The operation in `text` (its exact bytes, decoded).

    Raises Refusal with `too_large`, `invalid`, `version_newer` or `unknown_kind`.
    """
    if len(octets_of(text)) > OPERATION_BYTES_MAX:
        raise Refusal("too_large")
    try:
        raw = _STRICT.decode(text)
    except (ValueError, RecursionError) as error:
        raise Refusal("invalid", "not JSON") from error
    if _has_lone_surrogate(text) or (
        "\\u" in text and _has_lone_surrogate(json.dumps(raw, ensure_ascii=False))
    ):
        raise Refusal("invalid", "lone surrogate")
    if not isinstance(raw, dict):
        raise Refusal("invalid", "not an envelope")
    # A later release may change everything but these three, so they decide first whether this
    # release can read the rest.
    _check(_HEAD, raw)
    kind = KINDS.get(raw["kind"])
    if kind is None:
        raise Refusal("unknown_kind", raw["kind"])
    if raw["v"] > newest(raw["kind"]):
        raise Refusal("version_newer", raw["kind"])
    subject = raw.get("subject")
    if not isinstance(subject, dict):
        raise Refusal("invalid", "subject")
    _check(_SUBJECT, subject, "subject.")
    _check(_REST, raw)
    if kind.type != subject["type"]:
        raise Refusal("invalid", "subject.type")
    try:
        data = upcast(raw["kind"], raw["v"], raw["data"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Refusal("invalid", "data of an older version") from error
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


def _check(checks: Mapping[str, Check], raw: Mapping[str, Any], within: str = "") -> None:
    for name, check in checks.items():
        if not check(raw.get(name)):
            raise Refusal("invalid", within + name)


def _check_data(kind: Kind, data: Data) -> None:
    for name, check in kind.fields.items():
        if name not in data:
            if name in kind.optional:
                continue
            raise Refusal("invalid", f"data.{name} is missing")
        if not check(data[name]):
            raise Refusal("invalid", f"data.{name}")
    if not kind.whole(data):
        raise Refusal("invalid", "data")
    # Unknown fields stay in the bytes and are not applied: a newer client may add fields without
    # a new version.
