"""Identifiers made by the server: UUIDv7 for operations, UUIDv4 for everything in a URL.

Invariant: two identifiers made here are not equal, and a later UUIDv7 sorts after one made
in an earlier millisecond. Nothing that appears in a URL gets a UUIDv7, because that contains the
time it was made: visits, people and devices get a UUIDv4.
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable
from datetime import datetime


def uuid7(now_ms: int, randbits: Callable[[int], int] = secrets.randbits) -> str:
    """A UUIDv7 (RFC 9562, 5.7) for `now_ms`, milliseconds since 1970 UTC.

    `randbits(k)` gives k random bits; tests pass their own. Raises ValueError when the time
    does not fit in 48 bits.
    """
    if not 0 <= now_ms < 1 << 48:
        raise ValueError("now_ms does not fit in 48 bits")
    number = now_ms << 80 | 0x7 << 76 | randbits(12) << 64 | 0b10 << 62 | randbits(62)
    return str(uuid.UUID(int=number))


def operation_id(now: datetime) -> str:
    """The id of an operation made at `now` (aware): a UUIDv7."""
    return uuid7(int(now.timestamp() * 1000))


def uuid4(randbits: Callable[[int], int] = secrets.randbits) -> str:
    """A random UUIDv4 (RFC 9562, 5.4)."""
    return str(uuid.UUID(int=randbits(128), version=4))
