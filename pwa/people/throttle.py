"""How long a name must wait after wrong passwords.

Invariant: the wait doubles with each failure up to `WAIT_SECONDS_MAX`, so that guessing is slow and
nobody is locked out for good. Unknown names wait like known ones, so the wait reveals nothing. The
counts are in memory: there is one server process (pwa/database/connections.py), and a table would let
strangers write to the disk. A restart forgets them.

Somebody who keeps guessing at Alice's password would keep Alice waiting too. The key is therefore the
name and whether the browser is known: a browser she has signed in with has a count of its own.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from datetime import datetime, timedelta

FREE_FAILURES = 3
WAIT_SECONDS_MAX = 300
KEYS_MAX = 10_000


class Throttle:
    """Failures by key. The caller gives the time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failures: OrderedDict[str, tuple[int, datetime]] = OrderedDict()

    def wait_seconds(self, key: str, now: datetime) -> int:
        """Whole seconds until `key` may try again; 0 means now."""
        with self._lock:
            count, last = self._failures.get(key, (0, now))
        if count < FREE_FAILURES:
            return 0
        wait = timedelta(seconds=min(2 ** min(count - FREE_FAILURES, 20), WAIT_SECONDS_MAX))
        left = (last + wait - now).total_seconds()
        return max(0, -int(-left // 1))

    def failed(self, key: str, now: datetime) -> None:
        """Count one wrong password."""
        with self._lock:
            count, _ = self._failures.pop(key, (0, now))
            self._failures[key] = (count + 1, now)
            if len(self._failures) > KEYS_MAX:
                self._failures.popitem(last=False)

    def succeeded(self, key: str) -> None:
        """Forget the failures of `key`."""
        with self._lock:
            self._failures.pop(key, None)
