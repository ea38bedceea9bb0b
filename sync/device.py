"""A device as the server knows it: the numbers it has used, and the key it proves itself with.

Invariant: a device's first key stays its key (I7), and each number it has used is remembered
once (I2). Pure: records in, records out. It keeps a key's SHA-256, never the key.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from sync.apply import Record

_KEY = re.compile(r"[0-9a-f]{64}\Z")


def new_device(id: str) -> Record:
    """A device nothing has been heard of."""
    return {"type": "device", "id": id, "seq": 0, "key": "", "received": [], "reused": []}


def is_key(key: str) -> bool:
    """True for 32 bytes as lower-case hex."""
    return _KEY.match(key) is not None


def with_key(record: Record, key: str) -> Record:
    """`record` once it has been heard with `key`: the first one counts for good."""
    if record.get("key") or not is_key(key):
        return record
    return record | {"key": _digest(key)}


def proves(record: Record, key: str) -> bool:
    """True when `key` may speak for this device; any key may, as long as it has none."""
    return not record.get("key") or record["key"] == _digest(key)


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def add_number(ranges: Sequence[Sequence[int]], number: int) -> list[list[int]]:
    """`ranges` (sorted, disjoint, inclusive) with `number` in it, neighbours joined."""
    joined: list[list[int]] = []
    for low, high in sorted([*(list(one) for one in ranges), [number, number]]):
        if joined and low <= joined[-1][1] + 1:
            joined[-1][1] = max(joined[-1][1], high)
        else:
            joined.append([low, high])
    return joined


def has_number(record: Record, number: int) -> bool:
    """True when `number` was received before."""
    return any(low <= number <= high for low, high in record["received"])


def gaps_of(ranges: Sequence[Sequence[int]]) -> list[tuple[int, int]]:
    """The numbers missing before the highest one received, as inclusive ranges."""
    ends = [0, *(high for _, high in ranges)]
    starts = [low for low, _ in ranges]
    return [(end + 1, low - 1) for end, low in zip(ends, starts, strict=False) if low > end + 1]
