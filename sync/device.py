"""A device as the server knows it: the numbers it has used, and the key that authenticates it.

Invariant: a device's first key stays its key (I7), and each number it has used is recorded once
(I2). Pure: records in, records out. Only the SHA-256 of a key is kept, never the key.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from sync.shapes import DeviceRecord

_KEY = re.compile(r"[0-9a-f]{64}\Z")


def new_device(id: str) -> DeviceRecord:
    """A device before its first push."""
    return {"type": "device", "id": id, "seq": 0, "key": "", "received": [], "reused": []}


def is_key(key: str) -> bool:
    """Whether this is 32 bytes as lower-case hex."""
    return _KEY.match(key) is not None


def with_key(record: DeviceRecord, key: str) -> DeviceRecord:
    """`record` after a push with `key`: the first key counts for good, later ones change nothing."""
    if record.get("key") or not is_key(key):
        return record
    return record | {"key": _digest(key)}


def proves(record: DeviceRecord, key: str) -> bool:
    """Whether `key` authenticates this device; any key does as long as the device has none."""
    return not record.get("key") or record.get("key") == _digest(key)


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def add_number(ranges: Sequence[Sequence[int]], number: int) -> list[list[int]]:
    """`ranges` (sorted, disjoint, inclusive) with `number` in it, adjacent ranges joined."""
    joined: list[list[int]] = []
    for low, high in sorted([*(list(one) for one in ranges), [number, number]]):
        if joined and low <= joined[-1][1] + 1:
            joined[-1][1] = max(joined[-1][1], high)
        else:
            joined.append([low, high])
    return joined


def has_number(record: DeviceRecord, number: int) -> bool:
    """Whether `number` was received before."""
    return any(low <= number <= high for low, high in record["received"])


def gaps_of(ranges: Sequence[Sequence[int]]) -> list[tuple[int, int]]:
    """The numbers missing below the highest one received, as inclusive ranges."""
    ends = [0, *(high for _, high in ranges)]
    starts = [low for low, _ in ranges]
    return [(end + 1, low - 1) for end, low in zip(ends, starts, strict=False) if low > end + 1]
