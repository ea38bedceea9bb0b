"""Server randomness that a seed repeats: ids, session tokens, device names.

Invariant: inside `repeated_randomness(seed)` everything that `secrets` gives depends on the seed
and on how much was asked for before; afterwards the system's own randomness is back.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def repeated_randomness(seed: int) -> Iterator[None]:
    """The next random bytes of this process are those of `seed`."""
    # SystemRandom, and so `secrets`, asks this one function.
    before = random._urandom  # type: ignore[attr-defined]
    random._urandom = random.Random(seed).randbytes  # type: ignore[attr-defined]
    try:
        yield
    finally:
        random._urandom = before  # type: ignore[attr-defined]
