"""Operations as a phone makes them (sync/PROTOCOL.md 2).

Invariant: `envelope` is the only place where the tests write down the keys of an envelope; a test of
a malformed one changes what this makes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pwa.ids import uuid4, uuid7
from sync.operations import encode

NOW = datetime.fromisoformat("2026-11-22T09:00:00+00:00")
AT = NOW.isoformat(timespec="seconds")


def operation_id() -> str:
    """A fresh operation id, as a phone or a rendered form makes it."""
    return uuid7(int(NOW.timestamp() * 1000))


def envelope(
    kind: str, subject: str, data: Mapping[str, Any], by: str, /, **changes: Any
) -> dict[str, Any]:
    """The operation `kind` on `subject` by the user `by`; `changes` replaces keys.

    The first operation of a device that has pulled nothing, made at NOW, unless changed.
    """
    type = kind.partition(".")[0]
    return {
        "id": operation_id(), "v": 1, "kind": kind, "subject": {"type": type, "id": subject}, "by": by,
        "device": "d1", "device_seq": 1, "at": AT, "base": 0, "data": data,
    } | changes  # fmt: skip


def operation(kind: str, subject: str, data: Mapping[str, Any], by: str, /, **changes: Any) -> str:
    """The bytes of `envelope`."""
    return encode(envelope(kind, subject, data, by, **changes))


@dataclass
class OperationMaker:
    """One device in the hands of `by`; counts its own `device_seq`."""

    by: str
    device: str = field(default_factory=uuid4)
    at: str = AT
    base: int = 0
    new_id: Callable[[], str] = operation_id
    taken: int = 0
    """The last `device_seq` given."""

    def make(self, kind: str, subject: str, data: Mapping[str, Any], /, **changes: Any) -> str:
        """The bytes of the device's next operation."""
        self.taken += 1
        own: dict[str, Any] = {"id": self.new_id(), "device": self.device, "device_seq": self.taken}
        own |= {"at": self.at, "base": self.base}
        return operation(kind, subject, data, self.by, **(own | changes))
